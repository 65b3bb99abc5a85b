"""The kinds of lines that random graphs are made of."""

from __future__ import annotations

from typing import Any

import numpy as np
from pytensor_mode.random_graphs import (
    FLOATS,
    INTEGERS,
    LOGS,
    ROUGH,
    ROUGH_PAIRS,
    SMOOTH,
    SMOOTH_PAIRS,
    SUMS,
    TESTS,
    WHOLE,
    WHOLE_PAIRS,
    Graph,
    Value,
    Writer,
)


class Generator(Writer):
    """Writes one graph."""

    def elementwise(self) -> None:
        kind = self.pick(("smooth", "smooth", "rough", "whole"))
        value = self.one("f" if kind != "whole" else "iub", exact=kind == "rough")
        if value is not None:
            texts = {"smooth": SMOOTH, "rough": ROUGH, "whole": WHOLE}[kind]
            self.emit(self.pick(texts).format(value.name), value, exact=kind != "smooth")

    def pair(self) -> None:
        kind = self.pick(("smooth", "smooth", "rough", "whole"))
        kinds = "iub" if kind == "whole" else "fiub"
        a, b = (self.one(kinds, exact=kind == "rough") for _ in range(2))
        if a is None or b is None:
            return
        left, right = a.name, b.name
        if a.array.ndim == 1 and b.array.ndim == 1 and self.number(0, 2) == 0:
            left, right = f"{left}[:, None]", f"{right}[None]"
        texts = {"smooth": SMOOTH_PAIRS, "rough": ROUGH_PAIRS, "whole": WHOLE_PAIRS}[kind]
        text = self.pick(texts)
        self.emit(text.format(left, right), a, b, exact=kind != "smooth" or text in SMOOTH_PAIRS[:5])

    def choice(self) -> None:
        condition = self.one("biu") or self.one("f", exact=True)
        a, b = self.one("fiub"), self.one("fiub")
        if condition is not None and a is not None and b is not None:
            text = self.pick(("pt.switch({}, {}, {})", "pt.switch({}, {}, 0)", "pt.switch({}, 1.5, {})"))
            self.emit(text.format(condition.name, a.name, b.name), condition, a, b, exact=True)

    def cast(self) -> None:
        value = self.one("fiub", exact=True)
        if value is None or not np.all(np.isfinite(value.array)):
            return
        dtype = self.pick((*FLOATS, *INTEGERS))
        inner = f"abs({value.name})" if dtype == "uint8" and value.array.dtype.kind != "b" else value.name
        self.emit(f"pt.cast({inner}, {dtype!r})", value, exact=True)

    def axis(self, value: Value) -> Any:
        rank = value.array.ndim
        if self.number(0, 3) == 0 or rank == 0:
            return None
        axes = [k for k in range(rank) if self.number(0, 1)]
        return tuple(axes) if len(axes) > 1 else self.number(-rank, rank - 1)

    def reduction(self) -> None:
        value = self.one("fiub")
        if value is None:
            return
        texts = SUMS + LOGS if value.array.dtype.kind == "f" else TESTS
        text, axis = self.pick(texts), self.axis(value)
        if text in LOGS[2:] and not isinstance(axis, int):
            axis = None
        keep = self.number(0, 2) == 0 and text not in LOGS[2:]
        text = text.format(value.name, f"axis={axis}" + (", keepdims=True" if keep else ""))
        self.emit(text, value, exact=value.array.dtype.kind != "f" or text.startswith(("pt.max", "pt.min")))

    def position(self) -> None:
        value = self.one("fiub", rank=1, exact=True)
        if value is not None:
            axis = self.pick((None, self.number(0, value.array.ndim - 1)))
            self.emit(f"pt.argmax({value.name}, axis={axis})", value, exact=True)

    def running(self) -> None:
        value = self.one("fi", rank=1)
        if value is not None:
            text = self.pick(("pt.cumsum({}, {})", "pt.cumprod(pt.tanh({}), {})", "pt.diff({}, axis={})"))
            axis = self.number(0, value.array.ndim - 1)
            self.emit(text.format(value.name, axis), value, exact=value.array.dtype.kind == "i")

    def shape(self) -> None:
        value = self.one("fiub")
        if value is None:
            return
        name, rank = value.name, value.array.ndim
        if rank == 0:
            return self.emit(f"{name}[None]", value, exact=True)
        axis = self.number(0, rank - 1)
        texts = [
            f"{name}.T", f"{name}.flatten()", f"{name}.reshape((-1, {name}.shape[{axis}]))", f"{name}[..., None]",
            f"pt.expand_dims({name}, {axis})", f"{name}.transpose({tuple(map(int, self.rng.permutation(rank)))})",
            f"pt.stack([{name}, {name}], axis={axis})", f"pt.join({axis}, {name}, {name})", f"pt.zeros_like({name})",
            f"pt.arange({name}.shape[{axis}])", f"{name}.shape[{axis}] * 2", f"pt.cast({name}.size, 'float64')",
            f"pt.repeat({name}, 2, axis={axis})", f"pt.moveaxis({name}, {axis}, 0)", f"{name}.shape",
            f"pt.alloc({name}, 2, *{name}.shape)", f"pt.eye({name}.shape[0], 3)", f"pt.diag({name})",
            f"pt.split({name}, [1, {name}.shape[{axis}] - 1], 2, axis={axis})[{self.number(0, 1)}]",
            f"pt.tile({name}, 2)", f"pt.flip({name}, {axis})", f"pt.roll({name}, 1, axis={axis})",
            f"pt.pad({name}, 1)", f"pt.tril({name})", f"pt.extract_diag({name})", f"pt.squeeze({name})",
        ]  # fmt: skip
        return self.emit(self.pick(texts), value, exact=True)

    def bound(self, size: int) -> str:
        return self.pick(("", "", str(self.number(-size - 2, size + 2))))

    def index(self, value: Value) -> str:
        """A text for the brackets."""
        entries: list[str] = []
        for size in value.array.shape[: self.number(1, value.array.ndim)]:
            kind = self.number(0, 6)
            other = self.one("iu", exact=True)
            if kind <= 1:
                step = self.pick(("", "", "2", "-1", "-2", "3"))
                entries.append(f"{self.bound(size)}:{self.bound(size)}:{step}")
            elif kind == 2:
                entries.append(str(self.number(-size, size - 1)) if size else ":")
            elif kind == 3:
                entries.append(str(self.rng.integers(-size, size, self.number(1, 4)).tolist()) if size else ":")
            elif kind == 4:
                entries.append(f"np.array({self.rng.integers(0, 2, size).astype(bool).tolist()}, bool)")
            elif kind == 5 and other is not None and size:
                entries.append(f"{other.name} % {size}")
            else:
                entries.append(":")
        return ", ".join(entries)

    def subtensor(self) -> None:
        value = self.one("fiub", rank=1)
        if value is not None:
            self.emit(f"{value.name}[{self.index(value)}]", value, exact=True)

    def update(self) -> None:
        value = self.one("fiu", rank=1)
        if value is None:
            return
        part = f"{value.name}[{self.index(value)}]"
        given = self.one(value.array.dtype.kind)
        texts = ["pt.set_subtensor({0}, 2)", "pt.inc_subtensor({0}, 1)", "pt.inc_subtensor({0}, abs({0}))"]
        if given is not None:
            texts += [f"pt.inc_subtensor({{0}}, {given.name})", f"pt.set_subtensor({{0}}, {given.name}.sum())"]
        self.emit(self.pick(texts).format(part), value, *([given] if given else []), exact=True)

    def product(self) -> None:
        a, b = self.one("f", rank=1), self.one("f", rank=1)
        if a is not None and b is not None:
            text = self.pick(("pt.dot({}, {})", "{} @ {}", "pt.dot({}, {}.T)", "pt.outer({}, {})"))
            self.emit(text.format(a.name, b.name), a, b)

    def gradient(self) -> None:
        """Of a smooth value with respect to an input."""
        value, given = self.one("f"), self.pick(self.values)
        if value is not None and given.name.startswith("x") and given.array.dtype.kind == "f":
            self.emit(f"pt.grad({value.name}.sum(), {given.name}, disconnected_inputs='raise')", value, given)


STEPS = (
    "elementwise", "elementwise", "pair", "pair", "pair", "choice", "cast", "reduction", "reduction", "position",
    "running", "shape", "shape", "subtensor", "subtensor", "update", "update", "product", "gradient",
)  # fmt: skip


def graph(seed: int) -> Graph:
    """The graph of this number."""
    writer = Generator(seed)
    for _ in range(writer.number(1, 3)):
        writer.argument(writer.pick((*FLOATS, *INTEGERS)) if writer.number(0, 1) else "float64")
    for _ in range(writer.number(3, 14)):
        getattr(writer, writer.pick(STEPS))()
    made = [v for v in writer.values if v.name.startswith("v")]
    count = min(len(made), writer.number(1, 3))
    chosen = [made[-1 - k] for k in range(count)] if made else writer.values[-1:]
    lines = [*writer.lines, f"outputs = [{', '.join(v.name for v in chosen)}]"]
    return Graph("\n".join(lines), writer.inputs, writer.calls, [v.variable for v in chosen], *writer.precision())
