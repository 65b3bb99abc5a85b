"""Any graph of elementwise functions is one loop that computes each value once."""

import re

import numpy as np
import pytest
from fusion.checking import check, sample
from numerics.checking import check as values

import loopweld as lw

SIZES = [0, 1, 7, 16, 17, 33, 65, 1000]


def pair(n=40, m=33, dtype="f4"):
    return sample(n, m, dtype=dtype), sample(m, n, dtype=dtype).T.copy()


def count(report, op):
    return sum(k.ops.count(op) for k in report.kernels)


# ---- one loop ------------------------------------------------------------------------
def gelu(x):
    return 0.5 * x * (1 + np.tanh(0.7978845608 * (x + 0.044715 * x**3)))


def mish(x):
    return x * np.tanh(np.log1p(np.exp(-np.abs(x))) + np.maximum(x, 0))


def polynomial(x):
    y = np.full_like(x, 0.25)
    for k in range(12):
        y = y * x + (0.5 - k)
    return y


def piecewise(x):
    return np.where(x > 1, np.sqrt(x), np.where(x < -1, -np.sqrt(-x), np.clip(x, -0.5, 0.5)))


def logic(x):
    return ((x > 0) & (x < 1)) | ~np.isfinite(x) ^ (np.floor(x) == x)


CHAINS = [(f, "f4") for f in (gelu, mish, polynomial, piecewise, logic)]
CHAINS += [(gelu, "f8"), (mish, "f2"), (piecewise, "f2"), (logic, "f8")]


@pytest.mark.parametrize(("f", "dtype"), CHAINS, ids=lambda v: v if isinstance(v, str) else v.__name__)
def test_a_chain(f, dtype):
    check(f, sample(40, 33, dtype=dtype), sweeps=1)


@pytest.mark.parametrize("shape", [(1000,), (40, 33), (3, 40, 17), (2, 3, 5, 70), (17, 1, 33)], ids=str)
def test_ranks(shape):
    check(lambda x, y: np.exp(-(x * x)) / (1 + y * y), sample(*shape), sample(*shape) + 1, sweeps=1)


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "i1", "?"])
def test_sizes_around_the_lanes(dtype):
    def f(x, y):
        low, high = np.minimum(x, y), np.maximum(x, y)
        return low, high, low == high, np.where(x > y, low, x)

    for n in SIZES:
        values(f, sample(n, dtype=dtype, high=5), sample(n + 1, dtype=dtype, high=5)[1:], exact=True)


def test_integers_wrap_in_one_loop():
    def f(x, y):
        z = x * y + (x << 3)
        return z ^ (y >> 1), z // 7, z % 5 == 0

    for dtype in ("i1", "u2", "i4", "u8"):
        x, y = sample(70, 33, dtype=dtype, low=-100, high=100), sample(33, 70, dtype=dtype, low=0, high=100).T.copy()
        check(f, x, y, sweeps=1, exact=True)


def test_mixed_dtypes():
    def f(half, single, double, small, flag):
        a = half * single + double
        return a, np.where(flag, small, half), (single * small).astype(np.float16), flag & (a > 0)

    shape = (40, 33)
    arrays = [sample(*shape, dtype=d, high=4) for d in ("f2", "f4", "f8", "i1", "?")]
    check(f, *arrays, sweeps=1, coarsest=np.float16)


def test_specials_go_through():
    x = np.array([np.nan, np.inf, -np.inf, -0.0, 0.0, 1e-45, 3e38, -1.0] * 9, np.float32)

    def f(x, y):
        z = x * 0.5
        return np.maximum(z, y), np.sqrt(z) + z, z > y, np.copysign(z, y), 1 / z

    check(f, x, x[::-1].copy(), numerics="strict", exact=True)


# ---- values that are used more than once -----------------------------------------------
def diamond(x):
    e = np.exp(x)
    return (e + 1) / (e * e - 3)


def ladder(x):
    """Each value is used twice: 2 ** 16 paths, 32 operations."""
    a = np.sin(x)
    for _ in range(16):
        a = a * 0.5 + a * a * 0.25
    return a


def luminal(x):
    b = np.exp(x)
    return b + np.sin(b)


def test_used_twice_computed_once():
    assert count(check(diamond, sample(40, 33), sweeps=1), "exp") == 1
    assert count(check(luminal, sample(1000), sweeps=1), "exp") == 1
    report = check(ladder, sample(40, 33), sweeps=1)
    assert count(report, "sin") == 1
    assert len(report.kernels[0].ops) <= 80


def test_equal_values_are_one():
    def f(x, y):
        return np.tanh(x + y) * 2, np.tanh(x + y) + 1, np.tanh(y + x)

    assert count(check(f, *pair(), sweeps=1), "tanh") == 1


def test_outputs_inside_a_chain():
    """Every value on the way is a result, and the next one is computed from it all the same."""

    def f(x):
        a = np.exp(x)
        b = a + 1
        c = np.log(b)
        return a, b, c, c * x

    report = check(f, sample(40, 33), sweeps=1)
    assert count(report, "exp") == count(report, "log") == 1


def test_one_result_twice():
    x = sample(1000)
    check(lambda x: (np.exp(x), np.exp(x)), x, kernels=None)
    check(lambda x: (x, x * 2), x, kernels=None)


def test_two_branches_meet_again():
    def f(x, y):
        a, b = np.sin(x), np.cos(y)
        c, d = a * b, a - b
        return c / (1 + d * d), d + c

    check(f, *pair(), sweeps=1)


# ---- siblings ------------------------------------------------------------------------
def test_siblings_share_an_input():
    check(lambda x: (np.exp(x), np.sin(x), x > 0, -x), sample(40, 33), sweeps=1)


def test_siblings_share_one_of_two_inputs():
    def f(x, y, z):
        return np.exp(x) * y, np.sin(y) - z

    shape = (40, 33)
    check(f, sample(*shape), sample(*shape) + 1, sample(*shape) - 1, sweeps=1)


def test_a_chain_of_siblings():
    """Neighbours share an input, the first and the last do not."""

    def f(a, b, c, d):
        return a + b, b * c, c - d

    check(f, *(sample(40, 33) + k for k in range(4)), sweeps=1)


def test_siblings_of_different_dtypes():
    def f(x, i):
        return x * i, i + 1, x.astype(np.float64) * 2, i > 2

    check(f, sample(40, 33), sample(40, 33, dtype="i4", high=9), sweeps=1)


def test_siblings_of_a_shared_value():
    def f(x, y):
        e = np.exp(x - y)
        return e / (1 + e), 1 / (1 + e), np.log1p(e)

    assert count(check(f, *pair(), sweeps=1), "exp") == 1


def test_nine_outputs():
    many = lw.Target("cpu", max_streams=19)
    check(lambda x: tuple(x * k + k for k in range(1, 10)), sample(40, 33), sweeps=1, target=many)


def test_twenty_outputs():
    """As many in a loop as memory can follow: all in one would be 1.8 times slower than each alone."""
    check(lambda x: tuple(x * k + k for k in range(1, 21)), sample(40, 33), kernels=3, reads={"x": 3}, slack=1.15)


def test_siblings_through_views():
    """Both read `x` once: one at the transposed point."""

    def f(x, y):
        return np.exp(x), (x.T * y).T

    check(f, sample(40, 33), sample(33, 40), sweeps=1)


# ---- constants -------------------------------------------------------------------------
def loads(text):
    return len(re.findall(r"loop\.load ", text))


def test_constants_are_immediates():
    """Numbers, 0-d arrays and full arrays made inside are no memory."""

    def f(x):
        return (x * 2.5 + np.float32(3) - np.full(x.shape, 0.5, np.float32)) * np.ones_like(x) + np.array(1.0, "f4")

    x = sample(1000)
    check(f, x, sweeps=1)
    text = lw.jit(f).lower(x).as_text("loops")
    assert loads(text) == text.count("loop.for")


def test_closed_over_numbers():
    scale, shift = np.float32(1.5), np.array(-0.25, np.float32)
    check(lambda x: np.tanh(x * scale + shift), sample(40, 33), sweeps=1)


def test_0d_operands():
    """A 0-d array is read once, and what is computed from it alone once."""

    def f(x, mu, sigma):
        return (x - mu) / np.exp(sigma), np.log(sigma) * x

    check(f, sample(40, 33), np.float32(0.5), np.array(1.5, np.float32), sweeps=1)


def test_index_ranges_are_no_memory():
    """`like=x` makes them in the program, of any size."""

    def f(x):
        n, m = x.shape
        return x * (np.arange(n, dtype=x.dtype, like=x)[:, None] + np.arange(m, like=x)).astype(x.dtype)

    check(f, sample(40, 33), sweeps=1)


# ---- broadcasts --------------------------------------------------------------------------
def test_a_row_and_a_column():
    def f(x, row, column):
        return np.exp(x * row - column), x + column

    check(f, sample(140, 133), sample(133), sample(140, 1), sweeps=1)


def test_outer_product():
    check(lambda u, v: np.sin(u[:, None] - v) * v, sample(140), sample(133))


def test_a_function_of_the_row_is_one_loop():
    """It is computed once a row, in the loop over the rows."""

    def f(x, v):
        return x * (1 / (1 + np.exp(-v)))[:, None]

    check(f, sample(140, 133), sample(140))


# ---- the layouts that arguments can have ------------------------------------------------
@pytest.mark.parametrize("dtype", ["f2", "f4", "f8"])
def test_strided_operands(dtype):
    base = sample(90, 80, dtype=dtype)
    views = [base[::2, :33], base[5:50, 33:66], base[44::-1, 40:73], base.T[3:48, 1:67:2], base[:45, 79:46:-1]]
    for number, view in enumerate(views):
        other = views[number - 1]
        report = check(lambda x, y: (x * y + 1, np.abs(x)), view, other, sweeps=1, coarsest=np.dtype(dtype))
        assert report.kernels[0].vector_width > 1


def test_fortran_and_c():
    x, y = np.asfortranarray(sample(40, 33)), sample(40, 33)
    check(lambda x, y: np.exp(x) * y, x, y, sweeps=1)
    check(lambda x: np.exp(x) * 2, x, sweeps=1)


# ---- long programs ---------------------------------------------------------------------
@pytest.mark.parametrize("seed", range(3))
def test_random_graphs(seed):
    """Forty operations on four inputs; three of the last values are results."""
    rng = np.random.default_rng(seed)
    unary = [np.sin, np.tanh, np.abs, np.sqrt, np.negative, lambda v: v * 0.5, lambda v: v + 1.25]
    binary = [np.add, np.subtract, np.multiply, np.maximum, np.minimum, lambda a, b: np.where(a > b, a, -b)]
    plan = [(int(rng.integers(13)), *map(int, rng.integers(0, 4 + k, 2))) for k in range(40)]

    def f(*inputs):
        known = list(inputs)
        for op, a, b in plan:
            if op < len(unary):
                value = unary[op](np.abs(known[a]) if op == 3 else known[a])
            else:
                value = binary[op - len(unary)](known[a], known[b])
            known.append(np.clip(value, -4, 4))
        return known[-1], known[-2] + inputs[0] * inputs[1] * inputs[2] * inputs[3], known[-3]

    check(f, *(sample(40, 33, dtype="f8") + 0.1 * k for k in range(4)), sweeps=1, ulps=1e4)
