"""asin, acos, atan and atan2: the inverse trigonometric functions.

asin uses x + x^3 p(x^2) up to 1/2 and pi/2 - 2 asin(sqrt((1 - x) / 2)) beyond, atan pi/2 - atan(1 / x) beyond 1.
"""

from .pairs import Pair, part, quick_sum
from .text import Body, Mask, Vec


def _asin(body: Body, size: Vec, near: Mask) -> tuple[Vec, Vec]:
    """asin(s) = s + what is added to it: s = size where `near`, else sqrt((1 - size) / 2)."""
    half = (1.0 - size) * 0.5
    z = near.select(size * size, half)
    s = near.select(size, half.sqrt())
    return s, (s * z) * body.poly(z, body.table("asin"))


def asin(body: Body, x: Vec) -> Vec:
    """Beyond 1 NaN."""
    size = abs(x)
    near = size <= 0.5
    s, more = _asin(body, size, near)
    quarter = part(body, "half_pi")
    lead = quick_sum(quarter.hi, s * -2.0)
    far = lead.hi + (lead.lo + more.fma(-2.0, quarter.lo))
    return near.select(s + more, far).copysign(x)


def acos(body: Body, x: Vec) -> Vec:
    """pi/2 - asin(x), 2 asin(sqrt((1 - x) / 2)), or pi less that of -x; beyond 1 NaN."""
    size = abs(x)
    near = size <= 0.5
    s, more = _asin(body, size, near)
    negative = x < 0.0
    quarter, turn = part(body, "half_pi"), part(body, "pi")
    base = Pair(
        near.select(quarter.hi, negative.select(turn.hi, 0.0)),
        near.select(quarter.lo, negative.select(turn.lo, 0.0)),
    )
    factor = (near.select(-1.0, 2.0).as_int() ^ (x.as_int() ^ size.as_int())).as_float()
    lead = quick_sum(base.hi, s * factor)
    return lead.hi + (lead.lo + more.fma(factor, base.lo))


def _add_atan(body: Body, base: Pair, t: Vec) -> Vec:
    """base + atan(t) for |t| <= 1; base.hi is 0 or larger than t. Half of what t lacks belongs in base.lo: the slope
    of atan is from 1/2 to 1."""
    z = t * t
    lead = quick_sum(base.hi, t)
    return lead.hi + (t * z).fma(body.poly(z, body.table("atan")), lead.lo + base.lo)


def atan(body: Body, x: Vec) -> Vec:
    """Odd; from 2^(mantissa + 3) on it rounds to pi / 2."""
    size = abs(x).at_most(2.0 ** (body.format.mantissa + 3))
    far = size > 1.0
    quarter = part(body, "half_pi")
    t = -1.0 / size
    low = t.fma(size * 0.5, 0.5).fma(t, quarter.lo)
    base = Pair(far.select(quarter.hi, 0.0), far.select(low, 0.0))
    return _add_atan(body, base, far.select(t, size)).copysign(x)


def atan2(body: Body, y: Vec, x: Vec) -> Vec:
    """The angle of (x, y), with the signs of zeros and the infinities of C99 annex F.10.1.4."""
    a, b = abs(y), abs(x)
    steep, same = a > b, a.equals(b)
    left = body.const(1.0).copysign(x) < 0.0
    over, under = steep.select(b, a), steep.select(a, b)
    scale = (under < 2.0 ** (-body.format.bias // 2)).select(2.0 ** (body.format.bias // 2), 1.0)
    over, under = over * scale, under * scale  # the remainder must not underflow
    ratio = over / under
    rest = (-ratio).fma(under, over) / under
    ones = (a > 0.0).select(1.0, 0.0)
    flip = steep ^ left
    t, lo = same.select(ones, ratio), (abs(rest) < 1.0).select(rest * flip.select(-0.5, 0.5), 0.0)
    quarter, turn = part(body, "half_pi"), part(body, "pi")
    base = Pair(
        steep.select(quarter.hi, left.select(turn.hi, 0.0)),
        steep.select(quarter.lo, left.select(turn.lo, 0.0)) + lo,
    )
    result = _add_atan(body, base, flip.select(-t, t)).copysign(y)
    return x.compare("uno", y).select(x + y, result)
