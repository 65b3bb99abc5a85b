"""Elementwise comparisons and selection."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from xdsl.ir import Attribute, SSAValue
from xdsl.utils.exceptions import VerifyException

from .base import Elementwise, elementwise
from .constant import splat_of
from .types import BOOL, is_element, scalar_of, with_element


@elementwise
class Eq(Elementwise):
    """`a == b`, False where either is NaN."""

    name = "weld.eq"
    arity = 2
    numpy = np.equal
    result = "bool"
    llvm = {"f": "fcmp oeq", **dict.fromkeys("iub", "icmp eq")}
    commutative = True
    equal = dict.fromkeys("iub", True)


@elementwise
class Ne(Elementwise):
    """`a != b`, True where either is NaN."""

    name = "weld.ne"
    arity = 2
    numpy = np.not_equal
    result = "bool"
    llvm = {"f": "fcmp une", **dict.fromkeys("iub", "icmp ne")}
    commutative = True
    equal = dict.fromkeys("iub", False)


@elementwise
class Lt(Elementwise):
    """`a < b`, False where either is NaN."""

    name = "weld.lt"
    arity = 2
    numpy = np.less
    result = "bool"
    llvm = {"f": "fcmp olt", "i": "icmp slt", "u": "icmp ult", "b": "icmp ult"}
    equal = dict.fromkeys("fiub", False)


@elementwise
class Le(Elementwise):
    """`a <= b`, False where either is NaN."""

    name = "weld.le"
    arity = 2
    numpy = np.less_equal
    result = "bool"
    llvm = {"f": "fcmp ole", "i": "icmp sle", "u": "icmp ule", "b": "icmp ule"}
    equal = dict.fromkeys("iub", True)


@elementwise
class Gt(Elementwise):
    """`a > b`, False where either is NaN."""

    name = "weld.gt"
    arity = 2
    numpy = np.greater
    result = "bool"
    llvm = {"f": "fcmp ogt", "i": "icmp sgt", "u": "icmp ugt", "b": "icmp ugt"}
    equal = dict.fromkeys("fiub", False)


@elementwise
class Ge(Elementwise):
    """`a >= b`, False where either is NaN."""

    name = "weld.ge"
    arity = 2
    numpy = np.greater_equal
    result = "bool"
    llvm = {"f": "fcmp oge", "i": "icmp sge", "u": "icmp uge", "b": "icmp uge"}
    equal = dict.fromkeys("iub", True)


@elementwise
class Select(Elementwise):
    """`a where condition else b`, NumPy's three-argument where; the condition is bool."""

    name = "weld.select"
    arity = 3
    numpy = np.where
    llvm = dict.fromkeys("fiub", "select")

    def verify_operands(self, types: Sequence[Attribute]) -> None:
        if scalar_of(types[0]) != BOOL:
            raise VerifyException(f"weld.select expects a bool condition, found {types[0]}")
        if types[1] != types[2] or types[0] != with_element(types[1], BOOL):
            raise VerifyException(
                "weld.select expects operands of one shape and two of one type, found "
                + ", ".join(str(t) for t in types)
            )
        if not is_element(scalar_of(types[1])):
            raise VerifyException(f"weld.select does not take elements of type {scalar_of(types[1])}")

    def same_as(self) -> SSAValue | None:
        condition, a, b = self.args
        if a == b:
            return a
        chosen = splat_of(condition)
        return None if chosen is None else a if chosen else b
