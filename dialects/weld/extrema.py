"""Elementwise minima and maxima: NumPy's maximum, fmax and clip."""

from __future__ import annotations

import numpy as np
from xdsl.ir import SSAValue

from .base import Builder, Elementwise, elementwise
from .types import kind_of, scalar_of


@elementwise
class Max(Elementwise):
    """NumPy's maximum: NaN if either is NaN."""

    name = "weld.max"
    arity = 2
    numpy = np.maximum
    llvm = {"i": "@llvm.smax", "u": "@llvm.umax", "b": "or"}
    commutative = True
    neutral = dict.fromkeys("fiub", "least")
    absorbing = dict.fromkeys("iub", "greatest")
    idempotent = "fiub"

    @classmethod
    def expand(cls, b: Builder, *args: SSAValue) -> SSAValue | None:
        x, y = args
        if kind_of(scalar_of(x)) != "f":
            return None
        return b.select(b.is_nan(x), x, b.select(b.gt(x, y), x, y))


@elementwise
class Min(Elementwise):
    """NumPy's minimum: NaN if either is NaN."""

    name = "weld.min"
    arity = 2
    numpy = np.minimum
    llvm = {"i": "@llvm.smin", "u": "@llvm.umin", "b": "and"}
    commutative = True
    neutral = dict.fromkeys("fiub", "greatest")
    absorbing = dict.fromkeys("iub", "least")
    idempotent = "fiub"

    @classmethod
    def expand(cls, b: Builder, *args: SSAValue) -> SSAValue | None:
        x, y = args
        if kind_of(scalar_of(x)) != "f":
            return None
        return b.select(b.is_nan(x), x, b.select(b.lt(x, y), x, y))


@elementwise
class Fmax(Elementwise):
    """The greater one; where one is NaN, the other."""

    name = "weld.fmax"
    arity = 2
    numpy = np.fmax
    llvm = {"i": "@llvm.smax", "u": "@llvm.umax", "b": "or"}
    cost = 3
    commutative = True
    neutral = {"f": np.nan, **dict.fromkeys("iub", "least")}
    absorbing = dict.fromkeys("iub", "greatest")
    idempotent = "fiub"

    @classmethod
    def expand(cls, b: Builder, *args: SSAValue) -> SSAValue | None:
        x, y = args
        if kind_of(scalar_of(x)) != "f":
            return None
        return b.select(b.is_nan(x), y, b.select(b.lt(x, y), y, x))


@elementwise
class Fmin(Elementwise):
    """The lesser one; where one is NaN, the other."""

    name = "weld.fmin"
    arity = 2
    numpy = np.fmin
    llvm = {"i": "@llvm.smin", "u": "@llvm.umin", "b": "and"}
    cost = 3
    commutative = True
    neutral = {"f": np.nan, **dict.fromkeys("iub", "greatest")}
    absorbing = dict.fromkeys("iub", "least")
    idempotent = "fiub"

    @classmethod
    def expand(cls, b: Builder, *args: SSAValue) -> SSAValue | None:
        x, y = args
        if kind_of(scalar_of(x)) != "f":
            return None
        return b.select(b.is_nan(x), y, b.select(b.gt(x, y), y, x))


@elementwise
class Clip(Elementwise):
    """`weld.clip %x, %low, %high`: NumPy's clip, min(max(x, low), high); NaN if any of the three is NaN."""

    name = "weld.clip"
    arity = 3
    numpy = np.clip
    kinds = "fiuc"
    cost = 4

    @classmethod
    def expand(cls, b: Builder, *args: SSAValue) -> SSAValue | None:
        x, low, high = args
        return b.min(b.max(x, low), high)
