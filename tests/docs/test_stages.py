"""The IR in the documents is what the compiler makes.

Blocks that begin with `// stage: NAME`, `// after: PASS` or `; stage: llvm, innermost loop 1` show the program of the
block before that does not; the pages of docs/how-it-works/ all show that of its index.

`python tests/docs/test_stages.py` writes them anew.
"""

import re
from functools import cache
from pathlib import Path

import pytest

import loopweld as lw
from loopweld import opt

ROOT = Path(__file__).parents[2]
INDEX = ROOT / "docs" / "how-it-works" / "index.md"
SHOWN = [ROOT / "docs" / "ir.md", *sorted(INDEX.parent.glob("*.md"))]
BLOCK = re.compile(r"^```(?:mlir|llvm)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MARK = re.compile(r"(?://|;) (?:stage: (?P<stage>\w+)(?:, innermost loop (?P<loop>\d+))?|after: (?P<after>[\w-]+))\n")
INNERMOST = re.compile(r"^(\w+):\n(?:  .*\n)*?  br i1 %\w+, label %\1, .*\n", re.MULTILINE)
"""A basic block of LLVM IR that repeats itself."""
TARGET = lw.Target("x86-64-v3")


@cache
def compiled(program: str) -> lw.Compiled:
    return lw.compile(program, target=TARGET)


def after(program: str, name: str, folder: Path) -> str:
    """The program after the first pass of a name."""
    passes = re.split(r",(?![^{]*})", lw.pipeline(TARGET))
    place = [text.partition("{")[0] for text in passes].index(name)
    source, result = folder / "program.mlir", folder / "result.mlir"
    source.write_text(program, encoding="utf-8")
    assert opt.main([str(source), "-p", ",".join(passes[: place + 1]), "-o", str(result)]) == 0
    return result.read_text(encoding="utf-8")


def shown(program: str, mark: re.Match[str], folder: Path) -> str:
    if mark["after"]:
        return after(program, mark["after"], folder)
    text = compiled(program).as_text(mark["stage"])
    if mark["loop"]:
        return [loop[0] for loop in INNERMOST.finditer(text)][int(mark["loop"]) - 1]
    return text


def refreshed(path: Path, folder: Path) -> str:
    """The file with each marked block made anew."""
    programs: list[str] = []
    if path.parent == INDEX.parent:
        programs = BLOCK.findall(INDEX.read_text(encoding="utf-8"))[:1]

    def block(match: re.Match[str]) -> str:
        mark = MARK.match(match[1])
        if mark is None:
            programs.append(match[1])
            return match[0]
        fence = match[0].partition("\n")[0]
        return f"{fence}\n{mark[0]}{shown(programs[-1], mark, folder).strip()}\n```"

    return BLOCK.sub(block, path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", SHOWN, ids=lambda path: path.name)
def test_stages_are_what_the_compiler_makes(path: Path, tmp_path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text == refreshed(path, tmp_path), "run `python tests/docs/test_stages.py`, and read what has changed"


def test_every_stage_has_a_page() -> None:
    """With the IR of the one program at that stage, or before and after its passes."""
    pages = {path.stem: BLOCK.findall(path.read_text(encoding="utf-8")) for path in SHOWN}
    for stage in ("tensor", "fused", "kernels", "loops", "llvm"):
        assert any(MARK.match(block) for block in pages[stage]), stage


if __name__ == "__main__":
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as temporary:
        for document in SHOWN:
            document.write_text(refreshed(document, Path(temporary)), encoding="utf-8")
