"""exp, exp2, expm1, sigmoid and the reduced exponential that the hyperbolic and error functions share.

x = n ln 2 + r with |r| <= ln 2 / 2 (Cody and Waite, 1980, exact with fma), a minimax polynomial on r, and 2^n in
two factors, so that overflow and gradual underflow round once.
"""

from dataclasses import dataclass

from .pairs import Pair, divide, exact_sum, quick_sum
from .text import Body, Int, Vec


@dataclass(frozen=True)
class Power:
    """2^n as two factors, each a normal number for -2 bias < n < 2 bias."""

    first: Vec
    second: Vec

    def scale(self, x: Vec) -> Vec:
        """x * 2^n; NaN stays NaN."""
        return x * self.first * self.second


def _magic(body: Body) -> float:
    """1.5 * 2^mantissa + 2 bias: added to x it leaves the bits of rint(x) + 2 bias at the low end."""
    return 1.5 * 2.0**body.format.mantissa + 2 * body.format.bias


def _power(body: Body, shifted: Vec) -> Power:
    """2^n from the bits of n + magic; n + 2 bias must be positive."""
    bits = shifted.as_int()
    half = bits >> 1
    return Power(_shift_exponent(body, half), _shift_exponent(body, bits - half))


def _shift_exponent(body: Body, biased: Int) -> Vec:
    return (biased << body.format.mantissa).as_float()


@dataclass(frozen=True)
class Reduced:
    """x = n ln 2 + r + rest, 2^n = power; rest is what rounding r lost."""

    power: Power
    r: Vec
    rest: Vec


def clamp(body: Body, x: Vec) -> Vec:
    """x within the range where exp is neither 0 nor inf, and a little more; NaN kept."""
    low, high = (-104.0, 89.0) if body.elem == "f32" else (-746.0, 710.0)
    return x.at_least(low).at_most(high)


def reduce(body: Body, x: Vec) -> Reduced:
    """Splits a clamped x; who does not use `rest` pays nothing for it, since dead instructions are not selected."""
    magic = _magic(body)
    shifted = x.fma(body.parts("log2e")[0], magic)
    n = shifted - magic
    high, low = body.parts("ln2")
    exact = n.fma(-high, x)
    r = n.fma(-low, exact)
    return Reduced(_power(body, shifted), r, n.fma(-low, exact - r))


def exp(body: Body, x: Vec) -> Vec:
    """e^x. The polynomial is 1 + r + r^2 p(r)."""
    reduced = reduce(body, clamp(body, x))
    p = body.poly(reduced.r, (1.0, 1.0, *body.table("exp")))
    return reduced.power.scale(p)


def exp_pair(body: Body, x: Vec, lo: Vec | None = None) -> tuple[Pair, Power]:
    """e^(x + lo) as a pair in [0.7, 1.42] and a power of two, with about 6 bits more than the format.

    x is clamped, lo at most an ulp of x; e^lo - 1 is taken as lo.
    """
    reduced = reduce(body, x)
    r = reduced.r
    square = r * r
    p = body.poly(r, body.table("exp"))
    rest = reduced.rest if lo is None else (reduced.rest + lo) * square.fma(p, r + 1.0)
    lead = quick_sum(body.const(1.0), r)
    return quick_sum(lead.hi, lead.lo + square.fma(p, rest)), reduced.power


def exp_scaled(body: Body, x: Vec, lo: Vec | None = None) -> Pair:
    """e^(x + lo) as a pair, for a clamped x where it does not overflow."""
    pair, power = exp_pair(body, x, lo)
    return Pair(power.scale(pair.hi), power.scale(pair.lo))


def exp2(body: Body, x: Vec) -> Vec:
    """2^x; exact for integers, subnormal results included."""
    low, high = (-151.0, 129.0) if body.elem == "f32" else (-1076.0, 1025.0)
    x = x.at_least(low).at_most(high)
    magic = _magic(body)
    shifted = x + magic
    r = x - (shifted - magic)
    return _power(body, shifted).scale(body.poly(r, (1.0, *body.table("exp2"))))


def expm1_pair(body: Body, x: Vec, factor: float = 1.0) -> Pair:
    """(e^x - 1) * factor, a power of two, as a pair; for x from where e^x - 1 rounds to -1 up to overflow.

    With s = 2^n factor: (s - factor) + s r + s (rest + r^2 p(r)), the first sum error-free.
    """
    reduced = reduce(body, x)
    r = reduced.r
    s = reduced.power.first * (reduced.power.second * factor)
    tail = (r * r).fma(body.poly(r, body.table("expm1")), reduced.rest)
    offset = s - factor
    lead = s.fma(r, offset)
    lost = s.fma(r, offset - lead)
    return quick_sum(lead, s.fma(tail, lost))


def expm1(body: Body, x: Vec) -> Vec:
    """e^x - 1, half of it at first: that does not overflow before the result does."""
    low, high = (-20.0, 89.0) if body.elem == "f32" else (-40.0, 710.0)
    half = expm1_pair(body, x.at_least(low).at_most(high), 0.5)
    return (abs(x) < 2.0 ** -(body.format.mantissa + 3)).select(x, half.value() * 2.0)


def sigmoid(body: Body, x: Vec) -> Vec:
    """1 / (1 + e^-x), as z / (1 + z) or 1 / (1 + z) with z = e^-|x|: no overflow, small results keep their bits."""
    z = exp_scaled(body, clamp(body, -abs(x)))
    lead = exact_sum(body.const(1.0), z.hi)
    negative = x < 0.0
    numerator = Pair(negative.select(z.hi, 1.0), negative.select(z.lo, 0.0))
    return divide(numerator, Pair(lead.hi, lead.lo + z.lo)).value()
