"""What fusion costs and saves, in vector instructions an element and bytes."""

from __future__ import annotations

from xdsl.ir import Operation, SSAValue

from ...dialects.expr import Expr, product_of
from ...dialects.weld.base import Elementwise
from ...dialects.weld.generic import Generic, Load
from ...dialects.weld.types import bit_width, scalar_of, shape_of
from .merge import slice_of

CHEAP = 6
"""Instructions an element that may be repeated instead of storing and loading a value."""


def cost(ops: list[Operation]) -> int:
    """Vector instructions for the ops once."""
    return sum(op.cost for op in ops if isinstance(op, Elementwise)) + sum(isinstance(op, Load) for op in ops)


def recompute_cost(load: Load) -> int:
    """Instructions to compute the loaded value again at the load, beyond loading it."""
    producer = load.tensor.owner
    assert isinstance(producer, Generic)
    (value,) = producer.yielded_for(load.tensor)
    return cost(slice_of(producer, (value,)))


def full_loads(load: Load) -> int:
    """How many tensors as large as the loaded one its slice reads."""
    producer = load.tensor.owner
    assert isinstance(producer, Generic)
    (value,) = producer.yielded_for(load.tensor)
    size = product_of(producer.sizes)
    tensors = {
        op.tensor
        for op in slice_of(producer, (value,))
        if isinstance(op, Load) and product_of(shape_of(op.tensor)) == size
    }
    return len(tensors)


def bytes_of(value: SSAValue) -> Expr:
    """The bytes of a tensor in memory."""
    return product_of(shape_of(value)) * max(bit_width(scalar_of(value)) // 8, 1)


def streams(generic: Generic) -> int:
    """How many tensors the loop reads and writes."""
    return len({load.tensor for load in generic.loads()}) + len(generic.outs)
