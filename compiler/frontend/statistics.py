"""Functions that are a few reductions and ufuncs: average, nansum, norm, ptp, isclose, round, ..."""

# NumPy's arguments may be anything, so what isinstance tells about them is partial.
# pyright: reportUnknownArgumentType=false
# pyright: reportUnknownLambdaType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

from typing import Any

import numpy as np

from ...dialects.weld.reductions import greatest, least
from .moments import np_mean, np_var
from .promote import operand, session_of, traced
from .reducing import NOTHING, np_all, np_any, np_max, np_min, np_sum, reduce
from .registry import FUNCTIONS, call_ufunc, implements
from .session import element_type
from .tracer import Tracer


@implements(np.ptp)
def ptp(a: Any, axis: Any = None, out: Any = None, keepdims: Any = NOTHING) -> Any:
    return np_max(a, axis, keepdims=keepdims) - np_min(a, axis, keepdims=keepdims)


@implements(np.count_nonzero)
def count_nonzero(a: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    x = traced(session_of(a), a)
    return np_sum(Tracer(x.session, x.session.truth(x.value)), axis, keepdims=keepdims)


@implements(np.average)
def average(a: Any, axis: Any = None, weights: Any = None, returned: bool = False, *, keepdims: Any = NOTHING) -> Any:
    session = session_of(a, weights)
    x = traced(session, a)
    if weights is None:
        mean = np_mean(x, axis, keepdims=keepdims)
        count = FUNCTIONS[np.full_like](mean, x.size if axis is None else x.shape[axis])
        return (mean, count) if returned else mean
    w = traced(session, weights)
    if w.ndim != x.ndim:
        w = w[(slice(None),) + (None,) * (x.ndim - 1 - axis % x.ndim)]
    x, w = FUNCTIONS[np.broadcast_arrays](x, w)
    scale = np_sum(w, axis, keepdims=keepdims)
    result = call_ufunc(np.true_divide, (np_sum(call_ufunc(np.multiply, (x, w)), axis, keepdims=keepdims), scale))
    return (result, scale) if returned else result


def _without_nan(a: Any, number: Any) -> tuple[Tracer, Tracer | None]:
    """The array with `number` for NaN, and where it is a number (None for dtypes without NaN)."""
    x = traced(session_of(a), a)
    if x.dtype.kind not in "fc":
        return x, None
    missing = call_ufunc(np.isnan, (x,))
    return FUNCTIONS[np.where](missing, x.dtype.type(number), x), ~missing


@implements(np.nansum)
def nansum(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = NOTHING, **options: Any
) -> Any:
    return np_sum(_without_nan(a, 0)[0], axis, dtype, out, keepdims, **options)


@implements(np.nanprod)
def nanprod(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = NOTHING, **options: Any
) -> Any:
    return FUNCTIONS[np.prod](_without_nan(a, 1)[0], axis, dtype, out, keepdims, **options)


@implements(np.nanmean)
def nanmean(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = NOTHING) -> Any:
    x, valid = _without_nan(a, 0)
    return np_mean(x, axis, dtype, out, keepdims, where=NOTHING if valid is None else valid)


@implements(np.nanvar)
def nanvar(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: Any = 0, keepdims: Any = NOTHING, **_: Any
) -> Any:
    x, valid = _without_nan(a, 0)
    return np_var(x, axis, dtype, out, ddof, keepdims, where=NOTHING if valid is None else valid)


@implements(np.nanstd)
def nanstd(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: Any = 0, keepdims: Any = NOTHING, **_: Any
) -> Any:
    return call_ufunc(np.sqrt, (nanvar(a, axis, dtype, None, ddof, keepdims),))


def _nan_extreme(kind: str, neutral: Any) -> Any:
    def meaning(a: Any, axis: Any = None, out: Any = None, keepdims: Any = NOTHING, **_: Any) -> Any:
        x = traced(session_of(a), a)
        plain, valid = _without_nan(x, neutral(element_type(x.dtype)))
        found = reduce(plain, kind, axis, x.dtype, keepdims, NOTHING, NOTHING)
        if valid is None:
            return found
        return FUNCTIONS[np.where](np_any(valid, axis, keepdims=keepdims), found, x.dtype.type(np.nan))[()]

    return meaning


implements(np.nanmax)(_nan_extreme("max", least))
implements(np.nanmin)(_nan_extreme("min", greatest))


@implements(np.nan_to_num)
def nan_to_num(x: Any, copy: bool = True, nan: Any = 0.0, posinf: Any = None, neginf: Any = None) -> Any:
    a = traced(session_of(x), x)
    if a.dtype.kind != "f":
        return a.copy()
    limits = np.finfo(a.dtype)
    where = FUNCTIONS[np.where]
    scalar = a.dtype.type
    high, low = (limits.max if posinf is None else posinf), (limits.min if neginf is None else neginf)
    result = where(call_ufunc(np.isnan, (a,)), scalar(nan), a)
    result = where(call_ufunc(np.equal, (a, np.inf)), scalar(high), result)
    return where(call_ufunc(np.equal, (a, -np.inf)), scalar(low), result)[()]


@implements(np.linalg.norm)
def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """Vector norms, and the Frobenius norm; the other matrix norms are library calls."""
    a = traced(session_of(x), x)
    a = a if a.dtype.kind in "fc" else a.astype(np.float64)
    count = a.ndim if axis is None else len(axis) if isinstance(axis, tuple) else 1
    if (ord is None and axis is None) or (count == 2 and ord in (None, "fro")):
        return call_ufunc(np.sqrt, (np_sum(_squares(a), axis, keepdims=keepdims),))
    if count != 1 or isinstance(ord, str):
        from .libcalls import library_function

        return library_function(np.linalg.norm, a, ord=ord, axis=axis, keepdims=keepdims)
    size = call_ufunc(np.absolute, (a,))
    if ord in (None, 2):
        return call_ufunc(np.sqrt, (np_sum(_squares(a), axis, keepdims=keepdims),))
    if ord in (np.inf, -np.inf):
        return (np_max if ord > 0 else np_min)(size, axis, keepdims=keepdims)
    if ord == 0:
        return count_nonzero(a, axis, keepdims=keepdims).astype(size.dtype)
    if ord == 1:
        return np_sum(size, axis, keepdims=keepdims)
    return np_sum(size**ord, axis, keepdims=keepdims) ** (1.0 / ord)


def _squares(a: Tracer) -> Any:
    if a.dtype.kind != "c":
        return a * a
    size = call_ufunc(np.absolute, (a,))
    return size * size


FUNCTIONS[np.linalg.vector_norm] = lambda x, axis=None, keepdims=False, ord=2: norm(x, ord, axis, keepdims)


@implements(np.isclose)
def isclose(a: Any, b: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Any:
    session = session_of(a, b)
    x, y = operand(session, a), operand(session, b)
    limit = call_ufunc(np.add, (atol, call_ufunc(np.multiply, (rtol, call_ufunc(np.absolute, (traced(session, y),))))))
    near = call_ufunc(np.less_equal, (call_ufunc(np.absolute, (call_ufunc(np.subtract, (x, y)),)), limit))
    near = near & call_ufunc(np.isfinite, (traced(session, y),))
    result = near | call_ufunc(np.equal, (x, y))
    if equal_nan:
        result = result | (call_ufunc(np.isnan, (traced(session, x),)) & call_ufunc(np.isnan, (traced(session, y),)))
    return result


@implements(np.allclose)
def allclose(a: Any, b: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Any:
    return _as_python(np_all(isclose(a, b, rtol, atol, equal_nan)))


@implements(np.array_equal)
def array_equal(a1: Any, a2: Any, equal_nan: bool = False) -> Any:
    return _as_python(np_all(call_ufunc(np.equal, (a1, a2))))


def _as_python(x: Tracer) -> Tracer:
    """NumPy gives a Python bool here."""
    return Tracer(x.session, x.value, "python")


@implements(np.round, np.around)
def round_(a: Any, decimals: int = 0, out: Any = None) -> Any:
    """NumPy's way: scale, round half to even, scale back."""
    x = traced(session_of(a), a)
    if x.dtype.kind in "biu" and decimals >= 0:
        return x.copy()
    if decimals == 0:
        return call_ufunc(np.rint, (x,), out=out)
    if x.dtype.kind not in "f":
        from .libcalls import library_function

        return library_function(np.round, x, decimals=decimals)
    scale = 10.0 ** abs(decimals)
    if decimals > 0:
        return call_ufunc(np.true_divide, (call_ufunc(np.rint, (x * scale,)), scale), out=out)
    return call_ufunc(np.multiply, (call_ufunc(np.rint, (x / scale,)), scale), out=out)


FUNCTIONS[np.fix] = lambda x, out=None: call_ufunc(np.trunc, (x,), out=out)


@implements(np.sinc)
def sinc(x: Any) -> Any:
    a = traced(session_of(x), x)
    y = np.pi * FUNCTIONS[np.where](call_ufunc(np.equal, (a, 0)), 1.0e-20, a)
    return call_ufunc(np.true_divide, (call_ufunc(np.sin, (y,)), y))
