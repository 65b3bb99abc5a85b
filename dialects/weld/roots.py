"""Elementwise roots and lengths: sqrt, rsqrt, cbrt, hypot."""

from __future__ import annotations

from typing import Any

import numpy as np

from .base import Elementwise, elementwise


def _rsqrt(x: Any) -> Any:
    return np.reciprocal(np.sqrt(x))


@elementwise
class Sqrt(Elementwise):
    """The square root; NaN below zero."""

    name = "weld.sqrt"
    arity = 1
    numpy = np.sqrt
    kinds = "fc"
    llvm = {"f": "@llvm.sqrt"}
    cost = 4


@elementwise
class Rsqrt(Elementwise):
    """`1 / sqrt(a)`; inf at 0.0, -inf at -0.0."""

    name = "weld.rsqrt"
    arity = 1
    numpy = _rsqrt
    kinds = "f"
    llvm = {"f": "math rsqrt"}
    cost = 23


@elementwise
class Cbrt(Elementwise):
    """The cube root, also of negative values."""

    name = "weld.cbrt"
    arity = 1
    numpy = np.cbrt
    kinds = "f"
    llvm = {"f": "math cbrt"}
    cost = 52


@elementwise
class Hypot(Elementwise):
    """`sqrt(a * a + b * b)` without overflow; inf if either is infinite, even beside NaN."""

    name = "weld.hypot"
    arity = 2
    numpy = np.hypot
    kinds = "f"
    llvm = {"f": "math hypot"}
    cost = 51
    commutative = True
