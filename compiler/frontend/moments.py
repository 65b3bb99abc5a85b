"""mean, var and std: sums divided by counts."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...dialects.expr import product_of
from ...dialects.weld.types import Shape
from .errors import unsupported
from .promote import fill, operand, session_of, traced, wrap
from .reducing import NOTHING, finish, normal_axes, reduce
from .registry import call_ufunc, implements
from .session import Session
from .tracer import Tracer


def count_along(session: Session, shape: Shape, axes: tuple[int, ...], dtype: np.dtype[Any]) -> Tracer:
    """How many elements are reduced, as a 0-d value."""
    return wrap(session, session.size(product_of(shape[k] for k in axes), dtype))


def real_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The dtype of a complex number's parts; real dtypes are their own."""
    return np.dtype(f"f{dtype.itemsize // 2}") if dtype.kind == "c" else dtype


def _float_dtypes(x: Tracer, dtype: Any) -> tuple[np.dtype[Any], np.dtype[Any]]:
    """What mean and var compute in, and what they give."""
    if dtype is not None and dtype is not NOTHING:
        return np.dtype(dtype), np.dtype(dtype)
    if x.dtype.kind in "biu":
        return np.dtype(np.float64), np.dtype(np.float64)
    return (np.dtype(np.float32), x.dtype) if x.dtype == np.float16 else (x.dtype, x.dtype)


@implements(np.mean)
def np_mean(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = NOTHING, *, where: Any = NOTHING
) -> Any:
    session = session_of(a, where)
    x = traced(session, a)
    work, given = _float_dtypes(x, dtype)
    axes = normal_axes(axis, x.ndim)
    total = reduce(x, "sum", axes, work, keepdims, NOTHING, where)
    count = _count(session, x, axes, work, keepdims, where)
    return finish(call_ufunc(np.true_divide, (total, count)).astype(given), out)


def _count(
    session: Session, x: Tracer, axes: tuple[int, ...], dtype: np.dtype[Any], keepdims: Any, where: Any
) -> Tracer:
    real = real_dtype(dtype)
    if where is NOTHING or where is True:
        return count_along(session, x.dims, axes, real)
    chosen = Tracer(session, fill(session, operand(session, where), real, x.dims))
    return reduce(chosen, "sum", axes, real, keepdims, NOTHING, NOTHING)


@implements(np.var)
def np_var(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: Any = 0, keepdims: Any = NOTHING, *,
    where: Any = NOTHING, mean: Any = NOTHING, correction: Any = NOTHING,
) -> Any:  # fmt: skip
    """Two passes, as NumPy does: the mean, then the mean squared distance from it."""
    session = session_of(a, where)
    x = traced(session, a)
    if x.dtype.kind == "c":
        raise unsupported("np.var of a complex array", "use np.var(x.real) + np.var(x.imag)")
    ddof = ddof if correction is NOTHING else correction
    work, given = _float_dtypes(x, dtype)
    axes = normal_axes(axis, x.ndim)
    x = x.astype(work)
    center = np_mean(x, axes, keepdims=True, where=where) if mean is NOTHING else mean
    distance = x - center
    total = reduce(distance * distance, "sum", axes, work, keepdims, NOTHING, where)
    count = _count(session, x, axes, work, keepdims, where)
    if ddof:
        count = call_ufunc(np.maximum, (count - ddof, 0))
    return finish(call_ufunc(np.true_divide, (total, count)).astype(given), out)


@implements(np.std)
def np_std(a: Any, *args: Any, out: Any = None, **options: Any) -> Any:
    return finish(call_ufunc(np.sqrt, (np_var(a, *args, **options),)), out)
