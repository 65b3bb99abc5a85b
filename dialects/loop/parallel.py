"""Blocks that may run at the same time: `loop.parallel`, and `loop.part`, the memory of one for a common result."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Self

from xdsl.dialects.builtin import DenseArrayBase, StringAttr, i32
from xdsl.ir import Block, Region, SSAValue
from xdsl.irdl import (
    AttrSizedOperandSegments,
    VarConstraint,
    base,
    irdl_op_definition,
    operand_def,
    opt_prop_def,
    region_def,
    result_def,
    traits_def,
    var_operand_def,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import Pure
from xdsl.utils.exceptions import VerifyException

from ..ir import OneBlock, Op
from ..weld.types import I64
from .ops import Buffer, Yield, parse_value


@irdl_op_definition
class Parallel(OneBlock):
    """Runs its body once for each block, in any order and on any threads.

        loop.parallel %block of %count work %work private (%row = %scratch[%n]) "d0" {...}

    No block writes what another one reads or writes. `work` estimates how many picoseconds all blocks take: the
    runtime decides by it how many threads pay. Each thread has memory of its own for the `private` buffers (n elements;
    their contents at the start of a block are undefined).
    """

    name = "loop.parallel"
    count = operand_def(I64)
    work = operand_def(I64)
    privates = var_operand_def(Buffer)
    sizes = var_operand_def(I64)
    label = opt_prop_def(StringAttr)
    """The tensor dim that the blocks divide, for the reader and for structural tests."""
    body = region_def("single_block")
    irdl_options = (AttrSizedOperandSegments(as_property=True),)

    @classmethod
    def of(
        cls, count: SSAValue, work: SSAValue, privates: Sequence[SSAValue], sizes: Sequence[SSAValue], label: str
    ) -> Self:
        """Blocks with an empty body whose arguments are the block's number and the private buffers."""
        return cls._of(count, work, privates, sizes, label, Region(Block(arg_types=[I64, *[p.type for p in privates]])))

    @classmethod
    def _of(
        cls,
        count: SSAValue,
        work: SSAValue,
        privates: Sequence[SSAValue],
        sizes: Sequence[SSAValue],
        label: str,
        body: Region,
    ) -> Self:
        return cls.create(
            operands=[count, work, *privates, *sizes],
            properties={"operandSegmentSizes": _segments(len(privates)), "label": StringAttr(label)},
            regions=[body],
        )

    @property
    def number(self) -> SSAValue:
        """Which block this is, from 0."""
        return self.block.args[0]

    @property
    def own(self) -> Sequence[SSAValue]:
        """The private buffers, inside."""
        return self.block.args[1:]

    def add_private(self, buffer: SSAValue, size: SSAValue) -> SSAValue:
        """One more private buffer; gives the own one, inside."""
        privates, sizes = [*self.privates, buffer], [*self.sizes, size]
        self.operands = [self.count, self.work, *privates, *sizes]
        self.properties["operandSegmentSizes"] = _segments(len(privates))
        return self.block.insert_arg(buffer.type, len(self.block.args))

    def verify_(self) -> None:
        if [a.type for a in self.block.args] != [I64, *[p.type for p in self.privates]]:
            raise VerifyException("loop.parallel: the body's arguments are the block's number and the private buffers")
        if len(self.privates) != len(self.sizes):
            raise VerifyException("loop.parallel needs the size of each private buffer")
        if not isinstance(self.block.last_op, Yield) or self.block.last_op.operands:
            raise VerifyException("loop.parallel must end with a loop.yield without values")

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        number = parser.parse_argument(expect_type=False).resolve(I64)
        parser.parse_keyword("of")
        count = parser.parse_operand(I64)
        parser.parse_keyword("work")
        work = parser.parse_operand(I64)
        names: list[Parser.UnresolvedArgument] = []
        privates: list[SSAValue] = []
        sizes: list[SSAValue] = []

        def private() -> None:
            names.append(parser.parse_argument(expect_type=False))
            parser.parse_punctuation("=")
            privates.append(parse_value(parser))
            parser.parse_punctuation("[")
            sizes.append(parser.parse_operand(I64))
            parser.parse_punctuation("]")

        if parser.parse_optional_keyword("private"):
            parser.parse_comma_separated_list(parser.Delimiter.PAREN, private)
        label = parser.parse_optional_str_literal()
        own = [name.resolve(value.type) for name, value in zip(names, privates, strict=True)]
        return cls._of(count, work, privates, sizes, label or "", parser.parse_region([number, *own]))

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_ssa_value(self.number)
        printer.print_string(" of ")
        printer.print_ssa_value(self.count)
        printer.print_string(" work ")
        printer.print_ssa_value(self.work)
        if self.privates:
            printer.print_string(" private (")
            for k, (own, outside, size) in enumerate(zip(self.own, self.privates, self.sizes, strict=True)):
                printer.print_string(", " if k else "")
                printer.print_ssa_value(own)
                printer.print_string(" = ")
                printer.print_ssa_value(outside)
                printer.print_string("[")
                printer.print_ssa_value(size)
                printer.print_string("]")
            printer.print_string(")")
        printer.print_string(" ")
        if self.label is not None:
            printer.print_string_literal(self.label.data)
            printer.print_string(" ")
        printer.print_region(self.regions[0], print_entry_block_args=False)


def _segments(privates: int) -> DenseArrayBase:
    return DenseArrayBase.from_list(i32, [1, 1, privates, privates])


@irdl_op_definition
class Part(Op):
    """`loop.part %block of %y, %parts[%n]`: where a block keeps its part of the result %y. For block 0 that is the
    result itself, for block k it is %parts from element (k - 1) * n on."""

    T: ClassVar = VarConstraint("T", base(Buffer))

    name = "loop.part"
    block = operand_def(I64)
    buffer = operand_def(T)
    parts = operand_def(T)
    stride = operand_def(I64)
    res = result_def(T)
    traits = traits_def(Pure())
    assembly_format = "$block `of` $buffer `,` $parts `[` $stride `]` attr-dict `:` type($buffer)"

    @classmethod
    def of(cls, block: SSAValue, buffer: SSAValue, parts: SSAValue, stride: SSAValue) -> Self:
        return cls.create(operands=[block, buffer, parts, stride], result_types=[buffer.type])
