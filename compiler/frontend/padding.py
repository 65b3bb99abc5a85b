"""np.pad."""

# NumPy's arguments may be anything, so what isinstance tells about them is partial.
# pyright: reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from ...dialects.expr import Expr
from ...dialects.weld import Pad
from .errors import unsupported, value_error
from .promote import fill, operand, session_of, traced
from .registry import FUNCTIONS, implements
from .tracer import Tracer


def _pairs(amounts: Any, rank: int) -> list[tuple[Any, Any]]:
    """NumPy's forms of a pad width: 2, (2,), (1, 2), ((1, 2),), ((1, 2), (3, 4)), {axis: ...}."""
    if isinstance(amounts, dict):
        chosen: dict[int, Any] = {k % rank: v for k, v in amounts.items()}  # pyright: ignore
        return [_pairs(chosen.get(k, 0), 1)[0] for k in range(rank)]
    rows = (
        list(amounts)
        if isinstance(amounts, tuple | list)
        else amounts.tolist()
        if isinstance(amounts, np.ndarray)
        else [amounts]
    )
    if not any(isinstance(r, tuple | list) for r in rows):
        return [(rows[0], rows[-1])] * rank
    rows = [list(r) if isinstance(r, tuple | list) else [r] for r in rows]
    pairs = [(r[0], r[-1]) for r in rows]
    return pairs * rank if len(pairs) == 1 else pairs


@implements(np.pad)
def pad(array: Any, pad_width: Any, mode: Any = "constant", **options: Any) -> Tracer:
    session = session_of(array, options)
    x = traced(session, array).copy()
    widths = [(operator.index(a), operator.index(b)) for a, b in _pairs(pad_width, x.ndim)]
    if len(widths) != x.ndim or any(a < 0 or b < 0 for a, b in widths):
        raise ValueError(
            "index can't contain negative values"
            if len(widths) == x.ndim
            else f"pad_width has {len(widths)} entries for {x.ndim} dims"
        )
    if mode == "constant":
        return _pad_constant(x, widths, options.get("constant_values", 0))
    for axis, (low, high) in enumerate(widths):
        if low or high:
            x = _pad_axis(x, axis, low, high, mode, options)
    return x


def _pad_constant(x: Tracer, widths: list[tuple[int, int]], values: Any) -> Tracer:
    session = x.session
    rank = x.ndim
    if not any(low or high for low, high in widths):
        return x
    if isinstance(values, Tracer) or not isinstance(values, tuple | list | np.ndarray):
        low, high = (tuple(Expr.constant(w[side]) for w in widths) for side in (0, 1))
        return Tracer(
            session, session.emit(Pad.of(x.value, fill(session, operand(session, values), x.dtype, ()), low, high))
        )
    for axis, (numbers, width) in enumerate(zip(_pairs(values, rank), widths, strict=True)):
        for side in (0, 1):
            if width[side]:
                amount = [(0, 0)] * rank
                amount[axis] = (width[0], 0) if side == 0 else (0, width[1])
                x = _pad_constant(x, amount, numbers[side])
    return x


def _pad_axis(x: Tracer, axis: int, low: int, high: int, mode: Any, options: dict[str, Any]) -> Tracer:
    """Edge, wrap, reflect and symmetric padding, by slices of the array along one axis."""
    before = (slice(None),) * axis

    def cut(a: Any, b: Any, step: int = 1) -> Tracer:
        return x[(*before, slice(a, b, step))]

    size = x.shape[axis]
    if size == 0:
        raise value_error(f"can't extend empty axis {axis} using modes other than 'constant' or 'empty'")
    join = FUNCTIONS[np.concatenate]
    if mode == "edge":
        shape = list(x.shape)
        ends = [(cut(0, 1), low), (cut(-1, None), high)]
        wide = [FUNCTIONS[np.broadcast_to](end, tuple(shape[:axis] + [n] + shape[axis + 1 :])) for end, n in ends]
        return join([wide[0], x, wide[1]], axis)
    if mode not in ("wrap", "reflect", "symmetric") or options.get("reflect_type", "even") != "even":
        raise unsupported(f"np.pad with mode {mode!r}", "the modes are constant, edge, wrap, reflect and symmetric")
    skip = 1 if mode == "reflect" and size != 1 else 0
    flipped = x[(*before, slice(None, None, -1))]
    parts = [x]
    for left, width in ((True, low), (False, high)):
        mirrored = mode != "wrap"
        while width > 0:  # copies of the array, away from it; every other one is mirrored
            part, taken = (flipped if mirrored else x), min(width, size - skip)
            ends = slice(size - skip - taken, size - skip) if left else slice(skip, skip + taken)
            piece = part[(*before, ends)]
            parts = [piece, *parts] if left else [*parts, piece]
            width, mirrored = width - taken, mode != "wrap" and not mirrored
    return join(parts, axis)
