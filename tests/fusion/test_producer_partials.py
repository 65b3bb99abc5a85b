"""Sums of a value are taken where the value is made, whatever the axes and whether or not it is stored."""

import numpy as np
import pytest
from fusion.checking import check, sample
from fusion.test_mixed_order import layernorm_backward, other

DTYPES = ["f2", "f4", "f8", "i4", "u1", "i8"]
AXES = [None, 0, 1, 2, (0, 1), (0, 2), (1, 2)]


def reductions_of(report):
    return [op for k in report.kernels for op in k.ops]


# ---- stored values -----------------------------------------------------------------
@pytest.mark.parametrize("axis", AXES, ids=str)
def test_a_stored_value_and_its_sum(axis):
    def f(x, scale):
        y = np.tanh(x) * scale
        return y, y.sum(axis=axis)

    report = check(f, sample(18, 21, 34), sample(18, 1, 1), sweeps=1, terms=13000)
    assert reductions_of(report).count("tanh") == 1


@pytest.mark.parametrize("dtype", DTYPES)
def test_dtypes(dtype):
    def f(x):
        y = x * 3
        return y, y.sum(axis=0), y.max(axis=1), y.min(axis=0)

    report = check(f, sample(40, 67, dtype=dtype, high=20), terms=70, scale=70)
    assert report.kernels[0].sweeps == 1


def test_bools():
    def f(x):
        y = x > 0
        return y, y.sum(axis=0), y.any(axis=1), y.all(axis=0)

    check(f, sample(40, 67), sweeps=1)


def test_exclusive_or():
    def f(x):
        y = x * 5
        return y, np.bitwise_xor.reduce(y, axis=0), np.bitwise_and.reduce(y, axis=1), np.bitwise_or.reduce(y, axis=1)

    for dtype in ("i4", "u1", "u8"):
        check(f, sample(40, 67, dtype=dtype, high=100), sweeps=1)


@pytest.mark.parametrize(
    "x", [sample(67, 40).T, sample(80, 201)[::2, ::3], sample(40, 67)[:, ::-1]], ids=["T", "s", "r"]
)
def test_layouts(x):
    def f(x):
        y = np.exp(x)
        return y, y.sum(axis=0), y.max(axis=1), y.sum()

    check(f, x, sweeps=1, terms=2700, scale=8)


# ---- values that are not results ---------------------------------------------------
@pytest.mark.parametrize("dtype", ["f2", "f4", "f8"])
def test_a_value_that_is_only_reduced_is_never_stored(dtype):
    def f(x):
        y = np.exp(x)
        return y.sum(axis=0), y.max(axis=1), y.mean()

    report = check(f, sample(40, 67, dtype=dtype), terms=2700, scale=8)
    assert report.kernels[0].sweeps == 1
    assert reductions_of(report).count("exp") == 1


def test_two_consumers():
    def f(x):
        y = np.exp(x)
        return y, y.sum(axis=0), y * 2 + 1, np.sqrt(y).max(axis=1)

    report = check(f, sample(40, 67), sweeps=1, terms=70, scale=8)
    assert reductions_of(report).count("exp") == 1


def test_two_consumers_of_a_value_that_is_no_result():
    def f(x, y):
        z = np.exp(x) - y
        return z.max(axis=0), np.sqrt(np.abs(z)).sum(axis=0), (z > 0).sum(axis=1)

    report = check(f, sample(40, 67), other(40, 67), sweeps=1, terms=70, scale=8)
    assert reductions_of(report).count("exp") == 1


def test_gelu_backward_with_bias():
    def f(x, dy):
        t = np.tanh(0.7978845608 * (x + 0.044715 * x**3))
        dx = dy * (0.5 * (1 + t) + 0.5 * x * (1 - t * t) * 0.7978845608 * (1 + 0.134145 * x * x))
        return dx, dx.sum(axis=0)

    report = check(f, sample(40, 67), other(40, 67), sweeps=1, terms=70, scale=8)
    assert reductions_of(report).count("tanh") == 1


# ---- after row reductions ----------------------------------------------------------
def gradients():
    return sample(40, 67), sample(67), other(40, 67), sample(40, 67) * 2


def test_a_gradient_and_the_sums_of_its_total():
    def f(x, gain, dy, residual):
        dx, dgain, dbias = layernorm_backward(x, gain, dy)
        total = dx + residual
        return total, dgain, dbias, total.sum(axis=0)

    check(f, *gradients(), terms=70, scale=8)


def test_the_total_is_not_stored_where_nobody_wants_it():
    def f(x, gain, dy, residual):
        dx, dgain, dbias = layernorm_backward(x, gain, dy)
        total = dx + residual
        return dgain, dbias, total.sum(axis=0), total.sum(axis=1)

    check(f, *gradients(), terms=70, scale=8)


def test_other_consumers_than_sums():
    def f(x, gain, dy, residual):
        dx, dgain, dbias = layernorm_backward(x, gain, dy)
        total = dx + residual
        return total, dgain, dbias, np.abs(total).max(axis=0), (total * total).sum(), total.min(axis=1)

    check(f, *gradients(), terms=2700, scale=8)


def test_a_transposed_result():
    def f(x, gain, dy, residual):
        dx, dgain, dbias = layernorm_backward(x, gain, dy)
        total = dx + residual
        return total.T, dgain, dbias, total.sum(axis=0)

    check(f, *gradients(), terms=70, scale=8)


def test_through_an_expanding_reshape():
    """Rows of tokens become images: the residual and the sums are over four axes."""

    def f(x, gain, dy, residual):
        dx, dgain, dbias = layernorm_backward(x, gain, dy)
        total = dx.reshape(4, 5, 5, 33) + residual
        return total, dgain, dbias, total.sum(axis=(0, 1, 2))

    check(f, sample(100, 33), sample(33), other(100, 33), sample(4, 5, 5, 33), terms=100, scale=8)


def test_through_a_roll_of_windows():
    def f(x, gain, dy, residual):
        dx, dgain, dbias = layernorm_backward(x, gain, dy)
        total = np.roll(dx.reshape(4, 5, 5, 33), (2, 2), axis=(1, 2)) + residual
        return total, dgain, dbias, total.sum(axis=(0, 1, 2))

    check(f, sample(100, 33), sample(33), other(100, 33), sample(4, 5, 5, 33), terms=100, scale=8)


def test_column_sums_of_a_norm():
    def f(x, gain):
        y = x / np.sqrt((x * x).mean(axis=1, keepdims=True) + 1e-6) * gain
        return y, y.sum(axis=0)

    check(f, sample(40, 67), sample(67), sweeps=2, terms=70)


def test_probabilities_and_their_means_over_the_batch():
    def f(x):
        e = np.exp(x - x.max(axis=1, keepdims=True))
        p = e / e.sum(axis=1, keepdims=True)
        return p, p.mean(axis=0), (p * p).sum()

    report = check(f, sample(40, 67), terms=70)
    assert report.kernels[0].sweeps == 3
