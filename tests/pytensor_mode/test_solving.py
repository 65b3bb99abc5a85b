"""Factors and triangular systems are part of the native program: written out where they are small, or by LAPACK."""

from typing import Any

import numpy as np
import pytest

pytest.importorskip("pytensor", reason="needs Python 3.12 and loopweld[pytensor]")

import pytensor
import pytensor.tensor as pt
from pytensor.tensor.blockwise import Blockwise
from pytensor.tensor.linalg import cho_solve, solve_triangular
from pytensor.tensor.linalg.decomposition.cholesky import Cholesky, cholesky
from pytensor.tensor.linalg.decomposition.lu import LUFactor, PivotToPermutations
from pytensor.tensor.linalg.inverse import inv
from pytensor.tensor.linalg.solvers.general import Solve
from pytensor.tensor.linalg.solvers.psd import CholeskySolve
from pytensor.tensor.linalg.solvers.triangular import SolveTriangular
from pytensor.tensor.linalg.summary import Det, SLogDet, det
from pytensor_mode.checking import RAW, check, variables

import loopweld.pytensor

LOOSE = {"float32": 1e-3, "float64": 1e-9}


def positive(n: int, *batch: int) -> Any:
    a = np.random.default_rng(n).normal(size=(*batch, n, n))
    return a @ a.swapaxes(-1, -2) + np.eye(n)


@pytest.mark.parametrize("n", [1, 2, 6, 7, 33])
@pytest.mark.parametrize("lower", [True, False])
def test_factors(n: int, lower: bool):
    for matrix in (positive(n), -np.eye(n), np.ones((n, n))):
        report = check(lambda x: Cholesky(lower=lower)(x), matrix, static=True)
        assert report.segments[0].library_calls == (() if n <= 6 else ("cholesky",))


@pytest.mark.parametrize("n", [1, 3, 7])
@pytest.mark.parametrize("lower", [True, False])
@pytest.mark.parametrize("unit", [True, False])
def test_triangular_systems(n: int, lower: bool, unit: bool):
    rng = np.random.default_rng(n)
    a = rng.normal(size=(n, n)) + 3 * np.eye(n)
    singular = a.copy()
    singular[n - 1, n - 1] = 0
    for matrix in (a, singular):
        for b in (rng.normal(size=n), rng.normal(size=(n, 5))):
            solve = SolveTriangular(lower=lower, unit_diagonal=unit, b_ndim=b.ndim)
            check(lambda x, y, f=solve: f(x, y), matrix, b, static=True, rtol=1e-9)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("n", [0, 1, 9])
def test_sizes_that_are_open(n: int, dtype: str):
    a, b = positive(n).astype(dtype), np.ones((n, 3), dtype)

    def build(a: Any, b: Any) -> list[Any]:
        lower = cholesky(a)
        systems = [SolveTriangular(lower=k, b_ndim=2)(f, b) for k, f in ((True, lower), (False, lower.T))]
        return [lower, *systems, CholeskySolve(lower=True, b_ndim=2)(lower, b), CholeskySolve(b_ndim=1)(a, b[:, 0])]

    report = check(build, a, b, rtol=LOOSE[dtype])
    assert len(report.segments) == 1


def test_batches():
    a, b = positive(7, 2, 3), np.random.default_rng(0).normal(size=(2, 3, 7))
    many = np.random.default_rng(1).normal(size=(4, 1, 3, 7))
    a[1, 2] *= -1

    def build(a: Any, b: Any, many: Any) -> list[Any]:
        lower, upper = cholesky(a), cholesky(a[0], lower=False)
        one = [solve_triangular(lower[0, 0], x, lower=True, b_ndim=1) for x in (b, many)]
        each = [solve_triangular(lower, x, lower=True, b_ndim=1) for x in (b, many)]
        both = solve_triangular(lower, b[..., None] * b[..., None, :2], lower=True, b_ndim=2)
        return [lower, upper, *one, *each, both, cho_solve((upper[None, 0], False), b, b_ndim=1)]

    report = check(build, a, b, many, rtol=1e-9)
    assert len(report.segments) == 1


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("n", [0, 1, 3, 9])
def test_exchanged_rows(n: int, dtype: str):
    rng = np.random.default_rng(n)
    a, b = rng.normal(size=(n, n)).astype(dtype), rng.normal(size=(n, n)).astype(dtype)
    singular = a * (np.arange(n) != 1)
    for matrix in (a, singular) if n else (a,):
        if n == 1 and matrix is singular:
            continue

        def build(a: Any, b: Any) -> list[Any]:
            both, pivots = LUFactor()(a)
            order = PivotToPermutations(inverse=True)(pivots)
            orders = [order, PivotToPermutations(inverse=False)(pivots), pt.argsort(order)]
            return [both, pivots, *orders, Det()(a), *SLogDet()(a), *([Solve(b_ndim=2)(a, b)] if n else [])]

        check(build, matrix, b, rtol=LOOSE[dtype])
    if n:
        check(lambda a, b: Solve(b_ndim=1)(a, b), a, b[0], rtol=LOOSE[dtype])


def test_inverses():
    a = np.random.default_rng(0).normal(size=(2, 3, 9, 9))
    check(lambda a: [inv(a), inv(a[0, 0]), det(a), *Blockwise(SLogDet())(a)], a, rtol=1e-9)
    x = pt.matrix()
    function = pytensor.function([x], inv(x), mode="LOOPWELD")
    assert np.isnan(function(np.full((3, 3), np.nan))).all()
    with pytest.raises(np.linalg.LinAlgError, match="Singular matrix"):
        function(np.ones((3, 3)))


def test_systems_of_a_positive_definite_matrix():
    a, b = positive(9, 2), np.random.default_rng(0).normal(size=(2, 9))
    one_triangle = np.triu(a) + np.tril(np.full((9, 9), np.inf), -1)
    check(lambda a, b: pt.linalg.solve(a, b, assume_a="pos", b_ndim=1), one_triangle, b, rtol=1e-9)
    check(lambda a, b: pt.linalg.solve(a.mT, b, assume_a="pos", lower=True, b_ndim=1), one_triangle, b, rtol=1e-9)
    check(lambda a: pt.linalg.solve(a, a, assume_a="pos"), -a[0])


def test_shapes_that_are_wrong():
    for shapes, message in ((((3, 4), (3, 2)), "not square"), (((3, 3), (4, 2)), "numbers of rows differ")):
        arrays = [np.ones(s) for s in shapes]
        inputs = variables(*arrays)
        function = pytensor.function(inputs, SolveTriangular(lower=True, b_ndim=2)(*inputs), mode=RAW)
        with pytest.raises(ValueError, match=message):
            function(*arrays)


def test_a_gaussian_process_is_one_native_call():
    n = 12
    x, y = np.linspace(0, 3, n), np.sin(np.linspace(0, 3, n))
    scale, noise = pt.scalars("scale", "noise")
    factor = cholesky(pt.exp(-((x[:, None] - x) ** 2) / scale**2) + noise * pt.eye(n))
    white = solve_triangular(factor, y, lower=True, b_ndim=1)
    density = -0.5 * (white**2).sum() - pt.log(pt.diag(factor)).sum()
    results = [density, *pt.grad(density, [scale, noise])]
    modes = ("LOOPWELD", "FAST_COMPILE")
    ours, theirs = (pytensor.function([scale, noise], results, mode=mode) for mode in modes)
    for point in ((0.7, 0.1), (0.7, -2.0)):  # the second covariance is not positive definite
        for a, b in zip(ours(*point), theirs(*point), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-9)
    report = loopweld.pytensor.report(ours)
    assert len(report.segments) == 1 and not report.fallbacks
    assert set(report.segments[0].library_calls) == {"cholesky", "solve_triangular"}
