"""Cholesky factors and triangular systems: calls of LAPACK, or written out where they have a few rows.

What fails is NaN in every element, as PyTensor has it: a matrix that is not positive definite, a zero on the diagonal.
"""

# PyTensor is there with `loopweld[pytensor]` only.
# pyright: reportMissingImports=false

from __future__ import annotations

from collections.abc import Callable

from pytensor.tensor.blockwise import Blockwise
from pytensor.tensor.linalg.decomposition.cholesky import Cholesky
from pytensor.tensor.linalg.solvers.psd import CholeskySolve
from pytensor.tensor.linalg.solvers.triangular import SolveTriangular
from xdsl.ir import SSAValue

from loopweld.dialects import weld
from loopweld.dialects.expr import product_of
from loopweld.dialects.weld import Transpose
from loopweld.dialects.weld.types import shape_of
from loopweld.pytensor.lowering import Lowering
from loopweld.pytensor.ops import small_systems
from loopweld.pytensor.registry import Node, core_of, dtype_of, lowers, static_shape


def is_real(node: Node) -> bool:
    """Whether LAPACK has the dtype, and it is real."""
    return dtype_of(node.outputs[0]).name in ("float32", "float64")


def is_large(node: Node) -> bool:
    """Whether LAPACK may be called: not for one matrix that is known to have a few rows."""
    shape = static_shape(node.inputs[0])
    return len(shape) != 2 or shape[1] is None or shape[1] > small_systems.MOST_ROWS


def matrix(low: Lowering, node: Node, number: int = 0) -> SSAValue:
    """A square operand, in the dtype of the result."""
    rows, columns = low.shape(node.inputs[number])[-2:]
    low.same_size(rows, columns, f"{core_of(node)}: the matrix is not square")
    return low.cast(low.value(node.inputs[number]), dtype_of(node.outputs[0]))


def turned(low: Lowering, value: SSAValue) -> SSAValue:
    """The matrices transposed."""
    rank = len(shape_of(value))
    return low.session.emit(Transpose.of(value, [*range(rank - 2), rank - 1, rank - 2]))


@lowers(Cholesky, when=is_real, calls=is_large, batched=True)
def cholesky(low: Lowering, node: Node) -> SSAValue:
    a, lower = matrix(low, node), core_of(node).lower
    if small_systems.is_small(a):
        return small_systems.cholesky(low, a, lower)
    if lower:
        return low.session.emit(weld.Cholesky.of(a))
    return turned(low, low.session.emit(weld.Cholesky.of(turned(low, a))))


@lowers(SolveTriangular, when=is_real, calls=is_large, batched=True)
def solve_triangular(low: Lowering, node: Node) -> SSAValue:
    op = core_of(node)
    return in_columns(low, node, lambda a, b: triangular(low, a, b, op.lower, op.unit_diagonal), triangle=True)


@lowers(CholeskySolve, when=is_real, calls=is_large, batched=True)
def cholesky_solve(low: Lowering, node: Node) -> SSAValue:
    """`c @ c.T @ x = b`, or `c.T @ c @ x = b` for an upper factor."""
    lower = core_of(node).lower

    def solve(c: SSAValue, b: SSAValue) -> SSAValue:
        first, second = (c, turned(low, c)) if lower else (turned(low, c), c)
        return triangular(low, second, triangular(low, first, b, True), False)

    return in_columns(low, node, solve, triangle=True)


def triangular(low: Lowering, a: SSAValue, b: SSAValue, lower: bool, unit: bool = False) -> SSAValue:
    """`x` of `a @ x = b`, for (..., n, n) and (..., n, k)."""
    if small_systems.is_small(a):
        return small_systems.solve_triangular(low, a, b, lower, unit)
    return low.session.emit(weld.SolveTriangular.of(a, b, lower, unit))


def in_columns(
    low: Lowering, node: Node, solve: Callable[[SSAValue, SSAValue], SSAValue], triangle: bool = False
) -> SSAValue:
    """`solve(a, b)` for (..., n, n) and (..., n, k) of one batch; leading dims broadcast where the types say that they
    are 1. What one matrix is solved for in a batch of right sides are columns: one call for all of them. A small
    `triangle` is solved for a vector as it is."""
    dtype, vector = dtype_of(node.outputs[0]), core_of(node).b_ndim == 1
    what = f"{core_of(node)}: the numbers of rows differ"
    rows = low.same_size(low.shape(node.inputs[1])[-1 if vector else -2], shape_of(matrix(low, node))[-1], what)
    batch = low.common_batch(node.inputs, [2, 1 if vector else 2]) if isinstance(node.op, Blockwise) else ()
    a, b = matrix(low, node), low.cast(low.value(node.inputs[1]), dtype)
    if not batch and (not vector or (triangle and small_systems.is_small(a))):
        return solve(a, b)
    rank, own = len(batch), static_shape(node.inputs[0])[:-2]
    repeated = [k for k in range(rank) if k < rank - len(own) or own[k - rank + len(own)] == 1]
    kept = [k for k in range(rank) if k not in repeated]
    leading = tuple(batch[k] for k in kept)
    columns = tuple(batch[k] for k in repeated) + (() if vector else shape_of(b)[-1:])
    order = [*kept, rank, *repeated, *([] if vector else [rank + 1])]
    b = low.broadcast(b, (*batch, rows, *(() if vector else shape_of(b)[-1:])))
    b = low.session.reshape(_permuted(low, b, order), (*leading, rows, product_of(columns)))
    found = solve(low.session.reshape(a, (*leading, rows, rows)), b)
    back = [order.index(k) for k in range(len(order))]
    return _permuted(low, low.session.reshape(found, (*leading, rows, *columns)), back)


def _permuted(low: Lowering, value: SSAValue, order: list[int]) -> SSAValue:
    return value if order == sorted(order) else low.session.emit(Transpose.of(value, order))
