"""`loop.transpose` as LLVM text: squares of elements change rows and columns in registers."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from xdsl.ir import SSAValue

from ...dialects.loop.ops import Buffer
from ...dialects.loop.transpose import Transpose
from ...dialects.weld.types import bit_width
from .types import suffix
from .writer import FunctionText, ModuleText


def transpose_text(w: FunctionText, op: Transpose, names: dict[SSAValue, str]) -> None:
    """A call of the function for elements of this size, which is made once."""
    assert isinstance(op.source.type, Buffer)
    scalar, lanes = f"i{max(bit_width(op.source.type.element), 8)}", op.lanes.value.data
    symbol = f"weld.transpose.{scalar}.{lanes}"
    if symbol not in w.module.definitions:
        w.module.definitions[symbol] = _define(w.module, symbol, scalar, lanes)
    args = ", ".join(f"{'ptr' if isinstance(v.type, Buffer) else 'i64'} {names[v]}" for v in op.operands)
    w.line(f"call void @{symbol}({args})")


def _define(module: ModuleText, symbol: str, scalar: str, lanes: int) -> str:
    w = FunctionText(module)

    def columns(row: str, rows: str) -> None:
        _loop(w, "%columns", lanes, lambda column, left: _square(w, scalar, lanes, (row, column), (rows, left)))

    _loop(w, "%rows", lanes, columns)
    w.line("ret void")
    header = (
        f"define internal void @{symbol}(i64 %rows, i64 %columns, ptr %x, i64 %o, i64 %s, ptr %y, i64 %p, i64 %t) {{"
    )
    return "\n".join([header, "entry:", *w.lines, "}"])


def _loop(w: FunctionText, size: str, step: int, body: Callable[[str, str], None]) -> None:
    """`body` for 0, step, 2 * step, ... below `size`, each with what is left of it."""
    label, before = w.fresh("loop"), w.block
    w.line(f"br label %{label}")
    w.start_block(label)
    counter, following = f"%{w.fresh('i')}", f"%{w.fresh('n')}"
    place = len(w.lines)
    left = w.emit(f"sub i64 {size}, {counter}")
    some = w.emit(f"icmp sgt i64 {left}, 0")
    w.line(f"br i1 {some}, label %{label}.body, label %{label}.end")
    w.start_block(f"{label}.body")
    body(counter, left)
    w.lines.insert(place, f"  {counter} = phi i64 [ 0, %{before} ], [ {following}, %{w.block} ]")
    w.line(f"{following} = add nsw i64 {counter}, {step}")
    w.line(f"br label %{label}")
    w.start_block(f"{label}.end")


def _square(w: FunctionText, scalar: str, lanes: int, start: tuple[str, str], left: tuple[str, str]) -> None:
    """One square: without masks where it is whole."""
    label = w.fresh("square")
    fits = [w.emit(f"icmp sge i64 {count}, {lanes}") for count in left]
    whole = w.emit(f"and i1 {fits[0]}, {fits[1]}")
    w.line(f"br i1 {whole}, label %{label}.whole, label %{label}.part")
    w.start_block(f"{label}.whole")
    _move(w, scalar, lanes, start, None)
    w.line(f"br label %{label}.end")
    w.start_block(f"{label}.part")
    _move(w, scalar, lanes, start, left)
    w.line(f"br label %{label}.end")
    w.start_block(f"{label}.end")


def _move(w: FunctionText, scalar: str, lanes: int, start: tuple[str, str], left: tuple[str, str] | None) -> None:
    row, column = start
    masks = _masks(w, lanes, *left) if left is not None else None
    source = _addresses(w, scalar, lanes, "%x", "%o", "%s", row, column)
    values = [_load(w, scalar, lanes, a, masks[0][k] if masks else None) for k, a in enumerate(source)]
    values = _transposed(w, scalar, values)
    target = _addresses(w, scalar, lanes, "%y", "%p", "%t", column, row)
    for k, (value, address) in enumerate(zip(values, target, strict=True)):
        _store(w, scalar, lanes, value, address, masks[1][k] if masks else None)


def _addresses(
    w: FunctionText, scalar: str, lanes: int, base: str, offset: str, step: str, row: str, column: str
) -> list[str]:
    """Of the first elements of `lanes` rows."""
    place = w.emit(f"add i64 {w.emit(f'mul i64 {row}, {step}')}, {column}")
    found = [w.emit(f"add i64 {offset}, {place}")]
    while len(found) < lanes:
        found.append(w.emit(f"add i64 {found[-1]}, {step}"))
    return [w.emit(f"getelementptr {scalar}, ptr {base}, i64 {k}") for k in found]


def _masks(w: FunctionText, lanes: int, rows: str, columns: str) -> tuple[list[str], list[str]]:
    """What exists of each row, and of each column."""
    return _part(w, lanes, rows, columns), _part(w, lanes, columns, rows)


def _part(w: FunctionText, lanes: int, count: str, length: str) -> list[str]:
    """Masks of the first `length` lanes for the first `count` of the rows, and empty ones for the others."""
    found: list[str] = []
    numbers = "<" + ", ".join(f"i64 {k}" for k in range(lanes)) + ">"
    for k in range(lanes):
        exists = w.emit(f"icmp slt i64 {k}, {count}")
        within = w.emit(f"select i1 {exists}, i64 {length}, i64 0")
        first = w.emit(f"insertelement <{lanes} x i64> poison, i64 {within}, i64 0")
        bound = w.emit(
            f"shufflevector <{lanes} x i64> {first}, <{lanes} x i64> poison, <{lanes} x i32> zeroinitializer"
        )
        found.append(w.emit(f"icmp slt <{lanes} x i64> {numbers}, {bound}"))
    return found


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


def _transposed(w: FunctionText, scalar: str, rows: Sequence[str]) -> list[str]:
    """The columns of a square: log2(n) times every row is interleaved with the one half the square further on."""
    lanes = len(rows)
    half, vector = lanes // 2, f"<{lanes} x {scalar}>"
    found = list(rows)
    for _ in range(lanes.bit_length() - 1):
        pairs = zip(found[:half], found[half:], strict=True)
        found = [
            w.emit(f"shufflevector {vector} {a}, {vector} {b}, {_interleaved(start, half, lanes)}")
            for a, b in pairs
            for start in (0, half)
        ]
    return found


def _interleaved(start: int, half: int, lanes: int) -> str:
    """The mask that takes lanes in turn from two vectors, from lane `start` on."""
    numbers = [k for lane in range(start, start + half) for k in (lane, lane + lanes)]
    return f"<{lanes} x i32> <" + ", ".join(f"i32 {k}" for k in numbers) + ">"
