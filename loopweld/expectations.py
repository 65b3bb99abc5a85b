"""`--verify-diagnostics`: the diagnostics that a file says it expects, against those it gets.

A comment names them, by MLIR's rules:

    // expected-error {{part of the message}}         on this line
    // expected-error@+2 {{...}}                      two lines below; @-1 one above
    // expected-error@below {{...}}                   on the next line without such a comment; @above the last one
    // expected-error@unknown {{...}}                 anywhere
    // expected-error-re {{text {{[a-z]+}} text}}     with regular expressions in the inner braces

and likewise `expected-warning`, `expected-remark` and `expected-note`.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from loopweld.diagnostics import Diagnostic, Position, Severity

_COMMENT = re.compile(
    r"expected-(?P<severity>error|warning|remark|note)(?P<regex>-re)? *"
    r"(?:@(?P<where>[+-]\d+|above|below|unknown))? *\{\{(?P<text>.*)\}\}"
)


@dataclass(frozen=True)
class Expectation:
    """One comment; `line` is the line it speaks of, `None` for any."""

    severity: Severity
    line: int | None
    pattern: re.Pattern[str]
    text: str
    position: Position

    def matches(self, diagnostic: Diagnostic) -> bool:
        return (
            diagnostic.severity == self.severity
            and self.line in (None, diagnostic.position.line)
            and self.pattern.search(diagnostic.message) is not None
        )


def expectations(text: str, file: str, first_line: int = 1) -> list[Expectation]:
    """The expectations that the comments of `text` state; its first line has the number `first_line`."""
    comments = {number: _COMMENT.search(line) for number, line in enumerate(text.split("\n"), first_line)}
    others = [number for number, comment in comments.items() if comment is None]
    return [_expectation(comment, number, file, others) for number, comment in comments.items() if comment is not None]


def mismatches(
    expected: Iterable[Expectation], produced: Iterable[Diagnostic], *, unexpected: bool = True
) -> Iterator[Diagnostic]:
    """What was not expected (if `unexpected`), then what was expected and did not come. One expectation takes one
    diagnostic."""
    missing = list(expected)
    for diagnostic in _with_notes(produced):
        met = next((expectation for expectation in missing if expectation.matches(diagnostic)), None)
        if met is None and not unexpected:
            continue
        if met is None:
            message = f"unexpected {diagnostic.severity}: {diagnostic.message}"
            yield Diagnostic(Severity.ERROR, message, diagnostic.position)
        else:
            missing.remove(met)
    for expectation in missing:
        message = f'expected {expectation.severity} "{expectation.text}" was not produced'
        yield Diagnostic(Severity.ERROR, message, expectation.position)


def _expectation(comment: re.Match[str], number: int, file: str, others: list[int]) -> Expectation:
    match comment["where"]:
        case None:
            line: int | None = number
        case "unknown":
            line = None
        case "below":
            line = next((other for other in others if other > number), number)
        case "above":
            line = next((other for other in reversed(others) if other < number), number)
        case offset:
            line = number + int(offset)
    pattern = _pattern(comment["text"], is_regex=comment["regex"] is not None)
    position = Position(file, number, comment.start() + 1)
    return Expectation(Severity(comment["severity"]), line, pattern, comment["text"], position)


def _pattern(text: str, *, is_regex: bool) -> re.Pattern[str]:
    if not is_regex:
        return re.compile(re.escape(text))
    parts = re.split(r"\{\{(.*?)\}\}", text)
    return re.compile("".join(f"(?:{part})" if i % 2 else re.escape(part) for i, part in enumerate(parts)))


def _with_notes(diagnostics: Iterable[Diagnostic]) -> Iterator[Diagnostic]:
    for diagnostic in diagnostics:
        yield diagnostic
        yield from _with_notes(diagnostic.notes)
