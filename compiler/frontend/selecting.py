"""Functions that choose values: where, take, clip, bincount and the like."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...dialects.expr import Expr
from ...dialects.weld import Scatter
from ...dialects.weld.types import shape_of
from .bounds import emit_check
from .creating import iota
from .errors import message, trace_error, unsupported, value_error
from .promote import (
    common_shape,
    dtype_of_operand,
    fill,
    operand,
    result_dtype,
    same_size,
    session_of,
    shape_of_operand,
    traced,
)
from .reducing import normal_axes
from .registry import FUNCTIONS, call_ufunc, implements
from .symint import as_size
from .tracer import Tracer


@implements(np.where)
def where(condition: Any, x: Any = None, y: Any = None, /) -> Any:
    if x is None and y is None:
        raise unsupported(
            "np.where with one argument (its result's shape depends on the data)", "use np.where(condition, x, y)"
        )
    session = session_of(condition, x, y)
    chosen, a, b = (operand(session, v) for v in (condition, x, y))
    dtype = result_dtype(a, b)
    shape = common_shape(session, [shape_of_operand(v) for v in (chosen, a, b)])
    test = fill(session, chosen, np.dtype(np.bool_), shape)
    value = session.apply("select", test, fill(session, a, dtype, shape), fill(session, b, dtype, shape))
    return Tracer(session, value)  # an array even where it has no dims, as in NumPy


@implements(np.select)
def select(condlist: Any, choicelist: Any, default: Any = 0) -> Any:
    result = default
    for condition, choice in reversed(list(zip(condlist, choicelist, strict=True))):
        result = where(condition, choice, result)
    return result


@implements(np.clip)
def clip(
    a: Any, a_min: Any = None, a_max: Any = None, out: Any = None, *, min: Any = None, max: Any = None, **options: Any
) -> Any:
    low, high = (a_min if min is None else min), (a_max if max is None else max)
    result = a
    if low is not None:
        result = call_ufunc(np.maximum, (result, low))
    if high is not None:
        result = call_ufunc(np.minimum, (result, high))
    if out is not None:
        from .ufuncs import store

        return store(out, result)
    return FUNCTIONS[np.copy](result) if result is a else result


@implements(np.take)
def take(a: Any, indices: Any, axis: Any = None, out: Any = None, mode: str = "raise") -> Any:
    session = session_of(a, indices)
    x, index = traced(session, a), operand(session, indices)
    if axis is None:
        x, axis = FUNCTIONS[np.ravel](x), 0
    (axis,) = normal_axes(axis, x.ndim)
    if mode in ("clip", "wrap"):
        size = x.shape[axis]
        index = clip(traced(session, index), 0, size - 1) if mode == "clip" else traced(session, index) % size
    elif not isinstance(index, Tracer | np.ndarray):
        index = np.asarray(index)
    if dtype_of_operand(index).kind not in "iu":
        raise TypeError(message("np.take needs integer indices"))
    found = x[(*(slice(None),) * axis, index)]
    if out is not None:
        from .ufuncs import store

        return store(out, found)
    return found


@implements(np.take_along_axis)
def take_along_axis(arr: Any, indices: Any, axis: Any = -1) -> Any:
    """One index along `axis`, its own for each position of the other dims."""
    session = session_of(arr, indices)
    x, index = traced(session, arr), traced(session, indices)
    if axis is None:
        x, axis = FUNCTIONS[np.ravel](x), 0
    (axis,) = normal_axes(axis, x.ndim)
    if x.ndim != index.ndim:
        raise value_error("`indices` and `arr` must have the same number of dimensions")
    key = [index if k == axis else _own_position(x, index, k) for k in range(x.ndim)]
    return x[tuple(key)]


def _own_position(x: Tracer, index: Tracer, axis: int) -> Any:
    """The index along another axis than the chosen one: each position itself; size 1 repeats."""
    session = x.session
    common_shape(session, [(x.dims[axis],), (index.dims[axis],)], are_indices=True)
    size = session.symbols.canonical(x.dims[axis])
    if size.value == 1:
        return 0
    position = iota(session, size)
    return position[(*(None,) * axis, slice(None), *(None,) * (x.ndim - axis - 1))]


@implements(np.bincount)
def bincount(x: Any, /, weights: Any = None, minlength: Any = 0) -> Tracer:
    """Counts or sums of weights for the values 0 to minlength - 1; a larger value raises ValueError."""
    session = session_of(x, weights, minlength)
    index = traced(session, x)
    if index.ndim != 1 or index.dtype.kind not in "iub":
        raise value_error("bincount needs a 1-d array of non-negative integers")
    length = as_size(minlength)
    if length is None or length.value == 0:
        raise trace_error(
            "the length of np.bincount's result would depend on the data",
            "pass minlength=n, where every value is below n",
        )
    dtype = np.dtype(np.int64 if weights is None else np.float64)
    text = "np.bincount: values must lie in [0, minlength)"
    emit_check(session, index.value, Expr.constant(0), length, text, "ValueError")
    values = session.cast(index.value, np.dtype(np.int64))
    if weights is not None:
        sizes = shape_of_operand(operand(session, weights))
        if len(sizes) != 1:
            raise value_error("bincount needs weights of the shape of x")
        same_size(session, index.dims[0], sizes[0], "The weights and list don't have the same length")
    updates = fill(session, 1 if weights is None else operand(session, weights), dtype, shape_of(values))
    zeros = session.splat(0, dtype, (session.symbols.canonical(length),))
    return Tracer(session, session.emit(Scatter.of(zeros, updates, [values], [0], 0, "add")))


def _refuse(functions: tuple[Any, ...], what: str, remedy: str) -> None:
    for function in functions:

        def meaning(*args: Any, _name: str = f"np.{function.__name__}", **options: Any) -> Any:
            raise unsupported(f"{_name} ({what})", remedy)

        FUNCTIONS[function] = meaning


_refuse(
    (np.put_along_axis, np.put, np.place, np.copyto, np.putmask, np.fill_diagonal),
    "it fills an array in place",
    "assign instead: x[index] = values",
)
_refuse(
    (np.nonzero, np.flatnonzero, np.argwhere, np.unique, np.unique_values, np.unique_counts, np.unique_inverse)
    + (np.trim_zeros, np.union1d, np.intersect1d, np.setdiff1d, np.setxor1d, np.compress, np.extract),
    "its result's shape depends on the data",
    "use np.where(mask, x, other), a reduction with where=mask, or compute it before",
)
_refuse((np.choose, np.piecewise), "it has no traced form", "use np.select or np.where")
