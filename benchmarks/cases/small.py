"""Programs of a few elements, where the call itself is what counts; float64, size S only."""

import math

import numpy as np

from .registry import case


@case("tiny", "small calls", lambda size, rng: [rng.standard_normal(8)], {"flop": 2}, dtype="float64", sizes="S")
def tiny(xp, x):
    return x * 2.0 + 1.0


@tiny.loops
def _(x, out, parts):
    for i in range(x.size):
        out[i] = x[i] * 2.0 + 1.0


@case(
    "schools",
    "small calls",
    lambda size, rng: [rng.normal(size=8), np.array(4.4), np.array(0.7), rng.normal(size=8), rng.random(8) + 9],
    {"flop": 20, "div": 2},
    dtype="float64",
    sizes="S",
)
def schools(xp, effect, mu, log_tau, y, sigma):
    """Eight schools: the log density and its gradient."""
    tau = xp.exp(log_tau)
    z = (y - (mu + tau * effect)) / sigma
    pull = z / sigma
    logp = -0.5 * (xp.sum(z * z) + xp.sum(effect * effect) + (mu / 5) ** 2 + (tau / 5) ** 2) + log_tau
    return logp, pull * tau - effect, xp.sum(pull) - mu / 25, tau * (xp.sum(pull * effect) - tau / 25) + 1


@schools.loops
def _(effect, mu, log_tau, y, sigma, logp, deffect, dmu, dtau, parts):
    m = mu[()]
    tau = math.exp(log_tau[()])
    squares = 0.0
    total = 0.0
    pulled = 0.0
    for i in range(y.size):
        z = (y[i] - (m + tau * effect[i])) / sigma[i]
        pull = z / sigma[i]
        squares += z * z + effect[i] * effect[i]
        total += pull
        pulled += pull * effect[i]
        deffect[i] = pull * tau - effect[i]
    logp[()] = -0.5 * (squares + (m / 5) ** 2 + (tau / 5) ** 2) + log_tau[()]
    dmu[()] = total - m / 25
    dtau[()] = tau * (pulled - tau / 25) + 1


@case(
    "robust_regression",
    "small calls",
    lambda size, rng: [*rng.standard_normal((2, 100)), np.array(0.2), np.array(-0.4), np.array(0.3)],
    {"log1p": 1, "div": 2, "flop": 20},
    dtype="float64",
    sizes="S",
)
def robust_regression(xp, x, y, a, b, log_sigma):
    """Errors of Student's t distribution with 4 degrees of freedom: the log density and its gradient."""
    n = x.shape[0]
    z = (y - (a + b * x)) / xp.exp(log_sigma)
    q = z * z / 4
    t = 5 * z / (4 * (1 + q))
    g = t / xp.exp(log_sigma)
    return -2.5 * xp.sum(xp.log1p(q)) - n * log_sigma, xp.sum(g), xp.sum(g * x), xp.sum(t * z) - n


@robust_regression.loops
def _(x, y, a, b, log_sigma, logp, da, db, dsigma, parts):
    a0 = a[()]
    b0 = b[()]
    factor = 1 / math.exp(log_sigma[()])
    logs = 0.0
    one = 0.0
    two = 0.0
    three = 0.0
    for i in range(x.size):
        z = (y[i] - (a0 + b0 * x[i])) * factor
        q = z * z * 0.25
        t = 5 * z / (4 * (1 + q))
        logs += math.log1p(q)
        one += t * factor
        two += t * factor * x[i]
        three += t * z
    logp[()] = -2.5 * logs - x.size * log_sigma[()]
    da[()] = one
    db[()] = two
    dsigma[()] = three - x.size
