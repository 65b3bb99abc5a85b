"""Elementwise bit operations on integers and logic on bools."""

from __future__ import annotations

import numpy as np
from xdsl.ir import SSAValue

from .base import Builder, Elementwise, elementwise

BITS = "iub"


@elementwise
class And(Elementwise):
    """Bitwise and; on bools, logical and."""

    name = "weld.and"
    arity = 2
    numpy = np.bitwise_and
    kinds = BITS
    llvm = dict.fromkeys(BITS, "and")
    commutative = True
    neutral = {"i": -1, "u": "greatest", "b": True}
    absorbing = dict.fromkeys(BITS, 0)
    idempotent = BITS


@elementwise
class Or(Elementwise):
    """Bitwise or; on bools, logical or."""

    name = "weld.or"
    arity = 2
    numpy = np.bitwise_or
    kinds = BITS
    llvm = dict.fromkeys(BITS, "or")
    commutative = True
    neutral = dict.fromkeys(BITS, 0)
    absorbing = {"i": -1, "u": "greatest", "b": True}
    idempotent = BITS


@elementwise
class Xor(Elementwise):
    """Bitwise exclusive or; on bools, `!=`."""

    name = "weld.xor"
    arity = 2
    numpy = np.bitwise_xor
    kinds = BITS
    llvm = dict.fromkeys(BITS, "xor")
    commutative = True
    neutral = dict.fromkeys(BITS, 0)
    equal = dict.fromkeys(BITS, 0)


@elementwise
class Not(Elementwise):
    """All bits inverted; on bools, logical not."""

    name = "weld.not"
    arity = 1
    numpy = np.invert
    kinds = BITS
    involution = BITS

    @classmethod
    def expand(cls, b: Builder, *args: SSAValue) -> SSAValue | None:
        return b.xor(args[0], b.constant(~np.int64(0), args[0]))
