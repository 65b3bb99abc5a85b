"""Time series: walks, autoregressions, states, volatilities, differential equations."""

import numpy as np
import pymc as pm
import pytensor
import pytensor.tensor as pt

from pymc_models.data import rng


def stochastic_volatility():
    nu, step = pm.Exponential("nu", 0.1), pm.Exponential("step", 10)
    walk = pm.GaussianRandomWalk("walk", sigma=step, shape=500, init_dist=pm.Normal.dist(0, 1))
    pm.StudentT("y", nu=nu, lam=pt.exp(-2 * walk), observed=rng.normal(size=500))


def autoregression():
    start = pm.Normal.dist(0, 10)
    rho, noise = pm.Normal("rho", 0, 1, shape=3), pm.HalfNormal("noise", 1)
    pm.AR("y", rho, sigma=noise, constant=True, init_dist=start, observed=rng.normal(size=300))


def local_level():
    drift, step = pm.Normal("drift", 0, 1), pm.HalfNormal("step", 1)
    level = pm.GaussianRandomWalk("level", mu=drift, sigma=step, init_dist=pm.Normal.dist(0, 10), shape=301)
    pm.Normal("y", level, pm.HalfNormal("noise", 1), observed=rng.normal(size=301))


def latent_autoregression():
    rho, noise = pm.Uniform("rho", -1, 1), pm.HalfNormal("noise", 1)
    rate = pm.AR("rate", rho=pt.stack([rho]), sigma=noise, init_dist=pm.Normal.dist(0, 1), shape=200)
    pm.Poisson("y", pt.exp(rate), observed=rng.poisson(2, 200))


def volatility_by_steps():
    """A GARCH(1, 1) model, its variances by `scan`."""
    y = rng.normal(size=500)
    base, old = pm.HalfNormal("base", 1), pm.Beta("old", 2, 5)
    new = pm.Uniform("new", 0, 1 - old)
    variance = pytensor.scan(
        lambda y, last, base, old, new: base + old * y**2 + new * last,
        sequences=[y[:-1]],
        outputs_info=[pt.ones(())],
        non_sequences=[base, old, new],
        return_updates=False,
    )
    pm.Normal("y", 0, pt.sqrt(variance), observed=y[1:])


def predator_and_prey():
    """A differential equation in steps of Euler, by `scan`."""
    rate = pm.LogNormal("rate", 0, 0.5, shape=4)
    start = pm.LogNormal("start", 0, 1, shape=2)

    def step(now, rate):
        both = now[0] * now[1]
        return now + 0.02 * pt.stack([rate[0] * now[0] - rate[1] * both, rate[2] * both - rate[3] * now[1]])

    path = pytensor.scan(step, outputs_info=[start], non_sequences=[rate], n_steps=400, return_updates=False)
    pm.LogNormal("y", pt.log(path[::10]), 0.3, observed=rng.lognormal(size=(40, 2)))


def hidden_states():
    """A Markov chain with three states, its forward algorithm by `scan`."""
    change = pm.Dirichlet("change", np.ones((3, 3)))
    level = pm.Normal("level", [-2, 0, 2], 1, shape=3)
    seen = pm.logp(pm.Normal.dist(level, 1), rng.normal(size=(300, 1)))
    forward = pytensor.scan(
        lambda seen, now, change: seen + pt.logsumexp(now[:, None] + change, axis=0),
        sequences=[seen],
        outputs_info=[pt.zeros(3)],
        non_sequences=[pt.log(change)],
        return_updates=False,
    )
    pm.Potential("y", pt.logsumexp(forward[-1]))


def vector_autoregression():
    y = rng.normal(size=(200, 3)).cumsum(axis=0) * 0.1
    step = pm.Normal("step", 0, 0.5, shape=(2, 3, 3))
    mean = pm.Normal("level", 0, 1, shape=3) + y[1:-1] @ step[0] + y[:-2] @ step[1]
    pm.Normal("y", mean, pm.HalfNormal("noise", 1, shape=3), observed=y[2:])
