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
from .types import as_element, dtype_of, greatest, is_element, kind_of, least, scalar_of, with_element


def _cast(value: Any) -> Any:
    return value


def _to_integer(source: Any, element: Attribute) -> Any:
    """The truncated value, the type's least value where it does not fit: what NumPy leaves to the machine."""
    low, high = int(least(element)), int(greatest(element))
    whole = np.trunc(source.astype(np.float64))
    fits = (whole >= low) & (whole < float(high + 1))  # high + 1 is a power of two; high itself would be rounded
    return np.where(fits, np.where(fits, whole, 0).astype(dtype_of(element)), np.asarray(low, dtype_of(element)))


@elementwise
class Cast(Elementwise):
    """NumPy's astype: `weld.cast %x : (tensor<4xi32>) -> tensor<4xf32>`.

    Float to integer truncates; NaN and values out of range give the type's least value. Anything to bool is
    `!= 0`.
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
