"""Models with effects of groups: schools, counties, people, places."""

import numpy as np
import pymc as pm
import pytensor.tensor as pt

from pymc_models.data import rng

EFFECT = np.array([28.0, 8, -3, 7, -1, 1, 18, 12])
ERROR = np.array([15.0, 10, 16, 11, 9, 11, 10, 18])


def eight_schools():
    mean, spread = pm.Normal("mean", 0, 5), pm.HalfCauchy("spread", 5)
    pm.Normal("y", mean + spread * pm.Normal("school", 0, 1, shape=8), ERROR, observed=EFFECT)


def eight_schools_centred():
    mean, spread = pm.Normal("mean", 0, 5), pm.HalfCauchy("spread", 5)
    pm.Normal("y", pm.Normal("school", mean, spread, shape=8), ERROR, observed=EFFECT)


def _houses():
    """County, floor and measurement, as many as in Gelman's data of radon."""
    return rng.integers(0, 85, 919), rng.integers(0, 2, 919).astype(float), rng.normal(size=919)


def radon_varying_intercept():
    county, floor, y = _houses()
    level = pm.Normal("level", pm.Normal("mean", 0, 5), pm.HalfNormal("spread", 2), shape=85)
    pm.Normal("y", level[county] + pm.Normal("slope", 0, 5) * floor, pm.HalfNormal("noise", 2), observed=y)


def radon_varying_slopes():
    county, floor, y = _houses()
    level = pm.Normal("level", pm.Normal("mean", 0, 5), pm.HalfNormal("spread", 2), shape=85)
    slope = pm.Normal("slope", pm.Normal("mean_slope", 0, 5), pm.HalfNormal("spread_slope", 2), shape=85)
    pm.Normal("y", level[county] + slope[county] * floor, pm.HalfNormal("noise", 2), observed=y)


def radon_non_centred():
    county, floor, y = _houses()
    mean, spread = pm.Normal("mean", 0, 5), pm.HalfNormal("spread", 2)
    level = mean + spread * pm.Normal("level", 0, 1, shape=85)
    pm.Normal("y", level[county] + pm.Normal("slope", 0, 5) * floor, pm.HalfNormal("noise", 2), observed=y)


def item_response():
    person, item = rng.integers(0, 200, 5000), rng.integers(0, 50, 5000)
    ability, difficulty = pm.Normal("ability", 0, 1, shape=200), pm.Normal("difficulty", 0, 1, shape=50)
    logit = pm.HalfNormal("scale", 1) * (ability[person] - difficulty[item])
    pm.Bernoulli("y", logit_p=logit, observed=rng.integers(0, 2, 5000))


def correlated_slopes():
    """A level and a slope of each group, correlated."""
    group, x = rng.integers(0, 15, 200), rng.normal(size=200)
    factor, _, _ = pm.LKJCholeskyCov("factor", n=2, eta=2, sd_dist=pm.Exponential.dist(1.0, shape=2))
    own = pm.Normal("own", 0, 1, shape=(15, 2)) @ factor.T
    mean = pm.Normal("level", 0, 1) + own[group, 0] + own[group, 1] * x
    pm.Normal("y", mean, pm.HalfNormal("noise", 1), observed=rng.normal(size=200))


def clipped_effects():
    """Counts by month and place: effects of both, and a walk, within limits."""
    step, month = pm.Normal("step", 0, 1, shape=(12, 7)), pm.Normal("month", 0, 1, shape=(12, 1))
    place = pm.Normal("place", 0, 1, shape=7)
    effect = 0.1 * step.cumsum(axis=0) + month + place - place.mean()
    rate = pt.exp(effect.clip(-5, 5))
    pm.NegativeBinomial("y", mu=rate, alpha=pm.Exponential("shape", 1), observed=rng.poisson(3, (12, 7)))


def icar():
    """Counts of neighbouring areas, a lattice of 10 by 12."""
    area = np.arange(120).reshape(10, 12)
    edges = [(area[1:], area[:-1]), (area[:, 1:], area[:, :-1])]
    a, b = (np.concatenate([pair[k].ravel() for pair in edges]) for k in range(2))
    near = np.zeros((120, 120), int)
    near[a, b] = near[b, a] = 1
    place = pm.ICAR("place", W=near, sigma=1)
    own = pm.Normal("own", 0, 1, shape=120)
    share, spread = pm.Beta("share", 0.5, 0.5), pm.HalfNormal("spread", 1)
    effect = spread * (pt.sqrt(share) * place + pt.sqrt(1 - share) * own)
    pm.Poisson("y", pt.exp(pm.Normal("level", 0, 1) + effect), observed=rng.poisson(3, 120))


def gompertz_growth():
    who, time = rng.integers(0, 30, 300), rng.uniform(0, 10, 300)
    top = pm.LogNormal("top", pm.Normal("mean_top", 3, 1), pm.HalfNormal("spread_top", 1), shape=30)
    rate, shift = pm.LogNormal("rate", -1, 0.5, shape=30), pm.LogNormal("shift", 1, 0.5)
    mean = top[who] * pt.exp(-shift * pt.exp(-rate[who] * time))
    pm.LogNormal("y", pt.log(mean), pm.HalfNormal("noise", 1), observed=rng.lognormal(size=300))
