"""When a kernel may write a result over a tensor that it reads."""

from __future__ import annotations

from collections.abc import Mapping

from xdsl.ir import Operation, SSAValue

from ...dialects.expr import Expr
from ...dialects.weld.attributes import Result
from ...dialects.weld.generic import Generic, Load
from ...dialects.weld.kernel import Kernel
from ...dialects.weld.recurrence import Recurrence
from ...dialects.weld.types import scalar_of, shape_of
from ...dialects.weld.views import Reshape, Transpose
from .schedule import offset_of, strides_of

Layouts = Mapping[SSAValue, tuple[Expr, ...]]


def root_of(value: SSAValue) -> SSAValue:
    """The tensor whose memory this is: a reshape or transpose shares its operand's."""
    while isinstance(value.owner, Reshape | Transpose):
        value = value.owner.args[0]
    return value


def may_overwrite(op: Operation, old: SSAValue, new: SSAValue, layouts: Layouts) -> bool:
    """Whether `op` may put its result `new` where `old` is, a tensor of as many bytes that nothing reads later.

    Every read of an element of `old` must come no later than the write of that element, whatever the order of the
    loops and the number of lanes: in the same point of the writing generic's domain, or in an earlier generic of
    the kernel and the same iteration of the shared loops. So no point may be computed a second time after it was
    written. A scatter or a recurrence may start in the memory of its init, which nothing else may read then.
    """
    if isinstance(op, Recurrence):
        init = op.inits[list[SSAValue](op.outs).index(new)]
        return init is not None and root_of(init) is old and [root_of(v) for v in op.args].count(old) == 1
    if not isinstance(op, Kernel) or scalar_of(old) != scalar_of(new):
        return False
    inner = op.terminator.operands[list[SSAValue](op.outs).index(new)]
    writer = inner.owner
    assert isinstance(writer, Generic)
    while writer.is_gate and isinstance(first := _init_of(writer, inner).owner, Generic) and first in op.members:
        writer, inner = first, _init_of(writer, inner)  # the elements are written before the gate closes
    result = writer.given(inner)
    inits = [init for member in op.members for init in member.inits if root_of(init) is old]
    reads = [load for member in op.members for load in member.loads() if root_of(load.tensor) is old]
    if result.is_scatter:
        dense = strides_of(shape_of(new))
        return not reads and len(inits) == 1 and _init_of(writer, inner) is inits[0] and layouts[inits[0]] == dense
    if inits or not result.is_write:
        return False
    return all(_is_earlier(op, load, writer, result, shape_of(new), layouts) for load in reads)


def _init_of(writer: Generic, inner: SSAValue) -> SSAValue:
    """The tensor that a scatter result starts from."""
    scatters = [o for o, r in zip(writer.outs, writer.results_given, strict=True) if r.is_scatter]
    return writer.inits[list[SSAValue](scatters).index(inner)]


def _is_earlier(
    kernel: Kernel, load: Load, writer: Generic, result: Result, shape: tuple[Expr, ...], layouts: Layouts
) -> bool:
    """Whether a load reads each element no later than `writer` writes it."""
    reader, layout = load.parent_op(), layouts[load.tensor]
    members = kernel.members
    assert isinstance(reader, Generic)
    if reader is writer:
        target = offset_of(result.indices, strides_of(shape))
        return not load.indices and offset_of(load.where.indices, layout) == target
    if members.index(reader) > members.index(writer):
        return False
    if reader not in kernel.looped or writer not in kernel.looped:
        return True  # all of the reader's loops are done
    if shape_of(load.tensor) != shape or layout != strides_of(shape):
        return False
    own = {str(written) for written, read in zip(result.indices, load.where.indices, strict=True) if read == written}
    return all(d in own or size.value == 1 for d, size in zip(writer.dims, kernel.outer_sizes, strict=False))
