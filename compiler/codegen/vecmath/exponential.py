"""exp, exp2, expm1, sigmoid and the reduced exponential that the hyperbolic and error functions share.

x = n ln 2 + r with n a multiple of 1/16 and |r| <= ln 2 / 32 (Cody and Waite, 1980, exact with fma), so
e^x = 2^floor(n) T e^r with a table T of the roots of 2 (Tang, 1989) and a short minimax polynomial on r.
"""

from dataclasses import dataclass

from .pairs import Pair, quick_sum, quotient
from .registers import Steps, lookup, magic
from .text import Body, Vec


@dataclass(frozen=True)
class Reduced:
    """x = n ln 2 + r with n = steps.n; `lead`, which is exact, lacks the low part of ln 2."""

    steps: Steps
    r: Vec
    lead: Vec


def clamp(body: Body, x: Vec) -> Vec:
    """x within the range where exp is neither 0 nor inf, and a little more; NaN kept."""
    low, high = (-104.0, 89.0) if body.elem == "f32" else (-746.0, 710.0)
    return x.at_least(low).at_most(high)


def reduce(body: Body, x: Vec) -> Reduced:
    """Splits a clamped x."""
    shifted = x.fma(body.parts("log2e")[0], magic(body))
    n = shifted - magic(body)
    high, low = body.parts("ln2")
    lead = n.fma(-high, x)
    return Reduced(Steps(body, n, shifted.as_int()), n.fma(-low, lead), lead)


def _growth(body: Body, r: Vec) -> Vec:
    """e^r - 1 with an error that is small beside 1."""
    return (r * r).fma(body.poly(r, body.table("exp")), r)


def _exp(body: Body, x: Vec) -> tuple[Vec, Steps]:
    """e^x of a clamped x as a number in [0.97, 2.05] and a power of two: 1.03 ulp, half of it from the table."""
    reduced = reduce(body, x)
    root = lookup(body, "roots", reduced.steps.bits)
    return root.fma(_growth(body, reduced.r), root), reduced.steps


def exp(body: Body, x: Vec) -> Vec:
    """e^x."""
    value, steps = _exp(body, clamp(body, x))
    return steps.scale(value)


def normal_exp(body: Body, x: Vec) -> Vec:
    """e^x where that is a normal number."""
    value, steps = _exp(body, x)
    return steps.shift(value)


def exp_pair(body: Body, x: Vec, lo: Vec | None = None) -> tuple[Pair, Steps]:
    """e^(x + lo) as a pair in [0.97, 2.05] and a power of two, with 5 bits more than the format.

    x is clamped, lo at most an ulp of x.
    """
    reduced = reduce(body, x)
    bits = reduced.steps.bits
    root, more = lookup(body, "roots", bits), lookup(body, "roots_rest", bits)
    r = reduced.r + (more if lo is None else more + lo)
    return quick_sum(root, root * _growth(body, r)), reduced.steps


def exp2(body: Body, x: Vec) -> Vec:
    """2^x; exact for integers, subnormal results included."""
    low, high = (-151.0, 129.0) if body.elem == "f32" else (-1076.0, 1025.0)
    x = x.at_least(low).at_most(high)
    shifted = x + magic(body)
    n = shifted - magic(body)
    r = x - n
    steps = Steps(body, n, shifted.as_int())
    root = lookup(body, "roots", steps.bits)
    return steps.scale(root.fma(body.poly(r, body.table("exp2")) * r, root))


def half_expm1(body: Body, x: Vec) -> Pair:
    """(e^x - 1) / 2 as the sum of two numbers; for x from where e^x - 1 rounds to -1 to where it overflows.

    With s = 2^floor(n) T / 2: (s - 1/2) + s lead + s (r - lead + r^2 p(r)), the first sums error-free.
    """
    reduced = reduce(body, x)
    r, steps = reduced.r, reduced.steps.halved()
    s = steps.shift(lookup(body, "roots", steps.bits))
    tail = (r * r).fma(body.poly(r, body.table("expm1")), lookup(body, "roots_rest", steps.bits))
    tail = reduced.steps.n.fma(-body.parts("ln2")[1], tail)
    offset = s - 0.5
    lead = s.fma(reduced.lead, offset)
    return Pair(lead, s.fma(tail, s.fma(reduced.lead, offset - lead)))


def expm1(body: Body, x: Vec) -> Vec:
    """e^x - 1, half of it at first: that does not overflow before the result does."""
    low, high = (-20.0, 89.0) if body.elem == "f32" else (-40.0, 710.0)
    half = half_expm1(body, x.at_least(low).at_most(high)).value()
    return (abs(x) < 2.0 ** -(body.format.mantissa + 3)).select(x, half + half)


def sigmoid(body: Body, x: Vec) -> Vec:
    """1 / (1 + e^-x), as z / (1 + z) or 1 / (1 + z) with z = e^-|x|: no overflow, small results keep their bits."""
    z, steps = exp_pair(body, (-abs(x)).at_least(-104.0 if body.elem == "f32" else -746.0))
    one = steps.scale(body.const(1.0))
    under = z.hi.fma(one, 1.0)
    lost = z.lo.fma(one, z.hi.fma(one, 1.0 - under))
    negative = x < 0.0
    over = Pair(negative.select(z.hi, 1.0), negative.select(z.lo, 0.0))
    result = quotient(over, Pair(under, lost))
    return negative.select(steps.scale(result), result)
