"""Ops whose result renames elements of their operand: broadcast, transpose, reshape, slice, reverse."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, ClassVar, Self, TypeAlias

import numpy as np
from xdsl.dialects.builtin import DenseArrayBase, IntegerType, i64
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import prop_def
from xdsl.utils.exceptions import VerifyException

from ..expr import Expr, exact_quotient, product_of
from .attributes import Dims, Where
from .base import Points, TensorOp
from .facts import define_op
from .types import Shape, scalar_of, shape_of, tensor_type

Axes: TypeAlias = DenseArrayBase[IntegerType]


def axes_attribute(axes: Sequence[int]) -> Axes:
    return _axes(tuple(axes))


@lru_cache
def _axes(axes: tuple[int, ...]) -> Axes:
    return DenseArrayBase.from_list(i64, list(axes))


class View(TensorOp):
    """A view states `where`: for a result element, the operand element it is."""

    is_view: ClassVar[bool] = True

    def where(self, dims: tuple[Expr, ...]) -> Where:
        raise NotImplementedError

    def point(self, p: Points) -> SSAValue | None:
        return p.load(self.operands[0], self.where(p.dims))


@define_op
class Broadcast(View):
    """`weld.broadcast %x {axes = array<i64: 1>, shape = #weld.dims<"n, 8">}`: operand dim k is result dim
    axes[k] (increasing); an operand dim of size 1 repeats, the other result dims are new."""

    name = "weld.broadcast"
    axes = prop_def(Axes)
    shape = prop_def(Dims)

    @classmethod
    def to(cls, value: SSAValue, shape: Shape, axes: Sequence[int] | None = None) -> Self:
        """To `shape`; without `axes` the operand's dims are the last ones, as in NumPy."""
        rank = len(shape_of(value))
        axes = range(len(shape) - rank, len(shape)) if axes is None else axes
        return cls.create(
            operands=[value],
            result_types=[tensor_type(scalar_of(value), shape)],
            properties={"axes": axes_attribute(axes), "shape": Dims(shape)},
        )

    def infer_type(self) -> Attribute:
        source, axes, shape = shape_of(self.args[0]), self.axes.get_values(), self.shape.data
        if len(axes) != len(source) or list(axes) != sorted({a for a in axes if 0 <= a < len(shape)}):
            raise VerifyException(
                f"weld.broadcast expects {len(source)} increasing axes below {len(shape)}, found {list(axes)}"
            )
        for size, axis in zip(source, axes, strict=True):
            if size.value != 1 and size != shape[axis]:
                raise VerifyException(f"weld.broadcast cannot take size {size} to {shape[axis]} (axis {axis})")
        return tensor_type(scalar_of(self.args[0]), shape)

    def where(self, dims: tuple[Expr, ...]) -> Where:
        zero = Expr.constant(0)
        source = zip(shape_of(self.args[0]), self.axes.get_values(), strict=True)
        return Where(tuple(zero if size.value == 1 else dims[axis] for size, axis in source))

    def reference(self, *arrays: Any, size: Callable[[Expr], int]) -> Any:
        axes = set(self.axes.get_values())
        new = tuple(k for k in range(len(self.shape.data)) if k not in axes)
        return np.broadcast_to(np.expand_dims(arrays[0], new), [size(e) for e in self.shape.data])


@define_op
class Transpose(View):
    """`weld.transpose %x {permutation = array<i64: 1, 0>}`: result dim k is operand dim permutation[k]."""

    name = "weld.transpose"
    permutation = prop_def(Axes)

    @classmethod
    def of(cls, value: SSAValue, permutation: Sequence[int]) -> Self:
        shape = shape_of(value)
        return cls.create(
            operands=[value],
            result_types=[tensor_type(scalar_of(value), tuple(shape[k] for k in permutation))],
            properties={"permutation": axes_attribute(permutation)},
        )

    def infer_type(self) -> Attribute:
        shape, permutation = shape_of(self.args[0]), list(self.permutation.get_values())
        if sorted(permutation) != list(range(len(shape))):
            raise VerifyException(f"weld.transpose expects a permutation of {len(shape)} dims, found {permutation}")
        return tensor_type(scalar_of(self.args[0]), tuple(shape[k] for k in permutation))

    def where(self, dims: tuple[Expr, ...]) -> Where:
        indices = list(dims)
        for position, source in enumerate(self.permutation.get_values()):
            indices[source] = dims[position]
        return Where(tuple(indices))

    def reference(self, *arrays: Any, size: Callable[[Expr], int]) -> Any:
        return np.transpose(arrays[0], self.permutation.get_values())


@define_op
class Reshape(View):
    """`weld.reshape %x {shape = #weld.dims<"n * 8">}`: the same elements in row-major order."""

    name = "weld.reshape"
    shape = prop_def(Dims)

    @classmethod
    def to(cls, value: SSAValue, shape: Shape) -> Self:
        return cls.create(
            operands=[value],
            result_types=[tensor_type(scalar_of(value), shape)],
            properties={"shape": Dims(shape)},
        )

    def infer_type(self) -> Attribute:
        source, target = shape_of(self.args[0]), self.shape.data
        if product_of(source) != product_of(target):
            raise VerifyException(
                f"weld.reshape cannot take {product_of(source)} elements"
                f" to shape ({self.shape}) of {product_of(target)}"
            )
        return tensor_type(scalar_of(self.args[0]), target)

    def where(self, dims: tuple[Expr, ...]) -> Where:
        """Groups of dims with equal products map onto each other; only mixed groups need div and mod."""
        empty = [d for d, size in zip(dims, self.shape.data, strict=True) if size.value == 0]
        if empty:  # No element is ever read; quotients by the sizes would divide by 0.
            return Where((empty[0],) * len(shape_of(self.args[0])))
        return Where(reshape_indices(shape_of(self.args[0]), self.shape.data, dims))

    def reference(self, *arrays: Any, size: Callable[[Expr], int]) -> Any:
        return np.reshape(arrays[0], [size(e) for e in self.shape.data])


def reshape_indices(source: Shape, target: Shape, dims: tuple[Expr, ...]) -> tuple[Expr, ...]:
    """The index in `source` of the row-major element `dims` of `target` (same number of elements)."""
    indices: list[Expr] = []
    position = 0
    for group, width in reshape_groups(source, target):
        linear = Expr.constant(0)
        for k in range(position, position + width):
            linear = linear * target[k] + dims[k]
        position += width
        split: list[Expr] = []
        live = [k for k in group if source[k].value != 1]
        for k in reversed(group):
            if k not in live:
                split.append(Expr.constant(0))
            elif k == live[0]:
                split.append(linear)
            else:
                split.append(linear % source[k])
                linear = linear // source[k]
        indices += reversed(split)
    return tuple(indices)


def reshape_groups(source: Shape, target: Shape) -> list[tuple[list[int], int]]:
    """Split both shapes, left to right, into the shortest runs of equal product: (source dims, target count)."""
    groups: list[tuple[list[int], int]] = []
    i = j = 0
    while i < len(source) or j < len(target):
        run, count = ([i], 1) if i < len(source) and j < len(target) else ([], 0)
        left = source[i] if run else Expr.constant(1)
        right = target[j] if run else Expr.constant(1)
        start_j = j
        i, j = i + len(run), j + count
        while left != right or (run == [] and (i < len(source) or j < len(target))):
            if _grows_left(left, right, i < len(source), j < len(target)):
                left = left * source[i]
                run.append(i)
                i += 1
            else:
                right = right * target[j]
                j += 1
        groups.append((run, j - start_j))
    return groups


def _grows_left(left: Expr, right: Expr, can_left: bool, can_right: bool) -> bool:
    if not can_right:
        return True
    if not can_left:
        return False
    if exact_quotient(right, left) is not None:
        return True
    if exact_quotient(left, right) is not None:
        return False
    a, b = left.value, right.value
    if a is not None and b is not None:
        return a < b
    return len(left.terms[0][0]) < len(right.terms[0][0]) if left.terms and right.terms else True


@define_op
class Slice(View):
    """`weld.slice %x {start, size, step}`, each `#weld.dims` with one entry a dim: result element d is operand
    element start + d * step. Steps may be negative. Every element read must exist."""

    name = "weld.slice"
    start = prop_def(Dims)
    size = prop_def(Dims)
    step = prop_def(Dims)

    @classmethod
    def of(cls, value: SSAValue, start: Shape, size: Shape, step: Shape) -> Self:
        return cls.create(
            operands=[value],
            result_types=[tensor_type(scalar_of(value), size)],
            properties={"start": Dims(start), "size": Dims(size), "step": Dims(step)},
        )

    def infer_type(self) -> Attribute:
        source = shape_of(self.args[0])
        parts = (self.start.data, self.size.data, self.step.data)
        if any(len(p) != len(source) for p in parts):
            raise VerifyException(f"weld.slice expects start, size and step for {len(source)} dims")
        for k, (full, start, size, step) in enumerate(zip(source, *parts, strict=True)):
            first, last = start.value, (start + (size - 1) * step).value
            bound, count = full.value, size.value
            if count is not None and count < 0:
                raise VerifyException(f"weld.slice expects sizes of at least 0, found {size} in dim {k}")
            if count == 0 or bound is None:
                continue
            if any(v is not None and not 0 <= v < bound for v in (first, last)):
                raise VerifyException(
                    f"weld.slice reads {start} to {start + (size - 1) * step} of dim {k}, which has size {full}"
                )
        return tensor_type(scalar_of(self.args[0]), self.size.data)

    def where(self, dims: tuple[Expr, ...]) -> Where:
        parts = zip(dims, self.start.data, self.step.data, strict=True)
        return Where(tuple(start + d * step for d, start, step in parts))

    def reference(self, *arrays: Any, size: Callable[[Expr], int]) -> Any:
        grid = [
            size(start) + size(step) * np.arange(size(count))
            for start, count, step in zip(self.start.data, self.size.data, self.step.data, strict=True)
        ]
        return arrays[0][np.ix_(*grid)] if grid else arrays[0]


@define_op
class Reverse(View):
    """`weld.reverse %x {axes = array<i64: 0>}`: the elements in opposite order along the axes."""

    name = "weld.reverse"
    axes = prop_def(Axes)

    @classmethod
    def of(cls, value: SSAValue, axes: Sequence[int]) -> Self:
        return cls.create(operands=[value], result_types=[value.type], properties={"axes": axes_attribute(axes)})

    def infer_type(self) -> Attribute:
        rank, axes = len(shape_of(self.args[0])), list(self.axes.get_values())
        if len(set(axes)) != len(axes) or any(not 0 <= a < rank for a in axes):
            raise VerifyException(f"weld.reverse expects different axes below {rank}, found {axes}")
        return self.args[0].type

    def where(self, dims: tuple[Expr, ...]) -> Where:
        axes = set(self.axes.get_values())
        shape = shape_of(self.args[0])
        return Where(tuple(shape[k] - 1 - d if k in axes else d for k, d in enumerate(dims)))

    def reference(self, *arrays: Any, size: Callable[[Expr], int]) -> Any:
        return np.flip(arrays[0], self.axes.get_values())
