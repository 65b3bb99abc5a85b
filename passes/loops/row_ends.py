"""`RowEnds`: what comes last for each short row, such as the logarithm of its sum, is done for many rows at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from xdsl.ir import SSAValue

from ...dialects.expr import Expr
from ...dialects.ir import ops_of
from ...dialects.weld.base import Elementwise
from ...dialects.weld.generic import Generic
from ...dialects.weld.types import shape_of
from .memory import loads_of
from .values import Homes

ROWS = 64
"""Rows after which their ends are done."""
FIRST = "first_row"
"""The name of the index of the first one of them."""
LEAST_COST = 16
"""Vector instructions of ends that are worth it: fewer run beside other rows, as scalars."""


@dataclass(frozen=True)
class RowEnds:
    """Members with one point in each outer iteration whose results no other members of the loops read. They run across
    the lanes, along the last outer dim, behind loops over some rows of the other members."""

    dim: str
    members: tuple[Generic, ...]
    given: tuple[SSAValue, ...]
    """What they read of the other members: one value for each row."""

    def keep(self, homes: Homes, buffer_for: Callable[[SSAValue], SSAValue]) -> None:
        """The values of some rows wait in scratch, unless they are in memory in any case."""
        for value in self.given:
            home = homes[value]
            home.in_step = False
            if home.buffer is None:
                home.buffer, home.strides = buffer_for(value), (Expr.constant(0),) * len(shape_of(value))
                home.place = Expr.symbol(self.dim) - Expr.symbol(FIRST)

    def leave_rows(self, homes: Homes) -> None:
        """Behind the loops over some rows no value of the last one counts."""
        for value in self.given:
            homes[value].value = None


def choose_row_ends(looped: Sequence[Generic], outer: int) -> RowEnds | None:
    """The last of the looped members, if they have no inner dims and compute enough."""
    ends: list[Generic] = []
    for member in reversed(looped):
        if len(member.dims) > outer or not _is_plain(member):
            break
        ends.insert(0, member)
    cost = sum(op.cost for member in ends for op in ops_of(member.block) if isinstance(op, Elementwise))
    if not outer or not ends or len(ends) == len(looped) or cost < LEAST_COST:
        return None
    given = dict.fromkeys(
        load.tensor
        for member in ends
        for load in member.loads()
        if load.tensor.owner in looped and load.tensor.owner not in ends
    )
    if any(_has_inner_dims(value, outer) for value in given):
        return None
    return RowEnds(f"d{outer - 1}", tuple(ends), tuple(given))


def _is_plain(member: Generic) -> bool:
    """Whether all of it is written at all points, each element by its own."""
    if member.guards or member.inits or member.bounds or member.is_gate:
        return False
    dims = set(member.dims)
    return all(r.is_write and dims == {n for e in r.indices for n in e.names} for r in member.results_given)


def _has_inner_dims(value: SSAValue, outer: int) -> bool:
    """Whether an outer iteration gives more than one element of it, or others than at its own indices."""
    member = value.owner
    assert isinstance(member, Generic)
    own = member.given(value)
    used = {n for e in own.indices for n in e.names}
    return used != set(member.dims[:outer]) or any(load.where.indices != own.indices for load in loads_of(value))
