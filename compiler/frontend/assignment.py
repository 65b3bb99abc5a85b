"""`x[key] = value` and `ufunc.at`: arrays made in the function take a new value."""

# NumPy's arguments may be anything, so what isinstance tells about them is partial.
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np
from xdsl.ir import SSAValue

from ...dialects.expr import Expr
from ...dialects.weld import Concat, Insert, Reverse, Scatter
from ...dialects.weld.indexing import SCATTER_KINDS
from ...dialects.weld.types import shape_of
from .errors import message, trace_error, unsupported
from .indexing import Key, index_values, parse_key, refresh_key, take_basic, take_ranges
from .promote import (
    Operand,
    common_shape,
    convert,
    dtype_of_operand,
    fill,
    is_weak,
    operand,
    result_dtype,
    session_of,
    shape_of_operand,
)
from .registry import call_ufunc, implements
from .session import Session
from .slices import ZERO, Range, full_range
from .tracer import Tracer

ONE = Expr.constant(1)


def put_ranges(session: Session, base: SSAValue, ranges: Sequence[Range], new: SSAValue) -> SSAValue:
    """`base` with the elements of the ranges replaced, one axis at a time from the outside."""
    partial = [k for k, r in enumerate(ranges) if not r.is_full]
    if not partial:
        return new
    axis, chosen = partial[0], ranges[partial[0]]
    if chosen.size.value == 0:
        return base
    inner = list(ranges)
    inner[axis] = full_range(chosen.size)
    if len(partial) > 1:
        outer = [r if k == axis else full_range(r.full) for k, r in enumerate(ranges)]
        new = put_ranges(session, take_ranges(session, base, outer), inner, new)
    return _put_range(session, base, axis, chosen, new)


def _put_range(session: Session, base: SSAValue, axis: int, chosen: Range, new: SSAValue) -> SSAValue:
    step = chosen.step.value
    assert step is not None
    if step < 0:
        last = chosen.start + (chosen.size - 1) * step
        chosen = Range(last, chosen.size, Expr.constant(-step), chosen.full)
        new, step = session.emit(Reverse.of(new, [axis])), -step
    if step == 1:
        end = chosen.start + chosen.size
        pieces = [
            _piece(session, base, axis, ZERO, chosen.start),
            new,
            _piece(session, base, axis, end, chosen.full - end),
        ]
        parts = [p for p in pieces if p is not None]
        return parts[0] if len(parts) == 1 else session.emit(Concat.of(parts, axis))
    whole = [(ZERO, ONE)] * len(shape_of(base))
    whole[axis] = (chosen.start, chosen.step)
    starts, steps = zip(*whole, strict=True)
    return session.emit(Insert.of(base, new, starts, steps))


def _piece(session: Session, base: SSAValue, axis: int, start: Expr, size: Expr) -> SSAValue | None:
    if size.value == 0:
        return None
    full = shape_of(base)
    ranges = [Range(start, size, ONE, n) if k == axis else full_range(n) for k, n in enumerate(full)]
    return take_ranges(session, base, ranges)


def put_basic(session: Session, base: SSAValue, key: Key, new: SSAValue) -> SSAValue:
    """`base` with the part that the key's slices and integers select replaced by `new`."""
    return put_ranges(session, base, key.ranges, session.reshape(new, tuple(r.size for r in key.ranges)))


@implements(operator.setitem)
def set_item(x: Tracer, key: Any, value: Any) -> None:
    """`x[key] = value`: the tracer's value is replaced; masks select, index arrays scatter."""
    session = session_of(x, value)
    value = operand(session, value)
    if x.argument is not None:
        x.assign(x.value)  # raises
    if _is_traced_mask(key):
        _set_masked(session, x, key[0] if isinstance(key, tuple) else key, value)
        return
    scatter(session, x, key, value, "set")


def scatter(session: Session, x: Tracer, key: Any, value: Operand, kind: str) -> None:
    """`x[key] op= value` with every index counted."""
    parsed = parse_key(session, x.dims, key)
    if dtype_of_operand(value).kind == "c" and x.dtype.kind != "c":
        raise TypeError(message("complex values cannot be assigned to a real array"))
    part = take_basic(session, x.value, parsed)
    if not parsed.arrays:
        new = fill(session, _without_leading_ones(session, value, len(shape_of(part))), x.dtype, shape_of(part))
    else:
        indices, in_range = index_values(session, part, parsed)
        parsed = refresh_key(session, parsed)
        axes = [k for k, _ in parsed.arrays]
        kept = [n for k, n in enumerate(shape_of(part)) if k not in axes]
        shape = (*kept[: parsed.at], *shape_of(indices[0]), *kept[parsed.at :])
        updates = fill(session, _without_leading_ones(session, value, len(shape)), x.dtype, shape)
        new = session.emit(Scatter.of(part, updates, indices, axes, parsed.at, kind, in_range))
    x.assign(put_basic(session, x.value, refresh_key(session, parsed), new))


def _without_leading_ones(session: Session, value: Operand, rank: int) -> Operand:
    """NumPy lets an assigned value have extra leading dims of size 1."""
    shape = shape_of_operand(value)
    extra = len(shape) - rank
    if extra <= 0 or any(e.value != 1 for e in shape[:extra]):
        return value
    if isinstance(value, Tracer):
        return Tracer(session, session.reshape(value.value, shape[extra:]))
    return np.reshape(value, np.shape(value)[extra:])


def _is_traced_mask(key: Any) -> bool:
    single = key[0] if isinstance(key, tuple) and len(key) == 1 else key  # pyright: ignore[reportUnknownVariableType]
    return isinstance(single, Tracer) and single.dtype.kind == "b"


def _set_masked(session: Session, x: Tracer, mask: Tracer, value: Operand) -> None:
    """`x[mask] = value` as a select, for values that do not depend on how many elements the mask chooses."""
    rank = mask.ndim
    common_shape(session, [x.dims[:rank], mask.dims])
    if len(shape_of_operand(value)) > x.ndim - rank and any(e.value != 1 for e in shape_of_operand(value)):
        raise trace_error(
            "x[mask] = values with a traced mask takes as many values as the mask chooses, which depends on the data",
            "use np.where(mask, values, x) with values of x's shape",
        )
    condition = session.reshape(mask.value, mask.dims + (ONE,) * (x.ndim - rank))
    condition = session.broadcast(condition, x.dims)
    new = fill(session, value, x.dtype, x.dims)
    x.assign(session.apply("select", condition, new, x.value))


SCATTERS: dict[Any, str] = {ufunc: kind for kind, ufunc in SCATTER_KINDS.items() if ufunc is not None}


def update_at(ufunc: Any, x: Any, key: Any, value: Any = None) -> None:
    """`ufunc.at(x, key, value)`: repeated indices count each time."""
    session = session_of(x, key, value)
    if not isinstance(x, Tracer):
        raise trace_error(
            f"np.{ufunc.__name__}.at changes an ordinary NumPy array by traced values",
            "make the array inside the function with np.zeros_like(x) or np.zeros(shape, like=x)",
        )
    if x.argument is not None:
        x.assign(x.value)  # raises
    if (ufunc.nin, ufunc.nout) != (2, 1) or getattr(np, ufunc.__name__, None) is not ufunc:
        raise unsupported(f"np.{ufunc.__name__}.at", "it exists for NumPy's ufuncs of two operands and one result")
    value = operand(session, value)
    _check_loop(ufunc, x.dtype)
    dtype = result_dtype(x, value) if is_weak(value) else dtype_of_operand(value)
    if not np.can_cast(dtype, x.dtype, "same_kind"):
        raise TypeError(message(f"np.{ufunc.__name__}.at cannot cast {dtype} to {x.dtype}"))
    if ufunc is np.subtract:
        ufunc = np.add
        value = call_ufunc(np.negative, (value,)) if isinstance(value, Tracer) else np.negative(convert(value, dtype))
    parsed = parse_key(session, x.dims, key)
    if not parsed.arrays:
        part = Tracer(session, take_basic(session, x.value, parsed))
        new = call_ufunc(ufunc, (part, value))
        scatter(session, x, key, new, "set")
        return
    scatter(session, x, key, value, SCATTERS.get(ufunc) or ufunc.__name__)


def _check_loop(ufunc: Any, dtype: np.dtype[Any]) -> None:
    """TypeError where the array's dtype cannot hold what the ufunc makes of it."""
    found = ufunc.resolve_dtypes((dtype, dtype, None))[-1]
    if not np.can_cast(found, dtype, "same_kind"):
        raise TypeError(message(f"Cannot cast ufunc '{ufunc.__name__}' output from {found} to {dtype}"))
