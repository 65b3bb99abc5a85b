"""Cheaper ops for the same value: powers by small constants, divisions by powers of two, `x - x`, `-x / y`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from xdsl.ir import Operation, SSAValue

from .arithmetic import Div, Neg
from .base import Builder, Elementwise
from .constant import splat_of
from .division import FloorDiv, Remainder
from .power import Pow, repeated_product
from .types import BF16, F16, F32, kind_of, scalar_of, stated_number


def strength_reduce(op: Operation, b: Builder) -> SSAValue | None:
    """The result of an elementwise op in cheaper ops, which `b` inserts; None where there are none.

    Equal for all values, special ones among them; a power is equal within 2 units in the last place, that is
    within the error of NumPy's own.
    """
    if not isinstance(op, Elementwise) or op.arity != 2:
        return None
    x, y = op.operands
    element = scalar_of(x)
    if x == y and kind_of(element) in op.equal:
        return b.constant(stated_number(op.equal[kind_of(element)], scalar_of(op.res)), op.res)
    if isinstance(op, Div) and isinstance(x.owner, Neg):
        return b.neg(b.div(x.owner.operands[0], y))  # `x / y` is often there too
    rule, number = RULES.get(type(op)), splat_of(y)
    return None if rule is None or number is None else rule(b, x, number)


def _power(b: Builder, x: SSAValue, exponent: Any) -> SSAValue | None:
    kind = kind_of(scalar_of(x))
    if kind in "iu":
        return repeated_product(b, x, int(exponent)) if 0 <= exponent <= 64 else None
    if kind != "f" or exponent not in (0, 2, -1, 0.5, 3, 4, -2, -0.5):
        return None
    element = scalar_of(x)
    if element in (F16, BF16) and exponent in (3, 4, -2, -0.5):  # two roundings would show there
        found = _power(b, b.cast(x, F32), exponent)
        return None if found is None else b.cast(found, element)
    if abs(exponent) == 0.5:
        return _square_root(b, x, exponent > 0)
    base = x if exponent >= 0 else b.div(b.constant(1, x), x)
    return repeated_product(b, base, abs(int(exponent)))


def _square_root(b: Builder, x: SSAValue, positive: bool) -> SSAValue:
    """`x ** 0.5` or `x ** -0.5`: sqrt(x), but pow gives inf for -inf and takes -0.0 for 0.0."""
    infinite = b.eq(x, b.constant(-np.inf, x))
    unsigned = b.add(x, b.constant(0.0, x))
    if positive:
        return b.select(infinite, b.constant(np.inf, x), b.sqrt(unsigned))
    return b.select(infinite, b.constant(0.0, x), b.rsqrt(unsigned))


def _divide(b: Builder, x: SSAValue, divisor: Any) -> SSAValue | None:
    """`x / 2**k` -> `x * 2**-k`, where 2**-k is a normal number."""
    if kind_of(scalar_of(x)) != "f":
        return None
    with np.errstate(all="ignore"):
        inverse = type(divisor)(1) / divisor
    tiny, greatest = np.finfo(divisor.dtype).tiny, np.finfo(divisor.dtype).max
    if abs(np.frexp(divisor)[0]) != 0.5 or not tiny <= abs(inverse) <= greatest:
        return None
    return b.mul(x, b.constant(inverse, x))


def _floor_divide(b: Builder, x: SSAValue, divisor: Any) -> SSAValue | None:
    """`x // 2**k` -> `x >> k` on integers."""
    shift = _exponent_of_two(divisor)
    return None if shift is None else b.right_shift(x, b.constant(shift, x))


def _remainder(b: Builder, x: SSAValue, divisor: Any) -> SSAValue | None:
    """`x % 2**k` -> `x & (2**k - 1)` on integers."""
    shift = _exponent_of_two(divisor)
    return None if shift is None else b.and_(x, b.constant((1 << shift) - 1, x))


def _exponent_of_two(number: Any) -> int | None:
    """k where the number is the integer 2**k."""
    if number.dtype.kind not in "iu" or number <= 0:
        return None
    value = int(number)
    return value.bit_length() - 1 if value & (value - 1) == 0 else None


RULES: dict[type[Elementwise], Callable[[Builder, SSAValue, Any], SSAValue | None]] = {
    Pow: _power,
    Div: _divide,
    FloorDiv: _floor_divide,
    Remainder: _remainder,
}
"""What becomes of `op(x, constant)`."""
