"""`plan_program`: the steps of a program and where each tensor lives (buffer planning).

A program is native segments with library calls between them. Every tensor has a place: an input, a constant, an
output, a slot of the arena, or the same memory as another tensor (a reshape). A piece of memory holds several tensors
in turn: one may come once the one before it is dead, or overwrite it element by element in the kernel that reads it
last (see `in_place.py`). An output's memory holds temporaries before its own value, and may be a donated input's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from xdsl.context import Context
from xdsl.dialects.builtin import ArrayAttr, ModuleOp, StringAttr
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass

from ...dialects.expr import Expr, product_of
from ...dialects.ir import ops_of
from ...dialects.weld.attributes import Dims
from ...dialects.weld.constant import Constant
from ...dialects.weld.generic import Generic
from ...dialects.weld.indexing import Check
from ...dialects.weld.kernel import Kernel
from ...dialects.weld.recurrence import Recurrence
from ...dialects.weld.types import bytes_of, scalar_of, shape_of
from ...dialects.weld.views import Reshape, Transpose, reshape_groups
from ..fusion.graph import functions, strided_results, tensors_used
from .in_place import may_overwrite, root_of
from .schedule import strides_of


@dataclass(frozen=True)
class Place:
    """Where a tensor's elements are: `kind` "input", "constant", "output" or "slot", and which one."""

    kind: str
    index: int

    def __str__(self) -> str:
        return f"{self.kind} {self.index}"


@dataclass
class Slot:
    """A piece of the arena, large enough for each of its tensors in turn."""

    bytes: Expr


@dataclass
class Step:
    """A run of kernels and recurrences of kernels, or one library call."""

    kernels: list[Kernel | Recurrence] = field(default_factory=list[Kernel | Recurrence])
    library: Operation | None = None


@dataclass
class Plan:
    """A program's steps and places; the slots of kernels' own scratch come with their lowering."""

    inputs: list[SSAValue]
    constants: list[Constant]
    outputs: list[SSAValue]
    steps: list[Step]
    places: dict[SSAValue, Place]
    layouts: dict[SSAValue, tuple[Expr, ...]]
    slots: list[Slot]
    checks: list[Check]
    donations: dict[int, int] = field(default_factory=dict[int, int])
    """For each output whose memory may be a donated input's, the number of that input."""
    strided: set[SSAValue] = field(default_factory=set[SSAValue])
    """The results whose memory is the caller's and not dense."""
    scratch: list[int] = field(default_factory=list[int])
    """The slots that kernels use while they run."""

    @property
    def flags(self) -> set[int]:
        """The slots that hold flags of checks."""
        return {self.places[c.bad].index for c in self.checks if self.places[c.bad].kind == "slot"}

    def slot_for(self, size: Expr) -> Place:
        """A new slot."""
        self.slots.append(Slot(size))
        return Place("slot", len(self.slots) - 1)

    def scratch_for(self, sizes: Sequence[Expr]) -> list[Place]:
        """Slots for one kernel while it runs; the kernels run one after the other and use the same ones."""
        free, found = list(self.scratch), list[Place]()
        for size in sizes:
            slot = next((k for k in free if self.slots[k].bytes == size), None)
            if slot is None:
                slot = self.slot_for(size).index
                self.scratch.append(slot)
            else:
                free.remove(slot)
            found.append(Place("slot", slot))
        return found

    def may_share(self, read: SSAValue, written: SSAValue) -> bool:
        """Whether a kernel that reads one tensor and writes the other may find both at one address."""
        a, b = self.places[read], self.places[written]
        return a == b or (b.kind == "output" and a == Place("input", self.donations.get(b.index, -1)))


def plan_program(function: FuncOp, donors: Mapping[int, int] | None = None) -> Plan:
    """The plan of a function at the kernels stage. `donors` gives arguments that may be overwritten, each by one result
    only; without it those are the donated ones, by any result."""
    block = function.body.block
    ops = ops_of(block)
    returns = ops[-1]
    assert isinstance(returns, ReturnOp)
    plan = Plan(list(block.args), [], list(returns.operands), [], {}, {}, [], [])
    for k, (argument, strides) in enumerate(zip(block.args, _argument_strides(function), strict=True)):
        plan.places[argument] = Place("input", k)
        plan.layouts[argument] = strides or strides_of(shape_of(argument))
    for op in ops[:-1]:
        _lay_out(op, plan)
        _step(op, plan)
    for value, strides in strided_results(function).items():
        plan.layouts[value] = strides
        if isinstance(value.owner, Reshape):
            plan.layouts[value.owner.args[0]] = _finer(value.owner, strides)
        plan.strided.add(root_of(value))
    given = donated_arguments(function) if donors is None else set(donors)
    _Memories(plan, ops, given, donors or {}).place()
    for op in ops[:-1]:
        if isinstance(op, Reshape | Transpose):
            plan.places[op.res] = plan.places[root_of(op.res)]
    return plan


def _finer(view: Reshape, strides: tuple[Expr, ...]) -> tuple[Expr, ...]:
    """The strides of what a reshape puts dims of together, such that its result has these strides."""
    source = shape_of(view.args[0])
    found = [Expr.constant(0)] * len(source)
    position = 0
    for group, width in reshape_groups(source, shape_of(view.res)):
        axes = range(position, position + width)
        position += width
        moving = [axis for axis in axes if shape_of(view.res)[axis].value != 1]
        assert len(moving) <= 1 or not group, "a strided result has the dims of its loop, or merged ones"
        step = strides[moving[0]] if moving else Expr.constant(0)
        for axis in reversed(group):
            found[axis] = step
            step = step * source[axis]
    return tuple(found)


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


def donated_arguments(function: FuncOp) -> set[int]:
    """The arguments that carry `weld.donated`: results may take their memory."""
    if function.arg_attrs is None:
        return set()
    return {k for k, attributes in enumerate(function.arg_attrs.data) if "weld.donated" in attributes.data}


def order_of(value: SSAValue) -> tuple[int, ...]:
    """The axes of a tensor by their strides, the largest one first: row-major but for transposes."""
    if not isinstance(value.owner, Transpose):
        return tuple(range(len(shape_of(value))))
    permutation = value.owner.permutation.get_values()
    return tuple(permutation.index(axis) for axis in order_of(value.owner.args[0]))


def _lay_out(op: Operation, plan: Plan) -> None:
    """The strides of what an op gives; constants that are tables have a place of their own."""
    if isinstance(op, Transpose):
        strides = plan.layouts[op.args[0]]
        plan.layouts[op.res] = tuple(strides[k] for k in op.permutation.get_values())
        return
    if isinstance(op, Constant) and _only_starts(op):
        return
    for out in op.results:
        plan.layouts[out] = strides_of(shape_of(out))
    if isinstance(op, Constant) and is_table(op):
        plan.constants.append(op)
        plan.places[op.res] = Place("constant", len(plan.constants) - 1)


def _step(op: Operation, plan: Plan) -> None:
    if isinstance(op, Kernel) or (isinstance(op, Recurrence) and is_loop(op)):
        if not plan.steps or plan.steps[-1].library is not None:
            plan.steps.append(Step())
        plan.steps[-1].kernels.append(op)
    elif isinstance(op, Check):
        plan.checks.append(op)
    elif not isinstance(op, Reshape | Transpose) and not (isinstance(op, Constant) and _only_starts(op)):
        if isinstance(op, Constant) and is_table(op):
            return
        plan.steps.append(Step(library=op))


def is_loop(op: Recurrence) -> bool:
    """Whether the steps are kernels only, without library calls: then they are a native loop."""
    return all(
        isinstance(inner, Kernel | Reshape | Transpose | ReturnOp)
        or (isinstance(inner, Constant) and (is_table(inner) or _only_starts(inner)))
        or (isinstance(inner, Recurrence) and is_loop(inner))
        for inner in op.function().body.block.ops
    )


def is_table(op: Constant) -> bool:
    """Whether the program carries the constant's elements: those of a large splat are filled in at run time."""
    count = product_of(shape_of(op.res)).value
    return not op.is_splat or (count is not None and count <= MOST_CARRIED)


def _only_starts(op: Constant) -> bool:
    """Whether the constant is only what scatters start from: their kernels fill it in themselves."""
    return op.is_splat and all(isinstance(use.operation, Generic) for use in op.res.uses)


MOST_CARRIED = 64
"""Elements of a splat that a program carries rather than fills in at each call."""


@dataclass
class Memory:
    """A piece of memory and the tensors that it holds, the latest one first."""

    size: Expr
    holds: list[SSAValue]
    output: int | None = None
    before: SSAValue | None = None
    """A donated argument that may be in it when the program starts."""


class _Memories:
    """Gives every tensor memory, from the last op to the first: what memory an output has to be is known at the end,
    and whatever comes earlier has to be gone by then."""

    def __init__(self, plan: Plan, ops: list[Operation], donated: set[int], donors: Mapping[int, int]):
        self.plan = plan
        self.ops = ops
        self.donated = donated
        self.donors = donors
        """The result that may overwrite an argument, where it is only that one."""
        self.begin: dict[SSAValue, int] = {value: k for k, op in enumerate(ops) for value in op.results}
        """The number of the op that writes a tensor; arguments come before all."""
        self.begin |= dict.fromkeys(plan.inputs, -1)
        self.end = dict(self.begin)
        """The number of the op that reads it last."""
        for k, op in enumerate(ops):
            for value in tensors_used(op):
                self.end[root_of(value)] = k
        self.flags = {root_of(c.bad) for c in plan.checks}
        self.end |= dict.fromkeys(self.flags, len(ops))
        self.by_size: dict[Expr, list[Memory]] = {}

    def place(self) -> None:
        for k, value in enumerate(map(root_of, self.plan.outputs)):
            memory = self._new(value)
            memory.output = k
            giver = self._giver(value, k)
            if giver is not None:
                self.plan.donations[k] = giver
                memory.before = self.plan.inputs[giver]
        tensors = [v for op in self.ops for v in op.results if v in self.plan.layouts]
        outputs = set(map(root_of, self.plan.outputs))
        for value in reversed(tensors):
            if root_of(value) is value and value not in self.plan.places and value not in outputs:
                self._add(value)
        memories = [memory for found in self.by_size.values() for memory in found]
        for memory in sorted(memories, key=lambda m: self.begin[m.holds[-1]]):
            place = Place("output", memory.output) if memory.output is not None else self.plan.slot_for(memory.size)
            self.plan.places |= dict.fromkeys(memory.holds, place)

    def _new(self, value: SSAValue) -> Memory:
        size = bytes_of(value)
        memory = Memory(size, [value])
        self.by_size.setdefault(size, []).append(memory)
        return memory

    def _giver(self, output: SSAValue, number: int) -> int | None:
        """The donated input whose memory an output may have, if possible one of its shape."""
        inputs = self.plan.inputs
        fitting = [
            k
            for k in sorted(self.donated - set(self.plan.donations.values()))
            if self.donors.get(k, number) == number
            and scalar_of(inputs[k]) == scalar_of(output)
            and product_of(shape_of(inputs[k])) == product_of(shape_of(output))
            and self.plan.layouts[inputs[k]] == strides_of(shape_of(inputs[k]))
            and self._gone(inputs[k], output)
        ]
        return min(fitting, key=lambda k: shape_of(inputs[k]) != shape_of(output), default=None)

    def _add(self, value: SSAValue) -> None:
        """Put a tensor in front of what some memory holds: where that overwrites it in place, or else in an output's
        memory, a slot, or a new slot."""
        size = bytes_of(value)
        fitting = [memory for memory in self.by_size.get(size, ()) if self._fits(value, memory)]
        in_place = [memory for memory in fitting if self.begin[memory.holds[-1]] == self.end[value]]
        chosen = in_place or fitting
        if chosen:
            chosen[0].holds.append(value)
        else:
            self._new(value)

    def _fits(self, value: SSAValue, memory: Memory) -> bool:
        """Whether the memory can hold a tensor before all others. That of an output is passed once, as a buffer of its
        type; and flags are looked for in slots."""
        first = memory.holds[-1]
        if first in self.plan.strided:
            return False
        if memory.output is not None and (value in self.flags or scalar_of(value) != scalar_of(first)):
            return False
        return self._gone(value, first) and (memory.before is None or self._gone(memory.before, value))

    def _gone(self, old: SSAValue, new: SSAValue) -> bool:
        """Whether no read of `old` comes after the write of `new`, should they have one memory."""
        last, written = self.end[old], self.begin[new]
        if last != written or self.begin[old] == written:
            return last < written
        return may_overwrite(self.ops[written], old, new, self.plan.layouts)


@dataclass(frozen=True)
class PlanBuffers(ModulePass):
    """Write down where each tensor of a program of kernels will live, as `lower-to-loops` plans it.

    %t = weld.kernel @k0 ...   ->   %t = weld.kernel @k0 ... {places = ["slot 0"]}
    func.func @main            ->   func.func @main attributes {arena = ["4 * n bytes"],
                                                                donations = ["output 0 over input 0"]}
    """

    name = "plan-buffers"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in functions(op):
            plan = plan_program(function)
            for inner in ops_of(function.body.block):
                places = [plan.places[r] for r in inner.results if r in plan.places]
                if places:
                    inner.attributes["places"] = ArrayAttr([StringAttr(str(p)) for p in places])
            function.attributes["arena"] = ArrayAttr([StringAttr(f"{s.bytes} bytes") for s in plan.slots])
            if plan.donations:
                donations = [StringAttr(f"output {k} over input {j}") for k, j in plan.donations.items()]
                function.attributes["donations"] = ArrayAttr(donations)
