"""Subtensors: NumPy's basic and advanced indexing, and arrays with elements set or increased."""

# PyTensor is there with `loopweld[pytensor]` only.
# pyright: reportMissingImports=false

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from pytensor.graph.basic import Constant, Variable
from pytensor.tensor.basic import constant
from pytensor.tensor.subtensor import (
    AdvancedIncSubtensor,
    AdvancedSubtensor,
    IncSubtensor,
    Subtensor,
    indices_from_subtensor,
)
from xdsl.ir import SSAValue

from loopweld.compiler.frontend.assignment import put_ranges
from loopweld.compiler.frontend.bounds import check_bounds
from loopweld.compiler.frontend.indexing import take_ranges
from loopweld.compiler.frontend.session import element_type
from loopweld.compiler.frontend.slices import Range, full_range, point_range, slice_range
from loopweld.compiler.frontend.symint import SymInt
from loopweld.compiler.frontend.tracer import Tracer
from loopweld.dialects.expr import Expr
from loopweld.dialects.weld import Gather, Iota, Scatter
from loopweld.dialects.weld.reductions import Sum
from loopweld.dialects.weld.types import Shape, is_float, scalar_of, shape_of
from loopweld.pytensor.lowering import ONE, Lowering
from loopweld.pytensor.registry import Node, dtype_of, lowers, static_shape

INT64 = np.dtype(np.int64)
FEW = 16
"""Up to so many elements are each found by a walk of their own when numbers are added to them."""
Index = Any
"""A slice of variables, or an index variable."""


@dataclass
class Key:
    """An index taken apart: ranges of all dims, the dims that stay, and index values for some of those."""

    ranges: list[Range]
    kept: list[int]
    arrays: list[tuple[int, SSAValue]]
    """The dim among the kept ones, and its index values: int64 tensors of one shape."""
    at: int
    """Where the dims of the index values go among the dims that are not indexed."""
    in_range: bool
    """Whether all index values are known to lie in [0, size)."""

    def kept_shape(self) -> Shape:
        return tuple(self.ranges[k].size for k in self.kept)

    @property
    def axes(self) -> list[int]:
        return [axis for axis, _ in self.arrays]


def _indices(node: Node) -> list[Index]:
    """The index of the node, constant masks as the positions of what they choose."""
    found: list[Index] = []
    for entry in _entries(node):
        found += [constant(k) for k in np.nonzero(entry.data)] if _is_known_mask(entry) else [entry]
    return found


def _entries(node: Node) -> Sequence[Index]:
    first = 1 if isinstance(node.op, Subtensor | AdvancedSubtensor) else 2
    return indices_from_subtensor(node.inputs[first:], node.op.idx_list)


def _is_known_mask(entry: Index) -> bool:
    return isinstance(entry, Constant) and entry.type.dtype == "bool" and entry.data.ndim > 0


def _check_masks(low: Lowering, node: Node) -> None:
    """Raises IndexError for a constant mask whose sizes are not those of the axes that it is for."""
    axis = 0
    for entry in _entries(node):
        sizes = entry.data.shape if _is_known_mask(entry) else ()
        for size in sizes:
            own = low.shape(node.inputs[0])[axis]
            if low.symbols.unify(own, Expr.constant(size)) is None:
                raise IndexError(
                    f"boolean index did not match indexed array along axis {axis}; "
                    f"size of axis is {low.symbols.example(own)} but size of corresponding boolean axis is {size}"
                )
            axis += 1
        axis += not sizes


def _slices(node: Node) -> list[Variable]:
    """The bounds of all slices: what the result's shape depends on."""
    return [v for e in _indices(node) if isinstance(e, slice) for v in (e.start, e.stop, e.step) if v is not None]


def _is_supported(node: Node) -> bool:
    """No masks whose number of elements is only known when they are."""
    return not any(isinstance(e, Variable) and e.type.dtype == "bool" for e in _indices(node))


def _key(low: Lowering, node: Node) -> Key:
    """Raises IndexError for an index that is out of range for all calls like this one."""
    _check_masks(low, node)
    indices, shape = _indices(node), low.shape(node.inputs[0])
    advanced = isinstance(node.op, AdvancedSubtensor | AdvancedIncSubtensor)
    ranges: list[Range] = []
    kept: list[int] = []
    arrays: list[tuple[int, Index]] = []
    positions: list[int] = []
    padded = [*indices, *[slice(None)] * (len(shape) - len(indices))]
    for axis, entry in enumerate(padded):
        size = low.symbols.canonical(shape[axis])
        if isinstance(entry, slice):
            ranges.append(slice_range(low.session, _bounds(low, entry), size))
        elif not advanced and low.known.is_free(entry):
            ranges.append(point_range(low.session, SymInt(low.session, low.size(entry)), size, axis))
            continue
        else:
            positions.append(axis)
            arrays.append((len(kept), entry))
            ranges.append(full_range(size))
        kept.append(axis)
    together = not positions or positions[-1] - positions[0] == len(positions) - 1
    at = arrays[0][0] if arrays and together else 0
    values, in_range = _index_values(low, arrays, [low.symbols.canonical(ranges[kept[k]].full) for k, _ in arrays])
    ranges = [r.canonical(low.session) for r in ranges]
    return Key(ranges, kept, values, at, in_range)


def _bounds(low: Lowering, entry: slice) -> slice:
    """The slice with sizes in place of variables."""

    def bound(variable: Variable | None) -> Any:
        return None if variable is None else SymInt(low.session, low.size(variable))

    return slice(bound(entry.start), bound(entry.stop), bound(entry.step))


def _index_values(
    low: Lowering, arrays: list[tuple[int, Index]], sizes: list[Any]
) -> tuple[list[tuple[int, SSAValue]], bool]:
    """Index values as int64 tensors of one shape, checked against the sizes of their axes unless that shape has no
    elements; and whether all are known to be in range, without wrapping."""
    try:
        shape = low.common_shape([entry for _, entry in arrays], repeats=True)
    except ValueError as error:
        raise IndexError(f"shape mismatch: indexing arrays could not be broadcast together: {error}") from error
    values: list[tuple[int, SSAValue]] = []
    in_range: list[bool] = []
    for (axis, entry), size in zip(arrays, sizes, strict=True):
        value = low.value(entry)
        known = np.asarray(entry.data) if isinstance(entry, Constant) else Tracer(low.session, value)
        in_range.append(check_bounds(low.session, known, size, axis, shape))
        values.append((axis, low.broadcast(low.cast(value, INT64), shape)))
    return values, all(in_range)


def _part(low: Lowering, value: SSAValue, key: Key) -> SSAValue:
    """What the slices and fixed positions choose."""
    return low.session.reshape(take_ranges(low.session, value, key.ranges), key.kept_shape())


@lowers(Subtensor, AdvancedSubtensor, when=_is_supported, sizes=_slices)
def subtensor(low: Lowering, node: Node) -> SSAValue:
    key = _key(low, node)
    part = _part(low, low.value(node.inputs[0]), key)
    if not key.arrays:
        return part
    return low.session.emit(Gather.of(part, [v for _, v in key.arrays], key.axes, key.at, key.in_range))


def _is_assignable(node: Node) -> bool:
    return _is_supported(node) and dtype_of(node.outputs[0]).kind not in "cb"


@lowers(IncSubtensor, AdvancedIncSubtensor, when=_is_assignable, sizes=_slices)
def inc_subtensor(low: Lowering, node: Node) -> SSAValue:
    """`x[key] = y`, or `x[key] += y` where each repetition of an index counts."""
    op = node.op
    key = _key(low, node)
    base = low.value(node.inputs[0])
    part = _part(low, base, key)
    indices = [v for _, v in key.arrays]
    found = low.session.emit(Gather.of(part, indices, key.axes, key.at, key.in_range)) if key.arrays else part
    given = _given(low, node.inputs[1], shape_of(found), not _is_vector_index(node))
    new = low.cast(given, dtype_of(node.outputs[0]))
    add = not op.set_instead_of_inc
    if add and (not key.arrays or getattr(op, "ignore_duplicates", False)):
        new, add = low.session.apply("add", found, new), False
    if add and _is_histogram(part, indices):
        new = _histogram(low, part, new, indices[0], key.in_range)
    elif key.arrays:
        kind = "add" if add else "set"
        new = low.session.emit(Scatter.of(part, new, indices, key.axes, key.at, kind, key.in_range))
    ranges = [r.canonical(low.session) for r in key.ranges]
    return put_ranges(low.session, base, ranges, low.session.reshape(new, tuple(r.size for r in ranges)))


def _is_vector_index(node: Node) -> bool:
    """Whether it is `x[v]` for a vector: there, what is assigned repeats only where its type says so."""
    return isinstance(node.op, AdvancedIncSubtensor) and node.op.idx_list == (0,) and node.inputs[2].type.ndim == 1


def _given(low: Lowering, variable: Variable, shape: Shape, repeats: bool) -> SSAValue:
    """What is assigned, in the shape of where it goes; as in NumPy it may have more dims, of size 1."""
    extra = len(static_shape(variable)) - len(shape)
    if extra <= 0:
        return low.fill(variable, shape, repeats)
    own = low.shape(variable)
    if any(low.symbols.unify(n, ONE) is None for n in own[:extra]):
        raise ValueError(f"could not assign a value of {len(own)} dims to {len(shape)} dims")
    own = low.shape(variable)
    return low.broadcast(low.session.reshape(low.value(variable), own[extra:]), shape)


def _is_histogram(part: SSAValue, indices: Sequence[SSAValue]) -> bool:
    """Whether numbers are added to the few elements of a vector."""
    size = shape_of(part)[0].value if len(shape_of(part)) == 1 else None
    is_vector = len(indices) == 1 and len(shape_of(indices[0])) == 1
    return is_vector and size is not None and 0 < size <= FEW and is_float(scalar_of(part))


def _histogram(low: Lowering, part: SSAValue, new: SSAValue, index: SSAValue, in_range: bool) -> SSAValue:
    """`part[k] + sum(new where index = k)` for each k: so many walks, but of whole vectors, and no update waits for
    the one before."""
    (size,), shape = shape_of(part), (*shape_of(part), *shape_of(index))
    bins = low.session.emit(Iota.of(element_type(INT64), shape, 0))
    if not in_range:
        zero = low.session.splat(0, INT64, shape_of(index))
        wrapped = low.session.apply("add", index, low.broadcast(low.session.size(size), shape_of(index)))
        index = low.session.apply("select", low.session.apply("lt", index, zero), wrapped, index)
    chosen = low.session.apply("eq", low.broadcast(index, shape), bins)
    nothing = low.session.splat(0, low.session.dtype(new), shape)
    counted = low.session.apply("select", chosen, low.broadcast(new, shape), nothing)
    return low.session.apply("add", part, low.session.emit(Sum.of(counted, [1])))
