"""Assignments and updates by indices, slices and both, of computed values: one loop where indices are read once."""

import numpy as np
import pytest
from fusion.checking import check, sample
from numerics.checking import check as values

import loopweld as lw

RNG = np.random.default_rng(5)


def indices(n, groups, dtype=np.int64):
    return RNG.integers(-groups, groups, n).astype(dtype)


def table(*shape, dtype="f8"):
    return sample(*shape, dtype=dtype)


# ---- where the updates go --------------------------------------------------------------
def diagonal(t, i, v):
    t = t.copy()
    np.add.at(t, (i, i), np.abs(v) * 2)
    return t


def columns(t, i, v):
    t = t.copy()
    np.add.at(t, (slice(None), i), (v - 1)[None, :])  # pyright: ignore[reportArgumentType]  (NumPy: no slices)
    return t


def rows_of_a_slice(t, i, v):
    t = t.copy()
    np.add.at(t[2:30], i, v[:, None] * np.ones(40, v.dtype))
    return t


def a_number(t, i, v):
    t = t.copy()
    np.add.at(t, i, v.sum())
    return t


def a_row_for_all(t, i, v):
    t = t.copy()
    np.add.at(t, i, t[0] * 2)
    return t, v * 2


def a_step(t, i, v):
    t = t.copy()
    t[::3, 1::2] = t[::3, 1::2] * 2 - 1
    t[i] = v[:, None] * 3
    return t


def scattered_apart(t, i, v):
    """The indices have a dim between them, which comes last in the values."""
    t = t.reshape(t.shape[0], 4, -1).copy()
    np.maximum.at(t, (i, slice(None), i % 5), v[:, None] * np.ones(4, v.dtype))  # pyright: ignore[reportArgumentType]
    return t


TARGETS = [diagonal, columns, rows_of_a_slice, a_number, a_row_for_all, a_step, scattered_apart]


@pytest.mark.parametrize(("dtype", "layout"), [("f4", "columns"), ("f8", "steps"), ("f2", "rows"), ("i4", "rows")])
@pytest.mark.parametrize("f", TARGETS, ids=lambda f: f.__name__)
def test_targets(f, dtype, layout):
    change = {"rows": np.ascontiguousarray, "columns": np.asfortranarray, "steps": lambda a: np.repeat(a, 2, 1)[:, ::2]}
    t = change[layout]((table(40, 40) * 9).astype(dtype))
    values(f, t, indices(25, 20), (table(25) * 9).astype(dtype), terms=200)


# ---- how often things are read ---------------------------------------------------------
def test_targets_of_different_lengths():
    """One value into three tables: the value and its index are read once."""

    def f(a, b, c, i, v):
        a, b, c = a.copy(), b.copy(), c.copy()
        value = np.tanh(v) * 2
        np.add.at(a, i, value)
        np.add.at(b, i, value * value)
        np.maximum.at(c, i % 7, value)
        return a, b, c

    args = table(85), table(100), table(30), indices(919, 30), table(919)
    check(f, *args, sweeps=1, terms=200)


@pytest.mark.parametrize("name", ["f4", "f8"])
def test_gathered_scattered_and_reduced(name):
    """All in one loop over seven hundred observations."""

    def f(a, b, i, j, y):
        r = y - a[i] * b[j]
        da, db = np.zeros_like(a), np.zeros_like(b)
        np.add.at(da, i, -r * b[j])
        np.add.at(db, j, -r * a[i])
        return (r * r).sum(), da, db, np.abs(r).max()

    args = table(40, dtype=name), table(33, dtype=name), indices(700, 40), indices(700, 33), table(700, dtype=name)
    check(f, *args, sweeps=1, terms=700, scale=8)


def test_a_value_written_to_a_slice_and_reduced():
    """A basic slice of a buffer is assigned what is also summed."""

    def f(z, x):
        z = z.copy()
        y = np.exp(x) - 1
        z[3:-2] = y
        return z, y.sum(axis=0)

    check(f, table(45, 33), table(40, 33), kernels=None, terms=40)
    report = lw.jit(f).explain(table(45, 33), table(40, 33))
    assert report.temporary_bytes == 0


def test_updates_that_read_what_they_change():
    """The value is computed from the target as it was before any update."""

    def f(t, i):
        t = t.copy()
        t[i] = t[i[::-1]] * 2 + 1
        np.add.at(t, i, t[i] * 0.5)
        return t

    for n in (1, 7, 100):
        values(f, table(40), indices(n, 40), terms=100)


def test_swaps():
    """Elements change places by two gathers of one target."""

    def f(t, i, j):
        t = t.copy()
        t[i], t[j] = t[j], t[i]
        return t

    order = RNG.permutation(60)
    values(f, table(60), order[:20], order[20:40], exact=True)


def test_views_and_their_base():
    def f(t, i, v):
        t = t.copy()
        part = t[5:25]
        np.add.at(part, i, v)
        part[::2] *= -1
        return t, part.sum(), t[4:7]

    values(f, table(40), indices(50, 20), table(50), terms=50)


@pytest.mark.parametrize("dtype", ["i1", "u1", "i2", "u4", "i8"])
def test_index_dtypes(dtype):
    def f(t, i, v):
        z = np.zeros_like(t)
        np.add.at(z, i, v * t[i])
        return z, t[i].sum()

    index = np.abs(indices(300, 40)) % 40
    check(f, table(40), index.astype(dtype), table(300), sweeps=1, terms=300)


@pytest.mark.parametrize(
    "shapes", [((), (40,)), ((1,), (40,)), ((5, 1), (5, 8)), ((1, 8), (5, 8)), ((5, 8), (5, 8))], ids=str
)
def test_indices_that_broadcast(shapes):
    """Against each other, and against the values."""

    def f(t, i, j, v):
        t = t.copy()
        np.add.at(t, (i, j), v)
        return t, (t[i, j] * v).sum()

    i, j = (RNG.integers(-30, 30, shape) for shape in shapes)
    values(f, table(30, 30), i, j, table(*shapes[1]), terms=40)


def test_no_updates_at_all():
    def f(t, i, v):
        t = t.copy()
        np.add.at(t, i, np.exp(v))
        t[i] = v
        return t, v[i].sum()

    values(f, table(40), np.zeros(0, np.int64), np.zeros(0))


# ---- what must be refused --------------------------------------------------------------
@pytest.mark.parametrize("shapes", [((30,), (31,)), ((30, 4), (30, 5)), ((2, 30), (30, 2))], ids=str)
def test_shapes_that_do_not_fit(shapes):
    """Also where another call of the same program had shapes that did."""
    jitted = lw.jit(lambda x, y: np.exp(x) * y + x)
    good = np.ones(shapes[0])
    jitted(good, good)
    with pytest.raises(ValueError, match="broadcast"):
        jitted(good, np.ones(shapes[1]))


def test_one_element_is_repeated():
    """An axis of one element that was longer when the program was compiled, and the other way round."""
    jitted = lw.jit(lambda x, y: (x * y, (x + y).sum(axis=0)))
    for shapes in (
        ((30, 20), (30, 20)),
        ((30, 20), (1, 20)),
        ((1, 20), (30, 20)),
        ((30, 1), (30, 20)),
        ((1, 1), (30, 20)),
    ):
        x, y = (sample(*shape, dtype="f8") for shape in shapes)
        for found, wanted in zip(jitted(x, y), (x * y, (x + y).sum(axis=0)), strict=True):
            np.testing.assert_allclose(found, wanted, rtol=1e-12)


def test_a_matrix_is_no_small_table_of_its_elements():
    """What follows an update of some elements walks all of them in blocks of its own, not after the updates."""

    def f(x, labels):
        p = np.exp(x)
        p[labels, labels] -= 1
        return p / labels.shape[0]

    x, labels = sample(400, 300), indices(400, 300)
    values(f, x, labels)
    last = lw.jit(f).explain(x, labels).kernels[-1]
    assert last.parallel and last.ops == ("cast", "div")
