"""Arrays made from sizes: `Alloc`, `ARange`, `Eye`; diagonals."""

# PyTensor is there with `loopweld[pytensor]` only.
# pyright: reportMissingImports=false

from __future__ import annotations

import numpy as np
from pytensor.tensor.basic import Alloc, AllocDiag, AllocEmpty, ARange, ExtractDiag, Eye
from xdsl.ir import SSAValue

from loopweld.compiler.frontend.session import element_type
from loopweld.dialects.expr import Expr
from loopweld.dialects.weld import Gather, Iota, Transpose
from loopweld.dialects.weld.types import shape_of
from loopweld.pytensor.lowering import Lowering
from loopweld.pytensor.registry import Node, core_of, dtype_of, lowers

INT64 = np.dtype(np.int64)


@lowers(Alloc, sizes=lambda node: node.inputs[1:])
def alloc(low: Lowering, node: Node) -> SSAValue:
    """The value repeated to the shape; only dims that its type says to be 1 repeat."""
    variable, shape = node.inputs[0], [low.size(v) for v in node.inputs[1:]]
    if any(not low.symbols.nonnegative(size) for size in shape):
        raise ValueError("negative dimensions are not allowed")
    return low.fill(variable, tuple(shape))


@lowers(AllocEmpty, sizes=lambda node: node.inputs)
def alloc_empty(low: Lowering, node: Node) -> SSAValue:
    """Any elements will do: zeros."""
    shape = tuple(low.size(v) for v in node.inputs)
    if any(not low.symbols.nonnegative(size) for size in shape):
        raise ValueError("negative dimensions are not allowed")
    return low.session.splat(0, dtype_of(node.outputs[0]), tuple(map(low.symbols.canonical, shape)))


@lowers(ARange, when=lambda node: all(dtype_of(v).kind in "iu" for v in node.inputs), sizes=lambda node: node.inputs)
def arange(low: Lowering, node: Node) -> SSAValue:
    start, stop, step = (low.size(v) for v in node.inputs)
    stride = low.symbols.pin(step)
    if stride == 0:
        raise ValueError("arange: step must not be 0")
    span = stop - start if stride > 0 else start - stop
    count = (span + (abs(stride) - 1)) // abs(stride) if low.symbols.nonnegative(span) else Expr.constant(0)
    dtype = dtype_of(node.outputs[0])
    index = low.session.emit(Iota.of(element_type(INT64), (low.symbols.canonical(count),), 0))
    shape = shape_of(index)
    if stride != 1:
        index = low.session.apply("mul", index, low.session.splat(stride, INT64, shape))
    offset = low.broadcast(low.session.size(start), shape)
    return low.cast(low.session.apply("add", index, offset), dtype)


@lowers(Eye, sizes=lambda node: node.inputs)
def eye(low: Lowering, node: Node) -> SSAValue:
    """1 where the column is the row plus k."""
    rows, columns, offset = (low.size(v) for v in node.inputs)
    shape = (rows, columns)
    row, column = (low.session.emit(Iota.of(element_type(INT64), shape, axis)) for axis in (0, 1))
    moved = low.session.apply("add", row, low.broadcast(low.session.size(offset), shape))
    return low.cast(low.session.apply("eq", column, moved), dtype_of(node.outputs[0]))


@lowers(ExtractDiag)
def extract_diag(low: Lowering, node: Node) -> SSAValue:
    """Elements (i, i + offset) of two axes, last in the result."""
    op, value = node.op, low.value(node.inputs[0])
    rank = len(shape_of(value))
    first, second = op.axis1 % rank, op.axis2 % rank
    others = [k for k in range(rank) if k not in (first, second)]
    value = low.session.emit(Transpose.of(value, [*others, first, second]))
    rows, columns = shape_of(value)[-2:]
    down, right = Expr.constant(max(-op.offset, 0)), Expr.constant(max(op.offset, 0))
    height, width = rows - down, columns - right
    count = height if low.symbols.nonnegative(width - height) else width
    if not low.symbols.nonnegative(count):
        count = Expr.constant(0)
    index = low.session.emit(Iota.of(element_type(INT64), (low.symbols.canonical(count),), 0))
    indices = [_moved(low, index, offset) for offset in (down, right)]
    return low.session.emit(Gather.of(value, indices, [rank - 2, rank - 1], rank - 2))


@lowers(AllocDiag, when=lambda node: core_of(node).offset == 0, batched=True)
def alloc_diag(low: Lowering, node: Node) -> SSAValue:
    """Of a batch; single ones are opened before."""
    value = low.value(node.inputs[0])
    shape = (*shape_of(value), *shape_of(value)[-1:])
    axes = [*range(len(shape) - 2), len(shape) - 1]
    row, column = (low.session.emit(Iota.of(element_type(INT64), shape, len(shape) - k)) for k in (2, 1))
    zero = low.session.splat(0, low.session.dtype(value), shape)
    return low.session.apply(
        "select", low.session.apply("eq", row, column), low.session.broadcast(value, shape, axes), zero
    )


def _moved(low: Lowering, index: SSAValue, offset: Expr) -> SSAValue:
    if offset.value == 0:
        return index
    return low.session.apply("add", index, low.session.splat(offset.value, INT64, shape_of(index)))
