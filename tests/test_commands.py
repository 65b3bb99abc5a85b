"""The sub-commands of `loopweld` besides `run` and `explain FILE`, and what hostile input does to all of them."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from xdsl.dialects import get_all_dialects
from xdsl.transforms import get_all_passes

from loopweld import cli, opt
from loopweld.universe import UNIVERSE

ROOT = Path(__file__).parents[1]
TEXT = """func.func @main(%x: tensor<?x8xf32>, %y: tensor<?x8xf32>) -> (tensor<?xf32>, tensor<?x8xf32>) {
  %0 = weld.exp %x : tensor<?x8xf32>
  %1 = weld.add %0, %y : tensor<?x8xf32>
  %2 = weld.tanh %1 : tensor<?x8xf32>
  %3 = "weld.sum"(%2) <{axes = array<i64: 1>}> : (tensor<?x8xf32>) -> tensor<?xf32>
  func.return %3, %1 : tensor<?xf32>, tensor<?x8xf32>
}
func.func @other(%x: tensor<4xf32>) -> tensor<4xf32> {
  func.return %x : tensor<4xf32>
}
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LOOPWELD_CACHE_DIR", "off")
    path = tmp_path / "program.mlir"
    path.write_text(TEXT)
    return path


def script(folder: Path, text: str) -> str:
    path = folder / "test.sh"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


# ---- reduce ------------------------------------------------------------------------
def test_reduce_keeps_what_the_script_wants(file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    wants = script(tmp_path, 'grep -q weld.sum "$1" && grep -q weld.exp "$1"')
    assert cli.main(["reduce", str(file), "--test", wants, "-o", str(tmp_path / "out.mlir")]) == 0
    assert capsys.readouterr().err == "8 ops became 4\n"
    assert (tmp_path / "out.mlir").read_text().split() == (
        """builtin.module {
          func.func @main(%x: tensor<?x8xf32>) {
            %0 = weld.exp %x : tensor<?x8xf32>
            %1 = "weld.sum"(%0) <{axes = array<i64: 1>}> : (tensor<?x8xf32>) -> tensor<?xf32>
            func.return
          }
        }""".split()
    )


def test_reduce_of_what_does_not_fail(file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert cli.main(["reduce", str(file), "--test", script(tmp_path, "exit 1")]) == 1
    assert "does not exit with 0 for the file as it is" in capsys.readouterr().err
    file.write_text("func.func @f(")
    assert cli.main(["reduce", str(file), "--test", script(tmp_path, "exit 0")]) == 1
    assert f"{file}:1:14: error: " in capsys.readouterr().err


# ---- what other tools know of us ---------------------------------------------------
def test_names_in_xdsl_are_free():
    """A name that xDSL has already would stop each of its tools from starting."""
    assert not set(UNIVERSE.all_dialects) & set(get_all_dialects())
    assert not set(UNIVERSE.all_passes) & set(get_all_passes())


def test_stock_xdsl_opt_knows_our_dialects_and_passes(file: Path, tmp_path: Path):
    info = tmp_path / "loopweld-0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: loopweld\nVersion: 0\n")
    (info / "entry_points.txt").write_text("[xdsl.universe]\nloopweld = loopweld.universe:UNIVERSE\n")
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])}
    command = [sys.executable, "-m", "xdsl.tools.xdsl_opt", str(file), "-p", "resolve-shapes,generalize"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert 'weld.generic over "s0, 8" gives "sum d0"' in done.stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(shell: str, capsys: pytest.CaptureFixture[str], tmp_path: Path):
    assert cli.main(["completion", shell]) == 0
    text = capsys.readouterr().out
    for word in ("form-kernels", "mlir-print-ir-tree-dir", "asm", "explain"):
        assert word in text
    if shell == "bash" and shutil.which("bash"):
        asks = f"{text}\nCOMP_WORDS=(loopweld-opt -p cse,form-k); COMP_CWORD=2; _loopweld_opt; echo ${{COMPREPLY[@]}}"
        done = subprocess.run(["bash", "-c", asks], capture_output=True, text=True)
        assert done.stdout == "cse,form-kernels\n", done.stderr


def test_gui_says_what_it_needs(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.setitem(sys.modules, "textual", None)
    monkeypatch.setitem(sys.modules, "pyclip", None)
    assert cli.main(["gui"]) == 1
    assert "pip install 'loopweld[gui]'" in capsys.readouterr().err


# ---- explain module:function -------------------------------------------------------
def test_a_python_function_is_explained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("LOOPWELD_CACHE_DIR", "off")
    (tmp_path / "explained_here.py").write_text("import numpy as np\ndef f(x, y):\n    return np.exp(x) + y\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert cli.main(["explain", "explained_here:f", "--args", "f32[10,4]", "float32[4]"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("1 kernel, ")
    assert "explained_here.py:3  exp -> add" in out
    page = tmp_path / "page.html"
    assert cli.main(["explain", "explained_here:f", "--args", "f32[10,4]", "f32[]", "--html", str(page)]) == 0
    assert "</html>" in page.read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["os:nothing"], "has no attribute 'nothing'"),
        (["no_such_module:f"], "No module named 'no_such_module'"),
        (["numpy:outer"], "--args says what outer is called with"),
    ],
)
def test_python_functions_that_cannot_be_explained(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
):
    assert cli.main(["explain", *arguments]) == 1
    assert message in capsys.readouterr().err


# ---- hostile input -----------------------------------------------------------------
HOSTILE = {
    "empty": b"",
    "binary": bytes(range(256)) * 40,
    "half a function": b"func.func @f(%a: tensor<4xf32>) -> ",
    "an open string": b'"' + b"x" * 10_000,
    "deep types": b"func.func @f(%a: " + b"tuple<" * 5000 + b"i32" + b">" * 5000 + b") -> ()",
    "deep regions": b"module {" * 5000,
    "a long line": b"func.func @f() { " + b"%x " * 50_000,
    "null bytes": b"\0" * 1000,
}
COMMANDS = (["loopweld.opt"], ["loopweld", "run"], ["loopweld", "explain"], ["loopweld", "reduce", "--test", "true"])


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[-1])
def test_hostile_files_give_errors(name: str, command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    path = tmp_path / "hostile.mlir"
    path.write_bytes(HOSTILE[name])
    status = opt.main([str(path)]) if command == ["loopweld.opt"] else cli.main([*command[1:], str(path)])
    errors = capsys.readouterr().err
    if name == "empty" and command in (COMMANDS[0], COMMANDS[3]):
        assert status == 0 and "error" not in errors, "an empty module is one"
    else:
        assert status == 1
        assert "error: " in errors
        assert "internal error" not in errors and "Traceback" not in errors
    assert len(errors) < 3000


@pytest.mark.parametrize("command", COMMANDS[:2], ids=lambda command: command[-1])
def test_missing_files_and_wrong_flags(command: list[str]):
    done = subprocess.run([sys.executable, "-m", *command, "/no/such/file"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "")
    assert "/no/such/file" in done.stderr and "Traceback" not in done.stderr
    done = subprocess.run([sys.executable, "-m", *command, "--no-such-flag"], capture_output=True, text=True)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_a_reader_that_leaves(file: Path):
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "loopweld.opt", str(file)]
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, text=True)
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, "")


INTERRUPTED = """
import runpy, signal, sys
from loopweld import cli

class Interrupts:
    def find_spec(name, path=None, target=None):
        if name == WHERE:
            signal.raise_signal(signal.SIGINT)

WHERE = sys.argv[2]
signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background may ignore it
sys.meta_path.insert(0, Interrupts)
if sys.argv[1] == "module":  # python -m loopweld.opt
    sys.argv[1:] = sys.argv[3:]
    runpy.run_module("loopweld.opt", run_name="__main__")
raise SystemExit(getattr(cli, sys.argv[1])(sys.argv[3:]))
"""
"""A command that gets Ctrl-C where a module is first imported."""


@pytest.mark.parametrize(
    ("command", "module"),
    [
        ("opt", "xdsl.xdsl_opt_main"),
        ("module", "xdsl.xdsl_opt_main"),
        ("main run", "numpy"),
        ("main run", "loopweld.api"),
    ],
)
def test_ctrl_c(command: str, module: str, file: Path):
    entry, *arguments = command.split()
    run = [sys.executable, "-c", INTERRUPTED, entry, module, *arguments, str(file), *["--entry=main"] * len(arguments)]
    done = subprocess.run(run, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")
