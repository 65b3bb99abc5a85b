"""Programs that must become one kernel, each with arguments for n rows of m columns."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Program:
    """`arguments(n, m)` makes the inputs; `sweeps` is how often the kernel must walk the domain at least."""

    function: Callable[..., Any]
    arguments: Callable[[int, int], tuple[Any, ...]]
    sweeps: int = 1
    pinned: bool = False
    """The number of columns is part of the program (`np.arange` needs a number)."""


def array(*shape: int) -> Any:
    """Numbers from 0.5 to 1.5, the same ones each time."""
    return np.random.default_rng(sum(shape)).uniform(0.5, 1.5, shape).astype(np.float32)


def matrix(n: int, m: int) -> tuple[Any, ...]:
    return (array(n, m),)


def softmax_rows(x):
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def softmax_columns(x):
    e = np.exp(x - x.max(axis=0))
    return e / e.sum(axis=0)


def layernorm(x, gain, bias):
    centred = x - x.mean(axis=1, keepdims=True)
    variance = (centred * centred).mean(axis=1, keepdims=True)
    return centred / np.sqrt(variance + 1e-5) * gain + bias


def rmsnorm(x, gain):
    return x / np.sqrt((x * x).mean(axis=1, keepdims=True) + 1e-6) * gain


def logsumexp(x):
    m = x.max(axis=1, keepdims=True)
    return np.log(np.exp(x - m).sum(axis=1)) + m[:, 0]


def four_results(x):
    f = np.tanh(x) * 2
    return f.sum(), f.max(axis=0), f.prod(axis=1), f


def column_sums(x):
    return x.sum(axis=0)


def layernorm_backward(x, gain, dy):
    centred = x - x.mean(axis=1, keepdims=True)
    scale = 1 / np.sqrt((centred * centred).mean(axis=1, keepdims=True) + 1e-5)
    xhat = centred * scale
    dxhat = dy * gain
    means = dxhat.mean(axis=1, keepdims=True), (dxhat * xhat).mean(axis=1, keepdims=True)
    return scale * (dxhat - means[0] - xhat * means[1]), (dy * xhat).sum(axis=0), dy.sum(axis=0)


def gauss(x, mu, sigma):
    """Log density of all x, and its derivatives by the two parameters."""
    z = (x - mu) / sigma
    logp = (-0.5 * z * z - np.log(sigma)).sum()
    return logp, (z / sigma).sum(), ((z * z - 1) / sigma).sum()


def rope(x, cos, sin):
    half = x.shape[1] // 2
    return x * cos + np.concatenate([-x[:, half:], x[:, :half]], axis=1) * sin


def pad_chain(x):
    return np.exp(np.pad(np.pad(np.cos(x), 1) * 2, ((2, 0), (0, 2))))


def cross_entropy(x, label):
    """Mean loss of integer labels, and its gradient."""
    m = x.max(axis=1, keepdims=True)
    e = np.exp(x - m)
    s = e.sum(axis=1, keepdims=True)
    picked = np.take_along_axis(x, label[:, None], axis=1)
    loss = (np.log(s) + m - picked).sum()
    return loss, e / s - (np.arange(x.shape[1]) == label[:, None])


PROGRAMS = {
    "softmax_rows": Program(softmax_rows, matrix, sweeps=3),
    "softmax_columns": Program(softmax_columns, matrix, sweeps=3),
    "layernorm": Program(layernorm, lambda n, m: (array(n, m), array(m), array(m)), sweeps=3),
    "rmsnorm": Program(rmsnorm, lambda n, m: (array(n, m), array(m)), sweeps=2),
    "logsumexp": Program(logsumexp, matrix, sweeps=2),
    "four_results": Program(four_results, matrix),
    "column_sums": Program(column_sums, matrix),
    "layernorm_backward": Program(layernorm_backward, lambda n, m: (array(n, m), array(m), array(n, m)), sweeps=3),
    "gauss": Program(gauss, lambda n, m: (array(n * m), array(), array())),
    "rope": Program(rope, lambda n, m: (array(n, m), array(n, m), array(n, m))),
    "pad_chain": Program(pad_chain, matrix),
    "cross_entropy": Program(
        cross_entropy, lambda n, m: (array(n, m), np.arange(n, dtype=np.int64) * 7 % m), sweeps=3, pinned=True
    ),
}
