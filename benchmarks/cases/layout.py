"""Slices, pads, concatenations and transposes between arithmetic."""

import math

import numpy as np

from .registry import Array, case, count, matrices, normal, prange

f32 = np.float32
HALF = 32


def _heads(size: str, rng: np.random.Generator) -> list[Array]:
    heads, length = {"S": (1, 64), "M": (8, 2048), "L": (64, 4096)}[size]
    angles = np.arange(length)[:, None] * 10000.0 ** (-np.arange(HALF) / HALF)
    angles = np.concatenate([angles, angles], 1)
    return [normal(rng, heads, length, 2 * HALF), *(f(angles).astype(np.float32) for f in (np.cos, np.sin))]


@case("rope", "layout", _heads, {"flop": 3})
def rope(xp, x, cos, sin):
    """Rotary position embedding."""
    turned = xp.concatenate([-x[:, :, HALF:], x[:, :, :HALF]], axis=2)
    return x * cos + turned * sin


@rope.loops
def _(x, cos, sin, out, parts):
    for h in prange(x.shape[0]):
        for t in range(x.shape[1]):
            for j in range(HALF):
                out[h, t, j] = x[h, t, j] * cos[t, j] - x[h, t, j + HALF] * sin[t, j]
            for j in range(HALF, 2 * HALF):
                out[h, t, j] = x[h, t, j] * cos[t, j] + x[h, t, j - HALF] * sin[t, j]


@case("cos_padded", "layout", matrices(1, 1000), {"cos": 1})
def cos_padded(xp, x):
    return xp.pad(xp.cos(x[1:-1, 8:-8]), ((1, 1), (8, 8)))


@cos_padded.instead("torch")
def _(xp, x):
    return xp.nn.functional.pad(xp.cos(x[1:-1, 8:-8]), (8, 8, 1, 1))


@cos_padded.loops
def _(x, out, parts):
    rows, columns = x.shape
    for r in prange(rows):
        for j in range(columns):
            out[r, j] = f32(0)
        if r > 0 and r < rows - 1:
            for j in range(8, columns - 8):
                out[r, j] = math.cos(x[r, j])


@case("heat", "layout", matrices(1, 2048), {"flop": 7})
def heat(xp, u):
    """A step of the heat equation; the border is cold."""
    inner = u[1:-1, 1:-1]
    around = u[:-2, 1:-1] + u[2:, 1:-1] + u[1:-1, :-2] + u[1:-1, 2:]
    return xp.pad(inner + 0.2 * (around - 4 * inner), ((1, 1), (1, 1)))


@heat.instead("torch")
def _(xp, u):
    inner = u[1:-1, 1:-1]
    around = u[:-2, 1:-1] + u[2:, 1:-1] + u[1:-1, :-2] + u[1:-1, 2:]
    return xp.nn.functional.pad(inner + 0.2 * (around - 4 * inner), (1, 1, 1, 1))


@heat.loops
def _(u, out, parts):
    rows, columns = u.shape
    for r in prange(rows):
        if r == 0 or r == rows - 1:
            for j in range(columns):
                out[r, j] = f32(0)
        else:
            out[r, 0] = f32(0)
            out[r, columns - 1] = f32(0)
            for j in range(1, columns - 1):
                around = u[r - 1, j] + u[r + 1, j] + u[r, j - 1] + u[r, j + 1]
                out[r, j] = u[r, j] + f32(0.2) * (around - f32(4) * u[r, j])


def _square(size: str, rng: np.random.Generator) -> list[Array]:
    n = math.isqrt(count(size, "float32"))
    return [normal(rng, n, n) for _ in range(2)]


@case("transpose_add", "layout", _square, {"flop": 2})
def transpose_add(xp, x, y):
    return x + y.T * 0.5


@transpose_add.loops
def _(x, y, out, parts):
    """Squares of 32 by 32, so that the columns of y stay in the first-level cache."""
    n = x.shape[0]
    for block in prange((n + 31) // 32):
        for first in range(0, n, 32):
            for r in range(block * 32, min(block * 32 + 32, n)):
                for j in range(first, min(first + 32, n)):
                    out[r, j] = x[r, j] + y[j, r] * f32(0.5)
