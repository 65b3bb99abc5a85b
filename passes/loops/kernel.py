"""One kernel as a function of explicit loops."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from xdsl.dialects.builtin import FunctionType, IntegerAttr, i64
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Attribute, Region, SSAValue

from ...dialects.expr import Expr
from ...dialects.loop.ops import Affine, For, Minimum, Yield
from ...dialects.loop.parallel import Parallel
from ...dialects.weld.generic import Generic
from ...dialects.weld.kernel import Kernel
from ...dialects.weld.types import I64, byte_width, scalar_of
from .blocks import Shelf, block_bounds, combine_blocks, fill_later_parts, part_home, stride_of
from .in_turns import put_in_turns
from .memory import KernelMemory, Scratch, is_row
from .nest import Nest, Tiles
from .plan import Place, Plan
from .prefetch import prefetch_columns
from .row_ends import FIRST, ROWS, RowEnds, choose_row_ends
from .row_tiles import choose_row_tiles
from .runs import Runs, Total, is_floating_sum, is_long, iterations
from .schedule import Member, Options, lanes_for, outer_vector, register_lanes, vector_dim
from .scopes import Frame, Scope
from .short_rows import ShortRow, choose_short_row, keep_in_step
from .split import Split, choose_split
from .starts import fill_with_identity, start_scatters
from .tiles import choose_tiling, fill_tiles, tile_home
from .values import Homes


@dataclass
class KernelFunction:
    """The function of a kernel and what its arguments are, in order."""

    name: str
    """The kernel's; the function has that of the first of the kernels that are equal."""
    function: FuncOp
    tensors: list[SSAValue]
    """Tensors from outside: inputs, constants, results of other kernels."""
    results: list[SSAValue]
    """The kernel's results."""
    scratch: list[Scratch]
    symbols: list[str]
    offsets: list[Expr] = field(default_factory=list[Expr])
    """From which elements on it takes the tensors, where that is not the first one."""

    def places(self, plan: Plan) -> list[Place]:
        """Where its tensors, results and scratch are in a plan."""
        found = [plan.places[v] for v in (*self.tensors, *self.results)]
        return found + plan.scratch_for([s.count * byte_width(s.element) for s in self.scratch])


def lower_kernel(
    kernel: Kernel, layouts: Mapping[SSAValue, tuple[Expr, ...]], options: Options, apart: Sequence[bool]
) -> KernelFunction:
    """`layouts` gives the strides in elements of every tensor outside, the results included; `apart` says of each
    result whether nothing that the kernel reads may be in its memory."""
    return _Lowering(kernel, layouts, options, apart).run()


class _Lowering:
    def __init__(
        self,
        kernel: Kernel,
        layouts: Mapping[SSAValue, tuple[Expr, ...]],
        options: Options,
        apart: Sequence[bool],
    ):
        self.given = kernel
        results = [layouts[out] for out in kernel.outs]
        self.tiling = choose_tiling(kernel, layouts, results)
        self.row_tiles = choose_row_tiles(kernel, layouts, results, options.bits) if self.tiling is None else None
        chosen = self.tiling or self.row_tiles
        kernel = chosen.kernel if chosen is not None else kernel
        self.kernel = kernel
        self.options = options
        self.bits = options.bits
        self.row: ShortRow | None = None
        self.in_step = False
        """Whether the code for short rows is being made."""
        self.ends: RowEnds | None = None
        """Members that are left to the ends of some short rows."""
        self.in_ends = False
        self.outer = kernel.outer_count
        self.looped = kernel.looped
        if self.row_tiles is not None:
            apart = [False] * len(apart)
        self.memory = KernelMemory(kernel, layouts, results, options.expected, apart)
        self.filled: set[SSAValue] = set()
        self.tiles: Tiles | None = None
        self.split: Split | None = None
        self.shelves: list[Shelf] = []
        self.parallel: Parallel | None = None
        """The loop over blocks that is open."""
        self.wide: dict[object, SSAValue] = {}

    @property
    def homes(self) -> Homes:
        return self.memory.homes

    def run(self) -> KernelFunction:
        block = self.memory.block
        self.vector = self._outer_vector()
        self.lanes = self._outer_lanes()
        self.memory.place_inside(self.lanes, self.vector is not None)
        if self.vector is None:
            plans = [self.memory.plan(m, self.outer) for m in self.looped]
            self.row = choose_short_row(plans, self.outer, self.options)
        self._tiles()
        self.memory.keep_best_values()
        self._split()
        symbols = self.memory.add_symbols()
        self.frame = self.outside = Frame([Scope(block)], {}, {}, symbols, self.lanes)
        self._prologue()
        start_scatters(self.memory, self.frame)
        self._blocks()
        self._leave_rows()
        for member in self.kernel.epilogue:
            self._member(member, self.frame, 0)
        block.add_op(ReturnOp())
        types, name = [a.type for a in block.args], self.kernel.sym_name.data
        function = FuncOp(name, FunctionType.from_lists(types, []), Region(block), visibility="private")
        function.location = self.kernel.location
        if self.vector is not None:
            function.attributes["loop.outer_lanes"] = IntegerAttr(self.lanes, i64)
        if self.row is not None:
            function.attributes["loop.short_row"] = IntegerAttr(self.row.lanes, i64)
        outs = list[SSAValue](self.given.outs)
        return KernelFunction(name, function, self.memory.tensors, outs, self.memory.scratch, list(symbols))

    def _leave_rows(self) -> None:
        """Behind the outer loops a row's values are in memory only."""
        for member in self.looped:
            for out in member.outs:
                if member.given(out).indices and self.homes[out].buffer is not None:
                    self.homes[out].value = None

    # ---- scratch -------------------------------------------------------------------
    def _private(self, what: tuple[SSAValue, str], element: Attribute, count: Expr) -> SSAValue:
        """Scratch that each thread has to itself, one for each purpose and size."""
        key = (self.parallel, what, count)
        if key not in self.wide:
            buffer = self.memory.add_scratch(what[0], count, element)
            if self.parallel is not None:
                buffer = self.parallel.add_private(buffer, self.outside.index(count))
            self.wide[key] = buffer
        return self.wide[key]

    def _tiles(self) -> None:
        """Scratch for tiles."""
        if self.row_tiles is not None:
            self.row_tiles.place(self.memory, self.lanes)
        if self.tiling is None:
            return
        rows = self.tiling.rows(self.lanes)
        fill = partial(fill_tiles, self.tiling, self.homes, self.lanes, self.bits)
        self.tiles = Tiles(self.tiling.along, rows, fill)
        for load in self.tiling.tiles:
            count = Expr.constant(rows * self.lanes)
            buffer = self.memory.add_scratch(load.tensor, count)
            self.memory.row_scratch[buffer] = count
            self.homes[load] = tile_home(self.tiling, buffer, self.lanes)

    def _walks(self, frame: Frame) -> None:
        """The looped members inside all outer loops."""
        if self.row_tiles is not None:
            self.row_tiles.move_in(self.memory, frame, self.bits)
        ends = self.ends.members if self.ends is not None else ()
        for walk in self.kernel.walks:
            if self.ends is not None and (walk[0] in ends) != self.in_ends:
                continue
            if len(walk) > 1:
                self._chunks(walk, frame)
            else:
                self._member(walk[0], frame, self.outer)
        if self.row_tiles is not None:
            self.row_tiles.move_out(self.memory, frame, self.bits)

    # ---- loops ---------------------------------------------------------------------

    def _outer_vector(self) -> str | None:
        """The outer dim across the lanes, where that suits the members better than their inner dims."""
        if not self.outer:
            return None
        chosen = self.tiling or self.row_tiles
        if chosen is not None:
            return chosen.across
        return outer_vector([self.memory.plan(m, self.outer) for m in self.looped], self.outer, self.bits)

    def _outer_lanes(self) -> int:
        if self.vector is None:
            return 1
        size = self.looped[0].sizes[int(self.vector[1:])]
        return lanes_for(self.looped, self.bits, self.options.registers, self.vector, size)

    def _outer_order(self) -> list[str]:
        dims = [f"d{k}" for k in range(self.outer)]
        if self.vector is not None:
            dims.remove(self.vector)
            dims.append(self.vector)
        return dims

    def _rows(self) -> None:
        """The looped members; where rows are expected to be short, once for short rows and once for long ones: of
        the two outermost loops one runs and the other has no iterations."""
        if self.row is None:
            self._outer_loops(self.frame, self._outer_order())
            return
        homes = {tensor: replace(home) for tensor, home in self.homes.items()}
        bounds = self.row.bounds(self.memory.plan(self.looped[0], self.outer), self.frame)
        for self.in_step, part in ((True, bounds[0]), (False, bounds[1])) if bounds else ((True, None),):
            frame = self.frame.with_scopes(list(self.frame.scopes))
            frame.bounds = frame.bounds | (part or {})
            if self.in_step:
                keep_in_step(self.looped, self.memory)
                self._keep_ends()
                if bounds:
                    frame.words = {f"d{k}": "short" for k in range(len(self.looped[0].dims))}
            self._outer_loops(frame, self._outer_order())
            self.memory.homes |= {tensor: replace(home) for tensor, home in homes.items()}
            self.ends = None
        self.in_step = False

    def _keep_ends(self) -> None:
        """What is left to the ends of rows finds the rows' values in scratch."""
        ends = choose_row_ends(self.looped, self.outer)
        if ends is not None and not self._long_sums(ends.dim, 1):
            self.ends = ends
            count = Expr.constant(ROWS)
            ends.keep(self.homes, lambda v: self._private((v, "ends"), scalar_of(v), count))

    # ---- blocks --------------------------------------------------------------------
    def _split(self) -> None:
        """How the loops of the looped members are cut into blocks, and memory for what the blocks combine."""
        plans = [self.memory.plan(m, self.outer) for m in self.looped]
        if self.options.blocks < 2 or (not self.outer and len(plans) > 1):
            return
        order, vector, lanes = self._outer_order(), self.vector, self.lanes
        order = order if self.tiling is None else [self.tiling.along, *order]
        if not self.outer:
            vector, lanes = self._vectorise(plans[0], 0)
            order = [d for d in plans[0].order if d != (plans[0].in_turns if self.row is None else vector)]
        self.split = choose_split(plans, order, vector, lanes, self.bits, self.options.blocks, self.options.ordered)
        if self.split is not None:
            for partial in self.split.partials:
                home = self.homes[partial.out]
                if home.buffer is None:  # a single number, so far in registers
                    memory = [self.memory.add_scratch(partial.out, Expr.constant(1), e) for e in partial.elements]
                    home.buffer, home.best = memory[0], memory[1] if len(memory) > 1 else None
                size = (self.split.count - 1) * stride_of(partial)
                buffers = [self.memory.add_scratch(partial.out, size, e) for e in partial.elements]
                self.shelves.append(Shelf(partial, tuple(buffers)))

    def _blocks(self) -> None:
        """The looped members, block by block; then what the blocks have of one result is combined."""
        if self.split is None:
            self._rows()
            return
        outside, split = self.outside, self.split
        rows = list(self.memory.row_scratch)
        sizes = [outside.index(count) for count in self.memory.row_scratch.values()]
        count = outside.index(split.count)
        for shelf in self.shelves:
            if shelf.partial.result.is_scatter:
                fill_later_parts(outside, shelf, count)
        loop = Parallel.of(count, outside.index(split.work), rows, sizes, split.dim)
        outside.top.add(loop)
        outside.top.anchor = loop
        self.frame = replace(outside, scopes=[Scope(loop.block)])
        self.frame.bounds = {split.dim: block_bounds(self.frame, split, loop)}
        homes = {tensor: replace(home) for tensor, home in self.homes.items()}
        own = dict(zip(rows, loop.own, strict=True))
        for home in self.homes.values():
            home.buffer, home.best = (own.get(b, b) if b is not None else None for b in (home.buffer, home.best))
        for shelf in self.shelves:
            out = shelf.partial.out
            self.homes[out] = part_home(self.frame, shelf, loop, homes[out])
        self.parallel = loop
        self._rows()
        self.parallel = None
        loop.block.add_op(Yield.create())
        outside.top.anchor = None
        self.frame, self.memory.homes = outside, homes
        for shelf in self.shelves:
            out = shelf.partial.out
            self.homes[out] = combine_blocks(outside, shelf, loop.count, homes[out])

    def _outer_loops(self, frame: Frame, rest: list[str]) -> None:
        if not rest:
            self._walks(frame)
            return
        dim = rest[0]
        size = self.looped[0].sizes[int(dim[1:])]
        frame.levels = {d: k + 1 for k, d in enumerate(self._outer_order())}
        lanes = self.lanes if dim == self.vector else 1
        begin, whole, end = frame.range(dim, size, lanes)
        if self.ends is not None and self.ends.dim == dim:
            self._some_rows(self.ends, frame, begin, end)
            return
        if lanes == 1:
            self._outer_loop(frame, rest, begin, end, 1, False)
            return
        if (size - size % self.lanes).value != 0:
            self._outer_loop(frame, rest, begin, whole, self.lanes, False)
        if (size % self.lanes).value != 0:
            self._outer_loop(frame, rest, whole, end, self.lanes, True)

    def _outer_loop(
        self, frame: Frame, rest: list[str], begin: SSAValue, end: SSAValue, step: int, masked: bool
    ) -> None:
        """The loop over an outer dim; where it adds often to long floating sums in memory, in runs."""
        dim = rest[0]
        sums = [] if masked else self._long_sums(dim, step)
        if not sums:
            self._steps(frame, rest, begin, end, step, masked)
            return
        totals = [Total.of(op, k, dim, frame, self.homes, {}, self._private) for op, k in sums]
        most = step * min(iterations(op.results_given[k], self._inside(op, rest), op.named_sizes) for op, k in sums)
        runs = Runs(frame, begin, end, most, totals)
        loop = For.of(begin, end, most, [], frame.label(dim, "chunks"))
        frame.top.add(loop)
        frame.top.anchor = loop
        inner = frame.with_scopes([*frame.scopes[:-1], Scope(loop.block)])
        after = inner.top.insert(Affine.of(Expr.symbol("c") + most, {"c": loop.counter}))
        limit = inner.top.insert(Minimum.create(operands=[after, end], result_types=[I64]))
        self._steps(inner, rest, loop.counter, limit, step, masked)
        runs.finish(inner, limit)
        loop.block.add_op(Yield.create())
        frame.top.anchor = None

    def _long_sums(self, dim: str, step: int) -> list[tuple[Generic, int]]:
        """The floating sums, by generic and position, to which a long loop over an outer dim adds in memory."""
        if not is_long(self.looped[0].named_sizes[dim], step):
            return []
        return [
            (op, position)
            for op in self.looped
            for position, result in enumerate(op.results_given)
            if result.repeats(dim) and is_floating_sum(result.kind, op.outs[position])
        ]

    def _inside(self, op: Generic, rest: list[str]) -> list[str]:
        """The dims of a member that are walked inside the loop over the first one of the rest."""
        return [*rest[1:], *op.dims[self.outer :]]

    def _some_rows(self, ends: RowEnds, frame: Frame, begin: SSAValue, end: SSAValue) -> None:
        """The rows, some at a time: first the other members row by row, then their ends across the lanes."""
        loop = For.of(begin, end, ROWS, [], frame.label(ends.dim, "chunks"))
        frame.top.add(loop)
        some = frame.with_scopes([*frame.scopes[:-1], Scope(loop.block)])
        some.symbols = frame.symbols | {FIRST: loop.counter}
        after = some.top.insert(Affine.of(Expr.symbol("c") + ROWS, {"c": loop.counter}))
        limit = some.top.insert(Minimum.create(operands=[after, end], result_types=[I64]))
        self._steps(some, [ends.dim], loop.counter, limit, 1, False)
        ends.leave_rows(self.homes)
        lanes = register_lanes(list(ends.members), self.bits)
        self.vector, self.lanes, self.in_ends = ends.dim, lanes, True
        self._steps(replace(some, lanes=lanes), [ends.dim], loop.counter, limit, lanes, True)
        self.vector, self.lanes, self.in_ends = None, 1, False
        loop.block.add_op(Yield.create())

    def _steps(self, frame: Frame, rest: list[str], begin: SSAValue, end: SSAValue, step: int, masked: bool) -> None:
        dim = rest[0]
        label = frame.label(dim, "rest" if masked else "")
        loop = For.of(begin, end, step, [], label)
        frame.top.add(loop)
        frame.top.anchor = loop
        inner = frame.with_scopes([*frame.scopes, Scope(loop.block)])
        inner.counters = frame.counters | {dim: loop.counter}
        if dim == self.vector and self.lanes > 1:
            inner.vector_dim = dim
            if masked:
                inner.mask = inner.lanes_before(end, self.looped[0].sizes[int(dim[1:])])
        self._outer_loops(inner, rest[1:])
        loop.block.add_op(Yield.create())
        frame.top.anchor = None

    def _chunks(self, walk: list[Generic], frame: Frame) -> None:
        """Members that run chunk by chunk."""
        dim = f"d{self.outer}"
        frame = frame.with_scopes(list(frame.scopes))
        frame.levels = {d: k + 1 for k, d in enumerate([*self._outer_order(), dim])}
        begin, _, end = frame.range(dim, walk[0].sizes[self.outer], 1)
        loop = For.of(begin, end, 1, [], dim)
        frame.top.add(loop)
        frame.top.anchor = loop
        inner = frame.with_scopes([*frame.scopes, Scope(loop.block)])
        inner.counters = frame.counters | {dim: loop.counter}
        for member in walk:
            self._member(member, inner, self.outer + 1)
        loop.block.add_op(Yield.create())
        frame.top.anchor = None

    def _member(self, op: Generic, frame: Frame, outer: int) -> None:
        """One member's own loops at the end of the frame, which has `outer` ones open."""
        plan = self.memory.plan(op, outer)
        vector = self.vector if outer else None
        frame = frame.with_scopes(list(frame.scopes))
        if outer:
            plan.order = self._outer_order() + [d for d in plan.order if int(d[1:]) >= self.outer]
        if vector is None:
            vector, frame.lanes = self._vectorise(plan, outer)
            if vector is not None and self.row is not None and self.in_step:
                assert plan.sizes[vector] == self.row.size
                frame.lanes = self.row.lanes
        elif frame.lanes > 1 and not self.in_ends:
            put_in_turns(plan, outer, vector, self.homes)
            prefetch_columns(plan, outer, vector, self.memory)
        across = vector if frame.lanes > 1 else None
        tiles = self.tiles if outer else None
        register = register_lanes([op], self.bits)
        least = self.options.least
        short = self.in_step and not self.in_ends
        nest = Nest(plan, self.homes, frame, outer, across, short, least, self._private, tiles, register)
        nest.levels[FIRST] = max(self.outer - 1, 0)
        self._fill(nest, frame)
        if op.is_gate:
            self._close(nest, frame)
        nest.emit(frame)

    @staticmethod
    def _close(nest: Nest, frame: Frame) -> None:
        """The loops of a gate have no iterations where it overwrites nothing."""
        dim = nest.order[frame.depth]
        begin, _, end = frame.range(dim, nest.member.sizes[dim], 1)
        closed = nest.values.value(nest.yielded[0][1], frame)
        frame.bounds = frame.bounds | {dim: (begin, frame.top.builder.select(closed, end, begin))}

    def _vectorise(self, plan: Member, outer: int) -> tuple[str | None, int]:
        """The inner dim across the lanes, whose loop becomes the innermost, and how many lanes."""
        if not plan.order[outer:]:
            return None, 1
        vector = vector_dim(plan, outer)
        plan.order.remove(vector)
        plan.order.append(vector)
        lanes = lanes_for([plan.op], self.bits, self.options.registers, vector, plan.sizes[vector])
        if lanes == 1:
            return None, 1
        if self.row is None:
            put_in_turns(plan, outer, vector, self.homes)
        return vector, lanes

    # ---- first values --------------------------------------------------------------
    def _prologue(self) -> None:
        """The members before the loops; from then on their results are in memory, where every block finds them."""
        for member in self.kernel.prologue:
            self._member(member, self.frame, 0)
        for out in self.memory.early:
            self.homes[out].value = None

    def _fill(self, nest: Nest, frame: Frame) -> None:
        """Reductions that combine in memory start from the identity: once, or in each outer iteration."""
        for reduction in nest.reductions:
            out = nest.op.outs[reduction.position]
            home = self.homes[out]
            if reduction.complete or home.buffer is None:
                continue
            if is_row(home, nest.outer):
                fill_with_identity(nest.op, reduction.position, self.memory, frame)
            elif out not in self.filled:
                self.filled.add(out)
                where = self.frame if home.partial else self.outside
                fill_with_identity(nest.op, reduction.position, self.memory, where)
