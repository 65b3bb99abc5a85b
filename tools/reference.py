"""The reference of ops and passes as pages, made from the classes that define them. `pages.py` writes them."""

import dataclasses
from collections.abc import Iterator
from inspect import getdoc
from typing import Any

from xdsl.ir import Operation
from xdsl.passes import ModulePass

from loopweld.compiler.pipeline import passes_of
from loopweld.compiler.targets import as_target
from loopweld.dialects import dialects
from loopweld.dialects.weld.base import ELEMENTWISE, Elementwise
from loopweld.dialects.weld.reductions import REDUCTIONS, Reduction
from loopweld.passes import passes

KINDS = {"f": "float", "i": "int", "u": "uint", "b": "bool", "c": "complex"}


def pages() -> dict[str, str]:
    """The pages by their names."""
    return {name: "\n".join(lines).rstrip() + "\n" for name, lines in (("ops.md", _ops()), ("passes.md", _passes()))}


# ---- ops ---------------------------------------------------------------------------
def _ops() -> Iterator[str]:
    yield "# Operations\n"
    yield from _elementwise()
    yield from _reductions()
    for name, load in dialects().items():
        ops = [op for op in load().operations if not issubclass(op, Elementwise | Reduction)]
        yield f"## Other operations of `{name}`\n"
        for op in sorted(ops, key=lambda op: op.name):
            yield f"### `{op.name}`\n"
            yield from _prose(op)


def _elementwise() -> Iterator[str]:
    yield "## Elementwise\n"
    yield "On tensors of one shape, and on scalars and vectors. Cost is in vector instructions, roughly.\n"
    yield "| op | meaning | elements | cost |\n| --- | --- | --- | --- |"
    for op in sorted(ELEMENTWISE.values(), key=lambda op: op.name):
        yield f"| `{op.name}` | {_summary(op)} | {_kinds(op.kinds)} | {op.cost} |"
    yield ""


def _reductions() -> Iterator[str]:
    yield "## Reductions\n"
    yield "Along `axes`, which the result drops. A `weld.generic` names them by their kind.\n"
    yield "| op | kind | meaning | elements | combines with |\n| --- | --- | --- | --- | --- |"
    for op in sorted(REDUCTIONS.values(), key=lambda op: op.name):
        yield f"| `{op.name}` | `{op.kind}` | {_summary(op)} | {_kinds(op.kinds)} | `{op.combine.name}` |"
    yield ""


def _kinds(kinds: str) -> str:
    return ", ".join(KINDS[kind] for kind in kinds)


# ---- passes ------------------------------------------------------------------------
def _passes() -> Iterator[str]:
    yield "# Passes\n"
    yield "`loopweld-opt -p loopweld-pipeline` runs, after `convert-linalg-to-weld`, those of a compilation:\n"
    names = [text.partition("{")[0] for text, _ in passes_of(as_target("cpu"))]
    yield " → ".join(f"`{name}`" for name in names) + "\n"
    for name, load in sorted(passes().items()):
        kind = load()
        yield f"## `{name}`\n"
        yield from _prose(kind)
        yield from _options(kind)


def _options(kind: type[ModulePass]) -> Iterator[str]:
    fields = dataclasses.fields(kind)
    if not fields:
        return
    yield "| option | default |\n| --- | --- |"
    for option in fields:
        default = "required" if option.default is dataclasses.MISSING else f"`{option.default}`"
        yield f"| `{option.name.replace('_', '-')}` | {default} |"
    yield ""


# ---- text --------------------------------------------------------------------------
def _summary(kind: type[Operation]) -> str:
    first = (getdoc(kind) or "").partition("\n\n")[0]
    return " ".join(first.split()).replace("|", "\\|")


def _prose(kind: type[Any]) -> Iterator[str]:
    """The docstring; what is indented there is a block of code here."""
    block = False
    for line in (getdoc(kind) or "").splitlines():
        is_code = line.startswith(("    ", "%", "->  ")) or (block and not line)
        if is_code != block:
            yield "```" if block else "```text"
            block = is_code
        yield line.removeprefix("    ") if block else line
    if block:
        yield "```"
    yield ""
