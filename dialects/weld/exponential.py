"""Elementwise exponentials and logarithms."""

from __future__ import annotations

import numpy as np

from .base import Elementwise, elementwise


@elementwise
class Exp(Elementwise):
    """The exponential."""

    name = "weld.exp"
    arity = 1
    numpy = np.exp
    kinds = "fc"
    llvm = {"f": "math exp"}
    cost = 22


@elementwise
class Exp2(Elementwise):
    """`2 ** a`."""

    name = "weld.exp2"
    arity = 1
    numpy = np.exp2
    kinds = "fc"
    llvm = {"f": "math exp2"}
    cost = 19


@elementwise
class Expm1(Elementwise):
    """`exp(a) - 1`, accurate near 0."""

    name = "weld.expm1"
    arity = 1
    numpy = np.expm1
    kinds = "fc"
    llvm = {"f": "math expm1"}
    cost = 34


@elementwise
class Log(Elementwise):
    """The natural logarithm; -inf at 0, NaN below."""

    name = "weld.log"
    arity = 1
    numpy = np.log
    kinds = "fc"
    llvm = {"f": "math log"}
    cost = 34


@elementwise
class Log2(Elementwise):
    """The logarithm to base 2."""

    name = "weld.log2"
    arity = 1
    numpy = np.log2
    kinds = "fc"
    llvm = {"f": "math log2"}
    cost = 40


@elementwise
class Log10(Elementwise):
    """The logarithm to base 10."""

    name = "weld.log10"
    arity = 1
    numpy = np.log10
    kinds = "fc"
    llvm = {"f": "math log10"}
    cost = 40


@elementwise
class Log1p(Elementwise):
    """`log(1 + a)`, accurate near 0."""

    name = "weld.log1p"
    arity = 1
    numpy = np.log1p
    kinds = "fc"
    llvm = {"f": "math log1p"}
    cost = 48


@elementwise
class Logaddexp(Elementwise):
    """`log(exp(a) + exp(b))` without overflow."""

    name = "weld.logaddexp"
    arity = 2
    numpy = np.logaddexp
    kinds = "f"
    llvm = {"f": "math logaddexp"}
    cost = 107
    commutative = True
