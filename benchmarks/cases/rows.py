"""Reductions of rows and what follows them: softmax, log-sum-exp, statistics."""

import math
from typing import Any

import numpy as np

from .registry import case, matrices, prange

f32 = np.float32
LOWEST = np.float32(-3e38)


def softmax(xp: Any, x: Any) -> Any:
    e = xp.exp(x - xp.max(x, axis=-1, keepdims=True))
    return e / xp.sum(e, axis=-1, keepdims=True)


def _softmax_loops(x, out, parts):
    for r in prange(x.shape[0]):
        m = LOWEST
        for j in range(x.shape[1]):
            m = max(m, x[r, j])
        total = f32(0)
        for j in range(x.shape[1]):
            e = math.exp(x[r, j] - m)
            out[r, j] = e
            total += e
        factor = f32(1) / total
        for j in range(x.shape[1]):
            out[r, j] *= factor


for columns in (32, 1000, 50_000):
    made = case(f"softmax_{columns}", "rows", matrices(1, columns), {"exp": 1, "flop": 4}, tolerance=1e-3)(softmax)
    made.loops(_softmax_loops)


@case("logsumexp_24", "rows", matrices(1, 24), {"exp": 1, "flop": 3})
def logsumexp(xp, x):
    m = xp.max(x, axis=1)
    return m + xp.log(xp.sum(xp.exp(x - m[:, None]), axis=1))


@logsumexp.loops
def _(x, out, parts):
    for r in prange(x.shape[0]):
        m = LOWEST
        for j in range(x.shape[1]):
            m = max(m, x[r, j])
        total = f32(0)
        for j in range(x.shape[1]):
            total += math.exp(x[r, j] - m)
        out[r] = math.log(total) + m


@case("row_statistics", "rows", matrices(1, 500), {"flop": 5}, tolerance=1e-3)
def row_statistics(xp, x):
    mean = xp.mean(x, axis=1, keepdims=True)
    d = x - mean
    return mean[:, 0], xp.mean(d * d, axis=1), xp.max(x, axis=1)


@row_statistics.loops
def _(x, mean, variance, largest, parts):
    n = f32(x.shape[1])
    for r in prange(x.shape[0]):
        total = f32(0)
        m = LOWEST
        for j in range(x.shape[1]):
            total += x[r, j]
            m = max(m, x[r, j])
        mu = total / n
        total = f32(0)
        for j in range(x.shape[1]):
            d = x[r, j] - mu
            total += d * d
        mean[r] = mu
        variance[r] = total / n
        largest[r] = m
