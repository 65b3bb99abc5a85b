"""Factors and triangular systems of a few rows, written out: covariances of a few variables need no call of LAPACK."""

# PyTensor is there with `loopweld[pytensor]` only.
# pyright: reportMissingImports=false

from __future__ import annotations

import numpy as np
from pytensor.tensor.linalg.decomposition.cholesky import Cholesky
from pytensor.tensor.linalg.solvers.triangular import SolveTriangular
from xdsl.ir import SSAValue

from loopweld.compiler.frontend.indexing import take_ranges
from loopweld.compiler.frontend.slices import Range, full_range
from loopweld.dialects.expr import Expr
from loopweld.dialects.weld import Concat
from loopweld.dialects.weld.types import shape_of
from loopweld.pytensor.lowering import ONE, Lowering
from loopweld.pytensor.registry import Node, dtype_of, lowers, static_shape

MOST_ROWS = 6


def _is_small(node: Node) -> bool:
    rows, columns = static_shape(node.inputs[0])
    return rows == columns and rows is not None and 0 < rows <= MOST_ROWS and dtype_of(node.outputs[0]).kind == "f"


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


@lowers(SolveTriangular, when=_is_small)
def solve_triangular(low: Lowering, node: Node) -> SSAValue:
    """Forward or backward substitution."""
    apply, dtype = low.session.apply, dtype_of(node.outputs[0])
    a, b = (low.cast(low.value(v), dtype) for v in node.inputs)
    low.same_size(shape_of(b)[0], shape_of(a)[0], "SolveTriangular: the numbers of rows differ")
    b = low.cast(low.value(node.inputs[1]), dtype)
    count = shape_of(a)[0].value or 0
    matrix = [[_row(low, _row(low, a, i), j) for j in range(count)] for i in range(count)]
    found: dict[int, SSAValue] = {}
    for i in range(count) if node.op.lower else reversed(range(count)):
        total = _row(low, b, i)
        for j, solved in found.items():
            total = apply("sub", total, apply("mul", low.broadcast(matrix[i][j], shape_of(total)), solved))
        found[i] = total if node.op.unit_diagonal else apply("div", total, low.broadcast(matrix[i][i], shape_of(total)))
    zero = low.session.splat(0, dtype)
    failed = [] if node.op.unit_diagonal else [apply("eq", matrix[i][i], zero) for i in range(count)]
    return _unless(low, failed, _stack(low, [found[i] for i in range(count)]))


@lowers(Cholesky, when=_is_small)
def cholesky(low: Lowering, node: Node) -> SSAValue:
    """Column by column, from one triangle of the matrix; NaN where it is not positive definite."""
    apply, dtype = low.session.apply, dtype_of(node.outputs[0])
    a = low.cast(low.value(node.inputs[0]), dtype)
    count = shape_of(a)[0].value or 0
    zero = low.session.splat(0, dtype)
    factor = [[zero] * count for _ in range(count)]
    failed: list[SSAValue] = []
    for j in range(count):
        for i in range(j, count):
            row, column = (i, j) if node.op.lower else (j, i)
            total = _row(low, _row(low, a, row), column)
            for k in range(j):
                total = apply("sub", total, apply("mul", factor[i][k], factor[j][k]))
            if i == j:
                failed.append(apply("le", total, zero))  # OpenBLAS lets NaN through
            factor[i][j] = apply("sqrt", total) if i == j else apply("div", total, factor[j][j])
    places = range(count)
    rows = [[factor[i][j] if node.op.lower else factor[j][i] for j in places] for i in places]
    return _unless(low, failed, _stack(low, [_stack(low, row) for row in rows]))
