"""Softmax, log-sum-exp, layer norm and their like, along every axis, with dims of 1 and odd dims."""

import numpy as np
import pytest
from numerics.checking import check
from numerics.data import plain


def softmax(x, axis):
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def logsumexp(x, axis):
    top = x.max(axis=axis, keepdims=True)
    return np.squeeze(top, axis) + np.log(np.exp(x - top).sum(axis=axis))


def layer_norm(x, axis):
    mean, variance = x.mean(axis=axis, keepdims=True), x.var(axis=axis, keepdims=True)
    return (x - mean) / np.sqrt(variance + 1e-5)


def layer_norm_by_hand(x, axis):
    shifted = x - x.mean(axis=axis, keepdims=True)
    return shifted / np.sqrt((shifted**2).mean(axis=axis, keepdims=True) + 1e-5)


def root_mean_square(x, axis):
    return x / np.sqrt((x * x).mean(axis=axis, keepdims=True) + 1e-6)


def log_softmax(x, axis):
    shifted = x - x.max(axis=axis, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True))


def reduced_and_reused(x, axis):
    s = softmax(x, axis)
    return s, s.sum(axis=axis), (s * x).sum(axis=axis), x


def chained(x, axis):
    return softmax(layer_norm(x, axis), axis).sum()


def along_two(x, axis):
    return softmax(x, axis) * softmax(x, tuple(range(x.ndim)))


def where_largest(x, axis):
    return x.argmax(axis=axis), (x == x.max(axis=axis, keepdims=True)).sum(axis=axis)


def standardised(x, axis):
    return (x - x.mean(axis=axis, keepdims=True)) / (x.std(axis=axis, keepdims=True) + 1e-3), x.std(axis=axis, ddof=0)


FUNCTIONS = [softmax, logsumexp, layer_norm, layer_norm_by_hand, root_mean_square, log_softmax, reduced_and_reused]
FUNCTIONS += [chained, along_two, where_largest, standardised]
SHAPES = [(1,), (1000,), (3, 5), (17, 33), (1, 65), (65, 1), (5, 7, 9), (20, 1, 18), (1, 3, 19, 1), (3, 1, 5, 33)]


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_every_axis(function, dtype):
    for shape in SHAPES if dtype == "f4" else [(17, 33), (3, 1, 5, 33)]:
        for axis in range(len(shape)):
            x = plain(dtype, shape) * 3
            others = [x]
            if shape == (17, 33):
                others.append(np.asfortranarray(x))
            if shape == (5, 7, 9):
                others += [x.transpose(2, 0, 1), x[:, ::-1]]
            for y in others:
                try:
                    check(lambda x, axis=axis: function(x, axis), y, ulps=64)
                except Exception as error:
                    error.add_note(f"{shape} axis={axis} strides {y.strides}")
                    raise


def group_norm(x, groups):
    n, c, h, w = x.shape
    y = x.reshape(n, groups, c // groups, h, w)
    mean, variance = y.mean(axis=(2, 3, 4), keepdims=True), y.var(axis=(2, 3, 4), keepdims=True)
    return ((y - mean) / np.sqrt(variance + 1e-5)).reshape(n, c, h, w)


def batch_norm(x):
    mean, variance = x.mean(axis=(0, 2, 3), keepdims=True), x.var(axis=(0, 2, 3), keepdims=True)
    return (x - mean) / np.sqrt(variance + 1e-5), mean.reshape(-1), variance.squeeze()


@pytest.mark.parametrize(
    "shape", [(2, 4, 5, 7), (1, 6, 3, 3), (3, 8, 1, 1), (2, 4, 1, 33), (1, 2, 17, 1), (2, 32, 8, 9), (0, 4, 3, 3)]
)
def test_group_norm(shape):
    x, scale, shift = plain("f4", shape), plain("f4", shape[1], 1), plain("f4", shape[1], 2)
    for groups in (1, 2, shape[1]):
        check(lambda x, groups=groups: group_norm(x, groups), x, ulps=64)
        check(
            lambda x, w, b, groups=groups: group_norm(x, groups) * w[None, :, None, None] + b[None, :, None, None],
            x,
            scale,
            shift,
            ulps=64,
        )
    check(batch_norm, x, ulps=64)
    check(lambda x: layer_norm(x, (2, 3)), x.transpose(0, 3, 1, 2), ulps=64)


def test_infinities_and_nan():
    x = plain("f4", (5, 33))
    x[1], x[2, 3], x[3], x[4, 5] = -np.inf, np.nan, np.inf, np.inf
    for axis in (0, 1):
        check(lambda x, axis=axis: (softmax(x, axis), logsumexp(x, axis), x.argmax(axis), x.min(axis)), x)
