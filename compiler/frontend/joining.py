"""Functions that put arrays together and take them apart: concatenate, stack, split, tile, repeat, roll."""

# NumPy's arguments may be anything, so what isinstance tells about them is partial.
# pyright: reportUnknownArgumentType=false
# pyright: reportUnknownLambdaType=false
# pyright: reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

import operator
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

from ...dialects.weld import Concat
from ...dialects.weld.types import shape_of
from .errors import unsupported, value_error
from .promote import fill, operand, result_dtype, same_size, session_of, shape_of_operand, traced
from .reducing import normal_axes
from .registry import FUNCTIONS, implements
from .symbols import TINY
from .symint import as_size
from .tracer import Tracer


def _list(arrays: Any) -> list[Any]:
    return list(arrays)


@implements(np.concatenate, np.concat)
def concatenate(arrays: Any, axis: Any = 0, out: Any = None, *, dtype: Any = None, casting: str = "same_kind") -> Any:
    session = session_of(arrays)
    operands = [operand(session, a) for a in _list(arrays)]
    if axis is None:
        operands, axis = [FUNCTIONS[np.ravel](traced(session, a)) for a in operands], 0
    ranks = {len(shape_of_operand(a)) for a in operands}
    if len(ranks) != 1 or 0 in ranks:
        raise value_error(
            "zero-dimensional arrays cannot be concatenated"
            if 0 in ranks
            else f"the arrays to concatenate have different numbers of dims: {sorted(ranks)}"
        )
    (axis,) = normal_axes(axis, ranks.pop())
    kind = np.dtype(dtype) if dtype is not None else result_dtype(*operands)
    values = [fill(session, a, kind) for a in operands]
    for value in values[1:]:
        for k, (a, b) in enumerate(zip(shape_of(values[0]), shape_of(value), strict=True)):
            if k != axis:
                same_size(session, a, b, f"the arrays to concatenate along axis {axis} differ in size along axis {k}")
    result = Tracer(session, values[0] if len(values) == 1 else session.emit(Concat.of(values, axis)))
    if out is None:
        return result
    from .ufuncs import store

    return store(out, result)


@implements(np.stack)
def stack(arrays: Any, axis: int = 0, out: Any = None, *, dtype: Any = None, casting: str = "same_kind") -> Any:
    session = session_of(arrays)
    items = [operand(session, a) for a in _list(arrays)]
    kind = np.dtype(dtype) if dtype is not None else result_dtype(*items)
    tracers = [traced(session, a, kind) for a in items]
    if len({t.ndim for t in tracers}) != 1:
        raise value_error("all input arrays must have the same shape")
    (axis,) = normal_axes(axis, tracers[0].ndim + 1)
    return concatenate([FUNCTIONS[np.expand_dims](t, axis) for t in tracers], axis, out)


def _joined(prepare: Callable[..., Any], axis: Callable[[int], int]) -> Callable[..., Any]:
    def meaning(tup: Any, **options: Any) -> Any:
        session = session_of(tup)
        parts = [prepare(traced(session, a)) for a in _list(tup)]
        return concatenate(parts, axis(parts[0].ndim), **options)

    return meaning


implements(np.vstack)(_joined(lambda a: FUNCTIONS[np.atleast_2d](a), lambda rank: 0))
implements(np.hstack)(_joined(lambda a: FUNCTIONS[np.atleast_1d](a), lambda rank: 0 if rank == 1 else 1))
implements(np.dstack)(_joined(lambda a: FUNCTIONS[np.atleast_3d](a), lambda rank: 2))
implements(np.column_stack)(
    _joined(lambda a: a[:, None] if a.ndim == 1 else FUNCTIONS[np.atleast_2d](a), lambda rank: 1)
)


@implements(np.append)
def append(arr: Any, values: Any, axis: Any = None) -> Any:
    return concatenate([arr, values], axis)


@implements(np.array_split)
def array_split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    """Sections of nearly equal size, or the parts between the given positions."""
    x = traced(session_of(ary), ary)
    (axis,) = normal_axes(axis, x.ndim)
    size = x.shape[axis]
    if isinstance(indices_or_sections, tuple | list | np.ndarray):
        cuts = [0, *[operator.index(k) for k in indices_or_sections], None]
    else:
        sections = operator.index(indices_or_sections)
        each, extra = size // sections, operator.index(size % sections) if as_size(size % sections) is not None else 0
        cuts = [0]
        for k in range(sections):
            cuts.append(cuts[-1] + each + (1 if k < extra else 0))
    before = (slice(None),) * axis
    return [x[(*before, slice(a, b))] for a, b in pairwise(cuts)]


@implements(np.split)
def split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    if not isinstance(indices_or_sections, tuple | list | np.ndarray) and ary.shape[axis] % indices_or_sections != 0:
        raise value_error("array split does not result in an equal division")
    return array_split(ary, indices_or_sections, axis)


FUNCTIONS[np.vsplit] = lambda ary, parts: split(ary, parts, 0)
FUNCTIONS[np.hsplit] = lambda ary, parts: split(ary, parts, 0 if ary.ndim == 1 else 1)
FUNCTIONS[np.dsplit] = lambda ary, parts: split(ary, parts, 2)


@implements(np.unstack)
def unstack(x: Any, /, *, axis: int = 0) -> tuple[Any, ...]:
    return tuple(FUNCTIONS[np.moveaxis](x, axis, 0))


@implements(np.tile)
def tile(a: Any, reps: Any) -> Any:
    x = traced(session_of(a), a)
    counts = list(reps) if isinstance(reps, tuple | list) else [reps]
    rank = max(len(counts), x.ndim)
    counts = [1] * (rank - len(counts)) + counts
    x = x[(None,) * (rank - x.ndim) + (Ellipsis,)]
    wide = [n for k in range(rank) for n in (counts[k], x.shape[k])]
    spread = x[tuple(e for _ in range(rank) for e in (None, slice(None)))]
    return FUNCTIONS[np.reshape](
        FUNCTIONS[np.broadcast_to](spread, tuple(wide)), tuple(c * n for c, n in zip(counts, x.shape, strict=True))
    ).copy()


@implements(np.repeat)
def repeat(a: Any, repeats: Any, axis: Any = None) -> Any:
    session = session_of(a, repeats)
    x = traced(session, a)
    if isinstance(repeats, Tracer):
        raise unsupported("np.repeat with traced counts", "close over the counts, or use np.take with indices")
    if axis is None:
        x, axis = FUNCTIONS[np.ravel](x), 0
    (axis,) = normal_axes(axis, x.ndim)
    if np.size(repeats) == 1 and as_size(repeats) is None:
        repeats = int(np.reshape(repeats, ()))
    if as_size(repeats) is None:
        index = np.repeat(np.arange(operator.index(x.shape[axis])), repeats)
        return FUNCTIONS[np.take](x, index, axis)
    before = (slice(None),) * axis
    spread = x[(*before, slice(None), None)]
    shape = list(x.shape)
    wide = shape[: axis + 1] + [repeats] + shape[axis + 1 :]
    shape[axis] = shape[axis] * repeats
    return FUNCTIONS[np.reshape](FUNCTIONS[np.broadcast_to](spread, tuple(wide)), tuple(shape)).copy()


@implements(np.roll)
def roll(a: Any, shift: Any, axis: Any = None) -> Any:
    x = traced(session_of(a, shift), a)
    if axis is None:
        flat = FUNCTIONS[np.ravel](x)
        return FUNCTIONS[np.reshape](roll(flat, shift, 0), x.shape).copy() if x.ndim != 1 else roll(x, shift, 0)
    axes = axis if isinstance(axis, tuple | list) else (axis,)
    shifts = shift if isinstance(shift, tuple | list) else (shift,) * len(axes)
    for k, amount in zip(axes, shifts, strict=True):
        (k,) = normal_axes(k, x.ndim)
        size = x.dims[k]
        step = operator.index(amount)
        known = size.value
        if known is None and abs(step) > TINY:
            known = x.session.symbols.pin(size)  # how often it goes round depends on the size
        if known is not None:
            step = step % known if known else 0
        if step == 0:
            continue
        before = (slice(None),) * k
        x = concatenate([x[(*before, slice(-step, None))], x[(*before, slice(None, -step))]], k)
    return x.copy()
