"""Elementwise powers."""

from __future__ import annotations

from typing import Any

import numpy as np
from xdsl.ir import SSAValue

from .base import Builder, Elementwise, elementwise
from .constant import splat_of
from .types import bit_width, kind_of, scalar_of


def _power(a: Any, b: Any) -> Any:
    """NumPy's power, with 0 where it would raise: for negative exponents of integers.

    Where an exponent of 0.5 has stride 0 NumPy takes the square root, other than C's pow for -inf and -0.0.
    """
    a, b = np.asarray(a), np.asarray(b)
    if a.dtype.kind == "f":
        root = (b == 0.5) & (np.isinf(a) | (a == 0))
        return np.where(root, np.abs(a), np.power(a, b))  # pyright: ignore[reportUnknownVariableType]  (np.where of Any)
    if a.dtype.kind != "i":
        return np.power(a, b)
    return np.where(b < 0, np.zeros((), a.dtype), np.power(a, np.maximum(b, 0)))


@elementwise
class Pow(Elementwise):
    """`a ** b`. Integers wrap around; a negative exponent gives 0 (frontends raise for it, as NumPy does)."""

    name = "weld.pow"
    arity = 2
    numpy = _power
    ufuncs = (np.power, np.float_power)
    kinds = "fiuc"
    llvm = {"f": "math pow"}
    cost = 130
    neutral = {"f": 1.0, "i": 1, "u": 1}

    @classmethod
    def expand(cls, b: Builder, *args: SSAValue) -> SSAValue | None:
        x, exponent = args
        kind = kind_of(scalar_of(x))
        if kind not in "iu":
            return None
        number = splat_of(exponent)
        if number is not None and number >= 0:
            return repeated_product(b, x, int(number))
        zero, one = b.constant(0, x), b.constant(1, x)
        result, square = one, x
        for k in range(bit_width(scalar_of(x)) - (kind == "i")):
            bit = b.and_(exponent, b.constant(1 << k, x))
            result = b.mul(result, b.select(b.eq(bit, zero), one, square))
            square = b.mul(square, square)
        return result if kind == "u" else b.select(b.lt(exponent, zero), zero, result)


def repeated_product(b: Builder, x: SSAValue, exponent: int) -> SSAValue:
    """`x ** exponent` by squaring, for an exponent of at least 0."""
    result: SSAValue | None = None
    square = x
    while exponent:
        if exponent & 1:
            result = square if result is None else b.mul(result, square)
        exponent >>= 1
        if exponent:
            square = b.mul(square, square)
    return b.constant(1, x) if result is None else result
