"""lgamma and digamma, in f64; f32 is computed in f64 and rounded.

Both have zeros that no method here resolves: near them the absolute error counts, which the docstrings state.
"""

import math
from dataclasses import dataclass

from .logarithm import natural, split
from .pairs import Pair, add, add_one, exact_product, exact_sum, part, quick_sum
from .text import Body, Mask, Vec
from .trigonometric import cosine, sine

_SHIFT = 8
"""From here on the asymptotic series converge."""

_LARGEST = 2.556348163871690e305
"""The lgamma of larger numbers is not finite in f64."""


def _log(body: Body, x: Vec) -> Pair:
    return natural(body, split(body, x))


def _turns(body: Body, a: Vec) -> tuple[Pair, Pair]:
    """|sin(pi a)| and cos(pi a) up to its sign, positive if the fraction is at most 1/2 in magnitude; a >= 0."""
    r = a - a.rint()
    size = abs(r)
    folded = size > 0.25
    angle = folded.select(0.5 - size, size)
    product = exact_product(angle, body.parts("pi")[0])
    rest = angle.fma(body.parts("pi")[1], product.lo)
    s, c = sine(body, product.hi, rest), cosine(body, product.hi, rest)
    s, c = quick_sum(s.hi, s.lo), quick_sum(c.hi, c.lo)
    first = Pair(folded.select(c.hi, s.hi), folded.select(c.lo, s.lo))
    second = Pair(folded.select(s.hi, c.hi), folded.select(s.lo, c.lo))
    return first, second


def _stirling(body: Body, a: Vec) -> Pair:
    """lgamma(a) for a >= 8: (a - 1/2) (log a - 1) - 1/2 + log(2 pi) / 2 + p(a^-2) / a."""
    inverse = 1.0 / a
    series = body.poly(inverse * inverse, body.table("stirling")) * inverse
    logarithm = _log(body, a)
    less = add_one(body.const(-1.0), logarithm)
    factor = exact_sum(a, -0.5)
    product = exact_product(factor.hi, less.hi)
    low = product.lo + factor.hi.fma(less.lo, factor.lo * less.hi)
    constant = part(body, "half_log_two_pi")
    sum_ = exact_sum(product.hi, constant.hi - 0.5)
    return quick_sum(sum_.hi, sum_.lo + (low + (series + constant.lo)))


@dataclass(frozen=True)
class Shifted:
    """0 < a < 8 moved to 1 <= y <= 2 by k steps of 1; `distance` is y - 1, exact also where y is not.

    product = (a - 1) (a - 2) .. (a - k) and sum = 1 / (a - 1) + .. + 1 / (a - k), a numerator over the product.
    """

    distance: Vec
    product: Vec
    numerator: Vec
    below: Mask
    """a < 1: y = a + 1, and there is no product."""


def _shift(body: Body, a: Vec) -> Shifted:
    below = a < 1.0
    y, product, numerator = a, body.const(1.0), body.const(0.0)
    for _ in range(_SHIFT - 2):
        above = y > 2.0
        less = y - 1.0
        numerator = above.select(numerator.fma(less, product), numerator)
        product = above.select(product * less, product)
        y = above.select(less, y)
    return Shifted(below.select(a, y - 1.0), product, numerator, below)


def _central(body: Body, a: Vec) -> Pair:
    """lgamma(a) for 0 < a < 8: the logarithm of the product of the steps, plus (y - 1) (y - 2) p(y - 3/2)."""
    shifted = _shift(body, a)
    below = shifted.below
    logarithm = _log(body, below.select(a, shifted.product))
    steps = Pair(below.select(-logarithm.hi, logarithm.hi), below.select(-logarithm.lo, logarithm.lo))
    zeros = exact_product(shifted.distance, shifted.distance - 1.0)
    p = body.poly(shifted.distance - 0.5, body.table("lgamma"))
    value = exact_product(zeros.hi, p)
    return add(steps, Pair(value.hi, zeros.lo.fma(p, value.lo)))


def lgamma(body: Body, x: Vec) -> Vec:
    """log|gamma(x)|: at most 2 ulp for x > 0. For x < 0 the absolute error is at most 2^-51 times the larger of 1 and
    the terms of the reflection log(pi / |x sin(pi x)|) - lgamma(-x), which cancel near the zeros."""
    size = abs(x)
    large = size >= float(_SHIFT)
    finite = size.at_most(_LARGEST)
    far = _stirling(body, large.select(finite, float(_SHIFT)))
    near = _central(body, large.select(1.0, size.at_least(2.0**-1000)))
    positive = Pair(large.select(far.hi, near.hi), large.select(far.lo, near.lo))
    sine_, _ = _turns(body, size)
    height = sine_.hi * size
    height_lost = sine_.lo * size + sine_.hi.fma(size, -height)
    logarithm = _log(body, height)
    correction = height_lost / height
    reflected = add(part(body, "ln_pi"), -Pair(logarithm.hi, logarithm.lo + correction))
    reflected = add(reflected, -positive)
    pole = sine_.hi.equals(0.0)
    negative = pole.select(math.inf, reflected.value())
    result = (x < 0.0).select(negative, positive.value())
    result = (size < 2.0**-54).select(-_log(body, size).value(), result)
    result = (size > _LARGEST).select(math.inf, result)
    return x.is_nan().select(x, size.equals(0.0).select(math.inf, result))


def _digamma_central(body: Body, a: Vec) -> Vec:
    """digamma(a) for 0 < a < 8: (y - root) p(y - 3/2) plus the sum of the steps, or less 1 / a."""
    shifted = _shift(body, a)
    high, low = body.parts("digamma_root")
    factor = (shifted.distance - high) - low
    value = factor * body.poly(shifted.distance - 0.5, body.table("digamma_central"))
    below = shifted.below
    steps = below.select(-1.0, shifted.numerator) / below.select(a, shifted.product)
    return value + steps


def digamma(body: Body, x: Vec) -> Vec:
    """The derivative of lgamma: at most 4 ulp for x > 0, near the root too. For x < 0 the absolute error is at most
    2^-50 times the largest of 1 and the terms of the reflection digamma(-x) - 1 / x + pi / tan(-pi x), which cancel
    near the roots. The poles give NaN, +-0 gives -+inf, as in SciPy."""
    size = abs(x)
    small = size < float(_SHIFT)
    y = small.select(float(_SHIFT), size)
    inverse = 1.0 / y
    z = inverse * inverse
    series = z.fma(body.poly(z, body.table("digamma")), inverse * 0.5)
    logarithm = _log(body, y)
    large = logarithm.hi + (logarithm.lo - series)
    positive = small.select(_digamma_central(body, small.select(size.at_least(2.0**-1000), 1.0)), large)
    sine_, cosine_ = _turns(body, size)
    cotangent = (cosine_.value() / sine_.value()).copysign(size - size.rint()) * math.pi
    reflected = sine_.hi.equals(0.0).select(math.nan, (positive + 1.0 / size) + cotangent)
    result = (x < 0.0).select(reflected, positive)
    result = (size < 2.0**-60).select(-1.0 / x, result)
    return x.equals(math.inf).select(x, result)
