"""A parser that remembers where things stand: operations get locations, errors point at their cause."""

import re
from bisect import bisect_right
from collections.abc import Collection
from math import prod
from typing import Any

from xdsl.context import Context
from xdsl.dialects.builtin import (
    AnyDenseElement,
    AnyFloat,
    BytesAttr,
    ComplexType,
    DenseIntOrFPElementsAttr,
    FileLineColLoc,
    IndexType,
    IntAttr,
    IntegerType,
    ModuleOp,
    RankedStructure,
    StringAttr,
    TensorType,
    UnknownLoc,
)
from xdsl.ir import AttributeInvT, Operation, SSAValue
from xdsl.parser import AttrParser, Parser, ParserState, UnresolvedOperand
from xdsl.traits import IsolatedFromAbove
from xdsl.utils.exceptions import DiagnosticException, MultipleSpansParseError, ParseError
from xdsl.utils.lexer import Input, Span
from xdsl.utils.mlir_lexer import MLIRLexer, MLIRTokenKind

LARGE_SPLAT = 1024
"""Constants with more elements, all of one value, are kept as that value."""


class SourceLexer(MLIRLexer):
    """xDSL's lexer, except that a string that is not closed is an error at once: the original expression backtracks
    exponentially, which hangs on a missing quote."""

    _unescaped_characters_regex = re.compile(r'"(?:[^"\\\n\v\f]++|\\(?:["nt\\]|[0-9A-Fa-f]{2}))*+"')


class SourceParser(Parser):
    """xDSL's parser with MLIR's idea of where an operation is and where an error belongs.

    Every operation without a `loc(...)` of its own gets the position of its name.
    """

    def __init__(self, ctx: Context, text: str, file: str) -> None:
        super().__init__(ctx, "", file)
        self._parser_state = ParserState(SourceLexer(Input(text, file)))
        self._file = StringAttr(file)
        self._line_starts = [0, *(match.end() for match in re.finditer("\n", text))]
        self._op_names: list[int] = []
        """Where the names of the operations that are being parsed start, outermost first."""
        self._first_uses: dict[str, Span] = {}
        """The first use of each value that has not been defined yet."""

    def parse_module(self, allow_implicit_module: bool = True) -> ModuleOp:
        if allow_implicit_module and self._current_token.kind == MLIRTokenKind.EOF:
            return ModuleOp([])
        try:
            return super().parse_module(allow_implicit_module)
        except ParseError as error:
            raise self._better(error) from error
        except (DiagnosticException, ValueError) as error:
            # The attributes of an operation, or the names in it, do not make one.
            raise self._at_operation(str(error.args[0]) if error.args else str(error)) from error
        except RecursionError as error:
            raise self._at_operation("is nested too deeply, or in something that is") from error
        except AssertionError as error:
            # xDSL asserts what it expects of types and attributes, mostly without a word.
            raise self._at_operation(str(error) or "has types or attributes that are not supported") from error
        except NotImplementedError as error:
            raise self._at_operation(f"is not supported: {error}") from error
        except Exception as error:
            # The parser of an operation takes something for granted: at least say which.
            raise self._at_operation(f"cannot be parsed ({type(error).__name__}: {error})") from error

    def parse_operation(self) -> Operation:
        depth = len(self._op_names)
        undefined_outside = set(self.forward_ssa_references)
        op = super().parse_operation()
        if isinstance(op.location, UnknownLoc):
            op.location = self._location(self._op_names[depth])
        del self._op_names[depth:]
        if op.has_trait(IsolatedFromAbove):
            # Nothing outside can define it any more, although xDSL would take a value of the same name.
            undefined = self.forward_ssa_references.keys() - undefined_outside
            if undefined:
                raise self._undefined(undefined)
        return op

    def parse_dense_int_or_fp_elements_attr(
        self, type: RankedStructure[AnyDenseElement] | None
    ) -> DenseIntOrFPElementsAttr:
        """As xDSL's, but `dense<1.0>` of a large type holds one element; xDSL writes all of them out."""
        start = self.pos
        self.parse_punctuation("<", " in dense attribute")
        if self._current_token.text[:1] in ("[", ">", '"'):
            self._resume_from(start)
            return super().parse_dense_int_or_fp_elements_attr(type)
        element = self._parse_tensor_literal_element()
        self.parse_punctuation(">", " in dense attribute")
        if type is None:
            self.parse_punctuation(":", " in dense attribute")
            type = self._parse_dense_literal_type()
        count = prod(type.get_shape())
        value: Any = element.to_type(self, type.element_type)
        one_element: Any = TensorType(type.element_type, [1])
        one = DenseIntOrFPElementsAttr.from_list(one_element, [value])
        repeats = 1 if count > LARGE_SPLAT else count
        return DenseIntOrFPElementsAttr(type, BytesAttr(one.data.data * repeats))

    def _parse_tensor_literal_element(self) -> Parser._TensorLiteralElement:
        is_hexadecimal = self._current_token.text[:2] in ("0x", "0X")
        element = super()._parse_tensor_literal_element()
        return _Bits(element.is_negative, element.value, element.span) if is_hexadecimal else element

    def resolve_operand(self, operand: UnresolvedOperand, type: AttributeInvT) -> SSAValue[AttributeInvT]:
        name = operand.operand_name
        if name not in self.ssa_values and name not in self.forward_ssa_references:
            self._first_uses[name] = operand.span
        return super().resolve_operand(operand, type)

    def _parse_op_result_list(self) -> list[tuple[Span, int]]:
        results = super()._parse_op_result_list()
        self._op_names.append(self.pos)
        return results

    def _get_op_by_name(self, name: str) -> type[Operation]:
        try:
            return super()._get_op_by_name(name)
        except ParseError as error:
            start = self._op_names[-1]
            raise ParseError(Span(start, start + len(name), self.lexer.input), error.msg) from error

    def _location(self, start: int) -> FileLineColLoc:
        line = bisect_right(self._line_starts, start)
        return FileLineColLoc(self._file, IntAttr(line), IntAttr(start - self._line_starts[line - 1] + 1))

    def _undefined(self, names: Collection[str]) -> ParseError:
        """An error at the first use in the text of one of the values `names`."""
        name = min(names, key=lambda name: self._first_uses[name].start)
        return ParseError(self._first_uses[name], f"use of undeclared SSA value name '%{name}'")

    def _better(self, error: ParseError) -> ParseError:
        """`error` with a position and a text that say what the author of the file got wrong."""
        if error.msg.startswith("values used but not defined"):
            return self._undefined(self.forward_ssa_references)
        if isinstance(error, MultipleSpansParseError) and error.msg.startswith("region ends with missing block"):
            span = error.refs[0][0]
            return ParseError(span, f"reference to an undefined block '{span.text}'")
        if error.span is not self._current_token.span:
            return error
        if error.msg.startswith(" "):
            # xDSL has only the end of a sentence for a token that it did not expect.
            found = f"'{error.span.text}'" if error.span.text else "end of the file"
            return ParseError(self._after_last_token(), f"unexpected {found}{error.msg}")
        if "expect" in error.msg.lower():
            return ParseError(self._after_last_token(), error.msg)
        return error

    def _after_last_token(self) -> Span:
        """The current token; the end of the line before where the token is the first of its line, since it is there
        that something is missing."""
        here = self._current_token.span
        text = self.lexer.input.content
        before = _without_trailing_blanks(text[: here.start])
        is_first = "\n" in text[len(before) : here.start]
        return Span(len(before), len(before), self.lexer.input) if is_first else here

    def _at_operation(self, message: str) -> ParseError:
        if not self._op_names:
            here = self._current_token.span
            return ParseError(here, f"what stands before this {message}")
        start = self._op_names[-1]
        name = re.compile(r"[\w.$-]*").match(self.lexer.input.content, start + self._is_quoted(start))
        return ParseError(Span(start, start, self.lexer.input), f"'{name[0] if name else ''}' op {message}")

    def _is_quoted(self, start: int) -> bool:
        return self.lexer.input.content.startswith('"', start)


class _Bits(Parser._TensorLiteralElement):
    """A hexadecimal element, which is the bits of a float where floats are expected; xDSL takes it for their value."""

    def to_float(self, parser: AttrParser) -> float:
        raise AssertionError("which bits a float has depends on its type")

    def to_type(self, parser: AttrParser, type: AnyFloat | IntegerType | IndexType | ComplexType) -> Any:
        if not isinstance(type, AnyFloat):
            return super().to_type(parser, type)
        assert isinstance(self.value, int)
        if not 0 <= self.value < 1 << 8 * type.compile_time_size:
            parser.raise_error(f"hexadecimal float constant out of range for type {type}", self.span)
        return next(type.iter_unpack(self.value.to_bytes(type.compile_time_size, "little")))


def _without_trailing_blanks(text: str) -> str:
    """`text` up to its last character that is neither white space nor in a comment."""
    lines = text.split("\n")
    while len(lines) > 1 and not lines[-1].partition("//")[0].strip():
        lines.pop()
    lines[-1] = lines[-1].partition("//")[0].rstrip()
    return "\n".join(lines)
