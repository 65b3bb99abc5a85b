"""Gathers and scatters run inside the loop that makes or uses their values; a bad index changes nothing."""

import numpy as np
import pytest
from fusion.checking import check, sample
from numerics.checking import check as values

import loopweld as lw

ROWS, GROUPS, N = 40, 85, 919


def indices(n, *shape, dtype="i8", negative=False):
    """Indices into n elements; each occurs, many of them often."""
    found = np.resize(np.random.default_rng([n, *shape]).permutation(n), shape)
    return (found - (n if negative else 0)).astype(dtype)


def table(*shape, dtype="f4"):
    return sample(*shape, dtype=dtype)


def added(target, index, value):
    target = target.copy()
    np.add.at(target, index, value)
    return target


def put(target, index, value):
    target = target.copy()
    target[index] = value
    return target


def combined(ufunc):
    def f(target, index, value):
        target = target.copy()
        ufunc.at(target, index, value)
        return target

    return f


# ---- gathers -----------------------------------------------------------------------
@pytest.mark.parametrize("dtype", ["i8", "i4", "i2", "u1", "u4", "u8"])
def test_a_gather_in_an_expression(dtype):
    check(lambda t, i, d: np.exp(t[i]) * d, table(GROUPS), indices(GROUPS, N, dtype=dtype), sample(N), sweeps=1)


@pytest.mark.parametrize("dtype", ["f2", "f8", "i4", "?"])
def test_gathered_dtypes(dtype):
    check(lambda t, i: np.where(t[i] > 0, t[i], t[0]), table(GROUPS, dtype=dtype), indices(GROUPS, N))


@pytest.mark.parametrize("dtype", ["i8", "i4", "i1"])
def test_negative_indices(dtype):
    check(lambda t, i, d: t[i] + d, table(GROUPS), indices(GROUPS, N, dtype=dtype, negative=True), sample(N), sweeps=1)


def test_several_indices():
    i, j = indices(GROUPS, N), indices(33, N)
    check(lambda a, b, i, j: a[i] * b[j], table(GROUPS), table(33), i, j, sweeps=1)
    check(lambda x, i, j: x[i, j] + 1, table(20, 30), indices(20, N), indices(30, N), sweeps=1)


def test_a_shared_index_is_read_once():
    check(lambda a, b, i: (a[i] + b[i]) ** 2, table(GROUPS), sample(GROUPS), indices(GROUPS, N), sweeps=1, slack=1)


@pytest.mark.parametrize("shape", [(20, 46), (1, 919), (7, 11, 12)], ids=str)
def test_indices_of_any_rank(shape):
    check(lambda t, i, d: t[i] * d, table(GROUPS), indices(GROUPS, *shape), sample(*shape), sweeps=1)


def test_broadcast_indices():
    d = sample(50, 90)
    check(lambda t, i, d: t[i] * d, table(GROUPS), indices(GROUPS, 1, 90), d)
    check(lambda t, i, d: t[i] * d, table(GROUPS), indices(GROUPS, 90, 1)[:50], d, least=d.nbytes * 2 + 50 * 12)
    check(lambda x, i, j: x[i[:, None], j] * 2, table(20, 30), indices(20, 50), indices(30, 60))


@pytest.mark.parametrize("shape", [(1,), ()], ids=str)
def test_one_index_for_all(shape):
    index = np.full(shape, 3)
    check(lambda t, i, d: t[i] * d, table(GROUPS), index, sample(N), least=2 * 4 * N + 4 + 8)


def test_rows():
    x, i = table(ROWS, 65), indices(ROWS, 77)
    check(lambda x, i: x[i] * 2, x, i)
    check(lambda x, i, w: (x[i] * w[:, None]).sum(axis=1), x, i, sample(77), terms=65)
    check(lambda x, i: x[i].max(axis=0), x, i)


def test_columns():
    x, j = table(ROWS, 65), indices(65, 77)
    check(lambda x, j: np.exp(x[:, j]).sum(axis=0), x, j, terms=40, scale=8)
    check(lambda x, j: x[:, j].sum(axis=1), x, j, terms=77)


def test_mixed_with_slices():
    """What is sliced next to an index array is part of the same loop."""
    x, i = table(ROWS, 65), indices(65, 77)
    least = 77 * 8 + 2 * 4 * (29 * 77)
    check(lambda x, i: x[1:30, i] + 1, x, i, least=least)
    check(lambda x, i: x[i][:, ::-1].T * 2, x, indices(ROWS, 77))
    check(lambda x, i, j: x[:, i, j].sum(axis=0), table(18, 21, 5), indices(21, 200), indices(5, 200), terms=20)


def test_take():
    x, i = table(ROWS, 65), indices(65, 77)
    check(lambda x, i: np.take(x, i, axis=1) * 2, x, i)
    check(lambda x, i: np.take_along_axis(x, i, axis=1) - 1, x, indices(65, ROWS, 70))


@pytest.mark.parametrize("mode", ["clip", "wrap"])
def test_take_of_any_index(mode):
    """Clipped and wrapped indices need no check."""
    i = indices(200, 200) - 60
    report = check(lambda t, i: np.take(t, i, mode=mode) * 2, table(GROUPS), i)
    assert report.kernels[0].sweeps == 1


@pytest.mark.parametrize("size", [8, 100])
def test_one_comparison_says_whether_an_index_is_in_range(size):
    """The check and the gather share it, and the wrapped index."""
    text = lw.jit(lambda t, i: t[i].sum()).lower(table(size), indices(size, N)).as_text("fused")
    body = text[: text.index("weld.check")]
    assert [body.count(f"weld.{op} ") for op in ("lt", "ge", "and", "or", "select")] == [1, 1, 0, 0, 1], text


def test_computed_indices():
    check(lambda t, i: t[(i * 3 + 1) % GROUPS] + 1, table(GROUPS), indices(GROUPS, N), sweeps=1)
    check(lambda t, i, j: t[i[j]] * 2, table(GROUPS), indices(GROUPS, 120), indices(120, N), sweeps=1)


PICKED = {
    "of an expression": lambda x, y, i: np.take_along_axis(np.exp(x) * y, i[:, None], axis=1)[:, 0],
    "of a row's results": lambda x, y, i: (x / y.sum(axis=1, keepdims=True))[np.arange(x.shape[0]), i],
    "twice": lambda x, y, i: (np.tanh(x) - y)[np.arange(x.shape[0]), np.stack([i, i // 2])],
    "of shifted rows": lambda x, y, i: np.sin(x * y)[np.arange(1, x.shape[0]), i[1:]],
    "of two": lambda x, y, i: np.exp(x)[np.arange(x.shape[0]), i] + np.exp(y)[np.arange(y.shape[0]), i],
    "of columns": lambda x, y, i: np.take_along_axis(np.exp(x.T + y.T), i[None], axis=0)[0],
    "of a gather": lambda x, y, i: np.exp(x[:, ::-1])[i, :][np.arange(x.shape[0]), i],
    "through a pad": lambda x, y, i: np.pad(np.exp(x), ((0, 0), (1, 2)))[np.arange(x.shape[0]), i],
}


@pytest.mark.parametrize("name", PICKED)
def test_one_element_of_each_row(name):
    """It is computed where it is needed: no row is stored."""
    f = PICKED[name]
    for x, y in (
        (sample(40, 67), sample(67, 40).T.copy() + 3),
        (sample(67, 40, dtype="f8").T, sample(40, 67, dtype="f8") + 3),
    ):
        for index in (indices(40, 40), indices(40, 40, dtype="i4", negative=True)):
            report = check(f, x, y, index, kernels=None, terms=67)
            assert len(report.kernels) == 1 and report.temporary_bytes == 0
            assert report.scratch_bytes == 0 or name == "through a pad", report
    with pytest.raises(IndexError):
        lw.jit(f)(sample(40, 67), sample(40, 67), np.full(40, 99))


def test_gathers_of_what_is_stored_anyway():
    """A result is read back; an expensive table that is read more often than it has elements is stored."""

    def f(x, i):
        e = np.exp(x)
        return e, e[np.arange(x.shape[0]), i]

    x, index = sample(40, 67), indices(40, 40)
    check(f, x, index)
    report = check(lambda w, i: np.exp(w)[i], sample(GROUPS), indices(GROUPS, N), kernels=None)
    assert report.scratch_bytes >= 4 * GROUPS


def test_scattered_along_rows():
    """Each row has its own element: rows need no order, and no partial results."""

    def f(x, y, i):
        return added(x, (np.arange(x.shape[0]), i), y[:, 0]), put(x, (np.arange(x.shape[0]), i), 7.0)

    x = sample(40, 67)
    check(f, x, sample(40, 67) + 1, indices(40, 40), kernels=None)
    values(lambda x: put(x, np.arange(x.shape[0]), 3.0), x, exact=True)
    values(lambda x, y: put(x, np.arange(1, x.shape[0]), y[1:]), x, x + 1, exact=True)


def test_transposed_tables():
    check(lambda x, i: x[i] * 2, table(65, ROWS).T, indices(ROWS, 77))
    check(lambda t, i, d: t[i] * d, table(2 * GROUPS)[::2], indices(GROUPS, 2 * N)[::-2], sample(2 * N)[::2])


# ---- gathers under reductions ------------------------------------------------------
@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "i4"])
def test_a_bare_sum(dtype):
    report = check(lambda t, i: t[i].sum(), table(GROUPS, dtype=dtype), indices(GROUPS, N), terms=N)
    assert report.kernels[0].sweeps == 1


@pytest.mark.parametrize("axis", [None, 0, 1])
def test_sums_of_index_matrices(axis):
    check(lambda t, i: np.exp(t[i]).sum(axis=axis), table(GROUPS), indices(GROUPS, 40, 33), sweeps=1, terms=1400)
    check(lambda t, i: t[i].max(axis=axis), table(GROUPS), indices(GROUPS, 40, 33), sweeps=1)


def test_used_twice():
    def f(t, i, d):
        g = t[i]
        return g * d, (g + d).sum(), g.max()

    check(f, table(GROUPS), indices(GROUPS, N), sample(N), sweeps=1, terms=N)


def test_embedding_with_norm():
    def f(words, places, i):
        h = words[i] + places
        return (h - h.mean(axis=1, keepdims=True)) / h.std(axis=1, keepdims=True)

    check(f, table(50, 65), table(77, 65), indices(50, 77), terms=65)


@pytest.mark.parametrize("n", [0, 1, 2, 15, 16, 17, 31, 33, 129])
def test_sizes(n):
    i = indices(7, n)
    values(lambda t, i, d: (t[i] * d, t[i].sum(), added(t, i, d)), table(7), i, sample(n), terms=n + 1)
    values(lambda t, i: t[i].sum(axis=1), table(7, 5), i)


# ---- indices that are constants ----------------------------------------------------
def operations(f, *args):
    return {op for kernel in lw.jit(f).lower(*args).compile().report.kernels for op in kernel.ops}


@pytest.mark.parametrize("n", [0, 1, 33, N])
def test_constant_indices_are_checked_when_the_program_is_made(n):
    i, columns = indices(13, n), indices(5, n)

    def f(t, u, d):
        return t[i] * d, u[i, columns] + u[:, columns].sum(), added(np.zeros_like(t), i, d), put(t, i, d)

    args = table(13), table(13, 5), sample(n)  # sizes as small as these are fixed
    values(f, *args, terms=14 * n + 1)
    assert not operations(f, *args) & {"lt", "ge", "and", "select"}


def test_constant_indices_may_count_from_the_end():
    i = np.arange(-33, 33)[::-1] * 2
    values(lambda t, d: (t[i] * d, added(t, i, d)), table(GROUPS), sample(66))
    assert "lt" in operations(lambda t: t[i % 13 - 13] * 2, table(13))


def test_only_what_constant_indices_choose_is_computed():
    i = indices(4000, 50)
    check(lambda t: np.exp(t)[i].sum(), table(4000), kernels=None)
    assert [k.sweeps for k in lw.jit(lambda t: np.exp(t)[i].sum()).lower(table(4000)).compile().report.kernels] == [1]


# ---- scatters ----------------------------------------------------------------------
SCATTERS = {"add": np.add, "subtract": np.subtract, "maximum": np.maximum, "minimum": np.minimum}


@pytest.mark.parametrize("name", SCATTERS)
@pytest.mark.parametrize("dtype", ["f4", "f8", "i4"])
def test_scatter_of_an_expression(name, dtype):
    f = combined(SCATTERS[name])
    d = sample(N, dtype=dtype, high=9)
    check(lambda t, i, d: f(t, i, d * 2), table(GROUPS, dtype=dtype), indices(GROUPS, N), d, sweeps=1, terms=N)


def test_scatter_multiply():
    f = combined(np.multiply)
    d = sample(N, low=0.9, high=1.1)
    check(lambda t, i, d: f(t, i, d + 0.01), table(GROUPS), indices(GROUPS, N), d, sweeps=1, ulps=64)


def test_scatter_set():
    """The last write of an index stays, as in NumPy."""
    i = indices(GROUPS, N)
    check(lambda t, i, d: put(t, i, np.exp(d)), table(GROUPS), i, sample(N), sweeps=1)
    values(lambda t, i, d: put(t, i, d * 2), table(4), np.array([3, 1, 3, 3, -1, 1]), sample(6), exact=True)


def test_scatter_into_zeros():
    check(lambda t, i, d: added(np.zeros_like(t), i, d * t[i]), table(GROUPS), indices(GROUPS, N), sample(N), terms=N)


def test_a_few_negative_indices():
    """Lanes whose index counts from the end are updated in their turn."""
    i = indices(GROUPS, N)
    i[[40, 41, 300, N - 1]] -= GROUPS
    check(lambda t, i, d: added(np.zeros_like(t), i, d / t[i]), 1 + table(GROUPS) ** 2, i, sample(N), terms=N)


def test_indices_that_are_updated_themselves():
    i = indices(N, N)
    assert np.array_equal(lw.jit(lambda i: added(i, i, 1), donate=("i",))(i.copy()), added(i, i, 1))


def test_scatter_of_weights():
    def f(i, w):
        return np.bincount(i, weights=np.exp(w), minlength=GROUPS)

    args = indices(GROUPS, N), sample(N, dtype="f8")
    values(f, *args, terms=N)
    report = lw.jit(f).explain(*args)
    assert len(report.kernels) == 1 and report.bytes_moved == report.bytes_minimum


def test_scatter_of_rows():
    check(lambda t, i, v: added(t, i, v * 2), table(ROWS, 65), indices(ROWS, 77), sample(77, 65), terms=77)
    check(
        lambda t, i, v: added(t, (slice(None), i), v * 2), table(ROWS, 65), indices(65, 77), sample(ROWS, 77), terms=77
    )


def test_scatter_by_two_indices():
    i, j, v = indices(20, N), indices(30, N), sample(N)
    check(lambda t, i, j, v: added(t, (i, j), v * 2), table(20, 30), i, j, v, terms=N)
    check(lambda t, i, v: added(t, (i, i), v * 2), table(30, 30), j, v, terms=N)


def test_scattered_and_used():
    def f(t, i, d):
        e = np.exp(d)
        return added(t, i, e), e

    report = check(f, table(GROUPS), indices(GROUPS, N), sample(N), sweeps=1, terms=N)
    assert report.kernels[0].ops.count("exp") == 1


def test_scattered_and_reduced():
    def f(t, i, d):
        e = np.exp(d)
        return added(t, i, e), e.sum(), e.max(), e

    check(f, table(GROUPS), indices(GROUPS, N), sample(N), sweeps=1, terms=N)
    check(lambda t, i, d: (put(t, i, d * 2), (d * 2).sum()), table(GROUPS), indices(GROUPS, N), sample(N), terms=N)


def test_rows_scattered_and_reduced():
    def f(t, i, gain, dy):
        v = dy * gain
        return added(t, i, v), v.sum(axis=0), v.sum(axis=1)

    check(f, table(ROWS, 65), indices(ROWS, 77), sample(65), sample(77, 65), terms=77)


def test_several_scatters_through_one_index():
    def f(a, b, c, i, d):
        return added(a, i, np.exp(d)), added(b, i, d * d), added(c, i, d)

    a, b, c = table(GROUPS), sample(GROUPS) + 1, sample(GROUPS) * 2
    check(f, a, b, c, indices(GROUPS, N), sample(N), sweeps=1, terms=N, scale=8)


def test_one_value_through_two_indices():
    def f(a, b, i, j, d):
        e = np.exp(d)
        return added(a, i, e), added(b, j, e)

    check(f, table(GROUPS), table(33), indices(GROUPS, N), indices(33, N), sample(N), sweeps=1, terms=N, scale=8)


def test_gather_and_scatter_of_one_table():
    """What is gathered is the table before the scatter."""
    args = table(GROUPS), indices(GROUPS, N), sample(N)
    check(lambda t, i, d: added(t, i, t[i] * d), *args, terms=N)
    check(lambda t, i, d: put(t, i, t[i] + d), *args)


def test_group_means():
    def f(t, i, d):
        total, count = added(np.zeros_like(t), i, d), added(np.zeros_like(t), i, np.ones_like(d))
        return total / np.maximum(count, 1)

    report = check(f, table(GROUPS), indices(GROUPS, N), sample(N), kernels=None, terms=N)
    read = [t.tensor for k in report.kernels for t in k.reads]
    assert read.count("i") == read.count("d") == 1 and report.temporary_bytes <= 2 * 4 * GROUPS


def test_repeated_indices_have_one_order():
    """The same bits each time, and for each group those of a sum of its own in the order of the index."""
    i, d = indices(7, 2000), sample(2000)
    jitted = lw.jit(lambda t, i, d: added(t, i, d), numerics="strict")
    found = jitted(np.zeros(7, np.float32), i, d)
    np.testing.assert_array_equal(found, jitted(np.zeros(7, np.float32), i, d))
    wanted = np.zeros(7, np.float32)
    np.add.at(wanted, i, d)
    np.testing.assert_array_equal(found, wanted)


# ---- sizes that disagree -----------------------------------------------------------
@pytest.mark.parametrize("n", [99, 101, 118])
def test_an_index_and_values_of_different_sizes(n):
    """An error before anything is written, at the first call and at later ones; size 1 broadcasts as in NumPy."""
    t, i = table(GROUPS), indices(GROUPS, 100)
    for f in (lambda t, i, d: t[i] * d, lambda t, i, d: added(t, i, d)):
        jitted = lw.jit(f)
        for _ in range(2):
            with pytest.raises(ValueError, match="broadcast"):
                jitted(t, i, sample(n))
            np.testing.assert_allclose(jitted(t, i, sample(100)), f(t, i, sample(100)), rtol=1e-5, atol=1e-5)
            np.testing.assert_allclose(jitted(t, i, sample(1)), f(t, i, sample(1)), rtol=1e-5, atol=1e-5)


# ---- indices out of range ----------------------------------------------------------
BAD = [(0, 85), (918, 85), (500, -86), (918, np.iinfo("i8").max), (3, np.iinfo("i8").min)]
PROGRAMS = {
    "gather": lambda t, i, d: (t[i] * d, d * 2),
    "gather_sum": lambda t, i, d: (t[i].sum(), d * 2),
    "scatter": lambda t, i, d: (added(t, i, d), d * 2),
    "scatter_set": lambda t, i, d: (put(t, i, d), (d * 2).sum()),
    "both": lambda t, i, d: (added(t, i, t[i] * d), np.exp(t)),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_bad_index_changes_nothing(name):
    f, args = PROGRAMS[name], (table(GROUPS), indices(GROUPS, N), sample(N))
    jitted = lw.jit(f)
    outs = tuple(np.full_like(np.asarray(r), 7) for r in jitted(*args))
    for place, number in BAD:
        bad = args[1].copy()
        bad[place] = number
        for _ in range(3):
            with pytest.raises(IndexError, match=r"out of bounds.*test_gather_scatter\.py"):
                jitted(args[0], bad, args[2], out=outs)
            assert all((out == 7).all() for out in outs)
    jitted(*args, out=outs)
    for found, wanted in zip(outs, f(*args), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-4)


def test_a_bad_index_leaves_an_argument_that_is_the_result():
    target = table(GROUPS)
    before, bad = target.copy(), indices(GROUPS, N)
    bad[900] = GROUPS
    jitted = lw.jit(lambda t, i, d: added(t, i, d))
    for _ in range(3):
        with pytest.raises(IndexError):
            jitted(target, bad, sample(N), out=target)
        np.testing.assert_array_equal(target, before)


@pytest.mark.parametrize("dtype", ["i1", "u1", "i4", "u8"])
def test_bad_indices_of_all_widths(dtype):
    jitted = lw.jit(lambda t, i: t[i] + 1)
    i = np.zeros(40, dtype)
    jitted(table(60), i)
    i[39] = np.iinfo(dtype).max
    with pytest.raises(IndexError):
        jitted(table(60), i)


def test_a_bad_index_of_rows_and_of_pairs():
    x, i = table(20, 30), indices(20, 50)
    bad = i + 1
    for f in (lambda x, i: x[i] * 2, lambda x, i: x[:, i].sum(axis=1), lambda x, i: x[i, i]):
        with pytest.raises(IndexError):
            lw.jit(f)(x, bad + 10)
    with pytest.raises(IndexError):
        lw.jit(lambda x, i: x[i])(np.zeros((0, 5), np.float32), np.zeros(3, np.int64))
    assert lw.jit(lambda x, i: x[i])(np.zeros((0, 5), np.float32), np.zeros(0, np.int64)).shape == (0, 5)


# ---- gathers of what is computed -----------------------------------------------------
COMPUTED = {
    "a pad": lambda x, i: np.pad(x, ((1, 2), (0, 0)), constant_values=7)[i],
    "a pad under a function": lambda x, i: np.exp(-np.pad(x, 1)[i]),
    "rows joined": lambda x, i: np.concatenate([x, x[:3] * 2], axis=0)[i] + 1,
    "an index": lambda x, i: (x + np.arange(x.shape[0])[:, None].astype(x.dtype))[i],
    "shifted": lambda x, i: np.roll(x, 3, axis=0)[i % 40] - x[i % 40],
    "reduced": lambda x, i: np.pad(x, ((1, 2), (0, 0)))[i].sum(axis=1),
    "two indices": lambda x, i: np.pad(x, 1)[i, i % 9],
}


@pytest.mark.parametrize("name", COMPUTED)
def test_gathers_of_cheap_values(name):
    """They are computed where they are gathered: no row of them waits in memory, also of many more than there are."""
    x = sample(40, 67, dtype="f8")
    report = check(COMPUTED[name], x, indices(40, 900), kernels=None, terms=67)
    assert len(report.kernels) == 1 and report.temporary_bytes == 0
    assert report.scratch_bytes < x.nbytes / 2, report
    values(COMPUTED[name], np.asfortranarray(sample(40, 67))[:, ::-2], indices(40, 17), terms=67)
    values(COMPUTED[name], sample(40, 20, dtype="f2"), indices(40, 31), terms=67, coarsest="f2")


def test_joined_rows_repeated_and_gathered():
    """Which piece an element is of is a quotient of the index, that no cheap test decides."""
    check(_repeated, sample(18, 5), indices(30, 31), kernels=None)


def _repeated(x, i):
    rows = np.broadcast_to(np.concatenate([x, 2 * x], axis=0).reshape(18, 10, 1), (2, 18, 10, 1))
    return rows.reshape(4, 10, 9, 1).reshape(36, 2, 5, 1)[i]
