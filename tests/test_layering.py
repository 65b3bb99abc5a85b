"""Imports point one way: dialects <- passes <- compiler <- loopweld; and inside the compiler, by its own rules."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

LAYERS: tuple[str, ...] = ("dialects", "passes", "compiler", "loopweld")
"""Each imports itself and what stands before it."""

MAY_IMPORT = {
    "compiler/frontend": {"compiler/frontend", "dialects"},
    "compiler/codegen": {"compiler/codegen", "compiler/targets", "dialects"},
}
"""Parts of the compiler that see only what is named here."""

MAY_NOT_IMPORT = {"compiler/runtime": {"compiler/frontend", "passes"}}

FILES = [path for folder in LAYERS for path in sorted(ROOT.joinpath(folder).rglob("*.py"))]
SUBPACKAGE_FILES = [path for path in FILES if path.relative_to(ROOT).parts[0] != "loopweld"]


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imported(text: str, path: Path) -> Iterator[str]:
    """What `text`, the source of `path`, imports anywhere in it, as paths from the root without `.py`."""
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.ImportFrom(module=module, names=names, level=level) if level:
                base = path.parents[level - 1].joinpath(*(module or "").split("."))
                for alias in names:
                    yield relative(base / alias.name)
            case ast.ImportFrom(module=str(module), names=names):
                yield from (absolute(f"{module}.{alias.name}") for alias in names)
            case ast.Import(names=names):
                yield from (absolute(alias.name) for alias in names)
            case _:
                pass


def relative(target: Path) -> str:
    """A relative import that leaves the folders of the subpackages is one of the public face."""
    inside = target.relative_to(ROOT).as_posix() if target.is_relative_to(ROOT) else ""
    return inside if inside.split("/")[0] in LAYERS else f"loopweld/{inside}"


def absolute(module: str) -> str:
    """`loopweld.passes.x` is `passes/x`; `loopweld.api` is `loopweld/api`; what is not ours stays as it is."""
    parts = module.split(".")
    if parts[0] == "loopweld" and len(parts) > 1 and parts[1] in LAYERS:
        parts = parts[1:]
    return "/".join(parts)


def is_in(target: str, folders: set[str]) -> bool:
    return any(target == folder or target.startswith(f"{folder}/") for folder in folders)


def violations(text: str, path: Path) -> list[str]:
    """The imports of `path` that its place does not allow."""
    layer = name(path).split("/")[0]
    above = set(LAYERS[LAYERS.index(layer) + 1 :])
    ours = [target for target in imported(text, path) if is_in(target, set(LAYERS))]
    wrong = [target for target in ours if is_in(target, above)]
    for part, allowed in MAY_IMPORT.items():
        if is_in(name(path).removesuffix(".py"), {part}):
            wrong += [target for target in ours if not is_in(target, allowed)]
    for part, forbidden in MAY_NOT_IMPORT.items():
        if is_in(name(path).removesuffix(".py"), {part}):
            wrong += [target for target in ours if is_in(target, forbidden)]
    return wrong


@pytest.mark.parametrize("path", FILES, ids=name)
def test_imports_point_down(path: Path):
    assert violations(path.read_text(encoding="utf-8"), path) == []


@pytest.mark.parametrize("path", SUBPACKAGE_FILES, ids=name)
def test_imports_between_our_folders_are_relative(path: Path):
    """So that pyright and a reader find them in a checkout, where `loopweld/passes` does not exist."""
    absolute_ones = [
        module
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        for module in modules(node)
        if module.split(".")[0] in LAYERS
    ]
    assert absolute_ones == []


def modules(node: ast.AST) -> list[str]:
    """What an absolute import names."""
    match node:
        case ast.ImportFrom(module=str(module), level=0):
            return [module]
        case ast.Import(names=names):
            return [alias.name for alias in names]
        case _:
            return []


@pytest.mark.parametrize(
    ("file", "text", "wrong"),
    [
        ("dialects/weld/ops.py", "from ...passes.fusion import absorb", ["passes/fusion/absorb"]),
        ("dialects/weld/ops.py", "from ... import passes", ["passes"]),
        ("dialects/weld/ops.py", "from ... import jit", ["loopweld/jit"]),
        ("dialects/weld/ops.py", "def f():\n    import loopweld.api", ["loopweld/api"]),
        ("dialects/weld/ops.py", "from .types import x\nfrom ..expr import y", []),
        ("passes/fusion/absorb.py", "from ...dialects import weld", []),
        ("passes/fusion/absorb.py", "from ...compiler import targets", ["compiler/targets"]),
        ("compiler/frontend/numpy.py", "from ...dialects import weld\nfrom .trace import t", []),
        ("compiler/frontend/numpy.py", "from ...passes import x", ["passes/x"]),
        ("compiler/frontend/numpy.py", "from ..codegen import x", ["compiler/codegen/x"]),
        ("compiler/codegen/emit.py", "from ..targets import host\nfrom ...dialects.loop import ops", []),
        ("compiler/codegen/emit.py", "from ..runtime import x", ["compiler/runtime/x"]),
        ("compiler/runtime/call.py", "from ..codegen import x", []),
        ("compiler/runtime/call.py", "from ..frontend import x", ["compiler/frontend/x"]),
        ("loopweld/api.py", "from loopweld.compiler import x", []),
    ],
)
def test_the_rules_themselves(file: str, text: str, wrong: list[str]):
    assert violations(text, ROOT / file) == wrong
