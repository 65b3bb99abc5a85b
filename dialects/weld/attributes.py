"""Attributes of the `weld` dialect: symbolic shapes, accesses, and what a generic does with a value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from xdsl.ir import Data
from xdsl.irdl import irdl_attr_definition
from xdsl.parser import AttrParser
from xdsl.printer import Printer

from ..expr import Expr, parse_expr
from ..ranges import is_value


def parse_exprs(text: str) -> tuple[Expr, ...]:
    return tuple(parse_expr(part) for part in text.split(",") if part.strip())


def _text_list(exprs: tuple[Expr, ...]) -> str:
    return ", ".join([e.text for e in exprs])


T = TypeVar("T")


def parse_quoted(parser: AttrParser, read: Callable[[str], T]) -> T:
    """What `read` makes of a string literal; its ValueError becomes an error at that place."""
    position = parser.pos
    try:
        return read(parser.parse_str_literal())
    except ValueError as error:
        parser.raise_error(str(error), position)


def parse_string(parser: AttrParser) -> str:
    """The string between `<` and `>` of an attribute."""
    with parser.in_angle_brackets():
        return parser.parse_str_literal()


def print_string(printer: Printer, text: str) -> None:
    with printer.in_angle_brackets():
        printer.print_string_literal(text)


@irdl_attr_definition
class Dims(Data[tuple[Expr, ...]]):
    """`#weld.dims<"n, 768, n + 1">`: a list of integer expressions, mostly the sizes of dims.

    As the encoding of a tensor type it gives each `?` its symbol, so that two types are equal exactly
    when their shapes are known to be equal.
    """

    name = "weld.dims"

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> tuple[Expr, ...]:
        text = parse_string(parser)
        try:
            return parse_exprs(text)
        except ValueError as error:
            parser.raise_error(str(error))

    def print_parameter(self, printer: Printer) -> None:
        print_string(printer, str(self))

    def __str__(self) -> str:
        return _text_list(self.data)


@dataclass(frozen=True)
class Where:
    """Where an access reads: one index expression a dim, valid only where every guard is >= 0."""

    indices: tuple[Expr, ...]
    guards: tuple[Expr, ...] = ()

    def substitute(self, values: Mapping[str, Expr]) -> Where:
        return Where(
            tuple(e.substitute(values) for e in self.indices),
            tuple(e.substitute(values) for e in self.guards),
        )

    def __str__(self) -> str:
        text = _text_list(self.indices)
        if not self.guards:
            return text
        return f"{text} if " + " and ".join(f"{g} >= 0" for g in self.guards)

    @staticmethod
    def parse(text: str) -> Where:
        indices, _, condition = text.partition(" if ")
        return Where(parse_exprs(indices), parse_guards(condition))


def parse_guards(text: str) -> tuple[Expr, ...]:
    """`a >= 0 and b >= 0` (also `a >= b`) as the tuple of expressions that must not be negative."""
    guards: list[Expr] = []
    for part in text.split(" and ") if text.strip() else ():
        left, sign, right = part.partition(">=")
        if not sign:
            raise ValueError(f"expected 'expression >= expression', found {part.strip()!r}")
        guards.append(parse_expr(left) - parse_expr(right))
    return tuple(guards)


@irdl_attr_definition
class Access(Data[Where]):
    """`#weld.access<"d0, d1 - 8 if d1 - 8 >= 0">`: the element that a load reads or a store writes.

    Names are the dims `d0, d1, ...` of the enclosing generic, size symbols, and `i0, i1, ...`, the
    load's index operands (values known only at run time).
    """

    name = "weld.access"

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> Where:
        text = parse_string(parser)
        try:
            return Where.parse(text)
        except ValueError as error:
            parser.raise_error(str(error))

    def print_parameter(self, printer: Printer) -> None:
        print_string(printer, str(self.data))


@dataclass(frozen=True)
class Result:
    """What a generic does with one yielded value: `kind` at the element `indices` of a result tensor.

    kind "write" stores each value once. A reduction kind ("sum", "max", "argmax", ...) combines all values
    that share an element. A scatter kind ("scatter_set", "scatter_add", ...) updates elements of the init
    tensor whose indices may hold `i0, i1, ...`, the extra values yielded for this result, in domain order.
    """

    kind: str
    indices: tuple[Expr, ...]

    @property
    def is_write(self) -> bool:
        return self.kind == "write"

    @property
    def is_scatter(self) -> bool:
        return self.kind.startswith("scatter_")

    @property
    def is_reduction(self) -> bool:
        return not self.is_write and not self.is_scatter

    def repeats(self, dim: str) -> bool:
        """Whether this is a reduction that combines the values along a dim."""
        return self.is_reduction and not any(dim in e.names for e in self.indices)

    @property
    def index_names(self) -> tuple[str, ...]:
        """The data-dependent names `i0, i1, ...` that this result's indices use."""
        names = {n for e in self.indices for n in e.names if is_value(n)}
        return tuple(sorted(names, key=lambda n: int(n[1:])))

    @property
    def values(self) -> int:
        """How many yielded values belong to this result."""
        if self.is_scatter:
            return 2 + len(self.index_names)  # the value, whether to store it, the indices
        return 2 if self.kind in ("argmax", "argmin") else 1

    def substitute(self, values: Mapping[str, Expr]) -> Result:
        return Result(self.kind, tuple(e.substitute(values) for e in self.indices))

    def __str__(self) -> str:
        return f"{self.kind} {_text_list(self.indices)}".strip()

    @staticmethod
    def parse(text: str) -> Result:
        kind, _, indices = text.partition(" ")
        return Result(kind, parse_exprs(indices))


@irdl_attr_definition
class Out(Data[Result]):
    """`#weld.out<"sum d0">`: one result of a generic, see `Result`."""

    name = "weld.out"

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> Result:
        text = parse_string(parser)
        try:
            return Result.parse(text)
        except ValueError as error:
            parser.raise_error(str(error))

    def print_parameter(self, printer: Printer) -> None:
        print_string(printer, str(self.data))
