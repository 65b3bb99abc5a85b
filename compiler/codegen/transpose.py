"""`loop.transpose` as LLVM text: squares of elements change rows and columns in registers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from xdsl.ir import SSAValue

from ...dialects.loop.ops import Buffer
from ...dialects.loop.transpose import Transpose
from ...dialects.weld.constant import Constant
from ...dialects.weld.types import bit_width
from .types import suffix
from .writer import FunctionText, ModuleText

Count: TypeAlias = int | str
"""How many there are: a number, or the name of a value."""


@dataclass(frozen=True)
class _Kind:
    """What a function moves: squares of `lanes` x `lanes` elements, and what is known of its sizes."""

    scalar: str
    lanes: int
    rows: int | None
    columns: int | None
    dense: tuple[bool, bool]
    """Whether the lines of the source, and of the target, follow one another without gaps."""

    @staticmethod
    def of(op: Transpose) -> _Kind:
        assert isinstance(op.source.type, Buffer)
        rows, columns = _known(op.rows), _known(op.columns)
        dense = (
            (columns is not None and _known(op.source_step) == columns),
            (rows is not None and _known(op.target_step) == rows),
        )
        return _Kind(f"i{max(bit_width(op.source.type.element), 8)}", op.lanes.value.data, rows, columns, dense)

    @property
    def symbol(self) -> str:
        sizes = ["n" if size is None else str(size) for size in (self.rows, self.columns)]
        dense = [word for word, holds in zip(("from", "to"), self.dense, strict=True) if holds]
        return ".".join(["weld.transpose", self.scalar, str(self.lanes), *sizes, *dense])


def _known(value: SSAValue) -> int | None:
    return int(value.owner.number) if isinstance(value.owner, Constant) else None


def transpose_text(w: FunctionText, op: Transpose, names: dict[SSAValue, str]) -> None:
    """A call of the function for this kind, which is made once."""
    kind = _Kind.of(op)
    if kind.symbol not in w.module.definitions:
        w.module.definitions[kind.symbol] = _define(w.module, kind)
    args = ", ".join(f"{'ptr' if isinstance(v.type, Buffer) else 'i64'} {names[v]}" for v in op.operands)
    w.line(f"call void @{kind.symbol}({args})")


def _define(module: ModuleText, kind: _Kind) -> str:
    w, lanes = FunctionText(module), kind.lanes
    rows, columns = kind.rows or "%rows", kind.columns or "%columns"

    def along(row: str, count: Count) -> None:
        _loop(w, columns, lanes, lambda column, left: _square(w, kind, (row, column), (count, left)))

    _loop(w, rows, lanes, along)
    w.line("ret void")
    arguments = "i64 %rows, i64 %columns, ptr %x, i64 %o, i64 %s, ptr %y, i64 %p, i64 %t"
    return "\n".join([f"define internal void @{kind.symbol}({arguments}) {{", "entry:", *w.lines, "}"])


def _loop(w: FunctionText, size: Count, step: int, body: Callable[[str, Count], None]) -> None:
    """`body` for 0, step, 2 * step, ... below `size`, each with what is left of it, or with `step` where it is more."""
    if isinstance(size, int) and size <= step:
        body("0", size)
        return
    label, before = w.fresh("loop"), w.block
    w.line(f"br label %{label}")
    w.start_block(label)
    counter, following = f"%{w.fresh('i')}", f"%{w.fresh('n')}"
    place = len(w.lines)
    left = w.emit(f"sub i64 {size}, {counter}")
    some = w.emit(f"icmp sgt i64 {left}, 0")
    w.line(f"br i1 {some}, label %{label}.body, label %{label}.end")
    w.start_block(f"{label}.body")
    body(counter, step if isinstance(size, int) and size % step == 0 else left)
    w.lines.insert(place, f"  {counter} = phi i64 [ 0, %{before} ], [ {following}, %{w.block} ]")
    w.line(f"{following} = add nsw i64 {counter}, {step}")
    w.line(f"br label %{label}")
    w.start_block(f"{label}.end")


def _square(w: FunctionText, kind: _Kind, start: tuple[str, str], left: tuple[Count, Count]) -> None:
    """One square: with masks that are values only where it is not whole."""
    unknown = [count for count in left if isinstance(count, str)]
    if not unknown:
        _move(w, kind, start, left)
        return
    label = w.fresh("square")
    fits = [w.emit(f"icmp sge i64 {count}, {kind.lanes}") for count in unknown]
    whole = fits[0] if len(fits) == 1 else w.emit(f"and i1 {fits[0]}, {fits[1]}")
    rows, columns = (kind.lanes if isinstance(count, str) else count for count in left)
    w.line(f"br i1 {whole}, label %{label}.whole, label %{label}.part")
    w.start_block(f"{label}.whole")
    _move(w, kind, start, (rows, columns))
    w.line(f"br label %{label}.end")
    w.start_block(f"{label}.part")
    _move(w, kind, start, left)
    w.line(f"br label %{label}.end")
    w.start_block(f"{label}.end")


@dataclass(frozen=True)
class _Lines:
    """Lines of memory, some of which exist, and their elements in registers of `lanes`: `width` of each line."""

    scalar: str
    lanes: int
    addresses: Sequence[str]
    count: Count
    length: Count
    width: int
    is_dense: bool

    def load(self, w: FunctionText) -> list[str]:
        """The registers."""
        lines, whole = self._accesses(w)
        if whole:
            return [_load(w, self.scalar, self.lanes, address, None) for address, _ in lines]
        parts = ["poison" if mask == "" else _load(w, self.scalar, self.width, a, mask) for a, mask in lines]
        width = self.width
        while width < self.lanes:
            pairs = zip(parts[0::2], parts[1::2], strict=True)
            numbers = range(2 * width)
            parts = [_shuffled(w, self.scalar, width, a, b, numbers) for a, b in pairs]
            width *= 2
        return parts

    def store(self, w: FunctionText, registers: Sequence[str]) -> None:
        lines, whole = self._accesses(w)
        if not whole:
            registers = [
                _shuffled(w, self.scalar, self.lanes, register, "poison", range(at, at + self.width))
                for register in registers
                for at in range(0, self.lanes, self.width)
            ]
        for register, (address, mask) in zip(registers, lines, strict=True):
            if mask != "":
                _store(w, self.scalar, self.lanes if whole else self.width, register, address, mask)

    def _accesses(self, w: FunctionText) -> tuple[list[tuple[str, str | None]], bool]:
        """Addresses and masks of the lines, "" where a line does not exist; or addresses of whole registers."""
        if self.is_dense and self.length == self.width and self.count == len(self.addresses):
            return [(a, None) for a in self.addresses[:: self.lanes // self.width]], True
        return [(a, self._mask(w, k)) for k, a in enumerate(self.addresses)], False

    def _mask(self, w: FunctionText, line: int) -> str | None:
        """What exists of a line: None for all of it, "" for nothing."""
        width, length = self.width, self.length
        if isinstance(self.count, int):
            if line >= self.count:
                return ""
        else:
            exists = w.emit(f"icmp slt i64 {line}, {self.count}")
            length = w.emit(f"select i1 {exists}, i64 {length}, i64 0")
        if isinstance(length, int):
            bits = ", ".join(f"i1 {'true' if k < length else 'false'}" for k in range(width))
            return None if length >= width else f"<{bits}>"
        numbers = "<" + ", ".join(f"i64 {k}" for k in range(width)) + ">"
        first = w.emit(f"insertelement <{width} x i64> poison, i64 {length}, i64 0")
        bound = w.emit(
            f"shufflevector <{width} x i64> {first}, <{width} x i64> poison, <{width} x i32> zeroinitializer"
        )
        return w.emit(f"icmp slt <{width} x i64> {numbers}, {bound}")


def _move(w: FunctionText, kind: _Kind, start: tuple[str, str], counts: tuple[Count, Count]) -> None:
    """One square: by halves of its rows where it is known to need all registers, since what loads put together need
    not be shuffled."""
    (row, column), (rows, columns), half = start, counts, kind.lanes // 2
    if isinstance(rows, int) and isinstance(columns, int) and rows > half and columns > half:
        _rectangle(w, kind, start, (rows, half))
        _rectangle(w, kind, (row, w.emit(f"add i64 {column}, {half}")), (rows, columns - half))
        return
    _rectangle(w, kind, start, counts)


def _rectangle(w: FunctionText, kind: _Kind, start: tuple[str, str], counts: tuple[Count, Count]) -> None:
    """Where a square is known to have few columns, or few rows, fewer registers hold it."""
    (row, column), (rows, columns), lanes = start, counts, kind.lanes
    width = _power(columns, lanes)
    height = _power(rows, lanes) if width == lanes else lanes
    source = _addresses(w, kind.scalar, height, "%x", "%o", "%s", row, column)
    target = _addresses(w, kind.scalar, width, "%y", "%p", "%t", column, row)
    dense = kind.dense[0] and columns == kind.columns, kind.dense[1] and rows == kind.rows
    registers = _Lines(kind.scalar, lanes, source, rows, columns, width, dense[0]).load(w)
    registers = _transposed(w, kind.scalar, lanes, registers, width)
    _Lines(kind.scalar, lanes, target, columns, rows, height, dense[1]).store(w, registers)


def _power(count: Count, most: int) -> int:
    """The least power of two that is not less than a count, if the count is known to be less than `most`."""
    return min(1 << (count - 1).bit_length(), most) if isinstance(count, int) else most


def _addresses(
    w: FunctionText, scalar: str, count: int, base: str, offset: str, step: str, row: str, column: str
) -> list[str]:
    """Of the first elements of so many rows."""
    place = w.emit(f"add i64 {w.emit(f'mul i64 {row}, {step}')}, {column}")
    found = [w.emit(f"add i64 {offset}, {place}")]
    while len(found) < count:
        found.append(w.emit(f"add i64 {found[-1]}, {step}"))
    return [w.emit(f"getelementptr {scalar}, ptr {base}, i64 {k}") for k in found]


def _load(w: FunctionText, scalar: str, lanes: int, address: str, mask: str | None) -> str:
    vector, align = f"<{lanes} x {scalar}>", int(scalar[1:]) // 8
    if mask is None:
        return w.emit(f"load {vector}, ptr {address}, align {align}")
    args = [(f"ptr align {align}", address), (f"<{lanes} x i1>", mask), (vector, "zeroinitializer")]
    return w.call(vector, f"llvm.masked.load.{suffix(scalar, lanes)}.p0", args)


def _store(w: FunctionText, scalar: str, lanes: int, value: str, address: str, mask: str | None) -> None:
    vector, align = f"<{lanes} x {scalar}>", int(scalar[1:]) // 8
    if mask is None:
        w.line(f"store {vector} {value}, ptr {address}, align {align}")
        return
    args = [(vector, value), (f"ptr align {align}", address), (f"<{lanes} x i1>", mask)]
    w.call("void", f"llvm.masked.store.{suffix(scalar, lanes)}.p0", args)


def _transposed(w: FunctionText, scalar: str, lanes: int, registers: Sequence[str], width: int) -> list[str]:
    """The registers of lines of `width` elements as those of the columns. The place of an element, in bits, is its row
    and its column. Taking every other element of all registers, the even ones first, moves the last bit to the front;
    taking turns between the two halves of all registers moves the first bit to the end."""
    found, half = list(registers), len(registers) // 2
    if width < lanes:
        for _ in range(width.bit_length() - 1):
            pairs = list(zip(found[0::2], found[1::2], strict=True))
            found = [_shuffled(w, scalar, lanes, a, b, range(odd, 2 * lanes, 2)) for odd in (0, 1) for a, b in pairs]
        return found
    for _ in range(len(registers).bit_length() - 1):
        pairs = list(zip(found[:half], found[half:], strict=True))
        turns = [k for lane in range(lanes) for k in (lane, lane + lanes)]
        found = [_shuffled(w, scalar, lanes, a, b, order) for a, b in pairs for order in (turns[:lanes], turns[lanes:])]
    return found


def _shuffled(w: FunctionText, scalar: str, lanes: int, a: str, b: str, order: Sequence[int]) -> str:
    """Elements of two vectors of so many lanes."""
    vector, numbers = f"<{lanes} x {scalar}>", ", ".join(f"i32 {k}" for k in order)
    return w.emit(f"shufflevector {vector} {a}, {vector} {b}, <{len(order)} x i32> <{numbers}>")
