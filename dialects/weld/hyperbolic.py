"""Elementwise hyperbolic functions and their inverses."""

from __future__ import annotations

import numpy as np

from .base import Elementwise, elementwise


@elementwise
class Sinh(Elementwise):
    """The hyperbolic sine."""

    name = "weld.sinh"
    arity = 1
    numpy = np.sinh
    kinds = "fc"
    llvm = {"f": "math sinh"}
    cost = 52


@elementwise
class Cosh(Elementwise):
    """The hyperbolic cosine."""

    name = "weld.cosh"
    arity = 1
    numpy = np.cosh
    kinds = "fc"
    llvm = {"f": "math cosh"}
    cost = 39


@elementwise
class Tanh(Elementwise):
    """The hyperbolic tangent."""

    name = "weld.tanh"
    arity = 1
    numpy = np.tanh
    kinds = "fc"
    llvm = {"f": "math tanh"}
    cost = 50


@elementwise
class Asinh(Elementwise):
    """The inverse hyperbolic sine."""

    name = "weld.asinh"
    arity = 1
    numpy = np.arcsinh
    kinds = "fc"
    llvm = {"f": "math asinh"}
    cost = 140


@elementwise
class Acosh(Elementwise):
    """The inverse hyperbolic cosine; NaN below 1."""

    name = "weld.acosh"
    arity = 1
    numpy = np.arccosh
    kinds = "fc"
    llvm = {"f": "math acosh"}
    cost = 124


@elementwise
class Atanh(Elementwise):
    """The inverse hyperbolic tangent; NaN outside [-1, 1]."""

    name = "weld.atanh"
    arity = 1
    numpy = np.arctanh
    kinds = "fc"
    llvm = {"f": "math atanh"}
    cost = 75
