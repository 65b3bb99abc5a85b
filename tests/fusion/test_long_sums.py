"""Sums of many floats along any axes are no worse than pairwise ones, whoever shares their loops."""

import numpy as np
import pytest
from fusion.checking import sample
from numerics.checking import identical

import loopweld as lw

U = 2.0**-24
"""Half the distance of float32 numbers after 1, relatively."""


def tenths(*shape, dtype: type[np.floating] = np.float32):
    """All 0.1: the roundings of a running sum have one sign for a long time, and do not cancel."""
    return np.full(shape, 0.1, dtype)


def worst(f, x):
    """The greatest relative error of the results' elements."""
    found, exact = lw.jit(f)(x), f(x.astype(np.float64))
    return float(np.max(np.abs(np.asarray(found, np.float64) - exact) / np.abs(exact)))


LAYOUTS = {
    "columns": (lambda x: x.sum(0), (100_000, 20)),
    "wide columns": (lambda x: x.sum(0), (20_000, 193)),
    "few columns": (lambda x: x.sum(0), (400_000, 3)),
    "products": (lambda x: (x * x).sum(0), (60_000, 33)),
    "middle axis": (lambda x: x.sum(1), (7, 60_000, 9)),
    "first of three": (lambda x: x.sum(0), (30_000, 7, 9)),
    "outer axes": (lambda x: x[:, ::2].sum((0, 2)), (3000, 10, 33)),
    "two repeated axes": (lambda x: x[:, ::2].sum((0, 1)), (1000, 400, 17)),
    "known inner axis": (lambda x: x[:, ::2].sum((0, 1)), (40_000, 8, 17)),
    "all of strided rows": (lambda x: x[:, ::2].sum(), (60_000, 40)),
    "all of short rows": (lambda x: x[:, :17].sum(), (60_000, 20)),
    "transposed": (lambda x: x.T.sum(1), (60_000, 33)),
    "reversed": (lambda x: x[::-1, ::-1].sum(0), (60_000, 33)),
    "padded": (lambda x: (np.pad(x, ((3, 4), (1, 1))) + x[:1, :1]).sum(0), (60_000, 33)),
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_running_sums_do_not_drift(name):
    """A run of 64 may round each addition the same way; one running sum would be off by a thousand times that."""
    f, shape = LAYOUTS[name]
    assert worst(f, tenths(*shape)) <= 64 * U / 2


@pytest.mark.parametrize(
    "f",
    [
        lambda x: (x.sum(0), x.sum(1), x.sum()),
        lambda x: (np.exp(x).sum(0), (x / x.sum(1, keepdims=True)).sum(0)),
        lambda x: ((x - x.max(1, keepdims=True) + 1).sum(0), x.max(0), x.sum()),
    ],
    ids=["rows and columns", "rows needed", "extremes"],
)
def test_beside_other_results(f):
    x = tenths(70_000, 20) + sample(70_000, 20, low=0, high=0.1)
    for found, exact in zip(lw.jit(f)(x), f(x.astype(np.float64)), strict=True):
        np.testing.assert_allclose(found, exact, rtol=32 * U)


def test_a_million_tenths():
    assert worst(lambda x: x.sum(0), tenths(1_000_000, 5)) <= 64 * U / 2
    x = tenths(1_000_000, 5, dtype=np.float16)
    found = lw.jit(lambda x: x.sum(0, dtype=np.float32))(x)
    np.testing.assert_allclose(found, x.sum(0, dtype=np.float64), rtol=64 * U / 2)


def test_means_of_float16():
    """They are sums in float32, rounded once."""
    x = tenths(200_000, 18, dtype=np.float16)
    np.testing.assert_array_equal(lw.jit(lambda x: x.mean(0))(x), x[0])


@pytest.mark.parametrize("axis", [0, 1, None])
def test_random_numbers(axis):
    """Thirty million: the error of a float32 sum is little more than that of its one rounding."""
    x = np.random.default_rng(7).random((1_500_000, 20) if axis == 0 else (20, 1_500_000), np.float32)
    found, exact = np.asarray(lw.jit(lambda x: x.sum(axis))(x)), x.sum(axis, dtype=np.float64)
    assert np.sqrt(np.mean((found / exact - 1) ** 2)) <= 1.2 * U


def test_float64_adds_in_runs_too():
    x = np.full((100_000, 20), 0.1)
    exact = 100_000 * np.longdouble(x[0, 0])
    assert np.max(np.abs(lw.jit(lambda x: x.sum(0))(x) / exact - 1)) <= 2.0**-53 * 64


def test_bits_do_not_depend_on_threads_or_place():
    base = sample(40_001, 77)
    one, three = (lw.jit(lambda x: (x.sum(0), x.sum(1), (x * x).sum()), threads=n) for n in (1, 3))
    x = base[1:, 3:70]
    moved = np.zeros((40_003, 81), np.float32)[2:-1, 9:76]
    moved[:] = x
    identical(three(x), one(x))
    identical(one(moved), one(x))


@pytest.mark.parametrize("rows", [0, 1, 63, 64, 65, 127, 128, 129, 193])
@pytest.mark.parametrize("columns", [1, 15, 16, 17, 33, 100])
def test_sizes_around_a_run(rows, columns):
    def f(x):
        return x.sum(0), (x + 1).sum(1), (x * x).sum(0)

    x = sample(rows, columns, dtype="i4").astype(np.float32)
    for found, exact in zip(lw.jit(f)(x), f(x.astype(np.float64)), strict=True):
        np.testing.assert_array_equal(found, exact)


def test_specials_stay_in_their_columns():
    x = sample(1000, 40)
    x[700, 3], x[5, 7], x[900, 7], x[:, 11] = np.nan, np.inf, -np.inf, -0.0
    x[100, 13] = np.inf
    found = lw.jit(lambda x: x.sum(0))(x)
    assert np.isnan(found[[3, 7]]).all() and found[13] == np.inf and np.isfinite(np.delete(found, [3, 7, 13])).all()
