"""Products of matrices by the BLAS that NumPy came with, called through its C address: no Python in between.

A product is a call `void f(ptr places, ptr table)`: the addresses of both operands and of the result; the table says
how they lie in memory. What BLAS does not take (other dtypes, no unit stride, empty sizes) stays with NumPy.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from .layout import PLAIN, DType, Layout, NativeForm, Options, batch_of, matrix_of
from .rows import MOST_ROWS
from .shim_text import batch

ROW_MAJOR, UPPER = 101, 121
"""CBLAS_ORDER and CBLAS_UPLO."""
_NAMES = (("scipy_cblas_", "64_"), ("cblas_", "64_"), ("scipy_cblas_", ""), ("cblas_", ""))
TYPES = {"f4": ("s", "float"), "f8": ("d", "double")}
KINDS = ("gemm", "gemv", "syrk")


@dataclass(frozen=True)
class Blas:
    """The functions of a BLAS by kind and dtype; `wide` where its integers have 64 bits."""

    functions: dict[tuple[str, str], int]
    wide: bool


@lru_cache
def find() -> Blas | None:
    """The BLAS that NumPy is linked with; None where it has none, or hides it."""
    core: Any = getattr(np, "_core", None) or np.core
    try:
        library = ctypes.CDLL(core._multiarray_umath.__file__)
    except (AttributeError, OSError, TypeError):
        return None
    for prefix, suffix in _NAMES:
        found: dict[tuple[str, str], int] = {}
        for dtype, (letter, _) in TYPES.items():
            for kind in KINDS:
                function = getattr(library, f"{prefix}{letter}{kind}{suffix}", None)
                if function is not None:
                    found[kind, dtype] = ctypes.cast(function, ctypes.c_void_p).value or 0
        if len(found) == len(TYPES) * len(KINDS):
            return Blas(found, suffix == "64_")
    return None


def text(blas: Blas, dtype: str) -> str:
    """The shims for a dtype as LLVM text."""
    letter, scalar = TYPES[dtype]
    integer = "i64" if blas.wide else "i32"
    return "\n".join(_shim(kind, dtype, f"@blas_{letter}{kind}", scalar, integer) for kind in KINDS)


def imports(blas: Blas, dtype: str) -> dict[str, int]:
    """The addresses that the text leaves open."""
    return {f"blas_{TYPES[dtype][0]}{kind}": blas.functions[kind, dtype] for kind in KINDS}


_WORDS = ("trans.a", "trans.b", "m", "n", "k", "lda", "ldb", "ldc")


def _shim(kind: str, dtype: str, function: str, scalar: str, integer: str) -> str:
    """The table holds `_WORDS` too, the arguments of CBLAS."""
    narrow = "".join(
        f"  %{w}.int = trunc i64 %{w} to i32\n" for w in _WORDS if integer == "i32" or w.startswith("trans")
    )

    def number(word: str) -> str:
        return f"{integer} %{word}" + (".int" if integer == "i32" else "")

    one, zero = f"{scalar} 1.0", f"{scalar} 0.0"
    head = f"i32 {ROW_MAJOR}, i32 %trans.a.int"
    if kind == "gemm":
        types = f"i32, i32, i32, {integer}, {integer}, {integer}, {scalar}, ptr, {integer}, ptr, {integer}"
        types += f", {scalar}, ptr, {integer}"
        args = f"{head}, i32 %trans.b.int, {number('m')}, {number('n')}, {number('k')}, {one}, ptr %a, {number('lda')}"
        args += f", ptr %b, {number('ldb')}, {zero}, ptr %c, {number('ldc')}"
    elif kind == "syrk":
        types = f"i32, i32, i32, {integer}, {integer}, {scalar}, ptr, {integer}, {scalar}, ptr, {integer}"
        args = f"i32 {ROW_MAJOR}, i32 {UPPER}, i32 %trans.a.int, {number('n')}, {number('k')}, {one}, ptr %a"
        args += f", {number('lda')}, {zero}, ptr %c, {number('ldc')}"
    else:
        types = f"i32, i32, {integer}, {integer}, {scalar}, ptr, {integer}, ptr, {integer}, {scalar}, ptr, {integer}"
        args = f"{head}, {number('m')}, {number('k')}, {one}, ptr %a, {number('lda')}, ptr %b, {number('ldb')}"
        args += f", {zero}, ptr %c, {number('ldc')}"
    call = f"  call void {function}({args})\n" + (_mirror(scalar) if kind == "syrk" else "  br label %after\n")
    return f"\ndeclare void {function}({types})" + batch(f"loopweld_{kind}_{dtype}", "abc", _WORDS, call, narrow)


def _mirror(scalar: str) -> str:
    """What is above the diagonal, below it too."""
    return f"""  br label %row
row:
  %r = phi i64 [ 1, %start ], [ %r.next, %row.end ]
  %r.left = icmp slt i64 %r, %n
  br i1 %r.left, label %row.start, label %after
row.start:
  %below.row = mul i64 %r, %ldc
  br label %column
column:
  %s = phi i64 [ 0, %row.start ], [ %s.next, %copy ]
  %s.left = icmp slt i64 %s, %r
  br i1 %s.left, label %copy, label %row.end
copy:
  %above.row = mul i64 %s, %ldc
  %above = add i64 %above.row, %r
  %above.at = getelementptr {scalar}, ptr %c, i64 %above
  %element = load {scalar}, ptr %above.at
  %below = add i64 %below.row, %s
  %below.at = getelementptr {scalar}, ptr %c, i64 %below
  store {scalar} %element, ptr %below.at
  %s.next = add i64 %s, 1
  br label %column
row.end:
  %r.next = add i64 %r, 1
  br label %row
"""


def product(dtype: DType, layouts: Sequence[Layout], options: Options) -> NativeForm | None:
    """`c = a @ b` for (..., m, k) and (..., k, n); None where it is nothing for BLAS. Of the `same` matrix and
    its transpose it is symmetric to the bit, as NumPy's is."""
    a, b, c = layouts
    (m, k), n = a.shape[-2:], b.shape[-1]
    count, steps = batch_of([a, b, c])
    if dtype.str[1:] not in TYPES or count == 0 or not 0 < min(m, n, k) <= max(m, n, k) < 1 << 31:
        return None
    turned = m == 1 < n or (n > 1 and matrix_of(c) != (PLAIN, c.strides[-2]))
    if turned:  # the transposed product
        a, b, c, m, n = b.turned, a.turned, c.turned, n, m
        steps = [steps[1], steps[0], steps[2]]
    if "same" in options and a == b.turned:
        return _with_itself(dtype, a, c, count, steps)
    order = (1, 0, 2) if turned else (0, 1, 2)
    bytes_ = [step * dtype.itemsize for step in steps]
    left, right, result = matrix_of(a), matrix_of(b), matrix_of(c)
    if left is None or right is None or result is None:
        return None
    kind, work = dtype.str[1:], count * m * n * k
    if n == 1 and min(b.strides[-2], c.strides[-2]) > 0:
        rows, columns = (m, k) if left[0] == PLAIN else (k, m)
        table = (count, *bytes_, left[0], 0, rows, 0, columns, left[1], b.strides[-2], c.strides[-2])
        return NativeForm(f"loopweld_gemv_{kind}", table, order, work)
    if result[0] != PLAIN:
        return None
    for shim, dense, strides in (
        ("rows", (b.strides[-1], c.strides[-1]), (*a.strides[-2:], b.strides[-2], c.strides[-2])),
        ("dots", (a.strides[-1], b.strides[-2]), (a.strides[-2], b.strides[-1], *c.strides[-2:])),
    ):
        if 1 < m <= MOST_ROWS and dense == (1, 1):
            words = (m, n, k, *(s * dtype.itemsize for s in strides))
            return NativeForm(f"loopweld_{shim}_{kind}", (count, *bytes_, *words), order, work)
    table = (count, *bytes_, left[0], right[0], m, n, k, left[1], right[1], result[1])
    return NativeForm(f"loopweld_gemm_{kind}", table, order, work)


def _with_itself(dtype: DType, a: Layout, c: Layout, count: int, steps: Sequence[int]) -> NativeForm | None:
    """`c = a @ a.T`."""
    (n, k), left, result = a.shape[-2:], matrix_of(a), matrix_of(c)
    if left is None or result is None or result[0] != PLAIN:
        return None
    bytes_ = [step * dtype.itemsize for step in steps]
    table = (count, *bytes_, left[0], 0, n, n, k, left[1], 0, result[1])
    return NativeForm(f"loopweld_syrk_{dtype.str[1:]}", table, (0, 1, 2), count * n * n * k // 2)
