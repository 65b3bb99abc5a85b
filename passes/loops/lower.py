"""`lower-to-loops`: kernels become functions of explicit vector loops, the program a `main` that calls them."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from xdsl.context import Context
from xdsl.dialects.builtin import ArrayAttr, DictionaryAttr, FunctionType, IntegerAttr, ModuleOp, StringAttr, i64
from xdsl.dialects.func import CallOp, FuncOp, ReturnOp
from xdsl.ir import Attribute, Block, Region, SSAValue
from xdsl.passes import ModulePass
from xdsl.utils.exceptions import PassFailedException

from ...dialects.expr import Expr
from ...dialects.loop.ops import Subview
from ...dialects.weld.kernel import Kernel
from ...dialects.weld.recurrence import Recurrence
from ...dialects.weld.types import I64
from ..evaluate import find_function
from ..expected import expected_sizes, least_size
from .family import Family
from .kernel import KernelFunction, lower_kernel
from .plan import Place, Plan, plan_program
from .recurrence import function_name, lower_recurrence
from .schedule import Options
from .scopes import Frame, Scope
from .streaming import stream_results
from .twins import Form, families


@dataclass(frozen=True)
class LowerToLoops(ModulePass):
    """Schedule and vectorise each kernel, and plan the program's memory.

    The result has one private function for kernels that are equal but for names (`twins.py`) and what becomes arguments
    (`family.py`), and one function `main`, `main_1`, ... for runs of kernels between library calls that have the same
    calls. Its arguments are the places it uses (attribute `loop.places`) and size symbols. `loop.steps` says in which
    order they run, and what a function that has run before takes: `"main with slot 1, output 0, n"`.

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

    def __str__(self) -> str:
        return f"{self.name} with {', '.join(map(str, [*self.places, *self.symbols]))}"


@dataclass
class Program:
    """A lowered program: the module at the loops stage, its plan, and its native segments by step."""

    module: ModuleOp
    plan: Plan
    slots_between: int
    """The first slots hold tensors between kernels; the later ones are scratch."""
    segments: dict[int, Segment] = field(default_factory=dict[int, Segment])
    functions: dict[str, FuncOp] = field(default_factory=dict[str, FuncOp])
    """By the names of the kernels, in the order of their calls; those that are equal have one."""


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
    functions = _Functions(given, program.module, options.stream_bytes)
    made: dict[Hashable, FuncOp] = {}
    functions.group([op for step in plan.steps for op in step.kernels], plan)
    steps: list[str] = []
    for number, step in enumerate(plan.steps):
        if step.library is not None:
            steps.append(f"library {step.library.name}")
            continue
        lowered = functions.lower(step.kernels, plan)
        program.functions |= {kernel.name: kernel.function for kernel in lowered}
        program.segments[number] = segment = _segment(lowered, plan, program.module, made)
        steps.append(str(segment) if segment.name in steps else segment.name)
    program.module.attributes["loop.steps"] = ArrayAttr([StringAttr(s) for s in steps])
    program.module.attributes["loop.arena"] = ArrayAttr([StringAttr(f"{s.bytes} bytes") for s in plan.slots])
    return program


@dataclass
class _Functions:
    """The functions of kernels, which the module gets: one for each family."""

    options: Options
    module: ModuleOp
    stream_bytes: int = 0
    """From which size on results bypass the caches; 0 for never."""
    prefix: str = ""
    """Of the names of a recurrence's functions."""
    families: dict[Kernel, tuple[Family, Form]] = field(default_factory=dict[Kernel, Any])

    def group(self, ops: Sequence[Kernel | Recurrence], plan: Plan) -> None:
        """Find out which kernels have one function."""
        kernels = [op for op in ops if isinstance(op, Kernel)]
        if len(kernels) < 2:
            return
        forms = [Form(op, plan, self.options.expected) for op in kernels]
        for family in families(forms, opens=not self.prefix):
            common = Family(family, plan)
            self.families |= {form.kernel: (common, form) for form in family}

    def lower(self, kernels: Sequence[Kernel | Recurrence], plan: Plan) -> list[KernelFunction]:
        """The functions of a run of kernels of the plan."""
        return [self._recurrence(op, plan) if isinstance(op, Recurrence) else self._kernel(op, plan) for op in kernels]

    def _recurrence(self, op: Recurrence, plan: Plan) -> KernelFunction:
        name = function_name(op, self.prefix)
        steps = _Functions(self.options, self.module, prefix=f"{name}.")

        def lower(kernels: Sequence[Kernel | Recurrence], plan: Plan) -> list[KernelFunction]:
            steps.group(kernels, plan)
            return steps.lower(kernels, plan)

        lowered = lower_recurrence(op, plan, name, lower)
        self.module.body.block.add_op(lowered.function)
        return lowered

    def _kernel(self, op: Kernel, plan: Plan) -> KernelFunction:
        if op not in self.families:
            return self._finish(lower_kernel(op, plan.layouts, self.options, _apart(op, plan)), plan)
        family, form = self.families[op]
        if family.made is None:
            made = lower_kernel(family.kernel, family.layouts, self.options, _apart(op, plan))
            self._finish(family.called(form, made), plan)
            family.made = made
            family.close()
        return family.called(form, family.made)

    def _finish(self, lowered: KernelFunction, plan: Plan) -> KernelFunction:
        lowered.function.sym_name = StringAttr(self.prefix + lowered.name)
        _share(lowered, plan)
        if self.stream_bytes:
            stream_results(lowered, self.stream_bytes)
        self.module.body.block.add_op(lowered.function)
        return lowered


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


def _segment(kernels: Sequence[KernelFunction], plan: Plan, module: ModuleOp, made: dict[Hashable, FuncOp]) -> Segment:
    """The function that calls a run of kernels, which the module gets; one for runs with the same calls."""
    memory = [list(zip(kernel.places(plan), kernel.function.function_type.inputs, strict=False)) for kernel in kernels]
    buffers = list(dict.fromkeys(buffer for own in memory for buffer in own))
    offsets = dict.fromkeys(offset for kernel in kernels for offset in kernel.offsets)
    used = [*[kernel.symbols for kernel in kernels], *[sorted(offset.names) for offset in offsets]]
    symbols = list(dict.fromkeys(symbol for own in used for symbol in own))
    number = {argument: k for k, argument in enumerate([*buffers, *symbols])}
    calls = tuple(
        (
            kernel.function.sym_name.data,
            tuple([number[argument] for argument in [*own, *kernel.symbols]]),
            tuple(kernel.offsets),
        )
        for kernel, own in zip(kernels, memory, strict=True)
    )
    if calls not in made:
        name = f"main_{len(made)}" if made else "main"
        made[calls] = _calling(name, calls, buffers, symbols)
        module.body.block.add_op(made[calls])
    return Segment(made[calls].sym_name.data, [place for place, _ in buffers], symbols)


def _calling(
    name: str,
    calls: Sequence[tuple[str, tuple[int, ...], tuple[Expr, ...]]],
    buffers: Sequence[tuple[Place, Attribute]],
    symbols: Sequence[str],
) -> FuncOp:
    """A function with the given calls: of which function, with which of its own arguments, from which elements on."""
    types: list[Attribute] = [*[kind for _, kind in buffers], *[I64] * len(symbols)]
    block = Block(arg_types=types)
    for argument, hint in zip(block.args, [*[f"{p.kind}{p.index}" for p, _ in buffers], *symbols], strict=True):
        argument.name_hint = hint
    frame = Frame([Scope(block)], {}, {}, dict(zip(symbols, block.args[len(buffers) :], strict=True)))
    for callee, numbers, offsets in calls:
        operands: list[SSAValue] = [block.args[k] for k in numbers]
        for k, offset in enumerate(offsets):
            if offset.value != 0:
                operands[k] = frame.top.insert(Subview.of(operands[k], frame.index(offset), operands[k].type))
        block.add_op(CallOp(callee, operands, []))
    block.add_op(ReturnOp())
    function = FuncOp(name, FunctionType.from_lists(types, []), Region(block))
    function.attributes["loop.places"] = ArrayAttr([StringAttr(str(place)) for place, _ in buffers])
    return function
