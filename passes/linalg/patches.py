"""A tensor with a slice replaced: `tensor.insert_slice` as one generic."""

from __future__ import annotations

from xdsl.ir import Block, SSAValue

from ...dialects.expr import Expr
from ...dialects.weld import Generic, Yield
from ...dialects.weld.attributes import Result, Where
from ...dialects.weld.generic import dim_exprs
from ...dialects.weld.types import Shape, scalar_of
from .bodies import BodyBuilder
from .translation import Translation


def patch(t: Translation, source: SSAValue, dest: SSAValue, start: Shape, size: Shape, step: Shape) -> SSAValue:
    """`dest` with `source` at the elements start + k * step, k < size, of each dim."""
    shape = t.shape(dest)
    dims = dim_exprs(len(shape))
    indices: list[Expr] = []
    guards: list[Expr] = []
    for dim, full, low, count, stride in zip(dims, shape, start, size, step, strict=True):
        if stride.value is None or stride.value < 1:
            t.fail("needs constant positive strides")
        local = (dim - low) // stride
        indices.append(local)
        if low.value != 0:
            guards.append(dim - low)
        if (low + count * stride - full).value not in range(stride.value):
            guards.append(count - 1 - local)
        if stride.value != 1:
            guards.append(-((dim - low) % stride))
    if not guards:
        return source
    block = Block()
    points = BodyBuilder(block, len(dims), t.b.location)
    new = points.load(source, Where(tuple(indices), tuple(guards)))
    value = points.b.select(points.test(tuple(guards)), new, points.load(dest, Where(dims)))
    block.add_op(Yield.create(operands=[points.b.cast(value, scalar_of(dest))]))
    return t.b.insert(Generic.of(shape, [Result("write", dims)], [dest.type], block)).results[0]
