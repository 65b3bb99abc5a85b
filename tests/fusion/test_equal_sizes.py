"""Sizes that are equal in the example are taken to be equal where loops can then be one; a call that is different gets
a program for all sizes."""

import numpy as np
import pytest
from fusion.checking import check, sample
from fusion.test_mixed_order import rmsnorm, rmsnorm_backward

import loopweld as lw


def norms(a, b, c, gain):
    return rmsnorm(a, gain), rmsnorm(b, gain), rmsnorm(c, gain)


def backward(a, b, c, gain, da, db, dc):
    first, second, third = (rmsnorm_backward(x, gain, dy) for x, dy in ((a, da), (b, db), (c, dc)))
    return first[0], second[0], third[0], first[1] + second[1] + third[1]


def called(f, jitted, *rows, columns=67):
    """Call with arrays of so many rows, and compare."""
    arrays = [sample(n, columns) * (k + 1) for k, n in enumerate(rows)]
    gain = sample(columns)
    args = [*arrays, gain] if f is norms else [*arrays, gain, *(1 - a for a in arrays)]
    for found, wanted in zip(jitted(*args), f(*(a.astype(np.float64) for a in args)), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=2e-4, atol=2e-3)
    return args


@pytest.mark.parametrize("f", [norms, backward], ids=lambda f: f.__name__)
def test_two_programs_for_all_sizes(f):
    jitted = lw.jit(f)
    called(f, jitted, 40, 40, 40)
    called(f, jitted, 129, 129, 129, columns=33)
    assert jitted.cache_info().compilations == 1
    for rows in ((40, 41, 40), (17, 40, 129), (41, 41, 40), (40, 41, 41), (33, 18, 17)):
        called(f, jitted, *rows)
    assert jitted.cache_info().compilations == 2
    args = called(f, jitted, 20, 20, 20)
    assert len(jitted.explain(*args).kernels) == 1  # the program for equal sizes comes first
    assert jitted.cache_info().compilations == 2


def test_unequal_sizes_first():
    jitted = lw.jit(norms)
    for rows in ((40, 41, 42), (40, 40, 40), (40, 40, 41)):
        called(norms, jitted, *rows)
    assert jitted.cache_info().compilations == 1


def test_with_pinned_sizes():
    """Each pinned size has its program; that rows differ adds one."""

    def f(a, b, gain):
        return a * gain, b * gain / len(range(gain.shape[0]))

    jitted = lw.jit(f)
    for n, m, k in ((40, 40, 20), (40, 40, 30), (33, 33, 20), (40, 41, 20), (50, 51, 20), (41, 41, 30)):
        args = sample(n, k), sample(m, k), sample(k)
        for found, wanted in zip(jitted(*args), f(*args), strict=True):
            np.testing.assert_allclose(found, wanted, rtol=1e-6)
    assert jitted.cache_info().compilations == 3


def test_through_functions_and_views():
    """Two leading axes each; the weight is not used as it is."""

    def f(x, y, w):
        scale = 1 + np.abs(w)
        return x * scale, (y + scale[None, ::-1]).sum(axis=0)

    check(f, sample(20, 18, 65), sample(20, 18, 65) + 1, sample(65), kernels=1, reads={"w": 1}, terms=40)


BY_CHANCE = {
    "nothing in common": (lambda x, y, w: (x * 2, np.exp(y).sum(axis=1), w), 1),
    "a number in common": (lambda x, y, w: (x * w[0], y * w[0]), 1),
    "a mean in common": (lambda x, y, w: (x - w.mean(), y - w.mean()), 1),
    "rows and columns of one array": (lambda x, y, w: (x * x[:, :1], x.sum(axis=0), (x * x[:1]).sum(axis=1), w), 1),
    "a weight in common": (lambda x, y, w: (x * w, y * w), 2),
}


@pytest.mark.parametrize("name", BY_CHANCE)
def test_equal_by_chance(name):
    """Where nothing would be gained the sizes stay apart, and other sizes compile nothing."""
    f, compilations = BY_CHANCE[name]
    jitted = lw.jit(f)
    for n, m, k in ((40, 40, 40), (41, 40, 40), (33, 70, 40), (40, 41, 20)):
        args = sample(n, k), sample(m, k) + 1, sample(k)
        for found, wanted in zip(jitted(*args), f(*args), strict=True):
            np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-5)
    assert jitted.cache_info().compilations == compilations


def test_a_compiled_program_says_what_it_takes():
    compiled = lw.jit(norms).lower(sample(40, 67), sample(40, 67), sample(40, 67), sample(67)).compile()
    with pytest.raises(ValueError, match="'b' has size 41 along axis 0, expected s0 = 40"):
        compiled(sample(40, 67), sample(41, 67), sample(40, 67), sample(67))
