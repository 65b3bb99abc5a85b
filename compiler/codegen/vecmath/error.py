"""erf, erfc, erfcx and erfinv.

In f32 erf has a polynomial for each of 16 pieces. In f64 erf(x) = x + x p(x^2) up to 1; beyond, erf = 1 - exp(q(x)), q
fitted to log(erfc). erfc = e^(-x^2) p(u) / (1 + 2 x), u = (x - 4) / (x + 4) (Shepherd and Laframboise, 1981), x^2 as a
pair.
"""

import math
from itertools import zip_longest

from .exponential import exp_pair, normal_exp
from .logarithm import natural, split
from .pairs import Pair, exact_product, exact_sum, quick_sum, quotient
from .pieces import odd
from .text import Body, Vec


def _small(body: Body, x: Vec) -> Pair:
    """erf(x) for |x| <= 1."""
    return Pair(x, x * body.poly(x * x, body.table("erf")))


def erf(body: Body, x: Vec) -> Vec:
    """x + x p(x^2) or 1 - exp(p(|x|)), with the coefficients of either in one polynomial. Odd; -0 and subnormals are
    right because the first has a relative error."""
    if body.elem == "f32":
        return odd(body, x, "erf_pieces", 4.0)
    t = abs(x).at_most(6.0)
    far = t > 1.0
    pairs = zip_longest(body.table("erf_tail"), body.table("erf"), fillvalue=0.0)
    p = body.poly(far.select(t, t * t), [far.select(a, b) for a, b in pairs])
    large = 1.0 - normal_exp(body, p)
    return far.select(large, t.fma(p, t)).copysign(x)


def tail(body: Body, t: Vec) -> Vec:
    """erfc(t) for t from 0.7 to where it is 0."""
    bound = 10.19 if body.elem == "f32" else 27.31
    t = t.at_most(bound)
    square = exact_product(t, -t)
    e, steps = exp_pair(body, square.hi, square.lo)
    p, under = _scaled(body, t)
    product = exact_product(e.hi, p.hi)
    over = Pair(product.hi, product.lo + e.hi.fma(p.lo, e.lo * p.hi))
    return steps.scale(quotient(over, under))


def _scaled(body: Body, t: Vec) -> tuple[Pair, Pair]:
    """e^(t^2) erfc(t) as a quotient, for t from 0.7 to where erfc is 0."""
    u = (t - 4.0) / (t + 4.0)
    first, *others = body.table("erfcx")
    return quick_sum(body.const(first), u * body.poly(u, tuple(others))), exact_sum(t + t, 1.0)


def erfc(body: Body, x: Vec) -> Vec:
    """1 - erf(x): 1 - x - x p below 0.7, the tail beyond, 2 - the tail for negative x."""
    s = _small(body, x.at_least(-1.0).at_most(0.7))
    lead = exact_sum(body.const(1.0), -s.hi)
    small = lead.hi + (lead.lo - s.lo)
    large = tail(body, abs(x).at_least(0.7))
    far = (x < 0.0).select(2.0 - large, large)
    return ((x > 0.7) | (x < -1.0)).select(far, small)


def erfcx(body: Body, x: Vec) -> Vec:
    """e^(x^2) erfc(x): erfc times the exponential below 0.7, the quotient beyond, and from where erfc is 0 a series in
    1 / x^2 (Abramowitz and Stegun 7.1.23)."""
    end, low = (10.0, -9.43) if body.elem == "f32" else (27.0, -26.64)
    t = x.at_least(0.7).at_most(end)
    middle = quotient(*_scaled(body, t))
    far = x.at_least(end)
    w = 0.5 / far / far
    series = body.poly(w, (1.0, -1.0, 3.0, -15.0, 105.0, -945.0, 10395.0))
    large = (x > end).select(series * (1 / math.sqrt(math.pi)) / far, middle)
    s = x.at_most(0.7).at_least(low)
    square = exact_product(s, s)
    e, steps = exp_pair(body, square.hi, square.lo)
    small = erfc(body, s) * (e.hi + e.lo)
    below = (x < low).select(math.inf, steps.scale(small))
    return (x > 0.7).select(large, below)


def erfinv(body: Body, x: Vec) -> Vec:
    """A first guess in w = -log(1 - x^2) (Giles, 2010), then one step of Halley's method on erf, or on erfc from 0.75.

    +-1 gives +-inf, beyond NaN.
    """
    size = abs(x)
    inside = size < 1.0
    a = inside.select(size, 0.5)
    w = -natural(body, split(body, (1.0 - a) * (1.0 + a))).value()
    near = body.poly(w - 2.5, body.table("erfinv"))
    far = body.poly(w.at_least(0.0).sqrt() - 4.0, body.table("erfinv_tail"))
    y = a * (w > 5.0).select(far, near)
    s = _small(body, y.at_most(1.0))
    central = (s.hi - a) + s.lo
    outer = (1.0 - a) - tail(body, y.at_least(0.7))
    error = (a > 0.75).select(outer, central)
    square = exact_product(y, -y)
    e, steps = exp_pair(body, square.hi)
    step = error * (math.sqrt(math.pi) / 2) / steps.scale(e.hi)
    better = y - step / y.fma(step, 1.0)
    tiny = size < 2.0**-60
    result = tiny.select(size * (math.sqrt(math.pi) / 2), better)
    special = size.equals(1.0).select(math.inf, math.nan)
    return inside.select(result, special).copysign(x)
