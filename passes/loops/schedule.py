"""`Schedule`: the loop order of a member, the dim across the lanes, and how many lanes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from xdsl.ir import Operation, SSAValue

from ...dialects.expr import Expr, product_of
from ...dialects.ir import ops_of
from ...dialects.ranges import is_value
from ...dialects.weld.attributes import Result
from ...dialects.weld.base import Elementwise
from ...dialects.weld.generic import Generic, Index, Inside, Load
from ...dialects.weld.types import bit_width, is_float, scalar_of


@dataclass(frozen=True)
class Options:
    """What loops are made for."""

    bits: int
    """Size of a vector register."""
    registers: int
    """How many vector registers a loop may fill."""
    expected: Mapping[str, int]
    """About how large symbols are."""
    least: int
    """What every symbol is at the least."""
    blocks: int
    """Into how many blocks a kernel is cut at most."""
    ordered: bool
    """Floating elements that are scattered into one place are added in their order."""


@dataclass
class Member:
    """A generic with the offsets of its accesses, and adjacent dims merged where every access allows it."""

    op: Generic
    offsets: list[Expr]
    """The element offset of each regular load and result, over dims and symbols."""
    accumulated: list[bool]
    """For each offset whether it is a reduction's result."""
    results: tuple[Result, ...]
    order: list[str]
    """The dims that are walked, outermost first; a merged dim has its inner dim's name."""
    sizes: dict[str, Expr]
    merged: dict[str, Expr]
    """What the dims that are not walked become in offsets."""
    in_turns: str | None = None
    """A short dim without a loop: lanes of all its points are written in turn, as consecutive elements."""
    prefetched: set[Load] = field(default_factory=set[Load])
    """Loads that ask for what later steps of the outer loops read."""


def strides_of(shape: tuple[Expr, ...]) -> tuple[Expr, ...]:
    """Row-major strides in elements."""
    strides: list[Expr] = []
    step = Expr.constant(1)
    for size in reversed(shape):
        strides.append(step)
        step = step * size
    return tuple(reversed(strides))


def offset_of(indices: tuple[Expr, ...], strides: tuple[Expr, ...]) -> Expr:
    total = Expr.constant(0)
    for index, stride in zip(indices, strides, strict=True):
        total = total + index * stride
    return total


def plan_member(op: Generic, strides: Mapping[SSAValue, tuple[Expr, ...]], merge_below: int) -> Member:
    """The member with dims merged from number `merge_below` on (outer dims of a kernel are never merged with
    inner ones); `strides` of every tensor that lives in memory."""
    offsets: list[Expr] = []
    accumulated: list[bool] = []
    fixed = {n for g in op.guards for n in g.names}
    for load in op.loads():
        if load.tensor in strides:
            offsets.append(offset_of(load.where.indices, strides[load.tensor]))
            accumulated.append(False)
        fixed |= {n for g in load.where.guards for n in g.names}
    for out, result in zip(op.outs, op.results_given, strict=True):
        if out in strides:
            offsets.append(offset_of(result.indices, strides[out]))
            accumulated.append(result.is_reduction)
    for inner in ops_of(op.block):
        if isinstance(inner, Index):
            fixed |= inner.value.names
        elif isinstance(inner, Inside):
            fixed |= {n for g in inner.guards.data for n in g.names}
    sizes = op.named_sizes
    member = Member(op, offsets, accumulated, op.results_given, list(op.dims), sizes, {})
    for dim in op.dims[merge_below:]:
        if sizes[dim].value == 1:
            member.order.remove(dim)
            member.merged[dim] = Expr.constant(0)
    for position in range(len(op.dims) - 2, merge_below - 1, -1):
        _merge(member, op.dims[position], op.dims[position + 1], fixed)
    return member


def _merge(member: Member, outer: str, inner: str, fixed: set[str]) -> None:
    """Walk `outer` and `inner` as one dim if every access has the inner size times the inner stride as its
    outer stride."""
    if outer in fixed or inner in fixed or outer in member.merged or inner in member.merged:
        return
    sizes = member.sizes
    for offset in member.offsets:
        a, b = offset.coefficient(outer), offset.coefficient(inner)
        if a is None or b is None or a != b * sizes[inner]:
            return
    for result in member.results:
        if _uses(result, outer) != _uses(result, inner):
            return
    for load in member.op.loads():
        names = {n for e in load.where.indices for n in e.names}
        if load.indices and (outer in names or inner in names):
            return
    member.order.remove(outer)
    member.merged[outer] = Expr.constant(0)
    sizes[inner] = sizes[outer] * sizes[inner]
    member.offsets = [o.substitute({outer: Expr.constant(0)}) for o in member.offsets]


def _uses(result: Result, dim: str) -> bool:
    return any(dim in e.names for e in result.indices)


def score(member: Member, dim: str, innermost: bool = True) -> int:
    """How well a dim suits the lanes: accesses that are contiguous along it, less those that are strided. Where the
    innermost loop runs along it, a reduction's result that moves with it is loaded and stored at each step."""
    size = member.sizes[dim].value
    if size is not None and size < 4:
        return -10
    total = 0
    for offset, accumulated in zip(member.offsets, member.accumulated, strict=True):
        step = offset.coefficient(dim)
        if step is not None and not step.terms:
            continue
        contiguous = step is not None and step.value == 1
        total += -1 if not contiguous or (accumulated and innermost) else 2
    return total


def register_lanes(members: list[Generic], bits: int) -> int:
    """Lanes of one register of the widest floating type that the members compute with."""
    results = [r for op in members for inner in ops_of(op.block) for r in inner.results]
    width = max((bit_width(scalar_of(r)) for r in results if is_float(scalar_of(r))), default=32)
    return max(bits // max(width, 16), 1)


LONG_FUNCTION = 50
"""Instructions of a function from which on a step of two registers leaves the units idle: each waits for the last."""


def lanes_for(members: list[Generic], bits: int, registers: int, dim: str, size: Expr) -> int:
    """Lanes of one step along a dim: full registers of the widest type computed with, times an unroll by the body's
    cost; fewer where the accumulators would not fit into the registers. A long body without accumulators, to which an
    unroll gives little, takes steps that leave no rest of a known size: a rest is the body once more. Long
    functions have much to wait for, and many constants to load if they are called: they get as many registers as a
    short body."""
    register = register_lanes(members, bits)
    cost = sum(_cost(inner, register) for op in members for inner in ops_of(op.block)) // max(len(members), 1)
    carried = max(_carried_bits(op, dim) for op in members)
    is_long = any(
        isinstance(inner, Elementwise) and inner.cost > LONG_FUNCTION for op in members for inner in ops_of(op.block)
    )
    unroll = 4 if cost <= 16 else 2 if cost <= 160 else 1
    if unroll == 2 and is_long and not carried and registers >= 32:
        unroll = 4
    lanes = register * unroll
    while lanes > 1 and lanes * carried > registers * bits:
        lanes //= 2
    known = size.value
    if known and known % register == 0 and cost > 16 and not carried:
        while known % lanes:
            lanes //= 2
    while known is not None and lanes > 1 and lanes // 2 >= max(known, 1):
        lanes //= 2
    return lanes


def _cost(op: Operation, lanes: int) -> int:
    """Vector instructions of an op of a body; a gather is one for each lane."""
    if isinstance(op, Load):
        return lanes if op.indices else 0
    return op.cost if isinstance(op, Elementwise) else 0


def _carried_bits(op: Generic, dim: str) -> int:
    """Bits a lane of the accumulators that a loop along the dim carries."""
    total = 0
    for result, values in zip(op.results_given, op.yielded(), strict=True):
        if result.is_reduction and not _uses(result, dim):
            total += sum(max(bit_width(scalar_of(v)), 8) for v in values)
    return total


def outer_vector(plans: Sequence[Member], outer: int, bits: int) -> str | None:
    """The outer dim across the lanes, where that suits the members better than their inner dims."""
    has_inner = any(len(p.order) > outer for p in plans)
    if any(r.is_scatter for p in plans if len(p.order) > outer for r in p.results):
        return None  # its updates keep their order
    last = f"d{outer - 1}"
    if _suits_lanes(plans, outer, last, register_lanes([p.op for p in plans], bits)):
        return last
    plans = [_inner_accesses(p, outer) for p in plans] if has_inner else plans
    best = max(range(outer), key=lambda k: (sum(score(p, f"d{k}", innermost=False) for p in plans), k))
    across = sum(score(p, f"d{best}", innermost=False) for p in plans)
    inner = sum(max((score(p, d) for d in p.order[outer:]), default=0) for p in plans)
    return f"d{best}" if across > inner or not has_inner else None


def _suits_lanes(plans: Sequence[Member], outer: int, dim: str, lanes: int) -> bool:
    """Whether an outer dim had better go across the lanes: the inner dims together fill no two registers of `lanes`,
    and every access has the same element for all lanes, or consecutive ones."""
    inner = [product_of(plan.sizes[d] for d in plan.order[outer:]).value for plan in plans if plan.order[outer:]]
    length = max((size or 2 * lanes for size in inner), default=2 * lanes)
    size = plans[0].sizes[dim].value
    if length >= 2 * lanes or (size is not None and size < lanes):
        return False
    steps = [offset.coefficient(dim) for plan in plans for offset in plan.offsets]
    return all(step is not None and step.value in (0, 1) for step in steps)


def _inner_accesses(plan: Member, outer: int) -> Member:
    """The plan with those accesses only that move in its inner loops: the others come once in an iteration."""
    inner = plan.order[outer:]
    moving = [any(n in inner or is_value(n) for n in o.names) for o in plan.offsets]
    return replace(
        plan,
        offsets=[o for o, moves in zip(plan.offsets, moving, strict=True) if moves],
        accumulated=[a for a, moves in zip(plan.accumulated, moving, strict=True) if moves],
    )


def vector_dim(plan: Member, outer: int) -> str:
    """The inner dim across the lanes: none that others' ends depend on, whose loop must be open before theirs."""
    ends = set[str]().union(*(end.names for end in plan.op.bounds.values()))
    inner = [d for d in plan.order[outer:] if d not in ends]
    if any(r.is_scatter for r in plan.results):
        return inner[-1]
    return max(inner, key=lambda d: (score(plan, d), inner.index(d)))
