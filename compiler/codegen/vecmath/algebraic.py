"""rsqrt, cbrt and hypot: roots with one correction step from an exact residual."""

import math

from .pairs import exact_product, exact_sum
from .registers import exponent_value, mantissa
from .text import Body, Vec


def rsqrt(body: Body, x: Vec) -> Vec:
    """1 / sqrt(x), corrected by what the root and the quotient lost; +-0 gives +-inf."""
    root = x.sqrt()
    y = 1.0 / root
    root_lost = (-root).fma(root, x)
    quotient_lost = (-root).fma(y, 1.0)
    better = y.fma((root_lost * -0.5 * y).fma(y, quotient_lost), y)
    return (abs(better) < math.inf).select(better, y)


def cbrt(body: Body, x: Vec) -> Vec:
    """x = 2^(3 q) t, t in [1/2, 4): y ~ t^(-1/3) by a polynomial and Halley's iteration, then t y^2 corrected."""
    form = body.format
    shift = 3 * (form.mantissa // 3 + 1)
    size = abs(x)
    tiny = size < 2.0 ** (1 - form.bias)
    parts = mantissa(body, tiny.select(size * 2.0**shift, size), 1.0)
    k = exponent_value(body, parts.exponent, 2.0**form.mantissa + form.bias)
    magic = 1.5 * 2.0**form.mantissa
    shifted = k.fma(1.0 / 3.0, magic)
    j = k.fma(1.0, (shifted - magic) * -3.0)
    t = (j < 0.0).select(parts.m * 0.5, (j > 0.0).select(parts.m * 2.0, parts.m))
    y = body.poly(t, body.table("inverse_cbrt"))
    for _ in range(1 if body.elem == "f32" else 2):
        h = (t * y * -y).fma(y, 1.0)
        y = (y * h).fma(h.fma(2.0 / 9.0, 1.0 / 3.0), y)
    c = t * y * y
    square = exact_product(c, c)
    rest = (-square.lo).fma(c, (-square.hi).fma(c, t))
    better = (rest * y * y).fma(1.0 / 3.0, c)
    q = (shifted.as_int() + form.bias << form.mantissa).as_float()
    root = better * tiny.select(q * 2.0 ** -(shift // 3), q)
    special = size.equals(0.0) | size.compare("uge", math.inf)
    return special.select(x, root.copysign(x))


def hypot(body: Body, x: Vec, y: Vec) -> Vec:
    """sqrt(x^2 + y^2) with the squares as pairs, scaled away from overflow and underflow; inf wins over NaN."""
    bias = body.format.bias
    a, b = abs(x), abs(y)
    larger = (a > b).select(a, b)
    big, small = larger > 2.0 ** (bias // 2 - 3), larger < 2.0 ** (-bias // 4)
    up, down = 2.0 ** (bias * 3 // 4), 2.0 ** -(bias * 5 // 8)
    factor = big.select(down, small.select(up, 1.0))
    inverse = big.select(1.0 / down, small.select(1.0 / up, 1.0))
    a, b = a * factor, b * factor
    aa, bb = exact_product(a, a), exact_product(b, b)
    total = exact_sum(aa.hi, bb.hi)
    root = total.hi.sqrt()
    rest = (-root).fma(root, total.hi) + (total.lo + (aa.lo + bb.lo))
    half = 0.5 / root
    result = (rest.fma(half, root)) * inverse
    result = total.hi.equals(0.0).select(larger, result)
    infinite = abs(x).equals(math.inf) | abs(y).equals(math.inf)
    return infinite.select(math.inf, result)
