"""`weld.kernel`: generics that share their outer dims and run as one loop nest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

from xdsl.dialects.builtin import IntegerAttr, StringAttr, i64
from xdsl.ir import Attribute, Block, Operation, Region
from xdsl.irdl import prop_def, region_def, var_result_def
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.utils.exceptions import VerifyException

from .base import WeldOp
from .facts import define_op
from .generic import Generic, Yield
from .types import Shape


@define_op
class Kernel(WeldOp):
    """Members in order; the first `outer` dims of each member but the last `after` ones are the same loops.

        %y = weld.kernel @softmax outer 1 after 0 {
          %m = weld.generic over "n, 8" gives "max d0" {...} : tensor<...>
          %y = weld.generic over "n, 8" gives "write d0, d1" {...} : tensor<...>
          weld.yield %y : tensor<...>
        } : tensor<...>

    A member reads another one's result only at its own outer indices, so those results live in registers or
    in scratch of one block of outer iterations. The last `after` members run once the loops are done.
    """

    name = "weld.kernel"
    sym_name = prop_def(StringAttr)
    outer = prop_def(IntegerAttr)
    after = prop_def(IntegerAttr)
    body = region_def("single_block")
    outs = var_result_def()

    @classmethod
    def of(cls, symbol: str, outer: int, after: int, body: Block, types: Sequence[Attribute]) -> Self:
        return cls.create(
            result_types=types,
            properties={
                "sym_name": StringAttr(symbol),
                "outer": IntegerAttr(outer, i64),
                "after": IntegerAttr(after, i64),
            },
            regions=[Region(body)],
        )

    @property
    def block(self) -> Block:
        return self.regions[0].blocks[0]

    @property
    def members(self) -> list[Generic]:
        return [op for op in self.block.ops if isinstance(op, Generic)]

    @property
    def outer_count(self) -> int:
        return int(self.outer.value.data)

    @property
    def looped(self) -> list[Generic]:
        """The members inside the shared loops."""
        members = self.members
        return members[: len(members) - int(self.after.value.data)]

    @property
    def epilogue(self) -> list[Generic]:
        """The members after the shared loops."""
        return self.members[len(self.looped) :]

    @property
    def outer_sizes(self) -> Shape:
        return self.looped[0].sizes[: self.outer_count]

    @property
    def terminator(self) -> Operation:
        last = self.block.last_op
        assert last is not None
        return last

    def verify_(self) -> None:
        for op in self.block.ops:
            if not isinstance(op, Generic | Yield):
                raise VerifyException(f"weld.kernel holds generics only, found {op.name}")
        if not self.looped:
            raise VerifyException("weld.kernel needs a member inside its loops")
        for member in self.looped:
            if member.sizes[: self.outer_count] != self.outer_sizes:
                raise VerifyException(
                    f"weld.kernel member over '{member.domain}' does not start with the {self.outer_count} outer"
                    f" dims ({', '.join(str(s) for s in self.outer_sizes)})"
                )

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        symbol = parser.parse_symbol_name()
        parser.parse_keyword("outer")
        outer = parser.parse_integer()
        parser.parse_keyword("after")
        after = parser.parse_integer()
        region = parser.parse_region()
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        types = parser.parse_comma_separated_list(parser.Delimiter.NONE, parser.parse_type)
        op = cls.create(
            result_types=types,
            properties={
                "sym_name": symbol,
                "outer": IntegerAttr(outer, i64),
                "after": IntegerAttr(after, i64),
            },
            regions=[region],
        )
        op.attributes |= attributes
        return op

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_symbol_name(self.sym_name.data)
        printer.print_string(f" outer {self.outer_count} after {len(self.epilogue)} ")
        printer.print_region(self.regions[0])
        printer.print_op_attributes(self.attributes)
        printer.print_string(" : ")
        printer.print_list([o.type for o in self.outs], printer.print_attribute)
