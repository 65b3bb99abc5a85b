"""What PyTensor's own tests of `Subtensor` and its kin check, in our words; `UPSTREAM.md` says which test is where."""

from itertools import product
from typing import Any

import numpy as np
import pytest

pytest.importorskip("pytensor", reason="needs Python 3.12 and loopweld[pytensor]")

import pytensor
import pytensor.tensor as pt
from pytensor.tensor.subtensor import AdvancedIncSubtensor, flip, get_canonical_form_slice, slice_at_axis
from pytensor_mode.checking import check

RNG = np.random.default_rng(2390)
PLACES = (-8, -5, -4, -1, 0, 1, 4, 5, 8)
STEPS = (-6, -3, -1, 2, 5)


def test_slices_by_constants():
    slices = [slice(*s) for s in product((None, *PLACES[::2]), (None, *PLACES[1::2]), STEPS)]
    check(lambda x: [x[s] for s in slices[::4]], np.arange(5))
    check(lambda x: [x[s].shape[0] for s in slices[1::4]], np.arange(7))


def test_slices_by_inputs():
    x, names = pt.lvector("x"), [pt.lscalar(name) for name in ("start", "stop", "step")]
    f = pytensor.function([x, *names], [x[slice(*names)], x[slice(*names)].shape[0]], mode="LOOPWELD")
    value = np.arange(5)
    for bounds in list(product(PLACES[::2], PLACES[1::2], STEPS))[::21]:
        found, size = f(value, *bounds)
        np.testing.assert_array_equal(found, value[slice(*bounds)])
        assert size == found.size


@pytest.mark.parametrize("dtype", ["int64", "uint64", "int8", "uint8"])
def test_bounds_of_any_integer_dtype(dtype: str):
    start, stop, step = (np.array(n, dtype) for n in (1, 10, 2))
    check(lambda x, a, b, c: [x[a:], x[:b], x[::c], x[a:b:c], x[a:b:c].shape], np.arange(20), start, stop, step)


def test_the_canonical_form_of_a_slice():
    names = [pt.iscalar(name) for name in ("start", "stop", "step", "length")]
    form, direction = get_canonical_form_slice(slice(*names[:3]), names[3])
    outputs = [pt.as_tensor(v) for v in (form.start, form.stop, form.step, direction)]
    f = pytensor.function(names, outputs, mode="LOOPWELD")
    value = np.arange(5)
    for bounds in list(product(PLACES[::2], PLACES[1::2], STEPS))[::13]:
        start, stop, step, turn = f(*bounds, 5)
        np.testing.assert_array_equal(value[start:stop:step][::turn], value[slice(*bounds)])


def test_elements_rows_and_columns():
    x = np.arange(24.0).reshape(2, 3, 4)
    check(lambda x: [x[0, 0, 0], x[1], x[:, 0], x[0:1, 1:, ::2], x[..., 1], x[1, ..., 2], x[1, 2, 3, ...], x[...]], x)
    check(lambda x: [x[..., [0, 2, 3]], x[None, ...], x[..., None, [1, 2]], x[: x.shape[0], None, :]], x)
    check(lambda x: [x[0:2, 3], x[0:2, -1], x[0:2, -4], x[1:4:2, 1:5:2]], np.arange(20.0).reshape(4, 5))


@pytest.mark.parametrize("key", [(7,), (0, 4), (0, -4), (slice(4, 5), 3)], ids=str)
def test_what_is_out_of_bounds_raises(key: Any):
    x = pt.matrix("x")
    with pytest.raises(IndexError):
        pytensor.function([x], x[key], mode="LOOPWELD")(np.ones((2, 3)))


def test_masks():
    x, n = np.arange(6.0).reshape(2, 3), np.arange(48.0).reshape(2, 3, 4, 2)
    rows, columns = np.array([True, False]), np.array([True, False, True])
    both = np.array([[True, False, True], [False, False, True]])

    def known(x: Any) -> list[Any]:
        reads = [x[rows], x[0, columns], x[:, columns], x[1:, columns], x[1:, columns, None], x[None, 1:, columns]]
        parts = [x[rows], x[0, columns], x[:, columns], x[both]]
        return [*reads, x[both], x[np.zeros(2, bool), 1:], *(pt.inc_subtensor(p, 1) for p in parts)]

    check(known, x)
    check(lambda x: pt.inc_subtensor(x[rows], x[rows]), x)

    def computed(x: Any, n: Any) -> list[Any]:
        reads = [x[x > 2], x[[0], x[0] > 2], x[x[:, 0] > 2, x[0] > 2], n[x > 2, ...], n[x > 2, ..., 1]]
        return [*reads, pt.inc_subtensor(n[x > 2, ...], 1), pt.inc_subtensor(n[x > 2, ..., 0, 1], 1)]

    check(computed, x, n, fallbacks=True)


@pytest.mark.parametrize("place", [(slice(1, None), "mask", 0, slice(1, None)), (slice(1, None), "mask", slice(1), 0)])
def test_masks_of_several_dims_among_other_indices(place: Any):
    mask = RNG.random((3, 4)) < 0.5
    key = tuple(mask if isinstance(k, str) else k for k in place)
    check(lambda x: [x[key], pt.inc_subtensor(x[key], 1.0)], RNG.random((3, 3, 4, 2, 2)))


LISTS = [((4,), [1, 0]), ((4, 2, 3), [3, 3, 1, 1, 2, 2, 0, 0, -1, -4]), ((4, 3), [])]


@pytest.mark.parametrize(("shape", "index"), LISTS, ids=str)
def test_lists_and_their_gradients(shape: Any, index: list[int]):
    known = np.array(index, int)

    def build(x: Any, i: Any) -> list[Any]:
        found: list[Any] = []
        for j in (known, i):
            first = pt.grad(pt.exp(x[j]).sum(), x)
            found += [x[j], x[j].shape, first, pt.grad((first * x).sum(), x), x[None][0, j]]
        return found

    check(build, RNG.normal(size=shape), known)


def test_an_index_that_is_a_strided_slice():
    check(lambda x, i: [x[i[::2]], x[i[::-1]]], RNG.random((4, 2, 3)), np.array([2, 2, 0, 0, 1, 1]))


@pytest.mark.parametrize("shape", [(10,), (4, 5), (1, 2, 3)], ids=str)
def test_rows_set_and_increased(shape: Any):
    """What is assigned has from none to all of the dims."""
    index = RNG.permutation(shape[0])[: max(shape[0] - 1, 1)]
    given = [RNG.random((len(index), *shape[1:])[k:]) for k in range(len(shape) + 1)]
    ops = (pt.set_subtensor, pt.inc_subtensor)
    check(lambda x, i, *ys: [op(x[i], y) for op in ops for y in ys], RNG.random(shape), index, *given)


SEVERAL = [
    ((0, [1, 3, 5], 1), (3, 4)),
    (([1, 2, 4, 6],), (4, 6, 5, 4)),
    (([0, 1, 2], 0, [0, 1, 2]), (3, 4)),
    (([[0, 1], [2, 3]], [[0, 1], [2, 3]]), (2, 2, 5, 4)),
    ((slice(None, None, 2), [1, 2, 3], -1), (4, 3, 4)),
]


@pytest.mark.parametrize(("key", "shape"), SEVERAL, ids=str)
def test_several_index_arrays_set_and_increased(key: Any, shape: Any):
    given = [RNG.random(shape[k:]) for k in range(len(shape) + 1) if k == 0 or k > len(shape) - 2]
    ops = (pt.set_subtensor, pt.inc_subtensor)
    target = RNG.random((7, 6, 5, 4))
    if key[-1] == -1:
        given = given[-1:]
    check(lambda x, *ys: [op(x[key], y) for op in ops for y in ys], target, *given)


@pytest.mark.parametrize("ignore", [True, False])
def test_duplicates_count_once_or_each_time(ignore: bool):
    def build(m: Any, i: Any, j: Any, k: Any) -> list[Any]:
        keys = [(i, j), (i,), (i, k)]
        total = pt.inc_subtensor(m[i], m.sum(), ignore_duplicates=ignore).sum()
        return [*(pt.inc_subtensor(m[key], 2.1, ignore_duplicates=ignore) for key in keys), pt.grad(total, m)]

    m, i, j = RNG.random((3, 3)), np.array([1, 2, 1]), np.array([0, 1, 0])
    check(build, m, i, j, np.array([[0, 1, 0], [2, 2, 2]]))


def test_columns_by_vectors_and_matrices():
    def build(m: Any, i: Any, j: Any) -> list[Any]:
        parts = [m[:, i], m[:, j]]
        ones = [np.ones((3, 1)), np.ones((3, 1, 1))]
        sets = [pt.set_subtensor(p, 0) for p in parts]
        return [*sets, *(pt.inc_subtensor(p, y) for p, y in zip(parts, ones, strict=True))]

    check(build, RNG.random((3, 5)), RNG.integers(0, 5, 4), RNG.integers(0, 5, (4, 2)))


def test_index_matrices_among_slices():
    def build(x: Any, i: Any) -> list[Any]:
        return [x[0, :, i, :], x[:, None, :, i, :], x[:, 0:1, i, :], x[:, :, i, 0], x[:, :, i, None, :], x[:, i % 2, i]]

    check(build, RNG.random((2, 3, 4, 5)).astype("float32"), np.array([[0, 1], [1, 0]]))


def test_three_index_arrays_and_scalars_in_lists():
    x = RNG.random((3, 2, 2))
    rows = np.array([[0, 1], [0, 2]], "int32")
    check(lambda x, i: x[i, np.arange(2)[:, None], np.arange(2)[None]], x, rows)
    check(lambda x, i, j: [x[[i, j], :], x[[i, j], :, i:j]], x, np.int32(0), np.int32(1))
    check(lambda x, i: x[:, i, pt.arange(4)], RNG.random((3, 63, 4)), RNG.integers(0, 61, (5, 4)).astype("int32"))


def test_only_numbers_as_index_arrays():
    a, i, j = pt.vector("a"), pt.lscalar("i"), pt.lscalar("j")
    m = pt.matrix("m")
    f = pytensor.function([m, a, i, j], AdvancedIncSubtensor(idx_list=(0, 1))(m, a[0], i, j), mode="LOOPWELD")
    assert f(np.zeros((3, 4)), np.ones(1), 1, -2)[1, 2] == 1


@pytest.mark.parametrize("part", [lambda a: a[:], lambda a: a[0]], ids=["matrix", "row"])
def test_what_does_not_fit_raises(part: Any):
    a, y = pt.col("a"), pt.vector("y")
    for op in (pt.set_subtensor, pt.inc_subtensor):
        f = pytensor.function([a, y], op(part(a), y), mode="LOOPWELD")
        assert f(np.ones((3, 1)), np.ones(1)).shape == (3, 1)
        for n in (0, 2, 3):
            with pytest.raises((AssertionError, ValueError)):
                f(np.ones((3, 1)), np.ones(n))


def test_slices_set_and_increased_up_to_an_input():
    def build(a: Any, y: Any, n: Any) -> list[Any]:
        parts = [a[:, :n], a[:, 2, :n], a[::, 1:2, ::, 2:4], a[2, 1:2, ::]]
        return [op(part, y) for op in (pt.set_subtensor, pt.inc_subtensor) for part in parts]

    check(build, RNG.random((5, 3, 4, 5)), np.float64(2.3), np.int64(2))


def test_gradients_of_what_is_assigned():
    def build(x: Any, y: Any) -> list[Any]:
        found: list[Any] = []
        for op, part in product((pt.set_subtensor, pt.inc_subtensor), (x[2:4], x[[1, 3]], x[1:3], x[:2])):
            found += pt.grad((op(part, y) ** 2).sum(), [x, y])
        return found

    check(build, RNG.random((5, 5)), RNG.random((2, 5)))
    check(build, RNG.random((5, 2)), RNG.random((1, 2)))


def test_taking():
    x, i, far = RNG.random((4, 5, 6)), np.array([[1, 2, 3], [1, 2, 3]]), np.array([[1, 2, 3], [5, 6, 7]])
    check(lambda x, i, far: [x.take(i, axis=-1), x.take(far), x.take(i, axis=1)], x, i, far)
    check(lambda x, i, far: [x.take(far, axis=1, mode="clip"), x.take(far, axis=1, mode="wrap")], x, i, far)


def test_flips_and_slices_of_an_axis():
    x = RNG.random((3, 4, 2))
    check(lambda x: [flip(x), flip(x, axis=(0, 2)), *(x[slice_at_axis(slice(1, 3), k)] for k in (0, 1))], x)


@pytest.mark.parametrize("dtype", ["int8", "uint16", "float16", "float32", "bool", "complex64"])
def test_elements_of_any_dtype(dtype: str):
    x = np.arange(6).reshape(3, 2).astype(dtype)
    i = np.array([0, 2, 0])

    def build(x: Any, i: Any) -> list[Any]:
        found = [x[i], x[::-1, 0], pt.set_subtensor(x[1:], x[:2]), pt.set_subtensor(x[i[:2]], x[1])]
        return found if dtype == "bool" else [*found, pt.inc_subtensor(x[i], x[1]), pt.inc_subtensor(x[1:], x[:2])]

    check(build, x, i, fallbacks=dtype in ("bool", "complex64"))
