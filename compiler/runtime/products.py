"""Which native function multiplies two matrices.

It is called as `void f(ptr places, ptr table)`: the addresses of both operands and of the result; the table says how
they lie in memory. What none of the functions takes (other dtypes, no unit stride, empty sizes) stays with NumPy.
"""

from __future__ import annotations

from collections.abc import Sequence

from . import tiles
from .layout import PLAIN, DType, Layout, NativeForm, Options, batch_of, matrix_of
from .rows import MOST_ROWS
from .vector_text import TYPES


def product(dtype: DType, layouts: Sequence[Layout], options: Options) -> NativeForm | None:
    """`c = a @ b` for (..., m, k) and (..., k, n); None where there is no function for that. Of the `same` matrix and
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
        table = (count, *bytes_, left[0], rows, 0, columns, left[1], b.strides[-2], c.strides[-2])
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
    strides = (*_strides(left), *_strides(right), result[1])
    table = tiles.table_of(kind, count, bytes_, (m, n, k), [s * dtype.itemsize for s in strides])
    return NativeForm(f"loopweld_{tiles.KIND}_{kind}", table, order, work)


def _strides(matrix: tuple[int, int]) -> tuple[int, int]:
    """Between rows and between columns, in elements, of what `matrix_of` tells."""
    kind, step = matrix
    return (step, 1) if kind == PLAIN else (1, step)


def _with_itself(dtype: DType, a: Layout, c: Layout, count: int, steps: Sequence[int]) -> NativeForm | None:
    """`c = a @ a.T`."""
    (n, k), left, result = a.shape[-2:], matrix_of(a), matrix_of(c)
    if left is None or result is None or result[0] != PLAIN:
        return None
    bytes_ = [step * dtype.itemsize for step in steps]
    table = (count, *bytes_, left[0], n, n, k, left[1], 0, result[1])
    return NativeForm(f"loopweld_syrk_{dtype.str[1:]}", table, (0, 1, 2), count * n * n * k // 2)
