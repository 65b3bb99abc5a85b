"""Small factors and triangular systems are part of the native program; larger ones run in PyTensor."""

import numpy as np
import pytest

pytest.importorskip("pytensor", reason="needs Python 3.12 and loopweld[pytensor]")

from pytensor.tensor.linalg.decomposition.cholesky import Cholesky
from pytensor.tensor.linalg.solvers.triangular import SolveTriangular
from pytensor_mode.checking import check


@pytest.mark.parametrize("n", [1, 2, 3, 6, 7])
@pytest.mark.parametrize("lower", [True, False])
def test_factors(n: int, lower: bool):
    a = np.random.default_rng(n).normal(size=(n, n))
    for matrix in (a @ a.T + np.eye(n), -np.eye(n), np.ones((n, n))):
        check(lambda x: Cholesky(lower=lower)(x), matrix, static=True, fallbacks=n > 6)


@pytest.mark.parametrize("n", [1, 2, 3, 6, 7])
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
            check(lambda x, y, f=solve: f(x, y), matrix, b, static=True, fallbacks=n > 6, rtol=1e-9)
