"""One member of a kernel as loops: loads, the body, reductions and stores, each at the level where it belongs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from xdsl.ir import SSAValue

from ...dialects.expr import Expr
from ...dialects.loop.ops import Affine, For, Minimum, Reduce, Yield, lanes_of
from ...dialects.weld.attributes import Result
from ...dialects.weld.generic import Generic, Index
from ...dialects.weld.kernel import Kernel
from ...dialects.weld.reductions import REDUCTIONS
from ...dialects.weld.types import I64, scalar_of
from .accumulators import add_run, add_totals, combine, flat, like, no_totals
from .runs import RUN, Private, Runs, Total, is_floating_sum, is_long, iterations
from .schedule import Member
from .scopes import Frame, Scope
from .stores import Stores
from .stretches import breaks_of
from .values import Home, Homes, Values

TILE = "tile"
"""The name of the index where a tile begins."""


@dataclass(frozen=True)
class Tiles:
    """A dim that is walked in tiles of some `rows`. `fill` is told the frame of one, and how many rows it has."""

    dim: str
    rows: int
    fill: Callable[[Frame, SSAValue], None]


@dataclass
class Accumulation:
    """A reduction of a member: after how many loops its element is fixed (`level`)."""

    position: int
    result: Result
    level: int
    across_lanes: bool
    complete: bool
    """Each element is finished when its level's loops step on: no combination in memory is needed."""


class Nest:
    """Emits one member inside the loops that a frame has open."""

    def __init__(
        self,
        member: Member,
        homes: Homes,
        frame: Frame,
        outer: int,
        vector_dim: str | None,
        short: bool,
        least: int,
        private: Private,
        tiles: Tiles | None,
        register: int,
    ):
        self.member = member
        self.op: Generic = member.op
        self.homes = homes
        self.outer = outer
        self.private = private
        self.vector_dim = vector_dim
        self.short = short
        self.tiles = tiles
        self.yielded = self.op.yielded()
        self.order = member.order
        self.levels = {d: k + 1 for k, d in enumerate(self.order)}
        frame.levels = self.levels
        self.values = Values(member, homes, outer, self.levels)
        self.stores = Stores(self.values, homes, vector_dim)
        self.bounds = {d: end.substitute(member.merged) for d, end in self.op.bounds.items()}
        found = {} if short else breaks_of(member, vector_dim, frame.lanes, least)
        self.breaks = {d: breaks for d, breaks in found.items() if d not in self.bounds}
        self.reductions = [self._reduction(k, r) for k, r in enumerate(member.results) if r.is_reduction]
        self.folded = min(frame.lanes, register) if self._has_own_rest(frame.lanes) and register > 1 else frame.lanes
        """Lanes of the accumulators outside the loop over the vector dim, and of the steps of its rest: one register,
        whose code is as much shorter."""

    # ---- loops ---------------------------------------------------------------------
    def emit(self, frame: Frame) -> None:
        """All of the member, from the frame's depth on."""
        found = self._level(frame)
        assert not found, "every reduction is finished at its own level"

    def _reduction(self, position: int, result: Result) -> Accumulation:
        used = {n for e in result.indices for n in e.names}
        last = max((self.levels[d] for d in self.order if d in used), default=0)
        level = max(last, self.outer)
        complete = all(d in used for d in self.order[:level])
        across = self.vector_dim is not None and self.vector_dim not in used
        return Accumulation(position, result, level, across, complete)

    def _has_own_rest(self, lanes: int) -> bool:
        """Whether the vector dim is the member's own innermost loop and has both whole steps and a rest."""
        dim = self.vector_dim
        if dim is None or self.short or not self.outer < self.levels[dim] == self._loop_count:
            return False
        rest = self.member.sizes[dim] % lanes
        return rest.value != 0 and (self.member.sizes[dim] - rest).value != 0

    @property
    def _loop_count(self) -> int:
        return len(self.order) - (self.member.in_turns is not None)

    def _level(self, frame: Frame) -> dict[int, list[SSAValue]]:
        """Everything inside the open loops; returns what belongs to reductions of an outer level."""
        if frame.depth == len(self.order):
            found = self._innermost(frame)
        else:
            found = self._loops(frame)
        for reduction in self.reductions:
            if reduction.level == frame.depth and reduction.position in found:
                self._finish(reduction, found.pop(reduction.position), frame)
        return found

    def _loops(self, frame: Frame) -> dict[int, list[SSAValue]]:
        """The loops over the next dim: whole steps, then the masked rest."""
        active = [r for r in self.reductions if r.level <= frame.depth]
        dim = self.order[frame.depth]
        if self.short and dim == self.vector_dim:
            return self._one_step(frame, dim)
        if dim == self.member.in_turns:
            return self._in_turns(frame, dim)
        lanes = frame.lanes if dim == self.vector_dim else 1
        carried = {r.position: self._identity(r, frame) for r in active}
        if dim in self.bounds:
            frame = self._bounded(frame, dim)
        size = self.member.sizes[dim]
        for part, begin, whole, end, length in self._stretches(frame, dim, size, lanes):
            if lanes == 1:
                carried = self._runs(part, dim, begin, end, 1, carried, length)
                continue
            if (length - length % lanes).value != 0:
                carried = self._runs(part, dim, begin, whole, lanes, carried, length)
            if (length % lanes).value != 0:
                last = replace(part, lanes=self.folded)
                carried = self._one_loop(last, dim, whole, end, self.folded, True, carried)
        return carried

    def _whole(
        self,
        frame: Frame,
        dim: str,
        start: SSAValue,
        stop: SSAValue,
        lanes: int,
        carried: dict[int, list[SSAValue]],
    ) -> dict[int, list[SSAValue]]:
        """One loop of whole steps; its accumulators have as many lanes, and are folded behind it."""
        several = lanes > self.folded
        fresh = {k: self._identity(self._at(k), frame, lanes) for k in carried} if several else carried
        part = self._one_loop(frame, dim, start, stop, lanes, False, fresh)
        if not several:
            return part
        part = self._fold(frame, part)
        started = {k: v for k, v in carried.items() if v != self._identity(self._at(k), frame)}
        return part | self._combine(frame, started, part)

    def _fold(self, frame: Frame, carried: dict[int, list[SSAValue]]) -> dict[int, list[SSAValue]]:
        """The accumulators, with lanes combined until one register is left."""
        folded = {k: Reduce.of(self._at(k).result.kind, values, self.folded) for k, values in carried.items()}
        for op in folded.values():
            frame.top.add(op)
        return {k: list(op.results) for k, op in folded.items()}

    def _at(self, position: int) -> Accumulation:
        """The reduction that the member's result at a position is."""
        return next(r for r in self.reductions if r.position == position)

    def _stretches(
        self, frame: Frame, dim: str, size: Expr, lanes: int
    ) -> list[tuple[Frame, SSAValue, SSAValue, SSAValue, Expr]]:
        """The dim in stretches where every guard along it holds or fails throughout: the frame that knows so, where
        the stretch begins, where its whole steps end, where it ends, and its length."""
        begin, whole, end = frame.range(dim, size, lanes)
        breaks = self.breaks.get(dim)
        if breaks is None:
            return [(frame, begin, whole, end, size)]
        fixed = size.value is not None and dim not in frame.bounds
        inside = [(p, frame.index(p) if fixed else frame.clamped(p, begin, end)) for p in breaks.places]
        starts, ends = [(Expr.constant(0), begin), *inside], [*inside, (size, end)]
        found: list[tuple[Frame, SSAValue, SSAValue, SSAValue, Expr]] = []
        for k, ((first, low), (last, high)) in enumerate(zip(starts, ends, strict=True)):
            part = frame.with_scopes(frame.scopes)
            part.known = frame.known | breaks.known(k)
            part.words = frame.words | ({dim: "next"} if k else {})
            names = {"a": low, "b": high}
            a, b = Expr.symbol("a"), Expr.symbol("b")
            length = last - first
            step = lanes if length.value is None or length.value >= self.folded else self.folded
            stop = frame.top.insert(Affine.of(b - (b - a) % step, names)) if lanes > 1 else high
            found.append((part, low, stop, high, length))
        return found

    def _bounded(self, frame: Frame, dim: str) -> Frame:
        """The frame with the size of a dim that a guard of the domain bounds: a symbol, known inside the open loops."""
        size, bound = self.op.sizes[int(dim[1:])], self.bounds[dim]
        key = ("end", size, bound)
        end = frame.top.values.get(key)
        if end is None:
            end = frame.top.insert(Minimum.create(operands=[frame.index(size), frame.index(bound)], result_types=[I64]))
            end.name_hint = f"{dim}_end{len(frame.top.values)}"
            frame.top.values[key] = end
        assert end.name_hint is not None
        self.levels[end.name_hint] = frame.depth
        self.member.sizes[dim] = Expr.symbol(end.name_hint)
        return replace(frame, symbols=frame.symbols | {end.name_hint: end})

    def _runs(
        self,
        frame: Frame,
        dim: str,
        start: SSAValue,
        stop: SSAValue,
        lanes: int,
        carried: dict[int, list[SSAValue]],
        size: Expr,
    ) -> dict[int, list[SSAValue]]:
        """Whole steps; long floating sums take them in runs, which add up in a second accumulator. Tiles are runs of
        their own length."""
        tiles = self.tiles if self.tiles is not None and self.tiles.dim == dim else None
        most = self.op.sizes[int(dim[1:])] if dim in self.bounds else size
        totals = self._totals(frame, dim) if is_long(most, lanes) else []
        sums = any(r.position in carried and self._is_sum(r) for r in self.reductions)
        if not tiles and not totals and not (sums and is_long(most, lanes)):
            return self._whole(frame, dim, start, stop, lanes, carried)
        inner = self.order[self.levels[dim] :]
        lengths = [iterations(r.result, inner, self.member.sizes) for r in self.reductions if self._adds(r, dim)]
        step = tiles.rows if tiles else lanes * min(lengths, default=RUN)
        runs = Runs(frame, start, stop, step, totals)
        sums = {k: v for k, v in carried.items() if self._is_sum(self._at(k))}
        zeros = no_totals(frame, sums)
        loop = For.of(start, stop, step, flat(zeros) + flat(carried), frame.label(dim, "tiles" if tiles else "chunks"))
        frame.top.add(loop)
        run = frame.with_scopes([*frame.scopes[:-1], Scope(loop.block)])
        after = run.top.insert(Affine.of(Expr.symbol("c") + step, {"c": loop.counter}))
        limit = run.top.insert(Minimum.create(operands=[after, stop], result_types=[I64]))
        if tiles:
            self._fill(tiles, run, loop.counter, limit)
        before = like(carried, loop.carried[len(flat(zeros)) :])
        added = add_run(run, like(zeros, loop.carried), before)
        part = self._whole(run, dim, loop.counter, limit, lanes, {k: self._identity(self._at(k), run) for k in carried})
        part |= self._combine(run, {k: v for k, v in before.items() if k not in sums}, part)
        runs.finish(run, limit)
        loop.block.add_op(Yield.create(operands=flat(added) + flat(part)))
        found = like(carried, loop.outs[len(flat(zeros)) :])
        if not sums:
            return found
        started = any(v != self._identity(self._at(k), frame) for k, v in sums.items())
        first = None if started else frame.top.insert(Affine.of(Expr.symbol("c") + step, {"c": start}))
        return found | add_totals(frame, like(zeros, loop.outs), found, first, stop)

    def _fill(self, tiles: Tiles, frame: Frame, start: SSAValue, stop: SSAValue) -> None:
        """Fill the tiles from `start` on."""
        self.levels[TILE] = frame.depth
        frame.symbols = frame.symbols | {TILE: start}
        names = {"a": start, "b": stop}
        tiles.fill(frame, frame.top.insert(Affine.of(Expr.symbol("b") - Expr.symbol("a"), names)))

    def _is_sum(self, reduction: Accumulation) -> bool:
        return is_floating_sum(reduction.result.kind, self.yielded[reduction.position][0])

    def _adds(self, reduction: Accumulation, dim: str) -> bool:
        """Whether the iterations along a dim add to the same elements in memory."""
        home = self.homes[self.op.outs[reduction.position]]
        repeats = self.levels[dim] <= reduction.level and reduction.result.repeats(dim)
        return repeats and home.buffer is not None and self._is_sum(reduction)

    def _totals(self, frame: Frame, dim: str) -> list[Total]:
        """The sums in memory that the loop over a dim adds to."""
        return [
            Total.of(self.op, r.position, dim, frame, self.homes, self.member.merged, self.private)
            for r in self.reductions
            if self._adds(r, dim)
        ]

    def _one_loop(
        self,
        frame: Frame,
        dim: str,
        start: SSAValue,
        stop: SSAValue,
        step: int,
        rest: bool,
        carried: dict[int, list[SSAValue]],
    ) -> dict[int, list[SSAValue]]:
        """One loop over a dim with the carried accumulators; in the rest the lanes past the end are masked."""
        loop = For.of(start, stop, step, flat(carried), frame.label(dim, "rest" if rest else ""))
        frame.top.add(loop)
        before, frame.top.anchor = frame.top.anchor, loop
        inner = frame.with_scopes([*frame.scopes, Scope(loop.block)])
        inner.counters = frame.counters | {dim: loop.counter}
        if dim == self.vector_dim:
            inner.vector_dim = dim
            if rest:
                inner.mask = inner.lanes_before(stop, self.member.sizes[dim])
        part = self._level(inner)
        combined = self._combine(inner, like(carried, loop.carried), part)
        loop.block.add_op(Yield.create(operands=flat(combined)))
        frame.top.anchor = before
        return like(carried, loop.outs)

    def _one_step(self, frame: Frame, dim: str) -> dict[int, list[SSAValue]]:
        """A short row: no loop, one step of lanes that stands in the open loop's own block."""
        inner = frame.with_scopes([*frame.scopes, Scope(frame.top.block, frame.top.anchor)])
        inner.counters = frame.counters | {dim: frame.index(Expr.constant(0))}
        inner.vector_dim = dim
        inner.mask = frame.first_lanes(self.member.sizes[dim])
        return self._level(inner)

    def _in_turns(self, frame: Frame, dim: str) -> dict[int, list[SSAValue]]:
        """The points along a short dim one after the other, without a loop; what they write goes to memory together."""
        size, breaks = self.member.sizes[dim].value, self.breaks.get(dim)
        assert size is not None
        found: list[list[SSAValue]] = [[] for _ in self.member.results]
        for k in range(size):
            point = frame.with_scopes([*frame.scopes, Scope(frame.top.block, frame.top.anchor)])
            point.counters = frame.counters | {dim: frame.index(Expr.constant(k))}
            if breaks is not None:
                point.known = frame.known | breaks.known_at(k)
            for op in self.values.needed(point):
                if op.results:
                    self.values.value(op.results[0], point)
            for position, (value, *_) in enumerate(self.yielded):
                found[position].append(point.widen(self.values.value(value, point)))
        for position, values in enumerate(found):
            self.stores.store_in_turns(values, self.op.outs[position], self.member.results[position], dim, frame)
        return {}

    # ---- reductions ----------------------------------------------------------------
    def _identity(self, reduction: Accumulation, frame: Frame, lanes: int | None = None) -> list[SSAValue]:
        """The accumulator before anything was combined: lanes wide if the vector dim is across the lanes."""
        if lanes is None:
            lanes = frame.lanes if frame.vector_dim is not None else self.folded
        lanes = lanes if self.vector_dim is not None else 1
        element = scalar_of(self.yielded[reduction.position][0])
        kind = REDUCTIONS[reduction.result.kind]
        identity = frame.constant(kind.identity(element), element, lanes)
        if reduction.result.values == 2:
            return [identity, frame.constant(0, I64, lanes)]
        return [identity]

    def _combine(
        self, frame: Frame, old: dict[int, list[SSAValue]], new: dict[int, list[SSAValue]]
    ) -> dict[int, list[SSAValue]]:
        return {
            r.position: combine(frame, r.result.kind, old[r.position], new[r.position], self._is_ascending(r, frame))
            for r in self.reductions
            if r.position in old
        }

    def _is_ascending(self, reduction: Accumulation, frame: Frame) -> bool:
        """Whether what an innermost loop adds to argmax or argmin has a greater position than what it had before."""
        position = self.yielded[reduction.position][-1].owner
        if frame.depth < len(self.order) or not isinstance(position, Index):
            return False
        step = position.value.coefficient(self.order[-1])
        return step is not None and bool(step.terms) and all(factor > 0 for _, factor in step.terms)

    def _finish(self, reduction: Accumulation, values: list[SSAValue], frame: Frame) -> None:
        """The element is complete as far as this level's loops go: reduce the lanes, store or combine."""
        result, out = reduction.result, self.op.outs[reduction.position]
        if reduction.across_lanes and lanes_of(values[0]) > 1:
            if frame.mask is not None:
                blank = self._identity(reduction, frame)
                values = [frame.top.builder.select(frame.mask, v, b) for v, b in zip(values, blank, strict=True)]
            op = Reduce.of(result.kind, values)
            frame.top.add(op)
            values = list(op.results)
        home = self.homes[out]
        keep = values[-1]
        if reduction.complete and home.buffer is None:
            self.homes[out] = Home(value=keep, level=frame.depth)
            return
        if reduction.complete:
            self.stores.store(keep, out, result, frame)
            if home.partial and home.best is not None:
                self.stores.store_to(Home(home.best, home.strides), values[0], result, frame)
            if not result.indices or self._is_row_value(frame):
                home.value, home.level = keep, frame.depth
            return
        self.stores.accumulate(values, out, result, frame)

    # ---- values --------------------------------------------------------------------
    def _innermost(self, frame: Frame) -> dict[int, list[SSAValue]]:
        """The body at one point (or one step of lanes): stores, scatters, and what reductions take."""
        found: dict[int, list[SSAValue]] = {}
        for op in self.values.needed(frame):
            if op.results:
                self.values.value(op.results[0], frame)  # in order, so that no value waits for a deep chain of others
        for position, result in enumerate(self.member.results):
            if result.is_write:
                value = self.values.value(self.yielded[position][0], frame)
                out = self.op.outs[position]
                home = self.homes[out]
                if home.in_step:
                    value = frame.widen(value)
                if home.in_step or home.buffer is None or self._is_row_value(frame):
                    self.homes[out] = replace(home, value=value, level=frame.depth)
                self.stores.store(value, out, result, frame)
            elif result.is_scatter:
                self.stores.scatter(self.yielded[position], self.op.outs[position], result, frame)
        for reduction in self.reductions:
            values = [self.values.value(v, frame) for v in self.yielded[reduction.position]]
            if self.vector_dim is not None and frame.lanes > 1:
                values = [frame.widen(v) for v in values]
            if frame.mask is not None and reduction.across_lanes and reduction.level < self._vector_level():
                blank = self._identity(reduction, frame)
                values = [frame.top.builder.select(frame.mask, v, b) for v, b in zip(values, blank, strict=True)]
            found[reduction.position] = values
        return found

    def _is_row_value(self, frame: Frame) -> bool:
        """Whether what is given here is one value of each outer iteration, for the members that run there: not in the
        loops of a member before or after the outer ones."""
        kernel = self.op.parent_op()
        return self.outer > 0 and isinstance(kernel, Kernel) and kernel.outer_count == frame.depth

    def _vector_level(self) -> int:
        return self.levels[self.vector_dim] if self.vector_dim is not None else 0
