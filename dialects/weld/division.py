"""Elementwise integer-like division of all numbers: floor_div, remainder and fmod, total as in NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
from xdsl.ir import Attribute, SSAValue

from .base import Builder, Elementwise, elementwise
from .types import BOOL, F32, F64, bit_width, kind_of, scalar_of, with_element

REAL = "fiu"


def _div_trunc(a: Any, b: Any) -> Any:
    """The quotient rounded towards zero, 0 for a zero divisor."""
    floor = np.floor_divide(a, b)
    inexact = (np.fmod(a, b) != 0) & ((a < 0) != (b < 0))
    return floor + inexact.astype(floor.dtype)


def _rem_trunc(a: Any, b: Any) -> Any:
    return np.fmod(a, b)


@elementwise
class DivTrunc(Elementwise):
    """The machine's integer `a / b` towards zero, which traps on a zero divisor and on the least value / -1:
    only what the ops below expand to."""

    name = "weld.div_trunc"
    arity = 2
    numpy = _div_trunc
    kinds = "iu"
    llvm = {"i": "sdiv", "u": "udiv"}
    cost = 30
    neutral = {"i": 1, "u": 1}


@elementwise
class RemTrunc(Elementwise):
    """The machine's integer remainder with the sign of `a`; it traps where `div_trunc` does."""

    name = "weld.rem_trunc"
    arity = 2
    numpy = _rem_trunc
    kinds = "iu"
    llvm = {"i": "srem", "u": "urem"}
    cost = 30


def _exact_float(x: SSAValue) -> Attribute | None:
    """A float type that holds integers like `x` and whose rounded quotients have the exact ones' floor.

    A quotient a / b that is not whole differs from each whole number by at least 1 / |b|, relatively 1 / |a|:
    more than the rounding error, as the significand has more bits than `a`.
    """
    bits = bit_width(scalar_of(x))
    return F32 if bits <= 16 else F64 if bits <= 32 else None


def _not_zero(b: Builder, divisor: SSAValue) -> tuple[SSAValue, SSAValue]:
    """Whether the divisor is zero, and the divisor with 1 in its place."""
    is_zero = b.eq(divisor, b.constant(0, divisor))
    return is_zero, b.select(is_zero, b.constant(1, divisor), divisor)


def _quotient(b: Builder, x: SSAValue, y: SSAValue, wide: Attribute, rounding: str) -> SSAValue:
    """`x / y` of integers through the float type `wide`; the least value / -1 wraps around in the cast back."""
    ratio = b.div(b.cast(x, wide), b.cast(y, wide))
    return b.cast(getattr(b, rounding)(ratio), scalar_of(x))


def _no_trap(b: Builder, divisor: SSAValue) -> tuple[SSAValue, SSAValue]:
    """The divisor with 1 in the place of 0 and, for signed integers, of -1; and whether it was -1."""
    _, safe = _not_zero(b, divisor)
    if kind_of(scalar_of(divisor)) == "u":
        return safe, b.constant(False, with_element(divisor.type, BOOL))
    is_minus_one = b.eq(divisor, b.constant(-1, divisor))
    return b.select(is_minus_one, b.constant(1, divisor), safe), is_minus_one


def _needs_sign_of(b: Builder, remainder: SSAValue, divisor: SSAValue) -> SSAValue:
    """Whether a truncated remainder is not zero and has the other sign than the divisor."""
    zero = b.constant(0, remainder)
    differs = b.ne(b.lt(remainder, zero), b.lt(divisor, zero))
    return b.and_(b.ne(remainder, zero), differs)


@elementwise
class FloorDiv(Elementwise):
    """`a // b` as in NumPy: integers give 0 for a zero divisor, and the least value // -1 is the least value."""

    name = "weld.floor_div"
    arity = 2
    numpy = np.floor_divide
    kinds = REAL
    cost = 30
    neutral = {"i": 1, "u": 1}

    @classmethod
    def expand(cls, b: Builder, *args: SSAValue) -> SSAValue | None:
        x, y = args
        if kind_of(scalar_of(x)) == "f":
            return _float_floor_div(b, x, y)
        is_zero, safe = _not_zero(b, y)
        wide = _exact_float(x)
        if wide is not None:
            quotient = _quotient(b, x, safe, wide, "floor")
        else:
            quotient = _wide_floor_div(b, x, y)
        return b.select(is_zero, b.constant(0, x), quotient)


def _wide_floor_div(b: Builder, x: SSAValue, y: SSAValue) -> SSAValue:
    safe, is_minus_one = _no_trap(b, y)
    quotient = b.div_trunc(x, safe)
    if kind_of(scalar_of(x)) == "u":
        return quotient
    remainder = b.sub(x, b.mul(quotient, safe))
    floor = b.sub(quotient, b.cast(_needs_sign_of(b, remainder, safe), scalar_of(x)))
    return b.select(is_minus_one, b.neg(x), floor)


def _float_floor_div(b: Builder, x: SSAValue, y: SSAValue) -> SSAValue:
    """NumPy's npy_divmod (numpy/_core/src/npymath/npy_math_internal.h.src), which this repeats step by step."""
    zero, one = b.constant(0, x), b.constant(1, x)
    ratio = b.div(x, y)
    remainder = b.fmod(x, y)
    quotient = b.div(b.sub(x, remainder), y)
    quotient = b.select(_needs_sign_of(b, remainder, y), b.sub(quotient, one), quotient)
    floor = b.floor(quotient)
    near = b.select(b.gt(b.sub(quotient, floor), b.constant(0.5, x)), b.add(floor, one), floor)
    result = b.select(b.eq(quotient, zero), b.copysign(zero, ratio), near)
    return b.select(b.eq(y, zero), ratio, result)


@elementwise
class Remainder(Elementwise):
    """`a % b` with the sign of `b`, as in Python and NumPy; integers give 0 for a zero divisor, floats NaN."""

    name = "weld.remainder"
    arity = 2
    numpy = np.remainder
    kinds = REAL
    cost = 30
    equal = {"i": 0, "u": 0}

    @classmethod
    def expand(cls, b: Builder, *args: SSAValue) -> SSAValue | None:
        x, y = args
        if kind_of(scalar_of(x)) == "f":
            return _float_remainder(b, x, y)
        wide = _exact_float(x)
        if wide is not None:
            _, safe = _not_zero(b, y)
            return b.sub(x, b.mul(_quotient(b, x, safe, wide, "floor"), safe))
        safe, _ = _no_trap(b, y)
        remainder = b.rem_trunc(x, safe)
        if kind_of(scalar_of(x)) == "u":
            return remainder
        return b.select(_needs_sign_of(b, remainder, safe), b.add(remainder, safe), remainder)


def _float_remainder(b: Builder, x: SSAValue, y: SSAValue) -> SSAValue:
    zero = b.constant(0, x)
    remainder = b.fmod(x, y)
    signed = b.select(_needs_sign_of(b, remainder, y), b.add(remainder, y), remainder)
    return b.select(b.eq(remainder, zero), b.copysign(zero, y), signed)


@elementwise
class Fmod(Elementwise):
    """The remainder with the sign of `a`, as in C, exact; integers give 0 for a zero divisor, floats NaN."""

    name = "weld.fmod"
    arity = 2
    numpy = np.fmod
    kinds = REAL
    llvm = {"f": "frem"}
    cost = 60
    equal = {"i": 0, "u": 0}

    @classmethod
    def expand(cls, b: Builder, *args: SSAValue) -> SSAValue | None:
        x, y = args
        wide = _exact_float(x)
        if wide is not None:
            _, safe = _not_zero(b, y)
            return b.sub(x, b.mul(_quotient(b, x, safe, wide, "trunc"), safe))
        safe, _ = _no_trap(b, y)
        return b.rem_trunc(x, safe)
