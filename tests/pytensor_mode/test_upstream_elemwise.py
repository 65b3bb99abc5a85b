"""What PyTensor's own tests of `DimShuffle`, `Elemwise`, `CAReduce` and softmax check, in our words; `UPSTREAM.md` says
which test is where."""

from typing import Any

import numpy as np
import pytest

pytest.importorskip("pytensor", reason="needs Python 3.12 and loopweld[pytensor]")

import pytensor
import pytensor.scalar as ps
import pytensor.tensor as pt
from pytensor.compile.io import In
from pytensor.compile.ops import deep_copy_op
from pytensor.tensor.elemwise import CAReduce, DimShuffle, Elemwise
from pytensor.tensor.math import Max, Min, Prod, ProdWithoutZeros, Sum
from pytensor.tensor.special import LogSoftmax, Softmax
from pytensor_mode.checking import check

RNG = np.random.default_rng(2410)

SHUFFLES = [
    ((2, 3), (1, "x", 0)),
    ((1, 2, 3), (1, 2)),
    ((1, 2, 1, 3), (1, 3)),
    ((2, 3, 4), (2, 1, 0)),
    ((2, 3, 4), ("x", 2, 1, 0, "x")),
    ((1, 4, 3, 2, 1), (3, 2, 1)),
    ((1, 1, 4), (1, 2)),
    ((1, 1, 1), ()),
    ((1,), ("x", "x")),
    ((), ("x", "x")),
    ((2, 1, 2), ("x", 2, "x", 0, "x")),
    ((4, 1), (0,)),
]


def test_dim_shuffles_and_their_shapes():
    def build(*inputs: Any) -> list[Any]:
        shuffled = [x.dimshuffle(order) for x, (_, order) in zip(inputs, SHUFFLES, strict=True)]
        return [*shuffled, *(y.shape for y in shuffled)]

    check(build, *(RNG.normal(size=shape) for shape, _ in SHUFFLES))


def test_a_dropped_dim_that_is_not_one_raises():
    with pytest.raises(TypeError):
        DimShuffle(input_ndim=3, new_order=(1, 2))(pt.tensor(shape=(2, 1, None)))
    x = pt.tensor("x", shape=(None, 1, None))
    f = pytensor.function([x], DimShuffle(input_ndim=3, new_order=(1, 2))(x), mode="LOOPWELD")
    assert f(np.ones((1, 1, 4))).shape == (1, 4)
    with pytest.raises(ValueError, match="must have size 1"):
        f(np.ones((2, 1, 4)))


def test_a_rank_that_numpy_does_not_have_raises():
    x = pt.scalar("x")
    with pytest.raises(ValueError):
        pytensor.function([x], x.dimshuffle(("x",) * 65) + 1, mode="LOOPWELD")(0.0)


def test_dim_shuffles_of_what_is_not_contiguous():
    x, i = pt.dvector("x"), pt.lvector("i")
    dropped = DimShuffle(input_ndim=1, new_order=[])(pt.specify_shape(x[i][::2], (1,)))
    assert pytensor.function([x, i], dropped, mode="LOOPWELD")(np.zeros(3), np.array([1])).ndim == 0
    m = pt.matrix("m")
    f = pytensor.function([In(m, mutable=True)], (2 * m).ravel(), mode="LOOPWELD")
    assert f(np.broadcast_to(np.zeros(3), (6, 3))).shape == (18,)


PAIRS = [
    ((3, 5), (3, 5)),
    ((3, 5), (1, 5)),
    ((3, 5), (3, 1)),
    ((1, 5), (5, 1)),
    ((1, 1), (1, 1)),
    ((2, 3, 4, 5), (1, 3, 1, 5)),
    ((2, 3, 4, 5), (1, 1, 1, 1)),
    ((2, 3, 4, 1), (2, 3, 4, 5)),
    ((), ()),
    ((500,), (500,)),
]


def test_broadcasting_and_shapes():
    def build(*inputs: Any) -> list[Any]:
        sums = [a + b for a, b in zip(inputs[::2], inputs[1::2], strict=True)]
        return [*sums, *(s.shape for s in sums), *(pt.second(a, b) for a, b in zip(*[iter(inputs)] * 2, strict=True))]

    check(build, *(RNG.normal(size=shape) for pair in PAIRS for shape in pair))


def test_strides_of_five_dims_and_one_input_twice():
    x = RNG.normal(size=(2, 2, 2, 2, 2))
    check(lambda a, b: [a + b, a + a, b.transpose(4, 0, 3, 1, 2) * a], x, x.transpose(4, 0, 3, 1, 2))
    check(lambda *v: sum(v), *[np.zeros(2**11)] * 6)


def test_outer_products():
    x, y = np.ones((3, 5)), np.ones((7, 1, 3))
    check(lambda a, b: [pt.add.outer(a, b), pt.mul.outer(a, b)], x, y)


def test_in_place_ops():
    """Whether they overwrite what they may is up to the mode; no other mode's result differs."""
    add = Elemwise(ps.Add(lambda *types: [types[0]]), {0: 0})
    x, y = RNG.normal(size=100), RNG.normal(size=100)
    a, b = pt.vector("a"), pt.vector("b")
    for inputs in ([a, b], [In(a, mutable=True), b]):
        outputs = [add(deep_copy_op(a), b), add(deep_copy_op(b), a) * 2]
        f = pytensor.function(inputs, outputs, mode="LOOPWELD", accept_inplace=True)
        np.testing.assert_array_equal(f(x.copy(), y)[0], x + y)
        np.testing.assert_array_equal(f(x.copy(), y)[1], (x + y) * 2)


def test_scalar_ops_that_numba_tests():
    x = [RNG.normal(size=100) for _ in range(4)]
    functions = (pt.sigmoid, pt.log1mexp, pt.erf, pt.erfc, pt.erfcx)
    check(lambda *v: [*(f(v[0]) for f in functions), pt.gammaln(abs(v[0])), (v[0] + v[1]) * (v[2] + v[3]) * v[1]], *x)
    check(lambda a, b: [pt.switch(a, b, a), pt.clip(pt.switch(1, a, b), 1, 3)], x[0].reshape(50, 2), np.float64(0))


def test_an_op_of_the_user():
    class Twice(ps.UnaryScalarOp):
        def impl(self, x: Any) -> Any:
            return x * 2

    op = Elemwise(Twice(ps.upgrade_to_float, name="twice"))
    report = check(lambda x: x * op(x + 1), np.arange(5.0), fallbacks=True)
    assert sum(report.fallbacks.values()) == 1


SHAPES = [
    ((5, 6), None),
    ((5, 6), (0,)),
    ((5, 6), (-1,)),
    ((5, 6), ()),
    ((2, 3, 4, 5), (0, 1, 3)),
    ((2, 3, 4, 5), (-2, -3)),
    ((5, 0), None),
    ((5, 0), (0,)),
    ((5, 0), (1,)),
    ((), None),
    ((), ()),
]


@pytest.mark.parametrize("dtype", ["bool", "float64", "complex128", "uint8"])
def test_reductions_by_any_op(dtype: str):
    """Without the casts of `Sum` and `Prod`: in the dtype of the elements."""
    arrays = [np.asarray(RNG.random(shape), dtype) for shape, _ in SHAPES]
    if dtype not in ("float64", "complex128"):
        arrays = [np.asarray(RNG.random(shape) < 0.5, dtype) for shape, _ in SHAPES]
    bits = [] if dtype[0] in "fc" else [ps.or_, ps.and_, ps.xor]

    def build(*inputs: Any) -> list[Any]:
        found: list[Any] = []
        for x, (shape, axes) in zip(inputs, SHAPES, strict=True):
            ops = [ps.add, ps.mul, *bits] + ([ps.maximum, ps.minimum] if 0 not in shape else [])
            found += [CAReduce(op, axis=axes)(x) for op in ops] + [CAReduce(ops[0], axis=axes)(x).shape]
            found += [pt.all(x, axis=axes), pt.any(x, axis=axes)]
        return found

    check(build, *arrays, fallbacks=dtype[0] == "c")


@pytest.mark.parametrize("dtype", ["float64", "complex128"])
def test_reductions_of_nan(dtype: str):
    x = np.asarray(RNG.random((5, 6)), dtype)
    x[0, 0] = np.nan
    ops = (ps.add, ps.mul, ps.maximum, ps.minimum)
    check(lambda x: [CAReduce(op, axis=a)(x) for op in ops for a in (None, (0,), (1,))], x, fallbacks=dtype[0] == "c")


def test_reductions_that_numba_tests():
    v, m = np.arange(3.0), np.arange(6.0).reshape(3, 2)
    kinds = (Sum, Prod, ProdWithoutZeros, Max, Min)

    def build(v: Any, m: Any, k: Any) -> list[Any]:
        found = [kind(axis=axes)(x) for kind in kinds for x, axes in ((v, (0,)), (m, (0,)), (m, (1,)), (m, (0, 1)))]
        found += [pt.mean(v, axis=0), pt.mean(m, axis=0), Sum(axis=(1, 0))(m), pt.max(k), pt.min(k)]
        return [*found, pt.argmax(m, axis=0), pt.argmax(m), pt.argmax(v, axis=0), pt.argmax(v[0])]

    check(build, v, m, np.arange(6).reshape(3, 2))


def test_gradients_of_all_and_any_are_zero():
    for value in (RNG.integers(0, 2, (5, 7)), np.zeros((5, 7)), np.ones((5, 7))):
        check(lambda x: [pt.grad(pt.all(x), x), pt.grad(pt.any(x), x)], value.astype("int8"))


@pytest.mark.parametrize("shapes", [((2, 1), (3,)), ((2, 3), (1,))])
def test_repeating_what_is_not_declared_raises(shapes: Any):
    x, m = pt.matrix("x"), pt.vector("m")
    f = pytensor.function([x, m], x - m, mode="LOOPWELD")
    f(np.ones((2, 3)), np.ones(3))
    with pytest.raises(ValueError, match="Runtime broadcasting not allowed"):
        f(*map(np.ones, shapes))
    with pytest.raises(ValueError, match="Input dimension mismatch"):
        f(np.ones((2, 4)), np.ones(3))


def test_softmax_and_its_gradient():
    axes = (None, 0, 1)
    a, b = RNG.random((2, 3)), RNG.random((2, 3))
    check(lambda a, b: [op(axis=k)(a) for op in (Softmax, LogSoftmax) for k in axes], a, b)
    check(lambda a, b: [pt.grad((op(axis=k)(a) * b).sum(), a) for op in (Softmax, LogSoftmax) for k in axes], a, b)
    check(lambda a: pt.grad(Softmax(axis=0)(a).sum(), a), np.ones(3), static=True)


@pytest.mark.parametrize("shape", [(10, 10), (3, 700)])
def test_log_of_a_sum_of_exponentials(shape: Any):
    def build(x: Any) -> list[Any]:
        found: list[Any] = []
        for axis in (0, 1):
            top = pt.max(x, axis=axis, keepdims=True)
            top = pt.switch(pt.isinf(top), 0, top)
            found.append(pt.log(pt.sum(pt.exp(x - top), axis=axis, keepdims=True)) + top)
        return found

    x = RNG.normal(size=shape)
    x[:, 0] = -np.inf
    check(build, x)


def test_composites_with_unused_inputs_and_several_results():
    x, y, z = (ps.float64(name) for name in "xyz")
    composite = Elemwise(ps.Composite([x, y, z], [x + 1, y - 1]))
    check(lambda a, b, c: composite(a, b, c), np.ones((1, 4)), np.ones((1, 4)), np.full((1, 4), np.nan))
    v = pt.vector("v")
    outputs = Elemwise(ps.Composite([x], [x + 1, ps.cos(x + 1) + x]))(v)
    f = pytensor.function([In(v, mutable=True)], outputs, mode="LOOPWELD")
    first, second = f([0, 1, 2])
    np.testing.assert_allclose(first, [1, 2, 3])
    np.testing.assert_allclose(second, np.cos([1, 2, 3]) + np.array([0, 1, 2]))
