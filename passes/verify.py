"""`verify_module`: what every module must satisfy, beyond what xDSL verifies op by op.

xDSL leaves out that a value is defined before its use, and it cannot know what holds at a stage of ours. The
stage is read off the IR: a function with a `weld.kernel` is at the kernels stage, one with loops or buffers at
the loops stage. (Generics and tensor ops may stand side by side: that is what `convert-linalg-to-weld` makes.)
"""

from __future__ import annotations

from typing import NoReturn

from xdsl.dialects.builtin import IntegerAttr, ModuleOp, TensorType
from xdsl.dialects.func import CallOp, FuncOp, ReturnOp
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue
from xdsl.irdl.dominance import DominanceInfo
from xdsl.traits import NoTerminator
from xdsl.utils.exceptions import VerifyException

from ..dialects.loop.ops import Buffer, Copy, Fill, Load, Store, lanes_of, vector
from ..dialects.weld.base import Elementwise, TensorOp
from ..dialects.weld.constant import Constant
from ..dialects.weld.generic import Generic
from ..dialects.weld.indexing import Check
from ..dialects.weld.kernel import Kernel
from ..dialects.weld.library import Call
from ..dialects.weld.recurrence import Recurrence
from ..dialects.weld.types import BOOL, I64, kind_of, scalar_of
from ..dialects.weld.views import View
from .points import is_native


def verify_module(module: ModuleOp) -> None:
    """Raise a VerifyException at the first op that is wrong by itself, by its operands, or for its stage."""
    order = {op: number for number, op in enumerate(module.walk())}
    for op in order:
        _verify_owners(op, order)
    module.verify()
    dominance: dict[Region, DominanceInfo] = {}
    for op in order:
        _verify_dominance(op, order, dominance)
    annotated = any(isinstance(op, Load | Store) and op.scope is not None for op in order)
    for op in order:
        if isinstance(op, FuncOp) and op.body.blocks:
            _verify_stage(op, annotated)


def _wrong(op: Operation, text: str) -> NoReturn:
    op.emit_error(text, VerifyException(text))


# ---- values ------------------------------------------------------------------------
def _verify_owners(op: Operation, order: dict[Operation, int]) -> None:
    """Every operand is a result or a block argument of something in this module."""
    for number, operand in enumerate(op.operands):
        owner = operand.owner
        holder = owner.parent_op() if isinstance(owner, Block) else owner
        if holder not in order:
            what = "a block" if isinstance(owner, Block) else f"'{owner.name}'"
            _wrong(op, f"operand #{number} belongs to {what} that is not in the module")


def _verify_dominance(op: Operation, order: dict[Operation, int], dominance: dict[Region, DominanceInfo]) -> None:
    """Every operand is defined before the op, in a region that the op is in. Code that nothing branches to may
    use what it likes; a region without order (a module's) only limits visibility."""
    for number, operand in enumerate(op.operands):
        home = operand.owner if isinstance(operand.owner, Block) else operand.owner.parent
        region = home.parent if home is not None else None
        assert home is not None and region is not None, "the owner is in the module"
        block = region.find_ancestor_block_in_region(op.parent) if op.parent is not None else None
        if block is None:
            _wrong(op, f"operand #{number} is defined in a region that the operation is not in")
        holder = region.parent
        if holder is not None and holder.has_trait(NoTerminator):
            continue
        blocks = dominance[region] = dominance.get(region) or DominanceInfo(region)
        if not blocks.dominates(region.blocks[0], block):
            continue
        if block is home and isinstance(operand.owner, Operation):
            user = block.find_ancestor_op_in_block(op)
            before = user is not None and order[operand.owner] < order[user]
        else:
            before = blocks.dominates(home, block)
        if not before:
            _wrong(op, f"operand #{number} does not dominate this use: it is defined later, or not on every path")


# ---- stages ------------------------------------------------------------------------
def _verify_stage(function: FuncOp, annotated: bool) -> None:
    ops = list(function.body.walk())
    takes_buffers = any(isinstance(kind, Buffer) for kind in function.function_type.inputs)
    if takes_buffers or any(op.dialect_name() == "loop" for op in ops):
        _verify_shares(function)
        calls = any(isinstance(op, CallOp) for op in ops)  # what calls kernels is none
        for op in ops:
            _verify_loops_op(op, annotated and not calls)
    elif any(isinstance(op, Kernel) for op in ops):
        for op in (op for op in ops if op.parent_op() is function):
            _verify_kernels_op(op)


def _verify_kernels_op(op: Operation) -> None:
    """At the kernels stage an op is a kernel, a library call, a free view, or what starts and checks them."""
    if isinstance(op, Kernel):
        _verify_row_reads(op)
        return
    if isinstance(op, Generic | Constant | View | Call | Recurrence | Check | ReturnOp):
        return
    if isinstance(op, TensorOp) and type(op).point is TensorOp.point:
        return
    if not isinstance(op, Elementwise | TensorOp):
        _wrong(op, "stands beside a weld.kernel, where only kernels, library calls and views may")
    if not any(kind_of(scalar_of(v)) == "c" for v in (*op.operands, *op.results)) and (
        isinstance(op, TensorOp) or is_native(type(op), scalar_of(op.operands[-1]))
    ):
        _wrong(op, "is not part of any weld.kernel; generalize and form-kernels must come first")


def _verify_row_reads(kernel: Kernel) -> None:
    """A member in the shared loops reads another one's result only at its own outer indices."""
    inside: dict[SSAValue, tuple[Generic, int]] = {
        out: (member, position) for member in kernel.looped for position, out in enumerate(member.outs)
    }
    for load in (load for member in kernel.looped for load in member.loads() if load.tensor in inside):
        producer, position = inside[load.tensor]
        indices = producer.results_given[position].indices
        read = {str(own): str(index) for own, index in zip(indices, load.where.indices, strict=True)}
        for dim, size in zip(producer.dims, kernel.outer_sizes, strict=False):
            if read.get(dim) != dim and size.value != 1:
                _wrong(load, f"reads another member's result not only at its own index along outer dim {dim}")


def _verify_shares(function: FuncOp) -> None:
    """`loop.shares` of an argument is the number of a buffer of the same elements, which may be the same memory."""
    args = function.body.block.args
    for argument, attributes in zip(args, function.arg_attrs.data if function.arg_attrs else (), strict=False):
        other = attributes.data.get("loop.shares")
        if other is None:
            continue
        number = other.value.data if isinstance(other, IntegerAttr) else -1
        if not isinstance(argument.type, Buffer) or not (
            0 <= number < len(args) and args[number].type == argument.type
        ):
            _wrong(function, f"argument #{argument.index} shares its memory with what is no {argument.type}: {other}")


def _verify_loops_op(op: Operation, annotated: bool) -> None:
    """At the loops stage there are loops, arithmetic on scalars and vectors, and calls."""
    if not isinstance(op, Elementwise | Constant) and op.dialect_name() not in ("loop", "func", "builtin"):
        _wrong(op, "may not stand in a function of explicit loops")
    for value in (*op.operands, *op.results):
        kind: Attribute = value.type
        if isinstance(kind, TensorType):
            _wrong(op, f"uses {kind} in a function of explicit loops, where tensors are buffers")
    if isinstance(op, Load | Store):
        _verify_access(op)
    if annotated and isinstance(op, Load | Store | Fill | Copy):
        _verify_scope(op)


def _verify_access(op: Load | Store) -> None:
    """An access moves lanes of the buffer's element, at one i64 offset or one a lane, under a mask of its lanes."""
    assert isinstance(op.buffer.type, Buffer)
    value: SSAValue = op.res if isinstance(op, Load) else op.value
    lanes = lanes_of(value)
    if scalar_of(value) != op.buffer.type.element:
        _wrong(op, f"moves {value.type} through {op.buffer.type}")
    if op.offset.type not in (I64, vector(I64, lanes)):
        _wrong(op, f"expects an i64 offset, or one for each of the {lanes} lanes, found {op.offset.type}")
    if op.mask is not None and op.mask.type != vector(BOOL, lanes):
        _wrong(op, f"expects a mask of type {vector(BOOL, lanes)}, found {op.mask.type}")


def _verify_scope(op: Load | Store | Fill | Copy) -> None:
    """`annotate-alias-scopes` gives every access of a module its scope: one that has a scope tells that it ran."""
    if op.scope is None or op.noalias is None:
        _wrong(op, "has no alias scope, though other accesses of the module have")
    if op.scope in op.noalias.data:
        _wrong(op, f"cannot overlap its own alias scope {op.scope}")
