"""`propagate-views`: reshapes move towards the inputs, across elementwise ops, to where they are free.

    %a = weld.exp %x : tensor<4x8xf32>             %r = weld.reshape %x : (4x8) -> 32
    %b = weld.reshape %a : (4x8) -> 32       ->    %b = weld.exp %r : tensor<32xf32>

So do the transposes that stand between a reshape and an elementwise op: up there the views of two reshapes often undo
each other. Other views need no pass of their own: `generalize` composes them into the accesses that read through them.
"""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import ReturnOp
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass

from ..dialects.ir import block_of, erase, ops_of
from ..dialects.weld.base import Elementwise
from ..dialects.weld.constant import Constant
from ..dialects.weld.types import is_empty, scalar_of, shape_of, tensor_type
from ..dialects.weld.views import Reshape, Transpose, reshape_groups
from .fusion.graph import functions


@dataclass(frozen=True)
class PropagateViews(ModulePass):
    """Move each reshape of an elementwise result that nobody else uses to the operands."""

    name = "propagate-views"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in functions(op):
            for inner in reversed(ops_of(function.body.block)):
                if isinstance(inner, Reshape) and not (_mixes(inner) and _is_only_returned(inner)):
                    _hoist(inner)


def _is_only_returned(reshape: Reshape) -> bool:
    """Whether the shape is for the caller alone, to whom it is free where it stands."""
    return all(isinstance(use.operation, ReturnOp) for use in reshape.res.uses)


def _hoist(reshape: Reshape) -> None:
    """Repeat until the reshape's operand is no elementwise op of its own."""
    stack = [reshape]
    while stack:
        current = stack.pop()
        source = current.args[0].owner
        if isinstance(source, Reshape):
            current.operands[0] = source.args[0]
            stack.append(current)
        elif isinstance(source, Transpose):
            if not _mixes(current) and _raise_transpose(source):
                stack.append(current)
        elif _is_own_elementwise(current.args[0]):
            stack += [view for view in _raise(current) if isinstance(view, Reshape)]


def _raise_transpose(transpose: Transpose) -> bool:
    """Take a transpose, of which a reshape is the only user, across the op that gives its operand."""
    value = transpose.args[0]
    if not transpose.res.has_one_use():
        return False
    if _is_own_elementwise(value):
        _raise(transpose)
        return True
    if not isinstance(value.owner, Transpose):
        return False
    inner = value.owner.permutation.get_values()
    both = Transpose.of(value.owner.args[0], [inner[k] for k in transpose.permutation.get_values()])
    block_of(transpose).insert_op_before(both, transpose)
    transpose.res.replace_all_uses_with(both.res)
    erase(transpose)
    return True


def _mixes(reshape: Reshape) -> bool:
    """Whether some dims become others that are no parts of them, nor put together from them."""
    source, target = (tuple(n for n in shape_of(v) if n.value != 1) for v in (reshape.args[0], reshape.res))
    if is_empty(source):
        return False
    return any(len(group) > 1 and width > 1 for group, width in reshape_groups(source, target))


def _is_own_elementwise(value: SSAValue) -> bool:
    return isinstance(value.owner, Elementwise) and value.has_one_use()


def _raise(view: Reshape | Transpose) -> list[Operation]:
    """Put the elementwise op that gives a view's operand behind views of its own operands, which are returned."""
    source, shape = view.args[0].owner, shape_of(view.res)
    assert isinstance(source, Elementwise)
    block = block_of(view)
    moved: list[Operation] = []
    for value in source.operands:
        kind = tensor_type(scalar_of(value), shape)
        if isinstance(value.owner, Constant) and value.owner.is_splat:
            moved.append(Constant.splat(value.owner.number, kind))
        else:
            moved.append(type(view).create(operands=[value], result_types=[kind], properties=view.properties))
    copy = type(source).create(
        operands=[op.results[0] for op in moved],
        result_types=[tensor_type(scalar_of(view.res), shape)],
        properties=source.properties,
        location=source.location,
    )
    for op in (*moved, copy):
        block.insert_op_before(op, view)
    view.res.replace_all_uses_with(copy.res)
    for op in (view, source):
        erase(op)
    return moved
