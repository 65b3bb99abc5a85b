"""Results do not depend on the number of threads: the blocks of a kernel are a function of sizes only."""

import warnings
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
import pytest

import loopweld as lw
from loopweld.passes.loops import split

RNG = np.random.default_rng(7)
COUNTS = (1, 3, 8)
EMPTY = [(0, 40), (40, 0)]
SIZES = [(17, 40), (33, 129), (257, 31), (3, 700), (700, 3), (19, 1)]


@pytest.fixture(autouse=True)
def many_blocks(monkeypatch: pytest.MonkeyPatch):
    """Every instruction counts as long, so that small arrays have many blocks and are worth threads."""
    monkeypatch.setattr(split, "PICOSECONDS", 20_000_000)


def results(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


@lru_cache
def for_counts(f: Callable[..., Any]) -> list[Any]:
    return [lw.jit(f, threads=count) for count in COUNTS]


def check(f: Callable[..., Any], *arrays: Any, parallel: bool = True) -> None:
    """The same bits for every number of threads, close to NumPy's values, from kernels with blocks."""
    jitted = for_counts(f)
    found = [results(g(*arrays)) for g in jitted]
    for other in found[1:]:
        for a, b in zip(found[0], other, strict=True):
            assert a.dtype == b.dtype
            assert a.tobytes() == b.tobytes()
    wide = [a.astype(np.float64) if a.dtype.kind == "f" else a for a in arrays]
    with np.errstate(all="ignore"), warnings.catch_warnings(action="ignore"):
        expected = results(f(*wide))
    for a, b in zip(found[0], expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-5, atol=2e-5, equal_nan=True)
    if parallel and all(a.size for a in arrays):
        assert any(k.parallel for k in jitted[1].explain(*arrays).kernels)


def softmax(x: Any) -> Any:
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def layernorm_backward(x: Any, w: Any, dy: Any) -> Any:
    mean = x.mean(axis=1, keepdims=True)
    centred = x - mean
    scale = 1 / np.sqrt((centred * centred).mean(axis=1, keepdims=True) + 1e-5)
    normal = centred * scale
    g = dy * w
    dx = (g - g.mean(axis=1, keepdims=True) - normal * (g * normal).mean(axis=1, keepdims=True)) * scale
    return dx, (dy * normal).sum(axis=0), dy.sum(axis=0)


PROGRAMS: dict[str, Callable[..., Any]] = {
    "elementwise": lambda x: np.exp(np.sin(x)) + 1,
    "column sums": lambda x: x.sum(axis=0),
    "column products": lambda x: (1 + x / 100).prod(axis=0),
    "row and column sums": lambda x: (x.sum(axis=0), x.sum(axis=1)),
    "full": lambda x: (x.sum(), (x * x).mean(), np.any(x > 3), np.all(x < 3)),
    "transposed": lambda x: (x.T * 2, x[::-1, ::2] + 1),
    "variance": lambda x: (x.var(axis=0), x.std(axis=1)),
    "roll": lambda x: x + np.roll(x, 3, 0),
}
OF_ELEMENTS: dict[str, Callable[..., Any]] = {
    "softmax": softmax,
    "softmax of columns": lambda x: softmax(x.T).T,
    "maxima": lambda x: (x.max(), x.min(axis=0), x.max(axis=1)),
    "argmax": lambda x: (x.argmax(), x.argmax(axis=0), x.argmin(axis=1)),
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", PROGRAMS)
def test_bits(name: str, dtype: Any):
    for shape in [*EMPTY, *SIZES]:
        check(PROGRAMS[name], RNG.standard_normal(shape).astype(dtype))


@pytest.mark.parametrize("name", OF_ELEMENTS)
def test_bits_where_no_axis_is_empty(name: str):
    for shape in SIZES:
        x = RNG.standard_normal(shape).astype(np.float32)
        check(OF_ELEMENTS[name], x)
        check(OF_ELEMENTS[name], RNG.integers(-3, 4, shape))
        x[shape[0] // 2] = np.nan
        check(OF_ELEMENTS[name], x)


def test_ties_across_blocks():
    """The first of equal elements is found, also when each block has one, and where all are the identity."""
    for value in (1.0, -np.inf, np.nan):
        x = np.full((300, 20), value)
        check(lambda x: (x.argmax(), x.argmin(), x.argmax(axis=0)), x)
        assert lw.jit(lambda x: x.argmax(), threads=2)(x) == 0


def test_layernorm_backward():
    for shape in [(40, 30), (130, 67), (257, 20)]:
        arrays = [RNG.standard_normal(s).astype(np.float32) for s in (shape, shape[1:], shape)]
        check(layernorm_backward, *arrays)


def scatter(ufunc: Any, size: int) -> Callable[..., Any]:
    def run(x: Any, i: Any) -> Any:
        y = np.full(size, ufunc is not np.add, x.dtype, like=x)
        ufunc.at(y, i, x)
        return y

    return run


@pytest.mark.parametrize("ufunc", [np.add, np.multiply, np.maximum, np.minimum])
@pytest.mark.parametrize("dtype", ["f4", "f8", "i8", "u1", "f2"])
def test_scatter(ufunc: Any, dtype: str):
    for size, count in [(1, 40), (19, 300), (100, 1000)]:
        x = RNG.integers(1, 3, count).astype(dtype) if dtype != "f4" else RNG.uniform(0.9, 1.1, count).astype(dtype)
        if ufunc is np.multiply:
            x = np.ones_like(x)
        check(scatter(ufunc, size), x, RNG.integers(-size, size, count))


def test_scatter_onto_given_values():
    def f(y: Any, i: Any, x: Any) -> Any:
        z = y.copy()
        np.add.at(z, i, x)
        return z, z.sum()

    check(f, RNG.standard_normal(50), RNG.integers(0, 50, 400), RNG.standard_normal(400))


def test_scattered_rows_need_no_parts():
    """Blocks that scatter within their own rows write nothing in common."""

    def f(i: Any, x: Any) -> Any:
        y = np.zeros((64, 30), like=x)
        rows = np.arange(64)[:, None]
        np.add.at(y, (rows, i), x)
        return y

    check(f, RNG.integers(0, 30, (64, 20)), RNG.standard_normal((64, 20)), parallel=False)


def test_set_keeps_its_order():
    """The last of several values for one element wins: such a loop is not cut."""

    def f(i: Any, x: Any) -> Any:
        y = np.zeros(20, like=x)
        y[i] = x
        return y

    arrays = RNG.integers(0, 20, 500), RNG.standard_normal(500)
    check(f, *arrays, parallel=False)
    assert not any(k.parallel for k in lw.jit(f).explain(*arrays).kernels)


def test_strict_sums_scatters_in_order():
    x, i = RNG.standard_normal(2000), RNG.integers(0, 5, 2000)
    y = lw.jit(scatter(np.add, 5), numerics="strict", threads=3)(x, i)
    np.testing.assert_array_equal(y, scatter(np.add, 5)(x, i))


def test_out_of_range_is_found_in_every_block():
    def f(x: Any, i: Any) -> Any:
        return x[i] * 2

    x, i = RNG.standard_normal(30), np.zeros(500, np.int64)
    for place in (0, 250, 499):
        i[:] = 3
        i[place] = 30
        with pytest.raises(IndexError):
            lw.jit(f, threads=3)(x, i)


def test_sums_are_no_less_accurate():
    """Parts of float32 sums are combined in float64."""
    x = RNG.uniform(0, 1, (4000, 50)).astype(np.float32)
    total, columns = lw.jit(lambda x: (x.sum(), x.sum(axis=0)), threads=2)(x)
    exact = x.astype(np.float64)
    assert abs(total / exact.sum() - 1) < 1e-7
    assert np.abs(columns / exact.sum(axis=0) - 1).max() < np.abs(x.sum(axis=0) / exact.sum(axis=0) - 1).max()
