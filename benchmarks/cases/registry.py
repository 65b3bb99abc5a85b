"""What a case is: a function of NumPy code, its inputs for the sizes S, M and L, and what a call has to do."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from math import prod
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
Function = Callable[..., Any]
Operations = Mapping[str, float | Callable[..., float]]
Inputs = Callable[[str, np.random.Generator], list[Array]]

ELEMENTS = {"S": 1 << 12, "M": 1 << 20}
LARGE = 64 << 20
"""Bytes of the largest array of size L: more than caches hold."""


def _prange() -> Any:
    try:
        return import_module("numba").prange
    except ImportError:
        return range


prange = _prange()
"""The outer loops of what `Case.loops` takes: numba spreads them over threads."""


@dataclass
class Case:
    """`function(xp, *inputs)` is written in NumPy's words, `xp` is NumPy or a library with the same words.

    `operations` counts, for each of the `work` elements, vector math functions by name, "gather", "update" and "flop";
    a count that is a function takes the inputs and is for all of them. `forms` holds what a peer needs instead.
    """

    name: str
    kind: str
    function: Function
    inputs: Inputs
    operations: Operations
    dtype: str
    sizes: str
    tolerance: float
    work: Callable[..., int] | None
    read: Callable[..., int] | None
    forms: dict[str, Function] = field(default_factory=dict[str, Function])

    def form(self, *peers: str) -> Function:
        """The function for a peer, the first of its names that has one."""
        return next((self.forms[peer] for peer in peers if peer in self.forms), self.function)

    def elements(self, inputs: list[Any]) -> int:
        return self.work(*inputs) if self.work else max(a.size for a in inputs)

    def count(self, inputs: list[Any]) -> dict[str, float]:
        """The operations of a call."""
        work = self.elements(inputs)
        return {name: float(n(*inputs) if callable(n) else n * work) for name, n in self.operations.items()}

    def bytes_read(self, inputs: list[Any]) -> int:
        return self.read(*inputs) if self.read else sum(a.nbytes for a in inputs)

    def loops(self, function: Function) -> Function:
        """Adds the loops that one writes for numba: of the inputs, the outputs and the number of threads."""
        self.forms["numba"] = function
        return function

    def instead(self, *peers: str) -> Callable[[Function], Function]:
        """Adds what a user of that peer writes instead."""

        def add(function: Function) -> Function:
            self.forms.update(dict.fromkeys(peers, function))
            return function

        return add


CASES: dict[str, Case] = {}


def case(
    name: str,
    kind: str,
    inputs: Inputs,
    operations: Operations,
    dtype: str = "float32",
    sizes: str = "SML",
    tolerance: float | None = None,
    work: Callable[..., int] | None = None,
    read: Callable[..., int] | None = None,
) -> Callable[[Function], Case]:
    """Adds a case. The tolerance is relative to the largest element of a result."""

    def add(function: Function) -> Case:
        bound = tolerance or {"float32": 2e-4, "float64": 1e-9}[dtype]
        CASES[name] = Case(name, kind, function, inputs, operations, dtype, sizes, bound, work, read)
        return CASES[name]

    return add


# ---- inputs --------------------------------------------------------------------------
def count(size: str, dtype: str) -> int:
    """Elements of the largest array."""
    return ELEMENTS.get(size) or LARGE // np.dtype(dtype).itemsize


BLOCK = 1 << 20
"""Numbers after which long arrays repeat themselves, so that they are quickly made."""


def normal(rng: np.random.Generator, *shape: int, dtype: str = "float32") -> Array:
    kind: Any = np.dtype(dtype).type
    return np.resize(rng.standard_normal(min(prod(shape), BLOCK), kind), shape)


def uniform(rng: np.random.Generator, n: int, dtype: str, low: float, high: float) -> Array:
    return np.resize((rng.random(min(n, BLOCK)) * (high - low) + low).astype(dtype), n)


def vectors(number: int, dtype: str = "float32", low: float | None = None, high: float = 1.0) -> Inputs:
    """Normal numbers, or uniform ones between two limits."""

    def make(size: str, rng: np.random.Generator) -> list[Array]:
        n = count(size, dtype)
        if low is None:
            return [normal(rng, n, dtype=dtype) for _ in range(number)]
        return [uniform(rng, n, dtype, low, high) for _ in range(number)]

    return make


def matrices(number: int, columns: int, weights: int = 0) -> Inputs:
    """float32 matrices with so many columns, then vectors of a row's length near 1."""

    def make(size: str, rng: np.random.Generator) -> list[Array]:
        rows = max(count(size, "float32") // columns, 4)
        full = [normal(rng, rows, columns) for _ in range(number)]
        return full + [1 + normal(rng, columns) * np.float32(0.1) for _ in range(weights)]

    return make
