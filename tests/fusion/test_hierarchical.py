"""Likelihoods of hierarchical models: gathers, arithmetic, sums and scatter-adds in one loop over the data."""

import numpy as np
import pytest
from fusion.checking import check, sample
from fusion.test_gather_scatter import added, indices

COUNTIES, HOUSES = 85, 919


def data(n=HOUSES, groups=COUNTIES, dtype="f8", layout="dense"):
    """Observations, floors, the county of each house; intercepts and slopes of the counties; the scale."""
    y, floor, county = sample(2, 2 * n, dtype=dtype)[0], sample(3, 2 * n, dtype=dtype)[1], indices(groups, 2 * n)
    part = slice(None, n) if layout == "dense" else slice(None, None, 2)
    arrays = [a[part] for a in (y, floor, county)]
    number = np.dtype(dtype).type
    return (*arrays, sample(groups, dtype=dtype), sample(2, groups, dtype=dtype)[0], np.asarray(number(0.7)))


def varying_slopes(y, floor, county, a, b, sigma):
    r = (y - a[county] - b[county] * floor) / sigma
    da, db = added(np.zeros_like(a), county, r / sigma), added(np.zeros_like(b), county, r * floor / sigma)
    return (r * r).sum(), (r * r - 1).sum(), da, db


def item_response(ability, difficulty, person, item, correct):
    e = ability[person] - difficulty[item]
    p = 1 / (1 + np.exp(-e))
    likelihood = np.where(correct, -np.log1p(np.exp(-e)), -np.log1p(np.exp(e))).sum()
    by_person = added(np.zeros_like(ability), person, correct - p)
    return likelihood, by_person, added(np.zeros_like(difficulty), item, p - correct)


def answers(dtype="?", n=3000, float_dtype="f8"):
    i, j = indices(50, n), indices(60, n + 1)[1:]
    return sample(50, dtype=float_dtype), sample(60, dtype=float_dtype), i, j, sample(n, dtype=dtype, low=0, high=1)


@pytest.mark.parametrize(("dtype", "layout"), [("f2", "steps"), ("f4", "dense"), ("f8", "dense"), ("f8", "steps")])
def test_varying_slopes(dtype, layout):
    """Seven arrays in, with the scale and the zeros; four results; each is touched once."""
    coarsest = "f2" if dtype == "f2" else None  # additions to elements of float16 round each time
    report = check(
        varying_slopes, *data(dtype=dtype, layout=layout), sweeps=1, terms=HOUSES, scale=20, coarsest=coarsest
    )
    assert report.kernels[0].ops.count("scatter_add") == 2 and report.kernels[0].ops.count("sum") == 2


@pytest.mark.parametrize(("n", "groups"), [(17, 18), (33, 20), (1, 17), (0, 17), (129, 3), (1000, 1)])
def test_varying_slopes_sizes(n, groups):
    check(varying_slopes, *data(n, groups), kernels=None, terms=HOUSES, scale=20)


def test_varying_slopes_with_priors():
    """The counties' own terms are small loops of their own; the gradients start in the results' memory."""

    def f(y, floor, county, a, b, sigma, mu):
        r = (y - a[county] - b[county] * floor - mu) / sigma
        logp = -0.5 * (r * r).sum() - y.shape[0] * np.log(sigma) - 0.5 * (a * a).sum() - 0.5 * (b * b).sum()
        gradients = added(-a, county, r / sigma), added(-b, county, r * floor / sigma)
        return logp, *gradients, ((r * r - 1) / sigma).sum(), r.sum() / sigma

    report = check(f, *data(), np.asarray(0.1), kernels=None, terms=HOUSES, scale=20)
    read = [t.tensor for k in report.kernels for t in k.reads]
    assert all(read.count(name) == 1 for name in ("y", "floor", "county"))
    assert report.temporary_bytes <= 64


def test_varying_intercepts_by_two_levels():
    """The county of a house, the state of a county."""

    def f(y, county, state, a, s):
        r = y - a[county] - s[state[county]]
        return (r * r).sum(), added(np.zeros_like(a), county, r), added(np.zeros_like(s), state[county], r)

    y, _, county, a, _, _ = data()
    check(f, y, county, indices(20, COUNTIES), a, sample(20, dtype="f8"), sweeps=1, terms=HOUSES, scale=8)


def test_varying_slopes_matrix():
    """Intercepts and slopes as the columns of one array."""

    def f(y, floor, county, ab, sigma):
        both = ab[county]
        r = (y - both[:, 0] - both[:, 1] * floor) / sigma
        return (r * r).sum(), added(np.zeros_like(ab), county, np.stack([r, r * floor], axis=1))

    y, floor, county, a, b, sigma = data()
    check(f, y, floor, county, np.stack([a, b], axis=1), sigma, terms=HOUSES, scale=20)


@pytest.mark.parametrize("dtype", ["?", "u1", "i8"])
def test_item_response(dtype):
    report = check(item_response, *answers(dtype), sweeps=1, terms=3000)
    assert report.kernels[0].ops.count("scatter_add") == 2


def test_item_response_in_floats():
    check(item_response, *answers(float_dtype="f4"), sweeps=1, terms=3000)


def test_item_response_with_its_check():
    """The probabilities are checked, and the check gates all results: still one pass, and no array of n between."""

    def f(ability, difficulty, person, item, correct):
        e = ability[person] - difficulty[item]
        p = 1 / (1 + np.exp(-e))
        valid = ((p >= 0) & (p <= 1)).all()
        likelihood = np.where(correct, -np.log1p(np.exp(-e)), -np.log1p(np.exp(e))).sum()
        gradient = np.where(valid, correct - p, 0.0)
        by_person = added(np.zeros_like(ability), person, gradient)
        by_item = added(np.zeros_like(difficulty), item, -gradient)
        return np.where(valid, likelihood, -np.inf)[()], by_person, by_item

    check(f, *answers(), terms=3000)
    ability, *rest = answers()
    ability[7] = np.nan
    check(f, ability, *rest, kernels=None, terms=3000)


def test_election():
    """Logistic regression with a coefficient a state: three weighted sums and a scatter."""

    def f(state, b0, b1, female, effects, trials, votes):
        eta = b0 + b1 * female + effects[state]
        p = 1 / (1 + np.exp(-eta))
        r = votes - trials * p
        likelihood = (votes * eta - trials * np.log1p(np.exp(eta))).sum()
        return likelihood, r.sum(), (r * female).sum(), added(np.zeros_like(effects), state, r)

    n = 2000
    numbers = np.asarray(0.1), np.asarray(0.2)
    arrays = sample(n, dtype="f8"), sample(51, dtype="f8"), np.full(n, 3.0), np.ones(n)
    check(f, indices(51, n), *numbers, *arrays, sweeps=1, terms=n, scale=9)


def test_ordered_outcomes_scatter_several_values():
    def f(x, i, a, b, c):
        u, v = np.tanh(x), np.exp(-x * x)
        w = u * v
        results = added(a, i, u), added(b, i, v), added(c, i, w)
        return *results, w.sum(), np.abs(u).max()

    targets = [sample(COUNTIES, dtype="f8") * k for k in (1, 2, 3)]
    check(f, sample(HOUSES, dtype="f8"), indices(COUNTIES, HOUSES), *targets, sweeps=1, terms=HOUSES)


@pytest.mark.parametrize("k", [3, 20])
def test_mixture_with_gradients(k):
    """Softmax over the components of each point, then sums over both axes."""

    def f(x, w, mean, tau):
        t = -0.5 * tau * (x[:, None] - mean) ** 2 + 0.5 * np.log(tau) + np.log(w)
        m = t.max(axis=1, keepdims=True)
        e = np.exp(t - m)
        s = e.sum(axis=1, keepdims=True)
        r = e / s
        d = x[:, None] - mean
        gradients = (r / w).sum(axis=0), (r * tau * d).sum(axis=0), (r * (0.5 / tau - 0.5 * d * d)).sum(axis=0)
        return (np.log(s) + m).sum(), *gradients

    w = np.abs(sample(k, dtype="f8")) + 0.1
    check(f, sample(1000, dtype="f8"), w / w.sum(), sample(k, dtype="f8"), w + 1, terms=1000, scale=9)


@pytest.mark.parametrize("k", [12, 37])
def test_frailty(k):
    def f(exposure, frailty, rate, events):
        mu = exposure * frailty[:, None] * rate
        likelihood = (events * np.log(mu) - mu).sum()
        r = events - mu
        return likelihood, r.sum(axis=1) / frailty, r.sum(axis=0) / rate, (mu >= 0).all()

    positive = [np.abs(sample(*s, dtype="f8")) + 0.1 for s in ((300, k), (300,), (k,))]
    check(f, *positive, np.abs(sample(k, 300, dtype="f8")).T.copy(), terms=4000, scale=9)


def test_many_sums():
    """A regression with eight coefficients: eight sums of one residual."""

    def f(y, columns, coefficients):
        eta = sum(c * x for c, x in zip(coefficients, columns, strict=True))
        r = y - np.exp(eta)
        return (y * eta - np.exp(eta)).sum(), *[(r * x).sum() for x in columns]

    n = 2000
    columns = [sample(2 + k, n, dtype="f8")[0] * 0.3 for k in range(8)]
    check(f, sample(n, dtype="f8"), columns, [np.asarray(0.1 * k) for k in range(8)], sweeps=1, terms=n, scale=9)
