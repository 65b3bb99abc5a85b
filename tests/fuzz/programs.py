"""Random programs: plain Python functions of NumPy calls, written as source text so that a failure can be read."""

from __future__ import annotations

from typing import Any

import numpy as np
from fuzz.writer import FLOATS, Program, Value, Writer

UNARY = (
    "np.negative({})",
    "np.abs({})",
    "np.sin({})",
    "np.cos({})",
    "np.tanh({})",
    "np.exp(np.minimum({}, 2))",
    "np.exp2(np.clip({}, -3, 3))",
    "np.log(np.abs({}) + 1)",
    "np.sqrt(np.abs({}))",
    "np.arctan({})",
    "np.square(np.clip({}, -9, 9))",
    "1 / (1 + np.abs({}))",
    "np.log1p(np.abs({}))",
    "np.expm1(np.clip({}, -2, 2))",
)
BINARY = (
    "{} + {}",
    "{} - {}",
    "{} * np.tanh({})",
    "np.maximum({}, {})",
    "np.minimum({}, {})",
    "{} / (np.abs({}) + 1)",
    "np.arctan2({}, np.abs({}) + 1)",
    "np.hypot({}, {})",
    "({} + {}) * 0.5",
)
INT_UNARY = ("np.abs({} // 3)", "{} % 7", "{} ^ 5", "{} & 15", "{} | 2", "{} >> 1", "~({} & 63)", "({} & 7) << 2")
INT_BINARY = ("({} & 31) + ({} & 31)", "({} & 31) - ({} & 31)", "{} ^ {}", "np.maximum({}, {})", "({} & 7) * ({} & 7)")
"""Integer ops, most of which keep values small, so that casts of them to floats say something."""
ROUGH = ("np.floor({} * 2)", "np.rint({})", "np.sign({})", "np.trunc({})")
"""Ops whose result jumps: they are applied only to values that are known exactly."""


class Generator(Writer):
    """Writes one program, op by op."""

    def unary(self) -> None:
        value = self.one()
        if value is not None:
            self.emit(self.pick(UNARY).format(value.name), value)

    def binary(self) -> None:
        value = self.one()
        if value is not None:
            other = self.partner(value)
            self.emit(self.pick(BINARY).format(value.name, other.name), value, other)

    def rough(self) -> None:
        value = self.one(exact=True)
        if value is not None:
            self.emit(self.pick(ROUGH).format(value.name), value, exact=True)

    def integer(self) -> None:
        value = self.one("iu")
        if value is None:
            return
        if self.number(0, 1):
            self.emit(self.pick(INT_UNARY).format(value.name), value, exact=True)
        else:
            other = self.partner(value)
            self.emit(self.pick(INT_BINARY).format(value.name, other.name), value, other, exact=True)

    def compare(self) -> None:
        value = self.one("fiu", exact=True)
        if value is not None:
            other = self.partner(value)
            if other.exact:
                sign = self.pick(("<", "<=", ">", "==", "!="))
                self.emit(f"{value.name} {sign} {other.name}", value, other, exact=True)

    def select(self) -> None:
        condition, value = self.one("b"), self.one("fiu")
        if condition is None or value is None:
            return
        other = self.partner(value)
        try:
            np.broadcast_shapes(condition.array.shape, value.array.shape, other.array.shape)
        except ValueError:
            return
        self.emit(f"np.where({condition.name}, {value.name}, {other.name})", condition, value, other, exact=True)

    def cast(self) -> None:
        value = self.one("fiub")
        if value is None:
            return
        if value.array.dtype.kind == "f" and not value.exact:
            if self.emit(f"{value.name}.astype('{self.pick(FLOATS)}')", value) is not None:
                self.passes_through(value.array.dtype)
        else:
            self.emit(f"{value.name}.astype('{self.pick(FLOATS + ('i4', 'i8'))}')", value, exact=True)

    def reduction(self) -> None:
        value = self.one("fiub", rank=1)
        if value is None or not value.array.size:
            return
        rank = value.array.ndim
        axes = tuple(k for k in range(rank) if self.number(0, 1))
        axis: Any = None if not axes else axes[0] if len(axes) == 1 else axes
        keep = bool(self.number(0, 1))
        count = int(np.prod([value.array.shape[k] for k in axes])) if axes else value.array.size
        kind = self.pick(("sum", "mean", "max", "min", "sum", "max", "var", "std", "any", "all", "argmax", "argmin"))
        if kind in ("argmax", "argmin"):
            axis = axis if isinstance(axis, int) else None
            if value.exact:
                self.emit(f"np.{kind}({value.name}, axis={axis})", value, exact=True)
            return
        if kind in ("any", "all") and not value.exact:
            kind = "max"
        whole = value.array.dtype.kind in "iub" and kind not in ("mean", "var", "std")
        exact = whole or kind in ("max", "min")
        text = f"np.{kind}({value.name}, axis={axis}, keepdims={keep})"
        self.emit(text, value, exact=exact, terms=1 if exact else count)

    def normalise(self) -> None:
        value = self.one(rank=1)
        if value is None or not value.array.size:
            return
        x, axis = value.name, self.number(0, value.array.ndim - 1)
        count = value.array.shape[axis]
        if self.number(0, 1):
            top = self.emit(f"np.exp({x} - {x}.max(axis={axis}, keepdims=True))", value)
            if top is not None:
                self.emit(f"{top.name} / {top.name}.sum(axis={axis}, keepdims=True)", top, terms=count)
        else:
            shifted = self.emit(f"{x} - {x}.mean(axis={axis}, keepdims=True)", value, terms=count)
            if shifted is not None:
                y = shifted.name
                self.emit(f"{y} / np.sqrt(({y} * {y}).mean(axis={axis}, keepdims=True) + 1)", shifted, terms=count)

    def view(self) -> None:
        value = self.one("fiub", rank=1)
        if value is None:
            return
        x, shape = value.name, value.array.shape
        axis = self.number(0, len(shape) - 1)
        size = shape[axis]
        before = ":, " * axis
        start, step = self.number(0, max(size // 2, 0)), self.pick((1, 1, 2, 3, -1))
        options = [
            f"{x}.T",
            f"np.flip({x}, {axis})",
            f"{x}[{before}{start}::{step}]" if step > 0 else f"{x}[{before}::{step}]",
            f"{x}[{before}:{max(size - 1, 1)}]",
            f"np.expand_dims({x}, {axis})",
            f"np.swapaxes({x}, 0, {axis})",
            f"{x}.reshape(-1)",
        ]
        if size:
            options.append(f"{x}[{before}{self.number(-size, size - 1)}]")
        text = self.pick(options)
        if "expand_dims" in text and len(shape) > 4:
            return
        self.emit(text, value, exact=True)

    def reshape(self) -> None:
        value = self.one("fiub", rank=1)
        if value is None or not value.array.size:
            return
        left, shape = value.array.size, []
        while left > 1 and len(shape) < 3:
            size = self.pick([n for n in range(1, min(left, 70) + 1) if left % n == 0])
            shape.append(size)
            left //= size
        shape.append(left)
        self.emit(f"{value.name}.reshape({tuple(shape)})", value, exact=True)

    def join(self) -> None:
        value = self.one("fiu", rank=1)
        if value is None:
            return
        axis = self.number(0, value.array.ndim - 1)
        same = [
            v
            for v in self.values
            if v.array.dtype == value.array.dtype
            and v.array.ndim == value.array.ndim
            and all(a == b for k, (a, b) in enumerate(zip(v.array.shape, value.array.shape, strict=True)) if k != axis)
        ]
        parts = [self.pick(same) for _ in range(self.number(1, 2))] + [value]
        names = ", ".join(p.name for p in parts)
        self.emit(f"np.concatenate([{names}], axis={axis})", *parts, exact=True)

    def shift(self) -> None:
        value = self.one("fiu", rank=1)
        if value is None:
            return
        rank = value.array.ndim
        axis = self.number(0, rank - 1)
        if self.number(0, 1):
            self.emit(f"np.roll({value.name}, {self.number(-5, 5)}, axis={axis})", value, exact=True)
            return
        widths = [(self.number(0, 2), self.number(0, 2)) if k == axis else (0, 0) for k in range(rank)]
        self.emit(f"np.pad({value.name}, {widths}, constant_values={self.number(0, 2)})", value, exact=True)

    def gather(self) -> None:
        value, index = self.one("fiu", rank=1), self.one("i", rank=1)
        if value is None or index is None or not value.array.shape[0]:
            return
        x, size = value.name, value.array.shape[0]
        text = f"{x}[{index.name} % {size}]" if self.number(0, 1) else f"{x}[{index.name} % {size} - {size}]"
        if index.array.ndim + value.array.ndim <= 5:
            self.emit(text, value, index, exact=True)

    def gather_points(self) -> None:
        """Two indices at once, or one element of each row."""
        value, index = self.one("fiu", rank=2), self.one("i", rank=1)
        if value is None or index is None or value.array.ndim != 2 or not value.array.size:
            return
        x, i, (rows, columns) = value.name, index.name, value.array.shape
        self.emit(f"{x}[{i} % {rows}, ({i} + {self.number(0, 9)}) % {columns}]", value, index, exact=True)
        if index.array.shape[0] == rows and index.array.ndim == 1:
            self.emit(f"np.take_along_axis({x}, ({i} % {columns})[:, None], 1)", value, index, exact=True)

    def scatter(self) -> None:
        """Updates of zeros at repeated indices."""
        value, index = self.one("fiu", rank=1), self.one("i", rank=1)
        if value is None or index is None or index.array.shape != value.array.shape[:1]:
            return
        size = self.pick((5, 17, 40))
        kind = self.pick(("add", "maximum", "minimum"))
        name, shape = f"z{len(self.lines)}", (size, *value.array.shape[1:])
        self.lines.append(f"{name} = np.zeros({shape}, {value.name}.dtype, like={value.name})")
        self.lines.append(f"np.{kind}.at({name}, {index.name} % {size} - {size // 2}, {value.name})")
        for line in self.lines[-2:]:
            exec(line, self.space)
        exact = kind != "add" or value.array.dtype.kind != "f"
        self.emit(f"{name} + 0", value, index, exact=exact, terms=1 if exact else value.array.shape[0])

    def library(self) -> None:
        """A call between kernels."""
        value = self.one("f", rank=1)
        if value is None or not value.array.size or value.array.dtype == np.float16:
            return
        axis = self.number(0, value.array.ndim - 1)
        if self.number(0, 1):
            self.emit(f"np.cumsum({value.name}, axis={axis})", value, terms=value.array.shape[axis])
        else:
            self.emit(f"np.sort({value.name}, axis={axis})", value, exact=True)

    def broadcast(self) -> None:
        value = self.one("fiu")
        if value is not None and value.array.ndim < 4:
            shape = (self.pick((1, 2, 3, 17)), *value.array.shape)
            self.emit(f"np.broadcast_to({value.name}, {shape})", value, exact=True)

    def gated(self, value: Value) -> Value:
        """The value, or in its place a number or another value, by a condition on all of an array of as many elements;
        or an expression of that."""
        size, kinds = value.array.size, "fiu"
        of = [v for v in self.values if v.exact and v.array.dtype.kind in kinds and v.array.size == size]
        if size < 2 or not of or value.array.dtype.kind not in kinds or self.number(0, 1):
            return value
        other = self.pick(of)
        limit = other.array.reshape(-1)[self.number(0, size - 1)]
        limit = f"np.{limit.dtype.name}({limit})"
        test = f"({other.name} {self.pick(('<', '<=', '>', '!='))} {limit}).{self.pick(('all', 'any'))}()"
        number = f"np.{value.array.dtype.name}({self.number(0, 3)})"
        others = [v for v in self.values if v.array.dtype == value.array.dtype and v.array.shape == value.array.shape]
        partner = self.pick(others)
        second = partner.name if not self.number(0, 2) else number
        values = (value.name, second) if self.number(0, 3) else (second, value.name)
        gate = self.emit(f"np.where({test}, {', '.join(values)})", value, partner, exact=True)
        if gate is None or value.array.dtype.kind != "f" or self.number(0, 1):
            return gate or value
        text = self.pick(("{} - {}", "np.maximum({}, {})", "np.tanh({}) * {}"))
        return self.emit(text.format(gate.name, partner.name), gate, partner) or gate

    OPS = (
        "unary binary reduction view reshape join shift gather broadcast select compare cast integer rough "
        "normalise unary binary reduction view binary gather_points scatter library"
    ).split()

    def program(self) -> Program:
        """A program of 5 to 40 lines and 1 to 4 results."""
        for _ in range(self.number(1, 3)):
            self.argument()
        wanted = self.number(5, 40)
        for _ in range(20 * wanted):
            if len(self.lines) >= wanted:
                break
            getattr(self, self.pick(self.OPS))()
        results = [self.values[-1], *(self.pick(self.values) for _ in range(self.number(0, 3)))]
        results = [self.gated(value) for value in results]
        names = ", ".join(f"x{k}" for k in range(len(self.inputs)))
        body = "\n".join(f"    {line}" for line in self.lines)
        source = f"def f({names}):\n{body}\n    return [{', '.join(v.name for v in results)}]\n"
        return Program(self.seed, source, self.inputs, self.terms, self.scale, self.coarsest)


def program(seed: int) -> Program:
    """The program of a seed: always the same one."""
    return Generator(seed).program()
