"""NumPy references of the functions that NumPy does not have: SciPy's where it is installed, else our own."""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable
from functools import cache
from statistics import NormalDist
from typing import Any

import numpy as np


@cache
def _scipy(name: str) -> Callable[[Any], Any] | None:
    """`scipy.special.NAME`, None without SciPy."""
    try:
        return getattr(importlib.import_module("scipy.special"), name)
    except ImportError:
        return None


def _by_element(function: Callable[[float], float], x: Any) -> Any:
    return np.vectorize(function, otypes=[np.float64])(np.asarray(x, np.float64))


def erf(x: Any) -> Any:
    special = _scipy("erf")
    return special(x) if special is not None else _by_element(math.erf, x)


def erfc(x: Any) -> Any:
    special = _scipy("erfc")
    return special(x) if special is not None else _by_element(math.erfc, x)


def erfcx(x: Any) -> Any:
    special = _scipy("erfcx")
    return special(x) if special is not None else _by_element(_erfcx, x)


def erfinv(x: Any) -> Any:
    special = _scipy("erfinv")
    return special(x) if special is not None else _by_element(_erfinv, x)


def lgamma(x: Any) -> Any:
    """C's lgamma; SciPy's own gives -inf for -inf."""
    special = _scipy("gammaln")
    return np.where(np.equal(x, -np.inf), np.inf, special(x)) if special is not None else _by_element(_lgamma, x)


def digamma(x: Any) -> Any:
    special = _scipy("psi")
    return special(x) if special is not None else _by_element(_digamma, x)


def sigmoid(x: Any) -> Any:
    special = _scipy("expit")
    return special(x) if special is not None else np.reciprocal(1 + np.exp(-np.asarray(x)))


def softplus(x: Any) -> Any:
    return np.logaddexp(x, np.zeros((), np.asarray(x).dtype))


def _erfcx(x: float) -> float:
    """The product of its factors, or from 20 on its asymptotic series."""
    if x < 20:
        return math.exp(x * x) * math.erfc(x) if x > -26.6 else 2 * float(np.exp(x * x))
    w = 0.5 / x / x
    return (1 - w * (1 - 3 * w * (1 - 5 * w * (1 - 7 * w * (1 - 9 * w))))) / (x * math.sqrt(math.pi))


def _erfinv(x: float) -> float:
    """The normal distribution's quantile, which loses relative accuracy near 0, and two Newton steps for it."""
    if abs(x) >= 1 or x != x:
        return math.copysign(math.inf, x) if abs(x) == 1 else math.nan
    y = x * math.sqrt(math.pi) / 2 if abs(x) < 1e-8 else NormalDist().inv_cdf((x + 1) / 2) / math.sqrt(2)
    for _ in range(2 if 1e-8 <= abs(x) < 0.9 else 0):
        y -= (math.erf(y) - x) * math.sqrt(math.pi) / 2 * math.exp(y * y)
    return y


def _lgamma(x: float) -> float:
    return math.inf if -math.inf < x <= 0 and x == math.floor(x) else math.lgamma(x)


def _digamma(x: float) -> float:
    """Reflection, recurrence up to 10 and the asymptotic series (Abramowitz and Stegun 6.3.7, 6.3.5, 6.3.18)."""
    if x == 0:
        return math.copysign(math.inf, -x)
    if x == -math.inf or (x < 0 and x == math.floor(x)):
        return math.nan
    if x < 0:
        return _digamma(1 - x) - math.pi / math.tan(math.pi * math.fmod(x, 1))
    total = 0.0
    while x < 10:
        total -= 1 / x
        x += 1
    w = 1 / (x * x)
    series = w * (1 / 12 - w * (1 / 120 - w * (1 / 252 - w * (1 / 240 - w * (1 / 132 - w * 691 / 32760)))))
    return total + math.log(x) - 0.5 / x - series
