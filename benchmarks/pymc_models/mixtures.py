"""Mixtures and models of shares."""

import numpy as np
import pymc as pm
import pytensor.tensor as pt

from pymc_models.data import rng


def zero_inflated_poisson():
    y = rng.poisson(2, 300) * rng.integers(0, 2, 300)
    pm.ZeroInflatedPoisson("y", pm.Beta("share", 1, 1), pm.Gamma("rate", 2, 1), observed=y)


def beta_binomial():
    trials = rng.integers(10, 100, 71)
    rate = pm.Beta("rate", pm.HalfNormal("a", 5), pm.HalfNormal("b", 5), shape=71)
    pm.Binomial("y", trials, rate, observed=rng.binomial(trials, 0.2))


def normal_mixture():
    weight = pm.Dirichlet("weight", np.ones(3))
    mean, noise = pm.Normal("mean", 0, 5, shape=3), pm.HalfNormal("noise", 1, shape=3)
    pm.NormalMixture("y", w=weight, mu=mean, sigma=noise, observed=rng.normal(size=1000))


def best():
    """Two groups with Student's t (Kruschke, 2013)."""
    group = rng.integers(0, 2, 120)
    mean, noise = pm.Normal("mean", 0, 10, shape=2), pm.Uniform("noise", 1, 10, shape=2)
    y = rng.normal(size=120) + group
    pm.StudentT("y", nu=pm.Exponential("nu", 1 / 29) + 1, mu=mean[group], sigma=noise[group], observed=y)


def dirichlet_multinomial():
    share, spread = pm.Dirichlet("share", np.ones(5)), pm.LogNormal("spread", 1, 1)
    y = rng.multinomial(50, np.ones(5) / 5, size=40)
    pm.DirichletMultinomial("y", n=50, a=share * spread, observed=y)


def hurdle_gamma():
    group = rng.integers(0, 12, 500)
    y = rng.gamma(2, 1, 500) * rng.integers(0, 2, 500)
    rate = pt.exp(pm.Normal("level", 0, 1, shape=12))[group]
    pm.HurdleGamma("y", psi=pm.Beta("share", 1, 1), alpha=pm.HalfNormal("shape", 2), beta=rate, observed=y)


def mixture_of_regressions():
    x = rng.normal(size=(400, 2))
    mean = x @ pm.Normal("slope", 0, 1, shape=(2, 3))
    weight = pm.Dirichlet("weight", np.ones(3))
    pm.NormalMixture("y", w=weight, mu=mean, sigma=pm.HalfNormal("noise", 1, shape=3), observed=rng.normal(size=400))


def stick_breaking():
    stick = pm.Beta("stick", 1, pm.Gamma("concentration", 1, 1), shape=9)
    left = pt.concatenate([pt.ones(1), pt.extra_ops.cumprod(1 - stick)])
    weight = pt.concatenate([stick, pt.ones(1)]) * left
    mean = pm.Normal("mean", 0, 3, shape=10)
    density = pt.log(weight) - 0.5 * (rng.normal(size=(500, 1)) - mean) ** 2
    pm.Potential("y", pt.logsumexp(density, axis=1).sum())
