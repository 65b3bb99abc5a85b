"""Full-size results under a 0-d condition that the same loop computes: written at once, overwritten where it fails."""

import numpy as np
import pytest
from fusion.checking import check, sample
from numerics.checking import check as values

import loopweld as lw

N = 900
SHAPES = [(N,), (40, 67), (6, 20, 33)]


def positive(*shape, dtype="f4"):
    return (np.abs(sample(*shape, dtype=dtype)) + 1).astype(dtype)


def gate(x):
    return np.where((x > 0).all(), x * 2, 0)


def shut(f, *args, at: int = -1, number: float = -1):
    """The values with the gate closed by one element."""
    args[0].reshape(-1)[at] = number
    check(f, *args, kernels=None)


# ---- what fuses ----------------------------------------------------------------------
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "i2", "i8"])
def test_dtypes(shape, dtype):
    x = positive(*shape, dtype=dtype)
    check(gate, x, sweeps=1, coarsest=np.dtype(dtype))
    for at in (0, x.size // 2, -1):
        shut(gate, x.copy(), at=at)
    if np.dtype(dtype).kind == "f":
        shut(gate, x.copy(), number=np.nan)


def test_unsigned_and_bools():
    def f(x):
        return np.where((x < 250).all(), x + 1, np.uint8(7)), np.where((x > 1).any(), x != 2, False)

    x = sample(N, dtype="u1")
    check(f, x, sweeps=1, exact=True)
    shut(f, x.copy(), number=251)
    shut(f, np.ones_like(x), number=0)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.where((x > 0).all(), np.log(x), -np.inf),
        lambda x: np.where((x > 0).all(), np.log(x), np.nan),
        lambda x: np.where((x < 0).any(), -0.0, x - 1),
        lambda x: np.where((x > 0).all(), x * 3, x.max()),
        lambda x: np.where((x > 0).all(), x * 3, x.sum() / x.shape[0]) + 1,
        lambda x: np.abs(np.where((x > 0).all(), x - 3, -8)) * 2,
        lambda x: np.where((x > 0).all(), np.where(np.isfinite(x).all(), x + 1, 5), -5),
        lambda x: np.where((x > 0).all(), np.where(np.isnan(x).any(), 5, x + 1), -5),
        lambda x: np.where((x > 0).all() & np.isfinite(x).all(), x + 1, -5),
        lambda x: np.where(x.min() > 0, x, 0),
        lambda x: np.where((x.min(axis=-1) > 0).all(), x, 0),
        lambda x: np.where((x > 0).all(), x.T * 2, 1),
        lambda x: np.where((x > 0).all(), x[::-1] * 2, 1),
    ],
    ids=[
        "-inf",
        "nan",
        "any",
        "another number",
        "and a function",
        "under functions",
        "nested",
        "nested otherwise",
        "two conditions",
        "of a minimum",
        "of rows",
        "transposed",
        "reversed",
    ],
)
def test_forms(f):
    x = positive(40, 67)
    check(f, x, kernels=1, terms=2700)
    for number in (-1, 0, np.nan, np.inf, -np.inf):
        shut(f, x.copy(), number=number)
    for shape in ((1, 1), (1, 40), (33, 3)):
        values(f, positive(*shape))


def passes(x):
    return (x > 0).all()


EXPRESSIONS = {
    "times an array": lambda x, y: np.where(passes(x), x * 2, 0) * y,
    "a factor": lambda x, y: (x - y) * np.where(passes(x), x.dtype.type(1), x.dtype.type(0)),
    "a condition as factor": lambda x, y: x * passes(x) + y,
    "a divisor": lambda x, y: y / np.where(passes(x), x, 1),
    "two arrays": lambda x, y: np.where(passes(x), x, y),
    "two arrays, any": lambda x, y: np.where((x <= 0).any(), y, x + y),
    "two gates, one condition": lambda x, y: np.where(passes(x), x, 0) * np.where(passes(x), y, 3),
    "two conditions": lambda x, y: np.where(passes(x), x, 0) + np.where(np.isfinite(x).all(), y, 3),
    "used twice": lambda x, y: np.where(passes(x), x, y) * y - np.where(passes(x), x, y),
    "a mask": lambda x, y: (x > y) & passes(x),
    "transposed": lambda x, y: np.where(passes(x), x.T, 0) * y.T,
    "with a row's maximum": lambda x, y: np.where(passes(x), y, 0) * x.max(axis=1, keepdims=True) - x,
    "read again": lambda x, y: (np.where(passes(x), x, 0), np.maximum(np.where(passes(x), x, 0), y)),
}


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_expressions(name):
    """Of gates and other arrays: one sweep, and where the gate is closed each value is what the expression says, also
    for NaN and infinities, which a product with 0 does not hide."""
    f = EXPRESSIONS[name]
    x, y = positive(40, 67), sample(67, 40).T.copy()
    y[2, 3:6] = np.nan, np.inf, -np.inf
    check(f, x, y, sweeps=2 if "maximum" in name else 1)
    for number in (0, np.nan, np.inf):
        shut(f, x.copy(), y, number=number)
    values(f, positive(1, 9), sample(1, 9))


@pytest.mark.parametrize("dtype", ["f2", "f8", "i4", "u1"])
def test_expressions_of_dtypes(dtype):
    x, y = positive(N, dtype=dtype), sample(N, dtype=dtype)
    for name in ("times an array", "a factor", "used twice"):
        check(EXPRESSIONS[name], x, y, sweeps=1, coarsest=np.dtype(dtype))
        shut(EXPRESSIONS[name], x.copy(), y, number=0)


def test_a_long_expression():
    """Each value behind a gate is found once, however often it is used."""

    def f(x):
        g = np.where(passes(x), x, 0)
        for _ in range(40):
            g = g * 0.5 + np.abs(g)
        return g / 2

    x = positive(N)
    check(f, x, sweeps=1, terms=40)
    shut(f, x)


def test_nothing():
    for shape in ((0,), (0, 20), (20, 0)):
        values(gate, sample(*shape))


def test_several_results():
    """Under one condition, under others, and under none."""

    def f(x, y):
        z = np.exp(-x) * y
        first, second = (x > 0).all(), (y > -3).all()
        return np.where(first, z, 0), np.where(first, z * y, -1), np.where(second, x - y, 2), z, z.sum()

    x, y = positive(40, 67), sample(67, 40).T.copy()
    check(f, x, y, sweeps=1, terms=2700)
    shut(f, x, y)
    y[3, 3] = -4
    check(f, x, y, kernels=None, terms=2700)


def test_with_the_value_itself():
    """What is returned without the gate keeps its values."""

    def f(x):
        z = np.tanh(x)
        return z, np.where((z > 0).all(), z, -1)

    x = positive(N)
    check(f, x, sweeps=1)
    shut(f, x)


def test_of_rows():
    """The values behind the gate need two walks over each row; the condition is taken along."""

    def f(x):
        e = np.exp(x - x.max(axis=1, keepdims=True))
        return np.where((x > 0).all(), e / e.sum(axis=1, keepdims=True), 0)

    x = positive(40, 67)
    check(f, x, terms=70)
    shut(f, x)


def test_strided():
    base = positive(80, 134, dtype="f8")
    for x in (base.T, base[::2, ::-2], np.asfortranarray(base)[:, 3:]):
        check(gate, x, sweeps=1)
        x = x.copy(order="K")
        x[1, 1] = -1
        check(gate, x, kernels=None)


def test_a_gate_from_another_array():
    """Of the same size: its loop is the same one. Of another: it comes first, and costs nothing more."""
    check(lambda x, w: np.where((w > x).all(), x * 2, 0), sample(N) - 5, positive(N), sweeps=1)
    report = check(lambda x, w: np.where((w > 0).all(), x * 2, 0), sample(N), positive(N + 1), kernels=2, temporaries=1)
    assert report.bytes_moved <= report.bytes_minimum + 2


# ---- what must not -------------------------------------------------------------------
def test_what_is_used_again_waits():
    """A value that another loop reads is what it is: the gate comes before that loop."""

    def f(x, y):
        g = np.where((x > 0).all(), np.exp(x), 0)
        return g, g[::-1] - y

    x, y = positive(N), sample(N)
    report = check(f, x, y, kernels=3, reads={"x": 2}, temporaries=1, slack=1.55)
    assert not any("scatter_set" in k.ops for k in report.kernels)
    shut(f, x, y)


def test_no_gate_where_the_values_wait_too():
    def f(x):
        return np.where((x > 0).all(), x / x.sum(), 0)

    x = positive(N)
    report = check(f, x, kernels=2, reads={"x": 2}, temporaries=5, slack=1.6, terms=N)
    assert not any("scatter_set" in k.ops for k in report.kernels)
    shut(f, x)


def test_what_waits_on_the_other_side():
    """`x / s` is the usual case, and waits for s."""

    def f(x):
        s = x.std()
        return x / np.where(s == 0, 1, s), np.where(s == 0, x, x / s)

    x = sample(N)
    report = check(f, x, kernels=None, terms=N)
    assert sum(k.sweeps for k in report.kernels) == 2
    assert not any("scatter_set" in k.ops for k in report.kernels)
    values(f, np.full(N, 3, "f4"))


def test_nothing_is_stored_for_a_closed_gate():
    """The exponentials of a row stay in its scratch."""

    def f(x):
        e = np.exp(x - x.max(axis=1, keepdims=True))
        return np.where(passes(x), e / e.sum(axis=1, keepdims=True), e)

    x = positive(40, 670)
    report = lw.jit(f).explain(x)
    assert report.temporary_bytes + report.scratch_bytes < x.nbytes / 4
    values(f, x, terms=670)
    shut(f, x, at=3)


def test_numbers_on_both_sides():
    x = positive(N)
    check(lambda x: np.where((x > 0).all(), 1.0, np.zeros_like(x)), x, kernels=2, temporaries=1)
    values(lambda x: np.where((x > 0).all(), 1.0, np.zeros_like(x)), -x)


# ---- memory --------------------------------------------------------------------------
def test_in_place_of_what_a_closed_gate_reads():
    """The gate reads x and y once more after the results are written: neither takes their place."""
    for name in ("times an array", "a factor", "two arrays"):
        f = lw.jit(EXPRESSIONS[name], donate=(0, 1))
        for number in (1, -1):
            x, y = positive(5000), sample(5000)
            x[77] = number
            wanted = EXPRESSIONS[name](x, y)
            np.testing.assert_array_equal(f(x, y), wanted)


def test_out_overlaps_what_a_closed_gate_reads():
    f = lw.jit(EXPRESSIONS["times an array"])
    for shift in (0, 1):
        for number in (1, -1):
            x, base = positive(5000), sample(5001)
            x[77] = number
            wanted = EXPRESSIONS["times an array"](x, base[:5000])
            f(x, base[:5000], out=base[shift : 5000 + shift])
            np.testing.assert_array_equal(base[shift : 5000 + shift], wanted)


def test_in_place():
    f = lw.jit(gate, donate=("x",))
    for number in (1, -1):
        x = positive(5000)
        x[77] = number
        wanted = gate(x)
        address = x.ctypes.data
        found = f(x)
        assert found.ctypes.data == address
        np.testing.assert_array_equal(found, wanted)


def test_out_overlaps():
    f = lw.jit(gate)
    for number in (1, -1):
        base = positive(5001)
        base[70] = number
        wanted = gate(base[:-1])
        f(base[:-1], out=base[1:])
        np.testing.assert_array_equal(base[1:], wanted)


def test_threads():
    """Many blocks: the condition is known once all of them are done."""

    def f(x, y):
        return np.where((x > 0).all(), np.exp(x) * y, 0), (x * y).sum()

    x, y = positive(1_000_000, dtype="f8"), sample(1_000_000, dtype="f8")
    one, four = (lw.jit(f, threads=n) for n in (1, 4))
    for number in (1, -1):
        x[999_999] = number
        for a, b, c in zip(one(x, y), four(x, y), f(x, y), strict=True):
            np.testing.assert_array_equal(a, b)
            np.testing.assert_allclose(a, c, rtol=1e-12, atol=1e-9)


def test_any_size():
    f = lw.jit(gate)
    for n in (17, 18, 31, 33, 64, 129, 1000, 5001):
        for number in (1, -1):
            x = positive(n)
            x[n // 2] = number
            np.testing.assert_array_equal(f(x), gate(x))
    assert f.cache_info().compilations == 1
