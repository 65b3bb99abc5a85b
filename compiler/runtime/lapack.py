"""Factors of matrices and triangular systems by the LAPACK that NumPy came with, called through its C address.

Each is a call `void f(ptr places, ptr table)`, as products are in `blas.py`. Results are row-major and dense, and
LAPACK takes matrices by columns: what it sees is the transposed matrix, so that a lower factor is an upper one to it,
and `a @ x = b` is `x.T @ a.T = b.T`. Nothing is transposed in memory for that, and triangles are read where they are.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from .lapack_text import FUNCTIONS, SHIMS, TYPES, shims
from .layout import PLAIN, DType, Layout, NativeForm, Options, batch_of, matrix_of

__all__ = ["SHIMS", "TYPES", "cholesky", "find", "imports", "lu", "solve_triangular", "text"]

_NAMES = (("scipy_", "_64_"), ("", "_64_"), ("scipy_", "_"), ("", "_"))

UNBLOCKED = 100
"""Rows up to which OpenBLAS factorises column by column in less time (0.6 of it at 50 rows) than in blocks."""


@dataclass(frozen=True)
class Lapack:
    """The functions of a LAPACK by name; `wide` where its integers have 64 bits."""

    functions: dict[str, int]
    wide: bool


@lru_cache
def find() -> Lapack | None:
    """The LAPACK that NumPy is linked with; None where it hides it."""
    try:
        library = ctypes.CDLL(np.linalg._umath_linalg.__file__)  # pyright: ignore
    except (AttributeError, OSError, TypeError):
        return None
    wanted = [letter + name for letter, _, _ in TYPES.values() for name in FUNCTIONS]
    for prefix, suffix in _NAMES:
        found: dict[str, int] = {}
        for name in wanted:
            function: Any = getattr(library, f"{prefix}{name}{suffix}", None)
            if function is not None:
                found[name] = ctypes.cast(function, ctypes.c_void_p).value or 0
        if len(found) == len(wanted):
            return Lapack(found, suffix == "_64_")
    return None


def text(lapack: Lapack, dtype: str) -> str:
    """The shims for a dtype as LLVM text."""
    return shims(dtype, lapack.wide)


def imports(lapack: Lapack, dtype: str) -> dict[str, int]:
    """The addresses that the text leaves open."""
    letter = TYPES[dtype][0]
    return {f"lapack_{letter}{name}": lapack.functions[letter + name] for name in FUNCTIONS}


def cholesky(dtype: DType, layouts: Sequence[Layout], options: Options) -> NativeForm | None:
    """`c = cholesky(a)`, both (..., n, n)."""
    a, c = layouts
    batch = _batch(dtype, [a, c])
    if batch is None:
        return None
    n = a.shape[-1]
    kind = "small_cholesky" if n <= UNBLOCKED else "cholesky"
    return _form(kind, dtype, (*batch, *_copy(a, dtype), n * n, n), 2, batch[0] * n**3 // 3)


def solve_triangular(dtype: DType, layouts: Sequence[Layout], options: Options) -> NativeForm | None:
    """`a @ x = b` for a triangle (..., n, n) and (..., n, k)."""
    a, b, x = layouts
    batch, matrix = _batch(dtype, [a, b, x]), matrix_of(a)
    if batch is None or matrix is None:
        return None
    (order, step), n, k = matrix, b.shape[-2], b.shape[-1]
    by_rows, unit, itemsize = order == PLAIN, "unit_diagonal" in options, dtype.itemsize
    triangle = "U" if ("lower" in options) == by_rows else "L"
    transposed = "N" if by_rows == (k > 1) else "T"
    words = (*_copy(b, dtype), n * k, (step + 1) * itemsize, 0 if unit else n)
    letters = [ord(c) for c in ("R", triangle, transposed, "U" if unit else "N")]
    kind = "solve_triangular" if k > 1 else "solve_vector"
    return _form(kind, dtype, (*batch, *words, *letters, n, k, step, 1), 3, batch[0] * n * n * k)


def lu(dtype: DType, layouts: Sequence[Layout], options: Options) -> NativeForm | None:
    """The transposed factors of (..., n, n) and the exchanged rows, (..., n)."""
    a, factors, pivots = layouts
    batch = _batch(dtype, [a, factors, Layout((*pivots.shape, 1), (*pivots.strides, 1))], [1, 1, 8 // dtype.itemsize])
    if batch is None:
        return None
    n = a.shape[-1]
    return _form("lu", dtype, (*batch, *_copy(a.turned, dtype), n), 3, batch[0] * n**3)


def _form(kind: str, dtype: DType, table: tuple[int, ...], places: int, work: int) -> NativeForm:
    return NativeForm(f"loopweld_{kind}_{dtype.str[1:]}", table, tuple(range(places)), work)


def _batch(dtype: DType, layouts: Sequence[Layout], widths: Sequence[int] | None = None) -> tuple[int, ...] | None:
    """How many there are, and the bytes from one to the next in each array; None for what LAPACK does not take."""
    if dtype.str[1:] not in TYPES or max(n for x in layouts for n in x.shape) >= 1 << 31:
        return None
    if any(0 in x.shape for x in layouts):
        return (0, *[0] * len(layouts))
    count, steps = batch_of(layouts)
    if count == 0:
        return None
    return count, *(s * w * dtype.itemsize for s, w in zip(steps, widths or [1] * len(steps), strict=True))


def _copy(x: Layout, dtype: DType) -> tuple[int, int, int, int]:
    """How to read a matrix row by row: rows, columns, and the bytes from one to the next of each; the matrix as one
    row, where it is one."""
    (rows, columns), (down, along) = x.shape[-2:], x.strides[-2:]
    if columns == 1 or rows == 1:
        return 1, rows * columns, 0, (down if columns == 1 else along) * dtype.itemsize
    if down == columns * along:
        return 1, rows * columns, 0, along * dtype.itemsize
    return rows, columns, down * dtype.itemsize, along * dtype.itemsize
