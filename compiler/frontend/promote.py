"""Operands of one operation brought to one shape and one dtype, by NumPy's rules."""

# NumPy's arguments may be anything, so what isinstance tells about them is partial.
# pyright: reportUnknownArgumentType=false
# pyright: reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from xdsl.ir import SSAValue

from ...dialects.expr import Expr
from ...dialects.weld.types import Shape, shape_of
from .errors import index_error, message, shapes_text, trace_error, value_error
from .registry import FUNCTIONS
from .session import SMALL, Session, element_type, static
from .symint import SymInt
from .tracer import Tracer

Operand = Any
"""A Tracer, a NumPy array or scalar, or a Python int, float or complex (weakly typed)."""

ONE = Expr.constant(1)


def tracers_in(*objects: Any) -> Iterable[Tracer | SymInt]:
    """Every traced object in the arguments and in lists, tuples and dicts of them."""
    for item in objects:
        if isinstance(item, Tracer | SymInt):
            yield item
        elif isinstance(item, list | tuple):
            yield from tracers_in(*item)  # pyright: ignore[reportUnknownArgumentType]
        elif isinstance(item, dict):
            yield from tracers_in(*item.values())  # pyright: ignore[reportUnknownArgumentType]


def session_of(*objects: Any) -> Session:
    """The trace that all traced objects among the arguments belong to; TraceError where there are two."""
    found: Session | None = None
    for item in tracers_in(*objects):
        if not item.session.open or (found is not None and item.session is not found):
            raise trace_error(
                "an array of another trace is used here: it was kept from an earlier call of a compiled "
                "function, or from an enclosing one",
                "pass arrays as arguments and return them as results; do not store them in globals or attributes",
            )
        found = item.session
    assert found is not None, "no traced object among the arguments"
    return found


def operand(session: Session, value: Any) -> Operand:
    """Anything that NumPy takes as an array."""
    if isinstance(value, Tracer):
        return value
    if isinstance(value, SymInt):
        result = Tracer(session, session.size(value.expr), "python")
        result.number = value.__index__
        return result
    if isinstance(value, bool):
        return np.bool_(value)
    if isinstance(value, int | float | complex | np.generic | np.ndarray) and not isinstance(value, np.object_):
        return value  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, list | tuple) and any(True for _ in tracers_in(value)):
        return FUNCTIONS[np.stack]([operand(session, v) for v in value])  # pyright: ignore[reportUnknownVariableType]
    array: np.ndarray[Any, Any] = np.asarray(value)
    if array.dtype.kind not in "biufc":
        raise TypeError(message(f"a value of type {type(value).__name__} is no array of numbers"))
    return array


def is_weak(value: Operand) -> bool:
    """Whether the operand takes the dtype of the others."""
    if isinstance(value, Tracer):
        return value.kind == "python" and value.dtype.kind != "b"
    return not isinstance(value, np.ndarray | np.generic)


_WEAK = {"i": int, "u": int, "f": float, "c": complex}


def dtype_or_weak(value: Operand) -> Any:
    """The dtype, or the Python type of a weakly typed operand."""
    if isinstance(value, Tracer):
        return _WEAK[value.dtype.kind] if is_weak(value) else value.dtype
    return type(value) if is_weak(value) else value.dtype


def dtype_of_operand(value: Operand) -> np.dtype[Any]:
    if isinstance(value, Tracer | np.ndarray | np.generic):
        return value.dtype
    return np.asarray(value).dtype


def result_dtype(*operands: Operand) -> np.dtype[Any]:
    """NumPy's common dtype."""
    examples = [_example(v) for v in operands]
    return np.result_type(*examples)


def _example(value: Operand) -> Any:
    kind = dtype_or_weak(value)
    return kind(0) if isinstance(kind, type) and kind in (int, float, complex) else kind


def shape_of_operand(value: Operand) -> Shape:
    return value.dims if isinstance(value, Tracer) else static(np.shape(value))


def common_shape(session: Session, shapes: Sequence[Shape], are_indices: bool = False) -> Shape:
    """The shape that all shapes broadcast to; unifies open sizes. Raises NumPy's ValueError, or its IndexError."""
    rank = max((len(s) for s in shapes), default=0)
    result: list[Expr] = [ONE] * rank
    for shape in shapes:
        for axis, size in enumerate(shape, rank - len(shape)):
            size = session.symbols.canonical(size)
            current = session.symbols.canonical(result[axis])
            if size.value == 1 or size == current:
                continue
            if current.value != 1 and 1 in (session.symbols.example(size), session.symbols.example(current)):
                # An open size that is 1 now broadcasts now: the program is for this size.
                size, current = Expr.constant(session.symbols.pin(size)), Expr.constant(session.symbols.pin(current))
                if size == current or size.value == 1:
                    result[axis] = current
                    continue
            joined = size if current.value == 1 else session.symbols.unify(current, size)
            if joined is None:
                examples = [tuple(session.symbols.example(e) for e in s) for s in shapes]
                text = f"could not be broadcast together with shapes {shapes_text(*examples)}"
                if are_indices:
                    raise index_error(f"shape mismatch: indexing arrays {text}")
                raise value_error(f"operands {text}")
            result[axis] = joined
    return tuple(session.symbols.canonical(e) for e in result)


def same_size(session: Session, a: Expr, b: Expr, what: str) -> Expr:
    """The size that two dims must share (unified); ValueError saying `what` where they differ."""
    joined = session.symbols.unify(a, b)
    if joined is None:
        raise value_error(f"{what}: {session.symbols.example(a)} and {session.symbols.example(b)}")
    return joined


def fill(session: Session, value: Operand, dtype: np.dtype[Any], shape: Shape | None = None) -> SSAValue:
    """The operand cast to `dtype` and broadcast to `shape` (its own shape without one)."""
    if isinstance(value, Tracer):
        if is_weak(value) and value.dtype.kind == "i" and dtype.kind in "iu":
            _check_fits(session, value, dtype)
        own = session.cast(value.value, dtype)
        return own if shape is None else broadcast_to(session, own, shape)
    array: np.ndarray[Any, Any] = convert(value, dtype)
    element_type(array.dtype)
    if array.size == 1 and (shape is None or len(shape) >= array.ndim):
        return session.splat(array.reshape(-1)[0], dtype, static(array.shape) if shape is None else shape)
    own = session.cast(session.array(array), dtype)
    return own if shape is None else broadcast_to(session, own, shape)


def _check_fits(session: Session, value: Tracer, dtype: np.dtype[Any]) -> None:
    """The OverflowError of NumPy for a Python int that an array's dtype cannot hold."""
    from .bounds import emit_check  # it builds on this module

    if dtype.itemsize < 8:
        low, high = Expr.constant(int(np.iinfo(dtype).min)), Expr.constant(int(np.iinfo(dtype).max) + 1)
        text = f"Python integer '{value.argument or ''}' out of bounds for {dtype}"
        emit_check(session, value.value, low, high, text, "OverflowError")


def convert(value: Operand, dtype: np.dtype[Any]) -> np.ndarray[Any, Any]:
    """A constant as an array; small ones in `dtype`. OverflowError for Python ints that do not fit, as in NumPy."""
    with np.errstate(all="ignore"):
        if not isinstance(value, np.ndarray | np.generic):
            return _number(value, dtype)
        array: np.ndarray[Any, Any] = np.asarray(value)
        return array.astype(dtype) if array.size <= SMALL else array


def _number(value: Any, dtype: np.dtype[Any]) -> np.ndarray[Any, Any]:
    try:
        return np.array(value, dtype)
    except OverflowError as error:
        raise OverflowError(message(str(error))) from None


def broadcast_to(session: Session, value: SSAValue, shape: Shape) -> SSAValue:
    """`value` repeated to `shape`, which its own shape must broadcast to; unifies open sizes."""
    if shape_of(value) == shape:
        return value
    own = shape_of(value)
    if len(own) <= len(shape):
        common = common_shape(session, [own, shape])
        shape = tuple(session.symbols.canonical(e) for e in shape)
        if common == shape:
            return session.broadcast(value, shape)
    examples = [tuple(session.symbols.example(session.symbols.canonical(e)) for e in s) for s in (own, shape)]
    raise value_error(
        f"could not broadcast input array from shape {shapes_text(examples[0])} into shape {shapes_text(examples[1])}"
    )


def traced(session: Session, value: Any, dtype: Any = None) -> Tracer:
    """Any array-like as a Tracer of its own shape."""
    value = operand(session, value)
    if isinstance(value, Tracer) and dtype in (None, value.dtype):
        return value
    return Tracer(session, fill(session, value, np.dtype(dtype or dtype_of_operand(value))))


def wrap(session: Session, value: SSAValue) -> Tracer:
    """A result: a NumPy scalar where it has no dims."""
    return Tracer(session, value, "array" if shape_of(value) else "scalar")
