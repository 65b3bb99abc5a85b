"""Pairs hi + lo of floats: error-free sums and products, quotients and roots with a correction.

Dekker (1971), Knuth (TAOCP 2, 4.2.2), Joldes, Muller and Popescu (2017). Values must be finite; where they can
be infinite the caller selects the special results afterwards.
"""

from dataclasses import dataclass

from .text import Body, Vec


@dataclass(frozen=True)
class Pair:
    """The unevaluated sum hi + lo, |lo| at most a few ulps of hi."""

    hi: Vec
    lo: Vec

    def __neg__(self) -> "Pair":
        return Pair(-self.hi, -self.lo)

    def scaled(self, factor: Vec | float) -> "Pair":
        """Times a power of two."""
        return Pair(self.hi * factor, self.lo * factor)

    def value(self) -> Vec:
        """hi + lo, rounded."""
        return self.hi + self.lo


def part(body: Body, name: str, index: int = 0) -> Pair:
    """Two neighbouring parts of a split constant."""
    hi, lo = body.parts(name)[index : index + 2]
    return Pair(body.const(hi), body.const(lo))


def quick_sum(a: Vec, b: Vec) -> Pair:
    """a + b exactly, if |a| >= |b| or a = 0."""
    s = a + b
    return Pair(s, b - (s - a))


def exact_sum(a: Vec, b: Vec | float) -> Pair:
    """a + b exactly."""
    s = a + b
    bb = s - a
    return Pair(s, (a - (s - bb)) + (_as_vec(a, b) - bb))


def _as_vec(like: Vec, value: Vec | float) -> Vec:
    return value if isinstance(value, Vec) else like.body.const(value)


def exact_product(a: Vec, b: Vec | float) -> Pair:
    """a * b exactly, short of underflow."""
    p = a * b
    return Pair(p, a.fma(b, -p))


def add(a: Pair, b: Pair) -> Pair:
    """a + b with an error of about 2 units of the doubled precision, unless they cancel."""
    s = exact_sum(a.hi, b.hi)
    return quick_sum(s.hi, s.lo + (a.lo + b.lo))


def add_one(a: Vec, b: Pair) -> Pair:
    """a + b."""
    s = exact_sum(a, b.hi)
    return quick_sum(s.hi, s.lo + b.lo)


def multiply(a: Pair, b: Pair) -> Pair:
    """a * b, without the product of the low parts."""
    p = exact_product(a.hi, b.hi)
    return quick_sum(p.hi, p.lo + a.hi.fma(b.lo, a.lo * b.hi))


def divide(a: Pair, b: Pair) -> Pair:
    """a / b: one division, the quotient corrected with its remainder."""
    q, rest, r = _quotient(a, b)
    return Pair(q, rest * r)


def quotient(a: Pair, b: Pair) -> Vec:
    """a / b, rounded once and a little."""
    q, rest, r = _quotient(a, b)
    return rest.fma(r, q)


def _quotient(a: Pair, b: Pair) -> tuple[Vec, Vec, Vec]:
    """q near a / b, a - q b, and 1 / b."""
    r = 1.0 / b.hi
    q = a.hi * r
    return q, (-q).fma(b.lo, (-q).fma(b.hi, a.hi) + a.lo), r


def square_root(a: Pair) -> Pair:
    """sqrt(a), a > 0."""
    s = a.hi.sqrt()
    rest = (-s).fma(s, a.hi) + a.lo
    return Pair(s, rest / (s + s))
