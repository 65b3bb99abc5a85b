"""Gathers and scatters: several index arrays, negative, repeated and wrong indices, and what surrounds them."""

import itertools

import numpy as np
import pytest
from fusion.test_gather_scatter import combined, put
from numerics.checking import agree, check, reference
from numerics.data import plain

import loopweld as lw

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("dtype", ["i1", "i4", "i8", "u1", "u4", "u8"])
@pytest.mark.parametrize("size", [1, 2, 17, 100])
def test_gather(size, dtype):
    x, low = plain("f4", size), -size if dtype[0] == "i" else 0
    indices = RNG.integers(low, size, 40).astype(dtype)
    check(lambda x, i: (x[i], np.exp(x)[i] * 2, x[i].sum(), np.take(x, i) + 1, x[i].max()), x, indices)
    check(lambda x, i: (x[i], x[i].sum(0), x[i].T, x[i[0]]), x, indices.reshape(8, 5))


@pytest.mark.parametrize("size", [1, 2, 17, 100])
def test_gather_out_of_range(size):
    x, wrong = plain("f4", size), RNG.integers(-size, size, 40)
    for f in (lambda x, i: x[i], lambda x, i: x[i].sum(), lambda x, i: np.take(x, i)):
        compiled = lw.jit(f)
        for bad in (size, -size - 1, 2**40):
            wrong[7] = bad
            with pytest.raises(IndexError):
                compiled(x, wrong)


@pytest.mark.parametrize("shape", [(5, 7), (17, 33), (1, 9), (20, 3)])
def test_gather_from_a_matrix(shape):
    x = plain("f4", shape)
    a, b = RNG.integers(-shape[0], shape[0], 11), RNG.integers(-shape[1], shape[1], 11)
    check(lambda x, a, b: (x[a, b], x[a], x[:, b], x[a][:, b], x[a[:, None], b], x[a].sum(0), x[a].sum(1)), x, a, b)
    check(lambda x, a, b: (np.take(x, b, 1), np.take(x, a, axis=0).max(1), x[a, b[:, None]].sum(0)), x, a, b)
    check(lambda x, a, b: (x.T[b], x[::-1][a], x[a, 0], x[0, b], x[a, None], x[..., b], x[None, a]), x, a, b)
    check(lambda x, a, b: x[a] - x.mean(0) + x[a, b][:, None], x, a, b)
    check(lambda x: np.take_along_axis(x, x.argmax(1)[:, None], 1), x)
    check(
        lambda x, i: -(x - np.log(np.exp(x).sum(1, keepdims=True)))[np.arange(x.shape[0]), i].mean(),
        x,
        b[:1].repeat(shape[0]),
    )


def test_gather_with_three_index_arrays():
    x = plain("f4", (4, 5, 6))
    a, b, c = (RNG.integers(-n, n, 7) for n in x.shape)
    check(
        lambda x, a, b, c: (x[a, b, c], x[a, b], x[:, b, c], x[a, :, c], x[a, 1:3, c], x[a, b][:, ::-1].sum(0)),
        x,
        a,
        b,
        c,
    )
    for indices in ((a + 4, b, c), (a, b + 5, c), (a, b, c - 7)):
        with pytest.raises(IndexError):
            lw.jit(lambda x, a, b, c: x[a, b, c])(x, *indices)


def increase(x, i, v):
    y = x.copy()
    y[i] += v
    return y


def add_and_use(x, i, v):
    y = np.zeros_like(x)
    np.add.at(y, i, np.exp(v))
    return (y + 1) * x, y.sum()


SCATTERS = {"set": put, "increase": increase, "used": add_and_use}
SCATTERS |= {u.__name__: combined(u) for u in (np.add, np.subtract, np.multiply, np.maximum, np.minimum)}


@pytest.mark.parametrize("name", SCATTERS)
def test_scatter(name):
    f = SCATTERS[name]
    for size in (1, 3, 17, 100):
        indices = RNG.integers(-size, size, 33)
        for dtype in ("f4", "f8") if name == "used" else ("f4", "f8", "i4", "u1", "f2"):
            check(f, abs(plain(dtype, size)), indices, abs(plain(dtype, 33, 1)))
        x, v = plain("f4", size), plain("f4", 33)
        check(lambda x, i: f(x, i, 2), x, indices)
        check(lambda x, i, v: f(x, i, v[:1]), x, indices, v)
        check(f, x, indices[:0], v[:0])
        for bad in (size, -size - 1):
            wrong = indices.copy()
            wrong[5] = bad
            with pytest.raises(IndexError):
                lw.jit(f)(x, wrong, v)


@pytest.mark.parametrize("name", SCATTERS)
def test_scatter_into_a_matrix(name):
    f = SCATTERS[name]
    x, i, k = plain("f4", (6, 5)), RNG.integers(-6, 6, 9), RNG.integers(-5, 5, 9)
    check(f, x, i, plain("f4", (9, 5)))
    check(f, x, i, plain("f4", 5))
    check(lambda x, i, k, v: f(x, (i, k), v), x, i, k, plain("f4", 9))
    check(lambda x, k, v: f(x, (slice(None), k), v), x, k, plain("f4", (6, 9)))
    check(f, x, i.reshape(3, 3), plain("f4", (3, 3, 5)))
    with pytest.raises(IndexError):
        lw.jit(lambda x, i, k, v: f(x, (i, k), v))(x, i, k + 5, plain("f4", 9))


@pytest.mark.parametrize("size", [0, 1, 17, 1000])
def test_bincount(size):
    values = RNG.integers(0, 7, size)
    check(lambda i: np.bincount(i, minlength=7)[:7], values)
    if size:
        check(lambda i, w: np.bincount(i, w, minlength=10), values, plain("f8", size))
        with pytest.raises(ValueError):
            lw.jit(lambda i: np.bincount(i, minlength=7))(values - 8)


def assignment(change):
    def f(x):
        y = x.copy()
        change(y)
        return y

    return f


def set_slice(y):
    y[1:3] = 7


def scale_slice(y):
    y[::2] *= 2


def reverse(y):
    y[...] = y[::-1]


def move_down(y):
    y[1:] = y[:-1]


def add_next(y):
    y[:-1] += y[1:]


def through_view(y):
    v = y[::2]
    v += 1


def zero_positive(y):
    y[y > 0] = 0


def swap_ends(y):
    y[0] = y[-1]
    y[-1] = y[0] + 1


def reversed_view(y):
    y[::-1][1:] = y[1:]


def out_and_where(y):
    np.add(y, 1, out=y)
    np.sqrt(y, out=y, where=y > 1)


def whole(y):
    y += y
    y[:] = y - y.mean(0)


CHANGES = [set_slice, scale_slice, reverse, move_down, add_next, through_view, zero_positive, swap_ends, reversed_view]
CHANGES += [out_and_where, whole]


@pytest.mark.parametrize("change", CHANGES, ids=lambda f: f.__name__)
def test_assignments(change):
    for shape in [(5,), (20,), (4, 6), (20, 3), (3, 33)]:
        check(assignment(change), plain("f4", shape))


def test_wrong_index_writes_nothing():
    x, i = plain("f4", 10), np.array([0, 1, 99])
    first, second = np.full(3, 7, "f4"), np.full(3, 7.0)
    with pytest.raises(IndexError):
        lw.jit(lambda x, i: (x[i], i * 1.0))(x, i, out=(first, second))
    assert (first == 7).all() and (second == 7).all()
    before = x.copy()
    with pytest.raises(IndexError):
        lw.jit(combined(np.add))(x, i, np.ones(3, "f4"), out=x)
    np.testing.assert_array_equal(x, before)


def test_one_program_for_many_lengths():
    f = lw.jit(lambda x, i: x[i].sum())
    for size in range(17, 60):
        x, i = plain("f4", size), RNG.integers(-size, size, size)
        agree(f(x, i), reference(lambda x, i: x[i].sum(), x, i), terms=size, scale=3)
    assert f.cache_info().compilations == 1, f.cache_info()


@pytest.mark.parametrize(
    ("dtype", "size"), [*itertools.product(["i4", "u1", "i8", "?"], [7, 1000]), ("i4", 3_000_000), ("?", 3_000_000)]
)
@pytest.mark.parametrize("name", ["bitwise_and", "bitwise_or", "bitwise_xor"])
def test_bits_are_scattered(name, dtype, size):
    """In loops of ours, in several blocks where there are many."""

    def f(v, i):
        z = v[:40].copy()
        getattr(np, name).at(z, i, v[::-1])
        return z, v ^ v[::-1]

    v = plain("f8", size) * 100
    v = v.astype(dtype) if dtype != "u1" else np.abs(v).astype(dtype)
    index = np.arange(size) * 7 % min(size, 40)
    report = check(f, v, index, exact=True)
    assert not report.library_calls


@pytest.mark.parametrize(
    ("dtype", "base"), [("f8", -0.0), ("f4", 7.5), ("f2", 0.0), ("i1", -1), ("u8", 3), ("?", True)]
)
def test_what_updates_start_from(dtype, base):
    def f(x, i, v):
        y = np.full_like(x, base, dtype=dtype)
        np.multiply.at(y, i, v)
        return y

    g = lw.jit(f)
    for size in (17, 63, 64, 65, 127, 1000):
        x, i = np.zeros(size), np.array([0, size - 1, size // 2, 0])
        v = np.array([1, 0, 2, 2]).astype(dtype)
        found, wanted = g(x, i, v), f(x, i, v)
        np.testing.assert_array_equal(found, wanted)
        np.testing.assert_array_equal(np.signbit(found.astype("f8")), np.signbit(wanted.astype("f8")))
    assert g.cache_info().compilations == 1


@pytest.mark.parametrize("index", [([], [-9]), ([[9]], []), ([], -9), ([9], []), ([1], [-9])])
def test_indices_are_only_checked_where_they_are_used(index):
    def read_and_add(x, i, j):
        y = x * 2
        np.add.at(y, (i, j), 1)
        return x[i, j], y

    arguments = (np.ones((3, 4)), *(np.array(i, int) for i in index))
    try:
        expected = read_and_add(*arguments)
    except IndexError:
        with pytest.raises(IndexError, match="out of bounds"):
            lw.jit(read_and_add)(*arguments)
        return
    for found, wanted in zip(lw.jit(read_and_add)(*arguments), expected, strict=True):
        np.testing.assert_array_equal(found, wanted)


def test_parts_of_short_arrays_of_bytes():
    """Selects of bytes by constant masks, in code that LLVM might leave as it is."""
    x = plain("u1", 5).reshape(5, 1)
    check(lambda x: np.concatenate([x, x, np.concatenate([x, x], axis=1)[:, :1]], axis=0).sum(axis=(0, 1)), x)
