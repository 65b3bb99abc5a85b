"""`form-kernels`: generics that share their outer dims run as one loop nest."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Block, Operation, SSAValue
from xdsl.passes import ModulePass

from ...dialects.expr import Expr
from ...dialects.ir import block_of, ops_of
from ...dialects.weld.generic import Generic, Yield
from ...dialects.weld.kernel import Kernel
from ...dialects.weld.types import bytes_of
from ..expected import expected_sizes
from ..remarks import Decision, Reason, describe, record
from .chunks import STRIDED
from .dependencies import Dependencies
from .graph import functions, sort_block, top_level
from .groups import Group, is_part
from .joining import Edges, Fit, Fitting, Rows, is_shared, merge, roles
from .merge import copy_ops, replace_generic
from .placement import Placement, place
from .profit import Choice, is_stream, streams_of
from .rows import assume
from .strides import Strides


@dataclass(frozen=True)
class FormKernels(ModulePass):
    """Group generics into kernels: row reductions with what follows them in the same row, and the small work beside.

    %m = generic over "n, 8" gives "max d0" {...}      %y = weld.kernel outer 1 after 0 {
    %y = generic over "n, 8" gives "write d0, d1" ->     %m = generic ... ; %y = generic ...
         { load %m "d0" ... }                            yield %y }
    """

    name = "form-kernels"
    row_bytes: int = 1 << 20
    """Largest static scratch of one outer iteration (the second-level cache)."""
    cache_bytes: int = 1 << 20
    """What is read in long steps does not stay in cache from one row to the next if it is more than that."""
    last_cache_bytes: int = 1 << 22
    """What a thread has of the last-level cache; an array of up to half of it may be read in long steps."""
    max_streams: int = 16
    """Kernels with more tensors than this are not grown."""
    choice: str = "profit"
    """Who decides about what is legal, see `Choice`; "never" puts each generic into a kernel of its own."""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in functions(op):
            strides = Strides(expected_sizes(function), self.cache_bytes // STRIDED, self.last_cache_bytes // 2)
            form_kernels(function.body.block, self, strides)
            assume(function, strides.assumed)
            sort_block(function.body.block)


def form_kernels(block: Block, options: FormKernels, strides: Strides) -> None:
    forming = _Forming(block, options, strides)
    forming.follow_results()
    forming.share_inputs()
    forming.emit()


class _Forming:
    """The groups of a block: each generic is one at first, and groups join as long as one loop nest can run them."""

    def __init__(self, block: Block, options: FormKernels, strides: Strides):
        self.options = options
        self.strides = strides
        self.choice = Choice(options.choice)
        self.order: dict[Operation, int] = {op: k for k, op in enumerate(ops_of(block))}
        self.generics = [op for op in self.order if isinstance(op, Generic)]
        self.groups = {op: Group.of(op) for op in self.generics}
        self.edges = Edges()
        for op in self.generics:
            self.edges.add(op)
        self.dependencies = Dependencies()
        self.names: dict[Generic, str] = {}

    # ---- who joins whom ------------------------------------------------------------
    def follow_results(self) -> None:
        """Join each generic, in order, with the groups whose results it uses, the latest ones first."""
        for op in self.order:
            self.dependencies.add(op)
            if not isinstance(op, Generic):
                continue
            refused: dict[Group, Reason] = {}
            todo = {e.producer for e in self.edges.into[op]}
            while todo:
                producer = max(todo, key=self.order.__getitem__)
                todo.remove(producer)
                earlier = self.groups[producer]
                if earlier is self.groups[op] or earlier in refused:
                    continue
                refusing = earlier.refusing
                found = self._join(earlier, self.groups[op])
                if isinstance(found, Reason):
                    refused[earlier] = found
                    self.groups[op].refusing.append(producer)
                elif found is Rows.SECOND:
                    todo.update(refusing)  # beside these rows they may be small too
            self._note_refusals(op, refused)

    def share_inputs(self) -> None:
        """Join groups that read the same tensor.

        Checks of indices meet the gathers and scatters that they are about here. Such a kernel writes results before
        its check is complete, which is right: a program with checks runs into memory that nobody sees until they
        have passed, or, where results replace arguments, the checks run first as a program of their own.
        """
        readers: dict[SSAValue, list[Generic]] = {}
        for op in self.generics:
            for tensor in dict.fromkeys(load.tensor for load in op.loads()):
                readers.setdefault(tensor, []).append(op)
        asked: set[tuple[Group, Group]] = set()
        for tensor, ops in readers.items():
            for k, op in enumerate(ops):
                untried = self.choice.not_tried(ops, k)
                if untried is not None and self.groups[untried] is not self.groups[op]:
                    self._note(untried, op, False, Reason.TOO_MANY_READERS, bytes_of(tensor))
                for other in self.choice.neighbours(ops, k):
                    pair = self.groups[other], self.groups[op]
                    if pair[0] is pair[1] or pair in asked or self.edges.between(*pair):
                        continue
                    asked.add(pair)
                    found = self._join(*pair, tensor)
                    reason = found if isinstance(found, Reason) else Reason.SHARED_INPUT
                    self._note(other, op, reason is Reason.SHARED_INPUT, reason, bytes_of(tensor))

    # ---- joining -------------------------------------------------------------------
    def _join(self, a: Group, b: Group, shared: SSAValue | None = None) -> Rows | Reason:
        """Make two groups one and say whose rows are the rows, or say why not. Where all they have in common is the
        input `shared`, they join only if it is read once then."""
        if self.dependencies.apart(a.main, b.main):
            return Reason.DEPENDENCY_CYCLE
        cross = self.edges.between(a, b)
        streams = _streams(a, b) - {e.tensor for e in cross if not self._is_needed(e.tensor, a, b)}
        many = _count(streams, a, b) > max(self.options.max_streams, _count(a.streams, a), _count(b.streams, b))
        reason = self.choice(Reason.TOO_MANY_STREAMS if many else None)
        if reason is not None:
            return reason
        refusal: Reason | None = None
        for rows, loss in roles(a, b).items():
            reason = self.choice(loss)
            if reason is not None:
                refusal = refusal or reason
                continue
            fit = Fitting(a, b, rows, self.edges, cross).find()
            refusal = fit if isinstance(fit, Reason) else self.choice(self._loss(fit, a, b, shared))
            if not isinstance(fit, Reason) and refusal is None:
                self._merge(a, b, fit, streams)
                return rows
        assert refusal is not None, "there is always a role"
        return refusal

    def _loss(self, fit: Fit, a: Group, b: Group, shared: SSAValue | None) -> Reason | None:
        """Why two groups are better two kernels, or None."""
        if sum(fit.kept.values()) > self.options.row_bytes:
            return Reason.ROW_TOO_LARGE
        if fit.stored:
            return Reason.STORES_ROWS
        if self._walks_in_steps(fit, a, b):
            return Reason.LONG_STEPS
        return None if shared is None or is_shared(fit, a, b, shared) else Reason.NO_SHARED_OUTER_DIM

    def _walks_in_steps(self, fit: Fit, a: Group, b: Group) -> bool:
        """Whether rows would share a loop only for single values that they give each other, and walk through memory in
        long steps for it."""
        outer = {op: {loop.dim(op) for loop in fit.loops if loop.has(op)} for op in (*a, *b) if fit.is_row(op, a, b)}
        flows = [e for op in outer for e in self.edges.into[op] if e.producer in outer]
        if not flows or any(n not in outer[e.producer] for e in flows for i in e.result.indices for n in i.names):
            return False
        return any(self.strides.are_slow(op, outer[op]) for op in outer)

    def _is_needed(self, tensor: SSAValue, a: Group, b: Group) -> bool:
        """Whether anything but the two groups uses the tensor."""
        users = (top_level(use.operation, block_of(a.main)) for use in tensor.uses)
        return not all(user in a or user in b for user in users)

    def _merge(self, a: Group, b: Group, fit: Fit, streams: set[SSAValue]) -> None:
        self.dependencies.merge(a.main, b.main)
        moved = list(b if len(a) >= len(b) else a)
        merged = merge(a, b, fit)
        merged.streams = streams
        self.groups |= dict.fromkeys(moved, merged)

    def _suits(self, group: Group) -> Callable[[str], bool]:
        """Whether the main row may be cut along a dim without long steps inside."""
        main = group.main
        return lambda dim: self.choice(Reason.LONG_STEPS if self.strides.are_long(main, {dim}) else None) is None

    # ---- kernels -------------------------------------------------------------------
    def emit(self) -> None:
        """Put a kernel in the place of each group."""
        placements = [
            place(group, self.edges, self.order, self.options.row_bytes, self._suits(group))
            for group in dict.fromkeys(self.groups[op] for op in self.generics)
        ]
        placements.sort(key=lambda p: max(self.order[op] for op in p.members))
        for number, placement in enumerate(placements):
            self._note_fused(placement)
            _emit(placement, number)

    # ---- decisions -----------------------------------------------------------------
    def _note_fused(self, placement: Placement) -> None:
        where = dict.fromkeys(placement.before, Reason.SMALL_PROLOGUE)
        where |= dict.fromkeys(placement.inside, Reason.ROW_RESULT)
        where |= dict.fromkeys(placement.after, Reason.SMALL_EPILOGUE)
        for op in placement.members:
            for edge in self.edges.into[op]:
                if edge.producer in where:
                    reason = where[op] if where[op] is Reason.SMALL_EPILOGUE else where[edge.producer]
                    self._note(edge.producer, op, True, reason, bytes_of(edge.tensor) * 2)

    def _note_refusals(self, op: Generic, refused: Mapping[Group, Reason]) -> None:
        for edge in self.edges.into[op]:
            reason = refused.get(self.groups[edge.producer])
            if reason is not None:
                self._note(edge.producer, op, False, reason, bytes_of(edge.tensor) * 2)

    def _note(self, producer: Generic, consumer: Generic, fused: bool, reason: Reason, saved: Expr) -> None:
        record(Decision(self._name(producer), self._name(consumer), fused, reason, str(saved), consumer.location))

    def _name(self, op: Generic) -> str:
        if op not in self.names:
            self.names[op] = describe(op)
        return self.names[op]


def _streams(a: Group, b: Group) -> set[SSAValue]:
    """Those of two groups as one: what only rows with less dims walk stays the same in the innermost loop."""
    if is_part(a.main.sizes, b.main.sizes):
        return b.streams
    return a.streams if is_part(b.main.sizes, a.main.sizes) else a.streams | b.streams


def _count(tensors: Iterable[SSAValue], *groups: Group) -> int:
    """The streams of a kernel: some of the tensors are results of its groups."""
    return sum(streams_of(t) if any(t.owner in group for group in groups) else is_stream(t) for t in tensors)


def _emit(placement: Placement, number: int) -> None:
    """Replace the members by one kernel op behind the last of them."""
    last = placement.last
    block, marker, location = block_of(last), last.next_op, last.location
    body = Block()
    for op in placement.members:
        member = permuted(op, placement.outer.get(op, []))
        member.detach()
        body.add_op(member)
    members = [op for op in ops_of(body) if isinstance(op, Generic)]
    results: list[SSAValue] = [
        out for member in members for out in member.outs if any(not _is_in(use.operation, body) for use in out.uses)
    ]
    body.add_op(Yield.create(operands=results))
    outer = len(next(iter(placement.outer.values())))
    kernel = Kernel.of(
        _name(number, members),
        body,
        [r.type for r in results],
        outer=outer,
        before=len(placement.before),
        after=len(placement.after),
    )
    kernel.location = location
    if marker is None:
        block.add_op(kernel)
    else:
        block.insert_op_before(kernel, marker)
    for inner, result in zip(results, kernel.outs, strict=True):
        result.name_hint = inner.name_hint
        inner.replace_uses_with_if(result, lambda use: not _is_in(use.operation, body))


def _is_in(op: Operation, body: Block) -> bool:
    """Whether `op` stands in the block or in an op of it."""
    current: Operation | None = op
    while current is not None and current.parent is not body:
        current = current.parent_op()
    return current is not None


def _name(number: int, members: list[Generic]) -> str:
    text = describe(max(members, key=lambda m: len(ops_of(m.block))))
    return f"k{number}_" + "".join(c if c.isalnum() else "_" for c in text.replace("...", "")).strip("_")


def permuted(op: Generic, first: list[str]) -> Generic:
    """The generic with the dims named in `first` moved to the front (all dims renamed in order)."""
    order = first + [d for d in op.dims if d not in first]
    if tuple(order) == op.dims:
        return op
    names = {old: Expr.symbol(new) for old, new in zip(order, op.dims, strict=True)}
    sizes = dict(zip(op.dims, op.sizes, strict=True))
    body = Block()
    end = Yield.create()
    body.add_op(end)
    copies = copy_ops([o for o in ops_of(op.block) if not isinstance(o, Yield)], names, end)
    end.operands = [copies.get(v, v) for v in op.terminator.operands]
    moved = Generic.of(
        tuple(sizes[d] for d in order),
        [g.substitute(names) for g in op.results_given],
        [o.type for o in op.outs],
        body,
        tuple(op.inits),
        tuple(g.substitute(names) for g in op.guards),
    )
    replace_generic(op, moved, op.outs)
    return moved
