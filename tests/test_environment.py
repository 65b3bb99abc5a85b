"""The environment variables."""

import os
from pathlib import Path

import numpy as np
import pytest

import loopweld as lw
from loopweld.compiler import driver
from loopweld.compiler.codegen import jit
from loopweld.compiler.pipeline import STAGES

TEXT = """func.func @main(%x: tensor<?xf32>) -> tensor<?xf32> {
  %0 = weld.exp %x : tensor<?xf32>
  %1 = weld.add %0, %x : tensor<?xf32>
  func.return %1 : tensor<?xf32>
}
"""
X = np.ones(33, np.float32)


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch):
    """Each test starts without variables of ours, and without a cache on disk."""
    for name in ("LOOPWELD_DUMP", "LOOPWELD_LOG", "LOOPWELD_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LOOPWELD_CACHE_DIR", "off")


def test_dump_writes_each_stage_of_each_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    folder = tmp_path / "new" / "dump"
    monkeypatch.setenv("LOOPWELD_DUMP", str(folder))
    f = lw.jit(lambda x: np.exp(x) + x)
    f(X)
    f(X)
    first = [f"0000-{k}-{stage}.{'ll' if stage == 'llvm' else 'mlir'}" for k, stage in enumerate(STAGES, 1)]
    assert sorted(path.name for path in folder.iterdir()) == first
    for name, stage in zip(first, STAGES, strict=True):
        assert (folder / name).read_text() == f.lower(X).compile().as_text(stage)


def test_dump_continues_the_numbers_of_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LOOPWELD_DUMP", str(tmp_path))
    first = lw.compile(TEXT)
    lw.compile(TEXT.replace("exp", "log"))
    assert len(list(tmp_path.glob("000[01]-*"))) == 2 * len(STAGES)
    assert (tmp_path / "0000-5-llvm.ll").read_text() == first.as_text("llvm")
    assert "weld.log" in (tmp_path / "0001-1-tensor.mlir").read_text()


def test_dump_of_a_target_without_all_stages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LOOPWELD_DUMP", str(tmp_path))
    lw.compile(TEXT, target="numpy")
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "0000-1-tensor.mlir",
        "0000-4-loops.mlir",
        "0000-5-llvm.ll",
    ]


def test_dump_of_a_program_that_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """What it was at is there too: the module that a pass failed on, the text that LLVM refused."""
    monkeypatch.setenv("LOOPWELD_DUMP", str(tmp_path))
    monkeypatch.setattr(driver, "lower_program", _fails)
    with pytest.raises(RuntimeError, match="on purpose"):
        lw.compile(TEXT)
    names = [f"0000-{k}-{stage}.mlir" for k, stage in enumerate(("tensor", "fused", "kernels", "failed"), 1)]
    assert sorted(path.name for path in tmp_path.iterdir()) == names
    assert "weld.kernel" in (tmp_path / names[-1]).read_text()
    monkeypatch.undo()
    monkeypatch.setenv("LOOPWELD_DUMP", str(tmp_path))
    monkeypatch.setattr(jit, "compile_object", _fails)
    with pytest.raises(RuntimeError, match="on purpose"):
        lw.compile(TEXT)
    assert "define" in (tmp_path / "0001-5-failed.ll").read_text()


def _fails(*args: object, **options: object) -> None:
    raise RuntimeError("on purpose")


def test_log_fusion(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.setenv("LOOPWELD_LOG", "fusion")
    path = tmp_path / "f.mlir"
    path.write_text(TEXT)
    lw.compile(path)
    out, err = capsys.readouterr()
    assert out == ""
    assert err == (
        'loopweld: fusion: [Passed] fuse: exp -> add | Category:fusion | BytesSaved="8 * s0",'
        f" Reason=elementwise-producer at {path}:3\n"
    )


def test_log_passes_in_order(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.setenv("LOOPWELD_LOG", "passes")
    lw.compile(TEXT)
    lines = capsys.readouterr().err.splitlines()
    names = [line.split()[2] for line in lines]
    assert all(line.startswith("loopweld: passes: ") and line.endswith(" ms") for line in lines)
    assert [n for n in names if n in ("resolve-shapes", "generalize", "form-kernels", "lower-to-loops", "llvm")] == [
        "resolve-shapes",
        "generalize",
        "form-kernels",
        "lower-to-loops",
        "llvm",
    ]


def test_log_cache_hits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.setenv("LOOPWELD_CACHE_DIR", str(tmp_path))
    monkeypatch.setenv("LOOPWELD_LOG", "cache")
    lw.compile(TEXT)
    lw.compile(TEXT)
    assert capsys.readouterr().err == (
        "loopweld: cache: the native code was compiled\nloopweld: cache: the native code was read from the cache\n"
    )


def test_log_takes_several_topics_and_none(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    lw.compile(TEXT)
    monkeypatch.setenv("LOOPWELD_LOG", "")
    lw.compile(TEXT)
    assert capsys.readouterr().err == ""
    monkeypatch.setenv("LOOPWELD_LOG", "cache, fusion")
    lw.compile(TEXT)
    assert {line.split(": ")[1] for line in capsys.readouterr().err.splitlines()} == {"cache", "fusion"}


def test_an_unknown_topic(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LOOPWELD_LOG", "fusion,speed")
    with pytest.raises(ValueError, match="LOOPWELD_LOG knows fusion, passes, cache, perf, found 'speed'"):
        lw.jit(np.exp)


@pytest.mark.parametrize("value", ["0", "-1", "many", "", "1.5"])
def test_a_wrong_number_of_threads(value: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LOOPWELD_NUM_THREADS", value)
    with pytest.raises(ValueError, match=f"LOOPWELD_NUM_THREADS must be a positive number, found '{value}'"):
        lw.jit(np.exp)
    lw.jit(np.exp, threads=1)  # what is given counts; the variable is only the default


def test_a_number_of_threads(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LOOPWELD_NUM_THREADS", "4")
    np.testing.assert_allclose(lw.jit(np.exp)(X), np.exp(X), rtol=1e-6)


def test_the_cache_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    lw.compile(TEXT)  # what all programs share is there already
    monkeypatch.setenv("LOOPWELD_CACHE_DIR", str(tmp_path / "objects"))
    lw.compile(TEXT)
    assert [path.suffix for path in (tmp_path / "objects").iterdir()] == [".obj"]


def test_perf_finds_kernels_by_name(monkeypatch: pytest.MonkeyPatch):
    """Each function's address and size; the exported one is where the program calls it."""
    monkeypatch.setenv("LOOPWELD_LOG", "perf")
    path = Path(f"/tmp/perf-{os.getpid()}.map")
    path.unlink(missing_ok=True)
    try:
        compiled = lw.compile(TEXT)
        rows = {name: (int(start, 16), int(size, 16)) for start, size, name in map(str.split, path.open())}
        assert rows["loopweld::main"][0] == compiled._executable.addresses["main"]
        (start, size), *_ = [row for name, row in rows.items() if name.startswith("loopweld::k0_exp_add")]
        assert size > 0
        assert abs(start - rows["loopweld::main"][0]) < 1 << 20
    finally:
        path.unlink(missing_ok=True)
