"""pow: e^(y log|x|), the logarithm with about 68 bits in f64; in f32 everything is f64, with shorter polynomials.

Special cases are those of C99 annex F.10.4.4, which NumPy has too.
"""

import math

from .exponential import clamp, exp_pair, reduce
from .logarithm import split
from .pairs import Pair, divide, exact_product, exact_sum, multiply, part, quick_sum
from .registers import lookup
from .text import Body, Vec


def _long_log(body: Body, x: Vec) -> Pair:
    """log(x) = k ln 2 + 2 s + s z (2/3 + z p(z)), s = f / (2 + f) and z = s^2 as pairs."""
    parts = split(body, x)
    s = divide(Pair(parts.f, body.const(0.0)), quick_sum(body.const(2.0), parts.f))
    s = quick_sum(s.hi, s.lo)
    z = multiply(s, s)
    two_thirds = part(body, "two_thirds")
    inner = quick_sum(two_thirds.hi, z.hi * body.poly(z.hi, body.table("log_tail")))
    cubic = multiply(s, multiply(z, Pair(inner.hi, inner.lo + two_thirds.lo)))
    high, low = body.parts("ln2_short")
    lead = quick_sum(parts.k * high, s.hi + s.hi)
    more = exact_sum(lead.hi, cubic.hi)
    rest = (lead.lo + more.lo) + parts.k.fma(low, (s.lo + s.lo) + cubic.lo)
    return quick_sum(more.hi, rest)


def _power_f64(body: Body, x: Vec, y: Vec) -> Vec:
    """x^y for x >= 0; NaN where C99 has a special case with y = 0 or x = 1."""
    logarithm = _long_log(body, x)
    hi = x.equals(0.0).select(-math.inf, (x < math.inf).select(logarithm.hi, x))
    product = exact_product(hi, y)
    lo = y.fma(logarithm.lo, product.lo)
    lo = (abs(product.hi) < 1000.0).select(lo, 0.0)
    e, steps = exp_pair(body, clamp(body, product.hi), lo)
    return steps.scale(e.value())


def _short_power(body: Body, x: Vec, y: Vec) -> Vec:
    """x^y for x >= 0 with a relative error of about 2^-33, for f32."""
    parts = split(body, x)
    s = parts.f / (parts.f + 2.0)
    z = s * s
    m = s.fma(z * body.poly(z, body.table("log_short")), s + s)
    logarithm = parts.k.fma(body.parts("ln2")[0], m)
    logarithm = x.equals(0.0).select(-math.inf, (x < math.inf).select(logarithm, x))
    reduced = reduce(body, (logarithm * y).at_least(-110.0).at_most(100.0))
    root = lookup(body, "roots", reduced.steps.bits)
    growth = (reduced.r * reduced.r).fma(body.poly(reduced.r, body.table("exp")[:2]), reduced.r)
    return reduced.steps.shift(root.fma(growth, root))


def power(body: Body, x: Vec, y: Vec) -> Vec:
    """x^y; a negative x needs an integer y, and gets the sign from its parity."""
    size = abs(x)
    if body.elem == "f32":
        magnitude = _short_power(body.double(), size.widen(), y.widen()).narrow(body)
    else:
        magnitude = _power_f64(body, size, y)
    magnitude = (size.equals(1.0) & y.equals(y)).select(1.0, magnitude)
    half = y * 0.5
    integer = y.rint().equals(y)
    odd = integer & ~half.rint().equals(half)
    signed = odd.select(magnitude.copysign(x), magnitude)
    undefined = (x < 0.0) & (x > -math.inf) & ~integer
    result = undefined.select(math.nan, signed)
    return (x.equals(1.0) | y.equals(0.0)).select(1.0, result)
