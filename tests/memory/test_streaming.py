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


@pytest.mark.parametrize("shift", [0, 1, 3, 15, 16])
def test_results_anywhere_in_memory(shift):
    """Off the cache lines, the elements around the result stay as they were."""
    x, memory = sample(5003), np.full(5100, -7, np.float32)
    start = (-memory.ctypes.data // 4) % 16 + shift
    out = memory[start : start + x.size]
    lw.jit(lambda x: np.sqrt(np.abs(x)), target=SMALL)(x, out=out)
    np.testing.assert_array_equal(out, np.sqrt(np.abs(x)))
    assert (memory[:start] == -7).all() and (memory[start + x.size :] == -7).all()


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


def test_what_the_code_says():
    """Stores past the caches stand in the loops of large contiguous results only."""
    x = sample(6000).reshape(60, 100)
    flat = lw.jit(lambda x: x + 1, target=SMALL).lower(x).as_text("llvm")
    rows = lw.jit(lambda x: x / x.sum(axis=1, keepdims=True), target=SMALL).lower(x).as_text("llvm")
    assert "!nontemporal" in flat and "!nontemporal" not in rows
