"""`linalg.generic`, `linalg.map`, `linalg.reduce` and `linalg.elementwise`."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects.builtin import (
    AffineMapAttr,
    AnyTensorType,
    ArrayAttr,
    DenseArrayBase,
    MemRefType,
    ShapedType,
    StringAttr,
    i64,
)
from xdsl.dialects.linalg import ops
from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation
from xdsl.dialects.linalg.attrs import IteratorType, IteratorTypeAttr
from xdsl.ir import Attribute, Data, Operation, Region, SSAValue
from xdsl.ir.affine import AffineMap
from xdsl.irdl import (
    AttrSizedOperandSegments,
    IRDLOperation,
    SameVariadicOperandSize,
    base,
    irdl_attr_definition,
    irdl_op_definition,
    operand_def,
    prop_def,
    region_def,
    var_operand_def,
    var_result_def,
)
from xdsl.parser import AttrParser, Parser
from xdsl.printer import Printer
from xdsl.utils.exceptions import VerifyException
from xdsl.utils.hints import isa

from . import bodies, syntax

SHAPED = base(MemRefType) | base(AnyTensorType)


class GenericOp(ops.GenericOp):
    """xDSL's, which also reads aliases for its attributes and several results."""

    @classmethod
    def parse(cls, parser: Parser) -> GenericOp:
        attributes = syntax.parse_attributes(parser)
        maps, iterators = attributes.pop("indexing_maps", None), attributes.pop("iterator_types", None)
        if not isa(maps, ArrayAttr[AffineMapAttr]) or not isa(iterators, ArrayAttr[Attribute]):
            raise VerifyException("needs the attributes indexing_maps and iterator_types")
        doc, library_call = attributes.pop("doc", None), attributes.pop("library_call", None)
        inputs, outputs = syntax.parse_operands(parser, "ins"), syntax.parse_operands(parser, "outs")
        if parser.parse_optional_keyword("attrs") is not None:
            parser.parse_punctuation("=")
            attributes |= parser.parse_optional_attr_dict()
        body = parser.parse_region()
        made = cls.build(
            operands=[inputs, outputs],
            result_types=[syntax.parse_result_types(parser)],
            properties={
                "indexing_maps": maps,
                "iterator_types": ArrayAttr([_iterator(a) for a in iterators]),
                "doc": doc,
                "library_call": library_call,
            },
            attributes=attributes,
            regions=[body],
        )
        assert isinstance(made, GenericOp)
        return made


def _iterator(attribute: Attribute) -> IteratorTypeAttr:
    if isinstance(attribute, IteratorTypeAttr):
        return attribute
    if isinstance(attribute, StringAttr) and attribute.data in list(IteratorType):
        return IteratorTypeAttr(IteratorType(attribute.data))
    raise VerifyException(f"has the iterator type {attribute}, expected one of {', '.join(IteratorType)}")


@irdl_op_definition
class MapOp(IRDLOperation):
    """`linalg.map { arith.addf } ins(%a, %b : ...) outs(%c : ...)`: a body for each element."""

    name = "linalg.map"

    inputs = var_operand_def(SHAPED)
    init = operand_def(SHAPED)
    result = var_result_def(AnyTensorType)
    mapper = region_def("single_block")

    @classmethod
    def parse(cls, parser: Parser) -> Operation:
        payload = syntax.parse_payload(parser)
        inputs, outputs = syntax.parse_operands(parser, "ins"), syntax.parse_operands(parser, "outs")
        if len(outputs) != 1:
            raise VerifyException(f"expected 1 operand in outs, found {len(outputs)}")
        attributes = parser.parse_optional_attr_dict()
        operands = [*inputs, *outputs]
        body = syntax.payload_body(payload, operands, range(len(inputs))) if payload else syntax.parse_body(parser)
        return cls.build(
            operands=[inputs, outputs[0]],
            result_types=[_tensor_types(outputs)],
            attributes=attributes,
            regions=[body],
        )

    def print(self, printer: Printer) -> None:
        syntax.print_operands(printer, "ins", self.inputs)
        syntax.print_operands(printer, "outs", [self.init])
        printer.print_op_attributes(self.attributes)
        syntax.print_body(printer, self.mapper)

    def verify_(self) -> None:
        _verify_arguments(self, self.mapper)


@irdl_op_definition
class ReduceOp(IRDLOperation):
    """`linalg.reduce { arith.addf } ins(%a : ...) outs(%b : ...) dimensions = [1]`"""

    name = "linalg.reduce"

    inputs = var_operand_def(SHAPED)
    inits = var_operand_def(SHAPED)
    result = var_result_def(AnyTensorType)
    dimensions = prop_def(DenseArrayBase.constr(i64))
    combiner = region_def("single_block")

    irdl_options = (SameVariadicOperandSize(),)

    @classmethod
    def parse(cls, parser: Parser) -> Operation:
        payload = syntax.parse_payload(parser)
        inputs, outputs = syntax.parse_operands(parser, "ins"), syntax.parse_operands(parser, "outs")
        dimensions = syntax.parse_integers(parser, "dimensions")
        attributes = parser.parse_optional_attr_dict()
        operands = [*inputs, *outputs]
        last_first = [len(operands) - 1, *range(len(operands) - 1)]
        body = syntax.payload_body(payload, operands, last_first) if payload else syntax.parse_body(parser)
        return cls.build(
            operands=[inputs, outputs],
            result_types=[_tensor_types(outputs)],
            properties={"dimensions": DenseArrayBase.from_list(i64, dimensions)},
            attributes=attributes,
            regions=[body],
        )

    def print(self, printer: Printer) -> None:
        syntax.print_operands(printer, "ins", self.inputs)
        syntax.print_operands(printer, "outs", self.inits)
        printer.print_string(" dimensions = ")
        with printer.in_square_brackets():
            printer.print_list(self.dimensions.get_values(), printer.print_int)
        printer.print_op_attributes(self.attributes)
        syntax.print_body(printer, self.combiner)

    def verify_(self) -> None:
        if not self.inputs:
            raise VerifyException("needs inputs")
        _verify_arguments(self, self.combiner)
        reduced = self.dimensions.get_values()
        for value, init in zip(self.inputs, self.inits, strict=True):
            sizes = _sizes(value)
            if any(not 0 <= d < len(sizes) for d in reduced):
                raise VerifyException(f"expected dimensions below the rank {len(sizes)}, found {list(reduced)}")
            kept = [n for k, n in enumerate(sizes) if k not in reduced]
            if kept != _sizes(init):
                raise VerifyException(f"expected an output of the sizes {kept}, found {_sizes(init)}")


@irdl_attr_definition
class ElementwiseKindAttr(Data[str]):
    """`#linalg.elementwise_kind<exp>`"""

    name = "linalg.elementwise_kind"

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> str:
        with parser.in_angle_brackets():
            kind = parser.parse_identifier()
            if kind not in bodies.KINDS:
                parser.raise_error(f"unknown kind '{kind}', expected one of {', '.join(bodies.KINDS)}")
        return kind

    def print_parameter(self, printer: Printer) -> None:
        with printer.in_angle_brackets():
            printer.print_string(self.data)


@irdl_op_definition
class ElementwiseOp(LinalgStructuredOperation):
    """`linalg.elementwise kind=#linalg.elementwise_kind<exp> ins(%a : ...) outs(%b : ...) -> ...`, with maps that
    transpose and broadcast."""

    name = "linalg.elementwise"

    kind = prop_def(ElementwiseKindAttr)
    indexing_maps = prop_def(ArrayAttr[AffineMapAttr])

    irdl_options = (AttrSizedOperandSegments(as_property=True),)

    @classmethod
    def parse(cls, parser: Parser) -> Operation:
        parser.parse_keyword("kind")
        parser.parse_punctuation("=")
        kind = parser.parse_attribute()
        if not isinstance(kind, ElementwiseKindAttr):
            parser.raise_error("expected #linalg.elementwise_kind<...>")
        maps = syntax.parse_maps(parser)
        attributes = parser.parse_optional_attr_dict()
        inputs, outputs = syntax.parse_operands(parser, "ins"), syntax.parse_operands(parser, "outs")
        operands = [*inputs, *outputs]
        if len(outputs) != 1:
            raise VerifyException(f"expected 1 operand in outs, found {len(outputs)}")
        if maps is None:
            maps = ArrayAttr([AffineMapAttr(AffineMap.identity(len(_sizes(outputs[0]))))] * len(operands))
        return cls.build(
            operands=[inputs, outputs],
            result_types=[syntax.parse_result_types(parser)],
            properties={"kind": kind, "indexing_maps": maps},
            attributes=attributes,
            regions=[bodies.elementwise(kind.data, operands)],
        )

    def print(self, printer: Printer) -> None:
        printer.print_string(" kind=")
        printer.print_attribute(self.kind)
        if not self.is_plain:
            printer.print_string(" indexing_maps = ")
            printer.print_attribute(self.indexing_maps)
        printer.print_op_attributes(self.attributes)
        syntax.print_operands(printer, "ins", self.inputs)
        syntax.print_operands(printer, "outs", self.outputs)
        syntax.print_result_types(printer, self.res)

    @property
    def is_plain(self) -> bool:
        """Whether no map transposes or broadcasts."""
        return all(m.data == AffineMap.identity(m.data.num_dims) for m in self.indexing_maps)

    def get_indexing_maps(self) -> ArrayAttr[AffineMapAttr]:
        return self.indexing_maps

    def get_iterator_types(self) -> ArrayAttr[IteratorTypeAttr]:
        return ArrayAttr([IteratorTypeAttr.parallel()] * self.indexing_maps.data[0].data.num_dims)


def _tensor_types(outputs: Sequence[SSAValue]) -> list[Attribute]:
    return [v.type for v in outputs if isa(v.type, AnyTensorType)]


def _sizes(value: SSAValue) -> list[int]:
    return list(value.type.get_shape()) if isinstance(value.type, ShapedType) else []


def _verify_arguments(op: Operation, body: Region) -> None:
    expected, found = bodies.element_types(op.operands), [a.type for a in body.block.args]
    if expected != found:
        texts = [", ".join(map(str, types)) for types in (expected, found)]
        raise VerifyException(f"expected a body with the arguments ({texts[0]}), found ({texts[1]})")
