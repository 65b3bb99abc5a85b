"""`ScalarLoop`: elements that are each computed in a loop of their own, as gradients of incomplete gamma functions are.

All elements take their steps together, those that have taken their last one keep what they have.
"""

# PyTensor is there with `loopweld[pytensor]` only.
# pyright: reportMissingImports=false

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from pytensor.scalar.loop import ScalarLoop
from xdsl.ir import SSAValue

from loopweld.dialects.weld import REDUCTIONS
from loopweld.dialects.weld.types import shape_of
from loopweld.pytensor.lowering import Lowering
from loopweld.pytensor.ops.scalars import emit_inner, is_known
from loopweld.pytensor.registry import dtype_of
from loopweld.pytensor.steps import repeat

INT64 = np.dtype(np.int64)


def is_known_loop(op: Any) -> bool:
    """Whether it is a loop whose steps can be lowered."""
    return isinstance(op, ScalarLoop) and all(is_known(n.op, n.inputs, n.outputs) for n in op.fgraph.apply_nodes)


def scalar_loop(low: Lowering, op: Any, values: Sequence[SSAValue]) -> list[SSAValue]:
    """The states after `values[0]` steps, or those until the condition holds; and then the condition."""
    apply, shape = low.session.apply, shape_of(values[0])
    zero = low.session.splat(0, INT64, shape)
    taken = [low.cast(v, dtype_of(inner)) for v, inner in zip(values[1:], op.fgraph.inputs, strict=True)]
    count = len(op.outputs) - op.is_while
    starts, constants = taken[:count], taken[count:]
    if op.is_while:
        starts = [*starts, low.session.splat(False, np.dtype(bool), shape)]

    def step(before: Sequence[SSAValue]) -> tuple[Sequence[SSAValue], SSAValue]:
        left, *states = before
        found = emit_inner(low.session, op, [*states[:count], *constants])
        runs = apply("gt", left, zero)
        fewer = apply("sub", left, low.session.splat(1, INT64, shape))
        if op.is_while:
            fewer = apply("select", found[count], zero, fewer)
        fewer = apply("select", runs, fewer, zero)
        more = apply("gt", fewer, zero)
        if shape:
            more = low.session.emit(REDUCTIONS["any"].of(more, range(len(shape))))
        kept = [apply("select", runs, new, old) for new, old in zip(found, states, strict=True)]
        return [fewer, *kept], apply("not", more)

    return repeat(low, [low.cast(values[0], INT64), *starts], step)[1:]
