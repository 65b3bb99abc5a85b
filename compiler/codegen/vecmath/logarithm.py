"""log, log2, log10, log1p, softplus, logaddexp and the reduced logarithm that the inverse hyperbolic ones share.

x = 2^k m with m in [sqrt(1/2), sqrt(2)), f = m - 1 exactly, log m = f + tail(f). In f32 the tail is a polynomial in
f; in f64 it is one in s^2, s = f / (2 + f), which is shorter (Tang; fdlibm's e_log.c, Sun Microsystems, 1993).
"""

import math
from dataclasses import dataclass

from .exponential import clamp, exp_scaled
from .formats import bits_of
from .pairs import Pair, add_one, exact_sum, quick_sum
from .text import Body, Int, Vec

INF = math.inf
NAN = math.nan


@dataclass(frozen=True)
class Mantissa:
    """x = 2^k m; `exponent` is k + bias."""

    m: Vec
    exponent: Int


def mantissa(body: Body, x: Vec, low: float) -> Mantissa:
    """m in [low, 2 low) of a positive normal x."""
    form = body.format
    start = bits_of(low, body.elem)
    biased = x.as_int() + ((form.bias << form.mantissa) - start)
    m = ((biased & ((1 << form.mantissa) - 1)) + start).as_float()
    return Mantissa(m, biased >> form.mantissa)


def exponent_value(body: Body, exponent: Int, offset: Vec | float) -> Vec:
    """A non-negative integer less `offset`, through the bits of 2^mantissa: conversions of i64 are not everywhere."""
    form = body.format
    return (exponent | bits_of(2.0**form.mantissa, body.elem)).as_float() - offset


@dataclass(frozen=True)
class Split:
    """x = 2^k (1 + f + rest)."""

    k: Vec
    f: Vec
    rest: Vec | None


def split(body: Body, x: Vec) -> Split:
    """For x > 0, subnormals included."""
    form = body.format
    shift = form.mantissa + 1
    tiny = x < 2.0 ** (1 - form.bias)
    parts = mantissa(body, tiny.select(x * 2.0**shift, x), math.sqrt(0.5))
    offset = 2.0**form.mantissa + form.bias
    k = exponent_value(body, parts.exponent, tiny.select(offset + shift, offset))
    return Split(k, parts.m - 1.0, None)


def split_pair(body: Body, u: Pair) -> Split:
    """For u of at least 2^-mantissa."""
    form = body.format
    parts = mantissa(body, u.hi, math.sqrt(0.5))
    twice_inverse = (body.int_const(2 * form.bias + 1) - parts.exponent << form.mantissa).as_float()
    k = exponent_value(body, parts.exponent, 2.0**form.mantissa + form.bias)
    f = quick_sum(parts.m - 1.0, u.lo * twice_inverse * 0.5)
    return Split(k, f.hi, (-f.hi).fma(f.lo, f.lo))


def tail(body: Body, s: Split) -> Vec:
    """log(1 + f + rest) - f; at most a quarter of f."""
    f = s.f
    if body.elem == "f32":
        square = f * f
        p = body.poly(f, body.table("log"))
        return square * p if s.rest is None else square.fma(p, s.rest)
    half = f * f * 0.5
    q = f / (f + 2.0)
    z = q * q
    t = q.fma(z.fma(body.poly(z, body.table("log_quotient")), half), -half)
    return t if s.rest is None else t + s.rest


def natural(body: Body, s: Split) -> Pair:
    """k ln 2 + f + tail."""
    high, low = body.parts("ln2_short")
    hi = s.k.fma(high, s.f)
    lost = s.k.fma(high, -hi) + s.f
    return Pair(hi, lost + s.k.fma(low, tail(body, s)))


def finish(x: Vec, result: Vec) -> Vec:
    """Logarithms of inf, NaN, zero and negative numbers."""
    regular = (x < INF).select(result, x)
    return x.compare("ugt", 0.0).select(regular, x.equals(0.0).select(-INF, NAN))


def log(body: Body, x: Vec) -> Vec:
    """The natural logarithm."""
    return finish(x, natural(body, split(body, x)).value())


def _based(body: Body, x: Vec, factor: tuple[float, ...], unit: tuple[float, float]) -> Vec:
    """k * unit + (f + tail) * factor, both constants as pairs, k * unit[0] exact."""
    s = split(body, x)
    t = tail(body, s)
    p = s.f * factor[0]
    low = s.f.fma(factor[0], -p) + s.f.fma(factor[1], t * factor[0])
    hi = s.k.fma(unit[0], p)
    lost = s.k.fma(unit[0], -hi) + p
    return finish(x, hi + (lost + s.k.fma(unit[1], low)))


def log2(body: Body, x: Vec) -> Vec:
    """Exact for powers of two."""
    return _based(body, x, body.parts("log2e"), (1.0, 0.0))


def log10(body: Body, x: Vec) -> Vec:
    """The decimal logarithm."""
    high, low = body.parts("log10_2_short")
    return _based(body, x, body.parts("log10e"), (high, low))


def log1p_pair(body: Body, a: Pair) -> Pair:
    """log(1 + a) for finite a > -1."""
    u = exact_sum(body.const(1.0), a.hi)
    return natural(body, split_pair(body, Pair(u.hi, u.lo + a.lo)))


def log1p(body: Body, x: Vec) -> Vec:
    """log(1 + x), with what the sum lost put back into f."""
    u = exact_sum(body.const(1.0), x)
    result = finish(u.hi, natural(body, split_pair(body, u)).value())
    return (abs(x) < 2.0 ** -(body.format.mantissa + 3)).select(x, result)


def _log1p_exp(body: Body, x: Vec, lo: Vec | None = None) -> Pair:
    """log(1 + e^(x + lo)) for clamped x <= 0."""
    z = exp_scaled(body, x, lo)
    u = quick_sum(body.const(1.0), z.hi)
    return natural(body, split_pair(body, Pair(u.hi, u.lo + z.lo)))


def softplus(body: Body, x: Vec) -> Vec:
    """log(1 + e^x) = max(x, 0) + log(1 + e^-|x|)."""
    small = _log1p_exp(body, clamp(body, -abs(x)))
    result = add_one(x.at_least(0.0), small).value()
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
    sum_ = add_one(larger, _log1p_exp(body, clamp(body, hi), lo)).value()
    result = (abs(larger) < INF).select(sum_, larger)
    return x.compare("uno", y).select(x + y, result)
