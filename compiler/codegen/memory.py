"""Loads and stores as LLVM text, with masks, scattered lanes and alias scopes."""

from __future__ import annotations

from dataclasses import dataclass, field

from xdsl.ir import SSAValue

from ...dialects.loop.ops import LINE, Access, Buffer, Copy, Fill, Load, Store, lanes_of
from ...dialects.weld.constant import Constant
from ...dialects.weld.types import BOOL, bit_width, byte_width
from .gathers import gather_text
from .interleave import as_integer, strided_text
from .types import memory_text, suffix, vector_text
from .updates import update_text
from .writer import FunctionText, ModuleText

PIECE = 16
"""Bytes at whose multiples large arrays of other libraries begin, and the least that a store past the caches takes."""


@dataclass
class AliasScopes:
    """The metadata of one kernel's scopes: a domain, a scope for each name, and lists of them."""

    module: ModuleText
    kernel: str
    domain: str = ""
    scopes: dict[str, str] = field(default_factory=dict[str, str])
    lists: dict[tuple[str, ...], str] = field(default_factory=dict[tuple[str, ...], str])

    def tail(self, op: Access | Fill | Copy) -> str:
        """`, !alias.scope !3, !noalias !5` for an access, "" for one without a scope."""
        if op.scope is None:
            return ""
        text = f", !alias.scope {self._list((op.scope.data,))}"
        others = tuple(s.data for s in op.noalias.data) if op.noalias is not None else ()
        return text + (f", !noalias {self._list(others)}" if others else "")

    def _list(self, names: tuple[str, ...]) -> str:
        if names not in self.lists:
            scopes = ", ".join(self._scope(n) for n in names)
            self.lists[names] = self.module.node(f"!{{{scopes}}}")
        return self.lists[names]

    def _scope(self, name: str) -> str:
        if not self.domain:
            self.domain = self.module.node('distinct !{{self}, !"' + self.kernel + '"}')
        if name not in self.scopes:
            self.scopes[name] = self.module.node("distinct !{{self}, " + self.domain + ', !"' + name + '"}')
        return self.scopes[name]


def load_text(w: FunctionText, op: Load, names: dict[SSAValue, str], scopes: AliasScopes) -> str:
    assert isinstance(op.buffer.type, Buffer)
    element = op.buffer.type.element
    lanes, scalar = lanes_of(op.res), memory_text(element)
    tail, align = scopes.tail(op), byte_width(element)
    vector = vector_text(scalar, lanes)
    mask = names[op.mask] if op.mask is not None else None
    if lanes_of(op.offset) > 1:
        value = gather_text(w, op, names, scalar, align, tail)
    elif op.step is not None:
        first, bits = _address(w, scalar, names[op.buffer], names[op.offset]), as_integer(scalar)

        def consecutive(start: int) -> str:
            return w.emit(f"load <{lanes} x {bits}>, ptr {_address(w, bits, first, str(start))}, align {align}{tail}")

        value = strided_text(w, bits, lanes, op.step.value.data, consecutive)
        value = value if bits == scalar else w.emit(f"bitcast <{lanes} x {bits}> {value} to {vector}")
    else:
        address = _address(w, scalar, names[op.buffer], names[op.offset])
        if op.prefetch is not None:
            _prefetch(w, address, op.prefetch.value.data, lanes * align)
        if mask is None:
            value = w.emit(f"load {vector}, ptr {address}, align {align}{tail}")
        elif lanes == 1:
            value = _masked_scalar(w, scalar, address, mask, align, tail)
        else:
            symbol = f"llvm.masked.load.{suffix(scalar, lanes)}.p0"
            args = [(f"ptr align {align}", address), (f"<{lanes} x i1>", mask), (vector, "zeroinitializer")]
            value = w.call(vector, symbol, args, tail)
    if element == BOOL:
        return w.emit(f"icmp ne {vector} {value}, {'0' if lanes == 1 else 'zeroinitializer'}")
    return value


def _prefetch(w: FunctionText, address: str, ahead: int, size: int) -> None:
    """Ask for the cache lines of `size` bytes that lie `ahead` bytes further on, where there may be no memory."""
    for byte in range(ahead, ahead + size, LINE):
        place = w.emit(f"getelementptr i8, ptr {address}, i64 {byte}")
        w.call("void", "llvm.prefetch.p0", [("ptr", place), ("i32", "0"), ("i32", "2"), ("i32", "1")])


def _masked_scalar(w: FunctionText, scalar: str, address: str, mask: str, align: int, tail: str) -> str:
    vector = f"<1 x {scalar}>"
    lane = w.emit(f"insertelement <1 x i1> poison, i1 {mask}, i64 0")
    args = [(f"ptr align {align}", address), ("<1 x i1>", lane), (vector, "zeroinitializer")]
    loaded = w.call(vector, f"llvm.masked.load.{suffix_one(scalar)}.p0", args, tail)
    return w.emit(f"extractelement {vector} {loaded}, i64 0")


def suffix_one(scalar: str) -> str:
    """The mangling of a vector of one element."""
    return "v1" + suffix(scalar, 1)


def _address(w: FunctionText, scalar: str, base: str, offset: str) -> str:
    if offset == "0":
        return base
    return w.emit(f"getelementptr inbounds {scalar}, ptr {base}, i64 {offset}")


def store_text(w: FunctionText, op: Store, names: dict[SSAValue, str], scopes: AliasScopes) -> None:
    assert isinstance(op.buffer.type, Buffer)
    element = op.buffer.type.element
    lanes, scalar = lanes_of(op.value), memory_text(element)
    value = names[op.value]
    if element == BOOL:
        register = vector_text("i1", lanes)
        value = w.emit(f"zext {register} {value} to {vector_text('i8', lanes)}")
    mask = names[op.mask] if op.mask is not None else None
    tail, align = scopes.tail(op), byte_width(element)
    if op.kind.data != "set" or (lanes == 1 and mask is not None):
        update_text(w, op, names, value, scalar, element, tail)
    elif lanes_of(op.offset) > 1:
        pointers = w.emit(f"getelementptr {scalar}, ptr {names[op.buffer]}, <{lanes} x i64> {names[op.offset]}")
        args = [
            (f"<{lanes} x {scalar}>", value),
            (f"<{lanes} x ptr> align {align}", pointers),
            (f"<{lanes} x i1>", mask or "splat (i1 true)"),
        ]
        w.call("void", f"llvm.masked.scatter.{suffix(scalar, lanes)}.v{lanes}p0", args, tail)
    else:
        address = _address(w, scalar, names[op.buffer], names[op.offset])
        vector = vector_text(scalar, lanes)
        if mask is None and op.streams is not None and lanes * bit_width(element) % (8 * LINE) == 0:
            _stream(w, op, scalar, value, address, align, names[op.streams], tail)
        elif mask is None:
            w.line(f"store {vector} {value}, ptr {address}, align {align}{tail}")
        elif mask.startswith("<i1 true, i1 false"):
            # LLVM 22 stores too many bytes for the one lane that a constant mask lets through, if they were truncated.
            first = w.emit(f"extractelement {vector} {value}, i64 0")
            w.line(f"store {scalar} {first}, ptr {address}, align {align}{tail}")
        else:
            args = [(vector, value), (f"ptr align {align}", address), (f"<{lanes} x i1>", mask)]
            w.call("void", f"llvm.masked.store.{suffix(scalar, lanes)}.p0", args, tail)


def _stream(
    w: FunctionText, op: Store, scalar: str, value: str, address: str, align: int, flag: str, tail: str
) -> None:
    """Past the caches where the flag is true, in whole cache lines or, off the lines, in pieces of which the processor
    makes lines again; else a plain store."""
    assert isinstance(op.buffer.type, Buffer)
    lanes, label = lanes_of(op.value), w.fresh("stream")
    past, vector = f"{tail}, !nontemporal {w.module.one()}", f"<{lanes} x {scalar}>"
    place = w.emit(f"ptrtoint ptr {address} to i64")
    begins = [w.emit(f"icmp eq i64 {w.emit(f'and i64 {place}, {size - 1}')}, 0") for size in (PIECE, LINE)]
    w.line(f"br i1 {w.emit(f'and i1 {flag}, {begins[0]}')}, label %{label}, label %{label}.plain")
    w.start_block(label)
    w.line(f"br i1 {begins[1]}, label %{label}.lines, label %{label}.pieces")
    w.start_block(f"{label}.lines")
    w.line(f"store {vector} {value}, ptr {address}, align {LINE}{past}")
    w.line(f"br label %{label}.end")
    w.start_block(f"{label}.pieces")
    part = PIECE // byte_width(op.buffer.type.element)
    for first in range(0, lanes, part):
        numbers = ", ".join(f"i32 {first + k}" for k in range(part))
        piece = w.emit(f"shufflevector {vector} {value}, {vector} poison, <{part} x i32> <{numbers}>")
        at = w.emit(f"getelementptr inbounds {scalar}, ptr {address}, i64 {first}")
        w.line(f"store <{part} x {scalar}> {piece}, ptr {at}, align {PIECE}{past}")
    w.line(f"br label %{label}.end")
    w.start_block(f"{label}.plain")
    w.line(f"store {vector} {value}, ptr {address}, align {align}{tail}")
    w.line(f"br label %{label}.end")
    w.start_block(f"{label}.end")


def fill_text(w: FunctionText, op: Fill, names: dict[SSAValue, str], scopes: AliasScopes) -> None:
    """Zeros by `memset`; other values in registers of a cache line, and one by one at the end."""
    assert isinstance(op.buffer.type, Buffer)
    element = op.buffer.type.element
    scalar, size, tail = memory_text(element), byte_width(element), scopes.tail(op)
    value, buffer, count = names[op.value], names[op.buffer], names[op.count]
    if isinstance(op.value.owner, Constant) and _is_zero(value):
        some = w.call("i64", "llvm.smax.i64", [("i64", count), ("i64", "0")])
        bytes_ = w.emit(f"mul i64 {some}, {size}")
        w.call("void", "llvm.memset.p0.i64", [("ptr", buffer), ("i8", "0"), ("i64", bytes_), ("i1", "false")], tail)
        return
    if element == BOOL:
        value = w.emit(f"zext i1 {value} to i8")
    lanes = LINE // size
    one = w.emit(f"insertelement <{lanes} x {scalar}> poison, {scalar} {value}, i64 0")
    line = w.emit(
        f"shufflevector <{lanes} x {scalar}> {one}, <{lanes} x {scalar}> poison, <{lanes} x i32> zeroinitializer"
    )
    whole = w.emit(f"and i64 {count}, {-lanes}")
    for start, stop, step, stored in (
        ("0", whole, lanes, f"<{lanes} x {scalar}> {line}"),
        (whole, count, 1, f"{scalar} {value}"),
    ):
        label, before = w.fresh("fill"), w.block
        some = w.emit(f"icmp slt i64 {start}, {stop}")
        w.line(f"br i1 {some}, label %{label}, label %{label}.end")
        w.start_block(label)
        counter, following = f"%{w.fresh('i')}", f"%{w.fresh('n')}"
        w.line(f"{counter} = phi i64 [ {start}, %{before} ], [ {following}, %{label} ]")
        address = w.emit(f"getelementptr inbounds {scalar}, ptr {buffer}, i64 {counter}")
        w.line(f"store {stored}, ptr {address}, align {size}{tail}")
        w.line(f"{following} = add nsw i64 {counter}, {step}")
        again = w.emit(f"icmp slt i64 {following}, {stop}")
        w.line(f"br i1 {again}, label %{label}, label %{label}.end")
        w.start_block(f"{label}.end")


def _is_zero(number: str) -> bool:
    """Whether all bits of a constant's text are zero; -0.0 is not."""
    return number in ("0", "false") or (number.startswith("0x") and not number[2:].lstrip("HR").strip("0"))
