"""`ShortRow`: where rows are short, one step of the lanes covers one, and its values stay in registers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from xdsl.ir import SSAValue

from ...dialects.expr import Expr
from ...dialects.weld.generic import Generic, Load
from .memory import KernelMemory, loads_of
from .schedule import Member, Options, register_lanes, vector_dim
from .scopes import Frame

Bounds: TypeAlias = tuple[SSAValue, SSAValue]
"""Where a loop begins and ends."""


@dataclass(frozen=True)
class ShortRow:
    """An inner dim so short that one step of the lanes covers it: its values stay in registers from one member of a
    kernel to the next."""

    size: Expr
    lanes: int

    def bounds(self, plan: Member, frame: Frame) -> tuple[dict[str, Bounds], dict[str, Bounds]] | None:
        """The outermost loop's bounds for short and for long rows; None where all rows are known to be short."""
        if self.size.value is not None:
            return None
        dim = plan.order[0]
        begin, _, end = frame.range(dim, plan.sizes[dim], 1)
        fits = frame.top.builder.le(frame.index(self.size), frame.index(Expr.constant(self.lanes)))
        bound = frame.top.builder.select(fits, end, begin)
        return {dim: (begin, bound)}, {dim: (bound, end)}


def choose_short_row(plans: Sequence[Member], outer: int, options: Options) -> ShortRow | None:
    """The inner dim of the looped members, where rows are short and every row stands for itself."""
    if not outer:
        (plan,) = plans
        if len(plan.order) < 2 or vector_dim(plan, 0) != plan.order[-1]:
            return None
        if any(r.is_reduction and not any(e.names for e in r.indices) for r in plan.results):
            return None
        outer = len(plan.order) - 1
    return _short_row(plans, outer, options.bits, options.expected)


def _short_row(plans: Sequence[Member], outer: int, bits: int, short: Mapping[str, int]) -> ShortRow | None:
    """The one inner dim of all members, where it is known or expected to be short; `short` gives what symbols are
    expected not to exceed."""
    if any(plan.op.guards for plan in plans):
        return None
    inner = [plan.order[outer:] for plan in plans]
    sizes = {plan.sizes[dims[-1]] for plan, dims in zip(plans, inner, strict=True) if dims}
    if len(sizes) != 1 or any(len(dims) > 1 for dims in inner):
        return None
    (size,) = sizes
    expected = size.value if size.value is not None else short.get(str(size))
    if expected is None or expected < 4:
        return None
    lanes = 1
    while lanes < expected:
        lanes *= 2
    return ShortRow(size, lanes) if lanes <= register_lanes([p.op for p in plans], bits) * 4 else None


def keep_in_step(looped: Sequence[Generic], memory: KernelMemory) -> None:
    """What the members read only at their own element stays in registers; in memory too, if it is read later."""
    for member in looped:
        for out, result in zip(member.outs, member.results_given, strict=True):
            if result.is_write and _is_read_in_step(member, out, looped):
                later = any(load.parent_op() not in looped for load in loads_of(out))
                buffer = memory.homes[out].buffer if later or out in memory.results else None
                memory.homes[out] = replace(memory.homes[out], in_step=True, buffer=buffer)


def _is_read_in_step(member: Generic, out: SSAValue, looped: Sequence[Generic]) -> bool:
    """Whether the looped members read the tensor, each at the element of its own point."""
    own = str(member.given(out))
    loads = [load for load in loads_of(out) if load.parent_op() in looped]
    return bool(loads) and all(
        f"write {load.where}" == own and len(load.operands) == 1 and _sizes(load) == member.sizes for load in loads
    )


def _sizes(load: Load) -> tuple[Expr, ...]:
    """The domain that a load is part of."""
    reader = load.parent_op()
    assert isinstance(reader, Generic)
    return reader.sizes
