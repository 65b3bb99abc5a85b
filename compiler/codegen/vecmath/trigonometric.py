"""sin, cos and tan.

x = q pi / 2 + r + rest, |r| <= pi / 4 and a little: Cody and Waite's three parts of pi / 2 while q times the parts
is exact with fma, `huge` beyond. Polynomials on r as in fdlibm's k_sin.c and k_cos.c, with the rest kept.
"""

from dataclasses import dataclass

from .huge import replace_huge
from .pairs import Pair, exact_product, quick_sum, quotient
from .text import Body, Int, Mask, Vec

_HUGE = {"f32": 2.0**17, "f64": 2.0**30}
"""From here on the slow path reduces: the parts of pi / 2 would not be enough."""


@dataclass(frozen=True)
class Angle:
    """x = quadrant pi / 2 + r + rest; only the two lowest bits of the quadrant count."""

    r: Vec
    rest: Vec
    quadrant: Int

    def odd(self) -> Mask:
        """True in the quadrants where sine and cosine change places."""
        return _bit(self.quadrant, 1)


def _bit(value: Int, bit: int) -> Mask:
    return ~(value & bit).equals(0)


def reduce(body: Body, x: Vec) -> Angle:
    """For x >= 0; inf gives NaN."""
    magic = 1.5 * 2.0**body.format.mantissa
    shifted = x.fma(body.parts("two_over_pi")[0], magic)
    n = shifted - magic
    first, second, third = body.parts("half_pi")
    product = exact_product(n, second)
    lead = n.fma(-first, x)
    r = lead - product.hi
    lost = (lead - r) - product.hi  # exact: lead is a multiple of the unit of the product
    rest = n.fma(-third, lost - product.lo)
    huge = x >= _HUGE[body.elem]
    return Angle(*replace_huge(body, x, huge, (r, rest, shifted.as_int())))


def sine(body: Body, r: Vec, rest: Vec) -> Pair:
    """sin(r + rest) as r and what is added to it."""
    z = r * r
    p = body.poly(z, body.table("sin"))
    turned = z.fma(rest * -0.5, rest)
    return Pair(r, (r * z).fma(p, turned))


def cosine(body: Body, r: Vec, rest: Vec) -> Pair:
    """cos(r + rest), the sum 1 - r^2 / 2 error-free."""
    z = r * r
    half = z * 0.5
    lead = 1.0 - half
    lost = (1.0 - lead) - half
    p = body.poly(z, body.table("cos")[1:])
    return Pair(lead, (z * z).fma(p, r.fma(-rest, lost)))


def _wave(body: Body, angle: Angle, cosine_: Mask) -> Vec:
    """sin(r + rest), or the cosine: b + z b p(z) and what rest changes, b = r or 1, with the coefficients of either."""
    r = angle.r
    z = r * r
    base = cosine_.select(1.0, r)
    pairs = zip(body.table("cos"), body.table("sin"), strict=True)
    p = body.poly(z, [cosine_.select(c, s) for c, s in pairs])
    slope = cosine_.select(-r, 1.0)
    bent = z * base
    wave = bent.fma(p, base)
    return wave + slope.fma(angle.rest, bent.fma(p, base - wave))


def _flip(body: Body, x: Vec, quadrant: Int, bit: int, sign: Vec | None = None) -> Vec:
    """x with its sign changed where the bit of the quadrant is set, and where `sign` has one."""
    place = body.format.bits - 1
    flips = quadrant << (place - bit)
    flips = flips if sign is None else flips ^ sign.as_int()
    return (x.as_int() ^ (flips & (1 << place))).as_float()


def sin(body: Body, x: Vec) -> Vec:
    """sin|x| with the sign of x: -0 and subnormals stay what they are."""
    angle = reduce(body, abs(x))
    return _flip(body, _wave(body, angle, angle.odd()), angle.quadrant, 1, x)


def cos(body: Body, x: Vec) -> Vec:
    """cos(x) = sin(|x| + pi / 2): the next quadrant."""
    angle = reduce(body, abs(x))
    return _flip(body, _wave(body, angle, ~angle.odd()), angle.quadrant + 1, 1)


def tan(body: Body, x: Vec) -> Vec:
    """sin / cos, or -cos / sin in odd quadrants, with one division."""
    angle = reduce(body, abs(x))
    s = sine(body, angle.r, angle.rest)
    c = cosine(body, angle.r, angle.rest)
    s = quick_sum(s.hi, s.lo)
    c = quick_sum(c.hi, c.lo)
    odd = angle.odd()
    over = Pair(odd.select(c.hi, s.hi), odd.select(c.lo, s.lo))
    under = Pair(odd.select(s.hi, c.hi), odd.select(s.lo, c.lo))
    return _flip(body, quotient(over, under), angle.quadrant, 0, x)
