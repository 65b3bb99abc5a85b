"""Reshapes that merge and split dims: loops on both sides walk the same parts, and nothing is stored in between."""

import random
from math import prod

import numpy as np
import pytest
from fusion.checking import check, sample
from numerics.checking import check as values

import loopweld as lw


# ---- one reshape between loops ---------------------------------------------------------
def test_rows_below_merged_dims():
    """Row statistics of a flattened array, and what becomes of them in the array's own shape."""

    def f(x, residual):
        rows = x.reshape(-1, x.shape[-1])
        scaled = (rows - rows.mean(1, keepdims=True)) / np.sqrt(rows.var(1, keepdims=True) + 1e-5)
        return scaled.reshape(x.shape) + residual

    for shape in ((6, 40, 33), (40, 3, 5, 20)):
        check(f, sample(*shape), sample(*shape[:-1], 1) + sample(*shape), terms=200)


def test_rows_above_split_dims():
    def f(x, y):
        e = np.exp(x - x.max(1, keepdims=True))
        p = e / e.sum(1, keepdims=True)
        return p.reshape(y.shape) * y

    check(f, sample(120, 33), sample(4, 5, 6, 33), terms=33)


def test_a_value_in_both_shapes():
    """Stored once, used merged and split, reduced along a part."""

    def f(x, w):
        e = np.exp(x) * w
        return e, e.reshape(x.shape[0], 4, -1).sum(2)

    check(f, sample(40, 52), sample(52), sweeps=1, terms=52)


def test_sums_of_two_shapes_of_an_input():
    """The argument is read in two shapes, and once."""
    check(lambda x: (x.reshape(-1, 20, 33).sum((1, 2)), x.max(1)), sample(80, 33), sweeps=1, terms=660)


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("count", [2, 3])
def test_repeats_are_never_stored(axis, count):
    """What is repeated may be small, computed, or a row's statistic."""
    x = sample(18, 24, 30)
    shape = [1, 1, 1]
    shape[axis] = x.shape[axis] // count
    small = sample(*shape)
    check(lambda x, s: x * np.repeat(np.tanh(s), count, axis=axis), x, small, slack=1.06)


def test_a_statistic_of_groups_of_channels():
    def f(x, w):
        groups = x.reshape(x.shape[0], 6, -1)
        scale = 1 / np.sqrt((groups * groups).mean(2) + 1e-6)
        return x * np.repeat(scale, x.shape[1] // 6, axis=1) * w

    check(f, sample(60, 48), sample(48), terms=8)


def test_every_third_element_is_assigned():
    def f(x, y):
        z = np.exp(x)
        z[:, 1::3] = y * 2
        return z + x

    check(f, sample(40, 51), sample(40, 17), sweeps=1)
    check(f, sample(40, 52), sample(40, 17), sweeps=1)


# ---- what cannot fuse --------------------------------------------------------------------
def test_shapes_without_common_parts():
    """Sums of 21 x 34 rows as 34 x 21: the sums go through memory, as another shape of it; the input is read once."""
    x = sample(21, 34, 40)
    report = check(lambda x: np.exp(x.sum(2).reshape(34, 21).max(1)), x, kernels=None, terms=40)
    assert report.temporary_bytes <= 21 * 34 * 4
    assert report.bytes_moved <= x.nbytes + 3 * 21 * 34 * 4


# ---- random programs ---------------------------------------------------------------------
def factors(rng, total):
    """A random shape of `total` elements."""
    shape = []
    for _ in range(rng.randint(0, 3)):
        shape.append(rng.choice([n for n in range(1, total + 1) if total % n == 0]))
        total //= shape[-1]
    return (*shape, total)


def reshape(rng, y):
    shape = factors(rng, prod(y.shape))
    return lambda y: y.reshape(shape)


def transpose(rng, y):
    order = rng.sample(range(y.ndim), y.ndim)
    return lambda y: y.transpose(order)


def repeat(rng, y):
    axis, count = rng.randrange(y.ndim), rng.randint(2, 3)
    return (lambda y: np.repeat(y, count, axis)) if y.size < 3000 else (lambda y: y * 2)


def centre(rng, y):
    axis = rng.randrange(y.ndim)
    return (lambda y: y - y.max(axis, keepdims=True)) if y.size else (lambda y: y + 1)


def cut(rng, y):
    step = rng.choice([1, 2, -1])
    return lambda y: y[..., 1::step]


def assign(rng, y):
    start, step = rng.randint(0, 1), rng.randint(2, 3)

    def f(y):
        z = np.abs(y)
        z[..., start::step] = y[..., start::step] * 3
        return z + y

    return f


def stack(rng, y):
    return (lambda y: np.stack([y, y * 3], axis=-1)) if y.size < 3000 else (lambda y: y[::-1])


STEPS = [reshape, reshape, reshape, transpose, repeat, centre, cut, assign, stack]


@pytest.mark.parametrize("seed", range(60))
def test_random_programs(seed):
    """Integers in floats, so that every order of the sums is exact; of float16 those of one in three, -1, 0 and 1."""
    rng = random.Random(seed)
    dtype, most = ("f4", "f8", "f2")[seed % 3], (8, 8, 1)[seed % 3]
    shape = rng.choices([1, 2, 3, 5, 6, 12, 17, 18, 20, 0], k=rng.randint(1, 3))
    x = y = sample(*shape, dtype=dtype, low=-most, high=most).round() + 0  # no -0.0
    if rng.random() < 0.3:
        x = np.asfortranarray(x)
    steps = []
    for _ in range(rng.randint(2, 7)):
        if y.size:
            steps.append(rng.choice(STEPS)(rng, y))
            y = steps[-1](y)
    places = sorted(rng.sample(range(len(steps) + 1), min(2, len(steps) + 1)))

    def f(x):
        found = [x * 2]
        for step in steps:
            found.append(step(found[-1]))
        return [found[k] for k in places], found[-1].sum(), found[-1].sum(0)

    values(f, x, exact=True)


# ---- shapes for the caller ---------------------------------------------------------------
def test_rows_of_another_shape_and_back():
    """Normalise groups of 5 in rows of 60: the shape of the result costs nothing, whatever it cuts."""

    def f(x):
        rows = x.reshape(-1, 5)
        centred = rows - rows.mean(axis=1, keepdims=True)
        return (centred / np.sqrt((centred * centred).mean(axis=1, keepdims=True) + 1)).reshape(x.shape)

    check(f, sample(54, 60))
    check(f, sample(54, 60, dtype="f8"))


def test_a_result_in_two_shapes_has_two_memories():
    def f(x):
        y = np.exp(x)
        return y, y.reshape(-1), y.reshape(2, -1)

    y, flat, halves = lw.jit(f)(sample(30, 40))
    assert not np.shares_memory(y, flat) and not np.shares_memory(flat, halves) and not np.shares_memory(y, halves)
    np.testing.assert_array_equal(y.reshape(-1), flat)
    np.testing.assert_array_equal(y.reshape(2, -1), halves)
