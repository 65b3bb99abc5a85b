"""Compiling a module that was parsed or built, rather than traced."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.parser import Parser

from ..passes.evaluate import find_function
from .codegen.cache import ObjectCache
from .compiled import Compiled
from .driver import compile_module, context
from .jitted import flatten_tree
from .targets import Target

UPSTREAM = ("arith", "math", "tensor", "linalg")


def parse_module(source: Any) -> ModuleOp:
    """The module itself (copied), or the one in a text or a file (a path that exists, or ends in `.mlir`)."""
    if isinstance(source, ModuleOp):
        return source.clone()
    text, name = str(source), "<text>"
    if isinstance(source, Path) or text.endswith(".mlir"):
        name = text
        text = Path(text).read_text(encoding="utf-8")
    return Parser(_reading_context(), text, name).parse_module()


def _reading_context() -> Context:
    """Our dialects, and the upstream ones on first use."""
    from xdsl.dialects import get_all_dialects

    found = context().clone()
    available = get_all_dialects()
    for name in (*UPSTREAM, "affine", "scf", "cf", "vector", "memref"):
        if name not in found.registered_dialect_names:
            found.register_dialect(name, available[name])
    return found


def uses_upstream(module: ModuleOp) -> bool:
    return any(op.name.split(".")[0] in UPSTREAM for op in module.walk())


def compile_parsed(
    module: ModuleOp, entry: str, target: Target, numerics: str, check: bool, cache: ObjectCache | None = None
) -> Compiled:
    """Convert upstream ops, verify, and compile."""
    if uses_upstream(module):
        from ..passes.linalg import ConvertLinalgToWeld

        ConvertLinalgToWeld().apply(_reading_context(), module)
    module.verify()
    function = find_function(module, entry)
    names = [a.name_hint or f"arg{k}" for k, a in enumerate(function.body.block.args)]
    source = None
    if check:
        from ..passes.resolve_shapes import ResolveShapes

        source = module.clone()
        ResolveShapes().apply(context(), source)
    compilation = compile_module(module, names, target, entry, numerics, cache=cache)

    def rebuild(results: list[Any]) -> Any:
        return results[0] if len(results) == 1 else tuple(results)

    def flatten(*args: Any) -> list[Any]:
        return list(args)

    return Compiled(compilation, flatten, rebuild, flatten_tree, check, source)
