"""Textual pass pipelines: `a,b{x=1}` as in xDSL and `builtin.module(a,func.func(b{x=1}))` as in MLIR."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from difflib import get_close_matches

from xdsl.passes import ModulePass
from xdsl.utils.arg_spec import parse_pipeline
from xdsl.utils.exceptions import ArgSpecParseError

from loopweld.diagnostics import Diagnostic, Position, Severity

ANCHORS = ("builtin.module", "func.func", "any")
"""What a nested pipeline may stand in. Passes here run on the whole module, and so on every function in it."""

WHOLE = "loopweld-pipeline"
"""A name that stands for all passes of a compilation."""

DEFAULTS = {"target": "cpu", "numerics": "fast", "entry": "main"}
"""Its options."""

_NESTED = re.compile(r"([\w.-]+)\s*\((.*)\)", re.DOTALL)
_OPEN, _CLOSE = "({[", ")}]"


@dataclass
class PipelineError(Exception):
    """The pipeline `text` is wrong at `offset`."""

    message: str
    text: str
    offset: int

    @property
    def diagnostic(self) -> Diagnostic:
        return Diagnostic(Severity.ERROR, self.message, Position("<pass-pipeline>", 1, self.offset + 1))

    def render(self) -> str:
        return self.diagnostic.render({"<pass-pipeline>": self.text})


def parse_passes(text: str, available: Mapping[str, Callable[[], type[ModulePass]]]) -> tuple[ModulePass, ...]:
    """The passes that `text` names, in order; raises `PipelineError`."""
    return tuple(each for start, end in _elements(text, 0, len(text)) for each in _make(text, start, end, available))


def _make(
    text: str, start: int, end: int, available: Mapping[str, Callable[[], type[ModulePass]]]
) -> tuple[ModulePass, ...]:
    """One pass, or all of those that `loopweld-pipeline` stands for."""
    try:
        (spec,) = parse_pipeline(text[start:end])
    except ArgSpecParseError as error:
        offset, message = _position_and_message(error)
        raise PipelineError(message, text, start + offset) from error
    if spec.name == WHOLE:
        return parse_passes(_whole(spec.parameters, text, start), available)
    if spec.name not in available:
        close = get_close_matches(spec.name, available, n=1)
        hint = f"; did you mean '{close[0]}'?" if close else ""
        raise PipelineError(f"'{spec.name}' does not refer to a registered pass{hint}", text, start)
    kind = available[spec.name]()
    options = [field.name.replace("_", "-") for field in fields(kind)]
    unknown = [name for name in (key.replace("_", "-") for key in spec.parameters) if name not in options]
    if unknown:
        has = f"it has {', '.join(options)}" if options else "it has none"
        raise PipelineError(f"'{spec.name}' has no option '{unknown[0]}'; {has}", text, start)
    try:
        return (kind.from_spec(spec),)
    except ValueError as error:
        raise PipelineError(f"'{spec.name}': {error}", text, start) from error


def _whole(options: Mapping[str, Sequence[object]], text: str, start: int) -> str:
    """The passes from a file of linalg or weld ops to the loops stage, for a target and numerics."""
    from loopweld.compiler.pipeline import passes_of
    from loopweld.compiler.targets import as_target

    unknown = set(options) - set(DEFAULTS)
    if unknown:
        raise PipelineError(f"'{WHOLE}' has the options {', '.join(DEFAULTS)}, found '{min(unknown)}'", text, start)
    target, numerics, entry = (str((options.get(key) or [default])[0]) for key, default in DEFAULTS.items())
    try:
        passes = passes_of(as_target(target), numerics)
    except ValueError as error:
        raise PipelineError(f"'{WHOLE}': {error}", text, start) from error
    return ",".join(("convert-linalg-to-weld", *(_with_entry(name, entry) for name, _ in passes)))


def _with_entry(pass_: str, entry: str) -> str:
    """The pass that lowers one function told which."""
    if not pass_.startswith("lower-to-loops"):
        return pass_
    name, _, options = pass_.partition("{")
    return f'{name}{{entry="{entry}" {options or "}"}'


def _elements(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Where the passes stand in `text[start:end]`, those in nested pipelines included, without white space around."""
    for begin, stop in _split_at_commas(text, start, end):
        nested = _NESTED.fullmatch(text, begin, stop)
        if nested is None:
            yield begin, stop
        elif nested[1] in ANCHORS:
            yield from _elements(text, *nested.span(2))
        else:
            expected = ", ".join(ANCHORS)
            raise PipelineError(f"cannot nest a pipeline in '{nested[1]}', only in {expected}", text, begin)


def _split_at_commas(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The parts of `text[start:end]` between commas that stand in no bracket or string."""
    if not text[start:end].strip():
        return
    brackets: list[int] = []
    begin, quoted = start, False
    for i in range(start, end):
        char = text[i]
        if char == '"' and text[i - 1] != "\\":
            quoted = not quoted
        elif quoted:
            continue
        elif char in _OPEN:
            brackets.append(i)
        elif char in _CLOSE:
            if not brackets or _OPEN.index(text[brackets.pop()]) != _CLOSE.index(char):
                raise PipelineError(f"unbalanced '{char}'", text, i)
        elif char == "," and not brackets:
            yield _trimmed(text, begin, i)
            begin = i + 1
    if brackets:
        raise PipelineError(f"'{text[brackets[-1]]}' is never closed", text, brackets[-1])
    yield _trimmed(text, begin, end)


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    part = text[start:end]
    if not part.strip():
        raise PipelineError("expected a pass name", text, start)
    return start + len(part) - len(part.lstrip()), end - (len(part) - len(part.rstrip()))


def _position_and_message(error: ArgSpecParseError) -> tuple[int, str]:
    """xDSL keeps only the printed form: a heading, `pass-pipeline:line:column`, the text, carets, the message."""
    lines = str(error).strip().splitlines()
    return int(lines[1].rsplit(":", 1)[1]) - 1, lines[-1].strip()
