"""Factors and triangular systems of a few rows, written out: covariances of a few variables need no call of LAPACK."""

# PyTensor is there with `loopweld[pytensor]` only.
# pyright: reportMissingImports=false

from __future__ import annotations

import numpy as np
from xdsl.ir import SSAValue

from loopweld.compiler.frontend.indexing import take_ranges
from loopweld.compiler.frontend.slices import Range, full_range
from loopweld.dialects.expr import Expr
from loopweld.dialects.weld import Concat
from loopweld.dialects.weld.types import shape_of
from loopweld.pytensor.lowering import ONE, Lowering

MOST_ROWS = 6


def is_small(a: SSAValue) -> bool:
    """Whether it is one matrix of a few rows."""
    rows = shape_of(a)[-1].value
    return len(shape_of(a)) == 2 and rows is not None and 0 < rows <= MOST_ROWS


def _row(low: Lowering, value: SSAValue, number: int) -> SSAValue:
    """`value[number]`."""
    shape = shape_of(value)
    ranges = [Range(Expr.constant(number), ONE, ONE, shape[0]), *map(full_range, shape[1:])]
    return low.session.reshape(take_ranges(low.session, value, ranges), shape[1:])


def _stack(low: Lowering, rows: list[SSAValue]) -> SSAValue:
    parts = [low.session.reshape(row, (ONE, *shape_of(row))) for row in rows]
    return parts[0] if len(parts) == 1 else low.session.emit(Concat.of(parts, 0))


def _unless(low: Lowering, failed: list[SSAValue], value: SSAValue) -> SSAValue:
    """The value, or NaN in every element where one of the 0-d conditions holds, as LAPACK's callers have it."""
    if not failed:
        return value
    total = failed[0]
    for condition in failed[1:]:
        total = low.session.apply("or", total, condition)
    nan = low.session.splat(np.nan, low.session.dtype(value), shape_of(value))
    return low.session.apply("select", low.broadcast(total, shape_of(value)), nan, value)


def solve_triangular(low: Lowering, a: SSAValue, b: SSAValue, lower: bool, unit_diagonal: bool) -> SSAValue:
    """Forward or backward substitution; `b` is a matrix or a vector."""
    apply, count = low.session.apply, shape_of(a)[0].value or 0
    matrix = [[_row(low, _row(low, a, i), j) for j in range(count)] for i in range(count)]
    found: dict[int, SSAValue] = {}
    for i in range(count) if lower else reversed(range(count)):
        total = _row(low, b, i)
        for j, solved in found.items():
            total = apply("sub", total, apply("mul", low.broadcast(matrix[i][j], shape_of(total)), solved))
        found[i] = total if unit_diagonal else apply("div", total, low.broadcast(matrix[i][i], shape_of(total)))
    zero = low.session.splat(0, low.session.dtype(a))
    failed = [] if unit_diagonal else [apply("eq", matrix[i][i], zero) for i in range(count)]
    return _unless(low, failed, _stack(low, [found[i] for i in range(count)]))


def cholesky(low: Lowering, a: SSAValue, lower: bool) -> SSAValue:
    """Column by column, from one triangle of the matrix; NaN where it is not positive definite."""
    apply, count = low.session.apply, shape_of(a)[0].value or 0
    zero = low.session.splat(0, low.session.dtype(a))
    factor = [[zero] * count for _ in range(count)]
    failed: list[SSAValue] = []
    for j in range(count):
        for i in range(j, count):
            row, column = (i, j) if lower else (j, i)
            total = _row(low, _row(low, a, row), column)
            for k in range(j):
                total = apply("sub", total, apply("mul", factor[i][k], factor[j][k]))
            if i == j:
                failed.append(apply("le", total, zero))  # OpenBLAS lets NaN through
            factor[i][j] = apply("sqrt", total) if i == j else apply("div", total, factor[j][j])
    places = range(count)
    rows = [[factor[i][j] if lower else factor[j][i] for j in places] for i in places]
    return _unless(low, failed, _stack(low, [_stack(low, row) for row in rows]))
