"""Models with a covariance: correlated variables, Gaussian processes."""

import numpy as np
import pymc as pm
import pytensor.tensor as pt

from pymc_models.data import rng


def correlated_normal():
    exponential = pm.Exponential.dist(1.0, shape=3)
    factor, _, _ = pm.LKJCholeskyCov("factor", n=3, eta=2, sd_dist=exponential)
    pm.MvNormal("y", pm.Normal("mean", 0, 1, shape=3), chol=factor, observed=rng.normal(size=(100, 3)))


def correlated_normal_8():
    """As many variables as need a call of LAPACK."""
    factor, _, _ = pm.LKJCholeskyCov("factor", n=8, eta=2, sd_dist=pm.Exponential.dist(1.0, shape=8))
    pm.MvNormal("y", pm.Normal("mean", 0, 1, shape=8), chol=factor, observed=rng.normal(size=(100, 8)))


def normal_of_a_covariance():
    spread = pm.HalfNormal("spread", 1, shape=10)
    covariance = pt.diag(spread**2) + 0.5 * pt.outer(spread, spread)
    pm.MvNormal("y", pm.Normal("mean", 0, 1, shape=10), cov=covariance, observed=rng.normal(size=(100, 10)))


def normal_of_a_precision():
    spread = pm.HalfNormal("spread", 1, shape=8)
    precision = pt.diag(spread**2) + 0.5 * pt.outer(spread, spread)
    pm.MvNormal("y", pm.Normal("mean", 0, 1, shape=8), tau=precision, observed=rng.normal(size=(100, 8)))


def _kernel_of(kind):
    return pm.HalfNormal("height", 1) ** 2 * kind(1, ls=pm.Gamma("length", 2, 1))


def marginal_process():
    x = np.linspace(0, 10, 50)[:, None]
    process = pm.gp.Marginal(cov_func=_kernel_of(pm.gp.cov.ExpQuad))
    y = np.sin(x[:, 0]) + 0.1 * rng.normal(size=50)
    process.marginal_likelihood("y", X=x, y=y, sigma=pm.HalfNormal("noise", 1))


def latent_process():
    process = pm.gp.Latent(cov_func=_kernel_of(pm.gp.cov.Matern52))
    rate = process.prior("rate", X=np.linspace(0, 10, 40)[:, None])
    pm.Poisson("y", pt.exp(rate), observed=rng.poisson(2, 40))
