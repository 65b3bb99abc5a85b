"""Streaming stores: results that no cache holds go to memory without their old contents being read first."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.ir import Block, Operation, SSAValue

from ...dialects.expr import Expr, sum_of
from ...dialects.ir import walk
from ...dialects.loop.ops import LINE, Access, Affine, Buffer, Copy, Drain, Fill, For, Store, lanes_of
from ...dialects.loop.parallel import Part
from ...dialects.loop.transpose import Transpose
from ...dialects.weld.constant import Constant
from ...dialects.weld.types import I64, bit_width, bytes_of, scalar_of, shape_of
from ..points import ScalarBuilder
from .alias import shared_arguments
from .kernel import KernelFunction


def stream_results(kernel: KernelFunction, least_bytes: int) -> None:
    """Let the stores of whole registers to results bypass the caches, if all these results together have at least
    `least_bytes` when the kernel runs.

    Only for results that the kernel writes and nothing else: what it reads again, combines, or has in the memory of an
    input is in a cache already. And only where one loop walks all of the memory, or the innermost of loops that do
    nothing else does, in whole cache lines: the ends of rows would fill parts of them, and a burst of writes, as at the
    end of a softmax's row, would wait for memory. Where a loop for the ends follows, rows must be whole lines when the
    kernel runs.
    """
    function = kernel.function
    first = len(kernel.tensors)
    arguments = function.body.block.args[first : first + len(kernel.results)]
    results: dict[SSAValue, SSAValue] = dict(zip(arguments, kernel.results, strict=True))
    ops = walk(function)
    for buffer in _not_only_written(ops) | {written for _, written in shared_arguments(function)}:
        results.pop(buffer, None)
    stores = [op for op in ops if isinstance(op, Store) and op.buffer in results and _whole(op)]
    nests = {op for op in stores if _thread(op)[1] > 1}
    ends = {op.buffer for op in ops if isinstance(op, Store) and op.mask is not None}
    over = {op: _past_lines(results[op.buffer]) for op in nests if op.buffer in ends}
    stores = [op for op in stores if op not in nests or (_is_nest(op) and all(map(_fills_lines, _like(op, ops))))]
    stores = [op for op in stores if not (op in over and over[op].value)]
    written = dict.fromkeys(results[op.buffer] for op in stores)
    size = sum_of(bytes_of(r) for r in written)
    if not stores or (size.value is not None and size.value < least_bytes):
        return
    block = function.body.block
    symbols = dict(zip(kernel.symbols, block.args[len(block.args) - len(kernel.symbols) :], strict=True))
    builder = ScalarBuilder(block, block.first_op)
    bytes_ = Affine.of(size, {n: symbols[n] for n in size.names})
    least = Constant.splat(least_bytes, I64)
    builder.insert(bytes_)
    builder.insert(least)
    large = builder.ge(bytes_.res, least.res)
    for rest in dict.fromkeys(over[op] for op in stores if op in over):
        past = builder.insert(Affine.of(rest, {n: symbols[n] for n in rest.names})).results[0]
        large = builder.and_(large, builder.eq(past, builder.constant(0, past)))
    for op in stores:
        op.stream_if(large)
    for thread in dict.fromkeys(_thread(op)[0] for op in stores):
        ScalarBuilder(thread, thread.last_op).insert(Drain.create(operands=[large]))


def _whole(op: Store) -> bool:
    return op.kind.data == "set" and op.mask is None and lanes_of(op.value) > 1 and lanes_of(op.offset) == 1


def _fills_lines(op: Store) -> bool:
    return _whole(op) and lanes_of(op.value) * bit_width(scalar_of(op.value)) % (8 * LINE) == 0


def _past_lines(result: SSAValue) -> Expr:
    """How many elements a row of a result has beyond whole cache lines."""
    return shape_of(result)[-1] % (8 * LINE // bit_width(scalar_of(result)))


def _like(op: Store, ops: Sequence[Operation]) -> list[Store]:
    """All stores to the same buffer but those of the ends of rows."""
    return [other for other in ops if isinstance(other, Store) and other.buffer is op.buffer and other.mask is None]


def _is_nest(op: Store) -> bool:
    """Whether of the loops around the op each does nothing but prepare and run the next one, but for the ends of
    rows."""
    loop = op.parent_op()
    while isinstance(loop, For) and isinstance(outer := loop.parent_op(), For):
        others = [inner for inner in outer.block.ops if inner is not loop and not _is_rest(inner, loop)]
        if any(inner.regions or isinstance(inner, Store | Fill | Copy | Transpose) for inner in others):
            return False
        loop = outer
    return isinstance(loop, For)


def _is_rest(op: Operation, loop: For) -> bool:
    """Whether an op is the loop over the last lanes of a row that another loop walks."""
    if not isinstance(op, For) or op.lower is not loop.upper or any(inner.regions for inner in op.block.ops):
        return False
    return all(inner.mask is not None for inner in op.block.ops if isinstance(inner, Store))


def _not_only_written(ops: Sequence[Operation]) -> set[SSAValue]:
    """Buffers that the ops read, fill, combine in, or divide into parts."""
    found: set[SSAValue] = set()
    for op in ops:
        if isinstance(op, Fill | Copy | Part) or (
            isinstance(op, Access) and not (isinstance(op, Store) and op.kind.data == "set")
        ):
            found |= {v for v in op.operands if isinstance(v.type, Buffer)}
    return found


def _thread(op: Operation) -> tuple[Block, int]:
    """What the thread runs that runs the op: the kernel or one of its blocks; and how many loops are open at the op."""
    depth, block = 0, op.parent_block()
    while block is not None and isinstance(loop := block.parent_op(), For):
        depth, block = depth + 1, loop.parent_block()
    assert block is not None
    return block, depth
