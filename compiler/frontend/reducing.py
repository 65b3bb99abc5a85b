"""NumPy's reductions: sum, prod, max, min, any, all, argmax, argmin, mean, var, std."""

# NumPy's arguments may be anything, so what isinstance tells about them is partial.
# pyright: reportUnknownArgumentType=false
# pyright: reportUnknownLambdaType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
from xdsl.ir import SSAValue

from ...dialects.weld import REDUCTIONS
from ...dialects.weld.types import shape_of
from .errors import value_error
from .promote import ONE, fill, operand, session_of, traced, wrap
from .registry import implements
from .session import Session, element_type
from .tracer import Tracer

NOTHING: Any = np._NoValue  # pyright: ignore


def normal_axes(axis: Any, rank: int) -> tuple[int, ...]:
    """Sorted non-negative axes; all for None. Raises NumPy's AxisError."""
    if axis is None:
        return tuple(range(rank))
    axes = axis if isinstance(axis, tuple | list) else (axis,)
    result: list[int] = []
    for a in axes:
        number = operator.index(a)
        if not -rank <= number < rank:
            raise np.exceptions.AxisError(number, rank)
        result.append(number % rank)
    if len(set(result)) != len(result):
        raise ValueError("duplicate value in 'axis'")
    return tuple(sorted(result))


def keep_axes(session: Session, value: SSAValue, axes: tuple[int, ...]) -> SSAValue:
    """The reduced axes again, with size 1."""
    shape = list(shape_of(value))
    for axis in axes:
        shape.insert(axis, ONE)
    return session.reshape(value, tuple(shape))


def reduce_value(
    session: Session, kind: str, value: SSAValue, axes: tuple[int, ...], keepdims: bool = False
) -> SSAValue:
    """The reduction `kind` over axes; no axes leave the value as it is."""
    if not axes and not kind.startswith("arg"):
        return value
    result = session.emit(REDUCTIONS[kind].of(value, axes))
    return keep_axes(session, result, axes) if keepdims else result


def reduce(x: Any, kind: str, axis: Any, dtype: np.dtype[Any], keepdims: Any, initial: Any, where: Any) -> Tracer:
    """A reduction with NumPy's options; `dtype` is what it computes in."""
    session = session_of(x, where)
    x = traced(session, x)
    axes = normal_axes(axis, x.ndim)
    reduction = REDUCTIONS[kind]
    value = session.cast(x.value, dtype)
    if where is not NOTHING and where is not True:
        if not reduction.empty and initial is NOTHING:
            raise value_error(f"reduction operation '{kind}' does not have an identity, so where= needs initial=")
        neutral = session.splat(reduction.identity(element_type(dtype)), dtype, shape_of(value))
        condition = fill(session, operand(session, where), np.dtype(np.bool_), shape_of(value))
        value = session.apply("select", condition, value, neutral)
    empty = any(shape_of(value)[a].value == 0 for a in axes)
    if empty and not reduction.empty:
        if initial is NOTHING:
            names = {"max": "maximum", "min": "minimum"}
            raise value_error(f"zero-size array to reduction operation {names.get(kind, kind)} which has no identity")
        kept = tuple(e for k, e in enumerate(shape_of(value)) if k not in axes)
        result = session.splat(reduction.identity(element_type(dtype)), dtype, kept)
        result = keep_axes(session, result, axes) if _flag(keepdims) else result
    else:
        result = reduce_value(session, kind, value, axes, _flag(keepdims))
    if initial is not NOTHING and initial is not None:
        start = fill(session, operand(session, initial), dtype, shape_of(result))
        result = session.emit(reduction.combine.of(result, start))
    return wrap(session, result)


def _flag(keepdims: Any) -> bool:
    return keepdims is not NOTHING and bool(keepdims)


def sum_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """NumPy adds and multiplies small integers in 64 bits."""
    return np.dtype({"b": np.int64, "i": np.int64, "u": np.uint64}.get(dtype.kind, dtype))


def _dtype_of(x: Any) -> np.dtype[Any]:
    return x.dtype if isinstance(x, Tracer) else traced(session_of(x), x).dtype


def finish(result: Any, out: Any) -> Any:
    """The result, stored in `out` where there is one."""
    from .ufuncs import store

    return result if out is None else store(out, result)


def _additive(kind: str) -> Callable[..., Any]:
    def meaning(
        a: Any,
        axis: Any = None,
        dtype: Any = None,
        out: Any = None,
        keepdims: Any = NOTHING,
        initial: Any = NOTHING,
        where: Any = NOTHING,
    ) -> Any:
        work = sum_dtype(_dtype_of(a)) if dtype is None or dtype is NOTHING else np.dtype(dtype)
        if work.kind == "b":
            return finish(reduce(a, "any" if kind == "sum" else "all", axis, work, keepdims, initial, where), out)
        return finish(reduce(a, kind, axis, work, keepdims, initial, where), out)

    return meaning


def _extreme(kind: str) -> Callable[..., Any]:
    def meaning(
        a: Any,
        axis: Any = None,
        out: Any = None,
        keepdims: Any = NOTHING,
        initial: Any = NOTHING,
        where: Any = NOTHING,
        **_: Any,
    ) -> Any:
        return finish(reduce(a, kind, axis, _dtype_of(a), keepdims, initial, where), out)

    return meaning


def _logical(kind: str) -> Callable[..., Any]:
    def meaning(
        a: Any, axis: Any = None, out: Any = None, keepdims: Any = NOTHING, *, where: Any = NOTHING, **_: Any
    ) -> Any:
        return finish(reduce(a, kind, axis, np.dtype(np.bool_), keepdims, NOTHING, where), out)

    return meaning


np_sum = implements(np.sum)(_additive("sum"))
np_prod = implements(np.prod)(_additive("prod"))
np_max = implements(np.max, np.amax)(_extreme("max"))
np_min = implements(np.min, np.amin)(_extreme("min"))
np_any = implements(np.any)(_logical("any"))
np_all = implements(np.all)(_logical("all"))


def _bitwise(kind: str) -> Callable[..., Any]:
    return lambda a, axis=None, **options: _extreme(kind)(a, axis, **options)


UFUNC_REDUCTIONS: dict[Any, Callable[..., Any]] = {
    np.add: np_sum,
    np.multiply: np_prod,
    np.maximum: np_max,
    np.minimum: np_min,
    np.logical_or: np_any,
    np.logical_and: np_all,
    np.bitwise_and: _bitwise("and"),
    np.bitwise_or: _bitwise("or"),
    np.bitwise_xor: _bitwise("xor"),
}
"""What `ufunc.reduce` does."""


def _position(kind: str) -> Callable[..., Any]:
    def meaning(a: Any, axis: Any = None, out: Any = None, *, keepdims: Any = NOTHING) -> Any:
        session = session_of(a)
        x = traced(session, a)
        axes = normal_axes(axis, x.ndim)
        if any(x.dims[k].value == 0 for k in axes):
            raise value_error(f"attempt to get {kind} of an empty sequence")
        if not axes:
            return wrap(session, session.splat(0, np.dtype(np.int64)))
        return finish(wrap(session, reduce_value(session, kind, x.value, axes, _flag(keepdims))), out)

    return meaning


np_argmax = implements(np.argmax)(_position("argmax"))
np_argmin = implements(np.argmin)(_position("argmin"))
