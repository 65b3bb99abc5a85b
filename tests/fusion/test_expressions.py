"""Expressions of all kinds of operators, ranks, dtypes and constants: each is one loop over its inputs."""

import inspect
from collections import Counter

import numpy as np
import pytest
from fusion.checking import check, sample

import loopweld as lw

N, M = 40, 33


def matrices(dtype, layout):
    """The operands by name: w, x, y, z matrices, r a row, c a column, s a number, i, j integers, b bools."""
    made = {name: sample(N, M, dtype=dtype) * k + k / 4 for k, name in enumerate("wxyz", 1)}
    made = {name: array.astype(dtype) for name, array in made.items()}
    made |= {"r": sample(M, dtype=dtype), "c": sample(N, 1, dtype=dtype), "s": np.array(1.5, dtype)}
    made |= {"i": sample(N, M, dtype="i4", low=-9, high=9), "j": sample(N, M, dtype="i4", low=1, high=5)[::-1].copy()}
    made |= {"t": sample(N, M, dtype="i1", low=-9, high=9), "b": sample(N, M, dtype="?")}
    return {name: layout(array) if array.ndim == 2 and array.size > N else array for name, array in made.items()}


def strided(array):
    wide = np.repeat(np.repeat(array, 2, axis=0), 3, axis=1)
    return wide[::2, ::3]


LAYOUTS = {"f4": np.ascontiguousarray, "f8": np.asfortranarray, "f2": strided}

SUMS_AND_PRODUCTS = [
    lambda x, y, z: x + y + z,
    lambda x, y, z: x * y * z * 0.25,
    lambda x, y, z: x + y * z,
    lambda x, y, z: x * y + z,
    lambda w, x, y, z: ((w + x) + y) + z,
    lambda w, x, y, z: w + (x + (y + z)),
    lambda w, x, y, z: (w + x) + (y + z),
    lambda w, x, y, z: (w - x) * (y + z),
    lambda w, x, y, z: w * x - y * z,
    lambda x, y: x * y + y * x - x,
    lambda x, y, z: x * y * 0.5 * (x + y + z),
    lambda x, y, z: (x + y) - (z + x) + y * y,
    lambda x, y, z: x - y / (np.abs(z) + 1) + 2 * z,
    lambda x, y: 3 - (x - (2 - (y - 1))),
    lambda x: x + x * x + x * x * x * 0.125,
    lambda w, x, y, z: (w * 0.5 + x * 0.25) * (y * 2.0 - z * 4.0) + w,
]
FUNCTIONS = [
    lambda x, y: np.abs(x) - np.ceil(y) + np.floor(x) * np.trunc(y),
    lambda x, y: np.rint(x * 3) + np.sign(y) * np.square(x),
    lambda x, y: np.exp(np.minimum(x, 2)) + np.log(np.abs(y) + 1),
    lambda x, y: np.log1p(np.abs(x)) * np.expm1(np.minimum(y, 1)),
    lambda x, y: np.exp2(np.clip(x, -2, 2)) - np.log2(np.abs(y) + 2) + np.log10(np.abs(x) + 1),
    lambda x, y: np.sqrt(np.abs(x)) / np.sqrt(1 + y * y),
    lambda x, y: np.sin(x) * np.cos(y) + np.tan(x / 8),
    lambda x, y: np.arcsin(np.clip(x, -0.9, 0.9)) + np.arccos(np.clip(y, -0.9, 0.9)) + np.arctan(x),
    lambda x, y: np.sinh(x / 4) + np.cosh(y / 4) * np.tanh(x),
    lambda x, y: np.arcsinh(x) + np.arccosh(np.abs(y) + 1) + np.arctanh(np.clip(x, -0.5, 0.5)),
    lambda x, y: np.arctan2(x, np.abs(y) + 1) + np.hypot(x, y),
    lambda x, y: np.power(np.abs(x) + 1, np.clip(y, -2, 2)) + x**2 + np.abs(y) ** 0.5,
    lambda x, y: np.maximum(x, y) - np.minimum(x, y) + np.fmax(x, 0) * np.fmin(y, 0),
    lambda x, y: np.copysign(x, y) + np.logaddexp(x, y) + np.deg2rad(x),
    lambda x: 1 / (1 + np.exp(-x)) + np.reciprocal(np.abs(x) + 1) - (-x),
]
CHOICES = [
    lambda x, y: np.where(x < y, x, y) + np.where(x >= y, 1, 0),
    lambda x, y, z: np.where((x > 0) & (y < 1) | (z == 0), x, y - z),
    lambda x, y: (x <= y) ^ (x != 0) | ~(y > 1),
    lambda x, y: (x > y) * x + (x <= y) * y,
    lambda x, y, b: np.where(b, x, -y) * 2,
    lambda x, y: np.clip(x, -1, 1) + np.clip(y, 0, None) - np.clip(x, None, y),
    lambda x: np.isnan(x / np.abs(x)) | np.isinf(x) | np.signbit(x),
    lambda x, y: np.select([x > 1, y > 1], [x, y * 2], -1) + np.heaviside(x, 0.5),
]
RANKS = [
    lambda x, r: x * r + r,
    lambda x, c: (x - c) / (np.abs(c) + 1),
    lambda x, r, c: r + c * x,
    lambda r, c: np.sin(r) * 0.5 + c,
    lambda x, s: x * s + s,
    lambda x, s, r, c: (x + s) * (r - s) + c,
    lambda x: x * np.float64(2) + np.float32(0.5) - 1,
    lambda x: x + np.arange(M, dtype=np.int8),
    lambda x: x * np.array([[0.5]], np.float16) + np.full(M, 3, np.int8),
    lambda x, y: x.T * y.T + 1,
    lambda x, y: x[::-1] + y[:, ::-1],
    lambda x, y: np.stack([x, y]) * 2 + 1,
]
DTYPES = [
    lambda x, y: x.astype("f8") + y.astype("f4"),
    lambda x, i: x * i + i // 3,
    lambda x, t: x + t * t,
    lambda i, j: (i + j) * (i - j) + i % j - i // j,
    lambda i, j: (i & j) | (i ^ 5) << 1,
    lambda i, j: ~i + (i >> 1) - np.abs(j) + np.maximum(i, j),
    lambda i, j: i / j + np.sqrt(j),
    lambda t, j: t + t - j,
    lambda t: t * t + np.int8(100),
    lambda i, b: i * b + b + ~b,
    lambda x, i: np.where(i > 0, x, 0).astype("i4") + i,
    lambda x, b: (x.astype("?") & b).astype("u1") * 3,
    lambda i: i.astype("u2") // 7 + i.astype("u1"),
]
SEVERAL = [
    lambda x, y: (x + y, x * y),
    lambda x, y: (np.exp(np.tanh(x)) + y, np.exp(np.tanh(x)) * y, np.exp(np.tanh(x))),
    lambda x, y, z: (x * y, x * y + z, (x * y + z) * 2, z - 1),
    lambda x, i: (x * 2, i * 2, x * i, i > x),
    lambda x, y: {"sum": x + y, "difference": x - y, "both": [x, y * y]},
    lambda x, r: (x + r, r * 2 + x[::-1]),
]
TABLE = {
    f"{group}-{k}": f
    for group, fs in (
        ("sums", SUMS_AND_PRODUCTS),
        ("functions", FUNCTIONS),
        ("choices", CHOICES),
        ("ranks", RANKS),
        ("dtypes", DTYPES),
        ("several", SEVERAL),
    )
    for k, f in enumerate(fs)
}


CASES = [(name, "f4") for name in TABLE] + [(name, ("f8", "f2")[k % 2]) for k, name in enumerate(TABLE)]


@pytest.mark.parametrize(("name", "dtype"), CASES)
def test_one_loop(name, dtype):
    f, operands = TABLE[name], matrices(dtype, LAYOUTS[dtype])
    args = [operands[p] for p in inspect.signature(f).parameters]
    check(f, *args, sweeps=1, terms=8, scale=200.0, ulps=64)


# ---- shapes of graphs ----------------------------------------------------------------
def test_two_diamonds():
    def f(x, y):
        a = np.sin(x) + y
        left, right = a * 2, np.exp(-a * a)
        b = left - right
        return np.where(b > 0, b * left, b * right)

    report = check(f, sample(N, M), sample(N, M), sweeps=1)
    assert [op for k in report.kernels for op in k.ops].count("exp") == 1


def test_two_groups_that_need_each_other_in_turn():
    """One's sum is needed for the other's product and the other way round: no order of the two loops would do."""

    def f(x, y):
        a, b = np.exp(x), np.exp(y)
        return a * b.sum(), b * a.sum()

    x, y = sample(900), sample(700)
    for rule in ("profit", "legal", "random 3"):
        found = lw.jit(f, target=lw.Target(fusion=rule))(x, y)
        for a, b in zip(found, f(x, y), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-5)


def test_thirty_five_inputs():
    """More than a loop may read: several loops, each input read once, fewer loops than inputs."""

    def f(*arrays):
        total = arrays[0] * 0.5
        for k, a in enumerate(arrays[1:]):
            total = total + a * (k + 1) if k % 3 else total - np.abs(a)
        return total

    arrays = [sample(3000) + k for k in range(35)]
    report = check(f, *arrays, kernels=None, terms=200, scale=1e3)
    assert len(report.kernels) <= 3
    reads = Counter(t.tensor for k in report.kernels for t in k.reads if t.tensor.startswith("arrays"))
    assert len(reads) == 35 and set(reads.values()) == {1}


def test_a_deep_chain():
    def f(x, y):
        for k in range(150):
            x = np.tanh(x * 0.5 + y) if k % 2 else x + y * 0.25
        return x

    check(f, sample(N, M), sample(N, M), sweeps=1, terms=300)


def test_many_small_graphs():
    """Graphs that share nothing stay apart, or share loops: values are right, nothing is stored between."""

    def f(*arrays):
        return [np.exp(np.tanh(a)) * k + np.sqrt(np.abs(a)) for k, a in enumerate(arrays)]

    arrays = [sample(100 + 3 * k) for k in range(12)]
    report = check(f, *arrays, kernels=None)
    assert report.temporary_bytes == 0 and report.bytes_moved == report.bytes_minimum


def test_a_small_graph_broadcast_into_a_large_one():
    """What is computed for the row is not computed for each row of the matrix."""
    report = check(lambda r, x: x * np.log1p(np.exp(np.sin(r))) + 1, sample(M), sample(400, M), terms=4)
    assert report.temporary_bytes == 0
    assert sum(k.flops for k in report.kernels) < 400 * M * 4


def test_constants_of_any_kind():
    table = np.linspace(-1, 1, 3 * M).reshape(3, M)

    def f(x):
        return x * 2 + 1.5 - np.float32(0.5) + np.int64(3) + table[1] * np.pi + table[:1] / 3

    check(f, sample(N, M, dtype="f8"), sweeps=1, least=16 * N * M + 8 * (M + M))


# ---- with reductions -------------------------------------------------------------------
AXES = [None, 0, 1, 2, (0, 2), (0, 1), (1, 2)]


@pytest.mark.parametrize("axis", AXES, ids=str)
@pytest.mark.parametrize("layout", ["rows", "columns", "steps"])
def test_a_reduced_expression(axis, layout):
    x, y = sample(18, 20, 33), sample(18, 20, 33) + 1
    change = {"rows": np.ascontiguousarray, "columns": np.asfortranarray, "steps": lambda a: np.repeat(a, 2, 1)[:, ::2]}
    x, y = change[layout](x), change[layout](y)
    check(lambda x, y: np.sum(np.exp(x) + y * y, axis=axis), x, y, sweeps=1, terms=18 * 20 * 33, scale=10.0)
    check(lambda x, y: np.max(x - y, axis=axis), x, y, sweeps=1)


@pytest.mark.parametrize("dtype", ["i1", "i4", "u1", "u4", "?"])
def test_a_reduced_expression_of_integers(dtype):
    """Sums in the widest integer, bits and bools in their own type."""

    def f(x, y):
        z = x + y
        total = z.sum(axis=1), z.prod(axis=0), z.max(), (z > 1).any(axis=0), (z >= 0).all(axis=1)
        return total, np.bitwise_and.reduce(z, axis=0), np.bitwise_xor.reduce(z, axis=None), np.bitwise_or.reduce(z, 1)

    check(f, sample(N, M, dtype=dtype), sample(N, M, dtype=dtype)[::-1].copy(), sweeps=1)


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8"])
def test_all_reductions_and_the_value(dtype):
    def f(x, y):
        z = np.tanh(x) * y
        rows = z.max(axis=1), np.prod(1 + z / 64, axis=1), z.argmax(axis=1)
        return z, rows, z.sum(axis=0), (z > 0).all(axis=0), z.min()

    check(f, sample(N, M, dtype=dtype), sample(N, M, dtype=dtype) * 2, sweeps=1, terms=N * M)
