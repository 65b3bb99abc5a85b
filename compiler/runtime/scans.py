"""Running sums and products as LLVM text: one after the other along an axis, in NumPy's order and with its bits."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from .layout import DType, Layout, NativeForm, Options, step_of
from .shim_text import load_places, load_table

TYPES = {"f4": ("float", 4), "f8": ("double", 8), "i4": ("i32", 4), "i8": ("i64", 8)}
KINDS = {"cumsum": ("add", "-0.0", "0"), "cumprod": ("mul", "1.0", "1")}
"""The instruction, and its neutral element for floats and for integers."""
MOST_APART = 1 << 12
"""Elements up to which several neighbouring scans run one after the other; NumPy runs them side by side."""

_WORDS = ("count", "inner", "length", "x.outer", "x.inner", "x.along", "y.outer", "y.inner", "y.along")


def text(dtype: str) -> str:
    """The functions `void loopweld_cumsum_f8(ptr places, ptr table)` and `loopweld_cumprod_f8`. The table holds
    `_WORDS`: how many scans there are before and behind the axis, its length, and the bytes between elements."""
    return "\n".join(_scan(kind, dtype) for kind in KINDS)


def _scan(kind: str, dtype: str) -> str:
    scalar, _ = TYPES[dtype]
    instruction, of_floats, of_integers = KINDS[kind]
    operation, neutral = (f"f{instruction}", of_floats) if dtype[0] == "f" else (instruction, of_integers)

    def at(array: str, start: str, index: str, step: str, name: str) -> str:
        offset = f"%{array}.{name}.offset"
        return (
            f"  {offset} = mul i64 %{index}, %{array}.{step}\n"
            f"  %{array}.{name} = getelementptr i8, ptr %{array}.{start}, i64 {offset}\n"
        )

    def both(start: str, index: str, step: str, name: str) -> str:
        return at("x", start, index, step, name) + at("y", start, index, step, name)

    return f"""
define void @loopweld_{kind}_{dtype}(ptr %places, ptr %table) {{
entry:
{load_table(_WORDS)}{load_places("xy")}  br label %before
before:
  %p = phi i64 [ 0, %entry ], [ %p.next, %behind.end ]
  %p.left = icmp slt i64 %p, %count
  br i1 %p.left, label %block, label %done
block:
{both("0", "p", "outer", "block")}  br label %behind
behind:
  %q = phi i64 [ 0, %block ], [ %q.next, %scan.end ]
  %q.left = icmp slt i64 %q, %inner
  br i1 %q.left, label %start, label %behind.end
start:
{both("block", "q", "inner", "first")}  br label %scan
scan:
  %i = phi i64 [ 0, %start ], [ %i.next, %step ]
  %total = phi {scalar} [ {neutral}, %start ], [ %total.next, %step ]
  %i.left = icmp slt i64 %i, %length
  br i1 %i.left, label %step, label %scan.end
step:
{both("first", "i", "along", "element")}  %element = load {scalar}, ptr %x.element
  %total.next = {operation} {scalar} %total, %element
  store {scalar} %total.next, ptr %y.element
  %i.next = add i64 %i, 1
  br label %scan
scan.end:
  %q.next = add i64 %q, 1
  br label %behind
behind.end:
  %p.next = add i64 %p, 1
  br label %before
done:
  ret void
}}
"""


def cumsum(dtype: DType, layouts: Sequence[Layout], options: Options) -> NativeForm | None:
    return _form("cumsum", dtype, layouts, options["axis"])


def cumprod(dtype: DType, layouts: Sequence[Layout], options: Options) -> NativeForm | None:
    return _form("cumprod", dtype, layouts, options["axis"])


def _form(kind: str, dtype: DType, layouts: Sequence[Layout], axis: int) -> NativeForm | None:
    shape = layouts[0].shape
    before, behind = prod(shape[:axis]), prod(shape[axis + 1 :])
    steps: list[int] = []
    for x in layouts:
        outer, inner = step_of(shape[:axis], x.strides[:axis]), step_of(shape[axis + 1 :], x.strides[axis + 1 :])
        if outer is None or inner is None:
            return None
        steps += [outer * dtype.itemsize, inner * dtype.itemsize, x.strides[axis] * dtype.itemsize]
    if dtype.str[1:] not in TYPES or (behind > 1 and prod(shape) > MOST_APART):
        return None
    return NativeForm(f"loopweld_{kind}_{dtype.str[1:]}", (before, behind, shape[axis], *steps), (0, 1), 0)
