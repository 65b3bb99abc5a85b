"""What results in memory start from: other tensors for scatters, identities for reductions."""

from __future__ import annotations

from xdsl.ir import SSAValue

from ...dialects.expr import product_of
from ...dialects.loop.ops import Copy, Fill
from ...dialects.weld.constant import Constant
from ...dialects.weld.generic import Generic
from ...dialects.weld.reductions import REDUCTIONS
from ...dialects.weld.types import I64, scalar_of, shape_of
from .memory import KernelMemory
from .scopes import Frame


def start_scatters(memory: KernelMemory, frame: Frame) -> None:
    """Scatter results start from their init tensors."""
    for init, out in memory.starts():
        if not memory.is_only_start(init, out):
            _copy(init, out, memory, frame)


def _copy(init: SSAValue, out: SSAValue, memory: KernelMemory, frame: Frame) -> None:
    target = memory.homes[out].buffer
    assert target is not None
    count = frame.index(product_of(shape_of(out)))
    if isinstance(init.owner, Constant) and init.owner.is_splat:
        number = frame.constant(init.owner.number, scalar_of(out), 1)
        frame.top.add(Fill.create(operands=[number, target, count]))
        return
    source = memory.homes[init].buffer
    assert source is not None
    frame.top.add(Copy.create(operands=[source, target, count]))


def fill_with_identity(member: Generic, position: int, memory: KernelMemory, frame: Frame) -> None:
    """A reduction that combines in memory starts from its identity."""
    result, out = member.results_given[position], member.outs[position]
    home = memory.homes[out]
    assert home.buffer is not None
    element = scalar_of(member.yielded()[position][0])
    identity = REDUCTIONS[result.kind].identity(element)
    values = [(home.buffer, identity, element)]
    if result.values == 2:
        assert home.best is not None
        values = [(home.buffer, 0, I64), (home.best, identity, element)]
    for buffer, number, kind in values:
        value = frame.constant(number, kind, 1)
        frame.top.add(Fill.create(operands=[value, buffer, frame.index(memory.count_of(member, out))]))
