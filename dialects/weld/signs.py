"""Elementwise absolute value and sign."""

from __future__ import annotations

import numpy as np
from xdsl.ir import SSAValue

from .base import Builder, Elementwise, elementwise
from .types import kind_of, scalar_of


@elementwise
class Abs(Elementwise):
    """`|a|`; the least signed integer stays as it is."""

    name = "weld.abs"
    arity = 1
    numpy = np.absolute
    ufuncs = (np.fabs,)
    kinds = "fiub"
    llvm = {"f": "@llvm.fabs"}
    stable = "fiub"

    @classmethod
    def expand(cls, b: Builder, *args: SSAValue) -> SSAValue | None:
        x = args[0]
        return b.max(x, b.neg(x)) if kind_of(scalar_of(x)) == "i" else x


@elementwise
class Sign(Elementwise):
    """-1, 0 or 1; 0.0 for -0.0 and NaN for NaN."""

    name = "weld.sign"
    arity = 1
    numpy = np.sign
    kinds = "fiuc"
    cost = 5
    stable = "fiu"

    @classmethod
    def expand(cls, b: Builder, *args: SSAValue) -> SSAValue | None:
        x = args[0]
        kind = kind_of(scalar_of(x))
        if kind == "c":
            return None
        zero, one = b.constant(0, x), b.constant(1, x)
        if kind == "u":
            return b.min(x, one)
        if kind == "i":
            return b.max(b.min(x, one), b.constant(-1, x))
        negative = b.select(b.lt(x, zero), b.constant(-1, x), b.select(b.is_nan(x), x, zero))
        return b.select(b.gt(x, zero), one, negative)


@elementwise
class Copysign(Elementwise):
    """The size of `a` with the sign bit of `b`."""

    name = "weld.copysign"
    arity = 2
    numpy = np.copysign
    kinds = "f"
    llvm = {"f": "@llvm.copysign"}
    idempotent = "f"


@elementwise
class Heaviside(Elementwise):
    """0 below zero, 1 above, `b` at zero, NaN for NaN."""

    name = "weld.heaviside"
    arity = 2
    numpy = np.heaviside
    kinds = "f"
    cost = 5

    @classmethod
    def expand(cls, b: Builder, *args: SSAValue) -> SSAValue | None:
        x, at_zero = args
        zero = b.constant(0, x)
        rest = b.select(b.lt(x, zero), zero, b.select(b.is_nan(x), x, at_zero))
        return b.select(b.gt(x, zero), b.constant(1, x), rest)
