"""`arith`, with comparisons of tensors of floats, and an `arith.select` that takes a tensor of conditions."""

from __future__ import annotations

from typing import ClassVar

from xdsl.dialects import arith
from xdsl.dialects.builtin import IntegerAttr, TensorType, VectorType, i1
from xdsl.ir import Attribute, Dialect, Operation, SSAValue
from xdsl.irdl import AnyAttr, VarConstraint, base, eq, irdl_op_definition, operand_def, prop_def, result_def
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.utils.exceptions import VerifyException

from ..ir import set_type

NO_FLAGS = arith.FastMathFlagsAttr("none")
BOOLS = eq(i1) | base(TensorType) | base(VectorType)


@irdl_op_definition
class CmpfOp(arith.CmpfOp):
    """`arith.cmpf olt, %a, %b : tensor<4xf32>`, which gives a `tensor<4xi1>`."""

    T: ClassVar = VarConstraint("T", AnyAttr())
    predicate = prop_def(IntegerAttr)
    fastmath = prop_def(arith.FastMathFlagsAttr, default_value=NO_FLAGS)
    lhs = operand_def(T)
    rhs = operand_def(T)
    result = result_def(BOOLS)

    def __init__(
        self,
        operand1: Operation | SSAValue,
        operand2: Operation | SSAValue,
        arg: int | str,
        fastmath: arith.FastMathFlagsAttr = NO_FLAGS,
    ) -> None:
        super().__init__(operand1, operand2, arg, fastmath)
        set_type(self.result, _bools(self.lhs.type))

    def verify_(self) -> None:
        if self.result.type != _bools(self.lhs.type):
            raise VerifyException(f"expected the result type {_bools(self.lhs.type)}, found {self.result.type}")


@irdl_op_definition
class SelectOp(arith.SelectOp):
    """`arith.select %c, %a, %b : tensor<4xi1>, tensor<4xf32>`; the type of a scalar condition is left out."""

    T: ClassVar = VarConstraint("T", AnyAttr())
    cond = operand_def(BOOLS)
    lhs = operand_def(T)
    rhs = operand_def(T)
    result = result_def(T)

    assembly_format = None

    @classmethod
    def parse(cls, parser: Parser) -> SelectOp:
        start = parser.pos
        names = [parser.parse_unresolved_operand()]
        for _ in range(2):
            parser.parse_punctuation(",")
            names.append(parser.parse_unresolved_operand())
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        types = parser.parse_comma_separated_list(Parser.Delimiter.NONE, parser.parse_type)
        condition, value = (i1, types[0]) if len(types) == 1 else types
        operands = parser.resolve_operands(names, [condition, value, value], start)
        return cls.create(operands=operands, result_types=[value], attributes=attributes)

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_list(self.operands, printer.print_ssa_value)
        printer.print_op_attributes(self.attributes)
        printer.print_string(" : ")
        types = [self.result.type] if self.cond.type == i1 else [self.cond.type, self.result.type]
        printer.print_list(types, printer.print_attribute)

    def verify_(self) -> None:
        kind, expected = self.cond.type, _bools(self.result.type)
        if kind not in (i1, expected):
            raise VerifyException(f"expected a condition of type i1 or {expected}, found {kind}")


def _bools(kind: Attribute) -> Attribute:
    """`i1` in the shape of a type."""
    if isinstance(kind, TensorType):
        return TensorType(i1, kind.get_shape(), kind.encoding)
    return VectorType(i1, kind.get_shape(), kind.scalable_dims) if isinstance(kind, VectorType) else i1


_OWN = {op.name: op for op in (CmpfOp, SelectOp)}

Arith = Dialect(
    "arith",
    [_OWN.get(op.name, op) for op in arith.Arith.operations],
    list(arith.Arith.attributes),
)
