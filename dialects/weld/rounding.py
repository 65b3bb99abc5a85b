"""Elementwise rounding to whole numbers. Integers and bools are whole already."""

from __future__ import annotations

import numpy as np
from xdsl.ir import SSAValue

from .base import Builder, Elementwise, elementwise
from .types import kind_of, scalar_of


class Rounding(Elementwise):
    """A rounding of floats that leaves other kinds alone, as in NumPy."""

    arity = 1
    kinds = "fiub"
    stable = "fiub"

    @classmethod
    def expand(cls, b: Builder, *args: SSAValue) -> SSAValue | None:
        return args[0]

    def same_as(self) -> SSAValue | None:
        return None if kind_of(scalar_of(self.res)) == "f" else self.args[0]


@elementwise
class Floor(Rounding):
    """The greatest whole number not above the value."""

    name = "weld.floor"
    numpy = np.floor
    llvm = {"f": "@llvm.floor"}


@elementwise
class Ceil(Rounding):
    """The least whole number not below the value."""

    name = "weld.ceil"
    numpy = np.ceil
    llvm = {"f": "@llvm.ceil"}


@elementwise
class Trunc(Rounding):
    """The whole number next to the value towards zero."""

    name = "weld.trunc"
    numpy = np.trunc
    llvm = {"f": "@llvm.trunc"}


@elementwise
class Rint(Elementwise):
    """The nearest whole number, the even one of two."""

    name = "weld.rint"
    arity = 1
    numpy = np.rint
    kinds = "fc"
    llvm = {"f": "@llvm.rint"}
    stable = "f"
