"""Updates of memory lane by lane: `+=` and the like at computed positions, some of which may be the same."""

from __future__ import annotations

from collections.abc import Callable

from xdsl.ir import Attribute, SSAValue

from ...dialects.loop.ops import Store, lanes_of
from ...dialects.weld.types import byte_width, kind_of
from .lanes import branch, cuts, lane, positions, spill
from .types import memory_text
from .writer import FunctionText

PIECE = 32
"""Bytes of a store whose parts are loaded again at once: from one of 64 that took a third longer (Zen 4)."""


def update_text(
    w: FunctionText, op: Store, names: dict[SSAValue, str], value: str, scalar: str, element: Attribute, tail: str
) -> None:
    """Combine lane by lane with what is in memory, in lane order; without tests where no lane is left out."""
    lanes, mask = lanes_of(op.value), op.mask
    if lanes == 1:
        keep = names[mask] if mask is not None else "true"
        _guarded_update(w, op, names, value, scalar, element, names[op.offset], keep, tail, f"{w.fresh('update')}.end")
        return
    if cuts(mask):
        _some(w, op, names, value, scalar, element, tail)
        return
    whole, position = positions(w, op, names)
    label = w.fresh("lanes")
    if whole is not None:
        branch(w, lanes, whole, f"{label}.all", f"{label}.some")
        w.start_block(f"{label}.some")
        _some(w, op, names, value, scalar, element, tail)
        w.line(f"br label %{label}.end")
        w.start_block(f"{label}.all")
    update = _pieces(w, scalar, lanes, value, byte_width(element))
    for k in range(lanes):
        _guarded_update(w, op, names, update(k), scalar, element, position(k), "true", tail, "")
    if whole is not None:
        w.line(f"br label %{label}.end")
        w.start_block(f"{label}.end")


def _some(
    w: FunctionText, op: Store, names: dict[SSAValue, str], value: str, scalar: str, element: Attribute, tail: str
) -> None:
    """A loop over the lanes, with a test of each."""
    lanes = lanes_of(op.value)
    values, offsets = spill(w, scalar, lanes, value), spill(w, "i64", lanes, names[op.offset])
    bits = w.emit(f"zext <{lanes} x i1> {names[op.mask]} to <{lanes} x i8>") if op.mask is not None else "splat (i8 1)"
    masks = spill(w, "i8", lanes, bits)
    label, before = w.fresh("lane"), w.block
    w.line(f"br label %{label}")
    w.start_block(label)
    k, following = f"%{w.fresh()}", f"%{w.fresh()}"
    w.line(f"{k} = phi i64 [ 0, %{before} ], [ {following}, %{label}.next ]")
    keep = w.emit(f"icmp ne i8 {lane(w, 'i8', masks, k)}, 0")
    update, position = lane(w, scalar, values, k), lane(w, "i64", offsets, k)
    _guarded_update(w, op, names, update, scalar, element, position, keep, tail, f"{label}.next")
    w.line(f"{following} = add nuw nsw i64 {k}, 1")
    again = w.emit(f"icmp ult i64 {following}, {lanes}")
    w.line(f"br i1 {again}, label %{label}, label %{label}.end")
    w.start_block(f"{label}.end")


def _pieces(w: FunctionText, scalar: str, lanes: int, register: str, width: int) -> Callable[[int], str]:
    """The lanes by way of pieces on the stack."""
    size = min(PIECE // width, lanes)
    kind, pieces = f"<{lanes} x {scalar}>", list[str]()
    for first in range(0, lanes, size):
        numbers = ", ".join(f"i32 {first + k}" for k in range(size))
        piece = w.emit(f"shufflevector {kind} {register}, {kind} poison, <{size} x i32> <{numbers}>")
        pieces.append(spill(w, scalar, size, piece))
    return lambda k: lane(w, scalar, pieces[k // size], str(k % size))


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
    """Combine with one element where `keep` is true, then go on in the block `done`; with "" always and here."""
    if done:
        do = w.fresh("do")
        w.line(f"br i1 {keep}, label %{do}, label %{done}")
        w.start_block(do)
    address = w.emit(f"getelementptr {scalar}, ptr {names[op.buffer]}, i64 {offset}")
    if op.kind.data != "set":
        old = w.emit(f"load {scalar}, ptr {address}{tail}")
        value = _combined(w, op.kind.data, old, value, element)
    w.line(f"store {scalar} {value}, ptr {address}{tail}")
    if done:
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
