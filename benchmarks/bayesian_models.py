"""Models for `benchmarks/pymc.py`: small and typical, with data made on the spot. Each function fills a `pm.Model`."""

from collections.abc import Callable

import numpy as np
import pymc as pm
import pytensor
import pytensor.tensor as pt

EFFECT = np.array([28.0, 8, -3, 7, -1, 1, 18, 12])
ERROR = np.array([15.0, 10, 16, 11, 9, 11, 10, 18])
rng = np.random.default_rng(1)


def eight_schools():
    mean, spread = pm.Normal("mean", 0, 5), pm.HalfCauchy("spread", 5)
    pm.Normal("y", mean + spread * pm.Normal("school", 0, 1, shape=8), ERROR, observed=EFFECT)


def eight_schools_centred():
    mean, spread = pm.Normal("mean", 0, 5), pm.HalfCauchy("spread", 5)
    pm.Normal("y", pm.Normal("school", mean, spread, shape=8), ERROR, observed=EFFECT)


def houses():
    """County, floor and measurement, as many as in Gelman's data of radon."""
    return rng.integers(0, 85, 919), rng.integers(0, 2, 919).astype(float), rng.normal(size=919)


def radon_varying_intercept():
    county, floor, y = houses()
    level = pm.Normal("level", pm.Normal("mean", 0, 5), pm.HalfNormal("spread", 2), shape=85)
    pm.Normal("y", level[county] + pm.Normal("slope", 0, 5) * floor, pm.HalfNormal("noise", 2), observed=y)


def radon_varying_slopes():
    county, floor, y = houses()
    level = pm.Normal("level", pm.Normal("mean", 0, 5), pm.HalfNormal("spread", 2), shape=85)
    slope = pm.Normal("slope", pm.Normal("mean_slope", 0, 5), pm.HalfNormal("spread_slope", 2), shape=85)
    pm.Normal("y", level[county] + slope[county] * floor, pm.HalfNormal("noise", 2), observed=y)


def radon_non_centred():
    county, floor, y = houses()
    mean, spread = pm.Normal("mean", 0, 5), pm.HalfNormal("spread", 2)
    level = mean + spread * pm.Normal("level", 0, 1, shape=85)
    pm.Normal("y", level[county] + pm.Normal("slope", 0, 5) * floor, pm.HalfNormal("noise", 2), observed=y)


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


def zero_inflated_poisson():
    y = rng.poisson(2, 300) * rng.integers(0, 2, 300)
    pm.ZeroInflatedPoisson("y", pm.Beta("share", 1, 1), pm.Gamma("rate", 2, 1), observed=y)


def beta_binomial():
    trials = rng.integers(10, 100, 71)
    rate = pm.Beta("rate", pm.HalfNormal("a", 5), pm.HalfNormal("b", 5), shape=71)
    pm.Binomial("y", trials, rate, observed=rng.binomial(trials, 0.2))


def item_response():
    person, item = rng.integers(0, 200, 5000), rng.integers(0, 50, 5000)
    ability, difficulty = pm.Normal("ability", 0, 1, shape=200), pm.Normal("difficulty", 0, 1, shape=50)
    logit = pm.HalfNormal("scale", 1) * (ability[person] - difficulty[item])
    pm.Bernoulli("y", logit_p=logit, observed=rng.integers(0, 2, 5000))


def normal_mixture():
    weight = pm.Dirichlet("weight", np.ones(3))
    mean, noise = pm.Normal("mean", 0, 5, shape=3), pm.HalfNormal("noise", 1, shape=3)
    pm.NormalMixture("y", w=weight, mu=mean, sigma=noise, observed=rng.normal(size=1000))


def ordered_logit():
    ordered = pm.distributions.transforms.ordered
    cuts = pm.Normal("cuts", 0, 1.5, shape=6, transform=ordered, initval=np.arange(6) - 2.5)
    eta = pm.Normal("slope", 0, 1) * rng.normal(size=500)
    pm.OrderedLogistic("y", eta=eta, cutpoints=cuts, observed=rng.integers(0, 7, 500))


def categorical_regression():
    x = rng.normal(size=(200, 4))
    pm.Categorical("y", logit_p=x @ pm.Normal("slope", 0, 1, shape=(4, 3)), observed=rng.integers(0, 3, 200))


def best():
    """Two groups with Student's t (Kruschke, 2013)."""
    group = rng.integers(0, 2, 120)
    mean, noise = pm.Normal("mean", 0, 10, shape=2), pm.Uniform("noise", 1, 10, shape=2)
    y = rng.normal(size=120) + group
    pm.StudentT("y", nu=pm.Exponential("nu", 1 / 29) + 1, mu=mean[group], sigma=noise[group], observed=y)


def weibull_survival():
    time, cut, x = rng.weibull(1.5, 300), rng.integers(0, 2, 300).astype(bool), rng.normal(size=(300, 2))
    scale, shape = pt.exp(x @ pm.Normal("slope", 0, 1, shape=2)), pm.HalfNormal("shape", 1)
    pm.Weibull("y", shape, scale[~cut], observed=time[~cut])
    pm.Potential("censored", -((time[cut] / scale[cut]) ** shape).sum())


def censored_normal():
    y = np.clip(rng.normal(size=200), -1, 1)
    normal = pm.Normal.dist(pm.Normal("mean", 0, 1), pm.HalfNormal("noise", 1))
    pm.Censored("y", normal, lower=-1, upper=1, observed=y)


def stochastic_volatility():
    nu, step = pm.Exponential("nu", 0.1), pm.Exponential("step", 10)
    walk = pm.GaussianRandomWalk("walk", sigma=step, shape=500, init_dist=pm.Normal.dist(0, 1))
    pm.StudentT("y", nu=nu, lam=pt.exp(-2 * walk), observed=rng.normal(size=500))


def autoregression():
    start = pm.Normal.dist(0, 10)
    rho, noise = pm.Normal("rho", 0, 1, shape=3), pm.HalfNormal("noise", 1)
    pm.AR("y", rho, sigma=noise, constant=True, init_dist=start, observed=rng.normal(size=300))


def horseshoe():
    x = rng.normal(size=(100, 20))
    scale = pm.HalfCauchy("local", 1, shape=20) * pm.HalfCauchy("global", 1)
    mean = x @ (pm.Normal("slope", 0, 1, shape=20) * scale)
    pm.Normal("y", mean, pm.HalfNormal("noise", 1), observed=rng.normal(size=100))


def correlated_normal():
    exponential = pm.Exponential.dist(1.0, shape=3)
    factor, _, _ = pm.LKJCholeskyCov("factor", n=3, eta=2, sd_dist=exponential)
    pm.MvNormal("y", pm.Normal("mean", 0, 1, shape=3), chol=factor, observed=rng.normal(size=(100, 3)))


def correlated_slopes():
    """A level and a slope of each group, correlated."""
    group, x = rng.integers(0, 15, 200), rng.normal(size=200)
    factor, _, _ = pm.LKJCholeskyCov("factor", n=2, eta=2, sd_dist=pm.Exponential.dist(1.0, shape=2))
    own = pm.Normal("own", 0, 1, shape=(15, 2)) @ factor.T
    mean = pm.Normal("level", 0, 1) + own[group, 0] + own[group, 1] * x
    pm.Normal("y", mean, pm.HalfNormal("noise", 1), observed=rng.normal(size=200))


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


def kernel_of(kind):
    return pm.HalfNormal("height", 1) ** 2 * kind(1, ls=pm.Gamma("length", 2, 1))


def marginal_process():
    x = np.linspace(0, 10, 50)[:, None]
    process = pm.gp.Marginal(cov_func=kernel_of(pm.gp.cov.ExpQuad))
    y = np.sin(x[:, 0]) + 0.1 * rng.normal(size=50)
    process.marginal_likelihood("y", X=x, y=y, sigma=pm.HalfNormal("noise", 1))


def latent_process():
    process = pm.gp.Latent(cov_func=kernel_of(pm.gp.cov.Matern52))
    rate = process.prior("rate", X=np.linspace(0, 10, 40)[:, None])
    pm.Poisson("y", pt.exp(rate), observed=rng.poisson(2, 40))


def local_level():
    drift, step = pm.Normal("drift", 0, 1), pm.HalfNormal("step", 1)
    level = pm.GaussianRandomWalk("level", mu=drift, sigma=step, init_dist=pm.Normal.dist(0, 10), shape=301)
    pm.Normal("y", level, pm.HalfNormal("noise", 1), observed=rng.normal(size=301))


def latent_autoregression():
    rho, noise = pm.Uniform("rho", -1, 1), pm.HalfNormal("noise", 1)
    rate = pm.AR("rate", rho=pt.stack([rho]), sigma=noise, init_dist=pm.Normal.dist(0, 1), shape=200)
    pm.Poisson("y", pt.exp(rate), observed=rng.poisson(2, 200))


def clipped_effects():
    """Counts by month and place: effects of both, and a walk, within limits."""
    step, month = pm.Normal("step", 0, 1, shape=(12, 7)), pm.Normal("month", 0, 1, shape=(12, 1))
    place = pm.Normal("place", 0, 1, shape=7)
    effect = 0.1 * step.cumsum(axis=0) + month + place - place.mean()
    rate = pt.exp(effect.clip(-5, 5))
    pm.NegativeBinomial("y", mu=rate, alpha=pm.Exponential("shape", 1), observed=rng.poisson(3, (12, 7)))


def additive(terms: int = 10):
    """`y = sum of a[index] * x`, as Bambi and brms make it of a long formula."""
    total = pt.zeros(1000)
    for k in range(terms):
        level = pm.Normal(f"level{k}", 0, 1, shape=5)
        total = total + level[rng.integers(0, 5, 1000)] * rng.normal(size=1000)
    pm.Normal("y", total, pm.HalfNormal("noise", 1), observed=rng.normal(size=1000))


def additive_80():
    additive(80)


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


def dirichlet_multinomial():
    share, spread = pm.Dirichlet("share", np.ones(5)), pm.LogNormal("spread", 1, 1)
    y = rng.multinomial(50, np.ones(5) / 5, size=40)
    pm.DirichletMultinomial("y", n=50, a=share * spread, observed=y)


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


def gompertz_growth():
    who, time = rng.integers(0, 30, 300), rng.uniform(0, 10, 300)
    top = pm.LogNormal("top", pm.Normal("mean_top", 3, 1), pm.HalfNormal("spread_top", 1), shape=30)
    rate, shift = pm.LogNormal("rate", -1, 0.5, shape=30), pm.LogNormal("shift", 1, 0.5)
    mean = top[who] * pt.exp(-shift * pt.exp(-rate[who] * time))
    pm.LogNormal("y", pt.log(mean), pm.HalfNormal("noise", 1), observed=rng.lognormal(size=300))


def vector_autoregression():
    y = rng.normal(size=(200, 3)).cumsum(axis=0) * 0.1
    step = pm.Normal("step", 0, 0.5, shape=(2, 3, 3))
    mean = pm.Normal("level", 0, 1, shape=3) + y[1:-1] @ step[0] + y[:-2] @ step[1]
    pm.Normal("y", mean, pm.HalfNormal("noise", 1, shape=3), observed=y[2:])


def stick_breaking():
    stick = pm.Beta("stick", 1, pm.Gamma("concentration", 1, 1), shape=9)
    left = pt.concatenate([pt.ones(1), pt.extra_ops.cumprod(1 - stick)])
    weight = pt.concatenate([stick, pt.ones(1)]) * left
    mean = pm.Normal("mean", 0, 3, shape=10)
    density = pt.log(weight) - 0.5 * (rng.normal(size=(500, 1)) - mean) ** 2
    pm.Potential("y", pt.logsumexp(density, axis=1).sum())


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


MODELS: dict[str, Callable[[], None]] = {
    f.__name__: f
    for f in (
        *(additive_80, eight_schools, eight_schools_centred, radon_varying_intercept, radon_varying_slopes),
        *(radon_non_centred, logistic_regression, poisson_regression, negative_binomial_regression),
        *(zero_inflated_poisson, beta_binomial, item_response, normal_mixture, ordered_logit, categorical_regression),
        *(best, weibull_survival, censored_normal, stochastic_volatility, autoregression, horseshoe),
        *(correlated_normal, correlated_slopes, correlated_normal_8, normal_of_a_covariance, normal_of_a_precision),
        *(marginal_process, latent_process, local_level, latent_autoregression, clipped_effects, additive),
        *(volatility_by_steps, predator_and_prey, hidden_states, dirichlet_multinomial, icar),
        *(hurdle_gamma, mixture_of_regressions, gompertz_growth),
        *(vector_autoregression, stick_breaking, nested_logit, large_regression),
    )
}
