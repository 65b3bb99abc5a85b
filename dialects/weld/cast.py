"""Conversion between element types."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from xdsl.dialects.builtin import FunctionType
from xdsl.ir import Attribute, SSAValue
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.utils.exceptions import VerifyException

from .base import Elementwise, elementwise, quiet
from .types import as_element, dtype_of, is_element, kind_of, scalar_of, with_element


def _cast(value: Any) -> Any:
    return value


def _to_integer(source: Any, element: Attribute) -> Any:
    """The truncated value through int32 or int64, then cut off: what C and so NumPy do on x86."""
    dtype = dtype_of(element)
    wide = np.dtype(np.int32 if dtype.itemsize < 4 or dtype == np.int32 else np.int64)
    bound = float(2 ** (8 * wide.itemsize - 1))
    whole = np.trunc(source.astype(np.float64))
    fits = (whole >= -bound) & (whole < bound)
    number = np.where(fits, np.where(fits, whole, 0).astype(wide), np.iinfo(wide).min).astype(dtype)
    if dtype != np.uint64:
        return number
    above = whole >= bound
    rest = np.where(above & (whole < 2 * bound), whole - bound, 0).astype(np.uint64) + np.uint64(2**63)
    return np.where(above & (whole < 2 * bound), rest, number)


@elementwise
class Cast(Elementwise):
    """NumPy's astype: `weld.cast %x : (tensor<4xi32>) -> tensor<4xf32>`.

    Float to integer truncates, through int32 for types of 8 and 16 bits and int32 itself, else through int64;
    there NaN and values out of range give the least value, and narrower types keep the low bits. Anything to bool
    is `!= 0`.
    """

    name = "weld.cast"
    arity = 1
    numpy = _cast
    kinds = "fiubc"

    @classmethod
    def to(cls, value: SSAValue, element: Attribute) -> Self:
        return cls.create(operands=[value], result_types=[with_element(value.type, element)])

    def reference(self, *arrays: Any) -> Any:
        source: Any = np.asarray(arrays[0])
        element = scalar_of(self.res)
        kind = kind_of(element)
        if source.dtype.kind == "c" and kind not in "cb":
            source = source.real
        with quiet():
            if kind in "iu" and source.dtype.kind == "f":
                return _to_integer(source, element)
            return as_element(source, element)

    def same_as(self) -> SSAValue | None:
        return self.args[0] if self.args[0].type == self.res.type else None

    def verify_(self) -> None:
        if len(self.operands) != 1:
            raise VerifyException(f"weld.cast expects 1 operands, found {len(self.operands)}")
        if with_element(self.res.type, scalar_of(self.operands[0])) != self.operands[0].type:
            raise VerifyException(
                f"weld.cast changes the element type only, found {self.operands[0].type} -> {self.res.type}"
            )
        for value in (self.operands[0], self.res):
            if not is_element(scalar_of(value)):
                raise VerifyException(f"weld.cast does not take elements of type {scalar_of(value)}")

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        operand = parser.parse_unresolved_operand()
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        kind = parser.parse_type()
        if not isinstance(kind, FunctionType):
            parser.raise_error("weld.cast expects a function type such as (tensor<4xi32>) -> tensor<4xf32>")
        values = parser.resolve_operands([operand], kind.inputs.data, parser.pos)
        op = cls.create(operands=values, result_types=kind.outputs.data)
        op.attributes |= attributes
        return op

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_ssa_value(self.operands[0])
        printer.print_op_attributes(self.attributes)
        printer.print_string(" : ")
        printer.print_operation_type(self)
