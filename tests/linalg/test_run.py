"""`loopweld run`."""

from pathlib import Path

import numpy as np
import pytest

from loopweld import cli
from loopweld.run import describe_array

TEXT = """
func.func @main(%x: tensor<?x8xf32>, %y: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %0 = math.exp %x : tensor<?x8xf32>
  %1 = arith.addf %0, %y : tensor<?x8xf32>
  func.return %1 : tensor<?x8xf32>
}
"""


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "program.mlir"
    path.write_text(TEXT)
    return str(path)


def test_given_inputs(file: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    x, y = np.zeros((3, 8), np.float32), np.ones((3, 8), np.float32)
    for name, array in (("x", x), ("y", y)):
        np.save(tmp_path / f"{name}.npy", array)
    inputs = ["--input", str(tmp_path / "x.npy"), str(tmp_path / "y.npy")]
    assert cli.main(["run", file, "--target", "numpy", *inputs]) == 0
    assert capsys.readouterr().out.startswith("out0: float32 (3, 8) [2, 2, 2, 2, ...] sum 48 crc32 0x")


@pytest.mark.parametrize("target", ["numpy", "cpu"])
def test_random_inputs_are_the_same_for_every_target(
    target: str, file: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("LOOPWELD_CACHE_DIR", "off")
    options = ["--random", "3", "--size", "s0=20", "--explain", "--time"]
    assert cli.main(["run", file, "--target", target, *options]) == 0
    out = capsys.readouterr().out
    random = np.random.default_rng(3)
    x, y = (random.standard_normal((20, 8)).astype(np.float32) for _ in range(2))
    expected = describe_array("out0", np.exp(x) + y).partition(" sum ")[0]
    assert out.startswith(expected)
    assert "a call (best)" in out


def test_weld_text_with_plain_sizes(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    path = tmp_path / "weld.mlir"
    path.write_text(
        "func.func @f(%x: tensor<?xi32>) -> tensor<?xi32> {\n"
        "  %0 = weld.add %x, %x : tensor<?xi32>\n  func.return %0 : tensor<?xi32>\n}\n"
    )
    assert cli.main(["run", str(path), "--target", "numpy"]) == 0
    assert "out0: int32 (1000,) [" in capsys.readouterr().out


@pytest.mark.parametrize(
    "change, message",
    [
        (("math.exp %x : ", "math.exp %z : "), "program.mlir:3:17: error: use of undeclared SSA value name '%z'"),
        (("math.exp", "arith.bitcast"), "program.mlir:3:8: error: 'arith.bitcast' op has no weld form"),
        (("@main", "@other"), ""),
    ],
)
def test_errors_in_the_file(change: tuple[str, str], message: str, file: str, capsys: pytest.CaptureFixture[str]):
    text = TEXT.replace(*change)
    if "bitcast" in text:
        text = text.replace("%x : tensor<?x8xf32>\n", "%x : tensor<?x8xf32> to tensor<?x8xf32>\n", 1)
    Path(file).write_text(text)
    status = cli.main(["run", file, "--target", "numpy"])
    err = capsys.readouterr().err
    assert status == (1 if message else 0)
    assert message in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    "options, message",
    [
        (["--size", "n=3"], "@main has no size 'n'; it has s0"),
        (["--entry", "f"], "the module has no function @f; it has @main; choose one with --entry"),
        (["--input", "gone.npy"], "cannot read the inputs"),
    ],
)
def test_errors_in_the_options(options: list[str], message: str, file: str, capsys: pytest.CaptureFixture[str]):
    assert cli.main(["run", file, "--target", "numpy", *options]) == 1
    assert message in capsys.readouterr().err


def test_wrong_inputs(file: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    np.save(tmp_path / "x.npy", np.zeros((3, 8)))
    path = str(tmp_path / "x.npy")
    assert cli.main(["run", file, "--target", "numpy", "--input", path]) == 1
    assert "@main takes 2 inputs, found 1" in capsys.readouterr().err
    assert cli.main(["run", file, "--target", "numpy", "--input", path, path]) == 1
    assert "input 0 of @main is float64 with 2 dims, expected float32 with 2 dims" in capsys.readouterr().err


def test_a_missing_file(capsys: pytest.CaptureFixture[str]):
    assert cli.main(["run", "gone.mlir"]) == 1
    assert "cannot read 'gone.mlir': No such file" in capsys.readouterr().err


def test_an_unknown_command(capsys: pytest.CaptureFixture[str]):
    assert cli.main(["fly"]) == 2
    assert "no command 'fly'" in capsys.readouterr().err
