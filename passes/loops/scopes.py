"""Where code goes: one scope for each open loop, so that every value is computed at the outermost level it can."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from xdsl.ir import Attribute, Block, Operation, SSAValue

from ...dialects.expr import Expr
from ...dialects.loop.ops import Affine, FirstLanes, Iota, Splat, lanes_of, vector
from ...dialects.weld.constant import Constant
from ...dialects.weld.types import BOOL, I64
from ..points import ScalarBuilder


@dataclass(eq=False)
class Scope:
    """The body of one loop (or the function) up to the loop that is open inside it."""

    block: Block
    anchor: Operation | None = None
    """New ops go before this op (the loop open inside this scope), or at the end."""
    values: dict[object, SSAValue] = field(default_factory=dict[object, SSAValue])
    """What has been computed here already, by what it is."""

    @property
    def builder(self) -> ScalarBuilder:
        return ScalarBuilder(self.block, self.anchor)

    def add(self, op: Operation) -> None:
        self.builder.insert(op)

    def insert(self, op: Operation) -> SSAValue:
        """Add an op with one result, and give the result."""
        self.add(op)
        return op.results[0]


@dataclass(eq=False)
class Frame:
    """The stack of open loops at one place: scopes[0] is the function, scopes[t] the body of loop t."""

    scopes: list[Scope]
    counters: dict[str, SSAValue]
    """The counter of each open dim; for the vector dim, of its first lane."""
    levels: dict[str, int]
    """The loop number of each dim."""
    symbols: dict[str, SSAValue]
    lanes: int = 1
    vector_dim: str | None = None
    """The dim across the lanes, once its loop is open."""
    mask: SSAValue | None = None
    """The lanes of the vector dim that exist, in its last partial step."""
    bounds: dict[str, tuple[SSAValue, SSAValue]] = field(default_factory=dict[str, tuple[SSAValue, SSAValue]])
    """Where the loop over a dim begins and ends, if not at 0 and its size."""
    known: dict[Expr, bool] = field(default_factory=dict[Expr, bool])
    """Guards that hold, or fail, throughout the open loops."""
    words: dict[str, str] = field(default_factory=dict[str, str])
    """What the loops over a dim are, for their labels."""

    @property
    def depth(self) -> int:
        return len(self.scopes) - 1

    @property
    def top(self) -> Scope:
        return self.scopes[-1]

    def with_scopes(self, scopes: list[Scope]) -> Frame:
        """The same place with other open loops."""
        return replace(self, scopes=scopes)

    def is_open(self, dim: str) -> bool:
        """Whether the loop over a dim is open; there is none over what has one element."""
        return self.levels.get(dim, len(self.levels) + 1) <= self.depth

    def at(self, level: int) -> Frame:
        """The frame as it is outside the loops deeper than `level`."""
        if level == self.depth:
            return self
        frame = self.with_scopes(self.scopes[: level + 1])
        if self.vector_dim is not None and self.levels[self.vector_dim] > level:
            frame.vector_dim, frame.mask = None, None
        return frame

    def range(self, dim: str, size: Expr, lanes: int) -> tuple[SSAValue, SSAValue, SSAValue]:
        """Where the loops over a dim begin, where their whole steps of `lanes` end, and where they end."""
        if dim not in self.bounds:
            end, zero = self.index(size), self.index(Expr.constant(0))
            return zero, self.index(size - size % lanes), end
        begin, end = self.bounds[dim]
        if lanes == 1:
            return begin, end, end
        e = Expr.symbol("e")
        return begin, self.top.insert(Affine.of(e - e % lanes, {"e": end})), end

    def label(self, dim: str, kind: str = "") -> str:
        """`d1`, `d1 chunks`, `d1 rest`; `d1 next` for a later stretch; `d1 short` for short rows only."""
        return " ".join(word for word in (dim, self.words.get(dim, ""), kind) if word)

    def clamped(self, place: Expr, begin: SSAValue, end: SSAValue) -> SSAValue:
        """A place along a dim, or the nearer end where it lies outside."""
        builder, value = self.top.builder, self.index(place)
        low = builder.select(builder.ge(value, begin), value, begin)
        return builder.select(builder.le(low, end), low, end)

    def lanes_before(self, stop: SSAValue, size: Expr) -> SSAValue:
        """The lanes of the vector dim before `stop`, which is at most `size`."""
        assert self.vector_dim is not None
        if stop is self.index(size):
            return self.holds(size - 1 - Expr.symbol(self.vector_dim))
        names = {"stop": stop, "at": self.counters[self.vector_dim]}
        left = self.top.insert(Affine.of(Expr.symbol("stop") - Expr.symbol("at"), names))
        return self.top.insert(FirstLanes.create(operands=[left], result_types=[vector(BOOL, self.lanes)]))

    def first_lane(self, expr: Expr, extra: dict[str, SSAValue]) -> SSAValue:
        """The expression as a scalar at the first lane, with scalar index values in `extra`."""
        return self.top.insert(Affine.of(expr, self.symbols | self.counters | extra))

    def level_of(self, expr: Expr) -> int:
        return max((self.levels.get(n, 0) for n in expr.names), default=0)

    def index(self, expr: Expr) -> SSAValue:
        """The expression as a scalar i64 (at the first lane), each part computed at its own level."""
        parts: dict[int, Expr] = {}
        for monomial, factor in expr.terms:
            term = Expr(((monomial, factor),))
            level = self.level_of(term)
            parts[level] = parts.get(level, Expr.constant(0)) + term
        if expr.value is not None:
            return self.constant(expr.value, I64, 1)
        total: SSAValue | None = None
        key: tuple[Expr, ...] = ()
        for level in sorted(parts):
            key = (*key, parts[level])
            scope = self.scopes[level]
            found = scope.values.get(key)
            if found is None:
                found = self._sum(level, parts[level], total)
                scope.values[key] = found
            total = found
        assert total is not None
        return total

    def _sum(self, level: int, part: Expr, before: SSAValue | None) -> SSAValue:
        if before is None:
            return self.constant(part.value, I64, 1) if part.value is not None else self._affine(level, part, {})
        return self._affine(level, part + Expr.symbol("_"), {"_": before})

    def _affine(self, level: int, expr: Expr, extra: dict[str, SSAValue]) -> SSAValue:
        values = self.symbols | self.counters | extra
        if len(expr.terms) == 1 and expr.terms[0][1] == 1 and len(expr.terms[0][0]) == 1:
            name = expr.terms[0][0][0]
            if name in values:
                return values[name]
        return self.scopes[level].insert(Affine.of(expr, values))

    def lanes_index(self, expr: Expr, extra: dict[str, SSAValue] | None = None) -> SSAValue:
        """The expression in each lane: a vector where it depends on the vector dim or on a vector in `extra`."""
        extra = extra or {}
        vectorised = any(lanes_of(v) > 1 for n, v in extra.items() if n in expr.names)
        if self.vector_dim is None or self.vector_dim not in expr.names:
            if not any(n in expr.names for n in extra):
                return self.index(expr)
            if not vectorised:
                return self.top.insert(Affine.of(expr, self.symbols | self.counters | extra))
        values = self.symbols | self.counters | extra
        if self.vector_dim is not None and self.vector_dim in expr.names and self.lanes > 1:
            values[self.vector_dim] = self.lane_counter()
        key = ("lanes", expr, tuple(sorted(extra.items(), key=lambda kv: kv[0])))
        found = self.top.values.get(key)
        if found is None:
            found = self.top.insert(Affine.of(expr, values))
            self.top.values[key] = found
        return found

    def holds(self, guard: Expr) -> SSAValue:
        """Whether `guard >= 0`: an i1, or a mask where it depends on the vector dim."""
        step = self._lane_step(guard)
        if self.lanes > 1 and step in (1, -1):
            count = guard + 1 if step == -1 else -guard
            key = ("first lanes", count, step)
            found = self.top.values.get(key)
            if found is None:
                kind = vector(BOOL, self.lanes)
                op = FirstLanes.create(operands=[self.index(count)], result_types=[kind])
                found = self.top.insert(op)
                found = found if step == -1 else self.top.builder.not_(found)
                self.top.values[key] = found
            return found
        value = self.lanes_index(guard)
        return self.top.builder.ge(value, self.constant(0, I64, lanes_of(value)))

    def first_lanes(self, count: Expr) -> SSAValue | None:
        """The mask of the first `count` lanes, made once; None where that is all of them."""
        if count.value == self.lanes:
            return None
        function = self.at(0)
        key = ("first lanes", count, self.lanes)
        if key not in function.top.values:
            made = FirstLanes.create(operands=[function.index(count)], result_types=[vector(BOOL, self.lanes)])
            function.top.values[key] = function.top.insert(made)
        return function.top.values[key]

    def _lane_step(self, expr: Expr) -> int | None:
        """By how much the expression grows from lane to lane, where that is a known number."""
        if self.vector_dim is None:
            return None
        step = expr.coefficient(self.vector_dim)
        return step.value if step is not None else None

    def lane_counter(self) -> SSAValue:
        """The index of each lane along the vector dim."""
        assert self.vector_dim is not None
        scope = self.scopes[self.levels[self.vector_dim]]
        found = scope.values.get("lane counter")
        if found is None:
            lane = Expr.symbol("lane") + Expr.symbol("start")
            found = scope.insert(Affine.of(lane, {"lane": self.iota(), "start": self.counters[self.vector_dim]}))
            scope.values["lane counter"] = found
        return found

    def iota(self) -> SSAValue:

        scope = self.scopes[0]
        key = ("iota", self.lanes)
        found = scope.values.get(key)
        if found is None:
            found = scope.insert(Iota.create(result_types=[vector(I64, self.lanes)]))
            scope.values[key] = found
        return found

    def widen(self, value: SSAValue, level: int | None = None) -> SSAValue:
        """A vector with the value in every lane; computed where the scalar is known (`level`)."""
        if lanes_of(value) == self.lanes:
            return value
        scope = self.scopes[self.depth if level is None else level]
        key = ("splat", value, self.lanes)
        found = scope.values.get(key)
        if found is None:
            kind = vector(value.type, self.lanes)
            owner = value.owner
            if isinstance(owner, Constant):
                found = scope.insert(Constant.splat(owner.number, kind))
            else:
                found = scope.insert(Splat.create(operands=[value], result_types=[kind]))
            scope.values[key] = found
        return found

    def constant(self, number: object, element: Attribute, lanes: int) -> SSAValue:
        """A splat constant at function level."""
        key = ("constant", repr(number), element, lanes)
        scope = self.scopes[0]
        found = scope.values.get(key)
        if found is None:
            found = scope.insert(Constant.splat(number, vector(element, lanes)))
            scope.values[key] = found
        return found
