"""Updates of memory lane by lane: `+=` and the like at computed positions, some of which may be the same."""

from __future__ import annotations

from collections.abc import Callable

from xdsl.ir import Attribute, SSAValue

from ...dialects.loop.ops import Store, lanes_of
from ...dialects.weld.types import kind_of
from .types import memory_text
from .writer import FunctionText

_UNROLL = 4
"""Lanes that one step of a loop updates where no lane is left out."""


def update_text(
    w: FunctionText,
    op: Store,
    names: dict[SSAValue, str],
    value: str,
    scalar: str,
    element: Attribute,
    mask: str | None,
    tail: str,
) -> None:
    """Combine lane by lane with what is in memory, in lane order; without tests where no lane is left out."""
    lanes = lanes_of(op.value)
    offset = names[op.offset]
    if lanes == 1:
        label = w.fresh("update")
        _guarded_update(w, op, names, value, scalar, element, offset, mask or "true", tail, f"{label}.end")
        return
    values, offsets = _spill(w, scalar, lanes, value), _spill(w, "i64", lanes, offset)

    def at(lane: str, masks: str | None, done: str) -> None:
        position = _lane(w, "i64", offsets, lane)
        number = _lane(w, scalar, values, lane)
        keep = w.emit(f"icmp ne i8 {_lane(w, 'i8', masks, lane)}, 0") if masks else "true"
        _guarded_update(w, op, names, number, scalar, element, position, keep, tail, done)

    label = w.fresh("lanes")
    if mask is not None:
        word = w.emit(f"bitcast <{lanes} x i1> {mask} to i{lanes}")
        every = w.emit(f"icmp eq i{lanes} {word}, -1")
        w.line(f"br i1 {every}, label %{label}.all, label %{label}.some")
        w.start_block(f"{label}.some")
        masks = _spill(w, "i8", lanes, w.emit(f"zext <{lanes} x i1> {mask} to <{lanes} x i8>"))
        _each_lane(w, lanes, 1, lambda lane, done: at(lane, masks, done))
        w.line(f"br label %{label}.end")
        w.start_block(f"{label}.all")
    _each_lane(w, lanes, _UNROLL if lanes % _UNROLL == 0 else 1, lambda lane, _: at(lane, None, ""))
    w.line(f"br label %{label}.end")
    w.start_block(f"{label}.end")


def _each_lane(w: FunctionText, lanes: int, unroll: int, update: Callable[[str, str], None]) -> None:
    """A loop over lanes, `unroll` at a time; `update` gets the lane and a block that it may go on to."""
    label, before = w.fresh("lane"), w.block
    w.line(f"br label %{label}")
    w.start_block(label)
    lane, following = f"%{w.fresh()}", f"%{w.fresh()}"
    w.line(f"{lane} = phi i64 [ 0, %{before} ], [ {following}, %{label}.next ]")
    for k in range(unroll):
        update(w.emit(f"add nuw nsw i64 {lane}, {k}") if k else lane, f"{label}.next")
    if w.block != f"{label}.next":
        w.line(f"br label %{label}.next")
        w.start_block(f"{label}.next")
    w.line(f"{following} = add nuw nsw i64 {lane}, {unroll}")
    again = w.emit(f"icmp ult i64 {following}, {lanes}")
    w.line(f"br i1 {again}, label %{label}, label %{label}.end")
    w.start_block(f"{label}.end")


def _spill(w: FunctionText, scalar: str, lanes: int, register: str) -> str:
    """The lanes in memory."""
    memory = w.alloca(f"[{lanes} x {scalar}]")
    w.line(f"store <{lanes} x {scalar}> {register}, ptr {memory}, align 64")
    return memory


def _lane(w: FunctionText, scalar: str, memory: str, lane: str) -> str:
    address = w.emit(f"getelementptr inbounds {scalar}, ptr {memory}, i64 {lane}")
    return w.emit(f"load {scalar}, ptr {address}")


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
