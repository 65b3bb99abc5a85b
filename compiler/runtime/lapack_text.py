"""The native code around LAPACK as LLVM text: what it overwrites is copied, and what failed becomes NaN.

Integers and letters are Fortran's: LAPACK takes the addresses of the table's words, of which it reads as many bytes as
its integers have; the first ones, on the little-endian machines that we compile for.
"""

from __future__ import annotations

from collections.abc import Sequence

from .shim_text import batch

TYPES = {"f4": ("s", "float", 4), "f8": ("d", "double", 8)}
FUNCTIONS = ("potrf", "potf2", "getrf", "trsm", "trsv")
SHIMS = ("cholesky", "small_cholesky", "lu", "solve_triangular", "solve_vector")

_COPY = ("rows", "columns", "down", "along")
_SYSTEM = (*_COPY, "elements", "diagonal", "checks", "side", "triangle", "transposed", "unit", "n", "k", "lda", "one")


def shims(dtype: str, wide: bool) -> str:
    """The shims `void loopweld_cholesky_f8(ptr places, ptr table)` and so on. The table holds their words: how many
    matrices, the bytes from one to the next in each array, how to copy the operand, and the arguments of LAPACK."""
    letter, scalar, size = TYPES[dtype]
    parts = [_helpers(dtype, scalar, size)]
    parts += [f"declare void @lapack_{letter}{name}({', '.join(['ptr'] * _COUNTS[name])})" for name in FUNCTIONS]
    for kind, name in (("cholesky", "potrf"), ("small_cholesky", "potf2")):
        parts.append(_shim(kind, dtype, "ac", (*_COPY, "elements", "n"), _cholesky(name, dtype, letter, scalar, size)))
    parts.append(_shim("lu", dtype, "acp", (*_COPY, "n"), _lu(dtype, letter, wide)))
    for kind, name in (("solve_triangular", "trsm"), ("solve_vector", "trsv")):
        parts.append(_shim(kind, dtype, "abc", _SYSTEM, _solve(name, dtype, letter, scalar)))
    return "\n".join(parts)


_COUNTS = {"potrf": 5, "potf2": 5, "getrf": 6, "trsm": 11, "trsv": 8}


def _shim(kind: str, dtype: str, arrays: str, words: Sequence[str], body: str) -> str:
    return batch(
        f"loopweld_{kind}_{dtype}", arrays, words, body, f"  %info = alloca i64\n  %scale = alloca {TYPES[dtype][1]}\n"
    )


def _cholesky(name: str, dtype: str, letter: str, scalar: str, size: int) -> str:
    """The factor in place of the copy, and zeros in the other triangle."""
    return f"""  call void @copy_{dtype}(ptr %a, ptr %c, i64 %rows, i64 %columns, i64 %down, i64 %along)
  store i64 0, ptr %info
  call void @lapack_{letter}{name}(ptr @upper, ptr %n.at, ptr %c, ptr %n.at, ptr %info)
  %status = load i64, ptr %info
  %failed = icmp ne i64 %status, 0
  br i1 %failed, label %failure, label %zeros
failure:
  call void @fill_{dtype}(ptr %c, i64 %elements, {scalar} 0x7FF8000000000000)
  br label %after
zeros:
  %i = phi i64 [ 1, %start ], [ %i.next, %zero ]
  %i.left = icmp slt i64 %i, %n
  br i1 %i.left, label %zero, label %after
zero:
  %above = sub i64 %i, 1
  %row = mul i64 %above, %n
  %first = add i64 %row, %i
  %place = getelementptr {scalar}, ptr %c, i64 %first
  %others = sub i64 %n, %i
  %bytes = mul i64 %others, {size}
  call void @llvm.memset.p0.i64(ptr %place, i8 0, i64 %bytes, i1 false)
  %i.next = add i64 %i, 1
  br label %zeros
"""


def _lu(dtype: str, letter: str, wide: bool) -> str:
    """The factors in place of the copy. Rows are counted from 0 by us, and in words of 64 bits: the last one is put
    there first, for where LAPACK has written narrower ones."""
    integer = "i64" if wide else "i32"
    widen = "" if wide else "  %found.wide = sext i32 %found to i64\n"
    return f"""  call void @copy_{dtype}(ptr %a, ptr %c, i64 %rows, i64 %columns, i64 %down, i64 %along)
  call void @lapack_{letter}getrf(ptr %n.at, ptr %n.at, ptr %c, ptr %n.at, ptr %p, ptr %info)
  br label %pivots
pivots:
  %i = phi i64 [ %n, %start ], [ %i.next, %pivot ]
  %i.left = icmp sgt i64 %i, 0
  br i1 %i.left, label %pivot, label %after
pivot:
  %i.next = sub i64 %i, 1
  %place = getelementptr {integer}, ptr %p, i64 %i.next
  %found = load {integer}, ptr %place
{widen}  %row = sub i64 %found{"" if wide else ".wide"}, 1
  %slot = getelementptr i64, ptr %p, i64 %i.next
  store i64 %row, ptr %slot
  br label %pivots
"""


def _solve(name: str, dtype: str, letter: str, scalar: str) -> str:
    """The solution in place of the copy of the right side; NaN where there is a zero on the diagonal."""
    arguments = {
        "trsm": "%side.at, %triangle.at, %transposed.at, %unit.at, %k.at, %n.at, %scale, %a, %lda.at, %c, %k.at",
        "trsv": "%triangle.at, %transposed.at, %unit.at, %n.at, %a, %lda.at, %c, %one.at",
    }[name]
    return f"""  br label %look
look:
  %i = phi i64 [ 0, %start ], [ %i.next, %other ]
  %i.left = icmp slt i64 %i, %checks
  br i1 %i.left, label %other, label %solve
other:
  %i.next = add i64 %i, 1
  %i.offset = mul i64 %i, %diagonal
  %place = getelementptr i8, ptr %a, i64 %i.offset
  %element = load {scalar}, ptr %place
  %is.zero = fcmp oeq {scalar} %element, 0.0
  br i1 %is.zero, label %failure, label %look
failure:
  call void @fill_{dtype}(ptr %c, i64 %elements, {scalar} 0x7FF8000000000000)
  br label %after
solve:
  call void @copy_{dtype}(ptr %b, ptr %c, i64 %rows, i64 %columns, i64 %down, i64 %along)
  store {scalar} 1.0, ptr %scale
  call void @lapack_{letter}{name}({", ".join(f"ptr {a}" for a in arguments.split(", "))})
  br label %after
"""


def _helpers(dtype: str, scalar: str, size: int) -> str:
    """`copy`: rows of elements so many bytes apart, to dense memory; `fill`."""
    return f"""@upper = private constant [1 x i8] c"U"
declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)
declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)
define internal void @copy_{dtype}(ptr %from, ptr %to, i64 %rows, i64 %columns, i64 %down, i64 %along) {{
entry:
  %bytes = mul i64 %columns, {size}
  %dense = icmp eq i64 %along, {size}
  br label %row
row:
  %i = phi i64 [ 0, %entry ], [ %i.next, %end ]
  %i.left = icmp slt i64 %i, %rows
  br i1 %i.left, label %start, label %done
start:
  %i.down = mul i64 %i, %down
  %source = getelementptr i8, ptr %from, i64 %i.down
  %i.bytes = mul i64 %i, %bytes
  %target = getelementptr i8, ptr %to, i64 %i.bytes
  br i1 %dense, label %whole, label %each
whole:
  call void @llvm.memcpy.p0.p0.i64(ptr %target, ptr %source, i64 %bytes, i1 false)
  br label %end
each:
  %j = phi i64 [ 0, %start ], [ %j.next, %one ]
  %j.left = icmp slt i64 %j, %columns
  br i1 %j.left, label %one, label %end
one:
  %j.along = mul i64 %j, %along
  %place = getelementptr i8, ptr %source, i64 %j.along
  %element = load {scalar}, ptr %place
  %slot = getelementptr {scalar}, ptr %target, i64 %j
  store {scalar} %element, ptr %slot
  %j.next = add i64 %j, 1
  br label %each
end:
  %i.next = add i64 %i, 1
  br label %row
done:
  ret void
}}
define internal void @fill_{dtype}(ptr %to, i64 %count, {scalar} %value) {{
entry:
  br label %next
next:
  %i = phi i64 [ 0, %entry ], [ %i.next, %one ]
  %i.left = icmp slt i64 %i, %count
  br i1 %i.left, label %one, label %done
one:
  %slot = getelementptr {scalar}, ptr %to, i64 %i
  store {scalar} %value, ptr %slot
  %i.next = add i64 %i, 1
  br label %next
done:
  ret void
}}
"""
