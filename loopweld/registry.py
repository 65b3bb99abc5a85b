"""What the tools know: dialects, passes and targets by name, each loaded on first use."""

from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any

from xdsl.dialects import get_all_dialects
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Dialect
from xdsl.passes import ModulePass
from xdsl.targets import get_all_targets
from xdsl.transforms import get_all_passes
from xdsl.utils.target import Target

UPSTREAM_DIALECTS = (
    "builtin",
    "func",
    "arith",
    "math",
    "tensor",
    "linalg",
    "affine",
    "scf",
    "cf",
    "vector",
    "memref",
)
UPSTREAM_PASSES = ("canonicalize", "cse", "dce")
OWN_TARGETS = ("llvm", "asm")
BINARY_TARGET = "obj"


def dialects() -> dict[str, Callable[[], Dialect]]:
    upstream = get_all_dialects() | _own("dialects.upstream", "dialects")
    return {name: upstream[name] for name in UPSTREAM_DIALECTS} | _own("dialects", "dialects")


def passes() -> dict[str, Callable[[], type[ModulePass]]]:
    upstream = get_all_passes()
    return {name: upstream[name] for name in UPSTREAM_PASSES} | _own("passes", "passes")


def targets() -> dict[str, Callable[[], type[Target]]]:
    own = {name: partial(_own_target, name) for name in (*OWN_TARGETS, BINARY_TARGET)}
    return {"mlir": get_all_targets()["mlir"]} | own


def object_code(module: ModuleOp) -> bytes:
    """What the target "obj" writes."""
    return import_module("loopweld.compiler.targets_text").object_code(module)


def verifier() -> Callable[[ModuleOp], None]:
    """The full check of a module: what xDSL verifies, and dominance, and what holds at its stage."""
    return _member("loopweld.passes.verify", "verify_module") or ModuleOp.verify


def _own(folder: str, table: str) -> dict[str, Callable[[], Any]]:
    """What `loopweld.<folder>.<table>()` lists."""
    listed = _member(f"loopweld.{folder}", table)
    return {} if listed is None else listed()


def _member(module: str, name: str) -> Any:
    """`module.name`; `None` where the module or the name does not exist (yet)."""
    try:
        return getattr(import_module(module), name, None)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module}.".startswith(f"{error.name}."):
            raise
        return None


def _own_target(name: str) -> type[Target]:
    """The class that writes the text of `name`, from `loopweld.compiler.targets_text.targets()`."""
    return import_module("loopweld.compiler.targets_text").targets()[name]()
