"""The mechanism of fusion, once: computing a producer's value at the point of a load, and joining two generics.

Neither function asks whether it should be done; see legality.py and profit.py.
"""

from __future__ import annotations

from collections.abc import Mapping

from xdsl.ir import Attribute, Operation, SSAValue

from ...dialects.expr import Expr
from ...dialects.ir import block_of, erase
from ...dialects.weld.attributes import Access, Where
from ...dialects.weld.comparison import Select
from ...dialects.weld.generic import Generic, Index, Inside, Load, Yield
from ..points import ScalarBuilder


def substitution(load: Load) -> dict[str, Expr]:
    """The producer's dims in terms of the consumer's: where the load reads the producer's written result."""
    producer = load.tensor.owner
    assert isinstance(producer, Generic)
    result = producer.given(load.tensor)
    return {
        str(name): index
        for name, index in zip(result.indices, load.where.indices, strict=True)
        if str(name) in producer.dims
    }


def slice_of(generic: Generic, values: tuple[SSAValue, ...]) -> list[Operation]:
    """The body ops that the values depend on, in order."""
    needed: set[Operation] = set()
    stack = [v.owner for v in values if isinstance(v.owner, Operation)]
    while stack:
        op = stack.pop()
        if op.parent is generic.block and op not in needed:
            needed.add(op)
            stack += [v.owner for v in op.operands if isinstance(v.owner, Operation)]
    return [op for op in generic.block.ops if op in needed]


def inline_load(load: Load) -> None:
    """Compute the loaded value in place: the producer's slice at the load's point, under the load's guards.

    %p = generic { %a = load %x "d0"; %b = exp %a; yield %b }
    ... load %p "d1 + 1 if d1 >= 0"   ->   load %x "d1 + 1 if d1 >= 0"; exp
    """
    producer = load.tensor.owner
    assert isinstance(producer, Generic)
    (value,) = producer.yielded_for(load.tensor)
    values = copy_ops(slice_of(producer, (value,)), substitution(load), load, load.where.guards, load.guard)
    found = _guarded(load, values.get(value, value))
    load.res.replace_all_uses_with(found)
    erase(load)


def _guarded(load: Load, value: SSAValue) -> SSAValue:
    """The value that the load gives: 0 where its guard fails, unless its only users look at the guard themselves."""
    if not load.where.guards and load.guard is None:
        return value
    if isinstance(value.owner, Load) or all(_selects(use.operation, load) for use in load.res.uses):
        return value
    block = block_of(load)
    b = ScalarBuilder(block, load, load.location)
    inside = b.insert(Inside.of(load.where.guards)).results[0] if load.where.guards else load.guard
    assert inside is not None
    if load.where.guards and load.guard is not None:
        inside = b.and_(inside, load.guard)
    return b.select(inside, value, b.constant(0, value))


def _selects(user: Operation, load: Load) -> bool:
    """Whether `user` is `select(guards hold, loaded value, ...)`."""
    if not isinstance(user, Select) or user.operands[1] is not load.res or load.guard is not None:
        return False
    condition = user.operands[0].owner
    held = set(condition.guards.data) if isinstance(condition, Inside) else set[Expr]()
    return set(load.where.guards) <= held and user.operands[2] is not load.res


def copy_ops(
    ops: list[Operation],
    dims: Mapping[str, Expr],
    before: Operation,
    guards: tuple[Expr, ...] = (),
    guard: SSAValue | None = None,
) -> dict[SSAValue, SSAValue]:
    """Copy body ops in front of `before` with dims substituted; loads read only where the guards hold too.

    Returns the copy of each value.
    """
    block = block_of(before)
    copies: dict[SSAValue, SSAValue] = {}
    for op in ops:
        operands = [copies.get(v, v) for v in op.operands]
        if isinstance(op, Load) and guard is not None:
            operands = _with_guard(op, operands, guard, before)
        copy = type(op).create(
            operands=operands,
            result_types=[r.type for r in op.results],
            properties=_substituted(op, dims, guards),
            attributes=op.attributes,
            location=op.location,
        )
        block.insert_op_before(copy, before)
        for old, new in zip(op.results, copy.results, strict=True):
            copies[old] = new
    return copies


def _with_guard(op: Load, operands: list[SSAValue], guard: SSAValue, before: Operation) -> list[SSAValue]:
    if op.guard is None:
        return [*operands, guard]
    block = block_of(before)
    both = ScalarBuilder(block, before).and_(operands[-1], guard)
    return [*operands[:-1], both]


def _substituted(op: Operation, dims: Mapping[str, Expr], guards: tuple[Expr, ...]) -> dict[str, Attribute]:
    if isinstance(op, Load):
        where = op.where.substitute(dims)
        extra = tuple(g for g in guards if g not in where.guards)
        return {"access": Access(Where(where.indices, where.guards + extra))}
    if isinstance(op, Index):
        return dict(Index.of(op.value.substitute(dims)).properties)
    if isinstance(op, Inside):
        return dict(Inside.of(tuple(g.substitute(dims) for g in op.guards.data)).properties)
    return dict(op.properties)


def join(first: Generic, second: Generic, dims: Mapping[str, Expr]) -> Generic:
    """One generic over `second`'s domain with the results of both; `dims` gives `first`'s dims, a permutation.

    Both bodies stand one after the other; `simplify_body` then shares what they have in common.
    """
    terminator = second.terminator
    copies = copy_ops([op for op in first.block.ops if not isinstance(op, Yield)], dims, terminator)
    yielded = [copies.get(v, v) for v in first.terminator.operands] + list(terminator.operands)
    terminator.operands = yielded
    body = second.regions[0].detach_block(0)
    gives = [g.substitute(dims) for g in first.results_given] + list(second.results_given)
    types = [o.type for o in first.outs] + [o.type for o in second.outs]
    joined = Generic.of(second.sizes, gives, types, body, [*first.inits, *second.inits])
    joined.location = second.location
    block_of(second).insert_op_before(joined, second)
    for old, new in zip([*first.outs, *second.outs], joined.outs, strict=True):
        new.name_hint = old.name_hint
        old.replace_all_uses_with(new)
    for op in (first, second):
        erase(op)
    simplify_body(joined)
    return joined


def simplify_body(generic: Generic) -> None:
    """Compute each value once: equal ops of the body are merged, unused ones dropped."""
    seen: dict[object, Operation] = {}
    for op in list(generic.block.ops):
        if isinstance(op, Yield):
            continue
        operands = tuple(op.operands)
        if getattr(op, "commutative", False):
            operands = tuple(sorted(operands, key=id))
        key = (type(op), operands, tuple(op.properties.items()), tuple(r.type for r in op.results))
        same = seen.setdefault(key, op)
        if same is not op:
            op.results[0].replace_all_uses_with(same.results[0])
            erase(op)
    for op in reversed(list(generic.block.ops)):
        if not isinstance(op, Yield) and not any(r.uses for r in op.results):
            erase(op)


def drop_unused_results(generic: Generic) -> Generic | None:
    """The generic without the results that nobody uses; None when none is left and it was erased."""
    used = [bool(o.uses) for o in generic.outs]
    if all(used):
        return generic
    if not any(used):
        erase(generic)
        return None
    groups = [g for g, keep in zip(generic.yielded(), used, strict=True) if keep]
    gives = [g for g, keep in zip(generic.results_given, used, strict=True) if keep]
    starts = iter(generic.inits)
    inits = [next(starts) for g in generic.results_given if g.is_scatter]
    scatters = [keep for g, keep in zip(generic.results_given, used, strict=True) if g.is_scatter]
    generic.terminator.operands = [v for group in groups for v in group]
    block = block_of(generic)
    kept = [o for o in generic.outs if o.uses]
    smaller = Generic.of(
        generic.sizes,
        gives,
        [o.type for o in kept],
        generic.regions[0].detach_block(0),
        [i for i, keep in zip(inits, scatters, strict=True) if keep],
    )
    smaller.location = generic.location
    block.insert_op_before(smaller, generic)
    for old, new in zip(kept, smaller.outs, strict=True):
        new.name_hint = old.name_hint
        old.replace_all_uses_with(new)
    erase(generic)
    simplify_body(smaller)
    return smaller
