"""sin, cos and tan.

x = q pi / 2 + r + rest, |r| <= pi / 4 and a little: Cody and Waite's three parts of pi / 2 while q times the parts
is exact with fma, `huge` beyond. Polynomials on r as in fdlibm's k_sin.c and k_cos.c, with the rest kept.
"""

import math
from dataclasses import dataclass

from .huge import replace_huge
from .pairs import Pair, divide, exact_product, exact_sum, quick_sum
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
    """inf gives NaN."""
    magic = 1.5 * 2.0**body.format.mantissa
    shifted = x.fma(body.parts("two_over_pi")[0], magic)
    n = shifted - magic
    first, second, third = body.parts("half_pi")
    product = exact_product(n, second)
    r = exact_sum(n.fma(-first, x), -product.hi)
    rest = n.fma(-third, r.lo - product.lo)
    size = abs(x)
    huge = (size >= _HUGE[body.elem]) & (size < math.inf)
    return Angle(*replace_huge(body, x, huge, (r.hi, rest, shifted.as_int())))


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
    p = body.poly(z, body.table("cos"))
    return Pair(lead, (z * z).fma(p, r.fma(-rest, lost)))


def _flip(body: Body, x: Vec, quadrant: Int, bit: int) -> Vec:
    """x with its sign changed where the bit of the quadrant is set."""
    place = body.format.bits - 1
    sign = (quadrant << (place - bit)) & (1 << place)
    return (x.as_int() ^ sign).as_float()


def sin(body: Body, x: Vec) -> Vec:
    """Keeps -0 and subnormals: there x is the result."""
    angle = reduce(body, x)
    s = sine(body, angle.r, angle.rest).value()
    c = cosine(body, angle.r, angle.rest).value()
    result = _flip(body, angle.odd().select(c, s), angle.quadrant, 1)
    return (abs(x) < 2.0 ** (-body.format.mantissa // 2 - 2)).select(x, result)


def cos(body: Body, x: Vec) -> Vec:
    """cos(x) = sin(x + pi / 2): the next quadrant."""
    angle = reduce(body, x)
    s = sine(body, angle.r, angle.rest).value()
    c = cosine(body, angle.r, angle.rest).value()
    return _flip(body, angle.odd().select(s, c), angle.quadrant + 1, 1)


def tan(body: Body, x: Vec) -> Vec:
    """sin / cos, or -cos / sin in odd quadrants, with one division."""
    angle = reduce(body, x)
    s = sine(body, angle.r, angle.rest)
    c = cosine(body, angle.r, angle.rest)
    s = quick_sum(s.hi, s.lo)
    c = quick_sum(c.hi, c.lo)
    odd = angle.odd()
    over = Pair(odd.select(c.hi, s.hi), odd.select(c.lo, s.lo))
    under = Pair(odd.select(s.hi, c.hi), odd.select(s.lo, c.lo))
    result = _flip(body, divide(over, under).value(), angle.quadrant, 0)
    return (abs(x) < 2.0 ** (-body.format.mantissa // 2 - 2)).select(x, result)
