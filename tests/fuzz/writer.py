"""Writing a random program line by line: what it has so far, and how a line is added."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from fuzz.choosing import Choosing

FLOATS = ("f4", "f8")
INTS = ("i4", "i8", "i2", "u1")


@dataclass
class Value:
    """A variable of a program with the array it holds for the example; `exact`: rounding cannot change it."""

    name: str
    array: Any
    exact: bool


@dataclass
class Program:
    """A function's source and arguments.

    `terms` numbers of size `scale` at most are added up on some path; `coarsest` is the least precise dtype on the way
    to a more precise result, if there is one.
    """

    seed: int
    source: str
    arguments: list[Any]
    terms: int
    scale: float
    coarsest: str | None

    def function(self) -> Any:
        space: dict[str, Any] = {"np": np}
        exec(self.source, space)
        return space["f"]


class Writer(Choosing):
    """A program so far. Each line is evaluated with NumPy as it is written, so that shapes and values are known."""

    LIMIT = 6000

    def __init__(self, seed: int):
        self.seed = seed
        self.rng = np.random.default_rng(seed)
        self.values: list[Value] = []
        self.lines: list[str] = []
        self.inputs: list[Any] = []
        self.space: dict[str, Any] = {"np": np}
        self.terms = 1
        self.scale = 1.0
        self.coarsest: str | None = None

    # ---- choosing -------------------------------------------------------------------
    def partner(self, value: Value) -> Value:
        """A value of the same dtype that broadcasts with this one."""
        found: list[Value] = []
        for other in self.values:
            if other.array.dtype != value.array.dtype:
                continue
            try:
                shape = np.broadcast_shapes(other.array.shape, value.array.shape)
            except ValueError:
                continue
            if np.prod(shape) <= self.LIMIT:
                found.append(other)
        return self.pick(found)

    # ---- writing --------------------------------------------------------------------
    def emit(self, text: str, *used: Value, exact: bool = False, terms: int = 1) -> Value | None:
        """Append `name = text` unless the value is too large, or is not finite."""
        with np.errstate(all="ignore"):
            array = np.asarray(eval(text, self.space))
        if array.size > self.LIMIT:
            return None
        if array.dtype.kind == "f" and array.size:
            size = float(np.max(np.abs(array)))
            if not np.isfinite(size) or size > 1e4:
                return None
            self.scale = max(self.scale, size)
        name = f"v{len(self.lines)}"
        self.lines.append(f"{name} = {text}")
        self.space[name] = array
        self.terms = max(self.terms, terms)
        value = Value(name, array, exact and all(v.exact for v in used))
        self.values.append(value)
        return value

    def argument(self) -> None:
        rank = self.pick((1, 1, 2, 2, 2, 3, 3, 4))
        shape = tuple(self.pick((1, 2, 3, 5, 7, 8, 9, 16, 17, 18, 20, 33, 64, 65)) for _ in range(rank))
        while np.prod(shape) > self.LIMIT // 4:
            shape = shape[1:]
        dtype = np.dtype(self.pick((*FLOATS, *FLOATS, *INTS, "f2", "?")))
        if dtype.kind == "f":
            array = np.round(self.rng.standard_normal(shape) * 2, 3).astype(dtype)
            if dtype == np.float16:
                self.passes_through(dtype)
        elif dtype.kind == "b":
            array = self.rng.integers(0, 2, shape).astype(dtype)
        else:
            array = self.rng.integers(0 if dtype.kind == "u" else -20, 30, shape).astype(dtype)
        layout = self.number(0, 9)
        if layout == 0:
            array = np.asfortranarray(array)
        elif layout == 1:
            array = np.repeat(array, 2, axis=-1)[..., ::2]
        elif layout == 2:
            array = array[::-1]
        name = f"x{len(self.inputs)}"
        self.inputs.append(array)
        self.space[name] = array
        self.values.append(Value(name, array, True))

    def passes_through(self, dtype: Any) -> None:
        """Values of this dtype go on in another one."""
        known = np.dtype(self.coarsest or "f8")
        if dtype.itemsize < known.itemsize:
            self.coarsest = dtype.str[1:]
