"""Running reductions and differences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...dialects.weld import Cumprod, Cumsum
from .promote import session_of, traced, wrap
from .reducing import NOTHING, finish, normal_axes, sum_dtype
from .registry import FUNCTIONS, implements
from .tracer import Tracer


def _running(op: type[Cumsum] | type[Cumprod]) -> Callable[..., Any]:
    def meaning(a: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
        session = session_of(a)
        x = traced(session, a)
        if axis is None:
            x, axis = FUNCTIONS[np.ravel](x), 0
        (axis,) = normal_axes(axis, x.ndim)
        work = sum_dtype(x.dtype) if dtype is None else np.dtype(dtype)
        return finish(wrap(session, session.emit(op.of(session.cast(x.value, work), axis))), out)

    return meaning


implements(np.cumsum)(_running(Cumsum))
implements(np.cumprod)(_running(Cumprod))


@implements(np.diff)
def diff(a: Any, n: int = 1, axis: int = -1, prepend: Any = NOTHING, append: Any = NOTHING) -> Any:
    x = traced(session_of(a, prepend, append), a)
    (axis,) = normal_axes(axis, x.ndim)
    extra = [_column(x, v, axis) for v in (prepend, append)]
    parts = [p for p in (extra[0], x, extra[1]) if p is not None]
    if len(parts) > 1:
        x = FUNCTIONS[np.concatenate](parts, axis)
    for _ in range(n):
        before: tuple[Any, ...] = (slice(None),) * axis
        later, earlier = x[(*before, slice(1, None))], x[(*before, slice(None, -1))]
        x = later ^ earlier if x.dtype.kind == "b" else later - earlier
    return x


def _column(x: Tracer, value: Any, axis: int) -> Any:
    if value is NOTHING:
        return None
    if np.ndim(value) if not isinstance(value, Tracer) else value.ndim:
        return value
    shape = list(x.shape)
    shape[axis] = 1
    return FUNCTIONS[np.broadcast_to](traced(x.session, value), tuple(shape))


@implements(np.gradient)
def gradient(f: Any, *spacing: Any, axis: Any = None, edge_order: int = 1) -> Any:
    """Central differences inside, one-sided ones at the ends, for one spacing per axis."""
    x = traced(session_of(f, spacing), f)
    axes = normal_axes(axis, x.ndim)
    steps = list(spacing) * (len(axes) if len(spacing) == 1 else 1) or [1.0] * len(axes)
    if edge_order != 1 or any(np.ndim(s) for s in steps if not isinstance(s, Tracer)):
        from .libcalls import library_function

        return library_function(np.gradient, f, *spacing, axis=axis, edge_order=edge_order)
    x = x if x.dtype.kind in "fc" else x.astype(np.float64)
    results: list[Any] = []
    for k, step in zip(axes, steps, strict=True):
        before: tuple[Any, ...] = (slice(None),) * k

        def cut(a: Any, b: Any, before: tuple[Any, ...] = before) -> Any:
            return x[(*before, slice(a, b))]

        inner = (cut(2, None) - cut(None, -2)) / (2.0 * step)
        first, last = (cut(1, 2) - cut(0, 1)) / step, (cut(-1, None) - cut(-2, -1)) / step
        results.append(FUNCTIONS[np.concatenate]([first, inner, last], k))
    return results[0] if len(results) == 1 else tuple(results)
