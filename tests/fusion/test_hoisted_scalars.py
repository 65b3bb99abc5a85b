"""Conditions and factors that a reduction gives are applied to sums and scatters: the values stay what they were."""

import numpy as np
import pytest
from fusion.checking import check, sample
from numerics.checking import check as values

import loopweld as lw

N = 700


def kernels(f, *args, **options):
    return len(lw.jit(f, **options).explain(*args).kernels)


# ---- conditions --------------------------------------------------------------------
REDUCTIONS = {
    "sum": np.sum,
    "max": np.max,
    "min": np.min,
    "mean": np.mean,
    "any": lambda x, axis=None: (x > 0.5).any(axis=axis),
    "argmax": np.argmax,
}


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8"])
@pytest.mark.parametrize("other", [0.0, -0.0, 2.5, -np.inf, np.nan])
@pytest.mark.parametrize("name", REDUCTIONS)
def test_gates_of_reductions(name, other, dtype):
    x = np.abs(sample(30, 23, dtype=dtype)) + np.dtype(dtype).type(0.1)
    for axis, numerics in ((None, "fast"), (1, "strict")):

        def f(x, axis=axis):
            gated = np.where((x > 0).all(), x, np.asarray(other, x.dtype))
            return REDUCTIONS[name](gated, axis=axis)

        for x[7, 3] in (1, -1):
            values(f, x, terms=700, scale=8, numerics=numerics)


@pytest.mark.parametrize("kind", ["i4", "u1", "i8"])
def test_gates_of_integers(kind):
    x = sample(N, dtype=kind, low=1, high=100)
    for x[3] in (1, 0):
        check(lambda x: np.where((x > 0).all(), x, x.dtype.type(3)).sum(), x, exact=True)
        check(lambda x: np.where((x > 0).all(), x, x.dtype.type(3)).max(), x, exact=True)
        check(lambda x: np.bitwise_or.reduce(np.where((x > 0).all(), x, x.dtype.type(3))), x, exact=True)


def test_one_loop():
    x = sample(N, dtype="f8") + 3
    check(lambda x: np.where((x > 0).all(), np.log(x), -np.inf).sum(), x, sweeps=1, terms=N, scale=8)
    check(lambda x: np.where(x.max() < 9, np.sqrt(x), 0.0).sum(), x, sweeps=1, terms=N, scale=8)
    check(lambda x: (np.where((x > 0).all(), x, 0.0) * 2).sum(), x, sweeps=1, terms=N, scale=20)
    check(lambda x: -np.where(x.min() > 0, np.where(x.max() < 9, x, 1.0), 2.0).sum(), x, sweeps=1, terms=N, scale=20)


def test_a_condition_of_one_element():
    """As `keepdims` leaves it."""
    x = sample(40, 67) + 3
    check(lambda x: np.where((x > 0).all(keepdims=True), x, 0).sum(), x, sweeps=1, terms=2700, scale=9e3)
    check(lambda x: np.where((x > 0).all(keepdims=True), x, 0).sum(axis=0), x, sweeps=1, terms=40, scale=200)


@pytest.mark.parametrize("n", [0, 1, 17])
def test_sizes(n):
    """Nothing is summed over nothing, not even infinity."""
    x = sample(n)
    for other in (2.0, -np.inf, np.nan):
        values(lambda x, o=other: np.where((x > 9).all(), x, np.float32(o)).sum(), x, terms=n)
        values(lambda x, o=other: np.where((x > 9).any(), x, np.float32(o)).sum(), x, terms=n)
        values(lambda x, o=other: np.where((x > 9).any(), x, np.float32(o)).sum(axis=1), sample(3, n), terms=n)
        values(lambda x, o=other: np.where((x > 9).any(), x, np.float32(o)).sum(axis=0), sample(3, n), terms=n)
    values(lambda x: np.where((x > 9).any(), x > 0, np.True_).all(), x)
    values(lambda x: np.where((x > 9).any(), x > 0, np.True_).any(), x)


def test_values_behind_a_closed_gate_do_not_count():
    """NaN and infinities that the condition keeps out stay out."""
    x = sample(N)
    x[5], x[6] = np.nan, np.inf
    values(lambda x: np.where(np.isfinite(x).all(), x, np.float32(0)).sum(), x)
    values(lambda x: np.where(np.isnan(x).any(), np.float32(1), x).max(), x)


# ---- scatters ----------------------------------------------------------------------
AT = {"add": np.add, "multiply": np.multiply, "maximum": np.maximum, "minimum": np.minimum}
NEUTRAL = {"add": 0.0, "multiply": 1.0, "maximum": -np.inf, "minimum": np.inf}


@pytest.mark.parametrize("closed", [False, True])
@pytest.mark.parametrize("numerics", ["fast", "strict"])
@pytest.mark.parametrize("kind", AT)
def test_gates_of_scatters(kind, numerics, closed):
    x = np.abs(sample(N, dtype="f8")) + 0.1
    x[9] = -1 if closed else 1
    i, target = np.arange(N) * 7 % 31, np.append(sample(30, dtype="f8"), -0.0)

    def f(x, i, target):
        gated = np.where((x > 0).all(), x, NEUTRAL[kind])
        y, z = target.copy(), target.copy()
        AT[kind].at(y, i, gated)
        AT[kind].at(z, i, np.where((x > 0).all(), x, 0.5))
        return y, z

    values(f, x, i, target, terms=N, scale=1e4, numerics=numerics)


def test_gate_and_scatter_are_one_loop():
    x, i, target = np.abs(sample(N, dtype="f8")), np.arange(N) * 7 % 31, sample(31, dtype="f8")

    def f(x, i, target):
        y = target.copy()
        np.add.at(y, i, np.where((x >= 0).all(), np.sqrt(x), 0.0))
        return y

    text = lw.jit(f).lower(x, i, target).as_text("kernels")
    assert '"all", "scatter_add i0"' in text or '"scatter_add i0", "all"' in text, text
    values(f, x, i, target, terms=N)


# ---- factors -----------------------------------------------------------------------
@pytest.mark.parametrize("dtype", ["f2", "f4", "f8"])
def test_factors(dtype):
    x, w = sample(40, 67, dtype=dtype), np.abs(sample(40, 67, dtype=dtype)) / 64
    check(lambda x: (x * np.abs(x).sum()).sum(axis=1), x, sweeps=1, terms=2700, scale=9e3)
    check(lambda x, w: (w.max() * x / w.sum() * w).sum(), x, w, sweeps=1, terms=2700, scale=9)
    check(lambda x, w: (x * w / w.mean(keepdims=True)).sum(axis=0), x, w, sweeps=1, terms=2700, scale=90)
    check(lambda x: (x.max(), (x * np.sqrt(np.abs(x).sum())).mean(axis=1)), x, sweeps=1, terms=2700, scale=400)


def test_normalised_kernel_times_vector():
    """`(K / K.sum()) @ v`: one walk over the matrix that is never there."""

    def f(x, y, v):
        k = np.exp(-((x[:, None] - y) ** 2))
        return (k / k.sum()) @ v

    args = sample(90), sample(110), sample(2, 110)[1]
    assert kernels(f, *args) == 1
    values(f, *args, terms=9900)


def test_integer_factors_wrap_around():
    x = sample(N, dtype="i4", low=-(2**31), high=2**31 - 1)
    for numerics in ("fast", "strict"):
        values(lambda x: (x * x.max()).sum(dtype=np.int32), x, numerics=numerics)
    assert kernels(lambda x: (x * x.max()).sum(dtype=np.int32), x, numerics="strict") == 1


def test_strict_multiplies_each_term():
    x = sample(N) * np.float32(1e30)
    f = lambda x: (x / np.abs(x).max()).sum()  # noqa: E731
    assert kernels(f, x) == 1 and kernels(f, x, numerics="strict") == 2
    values(f, x, terms=N, scale=N, numerics="strict")
    values(f, x, terms=N, scale=N)


def test_float16_factors_do_not_overflow():
    """The sum alone is beyond float16."""
    x = np.full(5000, 1000, np.float16)
    assert lw.jit(lambda x: (x / x.max()).sum())(x) == 5000


def test_a_product_that_is_a_result_too():
    """It is one value, and its sum the sum of what is returned."""

    def f(x, w):
        p = x * w.sum()
        return p, p.sum(axis=1)

    values(f, sample(40, 67), np.abs(sample(40, 67)) / 64, terms=2700, scale=400)
