"""A recurrence as a function of its own: a loop over the steps around the kernels of one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from xdsl.dialects.builtin import FunctionType, IntegerType
from xdsl.dialects.func import CallOp, FuncOp, ReturnOp
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue

from ...dialects.expr import Expr, product_of, split_quotient
from ...dialects.loop.ops import Affine, Buffer, Copy, For, Load, Subview, Until, Yield
from ...dialects.weld.constant import Constant
from ...dialects.weld.kernel import Kernel
from ...dialects.weld.recurrence import STEP, Recurrence
from ...dialects.weld.types import I64, bytes_of, scalar_of, shape_of
from .kernel import KernelFunction
from .memory import Scratch
from .plan import Place, Plan, plan_program

Lower: TypeAlias = Callable[[Sequence[Kernel | Recurrence], Plan], list[KernelFunction]]
"""Gives the functions of a run of kernels, which belong to a plan."""


def function_name(op: Recurrence, prefix: str = "") -> str:
    """What the function of a recurrence is called, inside another one's with its prefix."""
    return f"{prefix or 'repeat.'}{op.step.string_value()}"


def lower_recurrence(op: Recurrence, plan: Plan, name: str, lower: Lower) -> KernelFunction:
    """The function of a recurrence of the plan; `lower` makes those of the kernels of a step."""
    return _Lowering(op, plan, lower).run(name)


def own_rows(op: Recurrence) -> dict[int, int | None]:
    """For each result of a step that may not be written while the step is under way, because its row is, or may be, one
    that the step reads or writes otherwise: the argument which is that very row, if there is no more to it."""
    found: dict[int, int | None] = {}
    reads, writes = op.rows_read, op.rows_written
    for j, (tensor, row) in enumerate(writes):
        meets = [k for k, (other, at) in enumerate(reads) if other == tensor and not differ(at, row)]
        if any(other == tensor and not differ(at, row) for k, (other, at) in enumerate(writes) if k != j):
            found[j] = None
        elif meets:
            found[j] = meets[0] if len(meets) == 1 and reads[meets[0]][1] == row else None
    return found


def differ(a: Expr, b: Expr) -> bool:
    """Whether two rows of a tensor are never the same in one step."""
    (a, m), (b, n) = _modulo(a), _modulo(b)
    distance = (a - b).value
    return m == n and distance is not None and distance % m != 0 if m else distance not in (None, 0) and n == 0


def _modulo(row: Expr) -> tuple[Expr, int]:
    """`x`, c of `x mod c` with a positive number c; the row and 0 of others."""
    names, factor = row.terms[0] if len(row.terms) == 1 else ((), 0)
    quotient = split_quotient(names[0]) if len(names) == 1 and factor == 1 else None
    if quotient is not None and quotient[0] == "mod":
        divisor = quotient[2].value
        if divisor is not None and divisor > 0:
            return quotient[1], divisor
    return row, 0


BYTE = Buffer(IntegerType(8))


@dataclass
class _Call:
    """A call of a kernel of the step: what it takes."""

    kernel: KernelFunction
    places: list[Place]


class _Lowering:
    def __init__(self, op: Recurrence, plan: Plan, lower: Lower):
        self.op = op
        step = op.function()
        self.own = own_rows(op)
        self.plan = plan_program(step, {k: j for j, k in self.own.items() if k is not None})
        kernels = self.plan.steps[0].kernels if self.plan.steps else []
        lowered = lower(kernels, self.plan)
        self.calls = [_Call(kernel, kernel.places(self.plan)) for kernel in lowered]
        self.constants = self._adopt(plan)
        self.block = Block()

    def _adopt(self, outer: Plan) -> list[SSAValue]:
        """The constants of a step are the program's."""
        for constant in self.plan.constants:
            if constant.res not in outer.places:
                outer.places[constant.res] = Place("constant", len(outer.constants))
                outer.constants.append(constant)
        return [constant.res for constant in self.plan.constants]

    def run(self, name: str) -> KernelFunction:
        op, plan = self.op, self.plan
        tensors = list(dict.fromkeys([*op.args, *self.constants]))
        kept = [j for j in range(len(plan.outputs)) if self._is_kept(j)]
        bytes_ = [bytes_of(plan.outputs[j]) for j in kept] + [slot.bytes for slot in plan.slots]
        self.taken = {v: self._argument(Buffer(scalar_of(v))) for v in tensors}
        results = {v: self._argument(Buffer(scalar_of(v))) for v in op.outs}
        memory = [self._argument(BYTE) for _ in bytes_]
        symbols = self._symbols()
        self.values = {name: self._argument(I64) for name in symbols}
        for out, init in zip(op.outs, op.inits, strict=True):
            if init is not None:
                self._copy(self.block, self.taken[init], results[out], product_of(shape_of(out)))
        zero = self._index(self.block, Expr.constant(0))
        loop = For.of(zero, self._index(self.block, op.steps), 1, [], STEP)
        self.block.add_op(loop)
        self.values[STEP] = loop.counter
        buffers = [*results.values(), *(self.taken[v] for v in op.args)]
        self._step(loop.block, buffers, dict(zip(kept, memory, strict=False)), memory[len(kept) :])
        self.block.add_op(ReturnOp())
        function = FuncOp(
            name, FunctionType.from_lists([a.type for a in self.block.args], []), Region(self.block), "private"
        )
        scratch = [Scratch(BYTE.element, count) for count in bytes_]
        return KernelFunction(name, function, tensors, list(op.outs), scratch, symbols)

    def _is_kept(self, number: int) -> bool:
        """Whether a result of the step is put aside until all are there."""
        return number in self.own and self.plan.donations.get(number, -1) != self.own[number]

    def _symbols(self) -> list[str]:
        names = {name for call in self.calls for name in call.kernel.symbols}
        used = [self.op.steps, *self.op.rows.data, *(e for v in self.op.tensors for e in shape_of(v))]
        return sorted((names | {name for e in used for name in e.names}) - {STEP})

    def _step(
        self, block: Block, buffers: Sequence[SSAValue], kept: Mapping[int, SSAValue], slots: Sequence[SSAValue]
    ) -> None:
        """The rows, the calls, and what was put aside into its rows."""
        op, plan = self.op, self.plan
        places: dict[Place, SSAValue] = {Place("slot", k): slot for k, slot in enumerate(slots)}
        places |= {Place("constant", k): self.taken[v] for k, v in enumerate(self.constants)}
        for k, (tensor, row) in enumerate(op.rows_read):
            places[Place("input", k)] = self._row(block, buffers[tensor], op.tensors[tensor], row)
        for j, (tensor, row) in enumerate(op.rows_written):
            places[Place("output", j)] = (
                kept[j] if j in kept else self._row(block, buffers[tensor], op.tensors[tensor], row)
            )
        for call in self.calls:
            kinds = [argument.type for argument in call.kernel.function.body.block.args]
            memory = [self._as(block, places[p], kind) for p, kind in zip(call.places, kinds, strict=False)]
            sizes = [self.values[name] for name in call.kernel.symbols]
            block.add_op(CallOp(call.kernel.function.sym_name.data, [*memory, *sizes], []))
        for j, source in kept.items():
            tensor, row = op.rows_written[j]
            target = self._row(block, buffers[tensor], op.tensors[tensor], row)
            self._copy(block, self._as(block, source, target.type), target, product_of(shape_of(plan.outputs[j])))
        if op.until is not None:
            flag = buffers[op.until.value.data]
            last = self._add(block, Load.of(flag, self._index(block, Expr.constant(0)), None, 1))
            block.add_op(Until.create(operands=[last]))
        block.add_op(Yield.create())

    def _argument(self, kind: Attribute) -> SSAValue:
        return self.block.insert_arg(kind, len(self.block.args))

    def _index(self, block: Block, expr: Expr) -> SSAValue:
        """An integer expression."""
        if str(expr) in self.values:
            return self.values[str(expr)]
        if expr.value is not None:
            found: Operation = Constant.splat(expr.value, I64)
        else:
            found = Affine.of(expr, {name: self.values[name] for name in expr.names})
        block.add_op(found)
        return found.results[0]

    def _row(self, block: Block, buffer: SSAValue, tensor: SSAValue, row: Expr) -> SSAValue:
        """Where a row of a tensor is."""
        if row.value == 0:
            return buffer
        offset = self._index(block, row * product_of(shape_of(tensor)[1:]))
        return self._add(block, Subview.of(buffer, offset, buffer.type))

    def _as(self, block: Block, buffer: SSAValue, kind: Attribute) -> SSAValue:
        """The same memory as a buffer of other elements."""
        if buffer.type == kind:
            return buffer
        return self._add(block, Subview.of(buffer, self._index(block, Expr.constant(0)), kind))

    def _copy(self, block: Block, source: SSAValue, target: SSAValue, count: Expr) -> None:
        block.add_op(Copy.create(operands=[source, target, self._index(block, count)]))

    @staticmethod
    def _add(block: Block, op: Operation) -> SSAValue:
        block.add_op(op)
        return op.results[0]
