"""Recurrences in reports: all steps together are one entry, as a kernel is."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import SSAValue

from ..dialects.expr import Expr
from ..dialects.loop.ops import Load, Store, lanes_of
from ..dialects.loop.parallel import Parallel
from ..dialects.weld.kernel import Kernel
from ..dialects.weld.recurrence import Recurrence
from ..dialects.weld.types import bytes_of
from ..passes.loops.plan import root_of
from ..passes.loops.recurrence import function_name
from .report import KernelReport, Traffic, flops_of, ops_of


def recurrence_report(
    op: Recurrence, names: Mapping[SSAValue, str], size: Callable[[Expr], int], loops: ModuleOp
) -> KernelReport:
    """`loops` is the module at that stage. Each tensor counts once: the rows that a step takes from earlier ones are in
    cache."""

    def traffic(value: SSAValue) -> Traffic:
        return Traffic(names.get(root_of(value), value.name_hint or "temporary"), 1, size(bytes_of(value)))

    name = function_name(op)
    own = [f for f in loops.ops if isinstance(f, FuncOp) and f"{f.sym_name.data}.".startswith(f"{name}.")]
    inner = [each for function in own for each in function.walk()]
    lanes = [
        lanes_of(each.res if isinstance(each, Load) else each.value) for each in inner if isinstance(each, Load | Store)
    ]
    ops, flops = _work(op, size)
    reads, writes = tuple(map(traffic, dict.fromkeys(op.args))), tuple(map(traffic, op.outs))
    parallel = any(isinstance(each, Parallel) for each in inner)
    return KernelReport(name, ops, 1, reads, writes, flops, max(lanes, default=1), parallel)


def _work(op: Recurrence, size: Callable[[Expr], int]) -> tuple[tuple[str, ...], int]:
    """The ops of one step, and how many elementwise ones all steps do: those of one where a condition ends them."""
    ops: list[str] = []
    flops = 0
    for inner in op.function().body.block.ops:
        if isinstance(inner, Kernel):
            ops += ops_of(inner)
            flops += flops_of(inner, size)
        elif isinstance(inner, Recurrence):
            own, count = _work(inner, size)
            ops += own
            flops += count
    return tuple(ops), flops * (size(op.steps) if op.until is None else 1)
