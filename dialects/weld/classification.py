"""Elementwise tests of one value: is it NaN, infinite, finite, negative."""

from __future__ import annotations

import numpy as np
from xdsl.ir import SSAValue

from .base import Builder, Elementwise, elementwise
from .types import BOOL, kind_of, scalar_of, with_element


def _always(cls: type[Elementwise], b: Builder, x: SSAValue) -> SSAValue | None:
    """The constant that `always` states for the operand's kind."""
    kind = kind_of(scalar_of(x))
    return b.constant(cls.always[kind], with_element(x.type, BOOL)) if kind in cls.always else None


@elementwise
class IsNan(Elementwise):
    """Whether the value is NaN; no integer is."""

    name = "weld.is_nan"
    arity = 1
    numpy = np.isnan
    result = "bool"
    always = dict.fromkeys("iub", False)
    llvm = {"f": "fcmp uno"}

    @classmethod
    def expand(cls, b: Builder, *args: SSAValue) -> SSAValue | None:
        return _always(cls, b, args[0])


@elementwise
class IsInf(Elementwise):
    """Whether the value is inf or -inf; no integer is."""

    name = "weld.is_inf"
    arity = 1
    numpy = np.isinf
    result = "bool"
    always = dict.fromkeys("iub", False)
    cost = 2

    @classmethod
    def expand(cls, b: Builder, *args: SSAValue) -> SSAValue | None:
        x = args[0]
        if kind_of(scalar_of(x)) == "f":
            return b.eq(b.abs(x), b.constant(np.inf, x))
        return _always(cls, b, x)


@elementwise
class IsFinite(Elementwise):
    """Whether the value is neither infinite nor NaN; every integer is."""

    name = "weld.is_finite"
    arity = 1
    numpy = np.isfinite
    result = "bool"
    always = dict.fromkeys("iub", True)
    cost = 2

    @classmethod
    def expand(cls, b: Builder, *args: SSAValue) -> SSAValue | None:
        x = args[0]
        if kind_of(scalar_of(x)) == "f":
            return b.lt(b.abs(x), b.constant(np.inf, x))
        return _always(cls, b, x)


@elementwise
class Signbit(Elementwise):
    """Whether the sign bit is set: negative values, -0.0 and NaN with that bit."""

    name = "weld.signbit"
    arity = 1
    numpy = np.signbit
    kinds = "f"
    result = "bool"
    cost = 2

    @classmethod
    def expand(cls, b: Builder, *args: SSAValue) -> SSAValue | None:
        x = args[0]
        return b.lt(b.copysign(b.constant(1, x), x), b.constant(0, x))
