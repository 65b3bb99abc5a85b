"""The documents are true: their Python runs, their IR parses, their commands run, and their links lead somewhere."""

import os
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from xdsl.context import Context

from loopweld import cli, opt, registry
from loopweld.passes.verify import verify_module
from loopweld.source_parser import SourceParser

ROOT = Path(__file__).parents[2]
FILES = [ROOT / "README.md", *sorted(ROOT.joinpath("docs").rglob("*.md"))]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(path: Path, language: str) -> Iterator[tuple[int, str]]:
    """The line number and text of each block in a language."""
    text = path.read_text(encoding="utf-8")
    for match in BLOCK.finditer(text):
        if match[1] == language:
            yield text.count("\n", 0, match.start(2)) + 1, match[2]


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def having(language: str) -> list[Any]:
    return [pytest.param(path, id=name(path)) for path in FILES if any(blocks(path, language))]


@pytest.mark.parametrize("path", having("python"))
def test_python_runs(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All blocks of a file in one namespace; an error names the file's line. Files that they write go elsewhere."""
    if path.name == "pytensor.md":
        pytest.importorskip("pymc", reason="needs Python 3.12 and loopweld[pytensor]")
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, Any] = {"__name__": "snippet"}
    for line, text in blocks(path, "python"):
        exec(compile("\n" * (line - 1) + text, str(path), "exec"), namespace)


@pytest.mark.parametrize("path", having("mlir"))
def test_ir_parses(path: Path) -> None:
    context = Context()
    for key, factory in registry.dialects().items():
        context.register_dialect(key, factory)
    for line, text in blocks(path, "mlir"):
        verify_module(SourceParser(context, text, f"{name(path)}:{line}").parse_module())


def test_commands_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Each command of docs/tools.md, in a folder with the page's program; what is not ours runs in a shell."""
    monkeypatch.chdir(tmp_path)
    path = ROOT / "docs" / "tools.md"
    ((_, program),) = blocks(path, "mlir")
    Path("program.mlir").write_text(program, encoding="utf-8")
    for line, text in blocks(path, "sh"):
        for command in text.splitlines():
            tool, *arguments = shlex.split(command)
            status = {"loopweld-opt": opt.main, "loopweld": cli.main}.get(tool, lambda _, c=command: os.system(c))
            assert status(arguments) == 0, f"{path}:{line}: {command}\n{capsys.readouterr().err}"
    for made in (
        "program.ll",
        "program.o",
        "stages/builtin_module_no-symbol-name/0_convert-linalg-to-weld.mlir",
        "program.svg",
        "mlir-remarks.yaml",
    ):
        assert Path(made).stat().st_size > 0
    assert "weld.exp" not in Path("reduced.mlir").read_text()


def test_links_lead_somewhere() -> None:
    for path in [*FILES, ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"]:
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", path.read_text(encoding="utf-8")):
            if "://" not in target:
                assert (path.parent / target).exists(), f"{name(path)} links to {target}"
