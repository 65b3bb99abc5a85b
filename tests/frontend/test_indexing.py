"""x[key], x[key] = v, gathers, scatters and the checks of indices."""

import numpy as np
import pytest
from frontend.checking import check, ops, run
from hypothesis import given, settings
from hypothesis import strategies as st

from loopweld.compiler.frontend import TraceError, trace

RNG = np.random.default_rng(0)
X = RNG.standard_normal((20, 30))
V = RNG.standard_normal((3, 4, 5))
INDEX = RNG.integers(-3, 3, 6)


def test_slices():
    def f(x):
        return (
            (x[0], x[-1], x[2:5], x[:, 1:-1], x[::2], x[::-1], x[::-3, 4], x[..., 0], x[None, ..., None], x[5, 3]),
            (x[-5:], x[:-5], x[3:3], x[10:2:-2], x[:16], x[17:], x[:100], x[-100:], x[5, ...], x[:, ::-1]),
        )

    check(f, X)


def test_sizes_above_tiny_stay_open():
    traced = check(lambda x: (x[1:-1], x[:16], x[::2], x[-1], x[3]), X[:, 0], others=[(X[0],), (np.arange(17.0),)])
    assert traced.pinned == frozenset()
    assert trace(lambda x: x[:18], (X,)).pinned == {("x", 0)}


def test_integer_arrays():
    def f(x, i):
        return (
            (x[i], x[i, 3], x[i, i], x[:, i], x[i[:, None], i], x[i, 1:4], x[None, i], x[i, None], x[[1, 2, 3]]),
            (np.take(x, i, 0), np.take(x, i), x[[0, -1], [2, 3]], x.take(i, axis=1), np.take(x, i, 0, mode="wrap")),
        )

    check(f, X, INDEX)


def test_where_the_index_dims_go():
    def f(v, i):
        return (
            (v[i, :, i], v[:, i, i], v[0, :, i], v[:, 0, i], v[i, 0], v[i, :, 0], v[..., i], v[i, ..., i]),
            (v[:, None, i], v[i, None, i], v[[[0], [1]], [0, 1]], v[0, i], v[i, 1:3, ::-1]),
        )

    check(f, V, INDEX)


entries = st.one_of(
    st.integers(-3, 2),
    st.builds(
        slice, st.none() | st.integers(-6, 6), st.none() | st.integers(-6, 6), st.sampled_from([None, 1, 2, -1, -2])
    ),
    st.just(None),
    st.just(Ellipsis),
    st.lists(st.integers(-3, 2), min_size=2, max_size=2).map(np.array),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(entries, min_size=1, max_size=4), st.booleans())
def test_any_key(key, assign):
    v = np.arange(60.0).reshape(3, 4, 5)
    key = tuple(key)
    try:
        v[key]
    except IndexError:
        with pytest.raises(IndexError):
            trace(lambda x: x[key], (v,))
        return

    def f(x):
        z = x + 1
        if assign:
            z[key] = 7.5
        return z[key], z

    check(f, v)


def test_constant_masks():
    mask = X[:, 0] > 0
    check(lambda x: (x[mask], x[mask, 2], x[:, X[0] > 0]), X)


def test_take_along_axis():
    order = np.argsort(X, 1)
    check(lambda x, i: np.take_along_axis(x, i, 1), X, order)
    check(lambda x: np.take_along_axis(x, np.argmax(x, 1, keepdims=True), 1), X)


def test_assignment():
    def f(x, i):
        z = np.zeros_like(x)
        z[2:5, ::3] = 1.5
        z[-1] = x[0]
        z[:, 0] += 2
        z[::-2, 3] = 7
        z[i] = 1
        z[i, 2] = x[i, 3]
        z[i, 1:3] += 2
        z[1:, 2] = [1.0] * 19
        return z

    check(f, X, np.arange(7) * 2)


def test_masked_assignment():
    def f(x):
        z = x.copy()
        z[z > 0] = 0
        z[z[:, 0] < -1] = np.arange(30)[:1]
        return z

    check(f, X)


def test_views_follow_their_base_and_change_it():
    def f(x):
        z = x.copy()
        rows, column, turned = z[1:], z[:, 2], z.T
        rows[0] = 5
        z[2, 3] = 9
        turned[0] = column + 1
        z += 1
        return z, rows, column, turned, z[None][0]

    check(f, X)


def test_copies_do_not_follow():
    def f(x):
        z = x.copy()
        flat, again = z.flatten(), z[1:].copy()
        flat[0] = 1
        again[0] = 2
        return z, flat, again

    check(f, X)


def test_updates_that_count():
    def f(x, i):
        z = np.zeros_like(x)
        np.add.at(z, i, 1.0)
        np.subtract.at(z, (i, 0), 2.0)
        np.maximum.at(z, i, x[0])
        return z

    check(f, X, RNG.integers(-20, 20, 25))


BOTH = ("add", "subtract", "multiply", "maximum", "minimum", "floor_divide", "remainder", "fmod", "power", "fmax")
INTS = ("bitwise_and", "bitwise_or", "bitwise_xor", "left_shift", "right_shift", "logical_xor", "gcd")
FLOATS = ("divide", "hypot", "arctan2", "copysign", "logaddexp", "float_power")


@pytest.mark.parametrize(
    ("name", "dtype"),
    [
        *((name, dtype) for name in BOTH for dtype in ("i4", "u1", "f4")),
        *((name, dtype) for name in INTS for dtype in ("i8", "u2")),
        *((name, "f8") for name in FLOATS),
        *((name, "?") for name in ("bitwise_and", "logical_or", "bitwise_xor")),
    ],
)
def test_any_ufunc_updates(name, dtype):
    """One after the other, where indices repeat."""

    def f(x, i, v):
        z = x.copy()
        getattr(np, name).at(z, i, v)
        getattr(np, name).at(z[1:, 2], [0, 3, 3], v[:3, 0])
        return z

    x, v = (RNG.integers(1, 6, shape).astype(dtype) for shape in ((20, 30), (25, 30)))
    check(f, x, RNG.integers(-20, 20, 25), v)


@pytest.mark.parametrize("dtype", ["u1", "u4", "i2", "f2"])
@pytest.mark.parametrize("ufunc", [np.add, np.subtract, np.maximum])
def test_python_numbers_take_the_dtype_of_what_they_update(ufunc, dtype):
    def f(x, i):
        z = x.copy()
        ufunc.at(z, i, 3)
        ufunc.at(z, slice(2, 9), 2)
        return z

    check(f, np.arange(20).astype(dtype), np.array([5, -1, 5, 0]))


def test_updates_that_numpy_refuses():
    def f(z, i, v, ufunc):
        z = z.copy()
        ufunc.at(z, i, v)
        return z

    z, i = np.ones(20, int), np.zeros(3, int)
    for ufunc in (np.divide, np.arctan2):
        with pytest.raises(TypeError, match=f"Cannot cast ufunc '{ufunc.__name__}' output from float64 to int64"):
            trace(lambda z, i, v, ufunc=ufunc: f(z, i, v, ufunc), (z, i, i))
    with pytest.raises(TypeError, match=r"np\.subtract\.at cannot cast float64 to int64"):
        trace(lambda z, i: f(z, i, 1.5, np.subtract), (z, i))
    with pytest.raises(TraceError, match=r"np\.negative\.at(.|\n)*two operands and one result"):
        trace(lambda z, i: np.negative.at(z.copy(), i), (z, i))


def test_bincount():
    index, weights = RNG.integers(0, 30, 40), RNG.standard_normal(40)
    check(lambda i, w: (np.bincount(i, minlength=50), np.bincount(i, w, minlength=50)), index, weights)
    traced = trace(lambda i, w: np.bincount(i, minlength=w.shape[0]), (index, np.zeros(30)))
    with pytest.raises(ValueError, match=r"bincount.*test_indexing\.py"):
        run(traced, index, np.zeros(20))
    with pytest.raises(TraceError, match="minlength"):
        trace(lambda i: np.bincount(i), (index,))


def test_checks_are_made_once_and_raise():
    def f(x, idx):
        return x[idx] + x[idx] * 2, np.take(x, idx)

    traced = trace(f, (X[0], np.arange(20)))
    assert ops(traced).count("check") == 1
    message = r"values of 'idx' must lie in \[-n, n\) along axis 0 \(.*test_indexing\.py:\d+\)"
    for wrong in (30, -31):
        with pytest.raises(IndexError, match=message):
            run(traced, X[0], np.full(20, wrong))
    run(traced, X[0], np.full(20, -30))


def test_known_indices_need_no_check():
    traced = check(lambda x: (x[np.array([0, 5, -1])], x[[2, 3]], x[np.arange(x.shape[0])]), X)
    assert "check" not in ops(traced)
    symbolic = trace(lambda x: x[np.arange(x.shape[0], like=x), 0], (X,))
    assert "check" not in ops(symbolic)
    assert symbolic.pinned == frozenset()


@pytest.mark.parametrize("key", [25, -21, (0, 30), [0, 20], (slice(None), [30])])
def test_indices_out_of_range(key):
    with pytest.raises(IndexError, match=r"index -?\d+ is out of bounds for axis \d with size"):
        trace(lambda x: x[key], (X[:20],), static_dims=frozenset({("x", 0), ("x", 1)}))
