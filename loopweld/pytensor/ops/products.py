"""Products of matrices and vectors."""

# PyTensor is there with `loopweld[pytensor]` only.
# pyright: reportMissingImports=false

from __future__ import annotations

from math import prod

from pytensor.tensor.blas.batched import BatchedDot
from pytensor.tensor.blas.gemm import Dot22, Dot22Scalar, Gemm
from pytensor.tensor.blas.gemv import Gemv
from pytensor.tensor.blockwise import Blockwise
from pytensor.tensor.math import Dot
from xdsl.ir import SSAValue

from loopweld.dialects.weld import Matmul
from loopweld.dialects.weld.reductions import Sum
from loopweld.dialects.weld.types import Shape, shape_of
from loopweld.pytensor.lowering import ONE, Lowering
from loopweld.pytensor.registry import Node, dtype_of, lowers

NARROW = 8
FEW = 1 << 15
"""Matrix products with a dim of at most `NARROW`, or of at most `FEW` multiplications, are loops of our own; so are all
in the steps of a scan."""


def product(low: Lowering, a: SSAValue, b: SSAValue) -> SSAValue:
    """The matrix product of the last two dims; vectors have one dim. Products with a vector, or a matrix of one row or
    column, become sums of products: they read their matrix once, so they may as well do it in the loops around them."""
    inner = -2 if len(shape_of(b)) > 1 else -1
    low.same_size(shape_of(a)[-1], shape_of(b)[inner], "shapes are not aligned")
    if len(shape_of(a)) == 1:
        return _row_times(low, a, b)
    if len(shape_of(b)) == 1:
        return _times_column(low, a, b)
    rows, columns = shape_of(a)[0], shape_of(b)[1]
    if columns == ONE:
        return low.session.reshape(_times_column(low, a, low.session.reshape(b, shape_of(b)[:1])), (rows, ONE))
    if rows == ONE:
        return low.session.reshape(_row_times(low, low.session.reshape(a, shape_of(a)[1:]), b), (ONE, columns))
    return _sum_of_products(low, a, b) if low.in_step or _is_small(a, b) else low.session.emit(Matmul.of(a, b))


def _is_small(a: SSAValue, b: SSAValue) -> bool:
    """Whether a call of the library costs more than the product itself, or a dim is too short for its blocks."""
    sizes = [n.value for n in (*shape_of(a), shape_of(b)[1])]
    if any(n is not None and n <= NARROW for n in sizes):
        return True
    return all(n is not None for n in sizes) and prod(n for n in sizes if n is not None) <= FEW


def _sum_of_products(low: Lowering, a: SSAValue, b: SSAValue) -> SSAValue:
    shape, batch = (*shape_of(a), shape_of(b)[-1]), list(range(len(shape_of(a)) - 2))
    rows, inner, columns = range(len(batch), len(batch) + 3)
    left, right = [*batch, rows, inner], [*batch, inner, columns]
    spread = [low.session.broadcast(v, shape, axes) for v, axes in ((a, left), (b, right))]
    return low.session.emit(Sum.of(low.session.apply("mul", *spread), [inner]))


def _times_column(low: Lowering, matrix: SSAValue, vector: SSAValue) -> SSAValue:
    spread = low.broadcast(vector, shape_of(matrix))
    return low.session.emit(Sum.of(low.session.apply("mul", matrix, spread), [1]))


def _row_times(low: Lowering, vector: SSAValue, right: SSAValue) -> SSAValue:
    spread = low.session.broadcast(vector, shape_of(right), [0])
    return low.session.emit(Sum.of(low.session.apply("mul", spread, right), [0]))


def _operands(low: Lowering, node: Node, *numbers: int) -> list[SSAValue]:
    return [low.cast(low.value(node.inputs[k]), dtype_of(node.outputs[0])) for k in numbers]


def _is_numeric(node: Node) -> bool:
    return dtype_of(node.outputs[0]).kind in "fiu"


@lowers(Dot22, when=_is_numeric)
def dot22(low: Lowering, node: Node) -> SSAValue:
    return product(low, *_operands(low, node, 0, 1))


@lowers(Dot22Scalar, when=_is_numeric)
def dot_scalar(low: Lowering, node: Node) -> SSAValue:
    a, b, scale = _operands(low, node, 0, 1, 2)
    return _scaled(low, scale, product(low, a, b))


def _scaled(low: Lowering, scale: SSAValue, value: SSAValue) -> SSAValue:
    return low.session.apply("mul", low.broadcast(scale, shape_of(value)), value)


@lowers(Gemv, when=_is_numeric)
def gemv(low: Lowering, node: Node) -> SSAValue:
    """`beta * y + alpha * A @ x` of (y, alpha, A, x, beta)."""
    y, alpha, a, x, beta = _operands(low, node, 0, 1, 2, 3, 4)
    return low.session.apply("add", _scaled(low, beta, y), _scaled(low, alpha, product(low, a, x)))


@lowers(Gemm, when=_is_numeric)
def gemm(low: Lowering, node: Node) -> SSAValue:
    """`b * z + a * x @ y` of (z, a, x, y, b)."""
    z, a, x, y, b = _operands(low, node, 0, 1, 2, 3, 4)
    return low.session.apply("add", _scaled(low, b, z), _scaled(low, a, product(low, x, y)))


@lowers(Dot, when=_is_numeric, batched=True)
def dot(low: Lowering, node: Node) -> SSAValue:
    """The product of matrices and vectors; of a batch, the leading dims broadcast where the types say that they are
    1."""
    a, b = _operands(low, node, 0, 1)
    if not isinstance(node.op, Blockwise):
        return product(low, a, b)
    left, right = node.op.inputs_sig
    batch = low.common_batch(node.inputs, [len(left), len(right)])
    a = low.broadcast(a, (*batch, *shape_of(a)[len(shape_of(a)) - len(left) :]))
    b = low.broadcast(b, (*batch, *shape_of(b)[len(shape_of(b)) - len(right) :]))
    return _batched(low, a, b, batch, len(left), len(right))


def _batched(low: Lowering, a: SSAValue, b: SSAValue, batch: Shape, left: int, right: int) -> SSAValue:
    """The product of the last dims; vectors are rows or columns for its time."""
    if not batch:
        return product(low, a, b)
    rows = a if left == 2 else low.session.reshape(a, (*shape_of(a)[:-1], ONE, shape_of(a)[-1]))
    columns = b if right == 2 else low.session.reshape(b, (*shape_of(b), ONE))
    low.same_size(shape_of(rows)[-1], shape_of(columns)[-2], "shapes are not aligned")
    found = _sum_of_products(low, rows, columns) if low.in_step else low.session.emit(Matmul.of(rows, columns))
    shape = shape_of(found)
    kept = [*batch, *([shape[-2]] if left == 2 else []), *([shape[-1]] if right == 2 else [])]
    return low.session.reshape(found, tuple(kept))


@lowers(BatchedDot, when=_is_numeric)
def batched_dot(low: Lowering, node: Node) -> SSAValue:
    a, b = _operands(low, node, 0, 1)
    low.same_size(shape_of(a)[0], shape_of(b)[0], "the batches differ")
    a, b = _operands(low, node, 0, 1)
    return _batched(low, a, b, shape_of(a)[:1], len(shape_of(a)) - 1, len(shape_of(b)) - 1)
