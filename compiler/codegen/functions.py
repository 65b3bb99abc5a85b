"""Functions of the loops stage as LLVM text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import CallOp, FuncOp, ReturnOp
from xdsl.ir import Block, Operation, SSAValue

from ...dialects.loop.interleave import Interleave
from ...dialects.loop.ops import (
    Affine,
    Buffer,
    Copy,
    Drain,
    Fill,
    FirstLanes,
    For,
    Iota,
    Load,
    Minimum,
    Reduce,
    Splat,
    Store,
    Subview,
    Until,
    Yield,
    lanes_of,
)
from ...dialects.loop.parallel import Parallel, Part
from ...dialects.loop.transpose import Transpose
from ...dialects.weld.base import Elementwise
from ...dialects.weld.cast import Cast
from ...dialects.weld.constant import Constant
from ...dialects.weld.types import byte_width, scalar_of
from .affine import expr_text
from .elementwise import FAST, cast_text, elementwise_text
from .interleave import interleaved_text
from .memory import AliasScopes, fill_text, load_text, store_text
from .parallel import call_blocks, captured, header, take_arguments
from .reduce import reduce_text
from .transpose import transpose_text
from .types import constant_text, memory_text, scalar_text, type_text
from .writer import FunctionText, ModuleText

MOST_INLINED = 4
"""Calls of a function that may all hold its code: a call takes a nanosecond or two, and code some time to compile."""


def module_text(module: ModuleOp, numerics: str = "fast", features: str = "") -> str:
    """The LLVM IR of a module at the loops stage, for a target with LLVM's `features`. Each `main...` is exported as
    `void main(ptr places, ptr symbols)`: a table of addresses and one of 64-bit integers."""
    names = features.split(",")
    text = ModuleText("+avx512f" in names, "+avx2" in names)
    flags = FAST if numerics == "fast" else ""
    functions = [op for op in module.ops if isinstance(op, FuncOp)]
    mains = [op.body.block for op in functions if op.sym_name.data.startswith("main")]
    calls = Counter(op.callee.string_value() for block in mains for op in block.ops if isinstance(op, CallOp))
    for op in functions:
        _Function(text, op, flags, many_calls=calls[op.sym_name.data] > MOST_INLINED).run()
    return text.text()


@dataclass
class _Function:
    module: ModuleText
    op: FuncOp
    flags: str
    names: dict[SSAValue, str] = field(default_factory=dict[SSAValue, str])
    many_calls: bool = False

    def run(self) -> None:
        self.w = FunctionText(self.module)
        self.scopes = AliasScopes(self.module, self.op.sym_name.data)
        block = self.op.body.block
        if self.op.sym_name.data.startswith("main"):
            header = f"define void @{self.op.sym_name.data}(ptr %places, ptr %symbols) {{"
            self._unpack(block)
        else:
            args: list[str] = []
            for k, argument in enumerate(block.args):
                self.names[argument] = f"%arg{k}"
                args.append(f"{type_text(argument.type)} %arg{k}")
            loops = any(isinstance(op, For) and not op.runs_at_most_once for op in block.ops)
            inline = "" if loops or self.many_calls else "alwaysinline "
            header = f"define internal void @{self.op.sym_name.data}({', '.join(args)}) {inline}{{"
        self.emit_block(block)
        lines = [header, "entry:", *self.w.entry, *self.w.lines, "}"]
        self.module.functions.append("\n".join(lines))

    def _unpack(self, block: Block) -> None:
        """Load the arguments of an exported function from its two tables."""
        places = symbols = 0
        for argument in block.args:
            if isinstance(argument.type, Buffer):
                table, kind, position = "%places", "ptr", places
                places += 1
            else:
                table, kind, position = "%symbols", "i64", symbols
                symbols += 1
            address = self.w.emit(f"getelementptr {kind}, ptr {table}, i64 {position}")
            self.names[argument] = self.w.emit(f"load {kind}, ptr {address}")

    def emit_block(self, block: Block) -> None:
        for op in block.ops:
            handler = self._handlers.get(type(op))
            if handler is not None:
                handler(self, op)
            elif isinstance(op, Elementwise):
                args = [self.names[v] for v in op.operands]
                self.names[op.res] = elementwise_text(self.w, op, args, self.flags)
            else:
                raise AssertionError(f"{op.name} is not an op of the loops stage")

    # ---- control -------------------------------------------------------------------
    def _for(self, op: For) -> None:
        if op.runs_at_most_once:
            self._once(op)
            return
        w, label = self.w, self.w.fresh("loop")
        start, stop = self.names[op.lower], self.names[op.upper]
        before = self._enter(op, label)
        counter, following = f"%{w.fresh('i')}", f"%{w.fresh('n')}"
        place = len(w.lines)
        self.names[op.counter] = counter
        for carried in op.carried:
            self.names[carried] = f"%{w.fresh('acc')}"
        self.emit_block(op.block)
        latch = w.block
        phis = [f"  {counter} = phi i64 [ {start}, %{before} ], [ {following}, %{latch} ]"]
        for carried, init, value in zip(op.carried, op.inits, op.yielded, strict=True):
            kind = type_text(carried.type)
            sources = f"[ {self.names[init]}, %{before} ], [ {self.names[value]}, %{latch} ]"
            phis.append(f"  {self.names[carried]} = phi {kind} {sources}")
        w.lines[place:place] = phis
        w.line(f"{following} = add nsw i64 {counter}, {op.step.value.data}")
        again = w.emit(f"icmp slt i64 {following}, {stop}")
        if op.until is not None:
            again = w.emit(f"select i1 {self.names[op.until]}, i1 false, i1 {again}")
        w.line(f"br i1 {again}, label %{label}, label %{label}.end")
        self._leave(op, label, before)

    def _once(self, op: For) -> None:
        """A loop of at most one iteration: a branch, or where it is known to run nothing at all."""
        self.names[op.counter] = self.names[op.lower]
        for carried, init in zip(op.carried, op.inits, strict=True):
            self.names[carried] = self.names[init]
        if op.runs:
            self.emit_block(op.block)
            self.names |= {out: self.names[value] for out, value in zip(op.outs, op.yielded, strict=True)}
            return
        label = self.w.fresh("part")
        before = self._enter(op, label)
        self.emit_block(op.block)
        self.w.line(f"br label %{label}.end")
        self._leave(op, label, before)

    def _enter(self, op: For, label: str) -> str:
        """Branch to the first iteration, if there is one; gives the block that does."""
        before = self.w.block
        some = "true" if op.runs else self.w.emit(f"icmp slt i64 {self.names[op.lower]}, {self.names[op.upper]}")
        self.w.line(f"br i1 {some}, label %{label}, label %{label}.end")
        self.w.start_block(label)
        return before

    def _leave(self, op: For, label: str, before: str) -> None:
        """What the loop gives, behind it."""
        latch = self.w.block
        self.w.start_block(f"{label}.end")
        for out, init, value in zip(op.outs, op.inits, op.yielded, strict=True):
            sources = f"[ {self.names[init]}, %{before} ], [ {self.names[value]}, %{latch} ]"
            self.names[out] = self.w.emit(f"phi {type_text(out.type)} {sources}")

    def _parallel(self, op: Parallel) -> None:
        """The blocks are a function of their own: threads call it."""
        outside = captured(op, self.names)
        inner = _Function(self.module, self.op, self.flags, dict(self.names))
        inner.w, inner.scopes = FunctionText(self.module), self.scopes
        take_arguments(inner.w, op, outside, inner.names)
        inner.emit_block(op.block)
        inner.w.line("ret void")
        name = f"{self.op.sym_name.data}.{self.w.fresh('blocks')}"
        self.module.functions.append("\n".join([header(name), "entry:", *inner.w.entry, *inner.w.lines, "}"]))
        call_blocks(self.w, op, outside, self.names, name)

    def _yield(self, op: Yield) -> None:
        """The loop that ends here reads the values."""

    def _return(self, op: ReturnOp) -> None:
        self.w.line("ret void")

    def _call(self, op: CallOp) -> None:
        args = ", ".join(f"{type_text(v.type)} {self.names[v]}" for v in op.operands)
        self.w.line(f"call void @{op.callee.string_value()}({args})")

    # ---- integers ------------------------------------------------------------------
    def _affine(self, op: Affine) -> None:
        lanes = lanes_of(op.res)
        values: dict[str, str] = {}
        for name, value in op.named.items():
            text = self.names[value]
            values[name] = text if lanes_of(value) == lanes else self._splat_text(text, "i64", lanes)
        self.names[op.res] = expr_text(self.w, op.value, values, lanes)

    def _minimum(self, op: Minimum) -> None:
        args = [("i64", self.names[op.lhs]), ("i64", self.names[op.rhs])]
        self.names[op.res] = self.w.call("i64", "llvm.smin.i64", args)

    # ---- vectors -------------------------------------------------------------------
    def _splat_text(self, value: str, scalar: str, lanes: int) -> str:
        if value[0] != "%":
            return f"splat ({scalar} {value})"
        kind = f"<{lanes} x {scalar}>"
        first = self.w.emit(f"insertelement {kind} poison, {scalar} {value}, i64 0")
        return self.w.emit(f"shufflevector {kind} {first}, {kind} poison, <{lanes} x i32> zeroinitializer")

    def _splat(self, op: Splat) -> None:
        scalar = scalar_text(scalar_of(op.res))
        self.names[op.res] = self._splat_text(self.names[op.value], scalar, lanes_of(op.res))

    def _first_lanes(self, op: FirstLanes) -> None:
        """Compared in bytes, of which one register holds 64, or in the elements of which 128 bits have as many as there
        are lanes. With less, LLVM 22 widens the comparison, and where mask registers run out it takes the lanes beyond
        for valid: a masked store of 8 bytes then writes 16."""
        lanes = lanes_of(op.res)
        element = f"i{min(max(128 // lanes, 8), 64)}"
        count = self.names[op.count]
        if count.lstrip("-").isdigit():
            self.names[op.res] = "<" + ", ".join(f"i1 {str(k < int(count)).lower()}" for k in range(lanes)) + ">"
            return
        above = self.w.call("i64", "llvm.smax.i64", [("i64", count), ("i64", "0")])
        count = self.w.call("i64", "llvm.smin.i64", [("i64", above), ("i64", str(lanes))])
        count = count if element == "i64" else self.w.emit(f"trunc i64 {count} to {element}")
        numbers = "<" + ", ".join(f"{element} {k}" for k in range(lanes)) + ">"
        bound = self._splat_text(count, element, lanes)
        self.names[op.res] = self.w.emit(f"icmp ult <{lanes} x {element}> {numbers}, {bound}")

    def _iota(self, op: Iota) -> None:
        lanes = lanes_of(op.res)
        self.names[op.res] = "<" + ", ".join(f"i64 {k}" for k in range(lanes)) + ">" if lanes > 1 else "0"

    def _constant(self, op: Constant) -> None:
        self.names[op.res] = constant_text(op.number, op.res.type)

    def _cast(self, op: Cast) -> None:
        self.names[op.res] = cast_text(self.w, self.names[op.args[0]], op.args[0].type, op.res.type)

    def _reduce(self, op: Reduce) -> None:
        values = reduce_text(self.w, op, [self.names[v] for v in op.args])
        for out, value in zip(op.outs, values, strict=True):
            self.names[out] = value

    def _interleave(self, op: Interleave) -> None:
        registers = [self.names[v] for v in op.args]
        scalar, lanes = scalar_text(scalar_of(op.args[0])), lanes_of(op.args[0])
        for out, text in zip(op.outs, interleaved_text(self.w, scalar, lanes, registers), strict=True):
            self.names[out] = text

    # ---- memory --------------------------------------------------------------------
    def _load(self, op: Load) -> None:
        self.names[op.res] = load_text(self.w, op, self.names, self.scopes)

    def _part(self, op: Part) -> None:
        assert isinstance(op.buffer.type, Buffer)
        w, block, scalar = self.w, self.names[op.block], memory_text(op.buffer.type.element)
        offset = w.emit(f"mul i64 {w.emit(f'sub i64 {block}, 1')}, {self.names[op.stride]}")
        part = w.emit(f"getelementptr {scalar}, ptr {self.names[op.parts]}, i64 {offset}")
        first = w.emit(f"icmp eq i64 {block}, 0")
        self.names[op.res] = w.emit(f"select i1 {first}, ptr {self.names[op.buffer]}, ptr {part}")

    def _subview(self, op: Subview) -> None:
        assert isinstance(op.buffer.type, Buffer)
        scalar, offset = memory_text(op.buffer.type.element), self.names[op.offset]
        self.names[op.res] = self.w.emit(f"getelementptr {scalar}, ptr {self.names[op.buffer]}, i64 {offset}")

    def _store(self, op: Store) -> None:
        store_text(self.w, op, self.names, self.scopes)

    def _drain(self, op: Drain) -> None:
        w, label = self.w, self.w.fresh("drain")
        w.line(f"br i1 {self.names[op.streamed]}, label %{label}, label %{label}.end")
        w.start_block(label)
        w.line("fence seq_cst")
        w.line(f"br label %{label}.end")
        w.start_block(f"{label}.end")

    def _transpose(self, op: Transpose) -> None:
        transpose_text(self.w, op, self.names)

    def _fill(self, op: Fill) -> None:
        fill_text(self.w, op, self.names, self.scopes)

    def _copy(self, op: Copy) -> None:
        """Nothing where the target is the source: a scatter into what it starts from."""
        assert isinstance(op.source.type, Buffer)
        w, source, target = self.w, self.names[op.source], self.names[op.target]
        label = w.fresh("copy")
        same = w.emit(f"icmp eq ptr {source}, {target}")
        w.line(f"br i1 {same}, label %{label}.end, label %{label}")
        w.start_block(label)
        size = byte_width(op.source.type.element)
        count = w.emit(f"mul i64 {self.names[op.count]}, {size}")
        args = [("ptr", target), ("ptr", source), ("i64", count), ("i1", "false")]
        w.call("void", "llvm.memcpy.p0.p0.i64", args, self.scopes.tail(op))
        w.line(f"br label %{label}.end")
        w.start_block(f"{label}.end")

    _handlers: ClassVar[dict[type[Operation], Callable[[_Function, Any], None]]] = {
        For: _for,
        Until: _yield,
        Yield: _yield,
        ReturnOp: _return,
        CallOp: _call,
        Affine: _affine,
        Minimum: _minimum,
        Parallel: _parallel,
        Part: _part,
        Splat: _splat,
        FirstLanes: _first_lanes,
        Iota: _iota,
        Constant: _constant,
        Cast: _cast,
        Reduce: _reduce,
        Interleave: _interleave,
        Load: _load,
        Store: _store,
        Subview: _subview,
        Drain: _drain,
        Fill: _fill,
        Copy: _copy,
        Transpose: _transpose,
    }
