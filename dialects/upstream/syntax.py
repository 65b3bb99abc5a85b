"""The parts of which the syntax of structured ops is made, as upstream parses them."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects.builtin import AffineMapAttr, ArrayAttr, DictionaryAttr
from xdsl.dialects.linalg.ops import YieldOp
from xdsl.ir import Attribute, Block, Region, SSAValue
from xdsl.irdl import IRDLOperation
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.utils.hints import isa

from .bodies import element_types


def parse_operands(parser: Parser, keyword: str) -> Sequence[SSAValue]:
    """`ins(%a, %b : tensor<4xf32>, f32)`, or nothing."""
    start = parser.pos
    if parser.parse_optional_characters(keyword) is None:
        return ()
    parser.parse_punctuation("(")
    names = parser.parse_comma_separated_list(Parser.Delimiter.NONE, parser.parse_unresolved_operand)
    parser.parse_punctuation(":")
    types = parser.parse_comma_separated_list(Parser.Delimiter.NONE, parser.parse_type)
    parser.parse_punctuation(")")
    return parser.resolve_operands(names, types, start)


def parse_result_types(parser: Parser) -> Sequence[Attribute]:
    """`-> tensor<4xf32>`, `-> (tensor<4xf32>, tensor<f32>)`, or nothing."""
    if parser.parse_optional_punctuation("->") is None:
        return ()
    types = parser.parse_optional_comma_separated_list(Parser.Delimiter.PAREN, parser.parse_type)
    return [parser.parse_type()] if types is None else types


def parse_attributes(parser: Parser) -> dict[str, Attribute]:
    """`{...}`, or the name of an alias for one."""
    alias = parser.parse_optional_attribute()
    if alias is None:
        return {}
    if not isinstance(alias, DictionaryAttr):
        parser.raise_error("expected a dictionary of attributes")
    return dict(alias.data)


def parse_maps(parser: Parser) -> ArrayAttr[AffineMapAttr] | None:
    """`indexing_maps = [...]`, or nothing."""
    if parser.parse_optional_keyword("indexing_maps") is None:
        return None
    parser.parse_punctuation("=")
    found = parser.parse_attribute()
    if not isa(found, ArrayAttr[AffineMapAttr]):
        parser.raise_error("expected a list of affine maps")
    return found


def parse_payload(parser: Parser) -> tuple[type[IRDLOperation], dict[str, Attribute]] | None:
    """`{ arith.addf {fastmath = ...} }`, the short form of a body, or nothing."""
    if parser.parse_optional_punctuation("{") is None:
        return None
    name = parser.parse_identifier()
    kind = parser.ctx.get_optional_op(name)
    if kind is None or not issubclass(kind, IRDLOperation):
        parser.raise_error(f"unregistered operation {name}")
    attributes = parser.parse_optional_attr_dict()
    parser.parse_punctuation("}")
    return kind, attributes


def payload_body(
    payload: tuple[type[IRDLOperation], dict[str, Attribute]], operands: Sequence[SSAValue], args: Sequence[int]
) -> Region:
    """The body for `operands` that applies the payload to those of its arguments that `args` counts."""
    kind, attributes = payload
    known = kind.get_irdl_definition().properties
    block = Block(arg_types=element_types(operands))
    made = kind.build(
        operands=[block.args[k] for k in args],
        result_types=[block.args[-1].type],
        properties={n: a for n, a in attributes.items() if n in known},
        attributes={n: a for n, a in attributes.items() if n not in known},
    )
    block.add_ops([made, YieldOp(*made.results)])
    return Region(block)


def parse_body(parser: Parser) -> Region:
    """`(%a: f32, %out: f32) { ... }`"""
    arguments = parser.parse_comma_separated_list(Parser.Delimiter.PAREN, parser.parse_argument)
    return parser.parse_region(arguments)


def parse_integers(parser: Parser, keyword: str) -> Sequence[int]:
    """`dimensions = [0, 2]`"""
    parser.parse_keyword(keyword)
    parser.parse_punctuation("=")
    return parser.parse_comma_separated_list(Parser.Delimiter.SQUARE, parser.parse_integer)


def print_operands(printer: Printer, keyword: str, values: Sequence[SSAValue]) -> None:
    if not values:
        return
    printer.print_string(f" {keyword}(")
    printer.print_list(values, printer.print_ssa_value)
    printer.print_string(" : ")
    printer.print_list([v.type for v in values], printer.print_attribute)
    printer.print_string(")")


def print_result_types(printer: Printer, values: Sequence[SSAValue]) -> None:
    if not values:
        return
    printer.print_string(" -> ")
    if len(values) == 1:
        printer.print_attribute(values[0].type)
        return
    with printer.in_parens():
        printer.print_list([v.type for v in values], printer.print_attribute)


def print_body(printer: Printer, body: Region) -> None:
    printer.print_string("\n")
    with printer.in_parens():
        printer.print_list(body.block.args, printer.print_block_argument)
    printer.print_string(" ")
    printer.print_region(body, print_entry_block_args=False)
