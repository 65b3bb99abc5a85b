"""Where along a dim the guards of a body change: between those places nothing is masked, selected or padded."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from xdsl.ir import Operation

from ...dialects.expr import Expr
from ...dialects.weld.generic import Inside, Load
from .schedule import Member

MOST_CODE = 600
"""Operations that the copies of a body for its stretches may come to."""


@dataclass(frozen=True)
class Breaks:
    """The places in ascending order, and each guard that changes at one of them."""

    places: tuple[Expr, ...]
    guards: dict[Expr, tuple[int, bool]]
    """After how many places the guard changes, and whether it holds from there on (or up to there)."""

    def known(self, stretch: int) -> dict[Expr, bool]:
        """What holds in the stretch that follows `stretch` places."""
        return {guard: (stretch >= place) == after for guard, (place, after) in self.guards.items()}


def guards_of(op: Operation) -> tuple[Expr, ...]:
    """The guards that an op of a generic's body looks at."""
    if isinstance(op, Load):
        return op.where.guards
    return op.guards.data if isinstance(op, Inside) else ()


def breaks_of(member: Member, vector_dim: str | None, lanes: int, least: int) -> dict[str, Breaks]:
    """The dims to walk in stretches: those where the order of the places is known, the code does not grow too much
    and the vector dim does not get many more steps than it had. No symbol is less than `least`."""
    copies = len(list(member.op.block.ops))
    found: dict[str, Breaks] = {}
    for dim in reversed(member.order):
        breaks = _along(member, dim, least)
        if breaks is None or copies * (len(breaks.places) + 1) > MOST_CODE:
            continue
        if dim == vector_dim and not _worth_it(breaks, member.sizes[dim], lanes):
            continue
        found[dim] = breaks
        copies *= len(breaks.places) + 1
    return found


def _along(member: Member, dim: str, least: int) -> Breaks | None:
    changes: dict[Expr, tuple[Expr, bool]] = {}
    for op in member.op.block.ops:
        for guard in guards_of(op):
            guard = guard.substitute(member.merged)
            step = guard.coefficient(dim)
            if step is None or step.value not in (1, -1) or guard.names & (set(member.op.dims) - {dim}):
                continue
            rest = guard.substitute({dim: Expr.constant(0)})
            changes[guard] = (-rest, True) if step.value == 1 else (rest + 1, False)
    size, zero = member.sizes[dim], Expr.constant(0)

    def at_most(a: Expr, b: Expr) -> bool:
        """Whether a <= b for sure."""
        more = (b - a).substitute({n: Expr.symbol(n) + least for n in (b - a).names})
        return all(factor >= 0 for _, factor in more.terms)

    places: list[Expr] = []
    for place, _ in changes.values():
        if place not in places and not at_most(place, zero) and not at_most(size, place):
            at = sum(at_most(other, place) for other in places)
            if not all(at_most(place, other) for other in places[at:]):
                return None
            places.insert(at, place)
    if not places:
        return None
    number = {place: k + 1 for k, place in enumerate(places)}
    ends = {g: number.get(p, 0 if at_most(p, zero) else len(places) + 1) for g, (p, _) in changes.items()}
    return Breaks(tuple(places), {g: (ends[g], after) for g, (_, after) in changes.items()})


def _worth_it(breaks: Breaks, size: Expr, lanes: int) -> bool:
    """Whether the stretches take at most a third more steps than the whole dim; dims of unknown size are long."""
    if size.value is None:
        return True
    ends = [0, *(p.value or 0 for p in breaks.places), size.value]
    steps = sum(-(-(b - a) // lanes) for a, b in pairwise(ends))
    return 3 * steps <= 4 * -(-size.value // lanes)
