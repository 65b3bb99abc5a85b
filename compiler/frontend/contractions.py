"""Products of matrices: matmul, dot, inner, outer, vdot, tensordot."""

# NumPy's arguments may be anything, so what isinstance tells about them is partial.
# pyright: reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...dialects.expr import product_of
from ...dialects.weld import Matmul
from .errors import value_error
from .promote import broadcast_to, common_shape, operand, result_dtype, same_size, session_of, traced, wrap
from .reducing import normal_axes
from .registry import FUNCTIONS, call_ufunc, implements
from .session import Session
from .shaping import transposed
from .tracer import Tracer


def _pair(a: Any, b: Any) -> tuple[Session, Tracer, Tracer]:
    """Both operands as arrays of NumPy's common dtype."""
    session = session_of(a, b)
    x, y = operand(session, a), operand(session, b)
    dtype = result_dtype(x, y)
    return session, traced(session, x).astype(dtype), traced(session, y).astype(dtype)


def _finish(result: Any, out: Any) -> Any:
    from .ufuncs import store

    return result if out is None else store(out[0] if isinstance(out, tuple) else out, result)


@implements(np.matmul, np.linalg.matmul)
def matmul(a: Any, b: Any, /, out: Any = None, **options: Any) -> Any:
    """NumPy's matmul: vectors are rows or columns, leading dims broadcast."""
    session, x, y = _pair(a, b)
    if x.ndim == 0 or y.ndim == 0:
        raise value_error("matmul: operands need at least 1 dimension, use * for scalars")
    names = "matmul: the operands' inner dimensions differ"
    same_size(session, x.dims[-1], y.dims[-2 if y.ndim > 1 else 0], names)
    if x.ndim == 1 and y.ndim == 1:
        return _finish(_vector_dot(x, y), out)
    left, right = (x[None, :] if x.ndim == 1 else x), (y[:, None] if y.ndim == 1 else y)
    value = _matmul(session, left, right)
    if x.ndim == 1:
        value = value[..., 0, :]
    if y.ndim == 1:
        value = value[..., 0]
    return _finish(value, out)


def _vector_dot(x: Tracer, y: Tracer) -> Any:
    return FUNCTIONS[np.sum](call_ufunc(np.multiply, (x, y)), dtype=x.dtype)


def _matmul(session: Session, x: Tracer, y: Tracer) -> Tracer:
    """Matrices in the last two dims; a batch against one matrix is one flat product."""
    if x.ndim > 2 and y.ndim == 2:
        rows = product_of(x.dims[:-1])
        flat = session.reshape(x.value, (rows, x.dims[-1]))
        result = _emit(session, flat, y.value)
        return Tracer(session, session.reshape(result, (*x.dims[:-1], y.dims[-1])))
    batch = common_shape(session, [x.dims[:-2], y.dims[:-2]])
    left = broadcast_to(session, x.value, (*batch, *x.dims[-2:]))
    right = broadcast_to(session, y.value, (*batch, *y.dims[-2:]))
    return Tracer(session, _emit(session, left, right))


def _emit(session: Session, a: Any, b: Any) -> Any:
    """One matmul; bools multiply as integers and become bools again."""
    if session.dtype(a).kind != "b":
        return session.emit(Matmul.of(a, b))
    wide = np.dtype(np.int64)
    return session.truth(session.emit(Matmul.of(session.cast(a, wide), session.cast(b, wide))))


@implements(np.dot)
def dot(a: Any, b: Any, out: Any = None) -> Any:
    _, x, y = _pair(a, b)
    if x.ndim == 0 or y.ndim == 0:
        return _finish(call_ufunc(np.multiply, (a, b)), out)
    if y.ndim <= 2:
        return _finish(matmul(x, y), out)
    return _finish(tensordot(x, y, ([x.ndim - 1], [y.ndim - 2])), out)


@implements(np.inner)
def inner(a: Any, b: Any, /) -> Any:
    _, x, y = _pair(a, b)
    if x.ndim == 0 or y.ndim == 0:
        return call_ufunc(np.multiply, (a, b))
    result = tensordot(x, y, ([x.ndim - 1], [y.ndim - 1]))
    return wrap(result.session, result.value)


@implements(np.outer)
def outer(a: Any, b: Any, out: Any = None) -> Any:
    _, x, y = _pair(a, b)
    ravel = FUNCTIONS[np.ravel]
    return _finish(call_ufunc(np.multiply, (ravel(x)[:, None], ravel(y)[None, :])), out)


@implements(np.vdot)
def vdot(a: Any, b: Any, /) -> Any:
    _, x, y = _pair(a, b)
    ravel = FUNCTIONS[np.ravel]
    return matmul(call_ufunc(np.conjugate, (ravel(x),)), ravel(y))


@implements(np.linalg.vecdot, np.vecdot)
def vecdot(a: Any, b: Any, /, *, axis: int = -1, **options: Any) -> Any:
    _, x, y = _pair(a, b)
    product = call_ufunc(np.multiply, (call_ufunc(np.conjugate, (x,)), y))
    return FUNCTIONS[np.sum](product, axis=axis, dtype=x.dtype)


@implements(np.tensordot)
def tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    """Sums over pairs of axes, as one matrix product."""
    session, x, y = _pair(a, b)
    if isinstance(axes, tuple | list):
        left, right = ([k] if not isinstance(k, tuple | list) else list(k) for k in axes)
    else:
        count = operator.index(axes)
        left, right = list(range(x.ndim - count, x.ndim)), list(range(count))
    left = [normal_axes(k, x.ndim)[0] for k in left]
    right = [normal_axes(k, y.ndim)[0] for k in right]
    if len(left) != len(right):
        raise value_error("shape-mismatch for sum")
    for i, j in zip(left, right, strict=True):
        same_size(session, x.dims[i], y.dims[j], "shape-mismatch for sum")
    result = contract(session, x, y, left, right, [], [])
    result.kind = "array"
    return result


def contract(
    session: Session,
    x: Tracer,
    y: Tracer,
    left: Sequence[int],
    right: Sequence[int],
    left_batch: Sequence[int],
    right_batch: Sequence[int],
) -> Tracer:
    """The result's dims are the batch dims, then the free dims of x, then those of y; `left` meets `right`."""
    free_x = [k for k in range(x.ndim) if k not in (*left, *left_batch)]
    free_y = [k for k in range(y.ndim) if k not in (*right, *right_batch)]
    moved_x = transposed(x, [*left_batch, *free_x, *left])
    moved_y = transposed(y, [*right_batch, *right, *free_y])
    batch = tuple(x.dims[k] for k in left_batch)
    rows, columns = tuple(x.dims[k] for k in free_x), tuple(y.dims[k] for k in free_y)
    inner_size = product_of(x.dims[k] for k in left)
    if not rows and not columns and not batch:
        shape = (inner_size,)
        flat = [Tracer(session, session.reshape(m.value, shape)) for m in (moved_x, moved_y)]
        return _vector_dot(*flat)
    head = (product_of(batch),) if batch else ()
    flat_x = session.reshape(moved_x.value, (*head, product_of(rows), inner_size))
    flat_y = session.reshape(moved_y.value, (*head, inner_size, product_of(columns)))
    return wrap(session, session.reshape(_emit(session, flat_x, flat_y), (*batch, *rows, *columns)))


@implements(np.matvec)
def matvec(a: Any, b: Any, /, **options: Any) -> Any:
    return matmul(a, b[..., None])[..., 0]


@implements(np.vecmat)
def vecmat(a: Any, b: Any, /, **options: Any) -> Any:
    return matmul(call_ufunc(np.conjugate, (a,))[..., None, :], b)[..., 0, :]


@implements(np.linalg.multi_dot)
def multi_dot(arrays: Any, *, out: Any = None) -> Any:
    result = arrays[0]
    for array in arrays[1:]:
        result = dot(result, array)
    return _finish(result, out)
