"""Elementwise trigonometric functions, of angles in radians, and their inverses."""

from __future__ import annotations

import numpy as np

from .base import Elementwise, elementwise


@elementwise
class Sin(Elementwise):
    """The sine; NaN for infinities."""

    name = "weld.sin"
    arity = 1
    numpy = np.sin
    kinds = "fc"
    llvm = {"f": "math sin"}
    cost = 54


@elementwise
class Cos(Elementwise):
    """The cosine; NaN for infinities."""

    name = "weld.cos"
    arity = 1
    numpy = np.cos
    kinds = "fc"
    llvm = {"f": "math cos"}
    cost = 52


@elementwise
class Tan(Elementwise):
    """The tangent; NaN for infinities."""

    name = "weld.tan"
    arity = 1
    numpy = np.tan
    kinds = "fc"
    llvm = {"f": "math tan"}
    cost = 76


@elementwise
class Asin(Elementwise):
    """The inverse sine, in [-pi/2, pi/2]; NaN outside [-1, 1]."""

    name = "weld.asin"
    arity = 1
    numpy = np.arcsin
    kinds = "fc"
    llvm = {"f": "math asin"}
    cost = 45


@elementwise
class Acos(Elementwise):
    """The inverse cosine, in [0, pi]; NaN outside [-1, 1]."""

    name = "weld.acos"
    arity = 1
    numpy = np.arccos
    kinds = "fc"
    llvm = {"f": "math acos"}
    cost = 53


@elementwise
class Atan(Elementwise):
    """The inverse tangent, in [-pi/2, pi/2]."""

    name = "weld.atan"
    arity = 1
    numpy = np.arctan
    kinds = "fc"
    llvm = {"f": "math atan"}
    cost = 34


@elementwise
class Atan2(Elementwise):
    """The angle of the point (b, a), in [-pi, pi], with the signs of zeros as in C."""

    name = "weld.atan2"
    arity = 2
    numpy = np.arctan2
    kinds = "f"
    llvm = {"f": "math atan2"}
    cost = 98
