"""`expand-updates`: one update for each row of a computed tensor is a choice at each of its points.

    %y = weld.scatter %x, %u, iota, %i   ->   %hit = weld.eq iota {axis = 1}, broadcast(%i) : tensor<nxmxi64>
         {axes = [0, 1], kind = "add"}        %y = weld.select %hit, weld.add %x, broadcast(%u), %x : tensor<nxmxf32>

Fused, what computes `%x` and what uses `%y` are one loop; a scatter needs all of `%x` in memory. Every element has at
most one update, which it takes in the same way, so no bit changes. What an update computes from the element that it is
for, as `x[rows, i] -= 1` does, is computed from `%x` at the point: a gather would keep the scatter out of its memory.
"""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass

from ..dialects.expr import Expr
from ..dialects.ir import block_of, erase, erase_dead, ops_of
from ..dialects.weld.assembly import Iota, Pad
from ..dialects.weld.attributes import Where
from ..dialects.weld.base import ELEMENTWISE, Builder, Elementwise
from ..dialects.weld.constant import Size, splat_of
from ..dialects.weld.generic import dim_exprs
from ..dialects.weld.indexing import SCATTER_KINDS, Gather, Indexed, Scatter
from ..dialects.weld.reductions import Reduction
from ..dialects.weld.types import I64, bytes_of, kind_of, scalar_of, shape_of, tensor_type
from ..dialects.weld.views import Broadcast, Transpose, View
from .fusion.graph import functions
from .points import look_through
from .products import is_computed
from .remarks import Reason, note

MOST_COST = 8
"""Instructions that each point may spend on what only the updates need."""


@dataclass(frozen=True)
class ExpandUpdates(ModulePass):
    """Choose between an element and its update, where a loop computes the elements and each has at most one update."""

    name = "expand-updates"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in functions(op):
            for inner in ops_of(function.body.block):
                if isinstance(inner, Scatter) and pays(inner):
                    _expand(inner)


# ---- whether it pays ---------------------------------------------------------------------
def pays(op: Scatter) -> bool:
    """Whether loops compute the start, and the scatter would be one more walk over it: a loop goes on with the
    result, or something else uses the start, which a scatter must copy then."""
    start = op.args[0]
    if splat_of(start) is not None:
        return _is_traversed(op.res)
    return is_computed(start) and (_is_traversed(op.res) or any(use.operation is not op for use in start.uses))


def _is_traversed(value: SSAValue) -> bool:
    """Whether a loop over all elements uses the value."""
    return any(
        isinstance(user := use.operation, Elementwise | Reduction)
        or (isinstance(user, View) and _is_traversed(user.res))
        for use in value.uses
    )


# ---- whether it is right -----------------------------------------------------------------
def places_of(op: Indexed) -> tuple[Expr | SSAValue, ...]:
    """Where an update goes: for each dim of the start a dim of the updates' domain, or an index tensor."""
    rank, at = len(shape_of(op.index_operands[0])), op.position
    dims = dim_exprs(len(op.gathered_shape()))
    kept = iter(dims[:at] + dims[at + rank :])
    indices = dict(zip(op.indexed, op.index_operands, strict=True))
    axes = range(len(shape_of(op.args[0])))
    return tuple(_counted(indices[k], dims[at : at + rank]) if k in indices else next(kept) for k in axes)


def _counted(index: SSAValue, dims: tuple[Expr, ...]) -> Expr | SSAValue:
    """What an index that counts is at the point `dims`; any other one itself."""
    source, where = look_through(index, Where(dims))
    if not isinstance(source.owner, Iota) or where.guards:
        return index
    return where.indices[int(source.owner.axis.value.data)]


def row_dim(op: Scatter) -> int | None:
    """The one dim of the start that a value indexes, where the others are the dims of the updates, each of them once:
    then no two updates have one element. None for any other scatter."""
    places = places_of(op)
    chosen = [k for k, place in enumerate(places) if isinstance(place, SSAValue)]
    if len(chosen) != 1:
        return None
    dims = [place for place in places if isinstance(place, Expr)]
    is_once = sorted(map(str, dims)) == sorted(map(str, dim_exprs(len(op.gathered_shape()))))
    return chosen[0] if is_once else None


# ---- how it is done ----------------------------------------------------------------------
def _expand(op: Scatter) -> None:
    axis, kind = row_dim(op), _combination(op)
    if axis is None or (kind is None and op.kind.data != "set"):
        return  # `fuse-producers` says what a scatter is kept apart for
    start, updates, *_ = operands = list(op.args)
    at_points = _needing_elements(op)
    producer, saved = start.owner, str(bytes_of(start) * 2)
    assert isinstance(producer, Operation)
    if sum(inner.cost for inner in at_points) > MOST_COST:
        note(producer, op, False, Reason.RECOMPUTES_EXPENSIVE, saved)
        return
    note(producer, op, True, Reason.SELECTED_UPDATE, saved)
    points = _Points(op, axis)
    for inner in at_points:
        points.compute(inner)
    new = points.value(updates) if kind is None else points.b.build(kind, start, points.value(updates))
    op.res.replace_all_uses_with(points.b.select(points.hit(), new, start))
    erase(op)
    erase_dead(operands)


def _combination(op: Scatter) -> type[Elementwise] | None:
    """What combines an element with its update; None for "set", and where no op does."""
    ufunc, element = SCATTER_KINDS.get(op.kind.data), kind_of(scalar_of(op.res))
    kinds = [cls for cls in ELEMENTWISE.values() if ufunc is not None and cls.numpy is ufunc and element in cls.kinds]
    return kinds[0] if kinds else None


def _needing_elements(op: Scatter) -> list[Elementwise]:
    """The ops of the updates that use the elements that these are for, in their order."""
    used: set[Operation] = set()
    stack = [op.args[1].owner]
    while stack:
        current = stack.pop()
        if isinstance(current, Elementwise) and current not in used:
            used.add(current)
            stack += [v.owner for v in current.operands]
    found: dict[Operation, Elementwise] = {}
    for inner in ops_of(block_of(op)) if used else []:
        needs = inner in used and any(v.owner in found or _is_element(v, op) for v in inner.operands)
        if needs and isinstance(inner, Elementwise):
            found[inner] = inner
    return list(found.values())


def _is_element(value: SSAValue, op: Scatter) -> bool:
    """Whether these are the elements of the start that the updates are for."""
    gather = value.owner
    return isinstance(gather, Gather) and gather.args[0] is op.args[0] and places_of(gather) == places_of(op)


class _Points:
    """Values of a scatter's updates at the points of its start, of which dim `axis` is the one that a value indexes."""

    def __init__(self, op: Scatter, axis: int):
        self.op, self.axis = op, axis
        self.shape = shape_of(op.res)
        self.b = Builder(block_of(op), op, op.location)
        self.axis_of = {place: k for k, place in enumerate(places_of(op))}
        self.computed: dict[SSAValue, SSAValue] = {}

    def hit(self) -> SSAValue:
        """Whether a point is the one of its row that has the update; an index that is out of range is no point's."""
        b, index = self.b, self.op.index_operands[self.op.indexed.index(self.axis)]
        if self.op.in_range is None:
            size = b.insert(Size.of(self.shape[self.axis], tensor_type(I64, ()))).results[0]
            size = b.insert(Broadcast.to(size, shape_of(index), [])).results[0]
            index = b.select(b.lt(index, b.constant(0, index)), b.add(index, size), index)
        dims = dim_exprs(len(self.op.gathered_shape()))[self.op.position :][: len(shape_of(index))]
        return b.eq(b.insert(Iota.of(I64, self.shape, self.axis)).results[0], self._spread(index, dims, -1))

    def compute(self, op: Elementwise) -> None:
        """Make the value of an op of the updates at each point."""
        args = [self.value(v) for v in op.operands]
        cast = op.name == "weld.cast"
        self.computed[op.res] = self.b.cast(args[0], scalar_of(op.res)) if cast else self.b.build(type(op), *args)

    def value(self, value: SSAValue) -> SSAValue:
        """A value of the updates at each point: the element there, what is computed from it, or the same in a row."""
        if _is_element(value, self.op):
            return self.op.args[0]
        return self.computed.get(value) or self._spread(value, dim_exprs(len(shape_of(value))), 0)

    def _spread(self, value: SSAValue, dims: tuple[Expr, ...], fill: int) -> SSAValue:
        """A tensor over dims of the updates, repeated along the row; `fill` in the rows that have no update."""
        axes = [self.axis_of[d] for d in dims]
        order = sorted(range(len(axes)), key=axes.__getitem__)
        if axes != sorted(axes):
            value = self.b.insert(Transpose.of(value, order)).results[0]
        zero = Expr.constant(0)
        more = tuple(self.shape[k] - size for k, size in zip(sorted(axes), shape_of(value), strict=True))
        if any(amount != zero for amount in more):
            number = self.b.constant(fill, tensor_type(scalar_of(value), ()))
            value = self.b.insert(Pad.of(value, number, (zero,) * len(more), more)).results[0]
        return self.b.insert(Broadcast.to(value, self.shape, sorted(axes))).results[0]
