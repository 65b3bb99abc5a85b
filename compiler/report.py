"""`Report`: what was fused and why, and what each kernel reads, writes and computes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from xdsl.dialects.builtin import FileLineColLoc, IntegerAttr
from xdsl.dialects.func import FuncOp
from xdsl.ir import SSAValue

from ..dialects.expr import Expr, parse_expr, product_of
from ..dialects.loop.ops import Load as LoopLoad
from ..dialects.loop.ops import Store, lanes_of
from ..dialects.loop.parallel import Parallel
from ..dialects.weld.base import Elementwise
from ..dialects.weld.generic import Generic, Load
from ..dialects.weld.indexing import Check
from ..dialects.weld.kernel import Kernel
from ..dialects.weld.recurrence import Recurrence
from ..dialects.weld.types import byte_width, bytes_of, scalar_of
from ..passes.evaluate import find_function
from ..passes.loops.plan import Plan, is_loop, root_of
from .footprint import elements_needed

if TYPE_CHECKING:
    from .driver import Compilation
    from .profile import Profile
    from .report_details import Details

NOMINAL = 1024
"""The value of a size symbol in a report where no call has set it."""
FIRST_LEVEL = 1 << 15
"""Bytes of a tensor that stays in the first-level cache from one loop of a kernel to the next."""
SAMPLE = 16
"""A member that needs this many times less of a tensor than another one needs a sample of it."""


@dataclass(frozen=True)
class Traffic:
    """A tensor that a kernel fetches or stores: how many times, and the bytes in all."""

    tensor: str
    times: int
    bytes: int


@dataclass(frozen=True)
class KernelReport:
    """One loop nest, or all steps of a recurrence. `sweeps`: how often its full domain is walked. `vector_width`: lanes
    of one step. `parallel`: it is cut into blocks, which threads share where there is enough work."""

    name: str
    ops: tuple[str, ...]
    sweeps: int
    reads: tuple[Traffic, ...]
    writes: tuple[Traffic, ...]
    flops: int
    vector_width: int
    parallel: bool

    @property
    def bytes_read(self) -> int:
        return sum(t.bytes for t in self.reads)

    @property
    def bytes_written(self) -> int:
        return sum(t.bytes for t in self.writes)


@dataclass(frozen=True)
class DecisionReport:
    """A verdict about a pair; `reason` is a code of `passes.remarks.Reason`."""

    producer: str
    consumer: str
    fused: bool
    reason: str
    bytes_saved: int
    location: str


@dataclass(frozen=True)
class Report:
    """All of a program, at the symbol values in `sizes`; `assumed` says that they are nominal, not a call's.

    `threads`: how many threads it may use, on a system where there can be several.
    """

    kernels: tuple[KernelReport, ...]
    library_calls: tuple[str, ...]
    temporary_bytes: int
    scratch_bytes: int
    bytes_moved: int
    bytes_minimum: int
    decisions: tuple[DecisionReport, ...]
    timings: Mapping[str, float]
    sizes: Mapping[str, int]
    assumed: bool
    threads: int = 1
    profile: Profile | None = field(default=None, compare=False, repr=False)
    """What was measured, if anything was; only the page shows it."""
    details: Callable[[], Details] | None = field(default=None, compare=False, repr=False)
    """Makes what the page shows of the program itself."""

    def to_dict(self) -> dict[str, Any]:
        """The report as JSON-able data."""
        found = asdict(replace(self, profile=None, details=None))
        del found["profile"], found["details"]
        for entry, kernel in zip(found["kernels"], self.kernels, strict=True):
            entry |= {"bytes_read": kernel.bytes_read, "bytes_written": kernel.bytes_written}
        return found

    def __str__(self) -> str:
        from .report_text import report_text

        return report_text(self)

    def to_html(self, path: Any) -> None:
        """Write the report as one self-contained HTML file."""
        from .report_html import report_html

        with open(path, "w", encoding="utf-8") as file:
            file.write(report_html(self))


def build_report(compilation: Compilation, sizes: Mapping[str, int]) -> Report:
    """The report of a compilation at given symbol values."""
    assumed: list[str] = []

    def value(name: str) -> int:
        if name not in sizes:
            assumed.append(name)
        return sizes.get(name, NOMINAL)

    def size(expr: Expr) -> int:
        return expr.evaluate(value)

    function = find_function(compilation.kernels, compilation.entry)
    plan = compilation.program.plan
    names = _names(compilation)
    kernels = [op for op in function.body.block.ops if isinstance(op, Kernel)]
    repeated = [op for op in function.body.block.ops if isinstance(op, Recurrence) and is_loop(op)]
    reports = tuple(
        _kernel(op, names, size, compilation) if isinstance(op, Kernel) else _recurrence(op, names, size, compilation)
        for op in function.body.block.ops
        if isinstance(op, Kernel) or op in repeated
    )
    library = [s.library for s in plan.steps if s.library is not None]
    moved = sum(k.bytes_read + k.bytes_written for k in reports)
    for op in library:
        moved += sum(size(bytes_of(v)) for v in {root_of(v) for v in [*op.operands, *op.results]})
    own = compilation.program.slots_between
    return Report(
        reports,
        tuple(_library_name(op) for op in library),
        sum(size(s.bytes) for k, s in enumerate(plan.slots[:own]) if k not in plan.flags),
        sum(size(s.bytes) for s in plan.slots[own:]),
        moved,
        _minimum(kernels, [*library, *repeated], plan, size),
        tuple(_decision(d, size) for d in compilation.decisions),
        dict(compilation.timings),
        {n: sizes.get(n, NOMINAL) for n in sorted({*sizes, *assumed})},
        bool(assumed),
        compilation.threads,
        details=lambda: details_of(compilation),
    )


def details_of(compilation: Compilation) -> Details:
    from .report_details import details_of as make

    return make(compilation)


def _library_name(op: Any) -> str:
    name = op.name.removeprefix("weld.")
    return op.function.data if name == "library" else name


def _names(compilation: Compilation) -> dict[SSAValue, str]:
    """Report names of inputs, constants and outputs; other tensors have their name in the IR."""
    plan = compilation.program.plan
    names = {
        v: (compilation.names[k] if k < len(compilation.names) else f"const{k}") for k, v in enumerate(plan.inputs)
    }
    names |= {root_of(v): f"out{k}" for k, v in enumerate(plan.outputs)}
    return names


def _kernel(
    kernel: Kernel, names: dict[SSAValue, str], size: Callable[[Expr], int], compilation: Compilation
) -> KernelReport:
    inside = {o for m in kernel.members for o in m.outs}
    by_tensor: dict[SSAValue, list[Load]] = {}
    for member in sorted(kernel.members, key=lambda m: m.is_gate):
        for load in member.loads():
            if load.tensor not in inside and not (member.is_gate and root_of(load.tensor) in by_tensor):
                by_tensor.setdefault(root_of(load.tensor), []).append(load)
    width, per_lane = _lanes(kernel, compilation)
    copied = _copied(kernel, compilation.program.plan)
    reads: list[Traffic] = []
    for tensor, loads in (by_tensor | {tensor: by_tensor.get(tensor, []) for tensor in copied}).items():
        much, sampled = _without_samples(loads, size)
        times = _times(kernel, tensor, much, size, per_lane, compilation.target.kept_bytes) if loads else 1
        width_of_one = byte_width(scalar_of(tensor))
        count = size(bytes_of(tensor)) if tensor in copied else elements_needed(much, size) * width_of_one
        again = sampled * width_of_one if size(bytes_of(tensor)) > FIRST_LEVEL else 0
        reads.append(Traffic(names.get(tensor, tensor.name_hint or "temporary"), times, times * count + again))
    writes = [
        Traffic(names.get(out, out.name_hint or "temporary"), 1, size(bytes_of(out)))
        for out in kernel.outs
        if not all(isinstance(use.operation, Check) for use in out.uses)
    ]
    function = compilation.program.functions[kernel.sym_name.data]
    sweeps = _sweeps(kernel, size, function)
    parallel = any(isinstance(op, Parallel) for op in function.walk())
    ops, flops = ops_of(kernel), flops_of(kernel, size)
    return KernelReport(kernel.sym_name.data, ops, sweeps, tuple(reads), tuple(writes), flops, width, parallel)


def ops_of(kernel: Kernel) -> tuple[str, ...]:
    """The names of what a kernel computes: elementwise ops, then reductions and scatters."""
    found = [o.name.removeprefix("weld.") for m in kernel.members for o in m.block.ops if isinstance(o, Elementwise)]
    return (*found, *(r.kind for m in kernel.members for r in m.results_given if not r.is_write))


def flops_of(kernel: Kernel, size: Callable[[Expr], int]) -> int:
    """The elementwise ops at all points."""
    members = [m for m in kernel.members if not m.is_gate]
    return sum(m.points(size) * sum(isinstance(o, Elementwise) for o in m.block.ops) for m in members)


def _recurrence(
    op: Any, names: dict[SSAValue, str], size: Callable[[Expr], int], compilation: Compilation
) -> KernelReport:
    from .report_recurrences import recurrence_report

    return recurrence_report(op, names, size, compilation.program.module)


def _sweeps(kernel: Kernel, size: Callable[[Expr], int], function: FuncOp) -> int:
    """How often the largest domain is walked: by each member that has it but gates, but once by those that pass a
    short row on in registers."""
    members = [m for m in kernel.members if not m.is_gate]
    largest = max((m.points(size) for m in members), default=0)
    walking = [m for m in members if m.points(size) == largest]
    short = function.attributes.get("loop.short_row")
    if not isinstance(short, IntegerAttr):
        return len(walking)
    looped = [m for m in walking if m in kernel.looped]
    rows = [size(product_of(m.sizes[kernel.outer_count :])) for m in looped]
    return len(walking) - len(looped) + 1 if looped and max(rows) <= short.value.data else len(walking)


def _copied(kernel: Kernel, plan: Plan) -> set[SSAValue]:
    """What scatter results start from, where that is elsewhere in memory."""
    given = dict(zip(kernel.terminator.operands, kernel.outs, strict=True))
    starts = [
        (init, out)
        for member in kernel.members
        for init, out in zip(member.inits, member.scatters, strict=True)
        if init in plan.places
    ]
    return {root_of(init) for init, out in starts if plan.places[init] != plan.places.get(given.get(out, out))}


def _lanes(kernel: Kernel, compilation: Compilation) -> tuple[int, int]:
    """The most lanes of one access in the kernel's loops, and how many outer iterations its lanes run at once."""
    function, width = compilation.program.functions[kernel.sym_name.data], 1
    outer = function.attributes.get("loop.outer_lanes")
    for op in function.walk():
        if isinstance(op, LoopLoad):
            width = max(width, lanes_of(op.res))
        elif isinstance(op, Store):
            width = max(width, lanes_of(op.value))
    return width, int(outer.value.data) if isinstance(outer, IntegerAttr) else 1


def _without_samples(loads: list[Load], size: Callable[[Expr], int]) -> tuple[list[Load], int]:
    """The loads of one tensor without those of members that need only a sample of what others need, and how many
    elements these samples have."""
    by_member: dict[object, list[Load]] = {}
    for load in loads:
        by_member.setdefault(load.parent_op(), []).append(load)
    needed = {member: elements_needed(own, size) for member, own in by_member.items()}
    most = max(needed.values(), default=0)
    little = {member for member, count in needed.items() if SAMPLE * count < most}
    much = [load for load in loads if load.parent_op() not in little]
    return much, sum(needed[member] for member in little)


def _times(
    kernel: Kernel, tensor: SSAValue, loads: list[Load], size: Callable[[Expr], int], lanes: int, cache: int
) -> int:
    """How often a tensor is fetched: once where it, or one outer iteration, stays in cache between the sweeps; and
    again by each member before or after the loops, where no cache holds it."""
    walk = {member: k for k, walk in enumerate(kernel.walks) for member in walk}  # a chunk stays in cache
    readers = {load.parent_op() for load in loads}
    inside = len({walk[op] for op in readers if isinstance(op, Generic) and op in walk})
    beside = sum(op not in walk for op in readers)
    if size(bytes_of(tensor)) <= FIRST_LEVEL:
        return 1
    if kernel.outer_count and inside:
        inner = max(size(product_of(m.sizes[kernel.outer_count :])) for m in kernel.looped)
        block = inner * lanes * byte_width(scalar_of(tensor))
        inside = 1 if block <= cache else inside
    return inside + beside if not inside or size(bytes_of(tensor)) > cache else inside


def _minimum(kernels: list[Kernel], library: list[Any], plan: Any, size: Callable[[Expr], int]) -> int:
    """Each input element that is needed once, and each output element once."""
    total = sum(size(bytes_of(v)) for v in plan.outputs)
    loads: dict[SSAValue, list[Load]] = {}
    for kernel in kernels:
        for member in kernel.members:
            for load in member.loads():
                loads.setdefault(root_of(load.tensor), []).append(load)
            for init in member.inits:
                if init in plan.inputs:
                    loads.setdefault(init, [])
    whole = {root_of(v) for op in library for v in op.operands}
    for tensor in plan.inputs:
        if tensor in whole or (tensor in loads and not loads[tensor]):
            total += size(bytes_of(tensor))
        elif tensor in loads:
            total += elements_needed(loads[tensor], size) * byte_width(scalar_of(tensor))
    return total


def _decision(decision: Any, size: Callable[[Expr], int]) -> DecisionReport:
    location = decision.location
    where = ""
    if isinstance(location, FileLineColLoc):
        where = f"{location.filename.data}:{location.line.data}"
    return DecisionReport(
        decision.producer,
        decision.consumer,
        decision.fused,
        decision.reason.value,
        size(parse_expr(decision.saved)),
        where,
    )
