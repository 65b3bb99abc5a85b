"""The recipes of CONTRIBUTING.md work as they are written: all of them, in one copy of the package."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
TEXT = ROOT.joinpath("CONTRIBUTING.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(?:py)?\n(.*?)^```$", re.MULTILINE | re.DOTALL)

CHECKS = """
from pathlib import Path

import numpy as np
import scipy.special

import loopweld as lw
from loopweld import opt
from loopweld.passes.fusion import profit

x, y = np.array([0, 0.5, 2, 0]), np.array([1, 2, 3, np.nan])
program = lw.jit(lambda x, y: scipy.special.xlogy(x, y) * 2)
np.testing.assert_allclose(program(x, y), 2 * scipy.special.xlogy(x, y))
assert len(program.explain(x, y).kernels) == 1

odd = np.arange(210).reshape(7, 30) % 4 == 1
parity = lw.jit(lambda a: np.logical_xor.reduce(a, axis=1))
assert np.array_equal(parity(odd), np.logical_xor.reduce(odd, axis=1))
assert not parity.explain(odd).library_calls

profit.LONGEST = 50
long = lw.jit(lambda x: np.sin(np.exp(x))).explain(x)
assert "body-too-long" in {d.reason for d in long.decisions}

assert lw.Target("znver2").resolved().vector_bits == 256

assert opt.main(["drop-checks.mlir", "-p", "drop-checks", "-o", "dropped.mlir"]) == 0
dropped = Path("dropped.mlir").read_text()
assert "@drops" in dropped and "weld.check" not in dropped
"""


def blocks(heading: str) -> list[str]:
    """The code of a section, in order."""
    section = TEXT.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return [match[1] for match in BLOCK.finditer(section)]


def edit(path: Path, after: str, added: str) -> None:
    """Put text behind the first place of another one."""
    text = path.read_text(encoding="utf-8")
    assert text.count(after), f"{path.name} has no {after!r} any more"
    path.write_text(text.replace(after, after + added, 1), encoding="utf-8")


def applied(copy: Path) -> None:
    """Do what the recipes say. The imports that they leave to the reader go in front."""
    special = copy / "dialects/weld/special.py"
    names = "from typing import Any\n\nimport numpy as np\nfrom xdsl.ir import SSAValue\n\nfrom .base import Builder\n"
    edit(special, "from __future__ import annotations\n", names)
    special.write_text(special.read_text() + "\n\n" + blocks("Add an elementwise operation")[0])

    reductions = copy / "dialects/weld/reductions.py"
    reductions.write_text(reductions.read_text() + "\n\n" + blocks("Add a reduction")[0])
    edit(copy / "compiler/codegen/reduce.py", "_INTEGER = {\n", '    "parity": "xor",\n')
    table = "UFUNC_REDUCTIONS: dict[Any, Callable[..., Any]] = {\n"
    edit(copy / "compiler/frontend/reducing.py", table, '    np.logical_xor: _logical("parity"),\n')

    code, test = blocks("Add a pass")
    (copy / "passes/drop_checks.py").write_text(code)
    edit(copy / "passes/__init__.py", "PASSES = {\n", '    "drop-checks": ("drop_checks", "DropChecks"),\n')
    (copy / "drop-checks.mlir").write_text(test)

    function, use = blocks("Add a fusion rule")
    (copy / "passes/fusion/profit.py").write_text((copy / "passes/fusion/profit.py").read_text() + "\n\n" + function)
    producers = copy / "passes/fusion/producers.py"
    edit(producers, "from .profit import ", "is_too_long, ")
    doc = '"""The reason against making the two one where the loop would have too many streams."""\n'
    edit(producers, doc, use)
    edit(copy / "passes/remarks.py", "class Reason(Enum):\n", '    BODY_TOO_LONG = "body-too-long"\n')
    edit(
        copy / "compiler/report_reasons.py",
        "EXPLANATIONS: dict[str, str] = {\n",
        '    "body-too-long": "Not fused.",\n',
    )

    (line,) = blocks("Add a target")
    edit(copy / "compiler/targets.py", "_LEVELS = {\n", line)


def test_recipes_work(tmp_path: Path) -> None:
    for folder in ("compiler", "dialects", "passes", "loopweld", "examples"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    applied(tmp_path)
    environment = os.environ | {"PYTHONPATH": str(tmp_path), "LOOPWELD_CACHE_DIR": "off"}
    command = [sys.executable, "-c", CHECKS]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
