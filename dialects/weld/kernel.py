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

from ..ir import OneBlock
from .base import WeldOp
from .facts import define_op
from .generic import Generic, Yield
from .types import Shape


@define_op
class Kernel(WeldOp, OneBlock):
    """Members in order; the first `outer` dims of each, but for the first `before` and the last `after` of them, are
    the same loops.

        %y = weld.kernel @mixture outer 1 before 1 after 0 {
          %l = weld.generic over "8" gives "write d0" {...} : tensor<...>
          %m = weld.generic over "n, 8" gives "max d0" {...} : tensor<...>
          %y = weld.generic over "n, 8" gives "write d0, d1" {...} : tensor<...>
          weld.yield %y : tensor<...>
        } : tensor<...>

    A member inside the loops reads another one's result only at its own outer indices, so those results live in
    registers or in scratch of one block of outer iterations. Members in a row that are cut into the same chunks run
    chunk by chunk (`walks`). The `before` members run once before the loops (a text
    without the word has none), the `after` members once the loops are done.
    """

    name = "weld.kernel"
    sym_name = prop_def(StringAttr)
    outer = prop_def(IntegerAttr)
    before = prop_def(IntegerAttr)
    after = prop_def(IntegerAttr)
    body = region_def("single_block")
    outs = var_result_def()

    @classmethod
    def of(
        cls, symbol: str, body: Block, types: Sequence[Attribute], *, outer: int, before: int = 0, after: int = 0
    ) -> Self:
        return cls._of(StringAttr(symbol), outer, before, after, Region(body), types)

    @classmethod
    def _of(
        cls, symbol: StringAttr, outer: int, before: int, after: int, body: Region, types: Sequence[Attribute]
    ) -> Self:
        return cls.create(
            result_types=types,
            properties={
                "sym_name": symbol,
                "outer": IntegerAttr(outer, i64),
                "before": IntegerAttr(before, i64),
                "after": IntegerAttr(after, i64),
            },
            regions=[body],
        )

    @property
    def members(self) -> list[Generic]:
        return [op for op in self.block.ops if isinstance(op, Generic)]

    @property
    def outer_count(self) -> int:
        return int(self.outer.value.data)

    @property
    def prologue(self) -> list[Generic]:
        """The members before the shared loops."""
        return self.members[: int(self.before.value.data)]

    @property
    def looped(self) -> list[Generic]:
        """The members inside the shared loops."""
        members = self.members
        return members[int(self.before.value.data) : len(members) - int(self.after.value.data)]

    @property
    def walks(self) -> list[list[Generic]]:
        """The members inside the shared loops in order. Those in a row whose domains are cut into the same chunks,
        along the dim after the shared ones, share that loop as well."""
        found: list[list[Generic]] = []
        for member in self.looped:
            if found and self._same_chunks(found[-1], member):
                found[-1].append(member)
            else:
                found.append([member])
        return found

    def _same_chunks(self, walk: list[Generic], member: Generic) -> bool:
        """Whether a member needs only the same chunk of what the members of `walk` give."""
        count = self.outer_count
        chunk = f"d{count}"
        for op in (walk[0], member):
            if chunk in op.bounds or not any(chunk in guard.names for guard in op.guards):
                return False
        if member.sizes[count].value == 1:
            return False  # no loop: what the members hand on may stay in registers
        for load in member.loads():
            producer = load.tensor.owner
            if isinstance(producer, Generic) and producer in walk:
                read = zip(producer.given(load.tensor).indices, load.where.indices, strict=True)
                if (chunk, chunk) not in {(str(own), str(index)) for own, index in read}:
                    return False
        return walk[0].sizes[: count + 1] == member.sizes[: count + 1]

    @property
    def epilogue(self) -> list[Generic]:
        """The members after the shared loops."""
        members = self.members
        return members[len(members) - int(self.after.value.data) :]

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
        looped, count = self.looped, self.outer_count
        if not looped:
            raise VerifyException("weld.kernel needs a member inside its loops")
        outer = looped[0].sizes[:count]
        for member in looped:
            if member.sizes[:count] != outer:
                raise VerifyException(
                    f"weld.kernel member over '{member.domain}' does not start with the {count} outer"
                    f" dims ({', '.join(str(s) for s in outer)})"
                )

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        symbol = parser.parse_symbol_name()
        parser.parse_keyword("outer")
        outer = parser.parse_integer()
        before = parser.parse_integer() if parser.parse_optional_keyword("before") else 0
        parser.parse_keyword("after")
        after = parser.parse_integer()
        region = parser.parse_region()
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        types = parser.parse_comma_separated_list(parser.Delimiter.NONE, parser.parse_type)
        op = cls._of(symbol, outer, before, after, region, types)
        op.attributes |= attributes
        return op

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_symbol_name(self.sym_name.data)
        before = f" before {len(self.prologue)}" if self.prologue else ""
        printer.print_string(f" outer {self.outer_count}{before} after {len(self.epilogue)} ")
        printer.print_region(self.regions[0])
        printer.print_op_attributes(self.attributes)
        printer.print_string(" : ")
        printer.print_list([o.type for o in self.outs], printer.print_attribute)
