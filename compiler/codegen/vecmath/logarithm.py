"""log, log2, log10, log1p, softplus, logaddexp and the reduced logarithm that the inverse hyperbolic ones share.

x = 2^k m with m in [3/4, 3/2), f = m - 1 exactly, log m = f + tail(f) with a polynomial in s^2, s = f / (2 + f)
(Tang; fdlibm's e_log.c, Sun Microsystems, 1993): the division runs beside the other instructions.
"""

import math
from dataclasses import dataclass

from .exponential import clamp, exp_pair
from .pairs import Pair, exact_sum
from .registers import exponent, fix_logarithm, normalize, power_of_two
from .text import Body, Vec

INF = math.inf


@dataclass(frozen=True)
class Split:
    """x = 2^k (1 + f + rest)."""

    k: Vec
    f: Vec
    rest: Vec | None


def split(body: Body, x: Vec) -> Split:
    """For x > 0, subnormals included."""
    k, m = normalize(body, x)
    return Split(k, m - 1.0, None)


def split_sum(body: Body, sum_: Vec, a: Vec, lo: Vec | None = None) -> Split:
    """1 + a + lo, of which `sum_` is 1 + a rounded, at least 2^-mantissa."""
    k = exponent(body, sum_ * (2.0 / 3.0)) + 1.0
    scale = power_of_two(body, -k)
    less = scale - 1.0
    f = a.fma(scale, less)
    rest = a.fma(scale, less - f)
    rest = rest if lo is None else lo.fma(scale, rest)
    return Split(k, f, (-f).fma(rest, rest))


def _curve(body: Body, f: Vec) -> tuple[Vec, Vec, Vec]:
    """q, w and f^2 / 2 with log(1 + f) = f - f^2 / 2 + q w."""
    half = f * (f * 0.5)
    q = f / (f + 2.0)
    z = q * q
    return q, z.fma(body.poly(z, body.table("log_quotient")), half), half


def tail(body: Body, s: Split) -> Vec:
    """log(1 + f + rest) - f; at most a quarter of f."""
    q, w, half = _curve(body, s.f)
    t = q.fma(w, -half)
    return t if s.rest is None else t + s.rest


def natural(body: Body, s: Split) -> Pair:
    """k ln 2 + f + tail."""
    high, low = body.parts("ln2_short")
    hi = s.k.fma(high, s.f)
    lost = s.k.fma(high, -hi) + s.f
    return Pair(hi, lost + s.k.fma(low, tail(body, s)))


def log(body: Body, x: Vec) -> Vec:
    """The natural logarithm."""
    return fix_logarithm(body, x, natural(body, split(body, x)).value())


def _based(body: Body, x: Vec, factor: tuple[float, ...], unit: tuple[float, float]) -> Vec:
    """k * unit + log(1 + f) * factor, both constants as pairs, k * unit[0] exact; near x = 3/4 the two cancel."""
    s = split(body, x)
    q, w, _ = _curve(body, s.f)
    minus = s.f * -0.5
    lead = minus.fma(s.f, s.f)
    low = q.fma(w, minus.fma(s.f, s.f - lead))
    p = lead * factor[0]
    hi = s.k.fma(unit[0], p)
    lost = s.k.fma(unit[0], -hi) + p
    small = lead.fma(factor[0], -p) + lead.fma(factor[1], s.k.fma(unit[1], lost))
    return fix_logarithm(body, x, hi + low.fma(factor[0], small))


def log2(body: Body, x: Vec) -> Vec:
    """Exact for powers of two."""
    return _based(body, x, body.parts("log2e"), (1.0, 0.0))


def log10(body: Body, x: Vec) -> Vec:
    """The decimal logarithm."""
    high, low = body.parts("log10_2_short")
    return _based(body, x, body.parts("log10e"), (high, low))


def log1p_pair(body: Body, a: Pair) -> Pair:
    """log(1 + a) for finite a > -1."""
    return natural(body, split_sum(body, a.hi + 1.0, a.hi, a.lo))


def log1p(body: Body, x: Vec) -> Vec:
    """log(1 + x): the sum is scaled before it is rounded."""
    sum_ = x + 1.0
    result = natural(body, split_sum(body, sum_, x)).value()
    return fix_logarithm(body, sum_, result).copysign(x)


def _log1p_exp(body: Body, x: Vec, lo: Vec | None = None) -> Pair:
    """log(1 + z), z = e^(x + lo), for clamped x <= 0: 1 + z is 1 + f or 2 (1 + f)."""
    e, steps = exp_pair(body, x, lo)
    z, rest = steps.scale(e.hi), steps.scale(e.lo)
    large = z > 0.5
    f = large.select(z.fma(0.5, -0.5), z)
    rest = rest * large.select(0.5, 1.0)
    return natural(body, Split(large.select(1.0, 0.0), f, (-f).fma(rest, rest)))


def softplus(body: Body, x: Vec) -> Vec:
    """log(1 + e^x) = max(x, 0) + log(1 + e^-|x|)."""
    small = _log1p_exp(body, clamp(body, -abs(x)))
    sum_ = exact_sum(x.at_least(0.0), small.hi)
    result = sum_.hi + (sum_.lo + small.lo)
    return x.compare("ugt", 40.0).select(x, result)


def logaddexp(body: Body, x: Vec, y: Vec) -> Vec:
    """log(e^x + e^y): 1.5 ulp of the result or, where the larger argument and log1p cancel, of that argument."""
    larger = (x > y).select(x, y)
    difference = exact_sum(x, -y)
    same = x.equals(y)
    positive = difference.hi > 0.0
    hi = same.select(0.0, -abs(difference.hi))
    lo = positive.select(-difference.lo, difference.lo)
    lo = (hi > -800.0).select(lo, 0.0)
    lo = same.select(0.0, lo)
    small = _log1p_exp(body, clamp(body, hi), lo)
    sum_ = exact_sum(larger, small.hi)
    result = (abs(larger) < INF).select(sum_.hi + (sum_.lo + small.lo), larger)
    return x.compare("uno", y).select(x + y, result)
