"""`refine-domains`: the loops on both sides of a reshape walk the same dims, as fine as the finer side needs them.

    %r = weld.reshape %y : (20, 4, 6) -> (20, 24)         %z = weld.generic over "20, 4, 6" gives "write d0, d1, d2" {
    %z = weld.generic over "20, 24" gives "write d0, d1" {  %0 = weld.load %y "d0, d1, d2"
      %0 = weld.load %r "d0, d1"                      ->    %1 = weld.load %w "6 * d1 + d2"
      %1 = weld.load %w "d1" ... }                          ... }
                                                          %s = weld.reshape %z : (20, 4, 6) -> (20, 24)

A result that has more dims than its type needs is another shape of the same memory, for whoever is no loop. No dim
of a loop or of a tensor between loops has size 1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Block, Operation, SSAValue
from xdsl.passes import ModulePass

from ..dialects.expr import Expr, exact_quotient, split_quotient
from ..dialects.ir import block_of, erase, ops_of
from ..dialects.ranges import ZERO, divides_an_index, within
from ..dialects.weld.attributes import Access, Dims, Result, Where
from ..dialects.weld.generic import Generic, Index, Inside, Load, dim_names
from ..dialects.weld.types import scalar_of, shape_of, tensor_type
from ..dialects.weld.views import Reshape, reshape_groups, reshape_indices
from .axes import Axis, align, leaves, make_one, representative
from .fusion.graph import functions


@dataclass(frozen=True)
class RefineDomains(ModulePass):
    """Cut the dims of generics where a reshape between them cuts them; drop dims of size 1."""

    name = "refine-domains"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in functions(op):
            refine_block(function.body.block)


def refine_block(block: Block) -> None:
    """Refine every generic of a block."""
    axes = relate(block)
    for op in ops_of(block):
        if isinstance(op, Generic):
            _refine(op, axes.domains[op])
    for op in reversed(ops_of(block)):
        if isinstance(op, Reshape):
            op.operands[0] = _root(op.args[0])
            if not op.res.uses:
                erase(op)


# ---- which dims are one --------------------------------------------------------------
@dataclass
class Axes:
    """The axes of the domains and tensors of a block."""

    domains: dict[Generic, tuple[Axis, ...]] = field(default_factory=dict[Generic, tuple[Axis, ...]])
    tensors: dict[SSAValue, tuple[Axis, ...]] = field(default_factory=dict[SSAValue, tuple[Axis, ...]])

    def of(self, tensor: SSAValue) -> tuple[Axis, ...]:
        """The axes of a tensor, new ones at first."""
        found = self.tensors.get(tensor)
        if found is None:
            found = self.tensors[tensor] = tuple(Axis(size) for size in shape_of(tensor))
        return found


def relate(block: Block) -> Axes:
    """Find the axes: a load at a plain dim makes that dim and the tensor's one. Then everything is cut that can be:
    where an index puts dims together, where a quotient takes one apart, and on both sides of a reshape."""
    axes = Axes()
    generics = [op for op in ops_of(block) if isinstance(op, Generic)]
    apart: list[tuple[Axis, tuple[Axis, ...]]] = []
    for op in generics:
        domain = axes.domains[op] = tuple(Axis(size) for size in op.sizes)
        named = dict(zip(op.dims, domain, strict=True))
        for out, result in zip(op.outs, op.results_given, strict=True):
            if not result.is_scatter:
                axes.tensors[out] = tuple(named.get(str(e)) or Axis(Expr.constant(1)) for e in result.indices)
        for inner in ops_of(op.block):
            if isinstance(inner, Load):
                computed = isinstance(inner.tensor.owner, Generic | Reshape)
                for axis, index in zip(axes.of(inner.tensor), inner.where.indices, strict=True):
                    _relate_index(axis, index, named, computed, apart)
            for expr in _exprs(inner):
                apart += _quotients(expr, named)
    for axis, parts in apart:
        align((axis,), parts)
    for op in ops_of(block):
        if isinstance(op, Reshape) and _is_between_loops(op):
            _relate_reshape(op, axes)
    return axes


def _relate_index(
    axis: Axis, index: Expr, named: Mapping[str, Axis], computed: bool, apart: list[tuple[Axis, tuple[Axis, ...]]]
) -> None:
    """What an index says about the axis that it walks; a `computed` tensor has the dims that we choose."""
    plain = named.get(_plain(index))
    if (plain is not None and make_one(axis, plain)) or index.value is not None:
        return
    parts = _digits(axis.size, index, named)
    if parts is not None:
        apart.append((axis, parts))
    elif computed:
        representative(axis).rigid = True


def _plain(index: Expr) -> str:
    """The name that the index is; "" where it is something else."""
    terms = index.terms
    return terms[0][0][0] if len(terms) == 1 and terms[0][1] == 1 and len(terms[0][0]) == 1 else ""


def _digits(size: Expr, index: Expr, named: Mapping[str, Axis]) -> tuple[Axis, ...] | None:
    """The dims that an index has as its digits, `d0, d1` of `6 * d0 + d1`, if they count up to `size`. The lowest
    digit may be a number: `2 * d0 + 1`."""
    steps = {name: index.coefficient(name) for name in index.names if name in named}
    digits: list[Axis] = []
    reach = Expr.constant(1)
    while steps:
        name = next((n for n, step in steps.items() if step == reach), None)
        if name is None:
            if digits or len(steps) > 1:
                return None
            (gap,) = steps.values()
            if gap is None or gap.value is None or gap.value < 2:
                return None
            digits.append(Axis(gap))
            reach = gap
            continue
        del steps[name]
        digits.append(named[name])
        reach = reach * named[name].size
    return tuple(reversed(digits)) if reach == size else None


def _exprs(inner: Operation) -> tuple[Expr, ...]:
    """The index expressions of a body op."""
    if isinstance(inner, Load):
        return (*inner.where.indices, *inner.where.guards)
    if isinstance(inner, Index):
        return (inner.value,)
    return inner.guards.data if isinstance(inner, Inside) else ()


def _quotients(expr: Expr, named: Mapping[str, Axis]) -> Iterator[tuple[Axis, tuple[Axis, ...]]]:
    """The dims that quotients by a divisor of their size take apart."""
    for atom in expr.atoms:
        parts = split_quotient(atom)
        if parts is None or parts[2].names & named.keys():
            continue
        for name in sorted(parts[1].names & named.keys()):
            step = parts[1].coefficient(name)
            size = exact_quotient(named[name].size, parts[2])
            if size is not None and step is not None and step.value == 1:
                yield named[name], (Axis(size), Axis(parts[2]))


def _is_between_loops(reshape: Reshape) -> bool:
    """Whether generics walk both sides of a reshape. Otherwise the other shape of the memory is all that is needed:
    for what has only this shape, or gets it for what is no loop."""
    source = reshape.args[0]
    if not any(isinstance(use.operation, Load) for use in reshape.res.uses):
        return False
    return isinstance(source.owner, Generic) or sum(1 for _ in source.uses) > 1


def _relate_reshape(op: Reshape, axes: Axes) -> None:
    source, target = axes.of(op.args[0]), axes.of(op.res)
    position = 0
    for group, width in reshape_groups(shape_of(op.args[0]), shape_of(op.res)):
        align([source[k] for k in group], target[position : position + width])
        position += width


# ---- rewriting ------------------------------------------------------------------------
def _refine(op: Generic, domain: tuple[Axis, ...]) -> None:
    """Walk the smallest parts of the dims; loads read refined tensors as they are now."""
    parts = [leaves([axis]) for axis in domain]
    sizes = tuple(part.size for found in parts for part in found)
    changed = sizes != op.sizes
    views = [load for load in op.loads() if isinstance(load.tensor.owner, Reshape)]
    if not changed and not views:
        return
    extents = dict(zip(dim_names(len(sizes)), sizes, strict=True))
    fresh = iter(extents)
    names = {dim: tuple(next(fresh) for _ in found) for dim, found in zip(op.dims, parts, strict=True)}
    if changed:
        dims = {dim: _index(found, extents) for dim, found in names.items()}
        for inner in ops_of(op.block):
            _substitute(inner, lambda e: within(e.substitute(dims), extents))
    for load in views:
        _read_root(load, extents)
    if changed:
        _replace(op, extents, names)


def _index(names: Sequence[str], extents: Mapping[str, Expr]) -> Expr:
    """The row-major index that the dims have together."""
    index = ZERO
    for name in names:
        index = index * extents[name] + Expr.symbol(name)
    return index


def _substitute(inner: Operation, change: Callable[[Expr], Expr]) -> None:
    """Change every index expression of a body op."""
    if isinstance(inner, Load):
        where = Where(tuple(map(change, inner.where.indices)), tuple(map(change, inner.where.guards)))
        inner.properties["access"] = Access(where)
    elif isinstance(inner, Index):
        inner.properties["expr"] = Dims((change(inner.value),))
    elif isinstance(inner, Inside):
        inner.properties["guards"] = Dims(tuple(map(change, inner.guards.data)))


def _root(value: SSAValue) -> SSAValue:
    """The tensor behind reshapes."""
    while isinstance(value.owner, Reshape):
        value = value.owner.args[0]
    return value


def _read_root(load: Load, extents: Mapping[str, Expr]) -> None:
    """Let a load read the tensor behind the reshapes, where that takes no quotients."""
    root, shape = _root(load.tensor), shape_of(load.tensor)
    empty = [e for e, size in zip(load.where.indices, shape, strict=True) if size.value == 0]
    if empty:  # no element is ever read
        indices = (empty[0],) * len(shape_of(root))
    else:
        indices = reshape_indices(shape_of(root), shape, load.where.indices)
        indices = tuple(within(e, extents) for e in indices)
    if divides_an_index(indices):
        return
    kept = [k for k in range(len(load.indices)) if any(f"i{k}" in e.names for e in indices)]
    order = {f"i{k}": Expr.symbol(f"i{position}") for position, k in enumerate(kept)}
    guard = () if load.guard is None else (load.guard,)
    load.operands = [root, *(load.indices[k] for k in kept), *guard]
    load.properties["access"] = Access(Where(tuple(e.substitute(order) for e in indices), load.where.guards))


def _replace(op: Generic, extents: Mapping[str, Expr], names: Mapping[str, tuple[str, ...]]) -> None:
    """The generic over its new domain; where a result has other dims now, a reshape gives the ones it had."""
    gives: list[Result] = []
    types = [out.type for out in op.outs]
    for k, (out, result) in enumerate(zip(op.outs, op.results_given, strict=True)):
        if result.is_scatter:
            gives.append(result.substitute({dim: _index(found, extents) for dim, found in names.items()}))
            continue
        found = [name for e in result.indices for name in names.get(str(e), ())]
        gives.append(Result(result.kind, tuple(map(Expr.symbol, found))))
        types[k] = tensor_type(scalar_of(out), tuple(extents[name] for name in found))
    new = Generic.of(tuple(extents.values()), gives, types, op.regions[0].detach_block(0), tuple(op.inits))
    new.location = op.location
    block = block_of(op)
    block.insert_op_before(new, op)
    for old, out in zip(op.outs, new.outs, strict=True):
        out.name_hint = old.name_hint
        value: SSAValue = out
        if out.type != old.type:
            view = Reshape.to(out, shape_of(old))
            block.insert_op_before(view, op)
            value = view.res
        old.replace_all_uses_with(value)
    erase(op)
