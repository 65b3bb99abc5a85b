"""`Strides`: outer loops that would make the inner ones go through memory in long steps."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from ...dialects.expr import Expr, product_of
from ...dialects.ir import ops_of
from ...dialects.weld.base import Elementwise
from ...dialects.weld.generic import Generic
from ...dialects.weld.types import byte_width, scalar_of
from .chunks import STRIP_WIDTH

MOST_COST = 32
"""Instructions of an element that take no longer than to read it from memory."""


@dataclass
class Strides:
    """Decides for the sizes that are expected, and collects in `assumed` what must not be negative for others to have
    the same answer."""

    expected: Mapping[str, int]
    strip_bytes: int
    """What the inner loops read in one iteration of the outer ones, and the second-level cache keeps."""
    array_bytes: int
    """What all of them read that stays in the last-level cache, beside what the kernel writes."""
    assumed: dict[Expr, None] = field(default_factory=dict[Expr, None])

    def are_long(self, op: Generic, outer: Collection[str]) -> bool:
        """Whether all that the inner loops read of memory they read a few cache lines at a time, which lie apart, and
        more of these than the caches hold. Inner loops along the memory would read it several times as fast."""
        inner = {d for d, size in op.named_sizes.items() if d not in outer and size.value != 1}
        moving = [load for load in op.loads() if any(n in inner for e in load.where.indices for n in e.names)]
        if not moving or any(load.operands[1:] for load in moving):
            return False
        last = [load.where.indices[-1].names for load in moving]
        if any(names & inner or not names & set(outer) for names in last):
            return False
        across = set[str]().union(*last) & set(outer)
        length, element = product_of(op.named_sizes[d] for d in inner), byte_width(scalar_of(moving[0].res))
        width = product_of(op.named_sizes[d] for d in across) * element
        return (
            self._exceeds(length * STRIP_WIDTH, self.strip_bytes)
            and self._exceeds(length * width, self.array_bytes)
            and self._exceeds(width, STRIP_WIDTH)
        )

    def are_slow(self, op: Generic, outer: Collection[str]) -> bool:
        """Whether the inner loops go through memory in long steps, and wait for it, not for arithmetic."""
        return _inner_cost(op, outer) <= MOST_COST and self.are_long(op, outer)

    def _exceeds(self, size: Expr, limit: int) -> bool:
        if not size.names <= self.expected.keys():
            return False
        exceeds = size.evaluate(self.expected.__getitem__) > limit
        if size.value is None:
            self.assumed[size - limit - 1 if exceeds else limit - size] = None
        return exceeds


def _inner_cost(op: Generic, outer: Collection[str]) -> int:
    """Instructions of an element in the inner loops."""
    moving = op.moving(d for d in op.dims if d not in outer)
    return sum(o.cost for o in ops_of(op.block) if isinstance(o, Elementwise) and o.res in moving)
