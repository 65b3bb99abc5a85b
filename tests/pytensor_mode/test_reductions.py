"""Reductions over axes, in the dtypes that PyTensor accumulates in."""

from typing import Any

import numpy as np
import pytest

pytest.importorskip("pytensor", reason="needs Python 3.12 and loopweld[pytensor]")

import pytensor
import pytensor.tensor as pt
from pytensor.tensor.math import Argmax, ProdWithoutZeros
from pytensor_mode.checking import check

AXES = [None, 0, 1, 2, (0, 2), (1, 2), ()]
ALL = {"sum": pt.sum, "prod": pt.prod, "max": pt.max, "min": pt.min, "all": pt.all, "any": pt.any}


def numbers(dtype: str, shape: tuple[int, ...]) -> Any:
    rng = np.random.default_rng(3)
    return (rng.integers(0, 3, shape) if dtype[0] in "iub" else rng.normal(size=shape)).astype(dtype)


@pytest.mark.parametrize("axis", AXES)
@pytest.mark.parametrize("name", ALL)
def test_axes(name: str, axis: Any):
    check(lambda x: ALL[name](x, axis=axis), numbers("float64", (3, 5, 17)))


@pytest.mark.parametrize("dtype", ["float16", "float32", "int8", "int32", "uint8", "uint16", "bool", "uint64"])
@pytest.mark.parametrize("name", ALL)
def test_dtypes(name: str, dtype: str):
    if name == "prod" and dtype == "float16":
        pytest.skip("underflows")
    check(lambda x: ALL[name](x, axis=1), numbers(dtype, (5, 33)), rtol=1e-2 if dtype == "float16" else None)


def test_accumulator_of_another_dtype():
    x = np.full((3, 1000), 0.1, np.float32)
    check(lambda x: [pt.sum(x, axis=1, acc_dtype="float64"), pt.sum(x, dtype="float64")], x, rtol=1e-6)


@pytest.mark.parametrize("dtype", ["int64", "uint8", "bool"])
def test_bitwise(dtype: str):
    x = numbers(dtype, (4, 9))
    check(lambda x: [pt.all(x), pt.any(x, axis=0)], x)


def test_empty_axes():
    check(lambda x: [x.sum(), x.prod(axis=0), pt.all(x), pt.any(x, axis=0)], np.zeros((0, 3)))
    x = pt.matrix("x")
    f = pytensor.function([x], pt.max(x, axis=0), mode="LOOPWELD")
    np.testing.assert_array_equal(f(np.ones((2, 3))), np.ones(3))
    with pytest.raises(ValueError, match="zero-size"):
        f(np.ones((0, 3)))


@pytest.mark.parametrize("axis", [None, (0,), (1,), (0, 1)])
def test_positions_of_extremes(axis: Any):
    x = numbers("float64", (7, 33))
    x[2, 5] = np.nan
    check(lambda x: Argmax(axis)(x), x)
    check(lambda x: Argmax(axis)(x), numbers("int64", (7, 33)))


def test_products_without_zeros():
    x = np.array([[0.0, 2, 3], [0, 5, 0], [1, 4, 0]])
    check(lambda x: [ProdWithoutZeros(axis=1)(x), ProdWithoutZeros()(x)], x)


@pytest.mark.parametrize("n", [0, 1, 7, 33, 100])
def test_running_sums_and_products(n: int):
    for static in (False, True):
        check(lambda x: [pt.cumsum(x, axis=1), pt.cumprod(x, axis=0)], numbers("float64", (3, n)), static=static)
    check(lambda x: [pt.cumsum(x), pt.cumsum(pt.exp(-x), axis=0) * 2], numbers("int64", (n,)), static=True)
    check(lambda x: pt.cumsum(x), numbers("float32", (2, n)), rtol=1e-5)


def test_nan_wins():
    x = numbers("float64", (3, 40))
    x[1, 17] = np.nan
    check(lambda x: [x.max(axis=1), x.min(axis=1), x.max()], x)


def test_reductions_of_one_value_share_its_loop():
    report = check(
        lambda x: [pt.exp(x).sum(), pt.exp(x).max(axis=0), pt.exp(x)], numbers("float64", (30, 40)), static=True
    )
    assert report.kernels == 1


@pytest.mark.parametrize("order", ["F", "strided"])
def test_layouts(order: str):
    x = numbers("float64", (20, 31))
    x = np.asfortranarray(x) if order == "F" else np.repeat(x, 2, axis=0)[::2, ::-1]
    check(lambda x: [x.sum(axis=0), x.sum(axis=1), pt.exp(x)], x)
