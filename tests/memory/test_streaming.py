"""Results larger than the caches: written past them, with the same values wherever they lie."""

import numpy as np
import pytest

import loopweld as lw

SMALL = lw.Target("cpu", last_cache_bytes=1 << 12)
"""A machine whose caches hold nothing."""


@pytest.fixture(autouse=True)
def no_disk(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LOOPWELD_CACHE_DIR", "off")


def sample(n, dtype="f4"):
    return (np.random.default_rng(n).standard_normal(n) * 3).astype(dtype)


def several(x):
    return x + 1, x * x, x > 0, x.sum()


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "i1", "i8", "?"])
@pytest.mark.parametrize("n", [0, 1, 1023, 5000, 300_001])
def test_every_type_and_size(dtype, n):
    x = sample(n, dtype)
    for found, wanted in zip(lw.jit(several, target=SMALL)(x), lw.jit(several)(x), strict=True):
        np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("shift", [0, 1, 4, 15, 16])
def test_results_anywhere_in_memory(shift):
    """Off the cache lines, the elements around the result stay as they were."""
    x, memory = sample(5003), np.full(5100, -7, np.float32)
    start = (-memory.ctypes.data // 4) % 16 + shift
    out = memory[start : start + x.size]
    lw.jit(lambda x: np.sqrt(np.abs(x)), target=SMALL)(x, out=out)
    np.testing.assert_array_equal(out, np.sqrt(np.abs(x)))
    assert (memory[:start] == -7).all() and (memory[start + x.size :] == -7).all()


@pytest.mark.parametrize("dtype", ["f2", "f8", "i1", "?"])
def test_pieces_of_every_width(dtype):
    """Where most arrays of NumPy begin: 16 bytes behind a cache line."""
    x, memory = sample(1500, dtype), np.zeros(1700 * np.dtype(dtype).itemsize, np.uint8)
    start = -memory.ctypes.data % 64 + 16
    out = memory[start : start + x.nbytes].view(dtype)
    lw.jit(lambda x: x ^ True if x.dtype == bool else x + x, target=SMALL)(x, out=out)
    np.testing.assert_array_equal(out, ~x if dtype == "?" else x + x)
    assert not memory[:start].any() and not memory[start + x.nbytes :].any()


def test_in_place_and_read_again():
    def step(x, y):
        a = x * y
        return a, np.cumsum(a)

    x, y = sample(9000, "f8"), sample(9001, "f8")[1:]
    for found, wanted in zip(lw.jit(step, target=SMALL, donate=("x",))(x.copy(), y), step(x, y), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-12)


def test_several_threads():
    def f(x):
        return np.exp(np.sin(x))

    x = sample(2_000_003)
    wanted, jitted = lw.jit(f, threads=1)(x), lw.jit(f, target=SMALL, threads=2)
    for _ in range(20):
        np.testing.assert_array_equal(jitted(x), wanted)


def rotated(x, s):
    """Each half of a row takes the place of the other one."""
    return x + np.concatenate([-x[..., 32:], x[..., :32]], axis=-1) * s


@pytest.mark.parametrize("shift", [0, 3, 4])
def test_rows_of_whole_lines_anywhere_in_memory(shift):
    x, s = sample(5 * 40 * 64).reshape(5, 40, 64), sample(40 * 64).reshape(40, 64)
    memory = np.full(x.size + 100, -7, np.float32)
    start = (-memory.ctypes.data // 4) % 16 + shift
    out = memory[start : start + x.size].reshape(x.shape)
    lw.jit(rotated, target=SMALL)(x, s, out=out)
    np.testing.assert_allclose(out, rotated(x, s), rtol=1e-6, atol=1e-6)
    assert (memory[:start] == -7).all() and (memory[start + x.size :] == -7).all()


@pytest.mark.parametrize("columns", [31, 48, 100, 128])
def test_rows_with_ends(columns):
    """A program for all widths: rows of whole lines pass the caches, the others do not."""
    x, s = sample(60 * columns).reshape(60, columns), sample(columns)
    f = lw.jit(lambda x, s: x * s, target=SMALL)
    f(sample(17 * 20).reshape(17, 20), sample(20))
    np.testing.assert_array_equal(f(x, s), x * s)
    assert f.cache_info().compilations == 1


def test_what_the_code_says():
    """Stores past the caches stand where loops only walk large results, in whole lines."""

    def streams(f, *arrays):
        return "!nontemporal" in lw.jit(f, target=SMALL).lower(*arrays).as_text("llvm")

    x, y = sample(6000).reshape(60, 100), sample(6 * 40 * 64).reshape(6, 40, 64)
    assert streams(lambda x: x + 1, x)
    assert streams(rotated, y, y[0])
    assert streams(lambda x, s: x * s, x, x[0])
    assert not streams(lambda x: x / x.sum(axis=1, keepdims=True), x)
    assert not streams(lambda x: x / np.exp(x).sum(axis=2, keepdims=True), y)
    assert not streams(rotated, y[..., :49].copy(), y[0, :, :49].copy())
