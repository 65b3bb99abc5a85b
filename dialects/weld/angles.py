"""Elementwise conversion between degrees and radians."""

from __future__ import annotations

import numpy as np
from xdsl.ir import SSAValue

from .base import Builder, Elementwise, elementwise
from .types import dtype_of, scalar_of


@elementwise
class Deg2rad(Elementwise):
    """Degrees to radians: `a * (pi / 180)`, the factor computed in the element type as NumPy does."""

    name = "weld.deg2rad"
    arity = 1
    numpy = np.deg2rad
    ufuncs = (np.radians,)
    kinds = "f"

    @classmethod
    def expand(cls, b: Builder, *args: SSAValue) -> SSAValue | None:
        real = dtype_of(scalar_of(args[0])).type
        return b.mul(args[0], b.constant(real(np.pi) / real(180), args[0]))


@elementwise
class Rad2deg(Elementwise):
    """Radians to degrees: `a * (180 / pi)`, the factor computed in the element type as NumPy does."""

    name = "weld.rad2deg"
    arity = 1
    numpy = np.rad2deg
    ufuncs = (np.degrees,)
    kinds = "f"

    @classmethod
    def expand(cls, b: Builder, *args: SSAValue) -> SSAValue | None:
        real = dtype_of(scalar_of(args[0])).type
        return b.mul(args[0], b.constant(real(180) / real(np.pi), args[0]))
