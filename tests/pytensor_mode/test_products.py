"""Products of matrices and vectors: `Dot`, the forms of BLAS, batches, and what is not a float; inner graphs."""

from typing import Any

import numpy as np
import pytest

pytest.importorskip("pytensor", reason="needs Python 3.12 and loopweld[pytensor]")

import pytensor.tensor as pt
from pytensor.compile.builders import OpFromGraph
from pytensor.tensor.blas.batched import BatchedDot
from pytensor.tensor.blas.gemm import Dot22, Dot22Scalar, Gemm
from pytensor.tensor.blas.gemv import Gemv
from pytensor_mode.checking import check

RNG = np.random.default_rng(5)
SIZES = [(0, 3, 2), (3, 0, 2), (1, 1, 1), (33, 17, 65), (2, 100, 1)]


def numbers(dtype: str, *shape: int) -> Any:
    values = RNG.integers(0, 4, shape) if dtype[0] in "iub" else RNG.normal(size=shape)
    return np.asarray(values, dtype)


@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_the_forms_of_blas(sizes: tuple[int, int, int]):
    m, k, n = sizes
    for dtype in ("float64", "float32"):
        a, b, c = numbers(dtype, m, k), numbers(dtype, k, n), numbers(dtype, m, n)
        s, x, y = numbers(dtype), numbers(dtype, k), numbers(dtype, m)

        def build(a: Any, b: Any, c: Any, s: Any, x: Any, y: Any) -> list[Any]:
            products = [Dot22()(a, b), Dot22Scalar()(a, b, s), Gemm(inplace=False)(c, s, a, b, s)]
            return [*products, Gemv(inplace=False)(y, s, a, x, s), pt.dot(a, x), pt.dot(y, a), pt.outer(y, x)]

        check(build, a, b, c, s, x, y, rtol=1e-4 if dtype == "float32" else 1e-11)


@pytest.mark.parametrize("sizes", SIZES[1:4], ids=str)
def test_batches(sizes: tuple[int, int, int]):
    m, k, n = sizes
    a, b = RNG.normal(size=(4, m, k)), RNG.normal(size=(4, k, n))

    def build(a: Any, b: Any) -> list[Any]:
        return [BatchedDot()(a, b), a @ b, a[:, None] @ b[None], pt.exp(a) @ b[0], a @ b.sum(axis=2)[0]]

    check(build, a, b, rtol=1e-10)


@pytest.mark.parametrize("dtype", ["int64", "int32", "uint8", "bool", "float16", "complex128"])
def test_dtypes(dtype: str):
    a, b = numbers(dtype, 5, 7), numbers(dtype, 7, 9)
    outside = dtype in ("bool", "complex128")
    check(
        lambda a, b: [pt.dot(a, b), pt.dot(a[0], b)], a, b, fallbacks=outside, rtol=2e-2 if dtype == "float16" else None
    )


def test_inner_graphs():
    x, y = pt.matrix(), pt.vector()
    inner = OpFromGraph([x, y], [pt.exp(x - y), x.sum(axis=0) * y])
    outer = OpFromGraph([x, y], [inner(x, y * 2)[0] + inner(x, y)[1], x])
    report = check(lambda a, b: [*outer(a, b), *inner(b[None] * a, b)], RNG.normal(size=(5, 7)), RNG.normal(size=7))
    assert len(report.segments) == 1


@pytest.mark.parametrize(
    ("shape", "dtype"),
    [((0, 3), "float32"), ((1, 1), "float16"), ((9, 33), "float32"), ((3, 1000), "float64")],
    ids=str,
)
def test_softmax_over_dtypes_and_sizes(shape: Any, dtype: str):
    axes = (1,) if 0 in shape else (None, 0, 1)
    functions = (pt.special.softmax, pt.special.log_softmax)
    x = numbers(dtype, *shape)
    check(lambda x: [f(x, axis=k) for f in functions for k in axes], x, rtol={"f": 1e-5}.get(dtype, 2e-2))
