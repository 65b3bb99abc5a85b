"""NaN, infinities, signed zeros, poles, overflow: NumPy's and C99's results, with the sign of zero."""

import math
from typing import Any

import numpy as np
import pytest
from vecmath.jit import CASES, DTYPES, kernel

INF, NAN = math.inf, math.nan
PI = math.pi

UNARY: dict[str, list[tuple[float, float]]] = {
    "exp": [(INF, INF), (-INF, 0.0), (0.0, 1.0), (-0.0, 1.0), (1e4, INF), (-1e4, 0.0)],
    "exp2": [(INF, INF), (-INF, 0.0), (-0.0, 1.0), (10.0, 1024.0), (-3.0, 0.125), (1e30, INF), (-1e30, 0.0)],
    "expm1": [(INF, INF), (-INF, -1.0), (0.0, 0.0), (-0.0, -0.0), (1e4, INF), (-1e4, -1.0)],
    "sigmoid": [(INF, 1.0), (-INF, 0.0), (0.0, 0.5), (-0.0, 0.5), (1e4, 1.0), (-1e4, 0.0)],
    "log": [(INF, INF), (0.0, -INF), (-0.0, -INF), (-1.0, NAN), (-INF, NAN), (1.0, 0.0), (-1e-40, NAN)],
    "log2": [(INF, INF), (0.0, -INF), (-0.0, -INF), (-1.0, NAN), (-INF, NAN), (1.0, 0.0), (1024.0, 10.0)],
    "log10": [(INF, INF), (0.0, -INF), (-0.0, -INF), (-1.0, NAN), (-INF, NAN), (1.0, 0.0), (1000.0, 3.0)],
    "log1p": [(INF, INF), (-1.0, -INF), (-1.5, NAN), (-INF, NAN), (0.0, 0.0), (-0.0, -0.0)],
    "softplus": [(INF, INF), (-INF, 0.0), (1e30, 1e30), (-1e30, 0.0)],
    "sin": [(INF, NAN), (-INF, NAN), (0.0, 0.0), (-0.0, -0.0)],
    "cos": [(INF, NAN), (-INF, NAN), (0.0, 1.0), (-0.0, 1.0)],
    "tan": [(INF, NAN), (-INF, NAN), (0.0, 0.0), (-0.0, -0.0)],
    "rsqrt": [(INF, 0.0), (0.0, INF), (-0.0, -INF), (-1.0, NAN), (-INF, NAN), (4.0, 0.5), (2.0**-40, 2.0**20)],
    "cbrt": [(INF, INF), (-INF, -INF), (0.0, 0.0), (-0.0, -0.0), (27.0, 3.0), (-8.0, -2.0), (2.0**-120, 2.0**-40)],
    "sinh": [(INF, INF), (-INF, -INF), (0.0, 0.0), (-0.0, -0.0), (1e4, INF), (-1e4, -INF)],
    "cosh": [(INF, INF), (-INF, INF), (0.0, 1.0), (-0.0, 1.0), (1e4, INF), (-1e4, INF)],
    "tanh": [(INF, 1.0), (-INF, -1.0), (0.0, 0.0), (-0.0, -0.0), (50.0, 1.0), (-1e30, -1.0)],
    "asinh": [(INF, INF), (-INF, -INF), (0.0, 0.0), (-0.0, -0.0)],
    "acosh": [(INF, INF), (1.0, 0.0), (0.5, NAN), (0.0, NAN), (-2.0, NAN), (-INF, NAN)],
    "atanh": [(1.0, INF), (-1.0, -INF), (0.0, 0.0), (-0.0, -0.0), (1.5, NAN), (-2.0, NAN), (INF, NAN), (-INF, NAN)],
    "erf": [(INF, 1.0), (-INF, -1.0), (0.0, 0.0), (-0.0, -0.0), (30.0, 1.0), (-30.0, -1.0)],
    "erfc": [(INF, 0.0), (-INF, 2.0), (0.0, 1.0), (-0.0, 1.0), (200.0, 0.0), (-200.0, 2.0)],
    "erfcx": [(INF, 0.0), (-INF, INF), (0.0, 1.0), (-0.0, 1.0), (-30.0, INF)],
    "erfinv": [(1.0, INF), (-1.0, -INF), (0.0, 0.0), (-0.0, -0.0), (1.5, NAN), (INF, NAN), (-INF, NAN)],
    "asin": [(0.0, 0.0), (-0.0, -0.0), (1.0, PI / 2), (-1.0, -PI / 2), (1.5, NAN), (INF, NAN), (-INF, NAN)],
    "acos": [(1.0, 0.0), (-1.0, PI), (0.0, PI / 2), (-0.0, PI / 2), (-1.5, NAN), (INF, NAN), (-INF, NAN)],
    "atan": [(INF, PI / 2), (-INF, -PI / 2), (0.0, 0.0), (-0.0, -0.0), (1e30, PI / 2)],
    "lgamma": [(INF, INF), (-INF, INF), (0.0, INF), (-0.0, INF), (-1.0, INF), (-30.0, INF), (1.0, 0.0), (2.0, 0.0)],
    "digamma": [(INF, INF), (-INF, NAN), (0.0, -INF), (-0.0, INF), (-1.0, NAN), (-30.0, NAN)],
}

ATAN2 = [
    (0.0, 0.0, 0.0),
    (-0.0, 0.0, -0.0),
    (0.0, -0.0, PI),
    (-0.0, -0.0, -PI),
    (0.0, 1.0, 0.0),
    (-0.0, 1.0, -0.0),
    (0.0, -1.0, PI),
    (-0.0, -1.0, -PI),
    (1.0, 0.0, PI / 2),
    (-1.0, -0.0, -PI / 2),
    (1.0, INF, 0.0),
    (-1.0, INF, -0.0),
    (1.0, -INF, PI),
    (-1.0, -INF, -PI),
    (INF, 1.0, PI / 2),
    (-INF, 1.0, -PI / 2),
    (INF, INF, PI / 4),
    (-INF, INF, -PI / 4),
    (INF, -INF, 3 * PI / 4),
    (-INF, -INF, -3 * PI / 4),
    (NAN, 1.0, NAN),
    (INF, NAN, NAN),
]

HYPOT = [
    (INF, NAN, INF),
    (NAN, -INF, INF),
    (-INF, 1.0, INF),
    (NAN, 1.0, NAN),
    (1.0, NAN, NAN),
    (0.0, -0.0, 0.0),
    (-3.0, 4.0, 5.0),
    (1e38, 0.0, 1e38),
]

LOGADDEXP = [
    (INF, INF, INF),
    (INF, -INF, INF),
    (-INF, -INF, -INF),
    (-INF, 3.0, 3.0),
    (3.0, -INF, 3.0),
    (1.0, INF, INF),
    (NAN, INF, NAN),
    (INF, NAN, NAN),
    (NAN, -INF, NAN),
    (1e30, 0.0, 1e30),
    (-1e30, 2.0, 2.0),
]

BINARY = {"atan2": ATAN2, "hypot": HYPOT, "logaddexp": LOGADDEXP}


def same(got: Any, expected: Any) -> bool:
    """Equal, with NaN equal to NaN and -0 not equal to 0."""
    if np.isnan(expected):
        return bool(np.isnan(got))
    return bool(got == expected and np.signbit(got) == np.signbit(expected))


@pytest.mark.parametrize("elem", ["f32", "f64"])
@pytest.mark.parametrize("name", UNARY)
def test_unary(name: str, elem: str) -> None:
    dtype = DTYPES[elem]
    points = UNARY[name]
    results = kernel(name, elem)(np.array([x for x, _ in points], dtype))
    wrong = [(x, y, got) for (x, y), got in zip(points, results, strict=True) if not same(got, dtype(y))]
    assert not wrong


@pytest.mark.parametrize("elem", ["f32", "f64"])
@pytest.mark.parametrize("name", BINARY)
def test_binary(name: str, elem: str) -> None:
    dtype = DTYPES[elem]
    points = BINARY[name]
    x, y, expected = (np.array(column, dtype) for column in zip(*points, strict=True))
    results = kernel(name, elem)(x, y)
    wrong = [(p, got) for p, e, got in zip(points, expected, results, strict=True) if not same(got, e)]
    assert not wrong


@pytest.mark.parametrize("elem", ["f32", "f64"])
def test_pow_on_all_pairs_of_special_values(elem: str) -> None:
    """NumPy calls the C library's pow, which follows annex F."""
    info = np.finfo(DTYPES[elem])
    small = [0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 7.0, 1e4, 1e10, 2.0**24 - 1, 2.0**24, 2.0**53 - 1, 2.0**60]
    extreme = [float(info.tiny), float(info.smallest_subnormal), float(info.max), INF]
    values = np.array([*small, *extreme, *(-v for v in small), *(-v for v in extreme), NAN], DTYPES[elem])
    x, y = (a.ravel() for a in np.meshgrid(values, values))
    with np.errstate(all="ignore"):
        expected = np.power(x.astype(np.longdouble), y.astype(np.longdouble)).astype(DTYPES[elem])
    got = kernel("pow", elem)(x, y)
    with np.errstate(invalid="ignore", over="ignore"):
        ulp = np.spacing(np.where(np.isfinite(expected), np.abs(expected), 1))
        close = np.isfinite(expected) & (np.abs(got - expected) <= ulp) & (np.signbit(got) == np.signbit(expected))
    right = close | (np.isnan(got) & np.isnan(expected)) | (np.isinf(expected) & (got == expected))
    assert right.all(), list(zip(x[~right], y[~right], got[~right], expected[~right], strict=True))[:10]


@pytest.mark.parametrize(("name", "elem"), CASES)
def test_nan_of_any_payload_stays_nan(name: str, elem: str) -> None:
    patterns = {
        "f32": [0x7FC00000, 0xFFC00000, 0x7FFFFFFF, 0x7F800001, 0xFFABCDEF],
        "f64": [0x7FF8000000000000, 0xFFF8000000000000, 0x7FFFFFFFFFFFFFFF, 0x7FF0000000000001, 0xFFFABCDEF0123456],
    }[elem]
    nans = np.array(patterns, np.uint32 if elem == "f32" else np.uint64).view(DTYPES[elem])
    twos = np.full(len(nans), 2, DTYPES[elem])
    run = kernel(name, elem)
    results = [run(nans)] if name not in (*BINARY, "pow") else [run(nans, twos), run(twos, nans)]
    assert all(np.isnan(r).all() for r in results)


@pytest.mark.parametrize("elem", ["f32", "f64"])
@pytest.mark.parametrize("name", ["sin", "tan", "tanh", "sinh", "asinh", "atanh", "asin", "atan", "expm1", "log1p"])
def test_subnormals_return_themselves(name: str, elem: str) -> None:
    x = np.arange(1, 100).astype(np.uint32 if elem == "f32" else np.uint64).view(DTYPES[elem])
    x = np.concatenate([x, -x])
    assert np.array_equal(kernel(name, elem)(x), x)
