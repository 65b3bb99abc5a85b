"""How matrices lie in memory, and a call of a library for them."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

DType = np.dtype[np.generic]
Options = Mapping[str, int]
"""An op's properties by name; flags that are set are 1."""

PLAIN, TRANSPOSED = 111, 112
"""Whether rows or columns are dense: CBLAS_TRANSPOSE."""


@dataclass(frozen=True)
class Layout:
    """An array's sizes, and its strides in elements."""

    shape: tuple[int, ...]
    strides: tuple[int, ...]

    @property
    def turned(self) -> Layout:
        """The matrices transposed."""
        (*batch, m, n), (*steps, down, along) = self.shape, self.strides
        return Layout((*batch, n, m), (*steps, along, down))


@dataclass(frozen=True)
class NativeForm:
    """A native function, its table of integers, and which of the operands and results it takes, in its order."""

    shim: str
    table: tuple[int, ...]
    order: tuple[int, ...]
    work: int
    """Multiplications."""


def matrix_of(x: Layout) -> tuple[int, int] | None:
    """Whether the rows or the columns of a matrix are dense, and the step from one to the next."""
    (rows, columns), (down, along) = x.shape[-2:], x.strides[-2:]
    if (along == 1 or columns == 1) and (down >= columns or rows == 1):
        return PLAIN, down if rows > 1 else columns
    if (down == 1 or rows == 1) and (along >= rows or columns == 1):
        return TRANSPOSED, along if columns > 1 else rows
    return None


def batch_of(arrays: Sequence[Layout]) -> tuple[int, list[int]]:
    """How many matrices there are, and the elements from one to the next; no matrices where the steps differ."""
    shape = arrays[0].shape[:-2]
    count = int(np.prod(shape, dtype=np.int64))
    steps = [step_of(shape, x.strides[:-2]) for x in arrays]
    if None in steps:
        return 0, [0] * len(arrays)
    return count, [step or 0 for step in steps]


def step_of(shape: Sequence[int], strides: Sequence[int]) -> int | None:
    """The elements from one to the next in some dims as if they were one; None where that differs."""
    axes = [(n, s) for n, s in zip(shape, strides, strict=True) if n != 1]
    if any(s != n2 * s2 for (_, s), (n2, s2) in itertools.pairwise(axes)):
        return None
    return axes[-1][1] if axes else 0
