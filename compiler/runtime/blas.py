"""Matrices times vectors, and times their own transposes, by the BLAS that NumPy came with.

It is called through its C address, with no Python in between.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from .shim_text import batch

ROW_MAJOR, UPPER = 101, 121
"""CBLAS_ORDER and CBLAS_UPLO."""
_NAMES = (("scipy_cblas_", "64_"), ("cblas_", "64_"), ("scipy_cblas_", ""), ("cblas_", ""))
TYPES = {"f4": ("s", "float"), "f8": ("d", "double")}
KINDS = ("gemv", "syrk")


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


_WORDS = ("trans.a", "m", "n", "k", "lda", "ldb", "ldc")


def _shim(kind: str, dtype: str, function: str, scalar: str, integer: str) -> str:
    """The table holds `_WORDS` too, the arguments of CBLAS."""
    narrow = "".join(
        f"  %{w}.int = trunc i64 %{w} to i32\n" for w in _WORDS if integer == "i32" or w.startswith("trans")
    )

    def number(word: str) -> str:
        return f"{integer} %{word}" + (".int" if integer == "i32" else "")

    one, zero = f"{scalar} 1.0", f"{scalar} 0.0"
    head = f"i32 {ROW_MAJOR}, i32 %trans.a.int"
    if kind == "syrk":
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
