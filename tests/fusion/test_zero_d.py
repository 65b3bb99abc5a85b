"""0-d conditions and factors do not split loops, even where the same loop computes them."""

import numpy as np
import pytest
from fusion.checking import check, sample
from fusion.test_gather_scatter import added, indices

N = 900


def positive(*shape, dtype="f8"):
    return np.abs(sample(*shape, dtype=dtype)) + np.dtype(dtype).type(0.1)


def points(dtype="f8", scalar=False):
    """Observations, means and scales, as arrays or with numbers for the parameters."""
    x = sample(N, dtype=dtype)
    if scalar:
        number = np.dtype(dtype).type
        return x, np.asarray(number(0.1)), np.asarray(number(0.7))
    return x, sample(2, N, dtype=dtype)[0], positive(3, N, dtype=dtype)[0]


def logp(x, mu, sigma):
    z = (x - mu) / sigma
    return np.where((sigma > 0).all(), (-0.5 * z * z - np.log(sigma)).sum(), -np.inf)[()]


def logp_and_sums(x, mu, sigma):
    z = (x - mu) / sigma
    valid = (sigma > 0).all()
    value = np.where(valid, (-0.5 * z * z - np.log(sigma)).sum(), -np.inf)[()]
    return value, np.where(valid, (z / sigma).sum(), 0.0)[()], np.where(valid, ((z * z - 1) / sigma).sum(), 0.0)[()]


def logp_and_gradients(x, mu, sigma):
    z = (x - mu) / sigma
    valid = (sigma > 0).all()
    value = np.where(valid, (-0.5 * z * z - np.log(sigma)).sum(), -np.inf)[()]
    return value, np.where(valid, z / sigma, 0.0), np.where(valid, (z * z - 1) / sigma, 0.0)


def logp_inside(x, mu, sigma):
    """The gate is applied to each term."""
    z = (x - mu) / sigma
    return np.where((sigma > 0).all(), -0.5 * z * z - np.log(sigma), -np.inf).sum()


PROGRAMS = [logp, logp_and_sums, logp_and_gradients, logp_inside]


# ---- conditions --------------------------------------------------------------------
@pytest.mark.parametrize("scalar", [False, True], ids=["arrays", "numbers"])
@pytest.mark.parametrize("f", PROGRAMS, ids=lambda f: f.__name__)
def test_gates(f, scalar):
    check(f, *points(scalar=scalar), sweeps=1, terms=N, scale=900)


@pytest.mark.parametrize("f", PROGRAMS, ids=lambda f: f.__name__)
def test_closed_gates(f):
    """One scale is not positive, at the end of the loop that has written everything by then."""
    x, mu, sigma = points()
    for place, number in ((N - 1, 0.0), (0, -1.0), (N - 1, np.nan)):
        sigma[place] = number
        check(f, x, mu, sigma, kernels=None, terms=N)


@pytest.mark.parametrize("dtype", ["f2", "f4"])
def test_gates_in_floats(dtype):
    x, mu, sigma = points(dtype)
    check(logp_and_gradients, x, mu, sigma + sigma.dtype.type(0.5), sweeps=1, terms=N, scale=900, coarsest="f4")


def test_gates_of_strided_inputs():
    """In one order, which is not that of C, and with gaps."""
    x, mu, sigma = (np.asfortranarray(a.reshape(30, 30))[::2] for a in points())
    check(logp_and_gradients, x, mu, sigma, sweeps=1, terms=N, scale=900)


def test_a_gate_from_another_array():
    def f(x, w):
        return np.where((w > 0).all(), x * 2, -1.0)

    report = check(f, sample(N), positive(N, dtype="f4"), kernels=None)
    assert len(report.kernels) <= 2 and report.temporary_bytes <= 64
    assert report.bytes_moved <= 1.05 * report.bytes_minimum


def test_two_gates():
    def f(x, sigma, n):
        return np.where((sigma > 0).all() & (n >= 0).all(), (x * n / sigma).sum(), -np.inf)[()]

    check(f, sample(N, dtype="f8"), positive(N), positive(2, N)[0], sweeps=1, terms=N, scale=90)


def test_a_gate_by_any():
    check(lambda x: np.where((x < 0).any(), np.nan, np.sqrt(x).sum())[()], positive(N), sweeps=1, terms=N)


def test_a_gate_of_a_scatter():
    def f(x, i, sigma, target):
        valid, r = (sigma > 0).all(), x / sigma
        return np.where(valid, (r * r).sum(), -np.inf)[()], added(target, i, np.where(valid, r, 0.0))

    args = sample(N, dtype="f8"), indices(85, N), positive(N), sample(85, dtype="f8")
    check(f, *args, terms=N, scale=400)
    args[2][5] = -1
    check(f, *args, kernels=None, terms=N, scale=400)


def test_a_gate_of_rows():
    def f(x, sigma):
        z = x / sigma
        return np.where((sigma > 0).all(), (z * z).sum(axis=1), -np.inf)

    check(f, sample(40, 67, dtype="f8"), positive(40, 67), terms=67, scale=400)


def test_a_gate_on_a_number():
    """A condition that is an argument costs nothing."""
    check(lambda x, s: np.where(s > 0, x * s, -np.inf), sample(N), np.asarray(np.float32(0.7)), sweeps=1)


def test_gates_of_columns():
    """One condition a column: the columns' own results and values gated by it."""

    def f(x, sigma):
        valid = (sigma > 0).all(axis=0)
        return np.where(valid, (x / sigma).sum(axis=0), -np.inf)

    check(f, sample(40, 67, dtype="f8"), positive(40, 67), terms=67, scale=20)


# ---- factors -----------------------------------------------------------------------
def test_numbers_as_factors():
    def f(x, mu, sigma):
        scale = 1 / np.sqrt(2 * np.pi * sigma * sigma)
        return ((x - mu) * scale).sum(), np.exp(-((x - mu) ** 2)) * scale

    check(f, *points(scalar=True), sweeps=1, terms=N)


def test_a_sum_as_a_factor_of_sums():
    """The factor is applied to the sum."""
    check(lambda x: (x * np.abs(x).sum()).sum(axis=1), sample(40, 67), terms=2700, scale=9e3)
    check(lambda x, w: (x * (x * w).sum()).sum(), sample(N), positive(N, dtype="f4"), terms=N, scale=9e3)


def test_a_sum_as_a_factor_of_a_scatter():
    def f(x, i, w, t):
        return added(np.zeros_like(t), i, x * (x * w).sum())

    args = sample(N, dtype="f8"), indices(85, N), positive(N), sample(85, dtype="f8")
    report = check(f, *args, kernels=None, terms=N, scale=2e3)
    read = [tensor.tensor for k in report.kernels for tensor in k.reads]
    assert read.count("x") == read.count("i") == 1 and report.temporary_bytes <= 8 * 85


def test_a_mean_as_a_divisor_of_sums():
    check(lambda x: ((x / x.mean()).sum(axis=0), x.max()), positive(40, 67, dtype="f4"), terms=2700, scale=10)


# ---- results of 0-d programs -------------------------------------------------------
def test_arithmetic_of_numbers_only():
    """Small epilogues of one loop: no kernel of their own, nothing in memory between."""

    def f(x):
        n, mean = x.shape[0], x.mean()
        square = (x * x).mean()
        spread = np.sqrt(square - mean * mean)
        return mean, spread, np.where(spread > 0, mean / spread, 0.0)[()], mean * np.sqrt(n)

    check(f, sample(N, dtype="f8") + 1, sweeps=1, terms=N)
