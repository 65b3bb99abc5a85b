"""Tensor types with symbolic shapes, and the correspondence between IR element types and NumPy dtypes."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any, TypeAlias, TypeGuard, cast

import numpy as np
from xdsl.dialects.builtin import (
    DYNAMIC_INDEX,
    BFloat16Type,
    ComplexType,
    Float16Type,
    Float32Type,
    Float64Type,
    IndexType,
    IntegerType,
    NoneAttr,
    Signedness,
    TensorType,
    VectorType,
)
from xdsl.ir import Attribute, BlockArgument, OpResult, SSAValue
from xdsl.utils.exceptions import PassFailedException

from ..expr import Expr, product_of
from ..ir import Result
from .attributes import Dims

Tensor: TypeAlias = TensorType[Attribute]
Shape: TypeAlias = tuple[Expr, ...]
Float: TypeAlias = Float16Type | BFloat16Type | Float32Type | Float64Type

_FLOATS = (Float16Type, BFloat16Type, Float32Type, Float64Type)
BOOL = IntegerType(1)
I64 = IntegerType(64)
U64 = IntegerType(64, Signedness.UNSIGNED)
INDEX = IndexType()
F16, BF16, F32, F64 = Float16Type(), BFloat16Type(), Float32Type(), Float64Type()

_DTYPES: dict[Attribute, np.dtype[Any]] = {
    BOOL: np.dtype(np.bool_),
    F16: np.dtype(np.float16),
    F32: np.dtype(np.float32),
    F64: np.dtype(np.float64),
    INDEX: np.dtype(np.int64),
    ComplexType(F32): np.dtype(np.complex64),
    ComplexType(F64): np.dtype(np.complex128),
    **{IntegerType(8 * n): np.dtype(f"i{n}") for n in (1, 2, 4, 8)},
    **{IntegerType(8 * n, Signedness.UNSIGNED): np.dtype(f"u{n}") for n in (1, 2, 4, 8)},
}
_ELEMENTS = {dtype: element for element, dtype in _DTYPES.items() if element != INDEX}


def dtype_of(element: Attribute) -> np.dtype[Any]:
    """The NumPy dtype of an element type; bfloat16 is held as float32. KeyError for types without one."""
    return np.dtype(np.float32) if element == BF16 else _DTYPES[element]


def as_element(value: Any, element: Attribute) -> Any:
    """The value as a NumPy array of the element type; a bfloat16 is rounded to 16 bits, to even."""
    array = np.asarray(value).astype(dtype_of(element), copy=False)
    if element != BF16:
        return array
    bits = array.view(np.uint32)
    rounded = (bits + np.uint32(0x7FFF) + (bits >> np.uint32(16) & np.uint32(1))) & np.uint32(0xFFFF0000)
    return np.where(np.isnan(array), array, rounded.view(np.float32))


def is_element(kind: Attribute) -> bool:
    """Whether tensors may hold elements of this type."""
    return kind == BF16 or kind in _DTYPES


def element_of(dtype: np.dtype[Any] | type) -> Attribute | None:
    """The element type of a NumPy dtype, None when the IR has none (complex, objects, strings, ...)."""
    return _ELEMENTS.get(np.dtype(dtype))


@lru_cache(maxsize=8192)
def tensor_type(element: Attribute, shape: tuple[Expr, ...]) -> Tensor:
    """`tensor<?x8xf32, #weld.dims<"n, 8">>` for shape (n, 8); no encoding when every dim is static."""
    values = [e.value for e in shape]
    sizes = [DYNAMIC_INDEX if v is None else v for v in values]
    encoding = Dims(shape) if None in values else NoneAttr()
    return TensorType(element, sizes, encoding)


def tensor_of(dtype: np.dtype[Any] | type, shape: Iterable[Expr | int]) -> Tensor:
    element = element_of(dtype)
    assert element is not None, f"no element type for {dtype}"
    return tensor_type(element, tuple(Expr.of(e) for e in shape))


def is_tensor(kind: Attribute) -> TypeGuard[Tensor]:
    return kind.__class__ is TensorType  # asked very often, and isinstance takes long


def shape_of(value: SSAValue | Attribute) -> Shape:
    """The symbolic shape of a tensor, () for a scalar.

    Raises ValueError for a dynamic tensor type without a `#weld.dims` encoding (run `resolve-shapes` first).
    """
    tensor: Any = value
    if value.__class__ in _VALUES:
        tensor = tensor.type
    if tensor.__class__ is not TensorType:
        return ()
    if tensor.encoding.__class__ is Dims:
        return tensor.encoding.data
    sizes = tensor.get_shape()
    if DYNAMIC_INDEX in sizes:
        raise PassFailedException(f"{tensor} has no symbolic shape; run resolve-shapes first")
    return _static_shape(sizes)


def is_empty(shape: Shape) -> bool:
    """Whether a tensor of this shape has no elements, whatever its symbols are."""
    return any(size.value == 0 for size in shape)


def is_resolved(value: SSAValue | Attribute) -> bool:
    """Whether every size is a number or has its symbol: what `shape_of` needs."""
    kind = value.type if isinstance(value, SSAValue) else value
    if not is_tensor(kind):
        return True
    return isinstance(kind.encoding, Dims) or DYNAMIC_INDEX not in kind.get_shape()


@lru_cache(maxsize=8192)
def _static_shape(sizes: tuple[int, ...]) -> Shape:
    return tuple(Expr.constant(n) for n in sizes)


_SHAPED = (TensorType, VectorType)
_VALUES = (Result, BlockArgument, OpResult)


def scalar_of(value: SSAValue | Attribute) -> Attribute:
    """The element type of a tensor or vector, the type itself of a scalar."""
    kind: Any = value
    if value.__class__ in _VALUES:
        kind = kind.type
    return kind.element_type if kind.__class__ in _SHAPED else kind


@lru_cache(maxsize=8192)
def with_element(kind: Attribute, element: Attribute) -> Attribute:
    """`kind` (tensor, vector or scalar) with another element type."""
    if is_tensor(kind):
        return TensorType(element, kind.shape, kind.encoding)
    if isinstance(kind, VectorType):
        return VectorType(element, cast(Any, kind).get_shape())
    return element


def is_float(element: Attribute) -> TypeGuard[Float]:
    return element.__class__ in _FLOATS


def is_unsigned(element: Attribute) -> bool:
    return isinstance(element, IntegerType) and cast(IntegerType, element).signedness.data == Signedness.UNSIGNED


def kind_of(element: Attribute) -> str:
    """ "f" float, "b" bool, "u" unsigned, "i" signed integer or index, "c" complex."""
    if is_float(element):
        return "f"
    if isinstance(element, ComplexType):
        return "c"
    if element == BOOL:
        return "b"
    return "u" if is_unsigned(element) else "i"


def bit_width(element: Attribute) -> int:
    """Bits of an element in a register; a bool is 1 bit there and one byte in memory."""
    if element == BOOL:
        return 1
    return dtype_of(element).itemsize * 8 if element != BF16 else 16


@lru_cache(maxsize=64)
def byte_width(element: Attribute) -> int:
    """Bytes of an element in memory."""
    return max(bit_width(element) // 8, 1)


def bytes_of(tensor: SSAValue) -> Expr:
    """The bytes of a dense tensor in memory."""
    return product_of(shape_of(tensor)) * byte_width(scalar_of(tensor))


def least(element: Attribute) -> Any:
    """The least value of an element type: -inf, False, or the integer type's minimum."""
    kind, dtype = kind_of(element), dtype_of(element)
    return False if kind == "b" else -np.inf if kind == "f" else np.iinfo(dtype).min


def greatest(element: Attribute) -> Any:
    """The greatest value of an element type: inf, True, or the integer type's maximum."""
    kind, dtype = kind_of(element), dtype_of(element)
    return True if kind == "b" else np.inf if kind == "f" else np.iinfo(dtype).max


def stated_number(value: Any, element: Attribute) -> Any:
    """The NumPy scalar that a fact's value means for an element type."""
    limits = {"least": least, "greatest": greatest}
    number = limits[value](element) if isinstance(value, str) else value
    return np.asarray(number).astype(dtype_of(element))[()]
