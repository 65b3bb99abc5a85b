"""sinh, cosh, tanh and their inverses, from exp, expm1 and log1p as pairs."""

import math

from .exponential import exp_pair, half_expm1
from .logarithm import Split, log1p_pair, natural, split
from .pairs import Pair, add_one, divide, exact_product, exact_sum, quick_sum, quotient, square_root
from .pieces import odd
from .text import Body, Vec

INF = math.inf


def tanh(body: Body, x: Vec) -> Vec:
    """e / (e + 1) with e = (e^2|x| - 1) / 2, as a quotient of pairs; beyond the clamp it rounds to 1.

    f32 is cheaper with a polynomial for each of 16 pieces.
    """
    if body.elem == "f32":
        return odd(body, x, "tanh_pieces", 9.25)
    size = abs(x).at_most(20.0)
    e = half_expm1(body, size + size)
    e = quick_sum(e.hi, e.lo)
    under = quick_sum(e.hi.at_least(1.0), e.hi.at_most(1.0))
    return quotient(e, Pair(under.hi, under.lo + e.lo)).copysign(x)


def _half_exponentials(body: Body, x: Vec) -> tuple[Pair, Vec]:
    """e^|x| / 2 as a pair, which may overflow, and e^-|x| / 2."""
    bound = 90.0 if body.elem == "f32" else 711.0
    e, steps = exp_pair(body, abs(x).at_most(bound))
    steps = steps.halved()
    half = Pair(steps.scale(e.hi), steps.scale(e.lo))
    return half, 0.25 / half.hi


def sinh(body: Body, x: Vec) -> Vec:
    """A polynomial up to 1, then (e^|x| - e^-|x|) / 2 with half of the scale kept back from overflow."""
    half, inverse = _half_exponentials(body, x)
    large = (half.hi + (half.lo - inverse)).copysign(x)
    z = x * x
    small = (x * z).fma(body.poly(z, body.table("sinh")), x)
    return (abs(x) < 1.0).select((abs(x) < 2.0 ** (-body.format.mantissa // 2 - 2)).select(x, small), large)


def cosh(body: Body, x: Vec) -> Vec:
    """(e^|x| + e^-|x|) / 2."""
    half, inverse = _half_exponentials(body, x)
    return half.hi + (half.lo + inverse)


def asinh(body: Body, x: Vec) -> Vec:
    """log1p(a + a^2 / (1 + sqrt(1 + a^2))), a = |x|; for huge a it is log(a) + ln 2."""
    a = abs(x)
    huge = a > 2.0 ** (body.format.mantissa // 2 + 2)
    bounded = huge.select(1.0, a)
    square = exact_product(bounded, bounded)
    root = square_root(add_one(body.const(1.0), square))
    under = add_one(body.const(1.0), root)
    sum_ = add_one(bounded, divide(square, under))
    small = log1p_pair(body, sum_).value()
    plain = split(body, a)
    large = natural(body, Split(plain.k + 1.0, plain.f, None)).value()
    result = huge.select(large, small).copysign(x)
    tiny = a < 2.0 ** (-body.format.mantissa // 2 - 2)
    return (tiny | a.compare("uge", INF)).select(x, result)


def acosh(body: Body, x: Vec) -> Vec:
    """log1p(t + sqrt(2 t + t^2)), t = x - 1; for huge x it is log(x) + ln 2."""
    huge = x > 2.0 ** (body.format.mantissa // 2 + 2)
    bounded = huge.select(2.0, x)
    t = exact_sum(bounded, -1.0)
    square = exact_product(bounded, bounded)
    inside = exact_sum(square.hi, -1.0)
    root = square_root(quick_sum(inside.hi, inside.lo + square.lo))
    sum_ = exact_sum(t.hi, root.hi)
    small = log1p_pair(body, quick_sum(sum_.hi, sum_.lo + (t.lo + root.lo))).value()
    plain = split(body, x)
    large = natural(body, Split(plain.k + 1.0, plain.f, None)).value()
    result = x.equals(1.0).select(0.0, huge.select(large, small))
    outside = (x < 1.0).select(math.nan, result)
    return (x < INF).select(outside, x)


def atanh(body: Body, x: Vec) -> Vec:
    """log1p(2 a / (1 - a)) / 2, a = |x|; 1 gives inf, beyond it NaN."""
    a = abs(x)
    inside = a < 1.0
    bounded = inside.select(a, 0.5)
    quotient = divide(Pair(bounded + bounded, body.const(0.0)), exact_sum(body.const(1.0), -bounded))
    result = (log1p_pair(body, quick_sum(quotient.hi, quotient.lo)).value() * 0.5).copysign(x)
    special = a.equals(1.0).select(body.const(INF).copysign(x), math.nan)
    tiny = a < 2.0 ** (-body.format.mantissa // 2 - 2)
    return tiny.select(x, inside.select(result, special))
