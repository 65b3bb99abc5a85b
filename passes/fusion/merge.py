"""The mechanism of fusion, once: computing a producer's value at the point of a load, and joining two generics.

Neither function asks whether it should be done; see legality.py and profit.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

from xdsl.dialects.builtin import ArrayAttr
from xdsl.ir import Attribute, Operation, OpResult, SSAValue

from ...dialects.expr import Expr
from ...dialects.ir import Values, block_of, erase, ops_of
from ...dialects.weld.attributes import Access, Out, Where
from ...dialects.weld.generic import Generic, Index, Inside, Load, Yield, exprs_of, has_values
from ...dialects.weld.types import scalar_of
from ..points import ScalarBuilder, compute_element
from .computed import computed, holds
from .conditions import chosen, is_used_inside_only
from .graph import loads_of, users


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


def slice_of(
    generic: Generic, values: tuple[SSAValue, ...], choices: Mapping[Operation, SSAValue] | None = None
) -> list[Operation]:
    """The body ops that the values depend on, in order; of the ops in `choices` they depend on that operand only."""
    needed: set[Operation] = set()
    stack = [v.owner for v in values if isinstance(v.owner, Operation)]
    while stack:
        op = stack.pop()
        if op.parent is generic.block and op not in needed:
            needed.add(op)
            used = [choices[op]] if choices and op in choices else op.operands
            stack += [v.owner for v in used if isinstance(v.owner, Operation)]
    return [op for op in ops_of(generic.block) if op in needed]


def inline_load(load: Load) -> list[Operation]:
    """Compute the loaded value in place: the producer's slice at the load's point, under the load's guards.

    %p = generic { %a = load %x "d0"; %b = exp %a; yield %b }
    ... load %p "d1 + 1 if d1 >= 0"   ->   load %x "d1 + 1 if d1 >= 0"; exp

    What a select there does not give at any point that reads it is left out. The copies, which it returns, stand at the
    front of the body unless the load needs values of the body.
    """
    producer = load.tensor.owner
    assert isinstance(producer, Generic)
    before = load if len(load.operands) > 1 else first_op(load)
    (value,) = producer.yielded_for(load.tensor)
    dims = substitution(load)
    choices = chosen(load, producer, dims)
    sliced = slice_of(producer, (value,), choices)
    values = copy_ops(sliced, dims, before, load.where.guards, load.guard, load.indices, choices)
    found = values.get(value, value)
    if not isinstance(found.owner, Load):  # that has the guards itself
        found = guarded(load, found, before)
    load.res.replace_all_uses_with(found)
    erase(load)
    return list(dict.fromkeys(owner for v in values.values() if isinstance(owner := v.owner, Operation)))


def repeat_writes(op: Generic) -> Generic | None:
    """Compute what `op` writes where it is used; `op` without its writes, None if nothing is left."""
    for user in [user for user in users(op) if isinstance(user, Generic)]:
        loads = [load for load in loads_of(user, op) if op.given(load.tensor).is_write]
        for load in loads:
            inline_load(load)
        if loads:
            simplify_body(user)
    return drop_unused_results(op)


def first_op(op: Operation) -> Operation:
    """The first op of the block that `op` stands in."""
    first = block_of(op).first_op
    assert first is not None
    return first


def guarded(load: Load, value: SSAValue, before: Operation) -> SSAValue:
    """The value that the load gives: 0 where its guard fails, unless nothing uses it there."""
    if not load.where.guards and load.guard is None:
        return value
    if load.guard is None and is_used_inside_only(load):
        return value
    block = block_of(load)
    b = ScalarBuilder(block, before, load.location)
    inside = b.insert(Inside.of(load.where.guards)).results[0] if load.where.guards else load.guard
    assert inside is not None
    if load.where.guards and load.guard is not None:
        inside = b.and_(inside, load.guard)
    element = scalar_of(value)
    wide = b.cast(value, compute_element(element))
    return b.cast(b.select(inside, wide, b.constant(0, wide)), element)


def copy_ops(
    ops: list[Operation],
    dims: Mapping[str, Expr],
    before: Operation,
    guards: tuple[Expr, ...] = (),
    guard: SSAValue | None = None,
    indices: Sequence[SSAValue] = (),
    choices: Mapping[Operation, SSAValue] | None = None,
) -> dict[SSAValue, SSAValue]:
    """Copy body ops in front of `before` with dims substituted; loads read only where the guards hold too. `indices`
    are the values that `i0, i1, ...` stand for in `dims`; of the ops in `choices` that operand is taken.

    Returns the copy of each value.
    """
    block = block_of(before)
    copies: dict[SSAValue, SSAValue] = {}
    values = {f"i{k}": value for k, value in enumerate(indices)}
    for op in ops:
        if choices and op in choices:
            copies[op.results[0]] = copies.get(choices[op], choices[op])
            continue
        b = ScalarBuilder(block, before, op.location)
        tests = tuple(e for e in _computed_exprs(op) if indices and has_values(e.substitute(dims)))
        if tests and not isinstance(op, Load):
            places = [e.substitute(dims) for e in exprs_of(op)]
            copies[op.results[0]] = (
                holds(b, places, values) if isinstance(op, Inside) else computed(b, places[0], values)
            )
            continue
        operands = [copies.get(v, v) for v in op.operands]
        names, test = dims, guard
        if isinstance(op, Load) and indices:
            used, names = _numbered(op, dims, len(indices))
            operands[1 + len(op.indices) : 1 + len(op.indices)] = [indices[k] for k in used]
        if tests:
            held = holds(b, [e.substitute(dims) for e in tests], values)
            test = held if guard is None else b.and_(held, guard)
        if isinstance(op, Load) and test is not None:
            operands = _with_guard(op, operands, test, before)
        copy = type(op).create(
            operands=operands,
            result_types=[r.type for r in op.results],
            properties=substituted(op, names, guards, tests),
            attributes=op.attributes,
            location=op.location,
        )
        block.insert_op_before(copy, before)
        for old, new in zip(op.results, copy.results, strict=True):
            copies[old] = new
    return copies


def _computed_exprs(op: Operation) -> tuple[Expr, ...]:
    """The expressions of an op that no values may be in."""
    return op.where.guards if isinstance(op, Load) else exprs_of(op)


def _numbered(op: Load, dims: Mapping[str, Expr], count: int) -> tuple[list[int], dict[str, Expr]]:
    """Which of the values `i0, i1, ...` in `dims` a load comes to use, and `dims` with them numbered behind its own."""
    names = {n for e in op.where.indices for d in e.names & dims.keys() for n in dims[d].names}
    used = [k for k in range(count) if f"i{k}" in names]
    later = {f"i{k}": Expr.symbol(f"i{len(op.indices) + place}") for place, k in enumerate(used)}
    return used, {dim: index.substitute(later) for dim, index in dims.items()}


def _with_guard(op: Load, operands: list[SSAValue], guard: SSAValue, before: Operation) -> list[SSAValue]:
    if op.guard is None:
        return [*operands, guard]
    block = block_of(before)
    both = ScalarBuilder(block, before).and_(operands[-1], guard)
    return [*operands[:-1], both]


def substituted(
    op: Operation, dims: Mapping[str, Expr], guards: tuple[Expr, ...] = (), without: tuple[Expr, ...] = ()
) -> dict[str, Attribute]:
    """A body op's properties with dims replaced; loads read only where the guards hold too, `without` some of them."""
    if isinstance(op, Load):
        where = Where(op.where.indices, tuple(g for g in op.where.guards if g not in without)).substitute(dims)
        extra = tuple(g for g in guards if g not in where.guards)
        return {"access": Access(Where(where.indices, where.guards + extra))}
    if isinstance(op, Index):
        return dict(Index.of(op.value.substitute(dims)).properties)
    if isinstance(op, Inside):
        return dict(Inside.of(tuple(g.substitute(dims) for g in op.guards.data)).properties)
    return dict(op.properties)


def join(first: Generic, second: Generic, dims: Mapping[str, Expr]) -> None:
    """Let `second` give the results of both, over its own domain; `dims` gives `first`'s dims, a permutation.

    The body of `first` moves in front of `second`'s, whose loads of its results become the values themselves;
    results of `first` that nobody else uses are dropped. `simplify_body` then shares what the two have in common.
    """
    for load in loads_of(second, first):
        (value,) = first.yielded_for(load.tensor)
        load.res.replace_all_uses_with(value)
        erase(load)
    moved = [replace(r, given=Out(r.given.data.substitute(dims))) for r in _results(first) if r.out.uses]
    _merge_bodies(first, second, dims)
    if moved:
        _set_results(second, [*moved, *_results(second)])
        first.results = Values([out for out in first.outs if not out.uses])
    erase(first)


@dataclass(frozen=True)
class _Given:
    """One result of a generic."""

    out: OpResult
    given: Out
    values: tuple[SSAValue, ...]
    init: SSAValue | None


def _results(generic: Generic) -> list[_Given]:
    inits = iter(generic.inits)
    return [
        _Given(out, given, values, next(inits) if given.data.is_scatter else None)
        for out, given, values in zip(generic.results, generic.gives.data, generic.yielded(), strict=True)
    ]


def _set_results(generic: Generic, results: Sequence[_Given]) -> None:
    """Make these the results of a generic, some of which may have been another one's: their uses stay."""
    for k, result in enumerate(results):
        result.out.op, result.out.index = generic, k
    generic.results = Values([r.out for r in results])
    generic.properties["gives"] = ArrayAttr([r.given for r in results])
    generic.terminator.operands = [v for r in results for v in r.values]
    generic.operands = [r.init for r in results if r.init is not None]


def _merge_bodies(first: Generic, second: Generic, dims: Mapping[str, Expr]) -> None:
    """Put the body of `first`, without its end, in front of the body of `second`."""
    if all(str(e) == d for d, e in dims.items()):
        if _is_longer(first, second):  # then its block becomes that of `second`
            ops = ops_of(second.block)
            erase(first.terminator)
            for op in ops:
                op.detach()
            first.block.add_ops(ops)
            second.detach_region(0)
            second.add_region(first.detach_region(0))
            return
        dims = {}
    before = first_op(second.terminator)
    for op in ops_of(first.block):
        op.detach()
        if isinstance(op, Yield):
            op.erase()
            continue
        if dims:
            op.properties = substituted(op, dims, ())
        second.block.insert_op_before(op, before)


def _is_longer(first: Generic, second: Generic) -> bool:
    """Whether the body of `first` has more ops: no more of either is looked at than the shorter one has."""
    ends = object()
    pairs = zip_longest(first.block.ops, second.block.ops, fillvalue=ends)
    return next((b is ends for a, b in pairs if a is ends or b is ends), False)


def replace_generic(old: Generic, new: Generic, outs: Sequence[SSAValue]) -> None:
    """Put `new` where `old` stands; its results replace `outs`."""
    new.location = old.location
    block_of(old).insert_op_before(new, old)
    for before, after in zip(outs, new.outs, strict=True):
        after.name_hint = before.name_hint
        before.replace_all_uses_with(after)
    erase(old)


def simplify_body(generic: Generic) -> None:
    """Compute each value once: equal ops of the body are merged, unused ones dropped."""
    seen: dict[object, list[Operation]] = {}
    for op in ops_of(generic.block):
        if isinstance(op, Yield):
            continue
        operands = [id(v) for v in op.operands]
        if getattr(op, "commutative", False):
            operands.sort()
        alike = seen.setdefault((type(op), tuple(operands) or tuple(op.properties.values())), [])
        same = next((o for o in alike if _is_same(op, o)), None)
        if same is None:
            alike.append(op)
        else:
            op.results[0].replace_all_uses_with(same.results[0])
            erase(op)
    for op in reversed(ops_of(generic.block)):
        if not isinstance(op, Yield) and not any(r.uses for r in op.results):
            erase(op)


def _is_same(op: Operation, other: Operation) -> bool:
    """Whether two ops of one type on the same operands give the same values."""
    types = zip(op.results, other.results, strict=True)
    return op.properties == other.properties and all(a.type == b.type for a, b in types)


def drop_unused_results(generic: Generic) -> Generic | None:
    """The generic without the results that nobody uses; None when none is left and it was erased."""
    results = _results(generic)
    kept = [r for r in results if r.out.uses]
    if not kept:
        erase(generic)
        return None
    if len(kept) < len(results):
        _set_results(generic, kept)
        simplify_body(generic)
    return generic
