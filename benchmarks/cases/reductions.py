"""Reductions of everything, alone and with elementwise results."""

import math

import numpy as np

from .registry import case, prange, vectors

f32 = np.float32
LOWEST = np.float32(-3e38)


@case("sum_exp", "full reduction", vectors(1), {"exp": 1, "flop": 2})
def sum_exp(xp, x):
    return xp.sum(xp.exp(x - 3))


@sum_exp.loops
def _(x, out, parts):
    total = f32(0)
    for i in prange(x.size):
        total += math.exp(x[i] - f32(3))
    out[()] = total


@case("huber", "full reduction", vectors(2, "float64"), {"flop": 8}, dtype="float64")
def huber(xp, x, y):
    """The Huber loss: squares of small errors, and lines for large ones."""
    e = xp.abs(x - y)
    return xp.sum(xp.where(e < 1, 0.5 * e * e, e - 0.5))


@huber.loops
def _(x, y, out, parts):
    total = 0.0
    for i in prange(x.size):
        e = abs(x[i] - y[i])
        total += 0.5 * e * e if e < 1 else e - 0.5
    out[()] = total


@case("moments", "full reduction", vectors(1, low=0.0, high=3.0), {"flop": 6}, tolerance=1e-3)
def moments(xp, x):
    """Mean, variance and fourth central moment."""
    mean = xp.mean(x)
    d = x - mean
    return mean, xp.mean(d * d), xp.mean(d * d * d * d)


@moments.loops
def _(x, mean, second, fourth, parts):
    total = 0.0
    for i in prange(x.size):
        total += x[i]
    m = f32(total / x.size)
    two = f32(0)
    four = f32(0)
    for i in prange(x.size):
        d = x[i] - m
        two += d * d
        four += d * d * d * d
    mean[()] = m
    second[()] = two / x.size
    fourth[()] = four / x.size


@case("argmax", "full reduction", vectors(2, low=0.0), {"flop": 3}, work=lambda x, y: x.size)
def argmax(xp, x, y):
    score = x * y - x
    return xp.argmax(score), xp.max(score)


@argmax.loops
def _(x, y, place, largest, parts):
    """Blocks: a maximum in vectors, and a second look only at a block that has a new one."""
    best = np.full(parts, LOWEST)
    where = np.zeros(parts, np.int64)
    step = (x.size + parts - 1) // parts
    for part in prange(parts):
        stop = min((part + 1) * step, x.size)
        for block in range(part * step, stop, 1024):
            end = min(block + 1024, stop)
            m = LOWEST
            for i in range(block, end):
                m = max(m, x[i] * y[i] - x[i])
            if m > best[part]:
                best[part] = m
                where[part] = block
        m = LOWEST
        for i in range(where[part], min(where[part] + 1024, stop)):
            v = x[i] * y[i] - x[i]
            if v > m:
                m = v
                where[part] = i
    k = 0
    for part in range(1, parts):
        if best[part] > best[k]:
            k = part
    place[()] = where[k]
    largest[()] = best[k]
