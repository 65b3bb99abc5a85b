"""`order-domains`: loops walk their dims in the order of the memory behind them, and so do the tensors between them.

    %x = weld.transpose %base : (m, n) -> (n, m)         %0 = weld.generic over "m, n" gives "write d0, d1" {
    %y = weld.generic over "n, m" gives "write d0, d1" {   %1 = weld.load %base "d0, d1"
      %1 = weld.load %base "d1, d0"                   ->   %2 = weld.exp %1 ... }
      %2 = weld.exp %1 ... }                             %y = weld.transpose %0 : (m, n) -> (n, m)

Arguments, results of calls, and what has to stay row-major say which of two dims comes first, each with its bytes; the
heavier side wins, and without one the loop stays as it is. The view that gives a tensor its own order back is for
whoever is no loop; `func.return` takes it in functions whose results may have any layout (`weld.any_layout`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, combinations, product
from typing import TypeAlias

from xdsl.context import Context
from xdsl.dialects.builtin import DictionaryAttr, IntegerAttr, ModuleOp
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass

from ..dialects.expr import Expr, product_of
from ..dialects.ir import block_of, erase, ops_of
from ..dialects.weld.attributes import Access, Dims, Where
from ..dialects.weld.generic import Generic, dim_names
from ..dialects.weld.recurrence import Recurrence
from ..dialects.weld.types import byte_width, scalar_of, shape_of, tensor_type
from ..dialects.weld.views import Reshape, Transpose, reshape_groups
from .fusion.graph import functions
from .fusion.merge import substituted

TYPICAL = 1024
"""What a size counts as, where bytes are compared and nothing is known of it."""

MUST = 1e30
"""More bytes than there are: what an order weighs that nothing may change."""

Node: TypeAlias = tuple[Generic | SSAValue, int]
"""A dim of a generic's domain, or an axis of a tensor."""
Order: TypeAlias = tuple[int, ...]
"""Axes in the order of memory or of loops, outermost first."""


@dataclass(frozen=True)
class OrderDomains(ModulePass):
    """Permute the domains of generics, and the axes of what they write, into the order of memory."""

    name = "order-domains"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in functions(op):
            order_function(function)


def order_function(function: FuncOp) -> None:
    """Order every generic of a function."""
    block = function.body.block
    generics = [op for op in ops_of(block) if isinstance(op, Generic)]
    if all(map(_is_straight, generics)):
        return
    dims = _Dims(function, generics)
    for op, order in [(op, dims.order(op)) for op in generics]:
        _read_through(op)
        if order != tuple(range(len(order))):
            _reorder(op, order, dims.free)
    for op in reversed(ops_of(block)):
        if isinstance(op, Transpose) and not op.res.uses:
            erase(op)


def _is_straight(op: Generic) -> bool:
    """Whether every access has the dims in the order of the loops."""
    dims = op.dims
    for _, indices in _accesses(op):
        used = [k for index in indices for k in _dims_of(index, dims)]
        if used != sorted(used):
            return False
    return True


# ---- which dim comes first ------------------------------------------------------------
@dataclass
class _Before:
    """Which of two dims is the outer one, as far as that is settled; never both."""

    inner: dict[Node, set[Node]] = field(default_factory=lambda: defaultdict(set))
    outer: dict[Node, set[Node]] = field(default_factory=lambda: defaultdict(set))

    def settle(self, a: Node, b: Node) -> None:
        """Let `a` be outside `b`, unless it is inside already."""
        if a in self.inner[b]:
            return
        outer, inner = {a, *self.outer[a]}, {b, *self.inner[b]}
        for node in outer:
            self.inner[node] |= inner
        for node in inner:
            self.outer[node] |= outer


class _Dims:
    """The dims of a function's generics: which are one, and which the memory wants outside which."""

    def __init__(self, function: FuncOp, generics: Sequence[Generic]):
        self.generics = generics
        self.expected = function.attributes.get("weld.expected")
        self.same: dict[Node, Node] = {}
        any_layout = "weld.any_layout" in function.attributes
        self.free: set[SSAValue] = {out for op in generics for out in op.outs if _is_free(op, out, any_layout)}
        """The tensors whose axes may have any order in memory."""
        for op in generics:
            self._relate(op)
        self.before = _Before()
        for (a, b), weight in sorted(self._votes().items(), key=lambda vote: -vote[1]):
            if weight > 0:
                self.before.settle(a, b)

    def _relate(self, op: Generic) -> None:
        """A dim and the axis that it alone walks are one, whatever the step."""
        for tensor, indices in _accesses(op):
            for axis, index in enumerate(indices):
                used = _dims_of(index, op.dims)
                if len(used) == 1:
                    self._unite((op, used[0]), (tensor, axis))

    def _unite(self, a: Node, b: Node) -> None:
        a, b = self.find(a), self.find(b)
        if a != b:
            self.same[a] = b

    def find(self, node: Node) -> Node:
        """What stands for the node and all that are one with it."""
        while (up := self.same.get(node)) is not None:
            self.same[node] = node = self.same.get(up, up)
        return node

    def _votes(self) -> dict[tuple[Node, Node], float]:
        """For two dims the bytes of memory that has the first one outside, less those that have it inside."""
        votes: dict[tuple[SSAValue | Generic, Node, Node], float] = {}
        for op in self.generics:
            nodes = [self.find((op, k)) for k in range(len(op.sizes))]
            for tensor, indices in _accesses(op):
                if tensor in self.free:
                    continue
                steps = [[nodes[k] for k in _dims_of(e, op.dims)] for e in _moving(tensor, indices)]
                pairs = (product(outer, inner) for outer, inner in combinations(steps, 2))
                votes |= dict.fromkeys(((tensor, a, b) for a, b in chain(*pairs)), self._bytes(tensor))
            if _is_ordered(op):
                votes |= dict.fromkeys(((op, a, b) for a, b in combinations(nodes, 2)), MUST)
        found: dict[tuple[Node, Node], float] = defaultdict(float)
        for (_, a, b), weight in votes.items():
            if a != b:
                found[a, b] += weight
        return {(a, b): weight - found.get((b, a), 0.0) for (a, b), weight in found.items()}

    def _bytes(self, tensor: SSAValue) -> float:
        def size(name: str) -> int:
            known = self.expected.data.get(name) if isinstance(self.expected, DictionaryAttr) else None
            return int(known.value.data) if isinstance(known, IntegerAttr) else TYPICAL

        return product_of(shape_of(tensor)).evaluate(size) * byte_width(scalar_of(tensor))

    def order(self, op: Generic) -> Order:
        """The op's dims, those that have to be outside others first, and else as they are."""
        nodes = [self.find((op, k)) for k in range(len(op.sizes))]
        rest = list(range(len(nodes)))
        found: list[int] = []
        while rest and not _is_ordered(op):
            outer = next(k for k in rest if not any(nodes[k] in self.before.inner[nodes[j]] for j in rest))
            rest.remove(outer)
            found.append(outer)
        return (*found, *rest)


def _accesses(op: Generic) -> Iterator[tuple[SSAValue, tuple[Expr, ...]]]:
    for load in op.loads():
        yield load.tensor, load.where.indices
    for out, result in zip(op.outs, op.results_given, strict=True):
        yield out, result.indices


def _dims_of(index: Expr, dims: Sequence[str]) -> list[int]:
    """The numbers of the dims in an index."""
    names = index.names
    return [k for k, d in enumerate(dims) if d in names]


def _moving(tensor: SSAValue, indices: tuple[Expr, ...]) -> tuple[Expr, ...]:
    """The indices without those of axes along which an argument stands still: all their elements are one."""
    function = tensor.owner.parent_op() if not isinstance(tensor.owner, Operation) else None
    if not isinstance(function, FuncOp) or function.arg_attrs is None:
        return indices
    position = function.body.block.args.index(tensor)
    strides = function.arg_attrs.data[position].data.get("weld.strides")
    if not isinstance(strides, Dims):
        return indices
    return tuple(e for e, stride in zip(indices, strides.data, strict=True) if stride.value != 0)


def _is_ordered(op: Generic) -> bool:
    """Whether the order of the op's points is part of what it means, or a dim ends where another one says."""
    return bool(op.guards) or any(r.is_scatter for r in op.results_given)


def _is_free(op: Generic, out: SSAValue, any_layout: bool) -> bool:
    """Whether the axes of a result may have any order in memory: not where a scatter or a recurrence takes it, and
    not where the caller expects rows."""
    if _is_ordered(op) or len(shape_of(out)) < 2:
        return False
    users = [use.operation for use in out.uses]
    users += [use.operation for view in users if isinstance(view, Reshape) for use in view.res.uses]
    fixed = (Generic, Recurrence) if any_layout else (Generic, Recurrence, ReturnOp)
    return not any(isinstance(user, fixed) for user in users)


# ---- rewriting ------------------------------------------------------------------------
def _read_through(op: Generic) -> None:
    """Let the loads read what is behind transposes."""
    for load in op.loads():
        while isinstance(view := load.tensor.owner, Transpose):
            where = Where(view.where(load.where.indices).indices, load.where.guards)
            load.operands = [view.args[0], *load.operands[1:]]
            load.properties["access"] = Access(where)


def _reorder(op: Generic, order: Order, free: set[SSAValue]) -> None:
    """The generic with its dims in this order; the axes of free results follow."""
    sizes = tuple(op.sizes[k] for k in order)
    dims = {op.dims[k]: Expr.symbol(name) for k, name in zip(order, dim_names(len(order)), strict=True)}
    for inner in ops_of(op.block):
        inner.properties |= substituted(inner, dims)
    gives = [r.substitute(dims) for r in op.results_given]
    types = [out.type for out in op.outs]
    layouts: list[Order] = []
    for k, (out, result) in enumerate(zip(op.outs, gives, strict=True)):
        axes = tuple(range(len(result.indices)))
        layout = tuple(sorted(axes, key=lambda axis, r=result: _dim(r.indices[axis]))) if out in free else axes
        if not all(_follows(use.operation, layout) for use in out.uses):
            layout = axes
        layouts.append(layout)
        gives[k] = type(result)(result.kind, tuple(result.indices[axis] for axis in layout))
        types[k] = tensor_type(scalar_of(out), tuple(shape_of(out)[axis] for axis in layout))
    new = Generic.of(sizes, gives, types, op.regions[0].detach_block(0), tuple(op.inits))
    new.location = op.location
    block_of(op).insert_op_before(new, op)
    for old, out, layout in zip(op.outs, new.outs, layouts, strict=True):
        out.name_hint = old.name_hint
        _replace(old, out, layout, op)
    erase(op)


def _dim(index: Expr) -> int:
    """The number of the dim that a result's index is; -1 for an axis of size 1."""
    return int(str(index)[1:]) if index.names else -1


def _follows(user: Operation, layout: Order) -> bool:
    return not isinstance(user, Reshape) or _reshaped(user, layout) is not None


def _reshaped(view: Reshape, layout: Order) -> Order | None:
    """The layout of a reshape of memory whose axes have a layout; None where its elements are then in another order.

    Axes that a reshape puts together have to be neighbours, as they were.
    """
    found: list[tuple[int, tuple[int, ...]]] = []
    position, place = 0, -1
    for group, width in reshape_groups(shape_of(view.args[0]), shape_of(view.res)):
        if group:
            place = layout.index(group[0])
            if layout[place : place + len(group)] != tuple(group):
                return None
        found.append((place, tuple(range(position, position + width))))
        position += width
    return tuple(axis for _, axes in sorted(found) for axis in axes)


def _replace(old: SSAValue, new: SSAValue, layout: Order, before: Operation) -> None:
    """Give the users of `old` a view of `new`, whose axes are those of `old` in the order `layout`."""
    if layout == tuple(range(len(layout))):
        old.replace_all_uses_with(new)
        return
    for view in [use.operation for use in old.uses]:
        if isinstance(view, Reshape):
            after = _reshaped(view, layout)
            assert after is not None
            reshape = Reshape.to(new, tuple(shape_of(view.res)[axis] for axis in after))
            block_of(view).insert_op_before(reshape, view)
            view.res.replace_all_uses_with(_in_order(reshape.res, after, view))
            erase(view)
    old.replace_all_uses_with(_in_order(new, layout, before))


def _in_order(value: SSAValue, layout: Order, before: Operation) -> SSAValue:
    """A view with the axes in their own order of a value that has them in the order `layout`."""
    view = Transpose.of(value, [layout.index(axis) for axis in range(len(layout))])
    view.location = before.location
    block_of(before).insert_op_before(view, before)
    return view.res
