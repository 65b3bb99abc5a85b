"""How a compiled function is called: `out=`, overlapping memory, scalars, containers, many sizes, many threads."""

import threading

import numpy as np
import pytest
from numerics.checking import agree, check_out, reference
from numerics.data import plain

import loopweld as lw


@pytest.mark.parametrize("size", [1, 5, 33, 1000])
def test_out_is_the_input(size):
    for f in (lambda x: x + 1, lambda x: x[::-1] * 2, lambda x: x - x.mean(), np.cumsum, lambda x: np.roll(x, 1)):
        x = plain("f4", size)
        wanted = f(x)
        assert lw.jit(lambda x, f=f: f(x))(x, out=x) is x
        agree(x, wanted, terms=size, scale=9)


@pytest.mark.parametrize("offset", [1, 3, -2, 16])
def test_out_overlaps_the_input(offset):
    for f in (lambda x: x * 2, lambda x: x[::-1] + 1, np.cumsum):
        memory = plain("f4", 300)
        x, out = memory[50:150], memory[50 + offset : 150 + offset]
        wanted = f(x.copy())
        lw.jit(lambda x, f=f: f(x))(x, out=out)
        agree(out, wanted, terms=100, scale=9)


def test_out_in_any_layout():
    x = plain("f4", (17, 33))
    for f in (lambda x: np.exp(x).T, lambda x: x * 2):
        wanted = f(x)
        n, m = wanted.shape
        outs = (np.zeros((m, n), "f4").T, np.zeros((2 * n, 3 * m), "f4")[::2, ::3], np.zeros((n, m), "f4")[::-1, ::-1])
        for out in outs:
            assert lw.jit(f)(x, out=out) is out
            agree(out, wanted)
    misaligned = np.zeros(401, "u1")[1:].view("f4")
    lw.jit(lambda x: x + 1)(x[0, :1].repeat(100), out=misaligned)
    np.testing.assert_array_equal(misaligned, x[0, :1].repeat(100) + 1)


def test_outs_that_overlap():
    memory, x = np.zeros(200, "f4"), plain("f4", 100)
    lw.jit(lambda x: (x + 1, x * 2))(x, out=(memory[:100], memory[50:150]))
    np.testing.assert_array_equal(memory[50:150], x * 2)
    np.testing.assert_array_equal(memory[:50], (x + 1)[:50])


def test_wrong_outs():
    f, x = lw.jit(lambda x: x + 1), plain("f4", 10)
    frozen = np.zeros(10, "f4")
    frozen.flags.writeable = False
    wrong = (
        np.zeros(9, "f4"),
        np.zeros(10, "f8"),
        frozen,
        np.zeros((10, 1), "f4"),
        (np.zeros(10, "f4"),) * 2,
        [1],
        5,
        "a",
    )
    for out in wrong:
        with pytest.raises((TypeError, ValueError)):
            f(x, out=out)


def test_out_in_a_dict():
    x = plain("f4", 10)
    for keys in ("ab", "ba"):
        out = {key: np.zeros(10, "f4") for key in keys}
        lw.jit(lambda x: {"a": x + 1, "b": x * 2})(x, out=out)
        np.testing.assert_array_equal(out["a"], x + 1)
        np.testing.assert_array_equal(out["b"], x * 2)


def test_containers_and_keywords():
    a, b = plain("f8", 5), plain("f8", 5, 1)
    f = lw.jit(lambda d: d["a"] - d["b"][0])
    np.testing.assert_array_equal(f({"a": a, "b": (b,)}), a - b)
    np.testing.assert_array_equal(f({"b": (b,), "a": a}), a - b)
    g = lw.jit(lambda a, b=None, c=2.0: a - c if b is None else (a - b) - c)
    np.testing.assert_array_equal(g(a), a - 2)
    np.testing.assert_array_equal(g(a, None, c=4.0), a - 4)
    np.testing.assert_array_equal(g(c=1.0, b=b, a=a), (a - b) - 1)
    np.testing.assert_array_equal(g(a, c=3.0, b=b), (a - b) - 3)


def test_one_array_as_two_arguments():
    f, x = lw.jit(lambda x, y: (x + y, x - y, x, y)), plain("f4", 33)
    agree(f(x, x), (x + x, x - x, x, x))
    agree(f(x, x[::-1]), (x + x[::-1], x - x[::-1], x, x[::-1]))


def test_results_that_are_one_value():
    x = plain("f4", 33)
    found = lw.jit(lambda x: (lambda y: (y, y, y[::2], x, x[1:]))(x + 1))(x)
    agree(found, (x + 1, x + 1, (x + 1)[::2], x, x[1:]))
    found[0][:] = 0
    agree(found[2], (x + 1)[::2])


def test_results_keep_their_types():
    def f(x):
        return x.sum(), x[0], x.argmax(), (x > 0).any(), x.size, x.shape, x.ndim, None, "text", 3, x.max(keepdims=True)

    x = plain("f4", 33)
    found, wanted = lw.jit(f)(x), f(x)
    assert [type(v) for v in found] == [type(v) for v in wanted]
    assert found[4:10] == wanted[4:10]


def test_scalars():
    f, x = lw.jit(lambda x, s: x * s), plain("f4", 33)
    values = (2, 2.5, True, np.float32(3), np.float64(3), np.int8(3), np.int64(2), 0, np.bool_(True), np.array(2.0))
    for s in (*values, np.array([2], "i4"), np.float16(2), np.uint64(7)):
        agree(f(x, s), x * s, what=repr(s))
    bytes_ = np.arange(5, dtype="u1")
    for s in (2, np.int8(3), 2.5, True, np.uint8(255), 255):
        agree(f(bytes_, s), bytes_ * s, what=repr(s))
    g = lw.jit(lambda a, b: a * b + a)
    for pair in ((2, 3), (2.0, 3), (np.float32(2), 3)):
        assert g(*pair) == 8 and type(g(*pair)) is type(pair[0] * pair[1])


@pytest.mark.parametrize(("dtype", "number"), [("u1", 300), ("u1", -1), ("i1", 2**40), ("i8", 2**70)])
def test_numbers_that_do_not_fit(dtype, number):
    with pytest.raises(OverflowError):
        lw.jit(lambda x, s: x + s)(np.arange(5, dtype=dtype), number)


def test_many_lengths():
    """Lengths up to 16 may have programs of their own; one serves the others."""

    def plainly(x):
        return np.exp(x).sum(), x * 2, x[::-1]

    f = lw.jit(plainly)
    for size in range(101):
        x = plain("f4", size, size)
        agree(f(x), plainly(x), terms=size + 1, scale=20, what=str(size))
    assert f.cache_info().compilations <= 18, f.cache_info()


def test_sizes_that_become_equal_or_one():
    f = lw.jit(lambda x, y: (x + y).sum())
    for left, right in [
        (20, 20),
        (20, 1),
        (1, 30),
        ((20, 30), 30),
        ((20, 30), (20, 1)),
        ((1, 30), (20, 1)),
        ((30, 30), 30),
    ]:
        x, y = plain("f4", left), plain("f4", right, 1)
        agree(f(x, y), (x + y).sum(), terms=900, scale=4)
    for left, right in [(20, 21), ((20, 30), 20)]:
        with pytest.raises(ValueError):
            f(plain("f4", left), plain("f4", right))


def test_branches_on_sizes():
    def plainly(x):
        n = x.shape[0]
        return (
            (x * 2 if n > 50 else x + 1),
            x / n,
            np.arange(n) + x,
            x[: n // 2] + x[-(n // 2) :],
            np.zeros((n, 2)) + x[:, None],
        )

    f = lw.jit(plainly)
    for size in (20, 60, 30, 99, 51, 50, 200):
        x = plain("f8", size)
        agree(f(x), plainly(x), what=str(size))


def test_dtypes_and_layouts_in_turn():
    f = lw.jit(lambda x: (x * 2).sum(0) + x.max())
    for _ in range(2):
        for dtype in ("f4", "f8", "i4", "u1"):
            for shape in ((20, 30), (5,), (40,), (3, 4, 5)):
                whole = abs(plain(dtype, shape))
                for x in (whole, np.asfortranarray(whole), whole[::-1], whole[::2], whole.T):
                    agree(f(x), (x * 2).sum(0) + x.max(), terms=40, scale=9)


def test_threads():
    def plainly(x, y):
        return np.exp(x - x.max(1, keepdims=True)), (x + y).sum(0), (x * y).argmax(1), np.concatenate([x, y]).sum(0)

    f, errors = lw.jit(plainly), []

    def work(number):
        rng = np.random.default_rng(number)
        try:
            for _ in range(20):
                shape = tuple(int(n) for n in rng.integers(1, 60, 2))
                x = rng.standard_normal(shape).astype(("f4", "f8")[number % 2])
                agree(f(x, x * 2), plainly(x, x * 2), terms=120, scale=9)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors, errors[:2]


@pytest.mark.parametrize("place", ["fresh", "input"])
def test_checked_calls(place):
    functions = (lambda x: x + 1, lambda x: np.exp(x) / np.exp(x).sum(), lambda x: (x - x.mean(0)) / (x.std(0) + 1))
    for f in functions:
        x = plain("f4", (33, 20))
        wanted = reference(f, x)
        agree(lw.jit(f, check=True)(x, out=None if place == "fresh" else x), wanted, terms=660, scale=4)


def test_compiled_inside_compiled():
    inner = lw.jit(lambda x: x + 1)
    agree(lw.jit(lambda x: inner(x) * 2)(np.ones(3)), np.full(3, 4.0))


def test_long_chain():
    def f(x):
        for _ in range(300):
            x = np.sin(x) + 1
        return x

    x = plain("f4", 50)
    agree(lw.jit(f)(x), f(x), terms=300, scale=2)


def test_many_results():
    def f(x):
        return [x * k for k in range(100)], [(x * k).sum() for k in range(60)]

    x = plain("f4", 50)
    agree(lw.jit(f)(x), f(x), terms=50, scale=300)


def test_masked_arrays_are_refused():
    with pytest.raises(TypeError):
        lw.jit(np.sum)(np.ma.array([1.0, 2.0, 3.0], mask=[False, True, False]))


@pytest.mark.parametrize(("dtype", "seed"), [("f4", 0), ("f2", 1), ("i1", 2)])
def test_outs_of_any_layout(dtype, seed):
    """Whole arrays and parts of others, with their axes in any order and direction: nothing else is written."""
    rng, x, y = np.random.default_rng(seed), plain(dtype, (20, 33)), plain(dtype, (33, 20), 1)

    def elementwise(x, y):
        return x.T + y, abs(x), (y * 2).reshape(11, 60)

    def rows(x, y):
        return x - x.max(1, keepdims=True), y.min(0), y.argmax(0), x.sum()

    def moved(x, y):
        return np.pad(x, 1), x[::-1], np.concatenate([x, x + 1]), x.reshape(4, 5, 33), np.where((x > 0).all(), x, 0)

    def scattered(x, y):
        counts = np.zeros((7, 33), x.dtype, like=x)
        np.add.at(counts, np.arange(20) % 7, x)
        return counts, x[np.arange(20) % 5], np.sort(y), counts.T

    for f in (elementwise, rows, moved, scattered):
        check_out(f, x, y, rng=rng, calls=5, terms=660, scale=40)
