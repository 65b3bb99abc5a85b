"""Errors in ulp against mpmath: random samples, all exponents, thresholds, neighbours of zeros and poles."""

import math
from typing import Any

import numpy as np
import pytest
from vecmath import reference
from vecmath.jit import CASES, DTYPES, kernel

WORST = {
    "atan2": 1.3,  # at subnormal operands
    "digamma": 4.0,
    "erfcx": 2.5,
    "erfinv": 1.3,
    "lgamma": 2.0,
    "logaddexp": 1.5,
    "rsqrt": 1.4,
}
"""Bounds in ulp, for both formats; 1.1 otherwise."""

INTERESTING: dict[str, tuple[float, float]] = {
    "exp": (-110, 95),
    "exp2": (-160, 140),
    "expm1": (-40, 95),
    "sigmoid": (-110, 60),
    "softplus": (-110, 60),
    "logaddexp": (-50, 50),
    "log": (0.3, 3),
    "log2": (0.3, 3),
    "log10": (0.3, 3),
    "log1p": (-1, 3),
    "sin": (-1e4, 1e4),
    "cos": (-1e4, 1e4),
    "tan": (-1e4, 1e4),
    "sinh": (-95, 95),
    "cosh": (-95, 95),
    "tanh": (-25, 25),
    "acosh": (1, 5),
    "erf": (-7, 7),
    "erfc": (-7, 28),
    "erfcx": (-27, 60),
    "erfinv": (-1, 1),
    "asin": (-1, 1),
    "acos": (-1, 1),
    "atanh": (-1, 1),
    "lgamma": (0, 40),
    "digamma": (0, 40),
}
"""Where most samples lie; (-10, 10) otherwise."""

DOMAIN: dict[str, tuple[float, float]] = {
    "log": (0, math.inf),
    "log2": (0, math.inf),
    "log10": (0, math.inf),
    "log1p": (-1, math.inf),
    "rsqrt": (0, math.inf),
    "acosh": (1, math.inf),
    "erfinv": (-1, 1),
    "asin": (-1, 1),
    "acos": (-1, 1),
    "atanh": (-1, 1),
    "lgamma": (0, math.inf),
    "digamma": (0, math.inf),
}
"""The open interval of the finite results, and its ends where those are finite too."""

KAHAN = 6381956970095103.0 * 2.0**797
"""The f64 nearest to a multiple of pi / 2 in relation to its size: cos is 4.7e-19."""


def samples(name: str, elem: str) -> Any:
    """Finite operands in the domain, in a random order."""
    random = np.random.default_rng(0)
    dtype = DTYPES[elem]
    low, high = INTERESTING.get(name, (-10, 10))
    scale = 8 if elem == "f64" and low < -90 and name != "logaddexp" else 1
    info = np.finfo(dtype)
    exponents = np.arange(-149 if elem == "f32" else -1074, info.maxexp, 3 if elem == "f32" else 17)
    powers = np.ldexp(1 + random.random(len(exponents)), exponents - 1)
    ones = 1 + np.ldexp(1.0, -np.arange(1, info.nmant + 1))
    multiples = np.arange(1, 40) * (math.pi / 2)
    far = np.array([1e5, 131071.9, 131072.1, 1e9, 2.0**30, 1e15, 1e22, 1e30, 3e38, 1e300, KAHAN, 1.7e308])
    parts = [
        random.uniform(low * scale, high * scale, 1200),
        random.uniform(-1, 1, 300),
        powers,
        ones,
        2 - ones,
        2 * ones,
        multiples,
        far[far < info.max],
        np.arange(-20, 60) / 2,
        [info.max, info.tiny, info.smallest_subnormal, 0.0],
    ]
    values = np.concatenate(parts)
    values = np.concatenate([values, -values]).astype(dtype)
    below, above = DOMAIN.get(name, (-math.inf, math.inf))
    inside = (values > below) & (values < above)
    if name in ("acosh", "asin", "acos"):
        inside |= (values == below) | (values == above)
    return random.permutation(values[inside & np.isfinite(values)])


def operands(name: str, elem: str) -> tuple[Any, ...]:
    """Samples for each operand; pow gets a positive base, and the pairs that give moderate results."""
    x = samples(name, elem)
    if name not in ("pow", "atan2", "hypot", "logaddexp"):
        return (x,)
    y = np.random.default_rng(1).permutation(x)
    if name != "pow":
        return x, np.where(x == 0, abs(y), y)  # mpmath has no -0, which would decide about the half turn
    x = np.abs(x)
    with np.errstate(over="ignore"):
        y = np.where(np.arange(len(x)) % 2 == 0, y, y * (70 / np.maximum(np.abs(np.log(np.where(x > 0, x, 1))), 1e-3)))
    usable = (x > 0) & np.isfinite(y)
    return x[usable], y.astype(DTYPES[elem])[usable]


@pytest.mark.parametrize(("name", "elem"), CASES)
def test_error_in_ulp(name: str, elem: str) -> None:
    columns = operands(name, elem)
    results = kernel(name, elem)(*columns)
    bound = WORST.get(name, 1.1)
    failures: list[str] = []
    for got, *point in zip(results, *columns, strict=True):
        value = reference.exact(name, *point)
        floor = max(map(abs, map(float, point))) if name == "logaddexp" else 0
        e = reference.error(got, value, elem, floor)
        if e > bound:
            failures.append(f"{name}{tuple(map(float, point))} = {got!r}: {e:.2f} ulp")
    assert len(columns[0]) > 300
    assert not failures, failures[:10]


@pytest.mark.parametrize("elem", ["f32", "f64"])
@pytest.mark.parametrize("name", ["lgamma", "digamma"])
def test_reflection(name: str, elem: str) -> None:
    """Negative operands: the absolute error, in relation to the terms that cancel."""
    x = -np.random.default_rng(2).uniform(0.01, 30, 600).astype(DTYPES[elem])
    mp = reference.mp
    for got, point in zip(kernel(name, elem)(x), x, strict=True):
        a = mp.mpf(-float(point))
        if name == "lgamma":
            terms = [mp.log(abs(a * mp.sinpi(a))), reference.exact("lgamma", a)]
        else:
            terms = [mp.pi / mp.tan(mp.pi * a), reference.exact("digamma", a), 1 / a]
        value = reference.exact(name, point)
        tolerance = max(1, *map(abs, terms)) * (2.0**-50 if elem == "f64" else 2.0**-23)
        assert abs(mp.mpf(float(got)) - value) <= tolerance, (float(point), float(got))


@pytest.mark.parametrize("name", ["sin", "cos", "tan"])
def test_nearest_to_multiples_of_a_quarter_turn(name: str) -> None:
    """Convergents of pi / 2 give the operands where the reduced angle is smallest."""
    mp = reference.mp
    with mp.workprec(2400):
        rest, p, q = mp.pi / 2, (1, 0), (0, 1)
        points: list[float] = []
        while p[0] < 2**1000:
            whole = int(mp.floor(rest))
            p, q = (whole * p[0] + p[1], p[0]), (whole * q[0] + q[1], q[0])
            rest = 1 / (rest - whole)
            points += [float(p[0]), float(mp.mpf(q[0]) * mp.pi / 2)]
        results = kernel(name, "f64")(np.array(points))
        for got, point in zip(results, points, strict=True):
            value = getattr(mp, name)(mp.mpf(point))
            assert reference.error(got, value, "f64") <= 1.1, point
