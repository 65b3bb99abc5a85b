"""A compiled program as data: what the runtime needs to call it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...dialects.expr import Expr


@dataclass(frozen=True)
class ArraySpec:
    """An input or output: symbolic shape, dtype, and how it lies in memory."""

    name: str
    dtype: np.dtype[Any]
    shape: tuple[Expr, ...]
    strides: tuple[Expr, ...] | None = None
    """In elements; None where the elements are dense, row-major in `order`."""
    order: tuple[int, ...] | None = None
    """The axes by their strides, the largest one first; None where that is their own order."""

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Pickle copies dtypes. Native entries know them by their addresses, so it must be NumPy's own again."""
        self.__dict__.update(state, dtype=np.dtype(state["dtype"].str))

    def is_met(self, array: Any) -> bool:
        """Whether an array of the shape is dense, its axes in the order that the spec says."""
        flags = array.flags if self.order is None else array.transpose(self.order).flags
        return flags.c_contiguous and flags.aligned

    def steps(self, shape: Sequence[int]) -> tuple[int, ...]:
        """The strides in bytes of a dense array of this shape, its axes in the order that the spec says."""
        found, step = [0] * len(shape), self.dtype.itemsize
        for axis in reversed(range(len(shape)) if self.order is None else self.order):
            found[axis] = step
            step *= max(shape[axis], 1)
        return tuple(found)


@dataclass(frozen=True)
class NativeStep:
    """A function `void f(ptr places, ptr symbols)`: which places and symbols it takes."""

    symbol: str
    places: tuple[int, ...]
    symbols: tuple[str, ...]


@dataclass(frozen=True)
class Routine:
    """A native function: its name in `routines.ROUTINES`, the positions of its operands among the step's, and its
    options; flags that are set are 1."""

    name: str
    operands: tuple[int, ...]
    options: dict[str, int]


@dataclass(frozen=True)
class LibraryStep:
    """A library call on arrays: `run(arrays, size)` gives its results. Operands and results are places."""

    name: str
    run: Callable[[Sequence[Any], Callable[[Expr], int]], Sequence[Any]]
    operands: tuple[int, ...]
    results: tuple[int, ...]
    views: dict[int, ArraySpec] = field(default_factory=dict[int, ArraySpec])
    """How each operand and result sees its place, by position (operands first)."""
    routine: Routine | None = None
    """The native function that does the same, for arrays that lie in memory as it takes them."""


@dataclass(frozen=True)
class CheckSpec:
    """A flag in memory after the run; when it is set the call raises."""

    place: int
    message: str
    exception: str


@dataclass(frozen=True)
class ProgramSpec:
    """Places are numbered: inputs, constants, outputs, slots of the arena."""

    inputs: tuple[ArraySpec, ...]
    constants: tuple[Any, ...]
    outputs: tuple[ArraySpec, ...]
    slots: tuple[Expr, ...]
    steps: tuple[NativeStep | LibraryStep, ...]
    checks: tuple[CheckSpec, ...]
    donations: tuple[tuple[int, int], ...] = ()
    """(output, input) pairs: where that output may lie in that input's memory."""
