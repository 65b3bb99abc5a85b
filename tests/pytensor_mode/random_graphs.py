"""Random PyTensor graphs, written as source text so that a failure can be read, and what they should give: each node by
its own Python code."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytensor.tensor as pt
from fuzz.choosing import Choosing
from pytensor.graph.basic import Constant, Variable

FLOATS = ("float64", "float64", "float64", "float32", "float16")
INTEGERS = ("int64", "int64", "int32", "int8", "uint8", "bool")
SIZES = (0, 1, 2, 3, 3, 4, 5, 7, 8, 9, 17)
LIMIT = 2000
LARGEST = {"float16": 1e2, "float32": 1e3, "float64": 1e5}
"""Larger values are left out, so that errors stay small beside them."""

SMOOTH = (
    "pt.exp(pt.minimum({}, 2))", "pt.log(abs({}) + 1)", "pt.sqrt(abs({}))", "pt.sin({})", "pt.cos({})", "pt.tanh({})",
    "pt.sigmoid({})", "pt.softplus({})", "pt.log1p(abs({}))", "pt.expm1(pt.clip({}, -3, 2))", "pt.arctan({})",
    "pt.erf({})", "pt.gammaln(abs({}) + 0.5)", "pt.psi(abs({}) + 0.5)", "pt.sqr({})", "-{}", "1 / (abs({}) + 1)",
    "pt.log1mexp(-abs({}) - 0.1)", "pt.reciprocal(1 + abs({}))", "abs({})", "2 * {}", "{} ** 2",
    "(1 + abs({})) ** -0.5",
)  # fmt: skip
ROUGH = (
    "pt.floor({})", "pt.ceil({})", "pt.sgn({})", "pt.trunc({})", "pt.round({})", "pt.isnan({})", "pt.isinf({})",
    "pt.switch(pt.isnan({0}), 0, {0})",
)  # fmt: skip
WHOLE = ("abs({})", "{} // 3", "{} % 5", "pt.sgn({})", "pt.bitwise_not({})", "{0} * {0}", "{} + 1", "2 - {}", "{} / 4")
SMOOTH_PAIRS = (
    "{} + {}", "{} - {}", "{} * {}", "pt.maximum({}, {})", "pt.minimum({}, {})", "{} / (abs({}) + 1)",
    "pt.arctan2({}, abs({}) + 1)", "pt.logaddexp({}, {})", "pt.true_div({}, 2 + abs({}))", "pt.second({}, {})",
)  # fmt: skip
ROUGH_PAIRS = (
    "pt.lt({}, {})", "pt.ge({}, {})", "pt.eq({}, {})", "pt.neq({}, {})", "{} % (abs({}) + 1)", "{} // (abs({}) + 1)",
)  # fmt: skip
WHOLE_PAIRS = ("{} & {}", "{} | {}", "{} ^ {}", "{} + {}", "{} * {}", "pt.maximum({}, {})", "pt.eq({}, {})", "{} - {}")
SUMS = ("pt.sum({}, {})", "pt.mean({}, {})", "pt.max({}, {})", "pt.min({}, {})", "pt.prod(pt.tanh({}), {})")
LOGS = ("pt.logsumexp({}, {})", "pt.var({}, {})", "pt.special.softmax({}, {})", "pt.special.log_softmax({}, {})")
TESTS = ("pt.all({}, {})", "pt.any({}, {})", "pt.sum({}, {})", "pt.max({}, {})")


def expected(inputs: list[Any], outputs: list[Any], values: list[Any]) -> list[Any] | Exception:
    """What outputs are for these values of inputs, or what computing them raises."""
    known = dict(zip(inputs, values, strict=True))
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.filterwarnings("error", "out of bound index found")  # in empty results, which will raise
            return [np.asarray(evaluate(v, known)) for v in outputs]
    except Exception as error:
        return error


def evaluate(variable: Variable, known: dict[Variable, Any]) -> Any:
    """The variable's value by the Python code of the nodes that it needs; `known` has those of inputs, and gets
    more."""
    if isinstance(variable, Constant):
        return variable.data
    if variable not in known:
        node = variable.owner
        assert node is not None
        for source in node.inputs:
            known.setdefault(source, evaluate(source, known))
        storage = {v: [known[v]] for v in node.inputs} | {v: [None] for v in node.outputs}
        computed = {v: [True] for v in node.inputs} | {v: [False] for v in node.outputs}
        node.op.make_thunk(node, storage, computed, [], impl="py")()
        known.update({v: v.type.filter(storage[v][0]) for v in node.outputs})
    return known[variable]


@dataclass
class Value:
    """A variable by its name; `exact`: rounding cannot change it."""

    name: str
    variable: Any
    array: Any
    exact: bool


@dataclass
class Graph:
    """A random graph: its source, the inputs, their values for two calls, and the outputs.

    `coarsest` is the size of its least precise floats in bytes, `scale` the largest number that it computes.
    """

    source: str
    inputs: list[Any]
    calls: list[list[Any]]
    outputs: list[Any]
    coarsest: int
    scale: float


@dataclass
class Writer(Choosing):
    """A graph so far. Each line is evaluated as it is written, so that its shape and values are known."""

    seed: int
    values: list[Value] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    inputs: list[Any] = field(default_factory=list)
    calls: list[list[Any]] = field(default_factory=lambda: [[], []])
    known: dict[Variable, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng(self.seed)
        self.space: dict[str, Any] = {"pt": pt, "np": np}
        self.sizes = [(self.pick(SIZES), self.pick(SIZES)) for _ in range(3)]

    def argument(self, dtype: str) -> None:
        """An input of dims that other inputs have too; what is 1 in either call may be declared."""
        dims = [self.pick(self.sizes) for _ in range(self.pick((0, 1, 1, 2, 2, 3)))]
        dims = [(1, 1) if self.number(0, 5) == 0 else d for d in dims]
        if self.number(0, 3) == 0:
            dims = [(n, n) for n, _ in dims]
            declared = tuple(n for n, _ in dims)
        else:
            declared = tuple(1 if d == (1, 1) else None for d in dims)
        for call in (0, 1):
            self.calls[call].append(self.numbers(dtype, tuple(d[call] for d in dims)))
        name = f"x{len(self.inputs)}"
        text = f"pt.tensor({name!r}, dtype={dtype!r}, shape={declared})"
        variable = self.space[name] = eval(text, self.space)
        self.inputs.append(variable)
        self.lines.append(f"{name} = {text}")
        self.known[variable] = self.calls[0][-1]
        self.values.append(Value(name, variable, self.calls[0][-1], True))

    def numbers(self, dtype: str, shape: tuple[int, ...]) -> Any:
        """Multiples of 1/4 or small integers, in one of several layouts."""
        if dtype == "bool":
            array = self.rng.integers(0, 2, shape).astype(bool)
        elif dtype[0] == "f":
            array = np.asarray(self.rng.integers(-12, 13, shape) / 4, dtype)
            if array.size and self.number(0, 9) == 0:
                array.flat[self.number(0, array.size - 1)] = self.pick((np.nan, np.inf, -np.inf, -0.0))
        else:
            array = np.asarray(self.rng.integers(0 if dtype[0] == "u" else -5, 6, shape), dtype)
        layout = self.number(0, 5)
        if layout == 0 and array.ndim:
            array = np.asfortranarray(array)
        elif layout == 1 and array.ndim:
            array = np.repeat(array, 2, axis=-1)[..., ::2]
        elif layout == 2 and array.ndim:
            array = array[::-1]
        return np.asarray(array, dtype)

    def emit(self, text: str, *used: Value, exact: bool = False) -> None:
        """Append a line, unless PyTensor does not take it, or its value is too large."""
        try:
            variable = eval(text, self.space)
        except Exception:
            return
        found = expected([*self.known], [variable], [*self.known.values()])
        if isinstance(found, Exception):
            return
        (array,) = found
        if array.size > LIMIT or array.dtype.kind not in "fiub":
            return
        finite = array[np.isfinite(array)] if array.dtype.kind == "f" else array
        if finite.size and np.abs(finite.astype(np.float64)).max() > LARGEST.get(str(array.dtype), 1e5):
            return
        exact = exact and all(v.exact for v in used)
        if array.dtype.kind == "f" and exact:
            exact = bool(np.all(finite * 4 == np.round(finite * 4)))
        name = f"v{len(self.lines)}"
        self.lines.append(f"{name} = {text}")
        self.space[name] = variable
        self.known[variable] = array
        self.values.append(Value(name, variable, array, exact))

    def precision(self) -> tuple[int, float]:
        """Of a `Graph`."""
        floats = [v.array for v in self.values if v.array.dtype.kind == "f"]
        largest = [np.abs(a[np.isfinite(a)].astype(np.float64)).max(initial=1) for a in floats]
        return min((a.dtype.itemsize for a in floats), default=8), max(largest, default=1.0)
