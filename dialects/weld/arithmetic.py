"""Elementwise arithmetic: + - * / and negation."""

from __future__ import annotations

from typing import Any

import numpy as np
from xdsl.ir import SSAValue

from .base import Builder, Elementwise, elementwise
from .constant import splat_of
from .types import kind_of, scalar_of

NUMBERS = "fiuc"


@elementwise
class Add(Elementwise):
    """`a + b`; integers wrap around; bool is logical or."""

    name = "weld.add"
    arity = 2
    numpy = np.add
    kinds = "fiubc"
    llvm = {"f": "fadd", "i": "add", "u": "add", "b": "or"}
    commutative = True
    neutral = {"f": -0.0, "i": 0, "u": 0, "b": False}
    absorbing = {"b": True}
    idempotent = "b"


@elementwise
class Sub(Elementwise):
    """`a - b`; integers wrap around."""

    name = "weld.sub"
    arity = 2
    numpy = np.subtract
    kinds = NUMBERS
    llvm = {"f": "fsub", "i": "sub", "u": "sub"}
    neutral = {"f": 0.0, "i": 0, "u": 0}
    equal = {"i": 0, "u": 0}


@elementwise
class Mul(Elementwise):
    """`a * b`; integers wrap around; bool is logical and."""

    name = "weld.mul"
    arity = 2
    numpy = np.multiply
    kinds = "fiubc"
    llvm = {"f": "fmul", "i": "mul", "u": "mul", "b": "and"}
    commutative = True
    neutral = {"f": 1.0, "i": 1, "u": 1, "b": True}
    absorbing = {"i": 0, "u": 0, "b": False}
    idempotent = "b"


def _mul_add(a: Any, b: Any, c: Any) -> Any:
    return a * b + c


@elementwise
class MulAdd(Elementwise):
    """`a * b + c`, with one rounding where the target has an instruction for it, else with two.

    With -0.0 for c it is the rounded product, and a sum of such products adds each one without rounding it.
    """

    name = "weld.mul_add"
    arity = 3
    numpy = _mul_add
    kinds = "f"
    llvm = {"f": "@llvm.fmuladd"}

    @property
    def is_product(self) -> bool:
        """Whether the third operand is -0.0, which changes no product."""
        number = splat_of(self.args[2])
        return number is not None and bool(number == 0 and np.signbit(number))


@elementwise
class Div(Elementwise):
    """`a / b` on floats (NumPy's true_divide casts integers first)."""

    name = "weld.div"
    arity = 2
    numpy = np.true_divide
    kinds = "fc"
    llvm = {"f": "fdiv"}
    cost = 4
    neutral = {"f": 1.0}


def _quotient(a: Any, b: Any) -> Any:
    return np.true_divide(a, b)


@elementwise
class Ratio(Elementwise):
    """`a / b` that only sums are taken of: the product with `1 / b` may take its place.

    Rounded twice, such a product is less than 2 units of the last place off.
    """

    name = "weld.ratio"
    arity = 2
    numpy = _quotient
    kinds = "f"
    llvm = {"f": "fdiv"}
    cost = 4


@elementwise
class Reciprocal(Elementwise):
    """`1 / a` on floats."""

    name = "weld.reciprocal"
    arity = 1
    numpy = np.reciprocal
    kinds = "fc"
    cost = 4

    @classmethod
    def expand(cls, b: Builder, *args: SSAValue) -> SSAValue | None:
        x = args[0]
        return b.div(b.constant(1, x), x) if kind_of(scalar_of(x)) == "f" else None


@elementwise
class Neg(Elementwise):
    """`-a`; integers wrap around."""

    name = "weld.neg"
    arity = 1
    numpy = np.negative
    kinds = NUMBERS
    llvm = {"f": "fneg"}
    involution = "fiuc"

    @classmethod
    def expand(cls, b: Builder, *args: SSAValue) -> SSAValue | None:
        x = args[0]
        return b.sub(b.constant(0, x), x) if kind_of(scalar_of(x)) in "iu" else None
