"""Short dims whose points share a step of the lanes: their values are put in turn and written as whole registers."""

from __future__ import annotations

from xdsl.ir import SSAValue

from .schedule import Member, offset_of
from .stretches import MOST_CODE
from .values import MOST_STEP, Homes


def put_in_turns(plan: Member, outer: int, vector: str, homes: Homes) -> None:
    """Choose the inner dim along which consecutive elements are written, where that is so short that those of the next
    lane of the vector dim follow; it becomes the last one."""
    if plan.op.is_gate or plan.op.guards or not all(r.is_write for r in plan.results):
        return
    for dim in plan.order[outer:]:
        size = plan.sizes[dim].value
        if dim == vector or size is None or not 1 < size <= MOST_STEP or size * len(plan.op.block.ops) > MOST_CODE:
            continue
        if all(_steps(plan, out, dim, vector, homes) == (1, size) for out in plan.op.outs):
            plan.order.remove(dim)
            plan.order.append(dim)
            plan.in_turns = dim
            return


def _steps(plan: Member, out: SSAValue, dim: str, vector: str, homes: Homes) -> tuple[int | None, ...]:
    """How far apart a result's elements are in memory from one point to the next along either dim."""
    home = homes[out]
    if home.buffer is None or home.in_step or home.per_lane or home.place is not None:
        return ()
    offset = offset_of(plan.op.given(out).indices, home.strides).substitute(plan.merged)
    steps = (offset.coefficient(d) for d in (dim, vector))
    return tuple(step.value if step is not None else None for step in steps)
