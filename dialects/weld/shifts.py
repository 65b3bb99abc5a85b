"""Elementwise shifts. NumPy's are defined for every count; LLVM's for counts below the width only."""

from __future__ import annotations

from typing import Any

import numpy as np
from xdsl.ir import SSAValue

from .base import Builder, Elementwise, elementwise
from .constant import splat_of
from .types import bit_width, kind_of, scalar_of

INTEGERS = "iu"


def _shl(a: Any, count: Any) -> Any:
    return np.left_shift(a, count)


def _shr(a: Any, count: Any) -> Any:
    return np.right_shift(a, count)


@elementwise
class Shl(Elementwise):
    """The machine's `a << b`, unspecified unless 0 <= b < width: only what `left_shift` expands to."""

    name = "weld.shl"
    arity = 2
    numpy = _shl
    kinds = INTEGERS
    llvm = {"i": "shl", "u": "shl"}
    neutral = dict.fromkeys(INTEGERS, 0)


@elementwise
class Shr(Elementwise):
    """The machine's `a >> b`, unspecified unless 0 <= b < width: only what `right_shift` expands to."""

    name = "weld.shr"
    arity = 2
    numpy = _shr
    kinds = INTEGERS
    llvm = {"i": "ashr", "u": "lshr"}
    neutral = dict.fromkeys(INTEGERS, 0)


def _in_range(b: Builder, count: SSAValue) -> SSAValue:
    below = b.lt(count, b.constant(bit_width(scalar_of(count)), count))
    if kind_of(scalar_of(count)) == "u":
        return below
    return b.and_(below, b.ge(count, b.constant(0, count)))


def _is_safe(count: SSAValue) -> bool:
    number = splat_of(count)
    return number is not None and 0 <= int(number) < bit_width(scalar_of(count))


@elementwise
class LeftShift(Elementwise):
    """`a << b`; 0 where the count is negative or not below the width, as in NumPy."""

    name = "weld.left_shift"
    arity = 2
    numpy = np.left_shift
    kinds = INTEGERS
    cost = 5
    neutral = dict.fromkeys(INTEGERS, 0)

    @classmethod
    def expand(cls, b: Builder, *args: SSAValue) -> SSAValue | None:
        x, count = args
        if _is_safe(count):
            return b.shl(x, count)
        zero = b.constant(0, count)
        inside = _in_range(b, count)
        return b.select(inside, b.shl(x, b.select(inside, count, zero)), zero)


@elementwise
class RightShift(Elementwise):
    """`a >> b`; where the count is negative or not below the width 0, or -1 for negative `a`, as in NumPy."""

    name = "weld.right_shift"
    arity = 2
    numpy = np.right_shift
    kinds = INTEGERS
    cost = 5
    neutral = dict.fromkeys(INTEGERS, 0)

    @classmethod
    def expand(cls, b: Builder, *args: SSAValue) -> SSAValue | None:
        x, count = args
        if _is_safe(count):
            return b.shr(x, count)
        inside = _in_range(b, count)
        if kind_of(scalar_of(x)) == "i":
            return b.shr(x, b.select(inside, count, b.constant(bit_width(scalar_of(x)) - 1, count)))
        zero = b.constant(0, count)
        return b.select(inside, b.shr(x, b.select(inside, count, zero)), zero)
