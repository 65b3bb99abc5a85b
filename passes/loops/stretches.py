"""Where along a dim the guards of a body change: between those places nothing is masked, selected or padded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from xdsl.ir import Operation, SSAValue

from ...dialects.expr import Expr
from ...dialects.ir import ops_of
from ...dialects.ranges import is_nonnegative
from ...dialects.weld.bitwise import And
from ...dialects.weld.comparison import Select
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

    def known_at(self, point: int) -> dict[Expr, bool]:
        """What holds at one point of the dim, as far as the places before it are known numbers."""
        numbers = [place.value for place in self.places]
        known = [n for n in numbers if n is not None]
        return self.known(sum(n <= point for n in known)) if len(known) == len(numbers) else {}


def guards_of(op: Operation) -> tuple[Expr, ...]:
    """The guards that an op of a generic's body looks at."""
    if isinstance(op, Load):
        return op.where.guards
    return op.guards.data if isinstance(op, Inside) else ()


def breaks_of(member: Member, vector_dim: str | None, lanes: int, least: int) -> dict[str, Breaks]:
    """The dims to walk in stretches: those where the order of the places is known, the code does not grow too much
    and the vector dim does not get many more steps than it had. No symbol is less than `least`."""
    whole = copies = len(ops_of(member.op.block))
    found: dict[str, Breaks] = {}
    for dim in reversed(member.order):
        breaks = _along(member, dim, least)
        if breaks is None or (dim == vector_dim and not _worth_it(breaks, member.sizes[dim], lanes)):
            continue
        if len(breaks.places) > MOST_CODE:
            continue
        left = sum(_emitted(member, breaks.known(k)) for k in range(len(breaks.places) + 1))
        if left > whole and copies * left > MOST_CODE * whole:
            continue
        found[dim] = breaks
        copies = copies * left // whole
    return found


Known = Mapping[Expr, bool]
"""Guards that hold or fail throughout."""


def needed(member: Member, known: Known) -> list[Operation]:
    """The body ops in order, without those that what is known makes superfluous."""
    ops = ops_of(member.op.block)
    if not known:
        return ops
    used = set(member.op.terminator.operands)
    found: list[Operation] = []
    for op in reversed(ops):
        if any(r in used for r in op.results):
            found.append(op)
            used.update(inputs(op, member, known))
    return found[::-1]


def _emitted(member: Member, known: Known) -> int:
    """How many ops of the body become code where this is known: a select that is decided does not."""
    return sum(len(inputs(op, member, known)) == len(op.operands) for op in needed(member, known))


def inputs(op: Operation, member: Member, known: Known) -> Sequence[SSAValue]:
    """The operands that the op's value depends on."""
    if isinstance(op, Select):
        holds = _holds(op.operands[0], member, known)
        if holds is not None:
            return [op.operands[1 if holds else 2]]
    return op.operands


def _holds(condition: SSAValue, member: Member, known: Known) -> bool | None:
    """Whether a condition of the body is known to hold, or to fail."""
    op = condition.owner
    if isinstance(op, Inside):
        return all_hold([g.substitute(member.merged) for g in op.guards.data], known)
    if isinstance(op, And):
        both = [_holds(v, member, known) for v in op.operands]
        return False if False in both else None if None in both else True
    return None


def all_hold(guards: Iterable[Expr], known: Known) -> bool | None:
    found = [known.get(guard) for guard in guards]
    return False if False in found else None if None in found else True


def _along(member: Member, dim: str, least: int) -> Breaks | None:
    changes: dict[Expr, tuple[Expr, bool]] = {}
    for op in ops_of(member.op.block):
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
        return is_nonnegative(more)

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
