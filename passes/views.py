"""`propagate-views`: reshapes move towards the inputs, across elementwise ops, to where they are free.

    %a = weld.exp %x : tensor<4x8xf32>             %r = weld.reshape %x : (4x8) -> 32
    %b = weld.reshape %a : (4x8) -> 32       ->    %b = weld.exp %r : tensor<32xf32>

Other views need no pass of their own: `generalize` composes them into the accesses that read through them.
"""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass

from ..dialects.ir import block_of, erase
from ..dialects.weld.base import Elementwise
from ..dialects.weld.constant import Constant
from ..dialects.weld.types import Shape, scalar_of, shape_of, tensor_type
from ..dialects.weld.views import Reshape
from .fusion.graph import functions


@dataclass(frozen=True)
class PropagateViews(ModulePass):
    """Move each reshape of an elementwise result that nobody else uses to the operands."""

    name = "propagate-views"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in functions(op):
            for inner in reversed(list(function.body.block.ops)):
                if isinstance(inner, Reshape):
                    _hoist(inner)


def _hoist(reshape: Reshape) -> None:
    """Repeat until the reshape's operand is no elementwise op of its own."""
    stack = [reshape]
    while stack:
        current = stack.pop()
        source = current.args[0].owner
        if isinstance(source, Reshape):
            current.operands[0] = source.args[0]
            stack.append(current)
            continue
        if not isinstance(source, Elementwise) or sum(1 for _ in current.args[0].uses) > 1:
            continue
        shape = shape_of(current.res)
        moved = [_reshaped(v, shape, current, stack) for v in source.operands]
        copy = type(source).create(
            operands=moved,
            result_types=[tensor_type(scalar_of(current.res), shape)],
            properties=source.properties,
            location=source.location,
        )
        block_of(current).insert_op_before(copy, current)
        current.res.replace_all_uses_with(copy.res)
        for op in (current, source):
            erase(op)


def _reshaped(value: SSAValue, shape: Shape, before: Operation, stack: list[Reshape]) -> SSAValue:
    if isinstance(value.owner, Constant) and value.owner.is_splat:
        new = Constant.splat(value.owner.number, tensor_type(scalar_of(value), shape))
    else:
        new = Reshape.to(value, shape)
        stack.append(new)
    block_of(before).insert_op_before(new, before)
    return new.results[0]
