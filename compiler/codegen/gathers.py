"""Loads from computed positions: gather instructions, or loads of single lanes."""

from __future__ import annotations

from xdsl.ir import SSAValue

from ...dialects.loop.ops import Load, Store, lanes_of
from .lanes import Positions, branch, cuts, positions
from .types import suffix
from .writer import FunctionText


def gather_text(w: FunctionText, op: Load, names: dict[SSAValue, str], scalar: str, align: int, tail: str) -> str:
    """The elements at a vector of offsets; 0 in lanes that the mask leaves out.

    Beside updates lane by lane these are loads lane by lane: a gather instruction would keep the processor from going
    ahead to the updates of later lanes, which wait for memory as well. And from what the first-level cache holds.
    """
    if cuts(op.mask) or not (op.singly or _is_beside_updates(op)):
        return _instruction(w, op, names, scalar, align, tail)
    lanes, base = lanes_of(op.res), names[op.buffer]
    mask, position = positions(w, op, names)
    if mask is None:
        return _each(w, scalar, lanes, base, position, align, tail)
    label = w.fresh("gather")
    branch(w, lanes, mask, f"{label}.all", f"{label}.some")
    w.start_block(f"{label}.some")
    some = _instruction(w, op, names, scalar, align, tail)
    w.line(f"br label %{label}.end")
    w.start_block(f"{label}.all")
    every = _each(w, scalar, lanes, base, position, align, tail)
    w.line(f"br label %{label}.end")
    w.start_block(f"{label}.end")
    return w.emit(f"phi <{lanes} x {scalar}> [ {every}, %{label}.all ], [ {some}, %{label}.some ]")


def _is_beside_updates(op: Load) -> bool:
    block = op.parent_block()
    stores = [other for other in block.ops if isinstance(other, Store)] if block is not None else []
    return any(store.kind.data != "set" and lanes_of(store.offset) > 1 for store in stores)


def _each(w: FunctionText, scalar: str, lanes: int, base: str, position: Positions, align: int, tail: str) -> str:
    value = "poison"
    for k in range(lanes):
        address = w.emit(f"getelementptr {scalar}, ptr {base}, i64 {position(k)}")
        element = w.emit(f"load {scalar}, ptr {address}, align {align}{tail}")
        value = w.emit(f"insertelement <{lanes} x {scalar}> {value}, {scalar} {element}, i64 {k}")
    return value


def _instruction(w: FunctionText, op: Load, names: dict[SSAValue, str], scalar: str, align: int, tail: str) -> str:
    lanes = lanes_of(op.res)
    pointers = w.emit(f"getelementptr {scalar}, ptr {names[op.buffer]}, <{lanes} x i64> {names[op.offset]}")
    vector = f"<{lanes} x {scalar}>"
    mask = names[op.mask] if op.mask is not None else "splat (i1 true)"
    args = [(f"<{lanes} x ptr> align {align}", pointers), (f"<{lanes} x i1>", mask), (vector, "zeroinitializer")]
    return w.call(vector, f"llvm.masked.gather.{suffix(scalar, lanes)}.v{lanes}p0", args, tail)
