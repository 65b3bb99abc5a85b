"""`plan_program`: the steps of a program and where each tensor lives (buffer planning).

A program is native segments with library calls between them. Every tensor has a place: an input, a constant, an
output, a slot of the arena, or the same memory as another tensor (a reshape). Slots are reused as soon as the
tensors in them are dead.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from xdsl.context import Context
from xdsl.dialects.builtin import ArrayAttr, ModuleOp, StringAttr
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.passes import ModulePass

from ...dialects.expr import Expr, product_of
from ...dialects.weld.attributes import Dims
from ...dialects.weld.constant import Constant
from ...dialects.weld.generic import Generic
from ...dialects.weld.indexing import Check
from ...dialects.weld.kernel import Kernel
from ...dialects.weld.types import bit_width, scalar_of, shape_of
from ...dialects.weld.views import Reshape, Transpose
from ..fusion.graph import functions, tensors_used
from .schedule import strides_of


@dataclass(frozen=True)
class Place:
    """Where a tensor's elements are: `kind` "input", "constant", "output" or "slot", and which one."""

    kind: str
    index: int


@dataclass
class Slot:
    """A piece of the arena, large enough for each of its tensors in turn."""

    bytes: Expr


@dataclass
class Step:
    """A run of kernels, or one library call."""

    kernels: list[Kernel] = field(default_factory=list[Kernel])
    library: Operation | None = None


@dataclass
class Plan:
    """A program's steps and places; `scratch` gives each kernel's private slots once it is lowered."""

    inputs: list[SSAValue]
    constants: list[Constant]
    outputs: list[SSAValue]
    steps: list[Step]
    places: dict[SSAValue, Place]
    layouts: dict[SSAValue, tuple[Expr, ...]]
    slots: list[Slot]
    checks: list[Check]

    @property
    def flags(self) -> set[int]:
        """The slots that hold flags of checks."""
        return {self.places[c.bad].index for c in self.checks if self.places[c.bad].kind == "slot"}

    def slot_for(self, size: Expr) -> Place:
        """A new slot."""
        self.slots.append(Slot(size))
        return Place("slot", len(self.slots) - 1)


def bytes_of_elements(element: Attribute, count: Expr) -> Expr:
    """Memory of `count` elements; a bool takes a byte."""
    return count * max(bit_width(element) // 8, 1)


def plan_program(function: FuncOp) -> Plan:
    """The plan of a function at the kernels stage."""
    block = function.body.block
    ops = list(block.ops)
    returns = ops[-1]
    assert isinstance(returns, ReturnOp)
    plan = Plan(list(block.args), [], list(returns.operands), [], {}, {}, [], [])
    for k, (argument, strides) in enumerate(zip(block.args, _argument_strides(function), strict=True)):
        plan.places[argument] = Place("input", k)
        plan.layouts[argument] = strides or strides_of(shape_of(argument))
    for k, value in enumerate(plan.outputs):
        plan.places[value] = Place("output", k)
    last = _last_uses(ops)
    free: list[tuple[Expr, Place]] = []
    for position, op in enumerate(ops[:-1]):
        _place(op, plan, free)
        _step(op, plan)
        _release(position, last, plan, free)
    return plan


def _argument_strides(function: FuncOp) -> Sequence[tuple[Expr, ...] | None]:
    """The strides that arguments carry as `weld.strides`; None for row-major ones."""
    count = len(function.body.block.args)
    if function.arg_attrs is None:
        return [None] * count
    found: list[tuple[Expr, ...] | None] = []
    for attributes in function.arg_attrs.data:
        strides = attributes.data.get("weld.strides")
        found.append(strides.data if isinstance(strides, Dims) else None)
    return found


def root_of(value: SSAValue) -> SSAValue:
    """The tensor whose memory this is: a reshape or transpose shares its operand's."""
    while isinstance(value.owner, Reshape | Transpose):
        value = value.owner.args[0]
    return value


def _last_uses(ops: list[Operation]) -> dict[SSAValue, int]:
    last: dict[SSAValue, int] = {}
    for position, op in enumerate(ops):
        for value in tensors_used(op):
            last[root_of(value)] = position
    return last


def _place(op: Operation, plan: Plan, free: list[tuple[Expr, Place]]) -> None:
    if isinstance(op, Reshape):
        plan.places[op.res] = plan.places[root_of(op.res)]
        plan.layouts[op.res] = strides_of(shape_of(op.res))
        return
    if isinstance(op, Transpose):
        strides = plan.layouts[op.args[0]]
        plan.places[op.res] = plan.places[root_of(op.res)]
        plan.layouts[op.res] = tuple(strides[k] for k in op.permutation.get_values())
        return
    if isinstance(op, Constant) and not op.is_splat:
        plan.constants.append(op)
        plan.places[op.res] = Place("constant", len(plan.constants) - 1)
        plan.layouts[op.res] = strides_of(shape_of(op.res))
        return
    if isinstance(op, Constant) and _only_starts(op):
        return
    for out in op.results:
        plan.layouts[out] = strides_of(shape_of(out))
        if out not in plan.places:
            size = bytes_of_elements(scalar_of(out), product_of(shape_of(out)))
            match = next((f for f in free if f[0] == size), None)
            if match is not None:
                free.remove(match)
            plan.places[out] = match[1] if match is not None else plan.slot_for(size)


def _step(op: Operation, plan: Plan) -> None:
    if isinstance(op, Kernel):
        if not plan.steps or plan.steps[-1].library is not None:
            plan.steps.append(Step())
        plan.steps[-1].kernels.append(op)
    elif isinstance(op, Check):
        plan.checks.append(op)
    elif not isinstance(op, Reshape | Transpose) and not (isinstance(op, Constant) and _only_starts(op)):
        if isinstance(op, Constant) and not op.is_splat:
            return
        plan.steps.append(Step(library=op))


def _only_starts(op: Constant) -> bool:
    """Whether the constant is only what scatters start from: their kernels fill it in themselves."""
    return op.is_splat and all(isinstance(use.operation, Generic) for use in op.res.uses)


def _release(position: int, last: dict[SSAValue, int], plan: Plan, free: list[tuple[Expr, Place]]) -> None:
    for value, end in last.items():
        place = plan.places.get(value)
        if end == position and place is not None and place.kind == "slot":
            if any(isinstance(use.operation, Check) for use in value.uses):
                continue
            free.append((plan.slots[place.index].bytes, place))


@dataclass(frozen=True)
class PlanBuffers(ModulePass):
    """Write down where each tensor of a program of kernels will live, as `lower-to-loops` plans it.

    %t = weld.kernel @k0 ...   ->   %t = weld.kernel @k0 ... {places = ["slot 0"]}
    func.func @main            ->   func.func @main attributes {arena = ["4 * n bytes"]}
    """

    name = "plan-buffers"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in functions(op):
            plan = plan_program(function)
            for inner in function.body.block.ops:
                places = [plan.places[r] for r in inner.results if r in plan.places]
                if places:
                    inner.attributes["places"] = ArrayAttr([StringAttr(f"{p.kind} {p.index}") for p in places])
            function.attributes["arena"] = ArrayAttr([StringAttr(f"{s.bytes} bytes") for s in plan.slots])
