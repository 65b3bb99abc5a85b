"""Elementwise special functions: the error function, gamma functions, and smooth steps."""

from __future__ import annotations

from . import special_functions
from .base import Elementwise, elementwise


@elementwise
class Erf(Elementwise):
    """The error function."""

    name = "weld.erf"
    arity = 1
    numpy = special_functions.erf
    scipy = "erf"
    kinds = "f"
    llvm = {"f": "math erf"}
    cost = 48


@elementwise
class Erfc(Elementwise):
    """`1 - erf(a)`, accurate far right of 0."""

    name = "weld.erfc"
    arity = 1
    numpy = special_functions.erfc
    scipy = "erfc"
    kinds = "f"
    llvm = {"f": "math erfc"}
    cost = 116


@elementwise
class Erfcx(Elementwise):
    """`exp(a * a) * erfc(a)`, the scaled complementary error function."""

    name = "weld.erfcx"
    arity = 1
    numpy = special_functions.erfcx
    scipy = "erfcx"
    kinds = "f"
    llvm = {"f": "math erfcx"}
    cost = 240


@elementwise
class Erfinv(Elementwise):
    """The inverse error function; infinite at -1 and 1, NaN outside."""

    name = "weld.erfinv"
    arity = 1
    numpy = special_functions.erfinv
    scipy = "erfinv"
    kinds = "f"
    llvm = {"f": "math erfinv"}
    cost = 500


@elementwise
class Lgamma(Elementwise):
    """The logarithm of the absolute value of the gamma function; inf at -inf and at 0, -1, -2, ..."""

    name = "weld.lgamma"
    arity = 1
    numpy = special_functions.lgamma
    scipy = "gammaln"
    kinds = "f"
    llvm = {"f": "math lgamma"}
    cost = 770


@elementwise
class Digamma(Elementwise):
    """The derivative of the logarithm of gamma; NaN at -1, -2, ..., infinite at 0 against the zero's sign."""

    name = "weld.digamma"
    arity = 1
    numpy = special_functions.digamma
    scipy = "psi"
    kinds = "f"
    llvm = {"f": "math digamma"}
    cost = 435


@elementwise
class Sigmoid(Elementwise):
    """`1 / (1 + exp(-a))`."""

    name = "weld.sigmoid"
    arity = 1
    numpy = special_functions.sigmoid
    scipy = "expit"
    kinds = "f"
    llvm = {"f": "math sigmoid"}
    cost = 57


@elementwise
class Softplus(Elementwise):
    """`log(1 + exp(a))` without overflow."""

    name = "weld.softplus"
    arity = 1
    numpy = special_functions.softplus
    kinds = "f"
    llvm = {"f": "math softplus"}
    cost = 84
