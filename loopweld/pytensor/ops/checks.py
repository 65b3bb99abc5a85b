"""Checks in the graph: `Assert` and PyMC's checks of parameters."""

# PyTensor is there with `loopweld[pytensor]` only.
# pyright: reportMissingImports=false

from __future__ import annotations

import numpy as np
from pytensor.raise_op import CheckAndRaise
from xdsl.ir import SSAValue

from loopweld.compiler.frontend.locations import location_of
from loopweld.dialects.weld import Check
from loopweld.dialects.weld.indexing import EXCEPTIONS
from loopweld.dialects.weld.reductions import All
from loopweld.dialects.weld.types import shape_of
from loopweld.pytensor.lowering import Lowering
from loopweld.pytensor.registry import Node, lowers


@lowers(CheckAndRaise)
def check_and_raise(low: Lowering, node: Node) -> SSAValue:
    """The value; the call raises where a condition does not hold."""
    exception: type[Exception] = node.op.exc_type
    EXCEPTIONS.setdefault(exception.__name__, exception)
    name = next(name for name, known in EXCEPTIONS.items() if known is exception)
    for variable in node.inputs[1:]:
        holds = low.cast(low.value(variable), np.dtype(bool))
        if shape_of(holds):
            holds = low.session.emit(All.of(holds, range(len(shape_of(holds)))))
        check = Check.of(low.session.apply("not", holds), node.op.msg, name)
        check.location = location_of(low.session.line())
        low.session.block.add_op(check)
    return low.value(node.inputs[0])
