"""The cache of compiled programs: what it saves, what it holds, and what may happen to its folder."""

import dataclasses
import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import loopweld as lw
from loopweld.compiler import driver, fingerprint
from loopweld.compiler.codegen import cache as caching
from loopweld.compiler.codegen import jit
from loopweld.compiler.codegen.cache import ObjectCache
from loopweld.compiler.frontend import trace
from loopweld.compiler.runtime import direct
from loopweld.dialects.expr import Expr

ROOT = Path(__file__).parents[1]
RNG = np.random.default_rng(7)
X = RNG.standard_normal((40, 300)).astype(np.float32)
INDEX = RNG.integers(0, 40, 25)
WEIGHTS = RNG.standard_normal(300).astype(np.float32)
TABLE = RNG.standard_normal(40).astype(np.float32)


def softmax(x):
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def scattered(x, i):
    total = np.zeros_like(x)
    np.add.at(total, i, 1)
    return total + np.cumsum(x, axis=0)


CASES = {
    "one kernel": (softmax, (X,), {}),
    "several results": (lambda x: {"a": x.sum(axis=0), "b": (x * 2, x.argmax(axis=1))}, (X,), {}),
    "library calls": (lambda x: np.sort(x, axis=1) @ x.T + np.linalg.norm(x), (X,), {}),
    "library calls alone": (lambda x: np.cumsum(x, axis=0), (X,), {}),
    "captured arrays": (lambda x, i: x[i] * WEIGHTS + np.sort(WEIGHTS), (X, INDEX), {}),
    "scatter": (scattered, (X, INDEX), {}),
    "Fortran order": (lambda x: x * 2, (np.asfortranarray(X),), {}),
    "strides": (lambda x: x * 2 + x.sum(axis=1, keepdims=True), (X[::2, ::3],), {}),
    "long rows": (softmax, (RNG.standard_normal((2, 1 << 19)).astype(np.float32),), {}),
    "strict": (softmax, (X,), {"numerics": "strict"}),
    "threads": (softmax, (X,), {"threads": 2}),
    "dense constants": (lambda x: x + np.arange(300, dtype=np.float32) ** 2, (X,), {}),
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    lw.jit(np.negative, threads=2)(np.ones((40, 300)))  # what all programs share is there already
    monkeypatch.setenv("LOOPWELD_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


def same(a, b):
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, tuple):
        return len(a) == len(b) and all(map(same, a, b))
    return a.dtype == b.dtype and a.strides == b.strides and a.tobytes() == b.tobytes()


def refuse(*_args: object, **_kwargs: object) -> None:
    raise AssertionError("a cached program needs no passes and no LLVM")


@pytest.mark.parametrize("name", CASES)
def test_a_cached_program_needs_no_passes_and_no_llvm(name: str, monkeypatch: pytest.MonkeyPatch):
    function, arrays, options = CASES[name]
    first = lw.jit(function, **options)
    expected, report = first(*arrays), first.explain(*arrays)
    assert first.cache_info().disk_hits == 0
    second = lw.jit(function, **options)
    with monkeypatch.context() as patch:
        patch.setattr(driver, "_run_passes", refuse)
        patch.setattr(jit, "compile_object", refuse)
        assert same(second(*arrays), expected)
        assert second.cache_info().disk_hits == 1
    again = second.explain(*arrays)
    monkeypatch.setenv("LOOPWELD_CACHE_DIR", "off")
    plain = lw.jit(function, **options)
    assert dataclasses.replace(again, timings={}) == dataclasses.replace(report, timings={})
    for stage in ("tensor", "fused", "kernels", "loops", "llvm"):
        assert second.lower(*arrays).compile().as_text(stage) == plain.lower(*arrays).compile().as_text(stage)


def test_a_cached_program_checks_its_indices():
    for hits in (0, 1):
        f = lw.jit(lambda x, i: x[i] * 2)
        with pytest.raises(IndexError):
            f(TABLE, np.array([3, 40]))
        assert f.cache_info().disk_hits == hits


def test_calls_of_a_cached_program_are_native():
    """Also those with `out=`: the dtypes of its results are NumPy's own objects, which native entries ask for."""
    for hits in (0, 1):
        f, out = lw.jit(lambda x: x * 2 + 1), np.empty_like(X)
        for _ in range(20):
            f(X, out=out)
        assert f.cache_info().disk_hits == hits
        assert not direct.is_supported() or f._direct_calls >= 10
        assert f(X).dtype is np.dtype(np.float32)


def test_a_cached_program_takes_donated_memory():
    for hits in (0, 1):
        f = lw.jit(lambda x, t, i: x * 2 + t[i], donate=("x",))
        x = np.ones(25, np.float32)
        y = f(x, TABLE, INDEX)
        assert np.shares_memory(x, y)
        np.testing.assert_array_equal(y, 2 + TABLE[INDEX])
        x = np.ones(25, np.float32)
        with pytest.raises(IndexError):
            f(x, TABLE, INDEX + 40)
        np.testing.assert_array_equal(x, 1)
        assert f.cache_info().disk_hits == hits


def test_a_cached_program_is_for_the_sizes_it_was_made_for():
    """Rows in cache and longer ones have versions of their own, also when they come from disk."""
    short, long = np.ones((3, 200), np.float32), np.ones((2, 1 << 19), np.float32)
    for hits in (0, 2):
        f = lw.jit(softmax)
        for x in (short, long, short):
            np.testing.assert_allclose(f(x), 1 / x.shape[1], rtol=1e-5)
        assert f.cache_info()[1:] == (2, hits, 2)


def test_modules_are_cached():
    text = """
    func.func @main(%x: tensor<?xf32>) -> tensor<?xf32> {
      %0 = weld.exp %x : tensor<?xf32>
      func.return %0 : tensor<?xf32>
    }"""
    found = [lw.compile(text) for _ in range(2)]
    assert [c._compilation.disk_hit for c in found] == [False, True]
    assert same(found[0](TABLE), found[1](TABLE))


# ---- keys --------------------------------------------------------------------------
def text_of(function, *arrays):
    return fingerprint.fingerprint(trace(function, arrays).module)


def test_fingerprints_tell_programs_apart():
    x = np.ones(50)
    programs = [
        text_of(lambda x: x + 1, x),
        text_of(lambda x: x + 2, x),
        text_of(lambda x: x - 1, x),
        text_of(lambda x: 1 - x, x),
        text_of(lambda x: x + 1, x.astype(np.float32)),
        text_of(lambda x: x + 1, x[:4]),
        text_of(lambda x: x[1:] + 1, x),
        text_of(lambda x: x[2:] + 1, x),
        text_of(lambda x: (x + 1).sum(), x),
        text_of(lambda x: (x + 1).max(), x),
        text_of(lambda x, y: x - y, x, x),
        text_of(lambda x, y: y - x, x, x),
        text_of(lambda x: x + np.arange(3.0)[:, None], x),
        text_of(lambda x: x + np.arange(3.0)[::-1, None], x),
        text_of(lambda x: x + 0.0, x),
        text_of(lambda x: x + -0.0, x),
    ]
    assert len(set(programs)) == len(programs)


def test_fingerprints_know_no_source_lines():
    x = np.ones(50)
    assert text_of(lambda x: x + 1, x) == text_of(lambda x: x + 1, x)


@pytest.mark.parametrize("other", [{"numerics": "strict"}, {"target": lw.Target(cache_bytes=1 << 12)}])
def test_options_are_part_of_the_key(other: dict[str, Any]):
    lw.jit(softmax)(X)
    f = lw.jit(softmax, **other)
    f(X)
    assert f.cache_info().disk_hits == 0


def test_another_compiler_makes_its_own_programs(monkeypatch: pytest.MonkeyPatch):
    lw.jit(softmax)(X)
    monkeypatch.setattr(driver, "compiler_version", lambda: "changed")
    f = lw.jit(softmax)
    f(X)
    assert f.cache_info().disk_hits == 0


@pytest.mark.parametrize("text", ["0", "n", "2 * n * m - 3", "n floordiv 8 + (n mod 4) * m", "-n"])
def test_expressions_are_pickled(text: str):
    """Also to a process that has not seen their quotients."""
    from loopweld.dialects.expr import parse_expr

    expr = parse_expr(text)
    data = pickle.dumps(expr)
    assert pickle.loads(data) == expr
    program = (
        "import pickle, sys; from loopweld.dialects.expr import Expr\n"
        "print(pickle.loads(bytes.fromhex(sys.argv[1])).evaluate({'n': 21, 'm': 5}.__getitem__))"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    said = subprocess.run(
        [sys.executable, "-c", program, data.hex()], capture_output=True, text=True, env=environment, check=True
    ).stdout
    assert int(said) == expr.evaluate({"n": 21, "m": 5}.__getitem__)
    assert isinstance(expr, Expr)


# ---- the folder --------------------------------------------------------------------
def test_the_folder_is_the_users_own(folder: Path):
    lw.jit(softmax)(X)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert [path.suffix for path in folder.iterdir()] == [".obj"]


@pytest.mark.parametrize("data", [b"", b"no program", pickle.dumps(None), pickle.dumps(Path("x"))[:-2]])
def test_an_entry_that_is_no_program_is_a_miss(data: bytes, folder: Path):
    expected = lw.jit(softmax)(X)
    (path,) = folder.glob("*.obj")
    ObjectCache(folder).put(path.stem, data)
    f = lw.jit(softmax)
    assert same(f(X), expected)
    assert f.cache_info().disk_hits == 0


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_to(folder: Path):
    folder.mkdir(mode=0o500)
    for _ in range(2):
        f = lw.jit(softmax)
        f(X)
        assert f.cache_info().disk_hits == 0


def test_a_folder_that_is_a_file(folder: Path):
    folder.write_text("")
    np.testing.assert_allclose(lw.jit(softmax)(X).sum(axis=1), 1, rtol=1e-5)
    assert ObjectCache(folder).entries() == []


def test_what_was_not_used_for_longest_goes_first(folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(caching, "_WRITTEN", type(caching._WRITTEN)())
    cache = ObjectCache(folder, limit=1000)
    for k in range(8):
        cache.put(f"k{k}", bytes(68))  # 100 with the checksum
        os.utime(folder / f"k{k}.obj", (k, k))
    assert cache.get("k0") == bytes(68)
    for k in range(8, 11):
        cache.put(f"k{k}", bytes(68))
    kept = [entry.path.stem for entry in cache.entries()]
    assert sum(entry.bytes for entry in cache.entries()) <= 1000
    assert "k1" not in kept and {"k0", "k10", "k7"} <= set(kept)


def test_an_entry_beyond_the_limit_is_not_kept(folder: Path):
    ObjectCache(folder, limit=50).put("k", bytes(60))
    assert ObjectCache(folder).entries() == []


def test_the_limit_is_a_variable(folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LOOPWELD_CACHE_BYTES", "0")
    lw.jit(softmax)(X)
    assert not folder.exists()
    monkeypatch.setenv("LOOPWELD_CACHE_BYTES", "1 MB")
    with pytest.raises(ValueError, match="LOOPWELD_CACHE_BYTES must be a number of bytes, found '1 MB'"):
        lw.jit(softmax)


def test_many_processes_use_one_folder(folder: Path):
    program = (
        "import numpy as np, loopweld as lw\n"
        "for k in range(4):\n"
        "    f = lw.jit(lambda x: x * k + 1)\n"
        "    assert (f(np.ones(50)) == k + 1).all()\n"
    )
    environment = {**os.environ, "LOOPWELD_CACHE_BYTES": "20000", "PYTHONPATH": str(ROOT)}
    running = [subprocess.Popen([sys.executable, "-c", program], env=environment) for _ in range(3)]
    assert [each.wait() for each in running] == [0, 0, 0]
    assert all(path.suffix == ".obj" for path in folder.iterdir())


def test_the_command_line(folder: Path, capsys: pytest.CaptureFixture[str]):
    from loopweld.cache import main

    lw.jit(softmax)(X)
    (entry,) = ObjectCache(folder).entries()
    assert main(["ls"]) == 0
    listed = capsys.readouterr().out.splitlines()
    assert entry.path.stem[:16] in listed[0] and f" {entry.bytes} bytes" in listed[0]
    assert listed[1] == f"1 programs, {entry.bytes} of at most {256 << 20} bytes, in {folder}"
    assert main(["stat"]) == 0
    assert capsys.readouterr().out.splitlines() == listed[1:]
    assert main(["clear"]) == 0
    assert capsys.readouterr().out == f"removed 1 programs from {folder}\n"
    assert ObjectCache(folder).entries() == []
