"""Odd functions of f32 that become 1: a polynomial for each of 16 pieces of the way there.

On AVX-512 the coefficients of 16 pieces are one register, and picking those of each lane is one instruction.
"""

from .registers import STEPS, lookup_rows, magic
from .text import Body, Vec

LAST = 15.45
"""The place of the bound among the pieces, which are numbered from 0 and centred at their number."""


def odd(body: Body, x: Vec, name: str, bound: float) -> Vec:
    """t + t p(t) in the first piece, v + u p(u) with u = t - c in the others, t = |x|.

    Where the function has the value v at c, it is nearly a number of the format: only u p(u) and the last addition are
    rounded. From the bound on the result rounds to 1. -0 and subnormals stay what they are.
    """
    t = abs(x).at_most(bound)
    index = t.fma(LAST / bound / STEPS, magic(body)).as_int()
    centre, value, *coefficients = lookup_rows(body, name, index)
    u = t - centre
    p = body.poly(u, coefficients)
    base = centre.equals(0.0).select(t, value)
    return u.fma(p, base).copysign(x)
