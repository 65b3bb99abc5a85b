"""What guards say of each other: one, `rest + constant >= 0`, decides those that differ in the constant only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache

from xdsl.ir import Operation, SSAValue

from ...dialects.expr import Expr
from ...dialects.ir import block_of, ops_of
from ...dialects.weld.base import Elementwise
from ...dialects.weld.comparison import Select
from ...dialects.weld.generic import Generic, Inside, Load


class Given:
    """Guards that hold."""

    def __init__(self, guards: Iterable[Expr]):
        self._least: dict[Expr, int] = {}
        """By what the guards are without their constant: the least constant with which it is not negative."""
        for rest, _, constant in map(_parts, guards):
            self._least[rest] = min(constant, self._least.get(rest, constant))

    def holds(self, guard: Expr) -> bool | None:
        """Whether another guard holds or fails then; None if it may do either."""
        rest, opposite, constant = _parts(guard)
        least = self._least.get(rest)
        if guard.value is not None:
            return guard.value >= 0
        if least is not None and constant >= least:
            return True
        most = self._least.get(opposite)
        return False if most is not None and most + constant < 0 else None

    def all_hold(self, guards: Iterable[Expr]) -> bool | None:
        found = [self.holds(guard) for guard in guards]
        return False if False in found else None if None in found else True


@lru_cache(maxsize=8192)
def _parts(guard: Expr) -> tuple[Expr, Expr, int]:
    """A guard without its constant, the negative of that, and the constant."""
    constant = dict(guard.terms).get((), 0)
    rest = guard - constant
    return rest, -rest, constant


def _held_for(select: Select, operand: int) -> tuple[Expr, ...]:
    """What holds wherever a select gives this operand."""
    condition = select.operands[0].owner
    if not operand or not isinstance(condition, Inside):
        return ()
    guards = condition.guards.data
    if operand == 1:
        return guards
    return (-guards[0] - 1,) if len(guards) == 1 else ()


def is_used_inside_only(load: Load) -> bool:
    """Whether nothing uses the loaded value where a guard fails: it is part of what selects choose under the guards."""
    waiting = [(load.res, frozenset(load.where.guards))]
    seen: set[tuple[Operation, frozenset[Expr]]] = set()
    while waiting:
        value, guards = waiting.pop()
        for use in value.uses:
            user = use.operation
            left = guards.difference(_held_for(user, use.index)) if isinstance(user, Select) else guards
            if not left or (user, left) in seen:
                continue
            if not isinstance(user, Elementwise):
                return False
            seen.add((user, left))
            waiting.append((user.results[0], left))
    return True


def chosen(load: Load, producer: Generic, dims: Mapping[str, Expr]) -> dict[Operation, SSAValue]:
    """The selects of a producer that give one operand wherever the load reads, and that operand."""
    consumer = block_of(load).parent_op()
    assert isinstance(consumer, Generic)
    walked = [(Expr.symbol(dim), size) for dim, size in zip(consumer.dims, consumer.sizes, strict=True)]
    given = Given([*load.where.guards, *(d for d, _ in walked), *(size - 1 - d for d, size in walked)])
    found: dict[Operation, SSAValue] = {}
    for op in ops_of(producer.block):
        if isinstance(op, Select) and isinstance(condition := op.operands[0].owner, Inside):
            inside = given.all_hold(guard.substitute(dims) for guard in condition.guards.data)
            if inside is not None:
                found[op] = op.operands[1 if inside else 2]
    return found
