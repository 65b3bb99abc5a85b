"""Ops that put tensors together: pad, concatenate, insert, iota."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Self

import numpy as np
from xdsl.dialects.builtin import IntegerAttr, i64
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import prop_def
from xdsl.utils.exceptions import VerifyException

from ..expr import Expr, sum_of
from .attributes import Dims, Where
from .base import Points, TensorOp
from .facts import define_op
from .types import Shape, dtype_of, scalar_of, shape_of, tensor_type


@define_op
class Pad(TensorOp):
    """`weld.pad %x, %value {low, high}`: `low` elements before and `high` after each dim hold the 0-d `value`.

    Negative amounts cut elements off. The value fills after whatever computed `%x`: it is never an input of it.
    """

    name = "weld.pad"
    arity = 2
    low = prop_def(Dims)
    high = prop_def(Dims)

    @classmethod
    def of(cls, value: SSAValue, fill: SSAValue, low: Shape, high: Shape) -> Self:
        shape = tuple(n + a + b for n, a, b in zip(shape_of(value), low, high, strict=True))
        return cls.create(
            operands=[value, fill],
            result_types=[tensor_type(scalar_of(value), shape)],
            properties={"low": Dims(low), "high": Dims(high)},
        )

    def infer_type(self) -> Attribute:
        source, low, high = shape_of(self.args[0]), self.low.data, self.high.data
        if len(low) != len(source) or len(high) != len(source):
            raise VerifyException(f"weld.pad expects low and high for {len(source)} dims")
        if self.args[1].type != tensor_type(scalar_of(self.args[0]), ()):
            raise VerifyException(f"weld.pad expects a fill value of type tensor<{scalar_of(self.args[0])}>")
        shape = tuple(n + a + b for n, a, b in zip(source, low, high, strict=True))
        if any(size.value is not None and size.value < 0 for size in shape):
            raise VerifyException(f"weld.pad cuts more than there is: the result's shape is ({Dims(shape)})")
        return tensor_type(scalar_of(self.args[0]), shape)

    def point(self, p: Points) -> SSAValue | None:
        indices = tuple(d - low for d, low in zip(p.dims, self.low.data, strict=True))
        guards: list[Expr] = []
        for index, size, low, high in zip(indices, shape_of(self.args[0]), self.low.data, self.high.data, strict=True):
            guards += [] if _not_positive(low) else [index]
            guards += [] if _not_positive(high) else [size - 1 - index]
        fill = p.load(self.args[1], Where(()))
        if not guards:
            return p.load(self.args[0], Where(indices))
        value = p.load(self.args[0], Where(indices, tuple(guards)))
        return p.b.select(p.test(tuple(guards)), value, fill)

    def reference(self, *arrays: Any, size: Callable[[Expr], int]) -> Any:
        source: list[slice] = []
        target: list[slice] = []
        result = np.full([size(e) for e in shape_of(self.res)], arrays[1], arrays[0].dtype)
        for n, full, low in zip(arrays[0].shape, result.shape, map(size, self.low.data), strict=True):
            first, last = max(0, -low), min(n, full - low)
            source.append(slice(first, max(first, last)))
            target.append(slice(first + low, max(first, last) + low))
        result[tuple(target)] = arrays[0][tuple(source)]
        return result


def _not_positive(amount: Expr) -> bool:
    return amount.value is not None and amount.value <= 0


@define_op
class Concat(TensorOp):
    """`weld.concat %x, %y {axis = 1 : i64}`: the operands one after the other along an axis."""

    name = "weld.concat"
    arity = None
    axis = prop_def(IntegerAttr)

    @classmethod
    def of(cls, values: Sequence[SSAValue], axis: int) -> Self:
        shape = list(shape_of(values[0]))
        shape[axis] = sum_of(shape_of(v)[axis] for v in values)
        return cls.create(
            operands=values,
            result_types=[tensor_type(scalar_of(values[0]), tuple(shape))],
            properties={"axis": IntegerAttr(axis, i64)},
        )

    def infer_type(self) -> Attribute:
        if not self.args:
            raise VerifyException("weld.concat expects at least one operand")
        axis = int(self.axis.value.data)
        shapes = [list(shape_of(a)) for a in self.args]
        if not 0 <= axis < len(shapes[0]):
            raise VerifyException(f"weld.concat expects an axis below {len(shapes[0])}, found {axis}")
        if any(len(s) != len(shapes[0]) for s in shapes):
            raise VerifyException(f"weld.concat expects operands of {len(shapes[0])} dims")
        total = sum_of(s.pop(axis) for s in shapes)
        if any(s != shapes[0] for s in shapes) or len({scalar_of(a) for a in self.args}) != 1:
            raise VerifyException(
                f"weld.concat expects operands that agree outside axis {axis}, found "
                + " and ".join(str(a.type) for a in self.args)
            )
        shape = list(shapes[0])
        shape.insert(axis, total)
        return tensor_type(scalar_of(self.args[0]), tuple(shape))

    def point(self, p: Points) -> SSAValue | None:
        axis = int(self.axis.value.data)
        offset = Expr.constant(0)
        pieces: list[tuple[SSAValue, Expr]] = []
        for k, operand in enumerate(self.args):
            size = shape_of(operand)[axis]
            local = p.dims[axis] - offset
            guards = ((local,) if k else ()) + ((size - 1 - local,) if k < len(self.args) - 1 else ())
            indices = p.dims[:axis] + (local,) + p.dims[axis + 1 :]
            pieces.append((p.load(operand, Where(indices, guards)), size - 1 - local))
            offset = offset + size
        return _chosen(p, pieces)

    def reference(self, *arrays: Any, size: Callable[[Expr], int]) -> Any:
        return np.concatenate(arrays, axis=int(self.axis.value.data))


def _chosen(p: Points, pieces: Sequence[tuple[SSAValue, Expr]]) -> SSAValue:
    """The value of the first piece whose expression is not negative, or of the last one. Halves are told apart first,
    so a value goes through few selects: the logarithm of how many pieces there are."""
    if len(pieces) == 1:
        return pieces[0][0]
    half = len(pieces) // 2
    first, second = _chosen(p, pieces[:half]), _chosen(p, pieces[half:])
    return p.b.select(p.test((pieces[half - 1][1],)), first, second)


@define_op
class Insert(TensorOp):
    """`weld.insert %x, %y {start, step}`, each `#weld.dims` with one entry a dim: `%x` with element d of `%y` at
    start + d * step. Steps are positive numbers. Every element of `%y` must have its place."""

    name = "weld.insert"
    arity = 2
    start = prop_def(Dims)
    step = prop_def(Dims)

    @classmethod
    def of(cls, base: SSAValue, new: SSAValue, start: Shape, step: Shape) -> Self:
        return cls.create(
            operands=[base, new],
            result_types=[base.type],
            properties={"start": Dims(start), "step": Dims(step)},
        )

    def infer_type(self) -> Attribute:
        base, new = shape_of(self.args[0]), shape_of(self.args[1])
        start, step = self.start.data, self.step.data
        if not len(base) == len(new) == len(start) == len(step):
            raise VerifyException(f"weld.insert expects an operand, start and step of {len(base)} dims")
        if scalar_of(self.args[0]) != scalar_of(self.args[1]):
            raise VerifyException(f"weld.insert expects an operand of {scalar_of(self.args[0])} elements")
        for k, (full, size, first, stride) in enumerate(zip(base, new, start, step, strict=True)):
            if stride.value is None or stride.value < 1:
                raise VerifyException(f"weld.insert expects constant positive steps, found {stride} in dim {k}")
            last = first + (size - 1) * stride
            if size.value != 0 and any((e.value or 0) < 0 for e in (first, full - 1 - last)):
                raise VerifyException(f"weld.insert writes {first} to {last} of dim {k}, which has size {full}")
        return self.args[0].type

    def point(self, p: Points) -> SSAValue | None:
        base, new = self.args
        indices: list[Expr] = []
        guards: list[Expr] = []
        walks = zip(p.dims, self.start.data, self.step.data, shape_of(base), shape_of(new), strict=True)
        for dim, start, step, full, size in walks:
            phase, skipped = start % step, start // step
            index, rest = dim // step - skipped, dim % step
            indices.append(index)
            guards += [] if phase.value == 0 else [rest - phase]
            guards += [] if phase == step - 1 else [phase - rest]
            guards += [] if skipped.value == 0 else [index]
            beyond = start + size * step - full  # a step past the last element, less the elements that there are
            guards += [] if beyond.value is not None and beyond.value >= 0 else [size - 1 - index]
        if not guards:
            return p.load(new, Where(tuple(indices)))
        value = p.load(new, Where(tuple(indices), tuple(guards)))
        return p.b.select(p.test(tuple(guards)), value, p.load(base, Where(p.dims)))

    def reference(self, *arrays: Any, size: Callable[[Expr], int]) -> Any:
        result = np.array(arrays[0])
        walks = zip(map(size, self.start.data), map(size, self.step.data), arrays[1].shape, strict=True)
        result[tuple(slice(start, start + step * count, step) for start, step, count in walks)] = arrays[1]
        return result


@define_op
class Iota(TensorOp):
    """`weld.iota {axis = 0 : i64, shape}`: each element is its index along `axis`, in the element type."""

    name = "weld.iota"
    arity = 0
    axis = prop_def(IntegerAttr)
    shape = prop_def(Dims)

    @classmethod
    def of(cls, element: Attribute, shape: Shape, axis: int) -> Self:
        return cls.create(
            result_types=[tensor_type(element, shape)],
            properties={"axis": IntegerAttr(axis, i64), "shape": Dims(shape)},
        )

    def infer_type(self) -> Attribute:
        if not 0 <= int(self.axis.value.data) < len(self.shape.data):
            raise VerifyException(f"weld.iota expects an axis below {len(self.shape.data)}")
        return tensor_type(scalar_of(self.res), self.shape.data)

    def point(self, p: Points) -> SSAValue | None:
        return p.b.cast(p.index(p.dims[int(self.axis.value.data)]), scalar_of(self.res))

    def reference(self, *arrays: Any, size: Callable[[Expr], int]) -> Any:
        shape = [size(e) for e in self.shape.data]
        axis = int(self.axis.value.data)
        column = [-1 if k == axis else 1 for k in range(len(shape))]
        return np.broadcast_to(np.arange(shape[axis]).astype(dtype_of(scalar_of(self.res))).reshape(column), shape)
