"""Log densities of statistical models, most with gradients; float64."""

import math
from typing import Any

import numpy as np

from .registry import Array, case, count, normal, prange

HALF_LOG_2PI = 0.9189385332046727
KIND = "Bayesian"


def _scalars(*values: float) -> list[Array]:
    return [np.array(value) for value in values]


def _first(x: Any, *_: Any) -> int:
    return x.size


@case(
    "normal_logp_grad",
    KIND,
    lambda size, rng: [normal(rng, count(size, "float64"), dtype="float64"), *_scalars(0.3, 1.4)],
    {"flop": 6},
    dtype="float64",
    tolerance=1e-8,
)
def normal_logp_grad(xp, x, mu, sigma):
    n = x.shape[0]
    z = (x - mu) / sigma
    squares = xp.sum(z * z)
    logp = -0.5 * squares - n * (xp.log(sigma) + HALF_LOG_2PI)
    return logp, -z / sigma, xp.sum(z) / sigma, (squares - n) / sigma


@normal_logp_grad.loops
def _(x, mu, sigma, logp, dx, dmu, dsigma, parts):
    m = mu[()]
    factor = 1 / sigma[()]
    squares = 0.0
    total = 0.0
    for i in prange(x.size):
        z = (x[i] - m) * factor
        squares += z * z
        total += z
        dx[i] = -z * factor
    logp[()] = -0.5 * squares - x.size * (math.log(sigma[()]) + HALF_LOG_2PI)
    dmu[()] = total * factor
    dsigma[()] = (squares - x.size) * factor


@case(
    "logistic_logp_grad",
    KIND,
    lambda size, rng: [normal(rng, count(size, "float64"), dtype="float64") for _ in range(2)] + _scalars(-0.4, 0.8),
    {"exp": 1, "log1p": 1, "div": 1, "flop": 12},
    dtype="float64",
    tolerance=1e-8,
    work=_first,
)
def logistic_logp_grad(xp, x, score, a, b):
    """Logistic regression on one covariate; the outcome is whether a score is positive."""
    eta = a + b * x
    right = xp.where(score > 0, 1.0, 0.0)
    e = xp.exp(-xp.abs(eta))
    logp = xp.sum(right * eta - xp.where(eta > 0, eta, 0.0) - xp.log1p(e))
    rest = right - xp.where(eta > 0, 1.0, e) / (1 + e)
    return logp, xp.sum(rest), xp.sum(rest * x)


@logistic_logp_grad.instead("torch")
def _(xp, x, score, a, b):
    eta = a + b * x
    right = (score > 0).to(xp.float64)
    e = xp.exp(-xp.abs(eta))
    logp = xp.sum(right * eta - xp.relu(eta) - xp.log1p(e))
    rest = right - xp.where(eta > 0, 1.0, e) / (1 + e)
    return logp, xp.sum(rest), xp.sum(rest * x)


@logistic_logp_grad.loops
def _(x, score, a, b, logp, da, db, parts):
    total = 0.0
    one = 0.0
    two = 0.0
    a0 = a[()]
    b0 = b[()]
    for i in prange(x.size):
        eta = a0 + b0 * x[i]
        right = 1.0 if score[i] > 0 else 0.0
        e = math.exp(-abs(eta))
        total += right * eta - max(eta, 0.0) - math.log1p(e)
        rest = right - (1.0 if eta > 0 else e) / (1 + e)
        one += rest
        two += rest * x[i]
    logp[()] = total
    da[()] = one
    db[()] = two


def _groups(size: str, rng: np.random.Generator) -> list[Array]:
    n = count(size, "float64")
    y, x = (normal(rng, n, dtype="float64") for _ in range(2))
    return [y, x, rng.integers(0, 1000, n), rng.standard_normal(1000), *_scalars(0.7, 1.3)]


@case(
    "hierarchical_logp_grad",
    KIND,
    _groups,
    {"flop": 9, "gather": 1, "update": 1},
    dtype="float64",
    tolerance=1e-8,
    work=_first,
)
def hierarchical_logp_grad(xp, y, x, group, level, slope, sigma):
    """A regression with a level for each of 1000 groups, and the gradient of the levels and the slope."""
    z = (y - (level[group] + slope * x)) / sigma
    logp = -0.5 * xp.sum(z * z) - y.shape[0] * (xp.log(sigma) + HALF_LOG_2PI)
    pull = z / sigma
    return logp, xp.bincount(group, weights=pull, minlength=level.shape[0]), xp.sum(pull * x)


hierarchical_logp_grad.instead("pytensor")(hierarchical_logp_grad.function)


@hierarchical_logp_grad.instead("jax")
def _(xp, y, x, group, level, slope, sigma):
    z = (y - (level.at[group].get(mode="promise_in_bounds") + slope * x)) / sigma
    logp = -0.5 * xp.sum(z * z) - y.shape[0] * (xp.log(sigma) + HALF_LOG_2PI)
    pull = z / sigma
    return logp, xp.zeros_like(level).at[group].add(pull, mode="promise_in_bounds"), xp.sum(pull * x)


@hierarchical_logp_grad.instead("torch")
def _(xp, y, x, group, level, slope, sigma):
    z = (y - (level[group] + slope * x)) / sigma
    logp = -0.5 * xp.sum(z * z) - y.shape[0] * (xp.log(sigma) + HALF_LOG_2PI)
    pull = z / sigma
    return logp, xp.zeros_like(level).index_add(0, group, pull), xp.sum(pull * x)


@hierarchical_logp_grad.loops
def _(y, x, group, level, slope, sigma, logp, dlevel, dslope, parts):
    b = slope[()]
    factor = 1 / sigma[()]
    levels = np.zeros((parts, level.size))
    squares = np.zeros(parts)
    slopes = np.zeros(parts)
    step = (y.size + parts - 1) // parts
    for part in prange(parts):
        square = 0.0
        pulled = 0.0
        for i in range(part * step, min((part + 1) * step, y.size)):
            z = (y[i] - (level[group[i]] + b * x[i])) * factor
            square += z * z
            pulled += z * factor * x[i]
            levels[part, group[i]] += z * factor
        squares[part] = square
        slopes[part] = pulled
    logp[()] = -0.5 * squares.sum() - y.size * (math.log(sigma[()]) + HALF_LOG_2PI)
    dslope[()] = slopes.sum()
    for j in range(level.size):
        total = 0.0
        for part in range(parts):
            total += levels[part, j]
        dlevel[j] = total


def _mixture(size: str, rng: np.random.Generator) -> list[Array]:
    n = count(size, "float64") // 2
    means, sigmas = np.array([-2.0, 0.0, 2.5]), np.array([0.7, 1.0, 0.5])
    return [normal(rng, n, dtype="float64") * 2, np.log([0.2, 0.5, 0.3]), means, sigmas]


@case("mixture_logp", KIND, _mixture, {"exp": 3, "log": 1, "flop": 20}, dtype="float64", tolerance=1e-8)
def mixture_logp(xp, x, weights, means, sigmas):
    """A mixture of three normal distributions: a log-sum-exp over an axis of 3."""
    z = (x[:, None] - means) / sigmas
    terms = weights - xp.log(sigmas) - HALF_LOG_2PI - 0.5 * z * z
    m = xp.max(terms, axis=1, keepdims=True)
    return xp.sum(m[:, 0] + xp.log(xp.sum(xp.exp(terms - m), axis=1)))


@mixture_logp.loops
def _(x, weights, means, sigmas, out, parts):
    total = 0.0
    for i in prange(x.size):
        m = -1e300
        for k in range(3):
            z = (x[i] - means[k]) / sigmas[k]
            m = max(m, weights[k] - math.log(sigmas[k]) - HALF_LOG_2PI - 0.5 * z * z)
        s = 0.0
        for k in range(3):
            z = (x[i] - means[k]) / sigmas[k]
            s += math.exp(weights[k] - math.log(sigmas[k]) - HALF_LOG_2PI - 0.5 * z * z - m)
        total += m + math.log(s)
    out[()] = total
