"""asin, acos, atan and atan2: the inverse trigonometric functions.

asin uses x + x^3 p(x^2) up to 1/2 and pi/2 - 2 asin(sqrt((1 - x) / 2)) beyond. atan folds the quotient below
tan(pi / 8) with atan(a / b) = pi/4 + atan((a - b) / (a + b)) and pi/2 - atan(b / a) (Cody and Waite, 1980).
"""

import math

from .pairs import Pair, divide, exact_sum, part, quick_sum
from .text import Body, Vec

_TAN_EIGHTH = math.sqrt(2.0) - 1.0


def _root_asin(body: Body, size: Vec) -> Pair:
    """asin(sqrt((1 - size) / 2)), which is acos(size) / 2."""
    z = (1.0 - size) * 0.5
    s = z.sqrt()
    lost = z.equals(0.0).select(0.0, (-s).fma(s, z) / (s + s))
    return Pair(s, (s * z).fma(body.poly(z, body.table("asin")), lost))


def asin(body: Body, x: Vec) -> Vec:
    """Beyond 1 NaN."""
    size = abs(x)
    z = x * x
    small = (x * z).fma(body.poly(z, body.table("asin")), x)
    small = (size < 2.0 ** (-body.format.mantissa // 2 - 2)).select(x, small)
    root = _root_asin(body, size)
    quarter = part(body, "half_pi")
    lead = quick_sum(quarter.hi, root.hi * -2.0)
    large = lead.hi + (lead.lo + root.lo.fma(-2.0, quarter.lo))
    return (size <= 0.5).select(small, large.copysign(x))


def acos(body: Body, x: Vec) -> Vec:
    """Beyond 1 NaN."""
    size = abs(x)
    z = x * x
    lost = (x * z) * body.poly(z, body.table("asin"))
    quarter = part(body, "half_pi")
    middle = quick_sum(quarter.hi, -x)
    near = middle.hi + (middle.lo + (quarter.lo - lost))
    root = _root_asin(body, size)
    turn = part(body, "pi")
    lead = quick_sum(turn.hi, root.hi * -2.0)
    left = lead.hi + (lead.lo + root.lo.fma(-2.0, turn.lo))
    right = (root.hi + root.lo) * 2.0
    return (size <= 0.5).select(near, (x < 0.0).select(left, right))


def _fold(body: Body, a: Vec, b: Vec) -> Pair:
    """atan(a / b) for finite a, b >= 0 that are not both 0."""
    low, high = a <= b * _TAN_EIGHTH, a > b * (_TAN_EIGHTH + 2.0)
    difference, total = exact_sum(a, -b), exact_sum(a, b)
    outer = low | high
    over = Pair(low.select(a, high.select(-b, difference.hi)), outer.select(0.0, difference.lo))
    under = Pair(low.select(b, high.select(a, total.hi)), outer.select(0.0, total.lo))
    quotient = divide(over, under)
    t = quick_sum(quotient.hi, quotient.lo)
    z = t.hi * t.hi
    p = (t.hi * z).fma(body.poly(z, body.table("atan")), (-z).fma(t.lo, t.lo))
    eighth, quarter = part(body, "quarter_pi"), part(body, "half_pi")
    base = Pair(
        low.select(0.0, high.select(quarter.hi, eighth.hi)),
        low.select(0.0, high.select(quarter.lo, eighth.lo)),
    )
    lead = quick_sum(base.hi, t.hi)
    return quick_sum(lead.hi, lead.lo + (p + base.lo))


def atan(body: Body, x: Vec) -> Vec:
    """Odd; from 2^(mantissa + 3) on it rounds to pi / 2."""
    size = abs(x).at_most(2.0 ** (body.format.mantissa + 3))
    result = _fold(body, size, body.const(1.0)).value()
    tiny = size < 2.0 ** (-body.format.mantissa // 2 - 2)
    return tiny.select(x, result.copysign(x))


def atan2(body: Body, y: Vec, x: Vec) -> Vec:
    """The angle of (x, y), with the signs of zeros and the infinities of C99 annex F.10.1.4."""
    bias = body.format.bias
    a, b = abs(y), abs(x)
    infinite = a.equals(math.inf) | b.equals(math.inf)
    a = infinite.select(a.equals(math.inf).select(1.0, 0.0), a)
    b = infinite.select(b.equals(math.inf).select(1.0, 0.0), b)
    largest = (a > b).select(a, b)
    scale = (largest > 2.0 ** (bias - 8)).select(
        2.0**-16, (largest < 2.0 ** (-bias // 2)).select(2.0 ** (bias // 2), 1.0)
    )
    zero = largest.equals(0.0)
    angle = _fold(body, a * scale, zero.select(1.0, b * scale))
    turn = part(body, "pi")
    mirrored = quick_sum(turn.hi, -angle.hi)
    left = mirrored.hi + (mirrored.lo + (turn.lo - angle.lo))
    negative = body.const(1.0).copysign(x) < 0.0
    result = negative.select(left, angle.value()).copysign(y)
    return x.compare("uno", y).select(x + y, result)
