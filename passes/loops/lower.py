"""`lower-to-loops`: kernels become functions of explicit vector loops, the program a `main` that calls them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from xdsl.context import Context
from xdsl.dialects.builtin import ArrayAttr, DictionaryAttr, FunctionType, IntegerAttr, ModuleOp, StringAttr, i64
from xdsl.dialects.func import CallOp, FuncOp, ReturnOp
from xdsl.ir import Block, Region, SSAValue
from xdsl.passes import ModulePass
from xdsl.utils.exceptions import PassFailedException

from ...dialects.weld.kernel import Kernel
from ...dialects.weld.recurrence import Recurrence
from ...dialects.weld.types import I64
from ..evaluate import find_function
from ..expected import expected_sizes, least_size
from .kernel import KernelFunction, lower_kernel
from .plan import Place, Plan, plan_program
from .recurrence import function_name, lower_recurrence
from .schedule import Options
from .streaming import stream_results


@dataclass(frozen=True)
class LowerToLoops(ModulePass):
    """Schedule and vectorise each kernel, and plan the program's memory.

    The result has one private function a kernel and one function `main`, `main_1`, ... for each run of kernels
    between library calls. Its arguments are the places it uses (attribute `loop.places`) and size symbols.

    The function's attribute `weld.expected = {s1 = 32}` says about how large symbols are: short rows get code of
    their own beside that for rows of any size. `weld.least = 17` is what every symbol is at the least.
    """

    name = "lower-to-loops"
    vector_bits: int = 512
    """Size of a vector register."""
    registers: int = 32
    """How many vector registers a loop may fill."""
    entry: str = "main"
    """The function to lower, where there are several."""
    blocks: int = 1
    """Into how many blocks the loops of a kernel are cut at most, for threads to share."""
    stream_bytes: int = 0
    """Results of a kernel that have together at least so many bytes bypass the caches; 0 for never."""
    ordered: bool = False
    """Floating elements that are scattered into one place are added in their order, so not by several blocks."""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        lowered = lower_program(op, replace(self, entry=self._entry(op)))
        for function in list(op.ops):
            function.detach()
        for function in list(lowered.module.ops):
            function.detach()
            op.body.block.add_op(function)
        for name, value in lowered.module.attributes.items():
            op.attributes[name] = value

    def _entry(self, module: ModuleOp) -> str:
        """The function to lower: the only one of a module whatever its name is."""
        names = [f.sym_name.data for f in module.ops if isinstance(f, FuncOp) and f.body.blocks]
        if self.entry in names or not names:
            return self.entry
        if len(names) > 1:
            found = ", ".join(f"@{name}" for name in names)
            raise PassFailedException(
                f"the module has no function @{self.entry}; choose one of {found} with entry=NAME"
            )
        return names[0]


@dataclass
class Segment:
    """A native function of a program: which places and symbols it takes, in order."""

    name: str
    places: list[Place]
    symbols: list[str]


@dataclass
class Program:
    """A lowered program: the module at the loops stage, its plan, and its native segments by step."""

    module: ModuleOp
    plan: Plan
    slots_between: int
    """The first slots hold tensors between kernels; the later ones are scratch."""
    segments: dict[int, Segment] = field(default_factory=dict[int, Segment])


def lower_program(module: ModuleOp, options: LowerToLoops) -> Program:
    """Lower a module at the kernels stage."""
    function = find_function(module, options.entry)
    plan = plan_program(function)
    given = Options(
        bits=options.vector_bits,
        registers=options.registers,
        expected=expected_sizes(function),
        least=least_size(function),
        blocks=options.blocks,
        ordered=options.ordered,
    )
    program = Program(ModuleOp([]), plan, len(plan.slots))
    steps: list[str] = []
    for number, step in enumerate(plan.steps):
        if step.library is not None:
            steps.append(f"library {step.library.name}")
            continue
        lowered = _lower_kernels(step.kernels, plan, given, program.module)
        for kernel in lowered if options.stream_bytes else ():
            stream_results(kernel, options.stream_bytes)
        name = "main" if not program.segments else f"main_{len(program.segments)}"
        program.segments[number] = _segment(name, lowered, plan, program.module)
        steps.append(name)
    program.module.attributes["loop.steps"] = ArrayAttr([StringAttr(s) for s in steps])
    program.module.attributes["loop.arena"] = ArrayAttr([StringAttr(f"{s.bytes} bytes") for s in plan.slots])
    return program


def _lower_kernels(
    kernels: Sequence[Kernel | Recurrence], plan: Plan, options: Options, module: ModuleOp, prefix: str = ""
) -> list[KernelFunction]:
    """The functions of a run of kernels, which the module gets. Those of the steps of a recurrence have its prefix."""
    found: list[KernelFunction] = []
    for op in kernels:
        if isinstance(op, Recurrence):
            name = function_name(op, prefix)
            steps = partial(_lower_kernels, options=options, module=module, prefix=f"{name}.")
            lowered = lower_recurrence(op, plan, name, steps)
        else:
            lowered = lower_kernel(op, plan.layouts, options, _apart(op, plan))
            lowered.function.sym_name = StringAttr(prefix + lowered.function.sym_name.data)
            _share(lowered, plan)
        module.body.block.add_op(lowered.function)
        found.append(lowered)
    return found


def _apart(kernel: Kernel, plan: Plan) -> list[bool]:
    """For each result whether nothing that the kernel reads may be in its memory."""
    read = {load.tensor for member in kernel.members for load in member.loads() if load.tensor in plan.places}
    read |= {init for member in kernel.members for init in member.inits if init in plan.places}
    return [not any(plan.may_share(tensor, out) for tensor in read) for out in kernel.outs]


def _share(kernel: KernelFunction, plan: Plan) -> None:
    """Mark what the kernel reads and may overwrite: `loop.shares` of an argument is the number of the written one."""
    found = [DictionaryAttr({}) for _ in kernel.function.body.block.args]
    for k, tensor in enumerate(kernel.tensors):
        for j, result in enumerate(kernel.results, len(kernel.tensors)):
            if plan.may_share(tensor, result):
                found[k] = DictionaryAttr({"loop.shares": IntegerAttr(j, i64)})
    if any(a.data for a in found):
        kernel.function.properties["arg_attrs"] = ArrayAttr(found)


def _segment(name: str, kernels: list[KernelFunction], plan: Plan, module: ModuleOp) -> Segment:
    """The function that calls a run of kernels."""
    block = Block()
    elements: dict[tuple[Place, object], SSAValue] = {}
    calls: list[tuple[KernelFunction, list[Place | str]]] = []
    for kernel in kernels:
        calls.append((kernel, [*kernel.places(plan), *kernel.symbols]))
    order: list[Place] = []
    types: list[tuple[Place, object]] = []
    symbols = sorted({a for _, args in calls for a in args if isinstance(a, str)})
    for kernel, args in calls:
        for place, argument in zip(args, kernel.function.body.block.args, strict=True):
            if isinstance(place, Place) and (place, argument.type) not in types:
                types.append((place, argument.type))
                order.append(place)
                value = block.insert_arg(argument.type, len(block.args))
                value.name_hint = f"{place.kind}{place.index}"
                elements[(place, argument.type)] = value
    values: dict[str, SSAValue] = {}
    for symbol in symbols:
        value = block.insert_arg(I64, len(block.args))
        value.name_hint = symbol
        values[symbol] = value
    for kernel, args in calls:
        operands = [
            values[a] if isinstance(a, str) else elements[(a, arg.type)]
            for a, arg in zip(args, kernel.function.body.block.args, strict=True)
        ]
        block.add_op(CallOp(kernel.function.sym_name.data, operands, []))
    block.add_op(ReturnOp())
    function = FuncOp(name, FunctionType.from_lists([a.type for a in block.args], []), Region(block))
    function.attributes["loop.places"] = ArrayAttr([StringAttr(f"{p.kind} {p.index}") for p in order])
    module.body.block.add_op(function)
    return Segment(name, order, symbols)
