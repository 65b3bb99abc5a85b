"""`Runs`: long floating sums add up in runs, and the runs in float64, so that rounding errors stay small.

A sum in registers has a second accumulator for it (`nest.py`). A sum in memory has a second buffer: after each run of
the loop what the run has added moves there, and the last run puts the total back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import TypeAlias

from xdsl.ir import Attribute, SSAValue

from ...dialects.expr import Expr, product_of
from ...dialects.loop.ops import Affine, Fill, FirstLanes, For, Load, Minimum, Store, Yield, vector
from ...dialects.weld.attributes import Result
from ...dialects.weld.generic import Generic
from ...dialects.weld.types import BOOL, F64, I64, Shape, bit_width, is_float, scalar_of, shape_of
from .scopes import Frame, Scope
from .values import Home, Homes

RUN = 64
"""Additions of one run."""
LINE = 64
"""Bytes of what is moved in a step: a cache line."""

Private: TypeAlias = Callable[[tuple[SSAValue, str], Attribute, Expr], SSAValue]
"""Gives each thread memory of its own for so many elements; a tensor and a dim say what for."""


def is_long(size: Expr, lanes: int) -> bool:
    """Whether a loop may add so often that its sums are taken in runs."""
    return size.value is None or size.value > 2 * RUN * lanes


def is_floating_sum(kind: str, value: SSAValue) -> bool:
    return kind == "sum" and is_float(scalar_of(value))


def iterations(result: Result, inner: Sequence[str], sizes: Mapping[str, Expr]) -> int:
    """Of a run around the loops over `inner` dims: one where an inner loop has runs, too."""
    used = [k for k, d in enumerate(inner) if not result.repeats(d)]
    repeated = [sizes[d] for d in inner[: max(used, default=0)] if result.repeats(d)]
    if any(is_long(size, 1) for size in repeated):
        return 1
    return max(RUN // max(prod(size.value or 1 for size in repeated), 1), 1)


@dataclass(frozen=True)
class Reach:
    """The elements of a tensor that the loops inside a frame walk: `loops` around a row of consecutive ones."""

    loops: tuple[tuple[str, Expr], ...]
    """Counters and sizes."""
    offset: Expr
    """Of the row's first element, in terms of the frame's counters and those of `loops`."""
    row: Expr | None
    """How many consecutive elements; None for those of the lanes of the frame's vector dim."""

    @staticmethod
    def of(frame: Frame, indices: Shape, shape: Shape, home: Home, merged: Mapping[str, Expr]) -> Reach:
        """`indices` are those of a result that lives in `home`; `merged` are the dims that others walk as well."""
        lanes = frame.lanes if home.per_lane else 1
        own_lanes = home.per_lane or not _moves_with_lanes(frame, indices)
        row, step = Expr.constant(lanes), Expr.constant(lanes)
        loops: list[tuple[str, Expr]] = []
        at = list(indices)
        for axis in reversed(range(len(shape))):
            size, names = shape[axis], indices[axis].names
            if all(frame.is_open(_walked(n, merged)) for n in names):
                continue
            if own_lanes and not loops and home.strides[axis] == step:
                at[axis] = Expr.constant(0)
                row, step = row * size, step * size
            else:
                at[axis] = Expr.symbol(f"axis{axis}")
                loops.append((f"axis{axis}", size))
        total = Expr.constant(0)
        for index, stride in zip(at, home.strides, strict=True):
            total = total + index * stride
        return Reach(tuple(reversed(loops)), total.substitute(merged), row if own_lanes else None)

    def count(self, frame: Frame) -> Expr:
        """How many elements these are."""
        return product_of(size for _, size in self.loops) * (
            Expr.constant(frame.lanes) if self.row is None else self.row
        )


def _walked(dim: str, merged: Mapping[str, Expr]) -> str:
    """The dim whose loop walks this one."""
    return f"d{int(dim[1:]) + 1}" if dim in merged else dim


def _moves_with_lanes(frame: Frame, indices: Shape) -> bool:
    return frame.vector_dim is not None and frame.lanes > 1 and any(frame.vector_dim in e.names for e in indices)


@dataclass(frozen=True)
class Total:
    """A sum in memory that the iterations of a loop add to."""

    home: Home
    reach: Reach
    element: Attribute
    wide: SSAValue
    """Its elements in float64, in the order in which `reach` walks them."""

    @staticmethod
    def of(
        op: Generic,
        position: int,
        dim: str,
        frame: Frame,
        homes: Homes,
        merged: Mapping[str, Expr],
        private: Private,
    ) -> Total:
        """Of a result of a generic, outside the loop over a dim."""
        out, result = op.outs[position], op.results_given[position]
        reach = Reach.of(frame, result.indices, shape_of(out), homes[out], merged)
        return Total(homes[out], reach, scalar_of(out), private((out, dim), F64, reach.count(frame)))


class Runs:
    """The runs of one loop, from `begin` to `end`, and the sums in memory that it adds to."""

    def __init__(self, frame: Frame, begin: SSAValue, end: SSAValue, length: int, totals: Sequence[Total]):
        self.end = end
        self.totals = totals
        if not totals:
            return
        e, b = Expr.symbol("e"), Expr.symbol("b")
        count = frame.top.insert(Affine.of((e - b + (length - 1)) // length, {"e": end, "b": begin}))
        limit = frame.top.insert(Minimum.create(operands=[count, frame.index(Expr.constant(2))], result_types=[I64]))
        self.several = frame.top.insert(Affine.of(Expr.symbol("n") // 2, {"n": limit}))
        for total in totals:
            size = Expr.symbol("n") * Expr.symbol("size")
            names = {"n": self.several, "size": frame.index(total.reach.count(frame))}
            elements = frame.top.insert(Affine.of(size, names))
            zero = frame.constant(0, F64, 1)
            frame.top.add(Fill.create(operands=[zero, total.wide, elements]))

    def finish(self, frame: Frame, after: SSAValue) -> None:
        """At the end of a run: the sums move to their wide buffers, or back after the last run. A run that is the only
        one has nothing to move."""
        if not self.totals:
            return
        loop = For.of(frame.index(Expr.constant(0)), self.several, 1, [], "combine")
        last = frame.top.builder.ge(after, self.end)
        frame.top.add(loop)
        inner = frame.with_scopes([*frame.scopes[:-1], Scope(loop.block)])
        for total in self.totals:
            _walk(inner, total, last, list(total.reach.loops), {}, Expr.constant(0))
        loop.block.add_op(Yield.create())


def _walk(
    frame: Frame,
    total: Total,
    last: SSAValue,
    loops: list[tuple[str, Expr]],
    counters: dict[str, SSAValue],
    position: Expr,
) -> None:
    """The loops around the rows; `position` is that of the row among the others."""
    reach = total.reach
    if loops:
        (name, size), *rest = loops
        loop = For.of(frame.index(Expr.constant(0)), frame.index(size), 1, [], "combine")
        frame.top.add(loop)
        inner = frame.with_scopes([*frame.scopes[:-1], Scope(loop.block)])
        _walk(inner, total, last, rest, counters | {name: loop.counter}, position * size + Expr.symbol(name))
        loop.block.add_op(Yield.create())
        return
    row = reach.row if reach.row is not None else Expr.constant(frame.lanes)
    start = _at(frame, position * row, counters)
    if reach.row is None:
        step = reach.offset.coefficient(frame.vector_dim or "")
        consecutive = step is not None and step.value == 1
        extra = counters if consecutive else counters | {str(frame.vector_dim): frame.lane_counter()}
        _move(frame, total, frame.widen(last), _at(frame, reach.offset, extra), start, frame.mask, frame.lanes)
        return
    place = _at(frame, reach.offset, counters)
    if row.value == 1:
        _move(frame, total, last, place, start, None, 1)
        return
    lanes = LINE * 8 // bit_width(total.element)
    last = replace(frame, lanes=lanes).widen(last)
    zero, whole, end = (frame.index(e) for e in (Expr.constant(0), row - row % lanes, row))
    for begin, stop, masked in ((zero, whole, False), (whole, end, True)):
        if begin is stop:
            continue
        loop = For.of(begin, stop, lanes, [], "combine")
        frame.top.add(loop)
        inner = frame.with_scopes([*frame.scopes[:-1], Scope(loop.block)])
        names = {"end": end, "c": loop.counter, "own": place, "wide": start}
        c = Expr.symbol("c")
        mask = None
        if masked:
            rest = inner.top.insert(Affine.of(Expr.symbol("end") - c, names))
            mask = inner.top.insert(FirstLanes.create(operands=[rest], result_types=[vector(BOOL, lanes)]))
        own, wide = (inner.top.insert(Affine.of(Expr.symbol(name) + c, names)) for name in ("own", "wide"))
        _move(inner, total, last, own, wide, mask, lanes)
        loop.block.add_op(Yield.create())


def _at(frame: Frame, expr: Expr, counters: dict[str, SSAValue]) -> SSAValue:
    """The expression in the innermost open loop, whose counters among others are given."""
    if expr.value is not None:
        return frame.index(expr)
    return frame.top.insert(Affine.of(expr, frame.symbols | frame.counters | counters))


def _move(
    frame: Frame, total: Total, last: SSAValue, place: SSAValue, start: SSAValue, mask: SSAValue | None, lanes: int
) -> None:
    """Add elements to the wide buffer; leave zeros, or the total after the last run."""
    b, buffer = frame.top.builder, total.home.buffer
    assert buffer is not None
    new = frame.top.insert(Load.of(buffer, place, mask, lanes))
    old = frame.top.insert(Load.of(total.wide, start, mask, lanes))
    both = b.add(old, b.cast(new, F64))
    frame.top.add(Store.of(both, total.wide, start, mask))
    left = b.select(last, b.cast(both, total.element), frame.constant(0, total.element, lanes))
    frame.top.add(Store.of(left, buffer, place, mask))
