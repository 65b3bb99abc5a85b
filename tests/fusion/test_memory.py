"""Results take the memory of donated and dead tensors where nobody can tell; overlapping arrays give NumPy's values."""

import gc

import numpy as np
import pytest
from fusion.checking import enlarged, sample
from fusion.test_gather_scatter import added, indices, put

import loopweld as lw


def donating(f, *names):
    return lw.jit(f, donate=names or ("x",))


def softmax(x):
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


# ---- donated arguments -------------------------------------------------------------
SAFE = {
    "elementwise": lambda x: np.exp(x) * 2,
    "rows": softmax,
    "columns": lambda x: x - x.mean(axis=0),
    "whole": lambda x: x - x.mean(),
    "with its sums": lambda x: (x * 2, (x * 2).sum(axis=0), x.max()),
    "one of two results": lambda x: (x > 0, x + 1),
    "transposed twice": lambda x: np.tanh(x.T).T,
    "reshaped": lambda x: np.tanh(x.reshape(-1)).reshape(x.shape) - 1,
    "masked": lambda x: np.where(x > 0, x, 0),
}
"""Each element of the result needs no element of x that was overwritten before."""


@pytest.mark.parametrize(("name", "dtype"), [*((name, "f4") for name in SAFE), ("rows", "f2"), ("whole", "f8")])
def test_a_result_takes_the_donated_memory(name, dtype):
    f, original = SAFE[name], sample(40, 67, dtype=dtype)
    wanted = f(original.astype(np.float64))
    jitted = donating(f)
    for _ in range(3):
        given = original.copy()
        found = jitted(given)
        results = found if isinstance(found, tuple) else (found,)
        for a, b in zip(results, wanted if isinstance(wanted, tuple) else (wanted,), strict=True):
            np.testing.assert_allclose(a, b, rtol=5e-3 if dtype == "f2" else 1e-5, atol=5e-3 if dtype == "f2" else 1e-5)
        assert sum(np.shares_memory(r, given) for r in results) == 1, name


HAZARDS = {
    "reversed": lambda x: x[::-1] * 2,
    "rolled": lambda x: np.roll(x, 1, axis=0) + x,
    "stencil": lambda x: np.concatenate([x[:1], x[1:] - x[:-1]]),
    "future": lambda x: np.concatenate([x[1:] - x[:-1], x[-1:]]),
    "transposed": lambda x: x.T + x,
    "columns reversed": lambda x: x[:, ::-1] - x,
    "gathered": lambda x: x[np.arange(33) * 7 % 33] + 1,
    "two results": lambda x: (x + 1, x * 2, x - 1),
    "later use": lambda x: (x * 2, x[::-1] + 1),
    "sums of the old": lambda x: (x * 0, x.sum(axis=0), x[5]),
    "the argument itself": lambda x: (x, x + 1),
    "a view of it": lambda x: (x[1:], x + 1),
}
"""A result in the memory of x would destroy elements that are still needed."""


@pytest.mark.parametrize("name", HAZARDS)
def test_hazards_of_donation(name):
    f, x = HAZARDS[name], sample(33, 33)
    wanted = f(x)
    jitted = donating(f)
    for _ in range(3):
        found = jitted(x.copy())
        for a, b in zip(
            found if isinstance(found, tuple) else (found,),
            wanted if isinstance(wanted, tuple) else (wanted,),
            strict=True,
        ):
            np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5)


def test_results_of_a_donated_argument_are_apart():
    """Two results never share memory, whichever of them took the argument's."""
    x = sample(40, 67)
    first, second = donating(lambda x: (x + 1, x * 2))(x)
    assert not np.shares_memory(first, second)


def test_a_donated_target_is_scattered_into_in_place():
    """No copy of the target: what is moved is the updates."""
    target, i, d = sample(1000), indices(1000, 50), sample(50)
    wanted, given = added(target, i, d), target.copy()
    jitted = donating(lambda t, i, d: added(t, i, d), "t")
    found = jitted(given, i, d)
    np.testing.assert_allclose(found, wanted, rtol=1e-6)
    assert np.shares_memory(found, given)


def test_a_donated_target_survives_a_bad_index():
    target, i, d = sample(100), indices(100, 50), sample(50)
    before = target.copy()
    i[49] = 100
    for f in (added, put):
        with pytest.raises(IndexError):
            donating(lambda t, i, d, f=f: f(t, i, d), "t")(target, i, d)
        np.testing.assert_array_equal(target, before)


def test_donations_that_cannot_be_taken():
    """Another dtype, another size, a read-only array, a view with gaps: right values, nothing else is touched."""
    x = sample(40, 67)
    np.testing.assert_array_equal(donating(lambda x: x > 0)(x.copy()), x > 0)
    np.testing.assert_allclose(donating(lambda x: x[1:] * 2)(x.copy()), x[1:] * 2)
    frozen = x.copy()
    frozen.flags.writeable = False
    np.testing.assert_allclose(donating(lambda x: x * 2)(frozen), x * 2)
    np.testing.assert_array_equal(frozen, x)
    base = sample(80, 201)
    before = base.copy()
    found = donating(lambda x: x * 2)(base[::2, ::3])
    np.testing.assert_allclose(found, before[::2, ::3] * 2)
    base[::2, ::3] = before[::2, ::3]
    np.testing.assert_array_equal(base, before)


def test_a_donated_array_passed_twice():
    x = sample(40, 67)
    jitted = donating(lambda x, y: (x + 1, y[::-1] * 2))
    for view in (lambda a: a, lambda a: a[:], lambda a: a[::-1]):
        given = x.copy()
        first, second = jitted(given, view(given))
        np.testing.assert_allclose(first, x + 1)
        np.testing.assert_allclose(second, view(x)[::-1] * 2)


def test_two_donated_arguments():
    x, y = sample(40, 67), sample(40, 67) + 3
    f = lambda x, y: (x + y, x - y)  # noqa: E731
    given = x.copy(), y.copy()
    found = donating(f, "x", "y")(*given)
    for a, b in zip(found, f(x, y), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6)
    assert all(any(np.shares_memory(r, g) for g in given) for r in found)
    assert not np.shares_memory(*found)


def test_donation_by_position_and_by_name():
    x = sample(40, 67)
    for donate in ((0,), ("x",)):
        given = x.copy()
        assert np.shares_memory(lw.jit(lambda x: x * 2, donate=donate)(given), given)


def test_a_donation_of_nothing_is_an_error():
    for donate in (("z",), (3,)):
        with pytest.raises((TypeError, ValueError)):
            lw.jit(lambda x: x * 2, donate=donate)(sample(40))


def test_without_donation_arguments_stay():
    x = sample(40, 67)
    before = x.copy()
    found = lw.jit(lambda x: x * 2)(x)
    assert not np.shares_memory(found, x)
    np.testing.assert_array_equal(x, before)


def test_memory_of_a_donated_argument_lives_as_long_as_the_result():
    jitted = donating(lambda x: x * 2)
    found = [jitted(np.full(5000, k, np.float32)) for k in range(20)]
    gc.collect()
    assert all((r == 2 * k).all() for k, r in enumerate(found))


# ---- dead tensors ------------------------------------------------------------------
def temporaries(f, *args):
    report = enlarged(lw.jit(f).lower(*args).compile())
    return report.temporary_bytes / max(k.bytes_written for k in report.kernels)


def test_whole_array_steps_stay_in_the_results_memory():
    """Each step overwrites the one before at its own place; the last one is the result."""

    def f(x):
        y = np.tanh(x)
        z = np.exp(y - y.mean())
        return z - z.max()

    assert temporaries(f, sample(3000)) < 0.01


def test_an_unfinished_result_is_kept_in_its_own_memory():
    def f(x):
        e = np.exp(x - x.max())
        return e / e.sum()

    assert temporaries(f, sample(3000)) < 0.01


def test_products_and_steps_share_memory():
    """tanh in place of the first product; the second one goes where the result will be."""

    def f(a, b):
        return np.exp(np.tanh(a @ b) @ b) * 2

    a, b = sample(64, 64), sample(64, 64) * 0.1
    assert temporaries(f, a, b) <= 1.01
    np.testing.assert_allclose(lw.jit(f)(a, b), f(a, b), rtol=1e-3)


def test_a_long_chain_needs_two_buffers():
    """However many products."""

    def f(a, b):
        for _ in range(6):
            a = np.tanh(a @ b)
        return a

    assert temporaries(f, sample(64, 64), sample(64, 64) * 0.1) <= 2.01


def test_sorting_steps():
    def f(x):
        return np.cumsum(np.sort(np.exp(x)) * 2) - 1

    assert temporaries(f, sample(3000)) <= 1.01
    np.testing.assert_allclose(lw.jit(f)(sample(3000)), f(sample(3000)), rtol=1e-3)


# ---- out= and overlapping arrays ---------------------------------------------------
def memory(n=500):
    return sample(n)


OVERLAPS = {
    "itself": (lambda b: (b,), lambda b: b, lambda x: x * 2),
    "itself reversed": (lambda b: (b,), lambda b: b[::-1], lambda x: x * 2),
    "reversed read": (lambda b: (b,), lambda b: b, lambda x: x[::-1] * 2),
    "one ahead": (lambda b: (b[:-1],), lambda b: b[1:], lambda x: x * 2),
    "one behind": (lambda b: (b[1:],), lambda b: b[:-1], lambda x: x * 2),
    "a vector ahead": (lambda b: (b[:-16],), lambda b: b[16:], lambda x: x * 2),
    "seven ahead": (lambda b: (b[:-7],), lambda b: b[7:], lambda x: x * 2),
    "stencil ahead": (lambda b: (b,), lambda b: b[1:], lambda x: x[1:] - x[:-1]),
    "stencil behind": (lambda b: (b,), lambda b: b[:-1], lambda x: x[1:] - x[:-1]),
    "two views": (lambda b: (b[:-1], b[1:]), lambda b: b[1:], lambda x, y: x + y),
    "three views": (lambda b: (b[:-2], b[1:-1], b[2:]), lambda b: b[1:-1], lambda x, y, z: x - 2 * y + z),
    "every second": (lambda b: (b[::2],), lambda b: b[1::2], lambda x: x * 2),
    "every second over halves": (lambda b: (b[::2],), lambda b: b[:250], lambda x: x * 2),
    "broadcast": (lambda b: (b[:1],), lambda b: b, lambda x: np.broadcast_to(x, (500,)) * 2),
    "row of itself": (lambda b: (b.reshape(20, 25),), lambda b: b[25:50], lambda x: x.sum(axis=0)),
    "column of itself": (lambda b: (b.reshape(20, 25),), lambda b: b[::25], lambda x: x.sum(axis=1)),
    "number of itself": (lambda b: (b,), lambda b: b[7:8].reshape(()), lambda x: x.sum()),
    "softmax": (lambda b: (b.reshape(20, 25),), lambda b: b.reshape(20, 25), softmax),
    "softmax ahead": (lambda b: (b[:475].reshape(19, 25),), lambda b: b[25:].reshape(19, 25), softmax),
    "transposed": (lambda b: (b[:484].reshape(22, 22),), lambda b: b[:484].reshape(22, 22).T, lambda x: x * 2),
}
"""Name: the arguments, the result's memory, the function, all in one buffer."""


@pytest.mark.parametrize("name", OVERLAPS)
def test_out_over_an_argument(name):
    """As if the arguments had been copied first, or a ValueError that changes nothing; the fast second call too."""
    arguments, target, f = OVERLAPS[name]
    fresh = memory()
    wanted = fresh.copy()
    target(wanted)[...] = f(*(a.copy() for a in arguments(fresh)))
    jitted = lw.jit(f)
    for _ in range(3):
        buffer = fresh.copy()
        try:
            jitted(*arguments(buffer), out=target(buffer))
        except ValueError:
            np.testing.assert_array_equal(buffer, fresh)
        else:
            np.testing.assert_allclose(buffer, wanted, rtol=1e-5, atol=1e-4)


def test_two_results_in_one_array():
    """An error, or what storing them in order would leave."""
    x = memory()
    jitted = lw.jit(lambda x: (x * 2, x + 1))
    for first, second in ((np.s_[:500], np.s_[:500]), (np.s_[:500], np.s_[1:501]), (np.s_[1:501], np.s_[:500])):
        for _ in range(3):
            out, wanted = np.zeros(501, np.float32), np.zeros(501, np.float32)
            wanted[first], wanted[second] = x * 2, 0
            wanted[second] = x + 1
            try:
                jitted(x, out=(out[first], out[second]))
            except ValueError:
                assert (out == 0).all()
            else:
                np.testing.assert_allclose(out, wanted, rtol=1e-6)


def test_results_swap_places_with_arguments():
    x, y = memory(), memory() + 5
    jitted = lw.jit(lambda x, y: (y + 1, x + 1))
    for _ in range(3):
        a, b = x.copy(), y.copy()
        jitted(a, b, out=(a, b))
        np.testing.assert_allclose(a, y + 1)
        np.testing.assert_allclose(b, x + 1)


def test_a_scatter_over_its_own_arguments():
    t, i, d = sample(85), indices(85, 85), sample(85) + 1
    jitted = lw.jit(lambda t, i, d: added(t, i, d))
    wanted = added(t, i, d)
    for target in ("t", "d"):
        for _ in range(3):
            arrays = {"t": t.copy(), "d": d.copy()}
            jitted(arrays["t"], i, arrays["d"], out=arrays[target])
            np.testing.assert_allclose(arrays[target], wanted, rtol=1e-6)


def test_views_of_one_buffer_as_arguments():
    b = memory()
    jitted = lw.jit(lambda x, y, z: (x * y - z, (x * z).sum()))
    for views in ((b[:-1], b[1:], b[:-1]), (b[::2], b[1::2], b[:250]), (b, b, b[::-1])):
        found, wanted = jitted(*views), (views[0] * views[1] - views[2], (views[0] * views[2]).sum())
        np.testing.assert_allclose(found[0], wanted[0], rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(found[1], wanted[1], rtol=1e-4)


def test_ping_pong():
    """A step whose result is the next argument, back and forth between two arrays."""

    def step(x):
        return np.concatenate([x[:1], 0.25 * (x[:-2] + 2 * x[1:-1] + x[2:]), x[-1:]])

    jitted = lw.jit(step)
    a = wanted = memory(2001)
    b = np.empty_like(a)
    a = a.copy()
    for _ in range(20):
        jitted(a, out=b)
        a, b = b, a
        wanted = step(wanted)
    np.testing.assert_allclose(a, wanted, rtol=1e-4, atol=1e-5)


def test_in_place_statements():
    """`+=` on a copy, and on parts of it, reads what was there before each statement."""

    def f(x):
        y = x.copy()
        y += 1
        y[1:] *= 2
        y[:-1] -= y[1:]
        y[::2] = y[1::2]
        return y

    x = memory()
    np.testing.assert_allclose(lw.jit(f)(x), f(x), rtol=1e-5, atol=1e-5)


def test_a_copy_of_the_argument_is_no_alias():
    x = memory()
    jitted = lw.jit(lambda x: (x, x[1:], x.copy()))
    first, second, third = jitted(x)
    for result in (first, second, third):
        result[...] = 0
    np.testing.assert_array_equal(x, memory())
    assert not np.shares_memory(first, third)


def test_memory_of_several_types_in_turn():
    """The positions are int64 in the memory of a float32 result of as many bytes; also in the native entry."""

    def f(x):
        z = x * x + 1
        return z[::-1], np.exp(z * 0.1), z.argmax(0) + 0.5

    run, x = lw.jit(f), sample(2, 5, 33)
    for _ in range(6):
        for found, wanted in zip(run(x), f(x), strict=True):
            np.testing.assert_allclose(found, wanted, rtol=1e-5)
