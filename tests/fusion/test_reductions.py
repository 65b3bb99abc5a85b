"""Reductions of fused expressions: any axes, several at once, in one walk over the input."""

import itertools
import math

import numpy as np
import pytest
from fusion.checking import check, loops_of, sample
from numerics.checking import check as values
from structure.walks import walks

import loopweld as lw
from loopweld.dialects.loop.ops import Store

SHAPE = (20, 18, 33)
AXES = [c for k in (1, 2, 3) for c in itertools.combinations(range(3), k)]
SIZES = [0, 1, 7, 16, 17, 33, 65, 129, 4097]


def stores_inside(f, *args):
    """How many stores the innermost loops of the program have."""
    functions = loops_of(lw.jit(f).lower(*args).compile())
    loops = [loop for function in functions for walk in walks(function.body.block) for loop in walk]
    return sum(isinstance(op, Store) for loop in loops for op in loop.block.ops)


# ---- every kind, over every set of axes -----------------------------------------------
@pytest.mark.parametrize("axes", AXES, ids=str)
def test_floats(axes):
    """All six of one value, which is computed once."""

    def f(x, y):
        v = np.exp(-x * x) + y
        return v.sum(axes), v.prod(axes), v.max(axes), v.min(axes), (v > 1).any(axes), (v > 0.1).all(axes)

    report = check(f, sample(*SHAPE), sample(*SHAPE[::-1], low=0.3, high=1.2).T.copy(), sweeps=1, ulps=200)
    assert report.kernels[0].ops.count("exp") == 1


@pytest.mark.parametrize("axes", AXES, ids=str)
def test_integers(axes):
    def f(x, y):
        v = x ^ (y << 2)
        return (
            np.bitwise_and.reduce(v | 3, axis=axes),
            np.bitwise_or.reduce(v, axis=axes),
            np.bitwise_xor.reduce(v, axis=axes),
            v.sum(axes),
            v.max(axes),
            v.min(axes),
            np.bitwise_xor.reduce(v > y, axis=axes),
        )

    x = sample(*SHAPE, dtype="i4", low=-1000, high=1000)
    check(f, x, x[::-1, ::-1].copy(), sweeps=1, exact=True)


@pytest.mark.parametrize("axis", [None, 0, 1, 2])
@pytest.mark.parametrize("dtype", ["f4", "i2"])
def test_positions(axis, dtype):
    """Of the greatest and the least; the first of equal ones."""

    def f(x):
        v = np.abs(x - 1)
        return v.argmax(axis), v.argmin(axis), v.max(axis)

    x = sample(*SHAPE, dtype=dtype, low=-50, high=50).round()
    check(f, x, sweeps=1, exact=True)


@pytest.mark.parametrize("name", "sum prod max all argmin ptp".split())
@pytest.mark.parametrize("axis", [None, 0, 1])
def test_one_alone(name, axis):
    """Of a bare input and of an expression, in both orders of memory."""
    x = sample(40, 33, dtype="f8", low=0.9, high=1.1)
    check(lambda x: getattr(np, name)(x, axis=axis), x, sweeps=1, ulps=100)
    turned = np.asfortranarray(x)
    check(lambda x: getattr(np, name)(np.sqrt(x) * 1.5 - 0.5, axis=axis), turned, sweeps=1, ulps=100)


@pytest.mark.parametrize("axes", [(0, 2), (1, 3), (0, 1, 3), (0, 3)], ids=str)
def test_axes_that_are_not_neighbours(axes):
    check(lambda x: (np.sin(x) * 2).sum(axes), sample(5, 18, 3, 40), sweeps=1)
    check(lambda x: np.abs(x).max(axes, keepdims=True), sample(17, 4, 20, 6), sweeps=1)


def test_keepdims_where_and_initial():
    def f(x):
        return (
            x.sum(1, keepdims=True),
            np.max(x, axis=0, initial=0.5, where=x < 1),
            np.sum(x, where=x > 0, initial=2),
            np.all(x > -1, axis=(0, 1), keepdims=True),
        )

    check(f, sample(40, 33), sweeps=1)


# ---- several reductions of one value --------------------------------------------------
def test_different_axes_and_the_value():
    def f(x):
        v = np.tanh(x) * 2
        return v.sum(), v.max(0), v.prod(1), v

    report = check(f, sample(40, 33), sweeps=1, ulps=200)
    assert report.kernels[0].ops.count("tanh") == 1


def test_all_axes_of_a_cube():
    def f(x):
        v = np.exp(x) - 1
        return tuple(v.sum(axes) for axes in AXES) + (v,)

    report = check(f, sample(*SHAPE), sweeps=1)
    assert report.kernels[0].ops.count("exp") == 1


def test_rows_and_columns():
    x = sample(400, 133)
    check(lambda x: (x.sum(0), x.sum(1)), x, sweeps=1)
    check(lambda x: (np.abs(x).max(0), np.sqrt((x * x).sum(1)), x.mean()), x, sweeps=1)


def test_reductions_of_different_values():
    """Of two inputs, one of them read by both."""

    def f(x, y):
        return (x * y).sum(1), (x - y).max(0), np.abs(y).min(), (x > y).sum(0)

    check(f, sample(140, 133), sample(133, 140).T.copy(), sweeps=1)


def test_the_value_and_its_sums_in_other_dtypes():
    def f(x):
        v = x * x
        return v.astype(np.float16), v.sum(0, dtype=np.float64), v.sum(1, dtype=np.float64), (v > 1).sum()

    check(f, sample(40, 33), sweeps=1, coarsest=np.float32)


def test_sums_of_a_broadcast():
    """`sum_j f(x_i, y_j)` for each i: the table is never made."""

    def f(x, y):
        return np.exp(-((x[:, None] - y) ** 2)).sum(1)

    check(f, sample(700), sample(433))


def test_many_sums_of_one_input():
    check(lambda x: tuple(((x - k) ** 2).sum(0) for k in range(8)), sample(140, 133), sweeps=1)
    check(lambda x: tuple(((x - k) ** 2).sum() for k in range(8)), sample(140, 133), sweeps=1)


# ---- where the partial results are ---------------------------------------------------
@pytest.mark.parametrize(
    "f",
    [
        lambda x: x.sum(),
        lambda x: (np.exp(x).sum(), x.max(), (x * x).sum(), x.argmin()),
        lambda x: x.sum(1),
        lambda x: (x.sum(1), np.abs(x).max(1), (x < 0).any()),
    ],
    ids=["sum", "four", "rows", "rows and all"],
)
def test_small_results_are_in_registers(f):
    """Nothing is stored in the loops over what is reduced."""
    for x in (sample(140, 133), sample(140, 133, dtype="f8")):
        assert stores_inside(f, x) == 0
        check(f, x, sweeps=1)


def test_a_result_with_stores_has_only_those():
    """The value is stored; its sum beside it is not."""
    assert stores_inside(lambda x: (np.exp(x), np.exp(x).sum()), sample(1000)) == 2  # whole steps and the rest


@pytest.mark.parametrize("shape", [(4000, 3), (3, 4000), (2000, 5, 3), (7, 3000, 2), (1, 5000), (5000, 1)], ids=str)
def test_narrow_arrays(shape):
    """Few rows or few columns: one walk all the same, on vectors."""
    last = len(shape) - 1
    report = check(lambda x: (np.exp(x).sum(0), x.max(last), x.sum()), sample(*shape), sweeps=1)
    assert report.kernels[0].vector_width > 1


# ---- NaN and nothing -----------------------------------------------------------------
@pytest.mark.parametrize("dtype", ["f2", "f4", "f8"])
@pytest.mark.parametrize("size", [1, 7, 17, 129])
def test_nan(dtype, size):
    """It is the greatest and the least, and its first position counts, wherever it stands."""
    x = sample(6, size, dtype=dtype)
    x[0, 0] = x[1, size // 2] = x[2, -1] = x[3, :] = np.nan
    x[4, -1], x[4, 0] = np.inf, -np.inf

    def f(x):
        v = x * 2
        return v.max(1), v.min(1), v.argmax(1), v.argmin(1), v.max(), v.max(0), (v != v).any(1), v.sum(1), v.argmax(0)

    check(f, x, kernels=None)


def test_signed_zeros_and_infinities():
    x = np.array([[-0.0] * 33, [0.0] * 33, [np.inf] + [0.0] * 32, [-np.inf] * 33, [np.inf] * 32 + [-np.inf]], "f4")
    check(lambda x: (x.sum(1), x.prod(1), x.max(1), x.min(0)), x, kernels=None)


@pytest.mark.parametrize("shape", [(0,), (0, 5), (5, 0), (0, 20), (20, 0), (3, 0, 20)], ids=str)
def test_nothing(shape):
    """Sums of nothing are 0, products 1; there is no greatest of nothing."""

    def f(x):
        v = np.exp(x)
        return v.sum(0), v.prod(-1), v.sum(), (v > 0).all(), (v > 0).any(0), v

    values(f, sample(*shape))


@pytest.mark.parametrize("shape", [(0,), (0, 5), (5, 0), (0, 20), (20, 0), (3, 0, 20)], ids=str)
@pytest.mark.parametrize("name", ["max", "argmin"])
def test_the_greatest_of_nothing(shape, name):
    """NumPy's error, or, where nothing is asked for, its empty result."""
    for axis in range(len(shape)):

        def f(x, axis=axis):
            return getattr(np.exp(x), name)(axis)

        if shape[axis] == 0:
            with pytest.raises(ValueError):
                f(sample(*shape))
            with pytest.raises(ValueError):
                lw.jit(f)(sample(*shape))
        else:
            values(f, sample(*shape))


def test_a_size_that_becomes_nothing():
    """The program was compiled for other sizes."""
    f = lw.jit(lambda x: (np.exp(x).sum(0), x.max(1), x.sum()))
    for n, m in ((40, 33), (17, 100), (18, 17)):
        x = sample(n, m)
        for found, wanted in zip(f(x), (np.exp(x).sum(0), x.max(1), x.sum()), strict=True):
            np.testing.assert_allclose(found, wanted, rtol=2e-5, atol=1e-4)
    empty = lw.jit(lambda x: (x[20:].sum(0), x[20:].prod(1), (x[20:] > 0).all()))
    for n in (40, 21, 20, 17):
        x = sample(n, 33)
        for found, wanted in zip(empty(x), (x[20:].sum(0), x[20:].prod(1), (x[20:] > 0).all()), strict=True):
            np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-5)
    most = lw.jit(lambda x: x[20:].max(0))
    np.testing.assert_array_equal(most(sample(40, 33)), sample(40, 33)[20:].max(0))
    with pytest.raises(ValueError):
        most(sample(20, 33))


# ---- what a sum is added up in ---------------------------------------------------------
def test_float16_in_float32():
    """One rounding, at the end; a partial sum may be greater than any float16."""
    x = sample(20, 5000, dtype="f2", low=0, high=1)
    found = lw.jit(lambda x: (x.sum(1), x.sum(0), x.mean(), (x * x).sum(1), (x - 0.5).sum()))(x)
    wide = x.astype(np.float64)
    wanted = wide.sum(1), wide.sum(0), wide.mean(), (wide * wide).sum(1), (wide - 0.5).sum()
    for a, b in zip(found, wanted, strict=True):
        assert np.asarray(a).dtype == np.float16
        rounded = np.asarray(b).astype(np.float16)
        assert np.all(np.abs(np.asarray(a) - rounded) <= np.spacing(np.abs(rounded))), (a, rounded)
    big = np.full(4096, 60000, np.float16)
    big[1::2] *= -1
    assert lw.jit(lambda x: x.sum())(big) == 0


@pytest.mark.parametrize("axis", [0, 1, None])
def test_float32_is_no_worse_than_pairwise(axis):
    """The errors of sums of twenty thousand numbers, by themselves and beside others, against NumPy's of a row."""
    x = sample(*{0: (20000, 64), 1: (64, 20000), None: (64, 100, 200)}[axis], low=0, high=1)
    alone = lw.jit(lambda x: x.sum(axis))
    beside = lw.jit(lambda x: (x.sum(axis), np.sqrt(x), x.max(0), x.min(1)))
    if axis is None:
        rows = x.reshape(64, -1)
        found = [[alone(each) for each in x], [beside(each)[0] for each in x]]
    else:
        rows = np.ascontiguousarray(x if axis else x.T)
        found = [alone(x), beside(x)[0]]
    exact = rows.astype(np.float64).sum(1)

    def error(sums):
        return float(np.sqrt(np.mean((np.asarray(sums) - exact) ** 2)))

    for each in found:
        assert error(each) <= 1.2 * error(rows.sum(1))


def test_a_long_sum_does_not_drift():
    """Each addition of 0.1 to a sum of a million would lose its last bits."""
    x = np.full(3_000_000, 0.1, np.float32)
    found, mean = lw.jit(lambda x: (x.sum(), x.mean()))(x)
    exact = math.fsum([float(x[0])] * 1000) * 3000
    assert abs(float(found) - exact) <= 2e-6 * exact
    assert abs(float(mean) - float(x[0])) <= 1e-6 * 0.1


@pytest.mark.parametrize("dtype", ["i1", "i2", "i4", "u1", "u2", "u4", "?"])
def test_integers_are_widened(dtype):
    limits = (0, 1) if dtype == "?" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
    x = np.where(sample(70, 33) > 0, limits[1], limits[0]).astype(dtype)

    def f(x):
        return x.sum(0), x.sum(1), x.sum(), x.prod(1), x.mean(1), x.max(0), x.argmax(1)

    check(f, x, sweeps=1)
    check(lambda x: (x == x[::-1]).sum(1), x, sweeps=1, exact=True)


@pytest.mark.parametrize("dtype", ["u1", "u2", "u4", "u8", "i1", "i8"])
def test_and_starts_from_all_bits(dtype):
    x = np.full((40, 33), np.iinfo(dtype).max, dtype)
    x[:, 5], x[7, 9] = 0b0110, 0b0011

    def f(x):
        both = [np.bitwise_and.reduce(x, axis=a) for a in (0, 1, None)]
        either = [np.bitwise_or.reduce(x, axis=a) for a in (0, 1, None)]
        return *both, *either, np.bitwise_xor.reduce(x, axis=(0, 1))

    check(f, x, sweeps=1, exact=True)
    values(lambda x: np.bitwise_and.reduce(x, axis=0), x[:0], exact=True)


# ---- sizes and layouts ------------------------------------------------------------------
@pytest.mark.parametrize("dtype", ["f2", "f4", "u1", "?"])
def test_sizes_around_the_lanes(dtype):
    def f(x):
        v = np.abs(x) if dtype != "?" else ~x
        return v.sum(), v.max(initial=0), v.any(), v

    for n in SIZES:
        values(f, sample(n, dtype=dtype))


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8"])
def test_strided_inputs(dtype):
    base = sample(90, 80, dtype=dtype)

    def f(x):
        v = x * x + 1
        return v.sum(0), v.max(1), v.sum(), (x > 0).all(0)

    for x in (base[::2, :33], base[44::-1, 40:73], base.T[3:48, 1:67:2], np.asfortranarray(base), base[:, ::-3]):
        check(f, x, sweeps=1, coarsest=np.dtype(dtype))


def test_views_of_what_is_reduced():
    x = sample(40, 33)
    check(lambda x: np.exp(x).T.sum(0), x, sweeps=1)
    check(lambda x: np.exp(x).reshape(-1).sum(), x, sweeps=1)
    check(lambda x: (np.exp(x)[::-1] * x).sum(1), x, sweeps=1)
    check(lambda x: np.exp(x.reshape(20, 2, 33)).sum((0, 2)), x, sweeps=1)
    check(lambda x: (np.roll(x, 1, axis=0) * x).sum(), x, sweeps=1)


def test_a_reduction_of_rows_again():
    """Each is small against its input; all in one kernel."""
    check(lambda x: np.exp(x).sum(2).max(1), sample(40, 18, 33), sweeps=1)
    check(lambda x: np.sqrt((x * x).sum(1)).sum(), sample(400, 133), sweeps=1)
    check(lambda x: (np.abs(x).max(1) + 1).min(), sample(400, 133), sweeps=1)


def test_products_of_matrices_by_hand():
    check(lambda x, v: (x * v).sum(1), sample(140, 133), sample(133), sweeps=1)
    check(lambda x, v: (x * v[:, None]).sum(0), sample(140, 133), sample(140), sweeps=1)
    check(lambda x, v: (x * v).sum(1).sum() + (x * v).max(), sample(140, 133), sample(133), sweeps=1)
