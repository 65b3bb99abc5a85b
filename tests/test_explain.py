"""`loopweld explain`."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from loopweld import cli

TEXT = """func.func @f(%x: tensor<?xf32>) -> tensor<?xf32> {
  %0 = math.exp %x : tensor<?xf32>
  %1 = arith.addf %0, %x : tensor<?xf32>
  func.return %1 : tensor<?xf32>
}
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LOOPWELD_CACHE_DIR", "off")
    path = tmp_path / "program.mlir"
    path.write_text(TEXT)
    return path


def test_the_only_function_is_explained(file: Path, capsys: pytest.CaptureFixture[str]):
    assert cli.main(["explain", str(file)]) == 0
    out = capsys.readouterr().out
    assert out.startswith("1 kernel, ")
    assert "program.mlir:3  exp -> add" in out


def test_a_function_of_a_file(file: Path, capsys: pytest.CaptureFixture[str]):
    file.write_text(TEXT + TEXT.replace("@f", "@g").replace("math.exp", "math.tanh"))
    assert cli.main(["explain", f"{file}:g"]) == 0
    assert "tanh -> add" in capsys.readouterr().out


def test_a_page_that_cannot_be_written(file: Path, capsys: pytest.CaptureFixture[str]):
    assert cli.main(["explain", str(file), "--html", str(file / "page.html")]) == 1
    assert "error: cannot open" in (err := capsys.readouterr().err) and "internal error" not in err


def test_the_standard_input(file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.setattr(sys, "stdin", io.StringIO(TEXT))
    assert cli.main(["explain", "-"]) == 0
    assert "<stdin>:3  exp -> add" in capsys.readouterr().out


def test_json(file: Path, capsys: pytest.CaptureFixture[str]):
    assert cli.main(["explain", str(file), "--json", "--entry", "f", "--target", "x86-64-v3"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [kernel["name"] for kernel in found["kernels"]] == ["k0_exp_add"]


PRODUCT = """func.func @f(%x: tensor<?x?xf32>, %w: tensor<?x?xf32>) -> tensor<?x?xf32> {
  %0 = weld.exp %x : tensor<?x?xf32>
  %1 = "weld.matmul"(%0, %w) : (tensor<?x?xf32>, tensor<?x?xf32>) -> tensor<?x?xf32>
  %2 = weld.neg %1 : tensor<?x?xf32>
  func.return %2 : tensor<?x?xf32>
}
"""


@pytest.mark.parametrize(("target", "reason"), [("cpu", "library-call"), ("numpy", "target-never-fuses")])
def test_what_is_no_loop_has_its_reason(target: str, reason: str, file: Path, capsys: pytest.CaptureFixture[str]):
    file.write_text(PRODUCT)
    assert cli.main(["explain", str(file), "--json", "--target", target]) == 0
    found = json.loads(capsys.readouterr().out)["decisions"]
    pairs = [(d["producer"], d["consumer"], d["location"][-14:]) for d in found if d["reason"] == reason]
    assert pairs == [("exp", "matmul", "program.mlir:3"), ("matmul", "neg", "program.mlir:4")]
    assert all(d["bytes_saved"] > 0 and not d["fused"] for d in found)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            ("exp %x", "exp %z"),
            "program.mlir:2:17: error: use of undeclared SSA value name '%z'\n  %0 = math.exp %z : ",
        ),
        (("math.exp", "math.what"), "program.mlir:2:8: error: Operation math.what is not registered\n"),
        (("%0, %x :", "%0 :"), "program.mlir:3:"),
        (("math.exp", "math.ctpop"), "program.mlir:2:8: error: "),
    ],
)
def test_errors_in_the_file(change: tuple[str, str], message: str, file: Path, capsys: pytest.CaptureFixture[str]):
    file.write_text(TEXT.replace(*change))
    assert cli.main(["explain", str(file)]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert message in err
    assert err.splitlines()[2].strip() == "^"
    assert "Traceback" not in err


def test_debug_shows_the_traceback(file: Path, capsys: pytest.CaptureFixture[str]):
    file.write_text("x")
    assert cli.main(["explain", str(file), "--debug"]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_a_reader_that_goes_away(file: Path):
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "loopweld", "explain", str(file)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, text=True, env=environment)
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, "")


def test_errors_in_the_options(file: Path, capsys: pytest.CaptureFixture[str]):
    assert cli.main(["explain", str(file), "--entry", "g"]) == 1
    message = "loopweld explain: error: the module has no function @g; it has @f; choose one with --entry\n"
    assert capsys.readouterr().err == message
    assert cli.main(["explain", "gone.mlir"]) == 1
    assert capsys.readouterr().err == "loopweld explain: error: cannot read 'gone.mlir': No such file or directory\n"
    with pytest.raises(SystemExit, match="2"):
        cli.main(["explain", str(file), "--target", "x86-64-v9"])
    assert "unknown target 'x86-64-v9'; known are cpu, numpy, " in capsys.readouterr().err
