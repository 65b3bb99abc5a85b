"""Shapes as values, ops that rename elements, arrays put together, taken apart and made."""

import numpy as np
import pytest

pytest.importorskip("pytensor", reason="needs Python 3.12 and loopweld[pytensor]")

import pytensor
import pytensor.tensor as pt
from pytensor.compile.mode import Mode
from pytensor.raise_op import Assert
from pytensor.tensor.basic import AllocEmpty, ExtractDiag
from pytensor.tensor.reshape import join_dims, split_dims
from pytensor.tensor.shape import specify_shape
from pytensor_mode.checking import RAW, check

import loopweld.pytensor

X = np.arange(24, dtype="float64").reshape(2, 3, 4)


def test_dim_shuffles():
    check(lambda x: [x.dimshuffle(2, 0, 1), x.dimshuffle("x", 1, "x", 0, 2), x.T], X)
    check(lambda x: [x.dimshuffle(1), x.squeeze() + 1], X[:1, :, 0])


def test_a_dropped_dim_must_be_one():
    x = pt.tensor("x", shape=(None, 1))
    f = pytensor.function([x], x.dimshuffle(0), mode="LOOPWELD")
    np.testing.assert_array_equal(f(np.ones((3, 1))), np.ones(3))


def test_reshapes():
    check(lambda x: [x.reshape((6, 4)), x.reshape((-1,)), x.reshape((4, -1, 2)), x.flatten(2)], X)
    check(lambda x: [x.reshape((x.shape[0] * x.shape[1], -1)), x.reshape(x.shape[::-1])], X)
    check(lambda x: x.reshape((0, 5)), np.zeros((3, 0)))


def test_reshape_to_sizes_that_are_inputs():
    x, n = pt.vector("x"), pt.lscalar("n")
    f = pytensor.function([x, n], x.reshape((n, -1)) * 2, mode="LOOPWELD")
    for count in (2, 3, 6):
        np.testing.assert_array_equal(f(np.arange(12.0), count), np.arange(12.0).reshape(count, -1) * 2)
    with pytest.raises(ValueError, match="reshape"):
        f(np.arange(12.0), 5)


def test_joined_and_split_dims():
    check(lambda x: [join_dims(x, start_axis=1, n_axes=2)], X)
    check(lambda x: split_dims(x, axis=2, shape=(2, 2)), X)


def test_shapes_are_values():
    check(lambda x: [x.shape, x.shape[1] * 2.5, pt.prod(x.shape), x.size], X)


def test_specified_shapes():
    x = pt.matrix("x")
    f = pytensor.function([x], specify_shape(x, (None, 3)) + 1, mode="LOOPWELD")
    np.testing.assert_array_equal(f(np.ones((2, 3))), np.full((2, 3), 2.0))
    with pytest.raises(AssertionError, match="SpecifyShape"):
        f(np.ones((2, 4)))


def test_joins():
    check(lambda x, y: [pt.join(0, x, y), pt.join(-1, x[:2], y), pt.stack([x[0], y[0]])], X[0], X[1][:2])
    check(lambda x, i: pt.join(0, x, i), X[0, 0], np.arange(3))
    check(lambda x: [pt.stack([x, x * 2, x + 1]), pt.stack([x, x], axis=-1)], np.float64(3))


def test_splits():
    check(lambda x: pt.split(x, [1, 3, 0], n_splits=3, axis=2), X)
    x, sizes = pt.vector("x"), pt.lvector("sizes")
    f = pytensor.function([x, sizes], pt.split(x, sizes, n_splits=2, axis=0), mode="LOOPWELD")
    for a, b in ([2, 3], [5, 0]):
        first, second = f(np.arange(5.0), [a, b])
        assert first.shape == (a,) and second.shape == (b,)
    with pytest.raises(ValueError, match="sum to"):
        f(np.arange(5.0), [2, 2])


def test_allocations():
    check(lambda x: [pt.alloc(x[0, 0, 0], 5, 4), pt.alloc(x[0, :, :4], 2, 3, 4), pt.zeros_like(x)], X)
    check(lambda x: [pt.alloc(x, 5, 4), pt.full((3,), x[0, 2])], X[0, :1])
    n = pt.lscalar("n")
    f = pytensor.function([n], [pt.zeros((n, 2)), pt.ones(n), AllocEmpty("float64")(n, 3).shape], mode="LOOPWELD")
    for count in (0, 1, 4):
        zeros, ones, shape = f(count)
        assert zeros.shape == (count, 2) and ones.sum() == count and list(shape) == [count, 3]


@pytest.mark.parametrize(("start", "stop", "step"), [(0, 7, 1), (2, 11, 3), (9, 0, -2), (3, 3, 1), (5, 2, 1)])
def test_ranges(start: int, stop: int, step: int):
    check(lambda a, b, c: pt.arange(a, b, c), np.int64(start), np.int64(stop), np.int64(step))


def test_identity_matrices_and_diagonals():
    check(lambda x: [pt.eye(3), pt.eye(x.shape[0], x.shape[1], 1), pt.eye(4, 2, -1, dtype="int64")], X[0])
    for offset in (0, 1, -1, 5):
        check(lambda x, k=offset: [ExtractDiag(k, 0, 1)(x), ExtractDiag(k, 1, 2)(x)], X)
    check(lambda x: [pt.diag(x), pt.diag(x * 2)], X[0, 0])


def test_one_program_for_all_sizes():
    x, y = pt.matrix("x"), pt.vector("y")
    f = pytensor.function([x, y], pt.exp(x[1:] - y).sum(axis=1), mode="LOOPWELD")
    for n, m in ((5, 3), (2, 40), (100, 7), (3, 1)):
        a, b = np.ones((n, m)), np.zeros(m)
        np.testing.assert_allclose(f(a, b), np.exp(a[1:] - b).sum(axis=1))
    (segment,) = f.vm.jit_fn.segments
    assert sum(map(len, segment.versions.values())) == 1


def test_what_is_assumed_of_sizes_is_checked():
    x = pt.vector("x")
    f = pytensor.function([x], [x[2:6] * 2, x[-3:]], mode="LOOPWELD")
    for n in (20, 6, 5, 3, 2, 0, 50):
        a = np.arange(float(n))
        found = f(a)
        np.testing.assert_array_equal(found[0], a[2:6] * 2)
        np.testing.assert_array_equal(found[1], a[-3:])


def test_what_is_assumed_of_sizes_is_checked_where_it_is_false_too():
    x = pt.matrix("x")
    n, m = x.shape
    most = pt.alloc(x.sum(), pt.switch(pt.lt(n, m), n, 3), pt.maximum(n, m))
    f = pytensor.function([x], [pt.diag(x) * 2, most], mode=Mode("loopweld", optimizer=None))
    for shape in ((1, 0), (1, 4), (4, 1), (4, 4), (0, 5), (5, 2)):
        a = np.arange(np.prod(shape), dtype=float).reshape(shape)
        found = f(a)
        np.testing.assert_array_equal(found[0], np.diag(a) * 2)
        assert found[1].shape == (shape[0] if shape[0] < shape[1] else 3, max(shape))


def test_a_size_that_could_be_any_raises():
    x = pt.matrix("x")
    f = pytensor.function([x], x.reshape((-1, x.shape[0])) * 2, mode="LOOPWELD")
    assert f(np.ones((3, 2))).shape == (2, 3) and f(np.ones((3, 0))).shape == (0, 3)
    with pytest.raises(ValueError, match="cannot reshape"):
        f(np.ones((0, 3)))


def test_products_of_matrices_and_vectors():
    rng = np.random.default_rng(0)
    a, b, v = rng.normal(size=(5, 7)), rng.normal(size=(7, 4)), rng.normal(size=7)
    check(lambda a, b, v: [pt.dot(a, b), pt.dot(a, v), pt.dot(v, b), pt.dot(v, v), a.T @ a], a, b, v)
    x, y = rng.normal(size=(3, 5, 7)), rng.normal(size=(1, 7, 4))
    check(lambda x, y, v: [x @ y, x @ v, pt.exp(x) @ v], x, y, v)
    check(lambda a, b: a @ b, np.zeros((3, 0)), np.zeros((0, 2)))


def test_a_size_that_is_checked_is_no_value_of_the_call():
    x, y = pt.vectors("x", "y")
    size = Assert("the sizes differ")(x.shape[0], pt.eq(x.shape[0], y.shape[0]))
    function = pytensor.function([x, y], pt.arange(size) + x + pt.ones(size), mode=RAW)
    for n in (3, 5):
        np.testing.assert_array_equal(function(np.ones(n), np.ones(n)), np.arange(n) + 2)
    with pytest.raises(AssertionError, match="the sizes differ"):
        function(np.ones(3), np.ones(4))
    report = loopweld.pytensor.report(function)
    assert len(report.segments) == 1 and not report.fallbacks
