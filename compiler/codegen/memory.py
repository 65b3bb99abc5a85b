"""Loads and stores as LLVM text, with masks, scattered lanes and alias scopes."""

from __future__ import annotations

from dataclasses import dataclass, field

from xdsl.ir import Attribute, SSAValue

from ...dialects.loop.ops import Access, Buffer, Copy, Fill, Load, Store, lanes_of
from ...dialects.weld.types import BOOL, bit_width, kind_of
from .types import memory_text, suffix, vector_text
from .writer import FunctionText, ModuleText

LINE = 64
"""Bytes of a cache line."""


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
    tail, align = scopes.tail(op), max(bit_width(element) // 8, 1)
    vector = vector_text(scalar, lanes)
    mask = names[op.mask] if op.mask is not None else None
    if lanes_of(op.offset) > 1:
        value = _gather(w, op, names, scalar, lanes, mask, align, tail)
    else:
        address = _address(w, scalar, names[op.buffer], names[op.offset])
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


def _gather(
    w: FunctionText,
    op: Load,
    names: dict[SSAValue, str],
    scalar: str,
    lanes: int,
    mask: str | None,
    align: int,
    tail: str,
) -> str:
    vector = vector_text(scalar, lanes)
    pointers = w.emit(f"getelementptr {scalar}, ptr {names[op.buffer]}, <{lanes} x i64> {names[op.offset]}")
    inside = mask or "splat (i1 true)"
    args = [
        (f"<{lanes} x ptr> align {align}", pointers),
        (f"<{lanes} x i1>", inside),
        (vector, "zeroinitializer"),
    ]
    return w.call(vector, f"llvm.masked.gather.{suffix(scalar, lanes)}.v{lanes}p0", args, tail)


def store_text(w: FunctionText, op: Store, names: dict[SSAValue, str], scopes: AliasScopes) -> None:
    assert isinstance(op.buffer.type, Buffer)
    element = op.buffer.type.element
    lanes, scalar = lanes_of(op.value), memory_text(element)
    value = names[op.value]
    if element == BOOL:
        register = vector_text("i1", lanes)
        value = w.emit(f"zext {register} {value} to {vector_text('i8', lanes)}")
    mask = names[op.mask] if op.mask is not None else None
    tail, align = scopes.tail(op), max(bit_width(element) // 8, 1)
    if op.kind.data != "set" or (lanes == 1 and mask is not None):
        _update(w, op, names, value, scalar, element, mask, tail)
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
            _stream(w, f"{vector} {value}", address, align, names[op.streams], tail)
        elif mask is None:
            w.line(f"store {vector} {value}, ptr {address}, align {align}{tail}")
        else:
            args = [(vector, value), (f"ptr align {align}", address), (f"<{lanes} x i1>", mask)]
            w.call("void", f"llvm.masked.store.{suffix(scalar, lanes)}.p0", args, tail)


def _stream(w: FunctionText, value: str, address: str, align: int, flag: str, tail: str) -> None:
    """Whole cache lines past the caches where the flag is true; else, and off the lines, a plain store."""
    label = w.fresh("stream")
    place = w.emit(f"ptrtoint ptr {address} to i64")
    within = w.emit(f"and i64 {place}, {LINE - 1}")
    whole = w.emit(f"icmp eq i64 {within}, 0")
    both = w.emit(f"and i1 {flag}, {whole}")
    w.line(f"br i1 {both}, label %{label}, label %{label}.plain")
    w.start_block(label)
    w.line(f"store {value}, ptr {address}, align {LINE}{tail}, !nontemporal {w.module.one()}")
    w.line(f"br label %{label}.end")
    w.start_block(f"{label}.plain")
    w.line(f"store {value}, ptr {address}, align {align}{tail}")
    w.line(f"br label %{label}.end")
    w.start_block(f"{label}.end")


def _update(
    w: FunctionText,
    op: Store,
    names: dict[SSAValue, str],
    value: str,
    scalar: str,
    element: Attribute,
    mask: str | None,
    tail: str,
) -> None:
    """Combine lane by lane with what is in memory, in lane order."""
    lanes = lanes_of(op.value)
    offset = names[op.offset]
    if lanes > 1:
        value, offset, mask = _spill(w, scalar, lanes, value, offset, mask)
        label, before = w.fresh("lane"), w.block
        w.line(f"br label %{label}")
        w.start_block(label)
        lane = f"%{w.fresh()}"
        following = f"%{w.fresh()}"
        w.line(f"{lane} = phi i64 [ 0, %{before} ], [ {following}, %{label}.next ]")
        parts = [
            w.emit(f"getelementptr inbounds {t}, ptr {a}, i64 {lane}")
            for t, a in (("i64", offset), (scalar, value), ("i8", mask or ""))
            if a
        ]
        position = w.emit(f"load i64, ptr {parts[0]}")
        number = w.emit(f"load {scalar}, ptr {parts[1]}")
        test = w.emit(f"load i8, ptr {parts[2]}") if mask else None
        keep = w.emit(f"icmp ne i8 {test}, 0") if test else "true"
        _guarded_update(w, op, names, number, scalar, element, position, keep, tail, f"{label}.next")
        w.line(f"{following} = add nuw nsw i64 {lane}, 1")
        again = w.emit(f"icmp ult i64 {following}, {lanes}")
        w.line(f"br i1 {again}, label %{label}, label %{label}.end")
        w.start_block(f"{label}.end")
        return
    label = w.fresh("update")
    _guarded_update(w, op, names, value, scalar, element, offset, mask or "true", tail, f"{label}.end")


def _spill(
    w: FunctionText, scalar: str, lanes: int, value: str, offset: str, mask: str | None
) -> tuple[str, str, str | None]:
    """The lanes of value, offset and mask in memory."""
    values, offsets = w.alloca(f"[{lanes} x {scalar}]"), w.alloca(f"[{lanes} x i64]")
    w.line(f"store <{lanes} x {scalar}> {value}, ptr {values}, align 64")
    w.line(f"store <{lanes} x i64> {offset}, ptr {offsets}, align 64")
    if mask is None:
        return values, offsets, None
    masks = w.alloca(f"[{lanes} x i8]")
    bytes_ = w.emit(f"zext <{lanes} x i1> {mask} to <{lanes} x i8>")
    w.line(f"store <{lanes} x i8> {bytes_}, ptr {masks}, align 64")
    return values, offsets, masks


def _guarded_update(
    w: FunctionText,
    op: Store,
    names: dict[SSAValue, str],
    value: str,
    scalar: str,
    element: Attribute,
    offset: str,
    keep: str,
    tail: str,
    done: str,
) -> None:
    do = w.fresh("do")
    w.line(f"br i1 {keep}, label %{do}, label %{done}")
    w.start_block(do)
    address = w.emit(f"getelementptr {scalar}, ptr {names[op.buffer]}, i64 {offset}")
    if op.kind.data != "set":
        old = w.emit(f"load {scalar}, ptr {address}{tail}")
        value = _combined(w, op.kind.data, old, value, element)
    w.line(f"store {scalar} {value}, ptr {address}{tail}")
    w.line(f"br label %{done}")
    w.start_block(done)


def _combined(w: FunctionText, kind: str, old: str, new: str, element: Attribute) -> str:
    """`old op new` for one element as it is in memory."""
    text, what = memory_text(element), kind_of(element)
    if kind in ("add", "mul"):
        word = {"add": "fadd", "mul": "fmul"}[kind] if what == "f" else kind
        if what == "b":
            word = "or" if kind == "add" else "and"
        return w.emit(f"{word} {text} {old}, {new}")
    if kind in ("and", "or", "xor"):
        return w.emit(f"{kind} {text} {old}, {new}")
    if what == "f":
        greater = w.emit(f"fcmp {'ogt' if kind == 'max' else 'olt'} {text} {old}, {new}")
        nan = w.emit(f"fcmp uno {text} {old}, {old}")
        keep = w.emit(f"or i1 {greater}, {nan}")
    else:
        sign = "s" if what == "i" else "u"
        keep = w.emit(f"icmp {sign}{'gt' if kind == 'max' else 'lt'} {text} {old}, {new}")
    return w.emit(f"select i1 {keep}, {text} {old}, {text} {new}")
