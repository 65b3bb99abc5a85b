"""Models with a sum of terms: linear, logistic, of counts, of choices, of lifetimes."""

import numpy as np
import pymc as pm
import pytensor.tensor as pt

from pymc_models.data import rng


def logistic_regression():
    x = rng.normal(size=(1000, 8))
    logit = pm.Normal("level", 0, 1) + x @ pm.Normal("slope", 0, 1, shape=8)
    pm.Bernoulli("y", logit_p=logit, observed=rng.integers(0, 2, 1000))


def poisson_regression():
    x, group = rng.normal(size=(600, 3)), rng.integers(0, 20, 600)
    level = pm.Normal("level", 0, pm.HalfNormal("spread", 1), shape=20)
    rate = pt.exp(level[group] + x @ pm.Normal("slope", 0, 1, shape=3))
    pm.Poisson("y", rate, observed=rng.poisson(2, 600))


def negative_binomial_regression():
    x = rng.normal(size=(400, 4))
    rate = pt.exp(x @ pm.Normal("slope", 0, 1, shape=4))
    pm.NegativeBinomial("y", mu=rate, alpha=pm.Exponential("shape", 1), observed=rng.poisson(3, 400))


def ordered_logit():
    ordered = pm.distributions.transforms.ordered
    cuts = pm.Normal("cuts", 0, 1.5, shape=6, transform=ordered, initval=np.arange(6) - 2.5)
    eta = pm.Normal("slope", 0, 1) * rng.normal(size=500)
    pm.OrderedLogistic("y", eta=eta, cutpoints=cuts, observed=rng.integers(0, 7, 500))


def categorical_regression():
    x = rng.normal(size=(200, 4))
    pm.Categorical("y", logit_p=x @ pm.Normal("slope", 0, 1, shape=(4, 3)), observed=rng.integers(0, 3, 200))


def weibull_survival():
    time, cut, x = rng.weibull(1.5, 300), rng.integers(0, 2, 300).astype(bool), rng.normal(size=(300, 2))
    scale, shape = pt.exp(x @ pm.Normal("slope", 0, 1, shape=2)), pm.HalfNormal("shape", 1)
    pm.Weibull("y", shape, scale[~cut], observed=time[~cut])
    pm.Potential("censored", -((time[cut] / scale[cut]) ** shape).sum())


def censored_normal():
    y = np.clip(rng.normal(size=200), -1, 1)
    normal = pm.Normal.dist(pm.Normal("mean", 0, 1), pm.HalfNormal("noise", 1))
    pm.Censored("y", normal, lower=-1, upper=1, observed=y)


def horseshoe():
    x = rng.normal(size=(100, 20))
    scale = pm.HalfCauchy("local", 1, shape=20) * pm.HalfCauchy("global", 1)
    mean = x @ (pm.Normal("slope", 0, 1, shape=20) * scale)
    pm.Normal("y", mean, pm.HalfNormal("noise", 1), observed=rng.normal(size=100))


def additive(terms: int = 10):
    """`y = sum of a[index] * x`, as Bambi and brms make it of a long formula."""
    total = pt.zeros(1000)
    for k in range(terms):
        level = pm.Normal(f"level{k}", 0, 1, shape=5)
        total = total + level[rng.integers(0, 5, 1000)] * rng.normal(size=1000)
    pm.Normal("y", total, pm.HalfNormal("noise", 1), observed=rng.normal(size=1000))


def additive_80():
    additive(80)


def nested_logit():
    """Choices among 6 things in 2 nests."""
    utility = rng.normal(size=(300, 6, 4)) @ pm.Normal("taste", 0, 1, shape=4)
    alike = pm.Uniform("alike", 0.1, 1, shape=2)
    scaled = [utility[:, 3 * k : 3 * k + 3] / alike[k] for k in range(2)]
    inside = pt.concatenate([pm.math.log_softmax(s, axis=1) for s in scaled], axis=1)
    nest = pt.stack([alike[k] * pt.logsumexp(scaled[k], axis=1) for k in range(2)], axis=1)
    choice = rng.integers(0, 6, 300)
    nests = pm.math.log_softmax(nest, axis=1)
    row = np.arange(300)
    pm.Potential("y", (inside[row, choice] + nests[row, choice // 3]).sum())


def large_regression():
    x = rng.normal(size=(100_000, 20))
    mean = pm.Normal("level", 0, 1) + x @ pm.Normal("slope", 0, 1, shape=20)
    pm.Normal("y", mean, pm.HalfNormal("noise", 1), observed=rng.normal(size=100_000))
