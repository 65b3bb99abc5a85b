"""C functions of densities, and nutpie's sampler on them."""

import ctypes
from typing import Any

import numpy as np
import pytest

pytest.importorskip("pymc", reason="needs Python 3.12 and loopweld[pytensor]")

import pymc as pm
import pytensor.tensor as pt

import loopweld.pytensor


def schools() -> Any:
    effect, error = np.array([28.0, 8, -3, 7, -1, 1, 18, 12]), np.array([15.0, 10, 16, 11, 9, 11, 10, 18])
    with pm.Model() as model:
        mean, spread = pm.Normal("mean", 0, 5), pm.HalfCauchy("spread", 5)
        school = pm.Normal("school", 0, 1, shape=8)
        pm.Normal("effect", mean + spread * school, error, observed=effect)
    return model


def radon() -> Any:
    rng = np.random.default_rng(0)
    county, floor = rng.integers(0, 10, 200), rng.integers(0, 2, 200).astype(float)
    measured = rng.normal(1.4, 0.5, 10)[county] - 0.7 * floor + rng.normal(0, 0.7, 200)
    with pm.Model() as model:
        data = pm.Data("measured", measured)
        mean, spread = pm.Normal("mean", 0, 5), pm.HalfNormal("spread", 2)
        level = pm.Normal("level", mean, spread, shape=10)
        slope, noise = pm.Normal("slope", 0, 5), pm.HalfNormal("noise", 2)
        pm.Normal("radon", level[county] + slope * floor, noise, observed=data)
    return model


def process() -> Any:
    """A Gaussian process: a factor and triangular systems, by LAPACK."""
    x = np.linspace(0, 3, 12)[:, None]
    with pm.Model() as model:
        covariance = pm.HalfNormal("height", 1) ** 2 * pm.gp.cov.ExpQuad(1, ls=pm.Gamma("scale", 2, 1))
        gp = pm.gp.Marginal(cov_func=covariance)
        gp.marginal_likelihood("y", X=x, y=np.sin(x[:, 0]), sigma=pm.HalfNormal("noise", 1))
    return model


@pytest.mark.parametrize("make", [schools, radon, process])
def test_the_c_function_of_a_density(make: Any):
    model = make()
    address = loopweld.pytensor.logp_dlogp_address(model)
    call = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_uint64, *[ctypes.c_void_p] * 4)(address)
    expected = model.logp_dlogp_function(ravel_inputs=True, mode="FAST_COMPILE")
    expected.set_extra_values({})
    point = np.random.default_rng(1).normal(size=sum(v.size for v in model.initial_point().values()))
    value, gradient = np.zeros(1), np.zeros(point.size)

    def status(size: int) -> int:
        return call(size, point.ctypes.data, gradient.ctypes.data, value.ctypes.data, None)

    assert status(point.size) == 0
    logp, slope = expected(point)
    np.testing.assert_allclose(value[0], logp, rtol=1e-12)
    np.testing.assert_allclose(gradient, slope, rtol=1e-10)
    assert status(point.size - 1) == -1
    point[0] = np.nan
    assert status(point.size) == 3


@pytest.mark.parametrize("make", [schools, radon])
def test_nutpie_samples(make: Any):
    """The means of nutpie's draws agree with those of PyMC's own sampler, within five standard errors."""
    nutpie = pytest.importorskip("nutpie", reason="needs nutpie")
    model = make()
    compiled = loopweld.pytensor.nutpie_model(model)
    options = {"chains": 2, "cores": 1}
    fast = nutpie.sample(compiled, draws=2000, tune=500, seed=1, progress_bar=False, **options)
    with model:
        slow = pm.sample(
            1000, tune=500, random_seed=2, progressbar=False, compile_kwargs={"mode": "LOOPWELD"}, **options
        )
    for name in ("mean", "spread"):
        a, b = fast.posterior[name].values, slow.posterior[name].values
        error = np.sqrt(a.var() / (a.size / 10) + b.var() / (b.size / 10))  # one draw in ten is taken as independent
        assert abs(a.mean() - b.mean()) < 5 * error


def test_nutpie_samples_with_other_data():
    nutpie = pytest.importorskip("nutpie", reason="needs nutpie")
    with pm.Model() as model:
        data = pm.Data("data", np.zeros(50))
        pm.Normal("y", pm.Normal("mean", 0, 10), 1, observed=data)
    compiled = loopweld.pytensor.nutpie_model(model)
    for changed, mean in ((compiled, 0.0), (compiled.with_data(data=np.full(400, 3.0)), 3.0)):
        trace = nutpie.sample(changed, draws=300, tune=200, chains=1, seed=1, progress_bar=False)
        assert abs(trace.posterior["mean"].values.mean() - mean) < 0.2
    assert data.get_value().shape == (50,)
    with pytest.raises(KeyError):
        compiled.with_data(other=np.zeros(3))


def test_models_without_a_c_function_say_why():
    with pm.Model() as model:
        pm.Potential("least", -(pt.sort(pm.Normal("x", 0, 1, shape=9))[0] ** 2))
    with pytest.raises(ValueError, match=r"one native program.*Sort"):
        loopweld.pytensor.logp_dlogp_address(model)
    with pm.Model() as counting:
        pm.Poisson("count", 3)
    with pytest.raises(ValueError, match="discrete"):
        loopweld.pytensor.logp_dlogp_address(counting)
