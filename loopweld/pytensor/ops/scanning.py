"""Running sums and products."""

# PyTensor is there with `loopweld[pytensor]` only.
# pyright: reportMissingImports=false

from __future__ import annotations

from math import prod

import numpy as np
from pytensor.tensor.extra_ops import CumOp
from xdsl.ir import SSAValue

from loopweld.compiler.frontend.session import element_type
from loopweld.dialects.expr import product_of
from loopweld.dialects.weld import REDUCTIONS, Cumprod, Cumsum, Iota
from loopweld.dialects.weld.types import shape_of
from loopweld.pytensor.lowering import Lowering
from loopweld.pytensor.registry import Node, dtype_of, lowers, static_shape

SHORT = 32
"""Up to this many elements a running sum is computed as one sum for each: that needs no call, and fuses."""


def _is_long(node: Node) -> bool:
    shape = static_shape(node.inputs[0])
    sizes = shape if node.op.axis is None else [shape[node.op.axis]]
    return any(size is None for size in sizes) or prod(size or 0 for size in sizes) > SHORT


@lowers(CumOp, when=lambda node: dtype_of(node.outputs[0]).kind in "fiu", calls=_is_long)
def cumulative(low: Lowering, node: Node) -> SSAValue:
    value = low.cast(low.value(node.inputs[0]), dtype_of(node.outputs[0]))
    axis = node.op.axis
    if axis is None:
        value, axis = low.session.reshape(value, (product_of(shape_of(value)),)), 0
    axis %= len(shape_of(value))
    length = shape_of(value)[axis].value
    add = node.op.mode == "add"
    if length is not None and length <= SHORT:
        return _triangle(low, value, axis, "sum" if add else "prod")
    return low.session.emit((Cumsum if add else Cumprod).of(value, axis))


def _triangle(low: Lowering, value: SSAValue, axis: int, kind: str) -> SSAValue:
    """Element i combines all elements j <= i: a reduction of a new dim, after `axis`, that walks j."""
    shape = shape_of(value)
    wide = (*shape[: axis + 1], *shape[axis:])
    kept = [k for k in range(len(wide)) if k != axis]
    repeated = low.session.broadcast(value, wide, kept)
    i, j = (low.session.emit(Iota.of(element_type(np.dtype(np.int64)), wide, k)) for k in (axis, axis + 1))
    neutral = low.session.splat(0 if kind == "sum" else 1, low.session.dtype(value), wide)
    chosen = low.session.apply("select", low.session.apply("le", j, i), repeated, neutral)
    return low.session.emit(REDUCTIONS[kind].of(chosen, [axis + 1]))
