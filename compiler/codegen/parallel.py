"""`loop.parallel` as LLVM text: the blocks as a function, and the calls of it.

The function `void f(ptr arguments, i64 block, ptr private)` takes what the blocks use from outside in a struct.
Without `private` memory the blocks use that of the kernel's caller. Who calls it is decided when the kernel runs, by
`@loopweld_blocks` (see `compiler/runtime/blocks.py`) and what `@loopweld_threads` tells it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from xdsl.ir import SSAValue

from ...dialects.ir import walk
from ...dialects.loop.ops import Buffer
from ...dialects.loop.parallel import Parallel
from ...dialects.weld.types import byte_width
from .types import type_text
from .writer import FunctionText

BLOCKS = "loopweld_blocks"
THREADS = "loopweld_threads"
LINE = 64
"""Private buffers start at multiples of these bytes."""


def captured(op: Parallel, names: Mapping[SSAValue, str]) -> list[SSAValue]:
    """The values in registers that the blocks use from outside, `names` being those known outside."""
    found = dict.fromkeys(op.privates)
    for inner in walk(op):
        if inner is not op:
            found |= {value: None for value in inner.operands if names.get(value, "").startswith("%")}
    return list(found)


def header(name: str) -> str:
    return f"define internal void @{name}(ptr %arguments, i64 %block, ptr %private) {{"


def take_arguments(w: FunctionText, op: Parallel, outside: Sequence[SSAValue], names: dict[SSAValue, str]) -> None:
    """In the function: load what comes from outside, and find the private buffers."""
    struct = _struct(op, outside)

    def load(position: int, kind: str) -> str:
        address = w.emit(f"getelementptr {struct}, ptr %arguments, i32 0, i32 {position}")
        return w.emit(f"load {kind}, ptr {address}")

    for k, value in enumerate(outside):
        names[value] = load(k, type_text(value.type))
    names[op.number] = "%block"
    for k, (own, shared) in enumerate(zip(op.own, op.privates, strict=True)):
        moved = w.emit(f"getelementptr i8, ptr %private, i64 {load(len(outside) + k, 'i64')}")
        none = w.emit("icmp eq ptr %private, null")
        names[own] = w.emit(f"select i1 {none}, ptr {names[shared]}, ptr {moved}")


def call_blocks(
    w: FunctionText, op: Parallel, outside: Sequence[SSAValue], names: Mapping[SSAValue, str], function: str
) -> None:
    """In the kernel: have all blocks called."""
    struct = _struct(op, outside)
    arguments = w.alloca(struct)

    def store(position: int, kind: str, value: str) -> None:
        address = w.emit(f"getelementptr {struct}, ptr {arguments}, i32 0, i32 {position}")
        w.line(f"store {kind} {value}, ptr {address}")

    for k, value in enumerate(outside):
        store(k, type_text(value.type), names[value])
    private = "0"
    for k, (buffer, size) in enumerate(zip(op.privates, op.sizes, strict=True)):
        store(len(outside) + k, "i64", private)
        assert isinstance(buffer.type, Buffer)
        bytes_ = w.emit(f"mul i64 {names[size]}, {byte_width(buffer.type.element)}")
        padded = w.emit(f"add i64 {bytes_}, {LINE - 1}")
        private = w.emit(f"add i64 {w.emit(f'and i64 {padded}, -{LINE}')}, {private}")
    w.module.declare(f"@{THREADS} = external global [2 x i64]")
    told = [("ptr", f"@{function}"), ("ptr", arguments), ("i64", names[op.count]), ("i64", names[op.work])]
    w.call("void", BLOCKS, [*told, ("i64", private), ("ptr", f"@{THREADS}")])


def _struct(op: Parallel, outside: Sequence[SSAValue]) -> str:
    """What the function's first argument points to: values from outside, then where private buffers start."""
    fields = [type_text(v.type) for v in outside] + ["i64"] * len(op.privates)
    return "{ " + ", ".join(fields) + " }"
