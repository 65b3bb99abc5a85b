"""The command line of `loopweld-opt`: what users of `mlir-opt` type."""

from pathlib import Path

import pytest

from loopweld import opt


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "f.mlir"
    path.write_text("func.func @f() {\n  func.return\n}\n")
    return str(path)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--cse", "--canonicalize"],
        ["-cse", "-canonicalize"],
        ["-pass-pipeline=builtin.module(cse,canonicalize)"],
        ["--mlir-disable-threading", "--pass-pipeline", "cse,canonicalize"],
    ],
)
def test_passes(arguments: list[str], file: str, capsys: pytest.CaptureFixture[str]):
    assert opt.main([file, *arguments, "--dump-pass-pipeline"]) == 0
    expected = "Pass Manager with 2 passes:\nbuiltin.module(\n  cse,\n  canonicalize\n)\n"
    assert capsys.readouterr().err.strip() == expected.strip()


def test_options_of_passes(file: str, capsys: pytest.CaptureFixture[str]):
    arguments = ["--fuse-producers=max-streams=8 choice=never", "--dump-pass-pipeline"]
    assert opt.main([file, *arguments]) == 0
    assert "fuse-producers{max_streams=8" in capsys.readouterr().err
    assert opt.main([file, "--fuse-producers=streams=8"]) == 1
    known = "'fuse-producers' has no option 'streams'; it has max-streams, bandwidth-ratio, choice"
    assert known in capsys.readouterr().err


def test_names_of_mlir_opt(file: str, capsys: pytest.CaptureFixture[str]):
    assert opt.main([file, "--mlir-print-op-generic", "-o", "-"]) == 0
    assert '"func.return"()' in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--canonicalise"], "unknown argument '--canonicalise'; did you mean '--canonicalize'?"),
        (["--mlir-print-ir-after-al1"], "did you mean '--mlir-print-ir-after-all'?"),
        (["--cse", "-p", "cse"], "passes are given as options and as a pipeline"),
    ],
)
def test_wrong_arguments(arguments: list[str], message: str, file: str, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as left:
        opt.main([file, *arguments])
    assert left.value.code == 2
    usage, error = capsys.readouterr().err.splitlines()
    assert usage == "usage: loopweld-opt [options] [FILE]" and message in error
