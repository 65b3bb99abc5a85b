"""Constants: one value in each element, or a whole array."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self, cast

import numpy as np
from xdsl.dialects.builtin import (
    ArrayAttr,
    BytesAttr,
    ComplexType,
    DenseIntOrFPElementsAttr,
    FloatAttr,
    IntegerAttr,
    IntegerType,
)
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import prop_def, result_def, traits_def
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import ConstantLike, Pure
from xdsl.utils.exceptions import VerifyException

from ..expr import Expr, parse_expr
from .attributes import Dims, parse_quoted
from .base import WeldOp
from .facts import define_op
from .types import (
    BF16,
    INDEX,
    as_element,
    dtype_of,
    greatest,
    is_element,
    is_float,
    is_tensor,
    kind_of,
    least,
    scalar_of,
    shape_of,
    tensor_of,
)


def number_attribute(value: Any, element: Attribute) -> Attribute:
    """The attribute that holds `value` rounded to `element`."""
    with np.errstate(all="ignore"):
        exact = as_element(value, element)[()]
    if isinstance(element, ComplexType):
        part: Any = cast(Any, element).element_type
        return ArrayAttr[Any]([FloatAttr(float(exact.real), part), FloatAttr(float(exact.imag), part)])
    if is_float(element):
        return FloatAttr(float(exact), element)
    return IntegerAttr(int(exact), cast(IntegerType, element))


@define_op
class Constant(WeldOp):
    """`weld.constant 0.5 : tensor<4xf32>`: the value in every element; or a dense array of the type."""

    name = "weld.constant"
    value = prop_def(Attribute)
    res = result_def()
    traits = traits_def(Pure(), ConstantLike())

    @classmethod
    def splat(cls, value: Any, kind: Attribute) -> Self:
        """One value (rounded to the element type) in each element of `kind`: tensor, vector or scalar."""
        return cls.create(properties={"value": number_attribute(value, scalar_of(kind))}, result_types=[kind])

    @classmethod
    def of(cls, array: Any) -> Self:
        """A static tensor with the array's values; a splat where all of them are the same bits."""
        array = np.asarray(array)
        kind = tensor_of(array.dtype, array.shape)
        first = array.reshape(-1)[:1]
        if array.size and (array.size == 1 or array.tobytes() == np.repeat(first, array.size).tobytes()):
            return cls.splat(first[0], kind)
        data = BytesAttr(array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes())
        dense = DenseIntOrFPElementsAttr(cast(Any, kind), data)
        return cls.create(properties={"value": dense}, result_types=[kind])

    @property
    def is_splat(self) -> bool:
        return isinstance(self.value, FloatAttr | IntegerAttr | ArrayAttr)

    @property
    def number(self) -> Any:
        """The splat's value as a NumPy scalar of the element's dtype."""
        value: Any = self.value
        data = complex(*(p.value.data for p in value.data)) if isinstance(self.value, ArrayAttr) else value.value.data
        return np.asarray(data).astype(dtype_of(scalar_of(self.res)))[()]

    def array(self, size: Callable[[Expr], int]) -> Any:
        """The value as a NumPy array (an array without strides for a splat)."""
        shape = tuple(size(e) for e in shape_of(self.res))
        if self.is_splat:
            return np.broadcast_to(self.number, shape)
        dense: Any = self.value
        if scalar_of(self.res) == BF16:
            return np.array(dense.get_values(), np.float32).reshape(shape)
        dtype = dtype_of(scalar_of(self.res))
        return np.frombuffer(dense.data.data, dtype.newbyteorder("<")).astype(dtype, copy=False).reshape(shape)

    def verify_(self) -> None:
        value: Any = self.value
        kind = ComplexType(value.data[0].type) if isinstance(self.value, ArrayAttr) else getattr(value, "type", None)
        expected = scalar_of(self.res) if self.is_splat else self.res.type
        if kind != expected:
            raise VerifyException(f"weld.constant holds a {kind}, but its type is {self.res.type}")

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        location = parser.pos
        number = _parse_number(parser)
        value = parser.parse_attribute() if number is None else None
        parser.parse_punctuation(":")
        kind = parser.parse_type()
        if value is None:
            if not is_element(scalar_of(kind)) or not _holds(scalar_of(kind), number):
                parser.raise_error(f"{number} is not a value of {scalar_of(kind)}", location)
            return cls.splat(number, kind)
        if not is_tensor(kind):
            parser.raise_error("a dense constant needs a tensor type", location)
        return cls.create(properties={"value": value}, result_types=[kind])

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        if self.is_splat:
            printer.print_string(_number_text(self.number))
        else:
            _print_dense(printer, self.value)
        printer.print_string(" : ")
        printer.print_attribute(self.res.type)


def splat_of(value: SSAValue) -> Any | None:
    """The one number in each element of `value`, a NumPy scalar; None where it is not a splat constant."""
    source = value.owner
    return source.number if isinstance(source, Constant) and source.is_splat else None


def _number_text(number: Any) -> str:
    """The shortest text that reads back as the same value: 0.5, -3, true, inf, nan."""
    kind = number.dtype.kind
    if kind == "b":
        return "true" if number else "false"
    if kind == "c":
        return f"({_number_text(number.real)}, {_number_text(number.imag)})"
    if kind != "f":
        return str(int(number))
    digits, exponent, power = repr(float(number)).partition("e")
    return digits + (".0" if exponent and "." not in digits else "") + exponent + power


def _print_dense(printer: Printer, value: Any) -> None:
    """The attribute, as a string of its bytes where it holds inf or NaN, which xDSL does not read back."""
    numbers = np.array(value.get_values())
    if numbers.dtype.kind != "f" or np.isfinite(numbers).all():
        printer.print_attribute(value)
        return
    printer.print_string(f'dense<"0x{value.data.data.hex()}"> : ')
    printer.print_attribute(value.type)


def _holds(element: Attribute, number: Any) -> bool:
    """Whether an element type has this value, or a float type one that it is rounded to."""
    if kind_of(element) in "fc":
        return kind_of(element) == "c" or not isinstance(number, complex)
    if isinstance(number, float | complex):
        return False
    return least(element) <= number <= greatest(element)


def _parse_number(parser: Parser) -> Any:
    """A number as `_number_text` writes it, or None."""
    if parser.parse_optional_punctuation("("):
        real = _parse_number(parser)
        parser.parse_punctuation(",")
        imaginary = _parse_number(parser)
        parser.parse_punctuation(")")
        return complex(real, imaginary)
    for word in ("nan", "inf"):
        if parser.parse_optional_keyword(word):
            return float(word)
    if parser.parse_optional_punctuation("-"):
        if parser.parse_optional_keyword("inf"):
            return -np.inf
        number = parser.parse_number()
        return -number if number else -0.0
    return parser.parse_optional_number(allow_boolean=True)


@define_op
class Size(WeldOp):
    """`weld.size "n * m" : tensor<i64>`: a symbolic integer as a value."""

    name = "weld.size"
    expr = prop_def(Dims)
    res = result_def()

    @classmethod
    def of(cls, expr: Expr, kind: Attribute = INDEX) -> Self:
        return cls.create(properties={"expr": Dims((expr,))}, result_types=[kind])

    def verify_(self) -> None:
        if len(self.expr.data) != 1:
            raise VerifyException("weld.size expects one expression")

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        expr = parse_quoted(parser, parse_expr)
        parser.parse_punctuation(":")
        return cls.of(expr, parser.parse_type())

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_string_literal(str(self.expr))
        printer.print_string(" : ")
        printer.print_attribute(self.res.type)
