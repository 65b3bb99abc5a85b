"""Every scalar op of PyTensor, over dtypes and shapes, against PyTensor's own code."""

from typing import Any

import numpy as np
import pytest

pytest.importorskip("pytensor", reason="needs Python 3.12 and loopweld[pytensor]")

import pytensor
import pytensor.scalar as ps
import pytensor.tensor as pt
from pytensor.scalar.loop import ScalarLoop
from pytensor.tensor.elemwise import Elemwise
from pytensor_mode.checking import check, variables

FLOATS = ("float64", "float32")
INTEGERS = ("int64", "int32", "uint32")
SMALL = ("int8", "uint8", "bool")
"""Functions of these are computed in float16, or float32."""
SIZES = (0, 1, 7, 33)

OUTSIDE = (ps.Complex, ps.PolyGamma, ps.BetaIncInv)
"""Ops that run in PyTensor, and one whose Python code in PyTensor does not work."""

SCALAR_OPS = [op for op in vars(ps).values() if isinstance(op, ps.ScalarOp) and not isinstance(op, OUTSIDE)]
SCALAR_OPS = sorted({type(op).__name__: op for op in SCALAR_OPS}.items())
ARITY = {ps.Switch: 3, ps.Clip: 3, ps.Add: 3, ps.Mul: 3}


def numbers(dtype: str, size: int, k: int = 0) -> Any:
    rng = np.random.default_rng(size + 7 * k)
    if dtype == "bool":
        return rng.integers(0, 2, size).astype(bool)
    if dtype.startswith(("int", "uint")):
        return rng.integers(0 if dtype[0] == "u" else -7, 8, size).astype(dtype)
    special = [0.0, -0.0, np.inf, -np.inf, np.nan, 1.0, -1.0, 0.5, -0.5, 2.5]
    values = rng.normal(size=size) * 3
    values[: min(size, len(special))] = special[: min(size, len(special))][:: -1 if k else 1]
    return values.astype(dtype)


def arity(op: Any) -> int:
    return ARITY.get(type(op), op.nin if op.nin > 0 else 2)


def operands(name: str, op: Any, dtype: str) -> list[Any]:
    """Numbers that the op takes; [] where PyTensor does not take the dtype."""
    arrays = [numbers(dtype, 33, k) for k in range(arity(op))]
    if name == "Pow" and dtype.startswith("int"):
        arrays[1] = np.abs(arrays[1])
    if name in ("IntDiv", "Mod") and dtype[0] in "iu":
        arrays[1] = np.where(arrays[1] == 0, 3, arrays[1]).astype(dtype)
    if name == "GammaLn" and dtype[0] == "f":
        arrays[0] = np.where(arrays[0] == -np.inf, 3, arrays[0]).astype(dtype)  # inf as in C and NUMBA, -inf in SciPy
    try:
        Elemwise(op)(*variables(*arrays))
    except (TypeError, NotImplementedError):
        return []
    return arrays


@pytest.mark.parametrize("dtypes", [FLOATS, INTEGERS, SMALL], ids="-".join)
@pytest.mark.parametrize(("name", "op"), SCALAR_OPS, ids=[name for name, _ in SCALAR_OPS])
def test_a_scalar_op_over_dtypes(name: str, op: Any, dtypes: tuple[str, ...]):
    found = [operands(name, op, dtype) for dtype in dtypes]
    found = [arrays for arrays in found if arrays]
    if not found:
        pytest.skip(f"PyTensor does not take {', '.join(dtypes)} here")

    def build(*inputs: Any) -> list[Any]:
        given = iter(inputs)
        return [Elemwise(op)(*(next(given) for _ in arrays)) for arrays in found]

    quotients = name in ("IntDiv", "Mod") and "bool" in dtypes
    check(build, *(a for arrays in found for a in arrays), rtol=1e-2 if dtypes == SMALL else None, fallbacks=quotients)


@pytest.mark.parametrize("size", SIZES)
def test_sizes(size: int):
    x, y = numbers("float64", size), numbers("float64", size, 1)
    check(lambda a, b: [pt.exp(a) * b + 1, pt.switch(a > b, a, b)], x, y)


def test_operands_of_several_dtypes():
    x, i, b = numbers("float32", 33), numbers("int64", 33), numbers("bool", 33)
    check(lambda x, i, b: [x + i, i + b, x * b, pt.eq(x, i), i / 3], x, i, b)


@pytest.mark.parametrize("dtype", ["float64", "float32", "int64", "int32", "int8", "uint8", "bool", "float16"])
def test_casts(dtype: str):
    check(lambda x, i: [pt.cast(pt.abs(x), dtype), pt.cast(i, dtype)], np.linspace(-100, 100, 33), numbers("int64", 33))


def test_ranks_and_declared_broadcasting():
    rng = np.random.default_rng(0)
    check(lambda x, y: x + y, rng.normal(size=(5, 1, 3)), rng.normal(size=(1, 4, 3)))
    check(lambda x, y: x * y, np.float64(2.5), np.float64(3))
    check(lambda x, y: x[..., None] * y, rng.normal(size=(5,)), rng.normal(size=(5, 0)))


def test_a_size_of_one_that_was_not_declared_raises():
    x, y = pt.vector("x"), pt.vector("y")
    f = pytensor.function([x, y], x + y, mode="LOOPWELD")
    np.testing.assert_array_equal(f(np.ones(1), np.ones(1)), [2.0])
    np.testing.assert_array_equal(f(np.ones(3), np.ones(3)), [2.0] * 3)
    with pytest.raises(ValueError, match="Runtime broadcasting not allowed"):
        f(np.ones(1), np.ones(3))
    with pytest.raises(ValueError, match="Input dimension mismatch"):
        f(np.ones(2), np.ones(3))
    row = pt.tensor("row", shape=(1, None))
    g = pytensor.function([row, y], pt.diag(row) + y, mode="LOOPWELD")  # a diagonal of one element, or none
    with pytest.raises(ValueError, match="Runtime broadcasting not allowed"):
        g(np.ones((1, 4)), np.ones(3))


def test_composites():
    a, b = ps.float64("a"), ps.float64("b")
    composite = ps.Composite([a, b], [ps.exp(a) * b + 2.0, ps.gt(a, b)])
    report = check(lambda x, y: Elemwise(composite)(x, y), numbers("float64", 33), numbers("float64", 33, 1))
    assert report.kernels == 1


def test_scalars_outside_of_tensors():
    def build(i: Any) -> Any:
        scalar = pt.scalar_from_tensor(i)
        return pt.tensor_from_scalar(ps.add(ps.mul(scalar, scalar), 3.0))

    check(build, np.float64(4.0))


@pytest.mark.parametrize("size", SIZES)
def test_loops_of_elements(size: int):
    """Each element takes its own number of steps: up to where a condition holds, or as many as are given."""
    x, limit = ps.float64("x"), ps.float64("limit")
    loop = ScalarLoop(init=[x], update=[x * 0.5 - 0.1], constant=[limit], until=ps.lt(ps.abs(x), limit))
    counts = np.random.default_rng(0).integers(0, 40, size)
    check(lambda n, x, limit: Elemwise(loop)(n, x, limit), counts, numbers("float64", size), np.full(size, 0.3))


def test_loops_of_elements_without_a_condition():
    i, x = ps.int64("i"), ps.float64("x")
    loop = ScalarLoop(init=[i, x], update=[i + 1, x * x + ps.cast(i, "float64")])
    counts = np.array([0, 3, 1, 5])
    check(lambda n, x: Elemwise(loop)(n, 0, x), counts, np.linspace(-1, 1, 4))
