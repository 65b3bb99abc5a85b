"""What native functions `void f(ptr places, ptr table)` have in common, as LLVM text: `places` holds the addresses of
operands and results, `table` integers that say how they lie in memory."""

from __future__ import annotations

from collections.abc import Sequence


def load_table(words: Sequence[str]) -> str:
    """The integers of the table, by name; `%NAME.at` are their addresses."""
    return "".join(
        f"  %{w}.at = getelementptr i64, ptr %table, i64 {k}\n  %{w} = load i64, ptr %{w}.at\n"
        for k, w in enumerate(words)
    )


def load_places(arrays: Sequence[str]) -> str:
    """The addresses of the arrays, `%NAME.0`."""
    return "".join(
        f"  %{a}.place = getelementptr ptr, ptr %places, i64 {k}\n  %{a}.0 = load ptr, ptr %{a}.place\n"
        for k, a in enumerate(arrays)
    )


def batch(name: str, arrays: Sequence[str], words: Sequence[str], body: str, before: str = "") -> str:
    """The function that does `body` for each matrix of a batch. The body follows the label `start`, has the addresses
    of its matrices as `%NAME`, and ends with a branch to `%after`; `before` comes before all of them.

    The table holds how many matrices there are, the bytes from one to the next in each array, and the other `words`.
    """
    moves = "".join(
        f"  %{a}.offset = mul i64 %item, %step.{a}\n  %{a} = getelementptr i8, ptr %{a}.0, i64 %{a}.offset\n"
        for a in arrays
    )
    return f"""
define void @{name}(ptr %places, ptr %table) {{
entry:
{load_table(("count", *(f"step.{a}" for a in arrays), *words))}{load_places(arrays)}{before}  br label %matrix
matrix:
  %item = phi i64 [ 0, %entry ], [ %item.next, %after ]
  %item.left = icmp slt i64 %item, %count
  br i1 %item.left, label %start, label %done
start:
{moves}{body}after:
  %item.next = add i64 %item, 1
  br label %matrix
done:
  ret void
}}
"""
