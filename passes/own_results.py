"""`own-results`: each result of a function has memory of its own.

func.return %x, %y, %y   ->   %0 = weld.library "numpy.copy" %x; %1 = weld.library "numpy.copy" %y; return %0, %y, %1
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import ReturnOp
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass

from ..dialects.ir import block_of
from ..dialects.weld.base import Builder
from ..dialects.weld.constant import Constant
from ..dialects.weld.generic import Generic, Load
from ..dialects.weld.library import Library
from ..dialects.weld.views import Reshape, View


@dataclass(frozen=True)
class OwnResults(ModulePass):
    """Copy arguments, views and repeated values that a function returns, for targets that run library calls only."""

    name = "own-results"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for returns in list(op.walk()):
            if isinstance(returns, ReturnOp):
                own_results(returns, library_copy)


def own_results(
    returns: ReturnOp, copy: Callable[[SSAValue, Operation], SSAValue], strided: Collection[SSAValue] = ()
) -> None:
    """Each result gets a buffer of its own: `copy` is put in front of the return for what has none. Another shape of
    what a loop writes has the loop's. What goes to `strided` memory is written there, element by element, by one
    loop, and has no other shape."""
    seen: set[SSAValue] = set()
    for k, value in enumerate(returns.operands):
        root = _written(value)
        if value in strided and not _is_only_written(value):
            returns.operands[k] = copy(value, returns)
            continue
        if isinstance(root.owner, Operation) and not isinstance(root.owner, View | Constant) and root not in seen:
            seen.add(root)
            continue
        returns.operands[k] = copy(value, returns)


def _written(value: SSAValue) -> SSAValue:
    """The result of a loop that reshapes make of the value; without a loop the value itself."""
    root = value
    while isinstance(root.owner, Reshape):
        root = root.owner.args[0]
    return root if isinstance(root.owner, Generic) else value


def _is_only_written(value: SSAValue) -> bool:
    """Whether a loop writes the value at each point of its own, and only loops read it."""
    if not isinstance(value.owner, Generic) or not value.owner.given(value).is_write:
        return False
    return all(isinstance(use.operation, Load | ReturnOp) for use in value.uses)


def library_copy(value: SSAValue, before: Operation) -> SSAValue:
    """A copy of a tensor by NumPy, made before an op."""
    copied = Library.of("numpy.copy", [value], [value.type], {})
    Builder(block_of(before), before, before.location).insert(copied)
    return copied.results[0]
