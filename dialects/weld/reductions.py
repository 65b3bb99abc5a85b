"""Reductions over any set of axes. Accumulation is in the operand's element type: cast first to widen.

A reduction states its monoid once: `combine` (an elementwise op), `identity` and the NumPy reference.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Self, TypeVar

import numpy as np
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import prop_def
from xdsl.utils.exceptions import VerifyException

from ..expr import Expr
from ..ir import set_type
from .arithmetic import Add, Mul
from .base import ANY_KIND, Elementwise, TensorOp, kinds_text
from .bitwise import And, Or, Xor
from .extrema import Max, Min
from .facts import define_op
from .types import I64, dtype_of, greatest, is_element, kind_of, least, scalar_of, shape_of, tensor_type
from .views import Axes, axes_attribute


@define_op
class Reduction(TensorOp):
    """`weld.sum %x {axes = array<i64: 1>}`: combines the elements along `axes`, which the result drops.

    Facts: `kind` (its name in a `weld.generic`), `combine`, `identity(element)`, `numpy` (a ufunc or function
    with `axis=`), `kinds` of elements it takes, `empty`: whether an empty axis has a value (the identity).
    """

    name = "weld.reduction"
    axes = prop_def(Axes)

    kind: ClassVar[str]
    combine: ClassVar[type[Elementwise]]
    numpy: ClassVar[Any]
    kinds: ClassVar[str] = ANY_KIND
    empty: ClassVar[bool] = True

    @classmethod
    def identity(cls, element: Attribute) -> Any:
        """The value that `combine` leaves unchanged."""
        raise NotImplementedError

    @classmethod
    def of(cls, value: SSAValue, axes: Sequence[int]) -> Self:
        op = cls.create(
            operands=[value],
            result_types=[value.type],
            properties={"axes": axes_attribute(sorted(axes))},
        )
        set_type(op.res, op.infer_type())
        return op

    @property
    def reduced(self) -> tuple[int, ...]:
        return self.axes.get_values()

    @classmethod
    def result_element(cls, element: Attribute) -> Attribute:
        return element

    def infer_type(self) -> Attribute:
        shape, element = shape_of(self.args[0]), scalar_of(self.args[0])
        axes = self.reduced
        if list(axes) != sorted(set(axes)) or any(not 0 <= a < len(shape) for a in axes):
            raise VerifyException(f"{self.name} expects increasing axes below {len(shape)}, found {list(axes)}")
        if not is_element(element) or kind_of(element) not in self.kinds:
            raise VerifyException(
                f"{self.name} does not take elements of type {element}; it takes {kinds_text(self.kinds)}"
            )
        if not self.empty and any(shape[a].value == 0 for a in axes):
            raise VerifyException(f"{self.name} over an empty axis has no value")
        kept = tuple(size for k, size in enumerate(shape) if k not in axes)
        return tensor_type(self.result_element(element), kept)

    def reference(self, *arrays: Any, size: Callable[[Expr], int]) -> Any:
        dtype = dtype_of(self.result_element(scalar_of(self.args[0])))
        return np.asarray(self.reduce_array(arrays[0], self.reduced)).astype(dtype)

    @classmethod
    def reduce_array(cls, array: Any, axes: tuple[int, ...]) -> Any:
        """Reduce a NumPy array, accumulating in its own dtype (float16 in float32)."""
        if not axes:
            return array
        wide = np.float32 if array.dtype == np.float16 else array.dtype
        options = {"dtype": wide} if cls.kind in ("sum", "prod") else {}
        return cls.numpy.reduce(array, axis=axes, **options).astype(array.dtype)


REDUCTIONS: dict[str, type[Reduction]] = {}
"""Reduction classes by `kind`."""


ReductionOp = TypeVar("ReductionOp", bound=Reduction)


def reduction(cls: type[ReductionOp]) -> type[ReductionOp]:
    """Register a reduction class."""
    REDUCTIONS[cls.kind] = cls
    return cls


@reduction
class Sum(Reduction):
    """The sum; 0 over an empty axis."""

    name = "weld.sum"
    kind = "sum"
    combine = Add
    numpy = np.add
    kinds = "fiuc"

    @classmethod
    def identity(cls, element: Attribute) -> Any:
        return 0


@reduction
class Prod(Reduction):
    """The product; 1 over an empty axis."""

    name = "weld.prod"
    kind = "prod"
    combine = Mul
    numpy = np.multiply
    kinds = "fiuc"

    @classmethod
    def identity(cls, element: Attribute) -> Any:
        return 1


@reduction
class ReduceMax(Reduction):
    """The greatest element, NaN if there is one; an empty axis is an error."""

    name = "weld.reduce_max"
    kind = "max"
    combine = Max
    numpy = np.maximum
    empty = False

    @classmethod
    def identity(cls, element: Attribute) -> Any:
        return least(element)


@reduction
class ReduceMin(Reduction):
    """The least element, NaN if there is one; an empty axis is an error."""

    name = "weld.reduce_min"
    kind = "min"
    combine = Min
    numpy = np.minimum
    empty = False

    @classmethod
    def identity(cls, element: Attribute) -> Any:
        return greatest(element)


@reduction
class Any_(Reduction):
    """Whether any element is true (bool elements)."""

    name = "weld.any"
    kind = "any"
    combine = Or
    numpy = np.logical_or
    kinds = "b"

    @classmethod
    def identity(cls, element: Attribute) -> Any:
        return False


@reduction
class All(Reduction):
    """Whether all elements are true (bool elements)."""

    name = "weld.all"
    kind = "all"
    combine = And
    numpy = np.logical_and
    kinds = "b"

    @classmethod
    def identity(cls, element: Attribute) -> Any:
        return True


@reduction
class ReduceAnd(Reduction):
    """Bitwise and; all ones over an empty axis."""

    name = "weld.reduce_and"
    kind = "and"
    combine = And
    numpy = np.bitwise_and
    kinds = "iub"

    @classmethod
    def identity(cls, element: Attribute) -> Any:
        kind = kind_of(element)
        return True if kind == "b" else -1 if kind == "i" else greatest(element)


@reduction
class ReduceOr(Reduction):
    """Bitwise or; 0 over an empty axis."""

    name = "weld.reduce_or"
    kind = "or"
    combine = Or
    numpy = np.bitwise_or
    kinds = "iub"

    @classmethod
    def identity(cls, element: Attribute) -> Any:
        return 0


@reduction
class ReduceXor(Reduction):
    """Bitwise exclusive or; 0 over an empty axis."""

    name = "weld.reduce_xor"
    kind = "xor"
    combine = Xor
    numpy = np.bitwise_xor
    kinds = "iub"

    @classmethod
    def identity(cls, element: Attribute) -> Any:
        return 0


class ArgReduction(Reduction):
    """The int64 position, in row-major order of the reduced axes, of the first greatest or least element.

    The first NaN wins over everything. An empty axis is an error.
    """

    empty = False

    @classmethod
    def result_element(cls, element: Attribute) -> Attribute:
        return I64

    @classmethod
    def reduce_array(cls, array: Any, axes: tuple[int, ...]) -> Any:
        kept = [k for k in range(array.ndim) if k not in axes]
        sizes = [array.shape[k] for k in kept] + [math.prod(array.shape[k] for k in axes)]
        return cls.numpy(np.transpose(array, kept + list(axes)).reshape(sizes), axis=-1)


@reduction
class Argmax(ArgReduction):
    """Position of the first greatest element."""

    name = "weld.argmax"
    kind = "argmax"
    combine = Max
    numpy = np.argmax

    @classmethod
    def identity(cls, element: Attribute) -> Any:
        return least(element)


@reduction
class Argmin(ArgReduction):
    """Position of the first least element."""

    name = "weld.argmin"
    kind = "argmin"
    combine = Min
    numpy = np.argmin

    @classmethod
    def identity(cls, element: Attribute) -> Any:
        return greatest(element)
