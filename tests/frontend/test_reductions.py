"""Reductions, scans and the functions made of them."""

import numpy as np
import pytest
from frontend.checking import check

RNG = np.random.default_rng(0)
X = RNG.standard_normal((5, 20, 3))


@pytest.mark.parametrize("axis", [None, 0, 1, -1, (0, 2), (1, -1), ()])
@pytest.mark.parametrize("dtype", ["f8", "f4", "f2", "i4", "u1", "bool"])
def test_axes(axis, dtype):
    x = (X * 3).astype(dtype)

    def f(x):
        results = [
            np.sum(x, axis),
            np.prod(x, axis=axis),
            np.max(x, axis),
            x.min(axis),
            x.any(axis),
            np.all(x, axis=axis),
        ]
        return [*results, x.mean(axis, keepdims=True), np.max(x, axis, keepdims=True)]

    check(f, x)


@pytest.mark.parametrize("dtype", ["f8", "f4", "f2", "i4"])
@pytest.mark.parametrize("axis", [None, 0, (1, 2)])
def test_spread(axis, dtype):
    check(lambda x: (np.var(x, axis), x.std(axis, ddof=1), np.var(x, axis, keepdims=True)), (X * 3).astype(dtype))


@pytest.mark.parametrize("axis", [None, 0, 1, -1])
def test_positions(axis):
    check(lambda x: (np.argmax(x, axis), x.argmin(axis), np.argmax(x, axis, keepdims=True)), X)


def test_where_and_initial():
    def f(x):
        mask = x > 0
        return (
            np.sum(x, where=mask),
            np.sum(x, axis=0, initial=2.0),
            np.max(x, initial=1.0, where=mask),
            np.mean(x, axis=1, where=mask),
            np.var(x, where=mask),
        )

    check(f, X)


def test_ufunc_methods():
    def f(x):
        return (
            np.add.reduce(x),
            np.maximum.reduce(x, axis=1),
            np.logical_and.reduce(x),
            np.multiply.reduce(x, axis=None),
            np.add.accumulate(x, 1),
            np.subtract.outer(x[0, 0], x[1, 1]),
        )

    check(f, X)
    check(lambda n: (np.bitwise_or.reduce(n, axis=None), np.bitwise_xor.reduce(n)), np.arange(40).reshape(2, 20))


def test_scans_and_differences():
    check(lambda x: (np.cumsum(x), x.cumsum(1), np.cumprod(x, 0), np.cumsum(x > 0), np.diff(x, axis=1)), X)
    check(lambda x: (np.gradient(x[:, :, 0]), np.diff(x, 2, axis=0), np.diff(x, axis=1, prepend=0)), X)


def test_statistics():
    def f(x):
        w = np.abs(x[0, :, 0])
        return np.ptp(x), np.average(x), np.average(x, axis=1, weights=w), np.count_nonzero(x > 0, axis=0)

    check(f, X)


def test_nan_reductions():
    x = np.where(X > 1.5, np.nan, X)
    check(lambda x: (np.nansum(x), np.nanmean(x, 0), np.nanmax(x, 1), np.nanmin(x), np.nanvar(x, 1), np.nanstd(x)), x)


def test_norms():
    def f(x):
        vector = np.linalg.norm
        return (
            vector(x),
            vector(x, axis=1),
            vector(x, 1, axis=0),
            vector(x, np.inf, axis=0),
            vector(x[0]),
            vector(x, 3, 1),
        )

    check(f, X)


def test_empty_axes():
    empty = np.zeros((0, 20))
    check(lambda x: (x.sum(0), x.sum(1), x.prod(), x.any(), x.mean(1), np.max(x, 1)), empty)
    with pytest.raises(ValueError, match="zero-size array to reduction operation maximum"):
        check(lambda x: x.max(), empty)
    with pytest.raises(ValueError, match="attempt to get argmax of an empty sequence"):
        check(lambda x: x.argmax(0), empty)


def test_result_dtype():
    check(
        lambda x: (x.sum(dtype=np.float32), x.mean(dtype=np.float64), np.cumsum(x, 0, dtype=np.int32)), X.astype("f4")
    )
