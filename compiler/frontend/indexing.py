"""`x[key]`: NumPy's basic and integer-array indexing on traced arrays."""

# NumPy's arguments may be anything, so what isinstance tells about them is partial.
# pyright: reportUnknownArgumentType=false
# pyright: reportUnknownLambdaType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from xdsl.ir import SSAValue

from ...dialects.weld import Gather, Reverse, Slice
from ...dialects.weld.types import Shape, shape_of
from .bounds import check_bounds
from .errors import index_error, trace_error
from .promote import ONE, Operand, common_shape, dtype_of_operand, fill, operand, shape_of_operand, wrap
from .registry import implements
from .session import Session
from .slices import Range, full_range, point_range, slice_range
from .symint import as_size
from .tracer import Tracer


@dataclass
class Key:
    """A key taken apart: first the ranges and the reshape of basic indexing, then a gather.

    `ranges` has one entry a dim of the array; `kept` the dims that stay and None for new axes; `arrays` the index
    arrays with their axis in the kept dims; `at` where the index arrays' dims go.
    """

    ranges: list[Range]
    kept: list[int | None]
    arrays: list[tuple[int, Operand]]
    at: int
    is_scalar: bool

    def basic_shape(self) -> Shape:
        return tuple(ONE if k is None else self.ranges[k].size for k in self.kept)


def parse_key(session: Session, shape: Shape, key: Any) -> Key:
    """Raises IndexError as NumPy does, TraceError for masks that are traced."""
    entries = _expand(session, shape, list(key) if isinstance(key, tuple) else [key])
    ranges: list[Range] = []
    kept: list[int | None] = []
    arrays: list[tuple[int, Operand]] = []
    advanced: list[int] = []
    has_array = any(_is_array(e) and not _is_zero_d(e) for e in entries)
    for position, entry in enumerate(entries):
        if entry is Ellipsis:
            continue
        if entry is None:
            kept.append(None)
            continue
        size = session.symbols.canonical(shape[len(ranges)])
        axis = len(ranges)
        if isinstance(entry, slice):
            ranges.append(slice_range(session, entry, size))
            kept.append(axis)
        elif _is_array(entry):
            arrays.append((len(kept), entry))
            ranges.append(full_range(size))
            kept.append(axis)
            advanced.append(position)
        else:
            ranges.append(point_range(session, entry, size, axis))
            if has_array:
                advanced.append(position)
    together = not advanced or advanced[-1] - advanced[0] == len(advanced) - 1
    first = arrays[0][0] if arrays else 0
    at = first if together else 0
    has_ellipsis = isinstance(key, tuple) and any(e is Ellipsis for e in key)
    is_scalar = not has_ellipsis and key is not Ellipsis
    return refresh_key(session, Key(ranges, kept, arrays, at, is_scalar))


def _expand(session: Session, shape: Shape, entries: list[Any]) -> list[Any]:
    """Masks become index arrays, the ellipsis slices, and each dim has an entry.

    An ellipsis for no dims stays: it still stands between index arrays.
    """
    result: list[Any] = []
    for entry in entries:
        if isinstance(entry, slice) or entry is None or entry is Ellipsis:
            result.append(entry)
            continue
        if as_size(entry) is not None:
            result.append(entry)
            continue
        index = operand(session, entry)
        if dtype_of_operand(index).kind == "b":
            result += _mask_indices(index)
        elif dtype_of_operand(index).kind not in "iu" and not (isinstance(index, np.ndarray) and index.size == 0):
            raise index_error("only integers, slices, `...`, None and integer or boolean arrays are valid indices")
        else:
            result.append(index.astype(np.int64) if isinstance(index, np.ndarray) else index)
    used = sum(e is not None and e is not Ellipsis for e in result)
    if used > len(shape):
        raise index_error(f"too many indices for array: array is {len(shape)}-dimensional, but {used} were indexed")
    dots = [k for k, e in enumerate(result) if e is Ellipsis]
    if len(dots) > 1:
        raise index_error("an index can only have a single ellipsis ('...')")
    place = dots[0] if dots else len(result)
    missing: list[Any] = [slice(None)] * (len(shape) - used)
    return (
        result[:place] + (missing or result[place : place + 1]) + result[place + len(dots) :]
        if dots
        else result + missing
    )


def _mask_indices(mask: Operand) -> list[Any]:
    if isinstance(mask, Tracer):
        raise trace_error(
            "an array is indexed with a traced boolean mask, so the result's shape would depend on the data",
            "use np.where(mask, x, other), or a reduction with where=mask",
        )
    if np.ndim(mask) == 0:
        raise index_error("a 0-d boolean index is not supported in a compiled function")
    return list(np.nonzero(mask))


def _is_array(entry: Any) -> bool:
    return isinstance(entry, Tracer | np.ndarray)


def _is_zero_d(entry: Any) -> bool:
    return (entry.ndim if isinstance(entry, Tracer) else np.ndim(entry)) == 0


# Basic part.


def take_ranges(session: Session, value: SSAValue, ranges: Sequence[Range]) -> SSAValue:
    """The elements of the ranges, all dims kept."""
    if all(r.is_full for r in ranges):
        return value
    if all(r.is_full or r.is_reversed for r in ranges):
        return session.emit(Reverse.of(value, [k for k, r in enumerate(ranges) if not r.is_full]))
    parts = [tuple(getattr(r, name) for r in ranges) for name in ("start", "size", "step")]
    return session.emit(Slice.of(value, *parts))


def take_basic(session: Session, value: SSAValue, key: Key) -> SSAValue:
    return session.reshape(take_ranges(session, value, key.ranges), key.basic_shape())


def refresh_key(session: Session, key: Key) -> Key:
    """The key with sizes in their current form."""
    return Key([r.canonical(session) for r in key.ranges], key.kept, key.arrays, key.at, key.is_scalar)


# Index arrays.


def index_values(session: Session, value: SSAValue, key: Key) -> tuple[list[SSAValue], bool]:
    """The key's index arrays as int64 values of one shape, checked against the sizes of their axes unless that shape
    has no elements; and whether all are known to be in range, without wrapping."""
    shape = common_shape(session, [shape_of_operand(a) for _, a in key.arrays], are_indices=True)
    in_range = [check_bounds(session, array, shape_of(value)[axis], axis, shape) for axis, array in key.arrays]
    return [fill(session, a, np.dtype(np.int64), shape) for _, a in key.arrays], all(in_range)


@implements(operator.getitem)
def get_item(x: Tracer, key: Any) -> Tracer:
    """`x[key]`: a view for basic keys, a gather for index arrays."""
    session = x.session
    parsed = parse_key(session, x.dims, key)
    value = take_basic(session, x.value, parsed)
    if not parsed.arrays:
        result = wrap(session, value)
        if not parsed.is_scalar:
            result.kind = "array"
        return _view(session, x, result, parsed)
    indices, in_range = index_values(session, value, parsed)
    axes = [k for k, _ in parsed.arrays]
    return wrap(session, session.emit(Gather.of(value, indices, axes, parsed.at, in_range)))


def _view(session: Session, x: Tracer, result: Tracer, key: Key) -> Tracer:
    from .assignment import put_basic

    return result.as_view(
        x,
        lambda base: take_basic(session, base, refresh_key(session, key)),
        lambda base, new: put_basic(session, base, refresh_key(session, key), new),
    )
