"""Norms of rows, and a backward pass, which has sums of rows and of columns."""

import math
from typing import Any

import numpy as np

from .registry import case, matrices, prange

f32 = np.float32
WIDTH = 768


def norm(xp: Any, x: Any, gain: Any, shift: Any) -> Any:
    d = x - xp.mean(x, axis=-1, keepdims=True)
    return d / xp.sqrt(xp.mean(d * d, axis=-1, keepdims=True) + 1e-5) * gain + shift


layernorm = case("layernorm", "norms", matrices(1, WIDTH, 2), {"flop": 7})(norm)


@layernorm.loops
def _(x, gain, shift, out, parts):
    n = f32(x.shape[1])
    for r in prange(x.shape[0]):
        total = f32(0)
        for j in range(x.shape[1]):
            total += x[r, j]
        mu = total / n
        total = f32(0)
        for j in range(x.shape[1]):
            d = x[r, j] - mu
            total += d * d
        factor = f32(1) / math.sqrt(total / n + f32(1e-5))
        for j in range(x.shape[1]):
            out[r, j] = (x[r, j] - mu) * factor * gain[j] + shift[j]


@case("rmsnorm", "norms", matrices(1, WIDTH, 1), {"flop": 4})
def rmsnorm(xp, x, gain):
    return x / xp.sqrt(xp.mean(x * x, axis=-1, keepdims=True) + 1e-6) * gain


@rmsnorm.loops
def _(x, gain, out, parts):
    n = f32(x.shape[1])
    for r in prange(x.shape[0]):
        total = f32(0)
        for j in range(x.shape[1]):
            total += x[r, j] * x[r, j]
        factor = f32(1) / math.sqrt(total / n + f32(1e-6))
        for j in range(x.shape[1]):
            out[r, j] = x[r, j] * factor * gain[j]


@case("layernorm_backward", "norms", matrices(2, WIDTH, 1), {"flop": 18}, tolerance=1e-3)
def layernorm_backward(xp, x, dy, gain):
    """The gradients of x, gain and shift: sums of rows and sums of columns of the same values."""
    d = x - xp.mean(x, axis=1, keepdims=True)
    factor = 1 / xp.sqrt(xp.mean(d * d, axis=1, keepdims=True) + 1e-5)
    h, w = d * factor, dy * gain
    mean, slope = xp.mean(w, axis=1, keepdims=True), xp.mean(w * h, axis=1, keepdims=True)
    return (w - mean - h * slope) * factor, xp.sum(dy * h, axis=0), xp.sum(dy, axis=0)


@layernorm_backward.loops
def _(x, dy, gain, dx, dgain, dshift, parts):
    rows, columns = x.shape
    n = f32(columns)
    gains = np.zeros((parts, columns), np.float32)
    shifts = np.zeros((parts, columns), np.float32)
    step = (rows + parts - 1) // parts
    for part in prange(parts):
        for r in range(part * step, min((part + 1) * step, rows)):
            total = f32(0)
            for j in range(columns):
                total += x[r, j]
            mu = total / n
            total = f32(0)
            for j in range(columns):
                total += (x[r, j] - mu) * (x[r, j] - mu)
            factor = f32(1) / math.sqrt(total / n + f32(1e-5))
            a = f32(0)
            b = f32(0)
            for j in range(columns):
                h = (x[r, j] - mu) * factor
                gains[part, j] += dy[r, j] * h
                shifts[part, j] += dy[r, j]
                a += dy[r, j] * gain[j]
                b += dy[r, j] * gain[j] * h
            a /= n
            b /= n
            for j in range(columns):
                dx[r, j] = (dy[r, j] * gain[j] - a - (x[r, j] - mu) * factor * b) * factor
    for j in range(columns):
        a = f32(0)
        b = f32(0)
        for part in range(parts):
            a += gains[part, j]
            b += shifts[part, j]
        dgain[j] = a
        dshift[j] = b
