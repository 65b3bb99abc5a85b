"""Arrays put together and taken apart."""

# PyTensor is there with `loopweld[pytensor]` only.
# pyright: reportMissingImports=false

from __future__ import annotations

from pytensor.tensor.basic import Join, MakeVector, Split
from xdsl.ir import SSAValue

from loopweld.compiler.frontend.indexing import take_ranges
from loopweld.compiler.frontend.slices import Range, full_range
from loopweld.dialects.expr import Expr, sum_of
from loopweld.dialects.weld import Concat
from loopweld.dialects.weld.types import shape_of
from loopweld.pytensor.lowering import ONE, Lowering
from loopweld.pytensor.registry import Node, dtype_of, lowers


def concatenate(low: Lowering, values: list[SSAValue], axis: int) -> SSAValue:
    return values[0] if len(values) == 1 else low.session.emit(Concat.of(values, axis))


@lowers(Join)
def join(low: Lowering, node: Node) -> SSAValue:
    rank = len(shape_of(low.value(node.inputs[0])))
    axis = node.op.axis % rank
    for variable in node.inputs[1:]:
        for k in range(rank):
            a, b = low.shape(node.inputs[0])[k], low.shape(variable)[k]
            if k != axis:
                low.same_size(a, b, f"Join along axis {axis}: the sizes along axis {k} differ")
    return concatenate(low, [low.cast(low.value(v), dtype_of(node.outputs[0])) for v in node.inputs], axis)


@lowers(MakeVector)
def make_vector(low: Lowering, node: Node) -> SSAValue:
    dtype = dtype_of(node.outputs[0])
    if not node.inputs:
        return low.session.splat(0, dtype, (Expr.constant(0),))
    rows = [low.session.reshape(low.cast(low.value(v), dtype), (ONE,)) for v in node.inputs]
    return concatenate(low, rows, 0)


@lowers(Split, sizes=lambda node: node.inputs[1:])
def split(low: Lowering, node: Node) -> list[SSAValue]:
    """Parts one after the other; their sizes must add up to that of the axis."""
    axis, sizes = node.op.axis, low.sizes(node.inputs[1])
    example = low.symbols.example
    if len(sizes) != node.op.len_splits:
        raise ValueError("Length of splits is not equal to n_splits")
    if any(not low.symbols.nonnegative(size) for size in sizes):
        raise ValueError("Split sizes cannot be negative")
    total = low.shape(node.inputs[0])[axis]
    if low.symbols.unify(sum_of(sizes), total) is None:
        raise ValueError(f"Split sizes sum to {example(sum_of(sizes))}; expected {example(total)}")
    shape = low.shape(node.inputs[0])
    found: list[SSAValue] = []
    start = Expr.constant(0)
    for size in map(low.symbols.canonical, sizes):
        cut = Range(start, size, ONE, shape[axis])
        ranges = [cut if k == axis else full_range(n) for k, n in enumerate(shape)]
        found.append(take_ranges(low.session, low.value(node.inputs[0]), ranges))
        start = start + size
    return found
