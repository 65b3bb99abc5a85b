"""Diagnostics: what is wrong and where, printed the way MLIR's tools print it."""

import linecache
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from xdsl.dialects.builtin import ArrayAttr, CallSiteLoc, FileLineColLoc, FusedLoc, NameLoc
from xdsl.ir import Attribute, Operation
from xdsl.utils.lexer import Span


class Severity(StrEnum):
    """How bad it is; the text is the word that is printed."""

    ERROR = "error"
    WARNING = "warning"
    REMARK = "remark"
    NOTE = "note"


@dataclass(frozen=True)
class Position:
    """A place in a source file; lines and columns count from 1."""

    file: str
    line: int = 1
    column: int = 1

    @staticmethod
    def of_span(span: Span[str] | Span[bytes]) -> "Position":
        return Position(*span.get_location())

    @staticmethod
    def of_location(location: Attribute) -> "Position | None":
        """The source position that an IR location names; the innermost one of a call stack, the first of a fusion."""
        match location:
            case FileLineColLoc(filename=file, line=line, column=column):
                return Position(file.data, line.data, column.data)
            case NameLoc(location=inner) | CallSiteLoc(callee=inner):
                return Position.of_location(inner)
            case FusedLoc(locations=ArrayAttr(data=parts)):
                return next(filter(None, map(Position.of_location, parts)), None)
            case _:
                return None

    @staticmethod
    def of_operation(op: Operation) -> "Position | None":
        """The position of `op`, or of the closest operation around it that has one."""
        while (position := Position.of_location(op.location)) is None:
            parent = op.parent_op()
            if parent is None:
                return None
            op = parent
        return position


@dataclass(frozen=True)
class Diagnostic:
    """One message about one place, with the notes that explain it."""

    severity: Severity
    message: str
    position: Position
    notes: tuple["Diagnostic", ...] = ()

    def render(self, sources: Mapping[str, str]) -> str:
        """`file:line:column: error: message`, the source line and a caret; then the notes.

        `sources` holds the texts that are not to be read from disk (standard input) by file name.
        """
        return "\n".join(self._lines(sources))

    def _lines(self, sources: Mapping[str, str]) -> Iterator[str]:
        at = self.position
        yield f"{at.file}:{at.line}:{at.column}: {self.severity}: {self.message}"
        if line := _source_line(at, sources):
            line, before = _window(line, at.column - 1)
            yield line
            # The caret stands under its column however wide a tab is.
            yield "".join("\t" if char == "\t" else " " for char in before) + "^"
        for note in self.notes:
            yield from note._lines(sources)


WIDEST = 240
"""The longest source line that is shown whole."""


def _window(line: str, caret: int) -> tuple[str, str]:
    """A line, or the part of a very long one around the caret; and what of it stands before the caret."""
    if len(line) <= WIDEST:
        return line, line[:caret]
    start = max(min(caret - WIDEST // 2, len(line) - WIDEST), 0)
    left, right = ("..." if start else ""), ("..." if start + WIDEST < len(line) else "")
    return f"{left}{line[start : start + WIDEST]}{right}", left + line[start:caret]


def _source_line(at: Position, sources: Mapping[str, str]) -> str:
    """The text of a line, without its end; empty where the file or the line does not exist."""
    if at.file not in sources:
        return linecache.getline(at.file, at.line).rstrip("\r\n")
    lines = sources[at.file].split("\n")
    return lines[at.line - 1].rstrip("\r") if 0 < at.line <= len(lines) else ""
