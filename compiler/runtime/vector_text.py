"""Loops over vectors of floats as LLVM text, for native functions that are written by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count

TYPES = {"f4": ("float", 4), "f8": ("double", 8)}


def declarations(dtype: str, bytes_: int) -> str:
    """What the functions below call."""
    text = VectorText(dtype, bytes_)
    v, m, s = text.vector, text.mask, text.suffix
    return f"""declare {v} @llvm.fmuladd.{s}({v}, {v}, {v})
declare {v} @llvm.masked.load.{s}.p0(ptr, {m}, {v})
declare void @llvm.masked.store.{s}.p0({v}, ptr, {m})
declare {text.scalar} @llvm.vector.reduce.fadd.{s}({text.scalar}, {v})
declare i64 @llvm.smin.i64(i64, i64)
declare void @llvm.prefetch.p0(ptr, i32, i32, i32)
"""


class VectorText:
    """The text of functions on vectors of `lanes` elements, as many as a register of some bytes holds."""

    def __init__(self, dtype: str, bytes_: int):
        self.dtype = dtype
        self.scalar, self.size = TYPES[dtype]
        self.bytes = bytes_
        self.lanes = self.bytes // self.size
        self.vector, self.mask = f"<{self.lanes} x {self.scalar}>", f"<{self.lanes} x i1>"
        self.suffix = f"v{self.lanes}{'f32' if self.size == 4 else 'f64'}"
        self.lines: list[str] = []
        self.numbers: Iterator[int] = count()
        self.block = "entry"

    def function(self, head: str, body: Callable[[], None]) -> str:
        """`define HEAD`, with what `body` emits in it."""
        self.lines, self.block = [], "entry"
        body()
        return "\n".join([f"define {head} {{", "entry:", *self.lines, "  ret void", "}", ""])

    def emit(self, text: str) -> str:
        name = f"%v{next(self.numbers)}"
        self.line(f"{name} = {text}")
        return name

    def line(self, text: str) -> None:
        self.lines.append(f"  {text}")

    def start(self, label: str) -> None:
        self.lines.append(f"{label}:")
        self.block = label

    def loop(self, label: str, first: str, stop: str, step: int, body: Callable[[str], None]) -> None:
        """`body(i)` for i from `first` while it is below `stop`."""
        before, i, following = self.block, f"%{label}.i", f"%{label}.next"
        self.line(f"br label %{label}")
        self.start(label)
        self.line(f"{i} = phi i64 [ {first}, %{before} ], [ {following}, %{label}.back ]")
        more = self.emit(f"icmp slt i64 {i}, {stop}")
        self.line(f"br i1 {more}, label %{label}.body, label %{label}.end")
        self.start(f"{label}.body")
        body(i)
        self.line(f"br label %{label}.back")
        self.start(f"{label}.back")
        self.line(f"{following} = add i64 {i}, {step}")
        self.line(f"br label %{label}")
        self.start(f"{label}.end")

    def smaller(self, left: str, right: str | int) -> str:
        return self.emit(f"call i64 @llvm.smin.i64(i64 {left}, i64 {right})")

    def first_lanes(self, number: str) -> str:
        """The mask of the first `number` lanes."""
        lanes = ", ".join(f"i64 {k}" for k in range(self.lanes))
        return self.emit(f"icmp slt <{self.lanes} x i64> <{lanes}>, {self.splat('i64', number)}")

    def at(self, base: str, number: str | int, step: str | int) -> str:
        """The address of a row or column."""
        return self.emit(f"getelementptr i8, ptr {base}, i64 {self.emit(f'mul i64 {number}, {step}')}")

    def shifted(self, base: str, offset: str | int) -> str:
        """The address some bytes further."""
        return self.emit(f"getelementptr i8, ptr {base}, i64 {offset}")

    def splat(self, scalar: str, value: str) -> str:
        kind = f"<{self.lanes} x {scalar}>"
        one = self.emit(f"insertelement {kind} poison, {scalar} {value}, i64 0")
        return self.emit(f"shufflevector {kind} {one}, {kind} poison, <{self.lanes} x i32> zeroinitializer")

    def fma(self, x: str, y: str, z: str) -> str:
        """`x * y + z`, the instruction."""
        args = ", ".join(f"{self.vector} {v}" for v in (x, y, z))
        return f"call {self.vector} @llvm.fmuladd.{self.suffix}({args})"

    def store(self, value: str, place: str, mask: str | None = None) -> None:
        if mask is None:
            self.line(f"store {self.vector} {value}, ptr {place}, align {self.size}")
            return
        args = f"{self.vector} {value}, ptr align {self.size} {place}, {self.mask} {mask}"
        self.line(f"call void @llvm.masked.store.{self.suffix}.p0({args})")

    def load(self, place: str, mask: str | None = None) -> str:
        """A vector; 0 in lanes that the mask leaves out."""
        if mask is None:
            return self.emit(f"load {self.vector}, ptr {place}, align {self.size}")
        return self.emit(
            f"call {self.vector} @llvm.masked.load.{self.suffix}.p0(ptr align {self.size} {place}, "
            f"{self.mask} {mask}, {self.vector} zeroinitializer)"
        )
