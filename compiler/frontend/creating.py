"""Functions that make arrays: zeros_like, full, arange, eye, tri, meshgrid, ..."""

# NumPy's arguments may be anything, so what isinstance tells about them is partial.
# pyright: reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...dialects.expr import Expr
from ...dialects.weld import Iota
from ...dialects.weld.types import Shape
from .errors import unsupported
from .promote import fill, operand, session_of, traced
from .registry import CREATORS, FUNCTIONS, call_ufunc, implements
from .session import Session, element_type
from .shaping import as_shape
from .symint import as_size
from .tracer import Tracer


def iota(session: Session, size: Expr, dtype: Any = np.int64) -> Tracer:
    """0, 1, ..., size - 1; it is in range of an axis of that size."""
    size = session.symbols.canonical(size)
    result = Tracer(session, session.emit(Iota.of(element_type(np.dtype(dtype)), (size,), 0)))
    session.checked.add((result.value, -size, size, ()))
    return result


def _shape_like(x: Any, shape: Any) -> Shape:
    session = session_of(x, shape)
    dims = traced(session, x).dims if shape is None else as_shape(shape)
    return tuple(session.symbols.canonical(e) for e in dims)


def _filled_like(number: Any) -> Callable[..., Any]:
    def meaning(
        a: Any, dtype: Any = None, order: str = "K", subok: bool = True, shape: Any = None, *, device: Any = None
    ) -> Tracer:
        return full_like(a, number, dtype, shape=shape)

    return meaning


@implements(np.full_like)
def full_like(
    a: Any,
    fill_value: Any,
    dtype: Any = None,
    order: str = "K",
    subok: bool = True,
    shape: Any = None,
    *,
    device: Any = None,
) -> Tracer:
    session = session_of(a, fill_value, shape)
    dims = _shape_like(a, shape)
    kind = np.dtype(dtype) if dtype is not None else traced(session, a).dtype
    return Tracer(session, fill(session, operand(session, fill_value), kind, dims))


FUNCTIONS[np.zeros_like] = _filled_like(0)
FUNCTIONS[np.ones_like] = _filled_like(1)
FUNCTIONS[np.empty_like] = _filled_like(0)


def _filled(number: Any) -> Callable[..., Any]:
    """np.zeros and the like when called with like=: the session comes from there."""

    def meaning(shape: Any, dtype: Any = float, order: str = "C", *, like: Any = None, device: Any = None) -> Tracer:
        return full_like(like, number, float if dtype is None else dtype, shape=shape)

    return meaning


@implements(np.array, np.asarray, np.asanyarray, np.ascontiguousarray)
def array(value: Any, dtype: Any = None, *, copy: Any = None, like: Any = None, **options: Any) -> Tracer:
    session = session_of(value, like)
    return traced(session, value, dtype).copy()


def _arange_like(session: Session, start: Any, stop: Any, step: Any, dtype: Any) -> Any:
    if stop is None:
        start, stop = 0, start
    step = 1 if step is None else step
    first, last, stride = as_size(start), as_size(stop), as_size(step)
    if first is None or last is None or stride is None or stride.value is None or stride.value == 0:
        if any(isinstance(v, Tracer) for v in (start, stop, step)):
            raise unsupported("np.arange with a traced bound", "its length would depend on the data")
        return traced(
            session, np.arange(*(v if as_size(v) is None else int(v) for v in (start, stop, step)), dtype=dtype)
        )
    span = last - first if stride.value > 0 else first - last
    if not session.symbols.nonnegative(span):
        return traced(session, np.arange(int(start), int(stop), int(step), dtype=dtype))
    count = (span + (abs(stride.value) - 1)) // abs(stride.value)
    result = iota(session, count, dtype or np.int64)
    if stride.value == 1 and first.value == 0:
        return result
    return (result * stride.value + start).astype(dtype or np.int64)


@implements(np.arange)
def arange(
    start: Any, stop: Any = None, step: Any = None, dtype: Any = None, *, like: Any = None, device: Any = None
) -> Any:
    return _arange_like(session_of(start, stop, step, like), start, stop, step, dtype)


@implements(np.eye, np.identity)
def eye(
    N: Any, M: Any = None, k: int = 0, dtype: Any = float, order: str = "C", *, like: Any = None, device: Any = None
) -> Tracer:
    session = session_of(N, M, like)
    rows = iota(session, as_size(N) or as_shape(N)[0])[:, None]
    columns = iota(session, as_shape(N if M is None else M)[0])[None, :]
    return call_ufunc(np.equal, (rows + k, columns)).astype(float if dtype is None else dtype)


@implements(np.full)
def full(
    shape: Any, fill_value: Any, dtype: Any = None, order: str = "C", *, like: Any = None, device: Any = None
) -> Tracer:
    value = operand(session_of(like, shape, fill_value), fill_value)
    return full_like(like, value, traced(session_of(like), value).dtype if dtype is None else dtype, shape=shape)


FUNCTIONS[np.zeros] = _filled(0)
FUNCTIONS[np.ones] = _filled(1)
FUNCTIONS[np.empty] = _filled(0)


def _triangle(keeps: Any) -> Callable[..., Any]:
    """np.tril and np.triu: where the column is on the right side of the diagonal."""

    def meaning(m: Any, k: int = 0) -> Any:
        session = session_of(m)
        x = traced(session, m)
        x = x if x.ndim > 1 else FUNCTIONS[np.broadcast_to](x, (x.shape[0], x.shape[0]))
        rows, columns = iota(session, x.dims[-2])[:, None], iota(session, x.dims[-1])[None, :]
        mask = call_ufunc(keeps, (columns - rows, k))
        return FUNCTIONS[np.where](mask, x, x.dtype.type(0))

    return meaning


FUNCTIONS[np.tril] = _triangle(np.less_equal)
FUNCTIONS[np.triu] = _triangle(np.greater_equal)


@implements(np.meshgrid)
def meshgrid(*xi: Any, copy: bool = True, sparse: bool = False, indexing: str = "xy") -> Any:
    session = session_of(xi)
    arrays = [FUNCTIONS[np.ravel](traced(session, x)) for x in xi]
    rank = len(arrays)
    order = list(range(rank))
    if indexing == "xy" and rank > 1:
        order[0], order[1] = 1, 0
    grids = [a[(*(None,) * order[k], slice(None), *(None,) * (rank - order[k] - 1))] for k, a in enumerate(arrays)]
    return tuple(grids) if sparse else FUNCTIONS[np.broadcast_arrays](*grids)


@implements(np.diagonal)
def diagonal(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tracer:
    """Element (i, i + offset) of the two axes, last in the result."""
    session = session_of(a)
    x = FUNCTIONS[np.moveaxis](traced(session, a), (axis1, axis2), (-2, -1))
    rows, columns = x.shape[-2], x.shape[-1]
    height, width = rows - max(-offset, 0), columns - max(offset, 0)
    short = height if height == width or height < width else width
    index = iota(session, as_shape(short)[0])
    value = x[..., max(-offset, 0) :, max(offset, 0) :]
    return value[..., index, index]


@implements(np.trace)
def np_trace(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None, out: Any = None) -> Any:
    return FUNCTIONS[np.sum](diagonal(a, offset, axis1, axis2), -1, dtype, out)


@implements(np.diag)
def diag(v: Any, k: int = 0) -> Any:
    session = session_of(v)
    x = traced(session, v)
    if x.ndim == 2:
        return diagonal(x, k)
    size = x.shape[0] + abs(k)
    rows, columns = iota(session, as_shape(size)[0])[:, None], iota(session, as_shape(size)[0])[None, :]
    spread = FUNCTIONS[np.pad](x, (max(k, 0), max(-k, 0)))
    return FUNCTIONS[np.where](call_ufunc(np.equal, (columns - rows, k)), spread[None, :], x.dtype.type(0))


CREATORS.update((np.array, np.asarray, np.asanyarray, np.ascontiguousarray, np.arange, np.eye, np.identity))
CREATORS.update((np.full, np.zeros, np.ones, np.empty))
