"""Gather and scatter with NumPy's integer indexing, and the check that indices are in range."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Self

import numpy as np
from xdsl.dialects.builtin import IntegerAttr, StringAttr, UnitAttr, i64
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import operand_def, opt_prop_def, prop_def, traits_def
from xdsl.traits import MemoryWriteEffect
from xdsl.utils.exceptions import VerifyException

from ..expr import Expr
from ..ir import Op, set_type
from ..ranges import is_below
from .attributes import Where
from .base import Points, TensorOp
from .facts import define_op
from .types import BOOL, I64, U64, Shape, dtype_of, scalar_of, shape_of, tensor_type
from .views import Axes, axes_attribute

SCATTER_KINDS = {
    "set": None,
    "add": np.add,
    "mul": np.multiply,
    "max": np.maximum,
    "min": np.minimum,
    "and": np.bitwise_and,
    "or": np.bitwise_or,
    "xor": np.bitwise_xor,
}
"""What loops can do with an element and an update. `weld.scatter` takes NumPy's name of any other ufunc of two
operands as well; that runs as a library call."""


def scatter_ufunc(kind: str) -> Any:
    """The ufunc of a kind of scatter, None for "set"; VerifyException where there is none."""
    ufunc = SCATTER_KINDS[kind] if kind in SCATTER_KINDS else getattr(np, kind, None)
    if kind != "set" and not (isinstance(ufunc, np.ufunc) and (ufunc.nin, ufunc.nout, ufunc.signature) == (2, 1, None)):
        raise VerifyException(
            f"weld.scatter has no kind {kind!r}; it has {', '.join(SCATTER_KINDS)} and NumPy's ufuncs"
        )
    return ufunc


def _result(ufunc: Any, dtype: Any) -> Any:
    """The dtype that a ufunc of two operands of a dtype gives, an object's where it does not take them."""
    try:
        return ufunc.resolve_dtypes((dtype, dtype, None))[-1]
    except TypeError:
        return np.dtype(object)


class Indexed(TensorOp):
    """What gather and scatter share: int64 index tensors of one shape for the operand dims `axes`.

    Index k selects along dim axes[k]; negative values count from the end. In the gathered shape the index
    tensors' dims stand at position `at`, between the dims that are not indexed. `in_range` promises that every value
    lies in [0, size), as frontends know of constants: then no value is wrapped or checked.
    """

    arity = None

    axes = prop_def(Axes)
    at = prop_def(IntegerAttr)
    in_range = opt_prop_def(UnitAttr)

    first_index = 1

    @property
    def indexed(self) -> tuple[int, ...]:
        return self.axes.get_values()

    @property
    def position(self) -> int:
        return int(self.at.value.data)

    @property
    def index_operands(self) -> Sequence[SSAValue]:
        return self.args[self.first_index :]

    def gathered_shape(self) -> Shape:
        if len(self.args) <= self.first_index:
            raise VerifyException(f"{self.name} expects index operands")
        shape, indices = shape_of(self.args[0]), self.index_operands
        axes = self.indexed
        if len(axes) != len(indices) or len(set(axes)) != len(axes) or not all(0 <= a < len(shape) for a in axes):
            raise VerifyException(
                f"{self.name} expects one index for each of the axes {list(axes)} of {self.args[0].type}"
            )
        if any(i.type != indices[0].type or scalar_of(i) != I64 for i in indices):
            raise VerifyException(
                f"{self.name} expects int64 indices of one shape, found " + " and ".join(str(i.type) for i in indices)
            )
        kept = [size for k, size in enumerate(shape) if k not in axes]
        if not 0 <= self.position <= len(kept):
            raise VerifyException(f"{self.name} expects at from 0 to {len(kept)}, found {self.position}")
        return tuple(kept[: self.position]) + shape_of(indices[0]) + tuple(kept[self.position :])

    def element(self, p: Points, dims: tuple[Expr, ...]) -> tuple[Where, list[SSAValue], SSAValue | None]:
        """The operand element for the gathered element `dims`: its access, the index values, and whether they
        are all in range (None where that is known).

        An index that counts along the result (`x[np.arange(n), label]`) is a plain dim of the access.
        """
        shape = shape_of(self.args[0])
        rank = len(shape_of(self.index_operands[0]))
        point = dims[self.position : self.position + rank]
        kept = iter(dims[: self.position] + dims[self.position + rank :])
        extents = {str(d): size for d, size in zip(dims, self.gathered_shape(), strict=True)}
        places: dict[int, Expr] = {}
        values: list[SSAValue] = []
        inside: SSAValue | None = None
        for axis, operand in zip(self.indexed, self.index_operands, strict=True):
            place = p.position(operand, Where(point))
            if place is not None and is_below(place, shape[axis], extents):
                places[axis] = place
                continue
            places[axis] = Expr.symbol(f"i{len(values)}")
            raw = p.load(operand, Where(point))
            if self.in_range is not None:
                values.append(raw)
                continue
            number = shape[axis].value
            size = p.index(shape[axis]) if number is None else p.b.constant(number, raw)
            value = p.b.select(p.b.lt(raw, p.b.constant(0, raw)), p.b.add(raw, size), raw)
            limit = p.b.cast(size, U64) if number is None else p.b.constant(number, U64)
            fits = p.b.not_(p.b.ge(p.b.cast(value, U64), limit))
            inside = fits if inside is None else p.b.and_(inside, fits)
            values.append(value)
        where = Where(tuple(places[k] if k in places else next(kept) for k in range(len(shape))))
        return where, values, inside

    @staticmethod
    def properties_of(axes: Sequence[int], at: int, in_range: bool) -> dict[str, Attribute]:
        properties: dict[str, Attribute] = {"axes": axes_attribute(axes), "at": IntegerAttr(at, i64)}
        return properties | ({"in_range": UnitAttr()} if in_range else {})

    def numpy_index(self, array: Any, indices: Sequence[Any]) -> tuple[Any, ...]:
        """The index for NumPy on the operand with its indexed dims moved to the front."""
        pairs = zip(indices, self.indexed, strict=True)
        wrapped: list[Any] = [np.where(i < 0, i + array.shape[a], i) for i, a in pairs]
        return tuple(wrapped)


@define_op
class Gather(Indexed):
    """`weld.gather %x, %i0, ... {axes = array<i64: 0>, at = 0 : i64}`: NumPy's x[i0, ...].

    An index out of range gives 0 here; frontends add a `weld.check` that raises before results are seen.
    """

    name = "weld.gather"

    @classmethod
    def of(
        cls, value: SSAValue, indices: Sequence[SSAValue], axes: Sequence[int], at: int, in_range: bool = False
    ) -> Self:
        op = cls.create(
            operands=[value, *indices],
            result_types=[value.type],
            properties=cls.properties_of(axes, at, in_range),
        )
        set_type(op.res, op.infer_type())
        return op

    def infer_type(self) -> Attribute:
        return tensor_type(scalar_of(self.args[0]), self.gathered_shape())

    def point(self, p: Points) -> SSAValue | None:
        where, values, inside = self.element(p, p.dims)
        return p.load(self.args[0], where, values, inside)

    def reference(self, *arrays: Any, size: Callable[[Expr], int]) -> Any:
        array, indices = arrays[0], arrays[1:]
        moved = np.moveaxis(array, self.indexed, range(len(indices)))
        wrapped = self.numpy_index(array, indices)
        inside: Any = np.ones(indices[0].shape, bool)
        for i, axis in zip(wrapped, self.indexed, strict=True):
            inside &= (i >= 0) & (i < array.shape[axis])
        kept = moved.ndim - len(indices)
        if min(moved.shape[: len(indices)]) == 0:
            found = np.zeros(indices[0].shape + moved.shape[len(indices) :], array.dtype)
        else:
            found = moved[tuple(np.where(inside, i, 0) for i in wrapped)]
        found = np.where(inside.reshape(inside.shape + (1,) * kept), found, np.zeros((), array.dtype))
        rank = indices[0].ndim
        return np.moveaxis(found, range(rank), range(self.position, self.position + rank))


@define_op
class Scatter(Indexed):
    """`weld.scatter %x, %updates, %i0, ... {kind = "add", axes, at}`: `%x` with `x[i0, ...] op= updates`.

    `%updates` has the shape that the same gather would give. Updates apply one by one in row-major order, so
    repeated indices accumulate ("add", "mul", "max", "min", "and", "or", "xor") or the last one stays ("set").
    """

    name = "weld.scatter"
    kind = prop_def(StringAttr)
    first_index = 2

    @classmethod
    def of(
        cls,
        value: SSAValue,
        updates: SSAValue,
        indices: Sequence[SSAValue],
        axes: Sequence[int],
        at: int,
        kind: str,
        in_range: bool = False,
    ) -> Self:
        return cls.create(
            operands=[value, updates, *indices],
            result_types=[value.type],
            properties=cls.properties_of(axes, at, in_range) | {"kind": StringAttr(kind)},
        )

    def infer_type(self) -> Attribute:
        ufunc, dtype = scatter_ufunc(self.kind.data), dtype_of(scalar_of(self.args[0]))
        if ufunc is not None and not np.can_cast(_result(ufunc, dtype), dtype, "same_kind"):
            raise VerifyException(f"weld.scatter has no kind {self.kind.data!r} on elements of type {dtype}")
        expected = tensor_type(scalar_of(self.args[0]), self.gathered_shape())
        if self.args[1].type != expected:
            raise VerifyException(f"weld.scatter expects updates of type {expected}, found {self.args[1].type}")
        return self.args[0].type

    def reference(self, *arrays: Any, size: Callable[[Expr], int]) -> Any:
        result, updates, indices = arrays[0].copy(), arrays[1], arrays[2:]
        moved = np.moveaxis(result, self.indexed, range(len(indices)))
        rank = indices[0].ndim
        rows = np.moveaxis(updates, range(self.position, self.position + rank), range(rank))
        wrapped = self.numpy_index(result, indices)
        inside: Any = np.ones(indices[0].shape, bool)
        for i, axis in zip(wrapped, self.indexed, strict=True):
            inside &= (i >= 0) & (i < result.shape[axis])
        where = tuple(i[inside] for i in wrapped)
        ufunc = scatter_ufunc(self.kind.data)
        if ufunc is None:
            moved[where] = rows[inside]
        else:
            ufunc.at(moved, where, rows[inside])
        return result


EXCEPTIONS: dict[str, type[Exception]] = {
    "IndexError": IndexError,
    "ValueError": ValueError,
    "OverflowError": OverflowError,
    "LinAlgError": np.linalg.LinAlgError,
}
"""What `weld.check` may raise."""


@define_op
class Check(Op):
    """`weld.check %bad "message" {exception = "IndexError"} : tensor<i1>`: the program raises when `%bad` is true.

    The results of a program whose check failed are never seen.
    """

    name = "weld.check"
    bad = operand_def()
    message = prop_def(StringAttr)
    exception = prop_def(StringAttr)
    traits = traits_def(MemoryWriteEffect())
    assembly_format = "$bad $message $exception attr-dict `:` type($bad)"

    @classmethod
    def of(cls, bad: SSAValue, message: str, exception: str) -> Self:
        return cls.create(
            operands=[bad],
            properties={"message": StringAttr(message), "exception": StringAttr(exception)},
        )

    def verify_(self) -> None:
        if self.bad.type != tensor_type(BOOL, ()):
            raise VerifyException(f"weld.check expects a tensor<i1>, found {self.bad.type}")
