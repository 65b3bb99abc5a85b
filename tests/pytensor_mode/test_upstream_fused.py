"""What PyTensor's own tests of fused elementwise loops check, in our words: values of what is fused, and that it is;
`UPSTREAM.md` says which test is where."""

from typing import Any

import numpy as np
import pytest

pytest.importorskip("pytensor", reason="needs Python 3.12 and loopweld[pytensor]")

import pytensor
import pytensor.tensor as pt
from pytensor.raise_op import assert_op
from pytensor_mode.checking import check

RNG = np.random.default_rng(2326)
WX, FX, FY, FZ = (np.asarray(RNG.random((5, 5)) + 0.5, "float32") for _ in range(4))
DW, FV, FS = RNG.random((5, 5)), np.asarray(RNG.random(5) + 0.5, "float32"), np.float32(0.7)
IX, IY, IZ = (np.asarray(RNG.integers(1, 9, (5, 5)), "int32") for _ in range(3))

CHAINS: dict[str, Any] = {
    "sums": lambda w, x, y, z: [(w + x) + (y + z), w + (x + (y + z)), ((w + x) + 2.0 + y) + z, 2 + (w + x) + (y + z)],
    "products": lambda w, x, y, z: [w * x * y * z, w + x * y * z, x * y * z * w + x + y + z + w, x + y * z * x],
    "functions": lambda w, x, y, z: [x + y + f(z) for f in (pt.cos, pt.cosh, abs, pt.log, pt.log2, pt.log10, pt.exp)],
    "more": lambda w, x, y, z: [x - y + f(z) for f in (pt.tan, pt.tanh, pt.sin, pt.sinh, pt.sqr, pt.sqrt, pt.neg)],
    "quotients": lambda w, x, y, z: [x - y / z, x - pt.true_div(y, 2), x - y + pt.reciprocal(z), x - y % z, x + y**z],
    "comparisons": lambda w, x, y, z: [x - (y > z), x - (y >= z), x - (y < z), x - (y <= z), x - pt.eq(y, z)],
    "rounded": lambda w, x, y, z: [x - y + pt.round(z), pt.round(z, mode="half_to_even"), x - pt.neq(y, z)],
    "powers": lambda w, x, y, z: [pt.pow(x * y + z, x * y), pt.mul(x, x, x, x), pt.mul(x, pt.tan(x), pt.tan(x), x)],
    "of a sum": lambda w, x, y, z: [(w + x).sum() + (w + x) + (y + z), (x + 5).sum() * pt.exp(x) / (x + 5)],
    "of a gradient": lambda w, x, y, z: [((x - y) ** 2).sum(), pt.grad((-((x - y) ** 2) / 2).sum(), x)],
    "side by side": lambda w, x, y, z: [pt.sin(pt.exp(x)), pt.exp(pt.sin(x)), pt.cos(x), pt.log(abs(pt.cos(x)))],
    "behind a check": lambda w, x, y, z: [pt.log(pt.ge(assert_op(abs(x), pt.all(pt.ge(abs(x), 0))), 0))],
}


@pytest.mark.parametrize("name", CHAINS)
def test_chains(name: str):
    report = check(CHAINS[name], WX, FX, FY, FZ, static=True, rtol=2e-5)
    assert report.kernels <= (2 if name in ("of a sum", "of a gradient", "behind a check") else 1)


def test_chains_of_several_dtypes():
    def build(d: Any, x: Any, i: Any, j: Any, k: Any) -> list[Any]:
        floats = [2 + (d + x) + (x + x), 2 + (x + x) + (x + d), x - pt.cast(x, "float64")]
        whole = [i + j + abs(k), x - pt.int_div(i * 100, j * 1000), x - (j | k), x - (j ^ k), x - (j & k), x - ~j]
        return [*floats, *whole, i - j + pt.iround(x)]

    assert check(build, DW, FX, IX, IY, IZ, static=True).kernels <= 2


def test_chains_that_broadcast():
    report = check(lambda v, y, z, s: [v + y**z, v - y + pt.tanh(z), y * pt.sin(s)], FV, FY, FZ, FS, rtol=1e-5)
    assert report.kernels <= 2
    v, m = RNG.random(7), RNG.random((9, 7))
    assert check(lambda v, m: pt.log(v + 5) - pt.exp(m * 5), v, m, static=True).kernels <= 2


@pytest.mark.parametrize("shape", [(), (1,), (5,), (1, 5), (2, 5)], ids=str)
def test_constants_inside(shape: Any):
    known = np.full(shape, 2.5)
    check(lambda x, y: [pt.exp(pt.pow(x, known)) + y, pt.exp(x + known) + y], np.arange(5.0) / 4, np.ones(5))


def test_thirty_five_inputs():
    def build(*inputs: Any) -> Any:
        total = pt.sin(inputs[0])
        for x in inputs[1:]:
            total = pt.sin(x + total)
        return total

    assert check(build, *(RNG.random(3) for _ in range(35)), static=True).kernels <= 2


def test_what_follows_a_product_of_matrices():
    x, y, z = (RNG.random((30, 30)) for _ in range(3))
    check(lambda x, y, z: [pt.dot(x, y) + x + y + z, (pt.dot(x, y) * z).sum(), pt.dot(x, y) * z], x, y, z)


@pytest.mark.parametrize("dtype", ["float64", "int32"])
def test_reductions_of_functions(dtype: str):
    x = np.asarray(RNG.random((4, 3, 2)) * 3, dtype)
    axes = (None, 0, 1, 2, (0, 1), (0, 2), (1, 2), (0, 1, 2))
    check(lambda x: [op(pt.exp(x), axis=k) for op in (pt.sum, pt.prod, pt.max, pt.all) for k in axes], x)
    check(lambda x: [pt.sum(pt.exp(x), axis=k) + pt.exp(x).sum() for k in axes], x)


INDEX, ROWS, COLUMNS = RNG.integers(-85, 85, 919), RNG.integers(0, 24, (10, 5)), RNG.integers(-3, 3, 50)
V, W, M, N = RNG.random(85), RNG.random(919), RNG.random((24, 7)), RNG.random((10, 5))

READS: dict[str, Any] = {
    "rows": (lambda x, y, i: [x[i] + y, x[i] + pt.exp(x)[i] + y], (V, W, INDEX)),
    "an index of one": (lambda x, y, i: [x[i] + y, x[None][:, i] + y], (V, W, INDEX[:1])),
    "a matrix of them": (lambda x, y, i: [pt.exp(x[i, 0]) + y, pt.exp(x[:, i % 7]), pt.exp(x[i])], (M, N, ROWS)),
    "a row of them": (lambda x, y, i: x[:, 0][i] + y, (M, N, ROWS[:1])),
    "two, one a number": (lambda x, k, i: [x[k, i] + 1, x[i, k] + 1, x[k, k]], (M, np.int64(3), COLUMNS)),
    "the diagonal": (lambda x, i: pt.exp(x[i, i]), (M, COLUMNS)),
    "two that broadcast": (lambda x, i, j: x[i[:, None], j[:1] % 7].sum(), (M, COLUMNS, ROWS)),
}


@pytest.mark.parametrize("name", READS)
def test_reads_by_index(name: str):
    build, arrays = READS[name]
    check(build, *arrays)


TARGET = RNG.random((24, 7))
WRITES: dict[str, Any] = {
    "elements": (lambda t, x, y, i: [t[i].inc(x[i] + y), t[i].set(x[i])], (V, V + 1, W, INDEX)),
    "rows by a vector": (lambda t, i, x: t[i].inc(pt.exp(x)), (TARGET, COLUMNS, RNG.random(7))),
    "rows by a number": (lambda t, i, x: [t[i].inc(pt.exp(x)), t[i].inc(x[0])], (TARGET, COLUMNS, RNG.random(1))),
    "rows by a column": (lambda t, i, x: t[i].inc(pt.exp(x)), (TARGET, COLUMNS, RNG.random((50, 1)))),
    "columns": (lambda t, i, x: [t[:, i].inc(pt.exp(x)), t[:, i].inc(x[0])], (TARGET, COLUMNS, RNG.random((24, 50)))),
    "the diagonal": (lambda t, i, x: t[i, i].set(pt.sqrt(x)), (TARGET, np.arange(5), RNG.random(5))),
    "the last of several": (lambda t, x: t[np.array([0, 0, 1, 1, 2])].set(pt.exp(x)), (V, RNG.random(5))),
    "sums of several": (lambda t, x: t[np.array([0, 1, 0, 1, 3])].inc(pt.exp(x)), (V, RNG.random(5))),
    "what is used too": (lambda t, i, x: [t[i].inc(x * 2), x * 2], (TARGET, COLUMNS, RNG.random((50, 7)))),
    "two targets": (lambda t, u, i, j: [t[i].inc(pt.exp(t[i] + u[j])), u[j].inc(t[i] * u[j])], (V, W, INDEX, INDEX)),
}


@pytest.mark.parametrize("name", WRITES)
def test_writes_by_index(name: str):
    build, arrays = WRITES[name]
    check(build, *arrays)


@pytest.mark.parametrize("write", [[1, 3, 7], [0, 2, 5], [5, 0, 2]], ids=str)
def test_writes_where_reads_are(write: list[int]):
    def build(x: Any) -> list[Any]:
        y = x + 1.0
        return [y[np.array(write)].set(y[np.array([0, 2, 5])] * 2), x[np.array(write)].set(x[np.array([0, 2, 5])])]

    check(build, RNG.random(9))


def test_the_target_is_left_alone():
    t, x = pt.vector("t"), pt.vector("x")
    f = pytensor.function([t, x], t[np.array([0, 1, 0])].inc(x * 2), mode="LOOPWELD", trust_input=True)
    value = np.zeros(3)
    np.testing.assert_array_equal(f(value, np.ones(3)), [4, 2, 0])
    np.testing.assert_array_equal(value, 0)


def test_an_index_of_another_length_raises():
    x, y, i = pt.vector("x"), pt.vector("y"), pt.lvector("i")
    f = pytensor.function([x, i, y], x[i] + y, mode="LOOPWELD")
    assert f(np.zeros(100), np.zeros(1, int), np.zeros(1)).shape == (1,)
    for n, m in ((50, 49), (1, 5)):
        with pytest.raises(ValueError):
            f(np.zeros(100), np.zeros(n, int), np.zeros(m))


def test_a_gather_a_scatter_and_sums_in_one_kernel():
    def build(x: Any, y: Any, t: Any, i: Any) -> list[Any]:
        return [t[i].inc(x[i] * y), (x[i] + y).sum(), (x[i] + y).max()]

    report = check(build, M, RNG.random((50, 7)), TARGET, COLUMNS % 7, static=True)
    assert report.kernels <= 2


def test_several_reductions_and_the_value():
    x, y = RNG.random((4, 5)), RNG.random((4, 5))

    def build(x: Any, y: Any) -> list[Any]:
        product = x * y
        return [pt.sum(product), pt.max(product, axis=0), pt.prod(product, axis=1), product]

    assert check(build, x, y, static=True).kernels == 1
    check(lambda x, y: [pt.sum((x + 1).T, axis=0), pt.all((x > 0.5) & (y > 0.5), axis=1)], x, y)
