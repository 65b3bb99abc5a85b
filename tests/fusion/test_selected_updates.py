"""One update for each row of a computed array: a choice at each point, in the loop that computes the array."""

import numpy as np
import pytest
from fusion.checking import check, sample
from numerics.checking import check as values

import loopweld as lw

RNG = np.random.default_rng(3)


def softmax(x):
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def gradient(x, labels):
    p = softmax(x)
    p[np.arange(x.shape[0]), labels] -= 1
    return p / x.shape[0]


def test_gradient_of_cross_entropy_is_one_kernel():
    labels = RNG.integers(-300, 300, 200)
    report = check(gradient, sample(200, 300), labels, kernels=1, sweeps=3)
    assert ("selected-update", True) in {(d.reason, d.fused) for d in report.decisions}


def test_loss_and_gradient_are_one_kernel():
    """`np.arange(labels.shape[0])` counts all rows of the array, whose number goes with that of the labels then."""

    def f(x, labels):
        p, rows = softmax(x), np.arange(labels.shape[0])
        loss = -np.log(p[rows, labels]).mean()
        p[rows, labels] -= 1
        return loss, p / labels.shape[0]

    check(f, sample(200, 300), RNG.integers(-300, 300, 200), kernels=1, sweeps=3)


def test_the_rows_may_be_fewer_than_the_array_has():
    """`labels.shape[0]` is a number for `np.arange`; the array may have more rows, and gives an error with fewer."""

    def f(x, labels):
        p = softmax(x)
        p[np.arange(labels.shape[0]), labels] -= 1
        return p * 2

    jitted = lw.jit(f)
    for rows in (9, 7, 40):
        x, labels = sample(rows, 33), np.array([0, -33, 32, 5, 5, -1, 1])
        np.testing.assert_allclose(jitted(x, labels), f(x, labels), rtol=1e-5)
    with pytest.raises(IndexError):
        jitted(sample(6, 33), labels)


@pytest.mark.parametrize("wrong", [33, -34, np.iinfo(np.int64).max, np.iinfo(np.int64).min])
def test_an_index_out_of_range_is_an_error(wrong):
    with pytest.raises(IndexError):
        lw.jit(gradient)(sample(3, 33), np.array([0, wrong, 1]))


# ---- every kind of update, bit for bit -------------------------------------------------
KINDS = [np.add, np.multiply, np.maximum, np.minimum]


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "i4", "u1", "?"])
def test_every_kind(dtype):
    """With -0.0, NaN and inf in the array and in the updates; each result is used by one more loop."""

    def f(x, v, i):
        rows, found = np.arange(x.shape[0]), []
        for ufunc in KINDS:
            t = np.copysign(x, -x) if x.dtype.kind == "f" else x | x
            ufunc.at(t, (rows, i), v)
            found.append(abs(t) if x.dtype.kind == "f" else t & t)
        t = np.where(x > 0, x, v[:, None])
        t[rows, i] = v
        return *found, t, np.where(t == 0, v[:, None], t)

    x, v = (sample(*s, dtype="f8") * 9 for s in ((5, 17), (5,)))
    x[0, :4], v[:3] = (-0.0, np.nan, np.inf, -np.inf), (-0.0, np.nan, np.inf)
    if dtype[0] != "f":
        x, v = np.nan_to_num(x, posinf=3, neginf=1), np.nan_to_num(v, posinf=2)
    x, v = (np.abs(a).astype(dtype) if dtype[0] != "f" else a.astype(dtype) for a in (x, v))
    i = np.array([0, 1, 2, -1, 16])
    for found, wanted in zip(lw.jit(f, numerics="strict")(x, v, i), f(x, v, i), strict=True):
        np.testing.assert_array_equal(found, wanted)


# ---- any dim, any layout ---------------------------------------------------------------
def along_columns(x, i):
    t = np.abs(x)
    t[i, np.arange(x.shape[1])] += 1
    return t * 2


def between_dims(x, i):
    t = np.abs(x.reshape(x.shape[0], 1, x.shape[1]) + np.zeros((1, 3, 1), x.dtype))
    t[:, i[0] % 3] = t[:, i[0] % 3] * 3
    return t * 2


def dims_exchanged(x, i):
    t = np.abs(x[:, None, :] * np.ones((1, 4, 1), x.dtype))
    t[np.arange(x.shape[0])[:, None], np.arange(4), i[: x.shape[0], None]] *= 3
    return t * 2, t.sum(axis=2)


def one_element(x, i):
    t = x[0] * 2
    t[i[0]] = -1
    return t * 3


def start_too(x, i):
    t = np.abs(x)
    s = t.copy()
    s[np.arange(x.shape[0]), i[: x.shape[0]]] = 0
    return t, s


@pytest.mark.parametrize("shape", [(1, 1), (3, 1), (4, 9), (17, 8), (0, 3)])
@pytest.mark.parametrize("f", [along_columns, between_dims, dims_exchanged, one_element, start_too])
def test_targets(f, shape):
    if shape[0] == 0 and f in (along_columns, one_element):
        return
    least = min(n for n in shape if n)
    indices = RNG.integers(-least, least, max(*shape, 1))
    x = sample(*shape)
    for array in (x, np.asfortranarray(x), np.repeat(x, 2, 1)[:, ::2]):
        values(f, array, indices[: shape[1]] if f is along_columns else indices)


# ---- must not --------------------------------------------------------------------------
def twice(x, i):
    t = np.abs(x)
    np.add.at(t, i, 1)
    return t * 2


def two_values(x, i):
    t = np.abs(x)
    np.add.at(t, (i, i), 1)
    return t * 2


def few_of_an_argument(x, i):
    t = x.copy()
    t[np.arange(x.shape[0]), i] += 1
    return t


@pytest.mark.parametrize("f", [twice, two_values, few_of_an_argument], ids=lambda f: f.__name__)
def test_must_not(f):
    x, i = sample(9, 9), RNG.integers(-9, 9, 9)
    values(f, x, i)
    assert "scatter" in lw.jit(f).lower(x, i).as_text("fused")
    assert "selected-update" not in {d.reason for d in lw.jit(f).explain(x, i).decisions}


def test_a_donated_array_keeps_its_memory():
    f = lw.jit(few_of_an_argument, donate=("x",))
    x, i = sample(9, 9), np.arange(9)
    wanted = few_of_an_argument(x, i)
    np.testing.assert_array_equal(f(x, i), wanted)
    assert "scatter" in f.lower(x, i).as_text("fused")
