"""Small work beside the rows of a kernel: before its loops, inside or after them; and what must keep its order."""

from typing import Any

import numpy as np
import pytest
from fusion.test_gather_scatter import added, put
from structure.programs import array

import loopweld as lw


def softmax(x, axis):
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def indices(n: int, *shape: int) -> Any:
    return np.random.default_rng([n, *shape]).integers(-n, n, shape)


def check(f, *args, kernels=1) -> None:
    compiled = lw.jit(f).lower(*args).compile()
    wanted, found = f(*args), compiled(*args)
    if not isinstance(wanted, tuple):
        wanted, found = (wanted,), (found,)
    for a, b in zip(found, wanted, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5 * max(1, np.max(np.abs(b), initial=0)))
    assert len(compiled.report.kernels) == kernels


@pytest.mark.parametrize("k", [3, 20])
@pytest.mark.parametrize("n", [17, 1000, 200_000])
def test_values_of_columns_come_first(n, k):
    """With many rows the blocks of all threads read them."""

    def f(x, w, mean):
        t = np.log(w) - 0.5 * (x[:, None] - mean) ** 2
        m = t.max(axis=1, keepdims=True)
        return (np.log(np.exp(t - m).sum(axis=1, keepdims=True)) + m).sum(), np.log(w).sum()

    check(f, array(n), array(k), array(k))


@pytest.mark.parametrize("n", [3, 919, 300_000])
def test_groups_beside_the_data(n):
    """A table computed for the gathers, one that a scatter starts from, and what is left to do with the sums."""

    def f(mean, scale, raw, group, y):
        a = mean + scale * np.tanh(raw)
        r = y - a[group]
        return (r * r).sum() + (raw * raw).sum(), added(-raw, group, r), added(np.zeros_like(raw), group, r) * scale

    check(f, array(), array(), array(85), indices(85, n), array(n))


def test_an_init_that_is_needed_elsewhere_stays():
    def f(a, i, v):
        b = np.exp(a)
        return added(b, i, v), b.sum(), b

    check(f, array(85), indices(85, 919), array(919))


@pytest.mark.parametrize("shape", [(40, 33), (40, 3), (3, 40)])
def test_updates_keep_their_order(shape):
    """Of several values for one place the last one in row-major order stays, whatever dim is across the lanes."""

    def f(t, i, v):
        p = softmax(v, 1)
        return put(t, i, p), p.sum(axis=1)

    check(f, array(20), indices(20, *shape), array(*shape))


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("shape", [(37, 70), (3, 100), (100, 3)])
def test_elements_picked_from_a_row(shape, axis):
    """By indices known only at run time, from a row that is kept in scratch, or in lanes."""
    check(lambda x, j: np.take(softmax(x, axis), j, axis=axis) * 2, array(*shape), indices(shape[axis], 23))


@pytest.mark.parametrize("shape", [(33, 40), (5, 6), (40, 2)])
def test_guarded_reads_of_a_row(shape):
    """Zeros in the pad, though the value next to it is in a register."""

    def padded(x):
        return np.pad(x / np.sqrt((x * x).sum(axis=1, keepdims=True)), ((0, 0), (1, 2)))

    check(padded, array(*shape))
    check(lambda x: np.pad(np.broadcast_to(x.sum(), (3,)), 1) * 2, array(7))


ROWS = {
    "rows": lambda x, i: x[i] * 2,
    "columns": lambda x, i: x[:, i] + 1,
    "pairs": lambda x, i: x[i[:, None], i] * 3,
    "sums": lambda x, i: np.exp(x[i]).sum(axis=1),
}


@pytest.mark.parametrize("name", ROWS)
def test_a_check_beside_the_rows(name):
    """The kernel that writes the results finds out on the way that an index is wrong; nobody sees what it wrote."""
    f, x, i = ROWS[name], array(40, 40), indices(40, 77)
    check(f, x, i)
    jitted = lw.jit(f)
    out = jitted(x, i)
    wanted = out.copy()
    for place, number in ((0, 40), (76, 40), (30, -41), (76, np.iinfo(np.int64).min)):
        bad = i.copy()
        bad[place] = number
        for _ in range(4):
            with pytest.raises(IndexError):
                jitted(x + 1, bad, out=out)
            np.testing.assert_array_equal(out, wanted)
