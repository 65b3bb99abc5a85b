"""Reductions over every set of axes, where NaN, infinities and ties stand, and how exact sums are."""

import functools
import itertools
from typing import Any

import numpy as np
import pytest
from numerics.checking import check, reference
from numerics.data import plain

import loopweld as lw

SHAPES = [(0,), (1,), (1000,), (), (3, 5), (17, 33), (64, 1), (0, 4), (20, 3, 18), (2, 3, 19, 5)]
MANY = [(17, 33), (0, 4)]
"""Shapes for several dtypes, or for the first of them."""
ALONE = [(1,), (17, 33), (20, 3, 18), (5, 7, 9)]
"""Shapes of which each reduction has a program of its own; of others one program has them all."""
SIMPLE = "sum prod max min any all argmax argmin cumsum".split()
COMPOSED = "mean var std ptp nansum nanmax nanmin nanmean nanstd count_nonzero".split()


def axes_of(rank, single):
    """None, every set of axes (or every axis), and a negative number."""
    sets = list(range(rank)) if single else [c for k in range(rank + 1) for c in itertools.combinations(range(rank), k)]
    return [None, *sets, *([-1] if rank else [])]


def outcome(f, x):
    """NumPy's result, or the error that it raises."""
    try:
        return reference(f, x)
    except Exception as error:
        return error


def compare(f, x):
    """NumPy's result, or its error."""
    wanted = outcome(f, x)
    if isinstance(wanted, Exception):
        with pytest.raises(type(wanted)):
            lw.jit(f)(x)
        return
    check(f, x)


def options_of(name, rank, both):
    """The arguments that a reduction is tried with: each axis with and without keepdims, or with either in turn."""
    for number, axis in enumerate(axes_of(rank, name in ("argmax", "argmin", "cumsum"))):
        if name == "cumsum":
            yield {"axis": axis}
        else:
            yield from ({"axis": axis, "keepdims": k} for k in ((False, True) if both else (number % 2 == 0,)))


@pytest.mark.parametrize("name", [*SIMPLE, *COMPOSED])
def test_axes(name):
    function = getattr(np, name)
    for shape in SHAPES if name in SIMPLE else [(1,), (5, 7, 9), *MANY]:
        for dtype in ("f4", "i4", "f2", "?") if shape in MANY[: 1 if name in COMPOSED else 2] else ("f4",):
            x, together = plain(dtype, shape), list[dict[str, Any]]()
            for options in options_of(name, len(shape), both=len(shape) < 3 and dtype == "f4"):
                f = functools.partial(function, **options)
                try:
                    if (dtype == "f4" and shape in ALONE) or isinstance(outcome(f, x), Exception):
                        compare(lambda x, f=f: f(x), x)
                    else:
                        together.append(options)
                except Exception as error:
                    error.add_note(f"{shape} {dtype} {options}")
                    raise
            if together:
                check(lambda x, together=together: [function(x, **options) for options in together], x)


@pytest.mark.parametrize("name", ["argmax", "argmin", "max", "sum"])
def test_leading_axis_kept(name):
    for shape in ((5, 7, 9), (20, 3, 18), (2, 7, 9), (2, 3, 19, 5)):
        for axis in range(len(shape)):
            check(lambda x, axis=axis: getattr(np, name)(x, axis=axis, keepdims=True), plain("f4", shape))


@pytest.mark.parametrize("dtype", ["i1", "i2", "i8", "u1", "u4", "u8", "f8"])
def test_dtypes(dtype):
    for shape in ((1000,), (17, 33), (33, 17)):
        x = plain(dtype, shape)
        for axis in (None, 0, -1):
            check(lambda x, axis=axis: (x.sum(axis), x.prod(axis), x.max(axis), x.argmin(axis), x.mean(axis)), x)


@pytest.mark.parametrize("size", [1, 2, 7, 8, 9, 16, 17, 33, 64, 65, 127, 1000])
@pytest.mark.parametrize("dtype", ["f2", "f4", "f8"])
def test_positions_and_specials(dtype, size):
    rng = np.random.default_rng(size)

    def f(x):
        return x.argmax(1), x.argmin(1), x.argmax(), x.argmin(), x.argmax(0), x.max(), x.min(1), x.max(1), x.min(0)

    for fill in (-np.inf, np.inf, np.nan):
        check(f, np.full((3, size), fill, dtype))
    check(f, rng.integers(0, 3, (5, size)).astype(dtype))
    for place in {0, size // 2, size - 1}:
        x = plain(dtype, (4, size))
        x[1, place], x[2, :], x[3, place], x[0, place] = np.nan, np.nan, -np.nan, -0.0
        check(f, x)
    check(lambda x: (x.argmax(1), x.argmin(1), x.argmax(0)), np.array([[0.0, -0.0] * size, [-0.0, 0.0] * size], dtype))


@pytest.mark.parametrize("dtype", ["?", "i1", "u1", "i4", "i8", "u8"])
def test_positions_of_integers(dtype):
    rng = np.random.default_rng(0)
    for size in (1, 9, 17, 64, 100):
        x = rng.integers(0, 2, (5, size)).astype(dtype)
        check(lambda x: (x.argmax(1), x.argmin(1), x.argmax(), x.argmin(), x.argmax(0), x.argmin(0)), x)
        if dtype != "?":
            for extreme in (np.iinfo(dtype).min, np.iinfo(dtype).max):
                check(lambda x: (x.argmax(1), x.argmin(1), x.max(1), x.min(0)), np.full_like(x, extreme))


@pytest.mark.slow
def test_large_sums_are_exact_enough():
    """Ten million float32: as close to the float64 sum as pairwise summation is."""
    for x in (np.random.default_rng(0).random(10_000_000, np.float32), np.full(10_000_000, 0.1, np.float32)):
        exact = x.astype(np.float64)
        for found, wanted in zip(lw.jit(lambda x: (x.sum(), x.mean()))(x), (exact.sum(), exact.mean()), strict=True):
            assert abs(found - wanted) <= 1e-6 * wanted


@pytest.mark.parametrize(("dtype", "offset"), [("f4", 1e4), ("f8", 1e8), ("f8", 1e12)])
def test_variance_of_data_with_an_offset(dtype, offset):
    x = (np.random.default_rng(0).standard_normal((3, 10000)) + offset).astype(dtype)
    wanted = x.astype(np.float64).var(1)
    for f in (lambda x: x.var(1), lambda x: (x - x.mean(1, keepdims=True)).var(1), lambda x: x.std(1) ** 2):
        np.testing.assert_allclose(lw.jit(f)(x), wanted, rtol=1e-2)


def test_repeated_calls_give_the_same_bits():
    f = lw.jit(lambda x: (x.sum(), x.sum(0), np.exp(x).mean(1), x.var()))
    x = plain("f4", (333, 217))
    first = f(x)
    memory = np.zeros(x.size + 64, "f4")
    for offset in (0, 1, 3, 8, 17):
        other = memory[offset : offset + x.size].reshape(x.shape)
        other[...] = x
        for a, b in zip(f(other), first, strict=True):
            np.testing.assert_array_equal(a, b)
