"""Functions that permute, reverse, add and drop axes."""

# NumPy's arguments may be anything, so what isinstance tells about them is partial.
# pyright: reportUnknownArgumentType=false
# pyright: reportUnknownLambdaType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from xdsl.ir import SSAValue

from ...dialects.weld import Reverse
from ...dialects.weld.types import Shape
from .errors import value_error
from .promote import ONE, session_of, traced
from .reducing import normal_axes
from .registry import FUNCTIONS, implements
from .shaping import linked, reshaped, transposed
from .tracer import Tracer


@implements(np.linalg.matrix_transpose, np.matrix_transpose)
def matrix_transpose(x: Any, /) -> Tracer:
    return swapaxes(x, -1, -2)


@implements(np.swapaxes)
def swapaxes(a: Any, axis1: int, axis2: int) -> Tracer:
    x = traced(session_of(a), a)
    order = list(range(x.ndim))
    i, j = normal_axes(axis1, x.ndim)[0], normal_axes(axis2, x.ndim)[0]
    order[i], order[j] = order[j], order[i]
    return transposed(x, order)


@implements(np.moveaxis)
def moveaxis(a: Any, source: Any, destination: Any) -> Tracer:
    x = traced(session_of(a), a)
    starts, ends = ([v] if not isinstance(v, tuple | list) else list(v) for v in (source, destination))
    starts = [normal_axes(k, x.ndim)[0] for k in starts]
    ends = [normal_axes(k, x.ndim)[0] for k in ends]
    order = [k for k in range(x.ndim) if k not in starts]
    for end, start in sorted(zip(ends, starts, strict=True)):
        order.insert(end, start)
    return transposed(x, order)


@implements(np.rollaxis)
def rollaxis(a: Any, axis: int, start: int = 0) -> Tracer:
    (axis,) = normal_axes(axis, a.ndim)
    start = start + a.ndim if start < 0 else start
    return moveaxis(a, axis, start - 1 if axis < start else start)


@implements(np.squeeze)
def squeeze(a: Any, axis: Any = None) -> Tracer:
    x = traced(session_of(a), a)
    ones = tuple(k for k, e in enumerate(x.dims) if e.value == 1)
    axes = ones if axis is None else normal_axes(axis, x.ndim)
    if any(k not in ones for k in axes):
        raise value_error("cannot select an axis to squeeze out which has size not equal to one")
    return reshaped(x, lambda shape: tuple(e for k, e in enumerate(shape) if k not in axes))


@implements(np.expand_dims)
def expand_dims(a: Any, axis: Any) -> Tracer:
    x = traced(session_of(a), a)
    count = len(axis) if isinstance(axis, tuple | list) else 1
    axes = normal_axes(axis, x.ndim + count)

    def grow(shape: Shape) -> Shape:
        result = list(shape)
        for k in axes:
            result.insert(k, ONE)
        return tuple(result)

    return reshaped(x, grow)


@implements(np.flip)
def flip(m: Any, axis: Any = None) -> Tracer:
    x = traced(session_of(m), m)
    axes = normal_axes(axis, x.ndim)
    emit = x.session.emit

    def reverse(v: SSAValue) -> SSAValue:
        return emit(Reverse.of(v, axes)) if axes else v

    return linked(x, reverse, reverse)


def _at_least(rank: int) -> Callable[..., Any]:
    def meaning(*arrays: Any) -> Any:
        results: list[Any] = []
        for array in arrays:
            x = array if isinstance(array, np.ndarray) else traced(session_of(arrays), array)
            missing = rank - x.ndim
            if missing > 0 and rank == 3 and x.ndim:
                x = x[None, :, None] if x.ndim == 1 else x[:, :, None]
            elif missing > 0:
                x = x[(None,) * missing + (Ellipsis,)]
            results.append(x)
        return results[0] if len(results) == 1 else tuple(results)

    return meaning


for _rank, _function in ((1, np.atleast_1d), (2, np.atleast_2d), (3, np.atleast_3d)):
    FUNCTIONS[_function] = _at_least(_rank)

FUNCTIONS[np.fliplr] = lambda m: flip(m, 1)
FUNCTIONS[np.flipud] = lambda m: flip(m, 0)


@implements(np.rot90)
def rot90(m: Any, k: int = 1, axes: Any = (0, 1)) -> Tracer:
    x = traced(session_of(m), m)
    turns, (first, second) = k % 4, axes
    if turns == 2:
        return flip(x, (first, second))
    if turns == 1:
        return swapaxes(flip(x, second), first, second)
    return flip(swapaxes(x, first, second), second) if turns == 3 else x
