"""Subtensors and their increments."""

from typing import Any

import numpy as np
import pytest

pytest.importorskip("pytensor", reason="needs Python 3.12 and loopweld[pytensor]")

import pytensor
import pytensor.tensor as pt
from pytensor_mode.checking import check

X = np.arange(5 * 7 * 3, dtype="float64").reshape(5, 7, 3)

BASIC: dict[str, Any] = {
    "number": lambda x: x[2],
    "last": lambda x: x[-1, ..., 0],
    "slice": lambda x: x[1:4],
    "open": lambda x: x[1:, :-2],
    "step": lambda x: x[::2, 1::3],
    "reversed": lambda x: x[::-1, 5:1:-2],
    "empty": lambda x: x[3:3],
    "beyond": lambda x: x[2:100],
    "new axes": lambda x: x[None, 1, :, None],
    "by size": lambda x: x[: x.shape[2] - 1, x.shape[0] - 4 :],
}


@pytest.mark.parametrize("name", BASIC)
def test_basic(name: str):
    check(lambda x: [BASIC[name](x), BASIC[name](x * 2) + 1], X)


@pytest.mark.parametrize("name", [n for n in BASIC if n != "new axes"])
def test_basic_set_and_increment(name: str):
    def build(x: Any) -> Any:
        part = BASIC[name](x)
        return [pt.set_subtensor(part, pt.exp(part)), pt.inc_subtensor(part, part * 2), pt.set_subtensor(part, 1.0)]

    check(build, X / 100)


def test_index_that_is_an_input():
    i = np.int64(-2)
    check(lambda x, i: [x[i], x[1:3, i], x[i, :, i % 3]], X, i)
    check(lambda x, i: [pt.inc_subtensor(x[i], 1.5), pt.set_subtensor(x[1:3, i], 0.0)], X, i)


def test_bounds_that_are_inputs():
    x, n = pt.vector("x"), pt.lscalar("n")
    f = pytensor.function([x, n], x[n:] * 2, mode="LOOPWELD")
    for count in (0, 2, 5, -1, 9):
        np.testing.assert_array_equal(f(np.arange(6.0), count), np.arange(6.0)[count:] * 2)


def test_index_out_of_bounds_raises():
    x, i, v = pt.vector("x"), pt.lscalar("i"), pt.lvector("v")
    f = pytensor.function([x, i], x[i], mode="LOOPWELD")
    assert f(np.arange(3.0), -3) == 0
    for wrong in (3, -4):
        with pytest.raises(IndexError):
            f(np.arange(3.0), wrong)
    g = pytensor.function([x, v], pt.inc_subtensor(x[v], 1.0), mode="LOOPWELD")
    with pytest.raises(IndexError):
        g(np.arange(3.0), [0, 3])


ROWS = np.array([0, 3, -1, 3, 2])
COLUMNS = np.array([[1], [4], [0], [2], [-7]])

ADVANCED: dict[str, Any] = {
    "vector": lambda x, i, j: x[i],
    "matrix": lambda x, i, j: x[:, j],
    "two": lambda x, i, j: x[i, j[:, 0]],
    "broadcast": lambda x, i, j: x[i, j],
    "apart": lambda x, i, j: x[i, :, j[:, 0] % 3],
    "with slice": lambda x, i, j: x[1:, i],
    "with slice before": lambda x, i, j: x[::2, i, 1:],
    "with number": lambda x, i, j: x[i, 2],
    "by one": lambda x, i, j: x[i[:1]],
}


@pytest.mark.parametrize("name", ADVANCED)
def test_advanced(name: str):
    check(lambda x, i, j: [ADVANCED[name](x, i, j), ADVANCED[name](pt.exp(-x), i, j).sum()], X, ROWS, COLUMNS)


@pytest.mark.parametrize("name", ADVANCED)
def test_advanced_set_and_increment(name: str):
    def build(x: Any, i: Any, j: Any) -> Any:
        part = ADVANCED[name](x, i, j)
        distinct = ADVANCED[name](x, i[:3], j[:3])
        return [pt.inc_subtensor(part, part / 2), pt.inc_subtensor(part, 1.0), pt.set_subtensor(distinct, 0.5)]

    check(build, X, ROWS, COLUMNS)


@pytest.mark.parametrize("dtype", ["int32", "uint8", "int64"])
def test_index_dtypes(dtype: str):
    i = np.abs(ROWS).astype(dtype)
    check(lambda x, i: [x[i], pt.inc_subtensor(x[i, 0], 1.0)], X, i)


def test_what_is_assigned_and_index_arrays_repeat_as_in_numpy():
    """A size of 1 that no type declares: other than between operands of elementwise ops."""
    x, y = pt.vector("x"), pt.vector("y")
    f = pytensor.function([x, y], pt.inc_subtensor(x[1:], y), mode="LOOPWELD")
    for n, m in ((4, 3), (4, 1), (2, 1), (5, 1), (1, 1), (5, 4)):
        expected = np.arange(float(n))
        expected[1:] += np.ones(m)
        np.testing.assert_array_equal(f(np.arange(float(n)), np.ones(m)), expected)
    with pytest.raises(ValueError, match="dimension mismatch"):
        f(np.ones(4), np.ones(2))
    a, i, j = pt.matrix("a"), pt.lvector("i"), pt.lvector("j")
    g = pytensor.function([a, i, j], [a[i, j], pt.inc_subtensor(a[i, j], 1.0)], mode="LOOPWELD")
    value = np.arange(6.0).reshape(2, 3)
    for rows, columns in (([0], [0, 1]), ([0, 1], [2]), ([1, 0], [1, 2]), ([1], [2])):
        np.testing.assert_array_equal(g(value, rows, columns)[0], value[rows, columns])
        expected = value.copy()
        np.add.at(expected, (rows, columns), 1.0)
        np.testing.assert_array_equal(g(value, rows, columns)[1], expected)
    with pytest.raises(IndexError, match="indexing arrays"):
        g(value, [0, 1, 0], [0, 1])


def test_rows_repeat_only_where_it_is_declared():
    x, y, i = pt.matrix("x"), pt.matrix("y"), pt.lvector("i")
    f = pytensor.function([x, y, i], pt.inc_subtensor(x[i], y), mode="LOOPWELD")
    assert f(np.zeros((3, 5)), np.ones((1, 5)), [2]).sum() == 5
    for shape in ((1, 5), (2, 1)):
        with pytest.raises(ValueError, match="Runtime broadcasting not allowed"):
            f(np.zeros((3, 5)), np.ones(shape), [0, 2])


def test_empty_index():
    check(lambda x, i: [x[i], pt.inc_subtensor(x[i], 1.0)], X, np.zeros(0, np.int64))


def test_constant_masks():
    mask = np.array([True, False, True, True, False])
    check(lambda x: [x[mask], pt.inc_subtensor(x[mask], 2.0), x[mask, 1:]], X)
    one, both = np.array([False, True, False, False, False]), mask[:, None] & (np.arange(7) % 2 == 0)
    check(lambda x: [x[both], x[both, 0], x[1:, both[0]], x[one, None, 1:], pt.inc_subtensor(x[both], 2.0)], X)
    check(lambda x: [x[mask, [[0], [3]]], x[one, [1, 2]], x[2, both[0]], pt.set_subtensor(x[2, both[0]], 2.0)], X)
    check(lambda x: [x[np.zeros(5, bool), 1:], x[mask, ..., 1], x[:, None, both[0]]], X)


@pytest.mark.parametrize(
    "mask", [[True], [True, False], [True, False, False, False, False, False], [[True] * 6] * 5], ids=len
)
def test_constant_masks_of_other_sizes_raise(mask: Any):
    x, known = pt.tensor3("x"), np.array(mask)
    for result in (x[known], pt.inc_subtensor(x[known], 1.0), pt.set_subtensor(x[known], 1.0)):
        with pytest.raises(IndexError, match="boolean index did not match"):
            pytensor.function([x], result, mode="LOOPWELD")(X)


def test_computed_masks_run_in_pytensor():
    report = check(lambda x: (x[x > 40] * 2).sum(), X, fallbacks=True)
    assert len(report.fallbacks) == 1


def test_a_gather_and_a_scatter_are_in_the_loops_around_them():
    index = np.random.default_rng(0).integers(0, 85, 919)

    def build(a: Any, y: Any) -> Any:
        residual = y - a[index]
        return [(residual**2).sum(), pt.inc_subtensor(pt.zeros_like(a)[index], residual)]

    report = check(build, np.linspace(0, 1, 85), np.linspace(1, 2, 919), static=True)
    assert report.kernels <= 2


@pytest.mark.parametrize("bins", [1, 5, 16, 17])
def test_additions_to_few_and_many_elements(bins: int):
    rng = np.random.default_rng(bins)
    index = rng.integers(-bins, bins, 100)
    up = np.abs(index) % bins
    for given in (index, up):

        def build(x: Any, y: Any, i: Any, given: Any = given) -> Any:
            return [pt.inc_subtensor(x[i], y), pt.inc_subtensor(x[given], pt.exp(y)), pt.inc_subtensor(x[given], 1.0)]

        y = rng.normal(size=100)
        y[3] = np.nan
        check(build, rng.normal(size=bins), y, given, static=True)


def test_indices_are_only_checked_where_they_are_used():
    x, i, j = pt.dmatrix("x"), pt.lvector("i"), pt.lvector("j")
    rows = pytensor.function([x, i, j], x[i[:, None], j[None]], mode="LOOPWELD")
    added = pytensor.function([x, i], pt.inc_subtensor(x[i[:, None], np.array([[-4, 9]])], 1.0), mode="LOOPWELD")
    square, some, none, wrong = np.ones((3, 3)), np.array([0, 1]), np.array([], int), np.array([-4, 3])
    assert rows(square, some, some).shape == (2, 2)
    assert rows(square, none, wrong).shape == (0, 2)
    assert rows(square, wrong, none).shape == (2, 0)
    np.testing.assert_array_equal(added(square, none), square)
    for call in (lambda: rows(square, some, wrong), lambda: rows(square, wrong, some), lambda: added(square, some)):
        with pytest.raises(IndexError, match="out of bounds"):
            call()
