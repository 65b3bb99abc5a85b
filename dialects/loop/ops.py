"""Explicit loops over buffers, with vectors and masks.

Arithmetic on scalars and vectors is done by `weld`'s elementwise ops; integers here are i64. A vector op takes
vector operands of one length; a mask is a vector of i1 of that length.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Self

from xdsl.dialects.builtin import ArrayAttr, DenseArrayBase, IntegerAttr, StringAttr, UnitAttr, VectorType, i32, i64
from xdsl.ir import Attribute, Block, ParametrizedAttribute, Region, SSAValue, TypeAttribute
from xdsl.irdl import (
    AttrSizedOperandSegments,
    ParsePropInAttrDict,
    irdl_attr_definition,
    irdl_op_definition,
    operand_def,
    opt_operand_def,
    opt_prop_def,
    prop_def,
    region_def,
    result_def,
    traits_def,
    var_operand_def,
    var_result_def,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import IsTerminator, MemoryReadEffect, MemoryWriteEffect, Pure
from xdsl.utils.exceptions import VerifyException

from ..expr import Expr, is_remainder, parse_expr
from ..ir import OneBlock, Op
from ..weld.attributes import Dims, parse_quoted
from ..weld.constant import Constant
from ..weld.types import BOOL, I64, scalar_of

LINE = 64
"""Bytes of a cache line."""


@irdl_attr_definition
class Buffer(ParametrizedAttribute, TypeAttribute):
    """`!loop.buffer<f32>`: the address of the first of some elements; a bool element is one byte."""

    name = "loop.buffer"
    element: Attribute


@lru_cache
def vector(element: Attribute, lanes: int) -> Attribute:
    """The type of `lanes` elements in registers; the element type itself for one lane."""
    return element if lanes == 1 else VectorType(element, [lanes])


def lanes_of(value: SSAValue | Attribute) -> int:
    """The lanes of a vector type, 1 for a scalar."""
    kind: Any = value.type if isinstance(value, SSAValue) else value
    return kind.shape.data[0].data if kind.__class__ is VectorType else 1  # asked very often, and isinstance takes long


def parse_value(parser: Parser) -> SSAValue:
    """A value that is defined already, so that its type need not be written."""
    operand = parser.parse_unresolved_operand()
    values = parser.ssa_values.get(operand.operand_name, ())
    if operand.index >= len(values):
        parser.raise_error("SSA value used before assignment", operand.span)
    return values[operand.index]


@irdl_op_definition
class For(OneBlock):
    """`loop.for %i = %lo to %hi step 16 iter (%acc = %init) : f32 {...}`: a counted loop, carrying values.

    Results are the values of the last `loop.yield`, or the inits where the loop makes no trip.
    """

    name = "loop.for"
    lower = operand_def(I64)
    upper = operand_def(I64)
    inits = var_operand_def()
    step = prop_def(IntegerAttr)
    label = opt_prop_def(StringAttr)
    """The tensor dim that the loop walks, for the reader and for structural tests."""
    body = region_def("single_block")
    outs = var_result_def()

    @classmethod
    def of(cls, lower: SSAValue, upper: SSAValue, step: int, inits: Sequence[SSAValue], label: str) -> Self:
        """A loop with an empty body whose block arguments are the counter and the carried values."""
        types = [v.type for v in inits]
        return cls.create(
            operands=[lower, upper, *inits],
            result_types=types,
            properties={"step": IntegerAttr(step, i64), "label": StringAttr(label)},
            regions=[Region(Block(arg_types=[I64, *types]))],
        )

    @property
    def counter(self) -> SSAValue:
        return self.block.args[0]

    @property
    def carried(self) -> Sequence[SSAValue]:
        return self.block.args[1:]

    @property
    def yielded(self) -> Sequence[SSAValue]:
        """The carried values after an iteration."""
        last = self.block.last_op
        assert last is not None
        return last.operands

    @property
    def until(self) -> SSAValue | None:
        """The flag of its `loop.until`."""
        before = self.block.last_op.prev_op if self.block.last_op is not None else None
        return before.last if isinstance(before, Until) else None

    @property
    def runs(self) -> bool:
        """Whether it is known to have an iteration."""
        trip = self.known_trip
        return trip is not None and trip > 0

    @property
    def runs_at_most_once(self) -> bool:
        """Whether one step is known to reach the end."""
        return self.is_within(self.step.value.data)

    def is_within(self, distance: int) -> bool:
        """Whether the end is known to be at most so far from the beginning: both are constants, or the loop is from
        `e - e mod n` to `e`."""
        trip = self.known_trip
        if trip is not None:
            return trip <= distance
        lower, upper = self.lower.owner, self.upper
        if not isinstance(lower, Affine):
            return False
        return any(
            value is upper and is_remainder(Expr.symbol(name) - lower.value, distance + 1)
            for name, value in lower.named.items()
        )

    @property
    def known_trip(self) -> int | None:
        """The distance from the beginning to the end, where both are constants."""
        begin, end = self.lower.owner, self.upper.owner
        if isinstance(begin, Constant) and isinstance(end, Constant):
            return int(end.number) - int(begin.number)
        return None

    def verify_(self) -> None:
        types = [v.type for v in self.inits]
        if [a.type for a in self.block.args] != [I64, *types] or [o.type for o in self.outs] != types:
            raise VerifyException("loop.for: counter, carried values and results do not match the inits")
        last = self.block.last_op
        if not isinstance(last, Yield) or [v.type for v in last.operands] != types:
            raise VerifyException("loop.for must end with a loop.yield of its carried types")
        if any(isinstance(op, Until) and op is not last.prev_op for op in self.block.ops):
            raise VerifyException("loop.until must stand right in front of the loop's loop.yield")

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        counter = parser.parse_argument(expect_type=False).resolve(I64)
        parser.parse_punctuation("=")
        lower = parser.parse_operand(I64)
        parser.parse_keyword("to")
        upper = parser.parse_operand(I64)
        parser.parse_keyword("step")
        step = parser.parse_integer()
        names: list[Parser.UnresolvedArgument] = []
        inits: list[SSAValue] = []
        if parser.parse_optional_keyword("iter"):
            with parser.in_parens():
                while True:
                    names.append(parser.parse_argument(expect_type=False))
                    parser.parse_punctuation("=")
                    inits.append(parse_value(parser))
                    if not parser.parse_optional_punctuation(","):
                        break
        label = parser.parse_optional_str_literal()
        carried = [n.resolve(v.type) for n, v in zip(names, inits, strict=True)]
        region = parser.parse_region([counter, *carried])
        op = cls.create(
            operands=[lower, upper, *inits],
            result_types=[v.type for v in inits],
            properties={"step": IntegerAttr(step, i64), "label": StringAttr(label or "")},
            regions=[region],
        )
        return op

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_ssa_value(self.counter)
        printer.print_string(" = ")
        printer.print_ssa_value(self.lower)
        printer.print_string(" to ")
        printer.print_ssa_value(self.upper)
        printer.print_string(f" step {self.step.value.data}")
        if self.inits:
            printer.print_string(" iter (")
            for k, (name, init) in enumerate(zip(self.carried, self.inits, strict=True)):
                printer.print_string(", " if k else "")
                printer.print_ssa_value(name)
                printer.print_string(" = ")
                printer.print_ssa_value(init)
            printer.print_string(")")
        printer.print_string(" ")
        if self.label is not None:
            printer.print_string_literal(self.label.data)
            printer.print_string(" ")
        printer.print_region(self.regions[0], print_entry_block_args=False)


@irdl_op_definition
class Until(Op):
    """`loop.until %last`: in front of a loop's `loop.yield`; an iteration with a true flag is the last one."""

    name = "loop.until"
    last = operand_def(BOOL)
    assembly_format = "$last attr-dict"


@irdl_op_definition
class Yield(Op):
    """Ends the body of a loop with the next carried values."""

    name = "loop.yield"
    values = var_operand_def()
    traits = traits_def(IsTerminator(), Pure())
    assembly_format = "($values^ `:` type($values))? attr-dict"


@irdl_op_definition
class Affine(Op):
    """`%o = loop.affine "d0 * n + 3" %i, %n`: an integer expression; operand k is the k-th name in sorted order.

    With vector operands the result is a vector; scalars then count for every lane.
    """

    name = "loop.affine"
    args = var_operand_def()
    expr = prop_def(Dims)
    res = result_def()
    traits = traits_def(Pure())

    @classmethod
    def of(cls, expr: Expr, values: dict[str, SSAValue]) -> Self:
        """`values` gives every name of the expression."""
        operands = [values[n] for n in sorted(expr.names)]
        lanes = max((lanes_of(v) for v in operands), default=1)
        return cls.create(operands=operands, result_types=[vector(I64, lanes)], properties={"expr": Dims((expr,))})

    @property
    def value(self) -> Expr:
        return self.expr.data[0]

    @property
    def named(self) -> dict[str, SSAValue]:
        return dict(zip(sorted(self.value.names), self.operands, strict=True))

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        expr = parse_quoted(parser, parse_expr)
        operands = []
        if expr.names:
            operands = parser.parse_comma_separated_list(parser.Delimiter.NONE, lambda: parse_value(parser))
        return cls.of(expr, dict(zip(sorted(expr.names), operands, strict=True)))

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_string_literal(str(self.value))
        if self.operands:
            printer.print_string(" ")
            printer.print_list(self.operands, printer.print_ssa_value)


@irdl_op_definition
class Subview(Op):
    """`loop.subview %b[%o] : !loop.buffer<f32> -> !loop.buffer<f32>`: the buffer that begins at an element of another
    one; of other elements where the offset is 0."""

    name = "loop.subview"
    buffer = operand_def(Buffer)
    offset = operand_def(I64)
    res = result_def(Buffer)
    traits = traits_def(Pure())
    assembly_format = "$buffer `[` $offset `]` attr-dict `:` type($buffer) `->` type($res)"

    @classmethod
    def of(cls, buffer: SSAValue, offset: SSAValue, kind: Attribute) -> Self:
        return cls.create(operands=[buffer, offset], result_types=[kind])


@irdl_op_definition
class Splat(Op):
    """`loop.splat %s : vector<16xf32>`: the scalar in every lane."""

    name = "loop.splat"
    value = operand_def()
    res = result_def()
    traits = traits_def(Pure())
    assembly_format = "$value attr-dict `:` type($value) `->` type($res)"


@irdl_op_definition
class Iota(Op):
    """`loop.iota : vector<16xi64>`: 0, 1, 2, ... in the lanes."""

    name = "loop.iota"
    res = result_def()
    traits = traits_def(Pure())
    assembly_format = "attr-dict `:` type($res)"


@irdl_op_definition
class FirstLanes(Op):
    """`loop.first_lanes %n : vector<16xi1>`: a mask of the first n lanes (none for n <= 0)."""

    name = "loop.first_lanes"
    count = operand_def(I64)
    res = result_def()
    traits = traits_def(Pure())
    assembly_format = "$count attr-dict `:` type($res)"


@irdl_op_definition
class Minimum(Op):
    """`loop.min %a, %b`: the smaller of two i64."""

    name = "loop.min"
    lhs = operand_def(I64)
    rhs = operand_def(I64)
    res = result_def(I64)
    traits = traits_def(Pure())
    assembly_format = "$lhs `,` $rhs attr-dict"


class Access(Op):
    """What loads and stores share: a buffer, an element offset (a vector of offsets for scattered lanes), an
    optional mask, and, from `annotate-alias-scopes`, the scope of the buffer and those it cannot overlap."""

    buffer = operand_def(Buffer)
    offset = operand_def()
    mask = opt_operand_def()
    scope = opt_prop_def(StringAttr)
    noalias = opt_prop_def(ArrayAttr[StringAttr])


@irdl_op_definition
class Load(Access):
    """`loop.load %b[%o], %mask : vector<16xf32>`: consecutive elements from the offset, or, with a vector of
    offsets, one element a lane. Lanes where the mask is false read nothing and are 0.

    With `{step = 2}` each lane's element lies two further on than the one before it; elements between those of two
    lanes may be read too, so that whole registers come from memory. With `{singly}` lanes are loaded one after the
    other, which from the first-level cache takes less than a gather instruction. With `{prefetch = 1024}` the cache
    lines that lie so many bytes further on are asked for, into the second-level cache, wherever the buffer ends.
    """

    name = "loop.load"
    res = result_def()
    step = opt_prop_def(IntegerAttr)
    singly = opt_prop_def(UnitAttr)
    prefetch = opt_prop_def(IntegerAttr)
    irdl_options = (AttrSizedOperandSegments(as_property=True), ParsePropInAttrDict())
    traits = traits_def(MemoryReadEffect())
    assembly_format = (
        "$buffer `[` $offset `]` (`if` $mask^)? attr-dict"
        " `:` type($buffer) `,` type($offset) (`,` type($mask)^)? `->` type($res)"
    )

    @classmethod
    def of(cls, buffer: SSAValue, offset: SSAValue, mask: SSAValue | None, lanes: int, step: int = 1) -> Self:
        assert isinstance(buffer.type, Buffer)
        sizes = DenseArrayBase.from_list(i32, [1, 1, 0 if mask is None else 1])
        properties: dict[str, Attribute] = {"operandSegmentSizes": sizes}
        if step != 1:
            properties["step"] = IntegerAttr(step, i64)
        return cls.create(
            operands=[buffer, offset, *([mask] if mask is not None else [])],
            result_types=[vector(buffer.type.element, lanes)],
            properties=properties,
        )

    def verify_(self) -> None:
        if self.step is not None and (self.mask is not None or lanes_of(self.offset) > 1 or not self.step.value.data):
            raise VerifyException("loop.load takes steps from one offset, without a mask")
        if self.prefetch is not None and (self.step is not None or lanes_of(self.offset) > 1):
            raise VerifyException("loop.load prefetches what lies beyond consecutive elements")


@irdl_op_definition
class Store(Access):
    """`loop.store %v, %b[%o], %mask {kind = "add"}`: writes, or combines with what is there.

    With a vector of offsets the lanes are applied one after the other, so that equal offsets accumulate. `stream %s`
    keeps the elements out of the caches where %s is true and their address allows it.
    """

    name = "loop.store"
    value = operand_def()
    streams = opt_operand_def(BOOL)
    kind = prop_def(StringAttr)
    irdl_options = (AttrSizedOperandSegments(as_property=True), ParsePropInAttrDict())
    traits = traits_def(MemoryWriteEffect())
    assembly_format = (
        "$kind $value `to` $buffer `[` $offset `]` (`if` $mask^)? (`stream` $streams^)? attr-dict"
        " `:` type($value) `,` type($buffer) `,` type($offset) (`,` type($mask)^)?"
    )

    @classmethod
    def of(cls, value: SSAValue, buffer: SSAValue, offset: SSAValue, mask: SSAValue | None, kind: str = "set") -> Self:

        sizes = DenseArrayBase.from_list(i32, [1, 0, 1, 1, 0 if mask is None else 1])
        return cls.create(
            operands=[value, buffer, offset, *([mask] if mask is not None else [])],
            properties={"operandSegmentSizes": sizes, "kind": StringAttr(kind)},
        )

    def stream_if(self, flag: SSAValue) -> None:
        """Let the store bypass the caches where `flag`, an i1, is true."""
        value, *rest = self.operands
        self.operands = [value, flag, *rest]
        self.properties["operandSegmentSizes"] = DenseArrayBase.from_list(i32, [1, 1, 1, 1, len(rest) - 2])

    def verify_(self) -> None:
        assert isinstance(self.buffer.type, Buffer)
        if scalar_of(self.value) != self.buffer.type.element:
            raise VerifyException(f"loop.store puts {self.value.type} into {self.buffer.type}")


@irdl_op_definition
class Drain(Op):
    """`loop.drain %s`: where %s is true, what this thread has streamed is in memory, for other threads to see."""

    name = "loop.drain"
    streamed = operand_def(BOOL)
    traits = traits_def(MemoryWriteEffect())
    assembly_format = "$streamed attr-dict"


@irdl_op_definition
class Reduce(Op):
    """`loop.reduce "sum" %v : vector<64xf32> -> f32`: the lanes of a vector combined, half by half, to a scalar or to
    fewer lanes. For "argmax" and "argmin" the operands and results are values and positions."""

    name = "loop.reduce"
    args = var_operand_def()
    kind = prop_def(StringAttr)
    outs = var_result_def()
    traits = traits_def(Pure())
    assembly_format = "$kind $args attr-dict `:` type($args) `->` type($outs)"

    @classmethod
    def of(cls, kind: str, args: Sequence[SSAValue], lanes: int = 1) -> Self:
        return cls.create(
            operands=args,
            result_types=[vector(scalar_of(a), lanes) for a in args],
            properties={"kind": StringAttr(kind)},
        )


@irdl_op_definition
class Fill(Op):
    """`loop.fill %value to %b, %n`: the first n elements of a buffer."""

    name = "loop.fill"
    value = operand_def()
    buffer = operand_def(Buffer)
    count = operand_def(I64)
    scope = opt_prop_def(StringAttr)
    noalias = opt_prop_def(ArrayAttr[StringAttr])
    irdl_options = (ParsePropInAttrDict(),)
    traits = traits_def(MemoryWriteEffect())
    assembly_format = "$value `to` $buffer `,` $count attr-dict `:` type($value) `,` type($buffer)"


@irdl_op_definition
class Copy(Op):
    """`loop.copy %a to %b, %n`: n elements from one buffer to another one that does not overlap it."""

    name = "loop.copy"
    source = operand_def(Buffer)
    target = operand_def(Buffer)
    count = operand_def(I64)
    scope = opt_prop_def(StringAttr)
    noalias = opt_prop_def(ArrayAttr[StringAttr])
    irdl_options = (ParsePropInAttrDict(),)
    traits = traits_def(MemoryReadEffect(), MemoryWriteEffect())
    assembly_format = "$source `to` $target `,` $count attr-dict `:` type($source) `,` type($target)"
