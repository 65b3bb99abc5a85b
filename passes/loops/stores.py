"""What a member's loops write: elements of its results, or of those of all lanes, each combined with what is there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xdsl.ir import SSAValue

from ...dialects.expr import Expr
from ...dialects.loop.interleave import Interleave
from ...dialects.loop.ops import Load, Store, lanes_of
from ...dialects.weld.attributes import Result
from .accumulators import combine
from .scopes import Frame
from .values import Home, Homes, Values


@dataclass(frozen=True)
class Stores:
    """Writes the results of one member to their homes."""

    values: Values
    homes: Homes
    vector_dim: str | None

    def accumulate(self, values: list[SSAValue], out: SSAValue, result: Result, frame: Frame) -> None:
        """Combine with what earlier iterations left in memory, which the kernel filled with the identity."""
        if result.values == 2:
            home = self.homes[out]
            best = Home(home.best, home.strides, home.per_lane)
            pairs = [(best, values[0]), (home, values[1])]
        else:
            pairs = [(self.homes[out], values[0])]
        old: list[SSAValue] = []
        places: list[tuple[SSAValue, SSAValue, SSAValue | None]] = []
        for home, value in pairs:
            assert home.buffer is not None
            offset, mask = self._place(result.indices, home, frame, value)
            old.append(frame.top.insert(Load.of(home.buffer, offset, mask, lanes_of(value))))
            places.append((home.buffer, offset, mask))
        new = combine(frame, result.kind, old, values)
        for (buffer, offset, mask), value in zip(places, new, strict=True):
            frame.top.add(Store.of(value, buffer, offset, mask))

    def _place(
        self, indices: tuple[Expr, ...], home: Home, frame: Frame, value: SSAValue
    ) -> tuple[SSAValue, SSAValue | None]:
        """Offset and mask of the element (or the lanes of elements) that a value belongs to."""
        offset = self.values.offset(indices, home)
        if lanes_of(value) == 1:
            return frame.index(offset), None
        if home.per_lane:
            return frame.index(offset), frame.mask
        assert self.vector_dim is not None
        step = offset.coefficient(self.vector_dim)
        if step is not None and step.value == 1:
            return frame.index(offset), frame.mask
        return frame.lanes_index(offset), frame.mask

    def store(self, value: SSAValue, out: SSAValue, result: Result, frame: Frame) -> None:
        """Write a value to its result's memory, if it has any."""
        home = self.homes[out]
        if home.buffer is not None:
            self.store_to(home, value, result, frame)

    def store_to(self, home: Home, value: SSAValue, result: Result, frame: Frame) -> None:
        """Write a value to memory."""
        assert home.buffer is not None
        uses_lanes = self.vector_dim is not None and frame.vector_dim is not None
        names = {n for e in result.indices for n in e.names}
        if uses_lanes and self.vector_dim in names and frame.lanes > 1:
            value = frame.widen(value)
        offset, mask = self._place(result.indices, home, frame, value)
        frame.top.add(Store.of(value, home.buffer, offset, mask))

    def store_in_turns(self, values: Sequence[SSAValue], out: SSAValue, result: Result, dim: str, frame: Frame) -> None:
        """Write the first lane of each value, the second one of each, and so on: the values are those along `dim`."""
        home, top = self.homes[out], frame.top
        assert home.buffer is not None
        pieces = Interleave.of(values)
        top.add(pieces)
        masks: list[SSAValue | None] = [None] * len(values)
        if frame.mask is not None:
            whole = Interleave.of([frame.mask] * len(values))
            top.add(whole)
            masks = list(whole.outs)
        begin = self.values.offset(result.indices, home).substitute({dim: Expr.constant(0)})
        for k, (piece, mask) in enumerate(zip(pieces.outs, masks, strict=True)):
            top.add(Store.of(piece, home.buffer, frame.index(begin + k * frame.lanes), mask))

    def scatter(self, yielded: Sequence[SSAValue], out: SSAValue, result: Result, frame: Frame) -> None:
        """Update elements whose indices are known only now, one lane after the other."""
        raw, keep, *indices = yielded
        value, inside = self.values.value(raw, frame), self.values.value(keep, frame)
        extra = {n: self.values.value(v, frame) for n, v in zip(result.index_names, indices, strict=True)}
        home = self.homes[out]
        assert home.buffer is not None
        kind = result.kind.removeprefix("scatter_")
        offset_expr = self.values.offset(result.indices, home)
        if frame.lanes == 1 or frame.vector_dim is None:
            offset = frame.lanes_index(offset_expr, extra)
            frame.top.add(Store.of(value, home.buffer, offset, inside, kind))
            return
        offset = frame.widen(frame.lanes_index(offset_expr, extra))
        mask = frame.widen(inside)
        if frame.mask is not None:
            mask = frame.top.builder.and_(mask, frame.mask)
        frame.top.add(Store.of(frame.widen(value), home.buffer, offset, mask, kind))
