"""The dataflow graph of a function's top-level ops; a generic uses the tensors that its body loads."""

from __future__ import annotations

from collections.abc import Iterator

from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Block, Operation, SSAValue

from ...dialects.expr import Expr
from ...dialects.ir import block_of, complain, ops_of
from ...dialects.weld.attributes import Dims
from ...dialects.weld.generic import Generic, Load
from ...dialects.weld.views import Reshape, Transpose


def functions(module: Operation) -> Iterator[FuncOp]:
    """The module's functions that have a body; VerifyException for one of several blocks."""
    for op in module.regions[0].blocks[0].ops:
        if isinstance(op, FuncOp) and op.body.blocks:
            check_is_straight(op)
            yield op


def check_is_straight(function: FuncOp) -> None:
    """VerifyException for a function with control flow."""
    if len(function.body.blocks) > 1:
        complain(function, "has several blocks; loopweld reads straight-line functions on tensors")


def top_level(op: Operation, block: Block) -> Operation:
    """The ancestor of `op` (or itself) that stands in `block`."""
    while (parent := op.parent) is not block:
        region = parent.parent if parent is not None else None
        assert region is not None and region.parent is not None, f"{op.name} is not inside the block"
        op = region.parent
    return op


def tensors_used(op: Operation) -> set[SSAValue]:
    """The values from outside that an op uses: its operands, and what its body refers to."""
    used = set(op.operands)
    made: set[SSAValue] = set()
    blocks = [block for region in op.regions for block in region.blocks]
    for block in blocks:
        made.update(block.args)
        for child in ops_of(block):
            used.update(child.operands)
            made.update(child.results)
            blocks += [inner for region in child.regions for inner in region.blocks]
    return used - made


def producers(op: Operation) -> set[Operation]:
    """The ops whose results an op uses."""
    return {v.owner for v in tensors_used(op) if isinstance(v.owner, Operation)}


def users(op: Operation) -> set[Operation]:
    """The top-level ops that use a result of `op`."""
    block = block_of(op)
    found: set[Operation] = set()
    for result in op.results:
        for use in result.uses:
            found.add(top_level(use.operation, block))
    return found


def is_used_elsewhere(producer: Operation, consumer: Operation) -> bool:
    """Whether another op than `consumer` uses a result of `producer`."""
    block = block_of(producer)
    return any(top_level(use.operation, block) is not consumer for out in producer.results for use in out.uses)


def sort_block(block: Block) -> None:
    """Put the ops of a block into an order where definitions come before uses, keeping their order otherwise."""
    ops = ops_of(block)
    position = {op: k for k, op in enumerate(ops)}
    placed: set[Operation] = set()
    order: list[Operation] = []
    for op in ops:
        stack = [op]
        while stack:
            current = stack[-1]
            if current in placed:
                stack.pop()
                continue
            waiting = [p for p in producers(current) if p in position and p not in placed]
            if waiting:
                stack += sorted(waiting, key=lambda p: -position[p])
            else:
                placed.add(current)
                order.append(current)
                stack.pop()
    if order == ops:
        return
    for op in ops:
        op.detach()
    block.add_ops(order)


def is_returned(value: SSAValue) -> bool:
    """Whether the value, or a view of it, is a result of the function (or of an enclosing kernel's program)."""
    users = [use.operation for use in value.uses]
    return any(
        isinstance(op, ReturnOp) or (isinstance(op, Reshape | Transpose) and is_returned(op.res)) for op in users
    )


def loads_of(consumer: Generic, producer: Operation) -> list[Load]:
    """The loads in the body of `consumer` of any result of `producer`."""
    using = [use.operation for result in producer.results for use in result.uses]
    return [op for op in using if isinstance(op, Load) and op.parent is consumer.block]


def strided_results(function: FuncOp) -> dict[SSAValue, tuple[Expr, ...]]:
    """The strides in elements of the results that carry `weld.strides`: their memory is the caller's."""
    returns = function.body.block.last_op
    if function.res_attrs is None or not isinstance(returns, ReturnOp):
        return {}
    pairs = zip(returns.operands, function.res_attrs.data, strict=True)
    found = [(value, attributes.data.get("weld.strides")) for value, attributes in pairs]
    return {value: strides.data for value, strides in found if isinstance(strides, Dims)}
