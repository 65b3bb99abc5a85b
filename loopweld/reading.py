"""From a text, a file or a module to what every entry point compiles: verified weld ops with symbolic sizes."""

import os
from pathlib import Path

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.utils.exceptions import DiagnosticException

from loopweld import registry
from loopweld.diagnostics import Position
from loopweld.failures import diagnose
from loopweld.source_parser import SourceParser

OWN_OPS = ("builtin.", "func.", "weld.")


def read(source: ModuleOp | str | os.PathLike[str]) -> ModuleOp:
    """The module to compile of a module (which is copied), a text, or a path (a string that ends in `.mlir` is one).

    Raises OSError for a file that cannot be read, ParseError and VerifyException or PassFailedException for a wrong
    module, with the file, line and column in their text.
    """
    if isinstance(source, ModuleOp):
        name, text, parsed = "<module>", "", source.clone()
    elif isinstance(source, os.PathLike) or source.endswith(".mlir"):
        name, text, parsed = os.fspath(source), Path(source).read_text(encoding="utf-8"), None
    else:
        name, text, parsed = "<text>", source, None
    try:
        return read_module(text, name) if parsed is None else to_weld(parsed, _context())
    except DiagnosticException as error:
        found = diagnose(error, "reading the module", Position(name), show_operation=False)
        raise type(error)(found.render({name: text})) from error


def read_module(text: str, file: str) -> ModuleOp:
    """The module of a text of upstream or weld ops, in weld, with every size symbolic; verified."""
    ctx = _context()
    return to_weld(SourceParser(ctx, text, file).parse_module(), ctx)


def to_weld(module: ModuleOp, ctx: Context) -> ModuleOp:
    """`module` itself, its upstream ops converted and its sizes resolved in place; verified."""
    if any(not op.name.startswith(OWN_OPS) for op in module.walk()):
        # The conversion relies on what the upstream verifiers promise.
        module.verify()
    passes = registry.passes()
    for name in ("convert-linalg-to-weld", "resolve-shapes"):
        passes[name]()().apply(ctx, module)
    registry.verifier()(module)
    return module


def _context() -> Context:
    found = Context()
    for name, factory in registry.dialects().items():
        found.register_dialect(name, factory)
    return found
