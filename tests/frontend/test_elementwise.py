"""Operators, ufuncs and NumPy 2's promotion."""

import numpy as np
import pytest
from frontend.checking import check, ops, run

DTYPES = ["bool", "i1", "i2", "i4", "i8", "u1", "u4", "u8", "f2", "f4", "f8", "c8", "c16"]


def array(dtype, shape=(3, 20), seed=0):
    rng = np.random.default_rng(seed)
    if np.dtype(dtype).kind == "c":
        return (rng.standard_normal(shape) + 1j * rng.standard_normal(shape)).astype(dtype)
    low = 0 if np.dtype(dtype).kind in "bu" else -9
    values = rng.standard_normal(shape) if np.dtype(dtype).kind == "f" else rng.integers(low, 10, shape)
    return values.astype(dtype)


@pytest.mark.parametrize("a", DTYPES)
@pytest.mark.parametrize("b", DTYPES)
def test_two_arrays_promote_as_in_numpy(a, b):
    def f(x, y):
        return x + y, x * y, np.maximum(x, y), x / (y + 20), x == y, x != y

    check(f, array(a), array(b, seed=1))


@pytest.mark.parametrize("a", ["i1", "i8", "u1", "f2", "f4", "f8"])
def test_python_numbers_are_weak(a):
    def f(x):
        return x + 1, 2 * x, x / 3, 1 - x, x > 2, x + 1.5, x == 2.5, x // 2, x % 3, x**2, x + True

    check(f, array(a))


@pytest.mark.parametrize("scalar", [3, 2.5, True, np.float32(2), np.int8(3), np.array(2.0, "f4"), np.float64(1.5)])
def test_scalar_arguments(scalar):
    def f(x, s):
        return x * s, s + 1, s * 2.5, np.exp(s), s

    check(f, array("f4"), scalar)


def test_python_scalars_stay_python_under_operators():
    check(lambda n, s: (n * 2, n / 2, n + s, -n, n // 2, n**2), 7, 0.5)


UNARY = [
    "square",
    "reciprocal",
    "sign",
    "floor",
    "ceil",
    "trunc",
    "rint",
    "fabs",
    "absolute",
    "negative",
    "positive",
    "isfinite",
    "isnan",
    "isinf",
    "signbit",
    "deg2rad",
    "rad2deg",
    "exp",
    "exp2",
    "expm1",
    "log",
    "log2",
    "log10",
    "log1p",
    "sqrt",
    "cbrt",
    "sin",
    "cos",
    "tan",
    "arcsin",
    "arccos",
    "arctan",
    "sinh",
    "cosh",
    "tanh",
    "arcsinh",
    "arccosh",
    "arctanh",
    "logical_not",
    "modf",
    "frexp",
    "spacing",
    "conjugate",
]


@pytest.mark.parametrize("name", UNARY)
@pytest.mark.parametrize("dtype", ["f4", "f8", "i4", "u1"])
def test_unary_ufuncs(name, dtype):
    ufunc = getattr(np, name)
    x = array(dtype)
    try:
        ufunc.resolve_dtypes((x.dtype,) + (None,) * ufunc.nout)
    except TypeError:
        pytest.skip("not for this dtype")
    check(lambda x: ufunc(x), x + (name == "reciprocal" and dtype != "f4") * 20)


BINARY = [
    "add",
    "subtract",
    "multiply",
    "true_divide",
    "floor_divide",
    "remainder",
    "fmod",
    "maximum",
    "minimum",
    "fmax",
    "fmin",
    "arctan2",
    "hypot",
    "copysign",
    "logaddexp",
    "logaddexp2",
    "heaviside",
    "nextafter",
    "float_power",
    "logical_and",
    "logical_or",
    "logical_xor",
    "greater",
    "greater_equal",
    "less",
    "less_equal",
    "equal",
    "not_equal",
    "divmod",
]


@pytest.mark.parametrize("name", BINARY)
@pytest.mark.parametrize("dtypes", [("f4", "f4"), ("f8", "f4"), ("i4", "f4"), ("i4", "i2"), ("u1", "i1")])
def test_binary_ufuncs(name, dtypes):
    ufunc = getattr(np, name)
    check(lambda x, y: ufunc(x, y), array(dtypes[0]), abs(array(dtypes[1], (20,), 1)) + 1)


@pytest.mark.parametrize("dtype", ["i1", "i8", "u1", "bool"])
def test_bits(dtype):
    check(lambda x: (x & x, x | x, x ^ x, ~x), array(dtype))
    if dtype != "bool":
        check(lambda x: (x << 1, x >> 1, x & 3, np.gcd(x, 6), np.bitwise_count(x)), array(dtype))


def test_powers_are_cheap():
    traced = check(lambda x: (x**2, np.power(x, 2), x**1), array("f8"))
    assert set(ops(traced)) == {"mul"}
    assert "sqrt" in ops(check(lambda x: abs(x) ** 0.5, array("f8")))


def test_powers_of_bools():
    """A Python 2 squares, to int8; other powers are of int64."""
    check(lambda b: (b**2, b**3, b ** np.int64(2), b**2.0), np.array([True, False]))


def test_negative_powers_of_integers():
    """They raise, whatever the base is."""
    base, exponent = np.arange(-8, 12), np.arange(20) % 6
    traced = check(lambda i, j: (i**j, np.power(i, j, dtype="f8"), 2.0**-j), base, exponent)
    for wrong in (np.where(exponent == 5, -1, exponent), np.full(20, -3)):
        with pytest.raises(ValueError, match=r"negative integer powers are not allowed.*test_elementwise\.py"):
            run(traced, base, wrong)
    check(lambda i, j: i**j, base, exponent.astype("u1"))
    check(lambda i: (i**3, i**0, i ** np.int8(2)), base.astype("i2"))


def test_integer_comparison_beyond_the_dtype():
    check(lambda x: (x < 300, x == 300, x > -1000), array("i1"))


def test_python_int_that_does_not_fit():
    with pytest.raises(OverflowError, match="300 out of bounds for int8"):
        check(lambda x: x + 300, array("i1"))


def test_scipy_special():
    special = pytest.importorskip("scipy.special")
    x = array("f8")
    check(lambda x: (special.erf(x), special.expit(x), special.xlogy(x, 2.0), special.gammaln(x + 20)), x)


def test_where_clip_select():
    def f(x):
        chosen = np.select([x > 1, x < -1], [x, -x], 5.0)
        return np.where(x > 0, x, 0), np.where(x > 0, 1, -1), chosen, x.clip(-1, 1), np.clip(x, 0, None)

    check(f, array("f8"))
    check(f, array("f4"))


def test_choices_without_dims():
    """np.where gives an array, unlike ufuncs, which give a NumPy scalar."""
    check(
        lambda x: (
            np.where(x.sum() > 0, x.sum(), 0.0),
            np.where(x[0, 0], 1, 2) + 1,
            np.median(x),
            np.clip(x[0, 0], 0, 1),
        ),
        np.linspace(-1, 2, 40).reshape(8, 5),
    )


def test_in_place_operators_and_out():
    def f(x):
        z = x + 1
        z += 2
        z *= x
        z[0] -= 1
        total = z.sum()
        before = total
        total += 1
        w = np.empty_like(x)
        np.exp(x, out=w)
        np.add(x, 1, out=w, where=x > 0)
        return z, total, before, w

    check(f, array("f8", (20, 3)))


def test_complex_parts():
    check(lambda c: (c.real, c.imag, abs(c), np.angle(c), c.conj(), c * 1j, c @ c.T), array("c16"))


def test_nan_functions_and_rounding():
    x = np.where(array("f8") > 0.5, np.nan, array("f8"))
    check(lambda x: (np.nan_to_num(x), np.isclose(x, x), np.round(x, 2), x.round(), np.nansum(x)), x)
    check(lambda x: (np.allclose(x, x), np.array_equal(x, x)), array("f4"))


def test_closed_over_arrays():
    small, large = np.arange(3.0)[:, None], np.random.default_rng(3).standard_normal(20)
    traced = check(lambda x: x * small + large + np.ones(20) + np.arange(20) + large, array("f8"))
    assert len(traced.constants) == 1
    assert [s.name for s in traced.inputs] == ["x", "const0"]
    assert traced.constants[0] is not large
    assert "iota" in ops(traced)
