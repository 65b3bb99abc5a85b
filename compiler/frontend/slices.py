"""Python slices and integers as ranges of an axis whose size may be open."""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import Any

from ...dialects.expr import Expr
from .errors import index_error, trace_error
from .session import Session
from .symint import as_size
from .tracer import Tracer

ZERO, ONE = Expr.constant(0), Expr.constant(1)


@dataclass(frozen=True)
class Range:
    """Elements start, start + step, ... (`size` of them) of an axis with `full` elements."""

    start: Expr
    size: Expr
    step: Expr
    full: Expr

    @property
    def is_full(self) -> bool:
        return self.size == self.full and self.step == ONE

    @property
    def is_reversed(self) -> bool:
        return self.size == self.full and self.step.value == -1

    def canonical(self, session: Session) -> Range:
        known = session.symbols.canonical
        return Range(known(self.start), known(self.size), known(self.step), known(self.full))


def full_range(size: Expr) -> Range:
    return Range(ZERO, size, ONE, size)


def point_range(session: Session, index: Any, size: Expr, axis: int) -> Range:
    """One element; a number outside the axis raises IndexError."""
    position = as_size(index)
    assert position is not None
    symbols = session.symbols
    start = position if _sign(session, position) else position + size
    if not (symbols.nonnegative(start) and symbols.positive(size - start)):
        number, length = symbols.pin(position), symbols.pin(size)
        if not -length <= number < length:
            raise index_error(f"index {number} is out of bounds for axis {axis} with size {length}")
        start = Expr.constant(number % length)
    return Range(symbols.canonical(start), ONE, ONE, symbols.canonical(size))


def slice_range(session: Session, key: slice, size: Expr) -> Range:
    """What `slice.indices` says, for an open size where it is the same for all sizes; else the size is pinned."""
    if key.start is None and key.stop is None and key.step is None:
        return full_range(size)
    start, stop, step = (_bound(v) for v in (key.start, key.stop, key.step))
    stride = 1 if step is None else session.symbols.pin(step)
    if stride == 0:
        raise ValueError("slice step cannot be zero")
    first = _clamp(session, start, size, stride, at_start=True)
    last = _clamp(session, stop, size, stride, at_start=False)
    span = last - first if stride > 0 else first - last
    symbols = session.symbols
    if symbols.nonnegative(span):
        count = (span + (abs(stride) - 1)) // abs(stride)
    elif symbols.nonnegative(-span):
        count = ZERO
    else:
        count = Expr.constant(max(0, -(-symbols.pin(span) // abs(stride))))
    count, size = symbols.canonical(count), symbols.canonical(size)
    if count.value == 0:
        first = ZERO
    if count.value == 1:
        stride = 1
    return Range(symbols.canonical(first), count, Expr.constant(stride), size)


def _bound(value: Any) -> Expr | None:
    if value is None:
        return None
    if isinstance(value, Tracer):
        raise trace_error(
            "a slice has a traced bound, so the result's shape would depend on the data",
            "use np.take with computed indices, or np.where with np.arange; close over fixed bounds",
        )
    expr = as_size(value)
    return Expr.constant(operator.index(value)) if expr is None else expr


def _sign(session: Session, value: Expr) -> bool:
    """Whether the value is >= 0; pins it where that is not known for all sizes."""
    symbols = session.symbols
    if symbols.nonnegative(value):
        return True
    if symbols.positive(-value):
        return False
    return symbols.pin(value) >= 0


def _below(session: Session, value: Expr, limit: Expr) -> bool:
    """Whether value <= limit matters: False where value >= limit for all sizes; else pinned where not known."""
    symbols = session.symbols
    if symbols.nonnegative(value - limit):
        return False
    return symbols.nonnegative(limit - value) or symbols.pin(value) < symbols.pin(limit)


def _clamp(session: Session, value: Expr | None, size: Expr, stride: int, at_start: bool) -> Expr:
    """A slice bound as Python reads it: from the end where negative, cut to the axis."""
    least, greatest = (ZERO, size) if stride > 0 else (Expr.constant(-1), size - 1)
    if value is None:
        return least if at_start == (stride > 0) else greatest
    symbols = session.symbols
    if not _sign(session, value):
        value = value + size
    if _below(session, value, least):
        return symbols.canonical(least)
    if _below(session, greatest, value):
        return symbols.canonical(greatest)
    return symbols.canonical(value)
