"""The blocks of a kernel's loops: their bounds, their parts of common results, and the loop that combines these."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.ir import SSAValue

from ...dialects.expr import Expr
from ...dialects.loop.ops import Affine, Fill, FirstLanes, For, Load, Minimum, Store, Yield, vector
from ...dialects.loop.parallel import Parallel, Part
from ...dialects.weld.reductions import REDUCTIONS
from ...dialects.weld.types import BOOL, F32, F64, I64, byte_width, scalar_of
from ..points import compute_element
from .accumulators import combine
from .scopes import Frame, Scope
from .split import Partial, Split
from .values import Home

LINE = 64
"""Bytes of a cache line: two blocks never write to the same one for a common result."""


@dataclass(frozen=True)
class Shelf:
    """The parts of all blocks but the first of a common result: one after the other, `stride` elements apart.

    There is a buffer for the elements; for argmax and argmin, whose elements are positions, also one for best values.
    """

    partial: Partial
    buffers: tuple[SSAValue, ...]

    @property
    def stride(self) -> Expr:
        return stride_of(self.partial)


def lanes_of_line(partial: Partial) -> int:
    """Elements that fill a cache line, of the narrowest of the values."""
    return LINE // min(byte_width(e) for e in partial.elements)


def stride_of(partial: Partial) -> Expr:
    """Elements from one block to the next: whole cache lines."""
    line = lanes_of_line(partial)
    return (partial.count + (line - 1)) // line * line


# ---- one block ---------------------------------------------------------------------
def block_bounds(frame: Frame, split: Split, loop: Parallel) -> tuple[SSAValue, SSAValue]:
    """Where the block begins and ends along the dim that is cut."""
    names = {"b": loop.number, "n": loop.count, "steps": frame.index(split.steps)}
    begin, end = (
        frame.top.insert(
            Affine.of((Expr.symbol("b") + k) * Expr.symbol("steps") // Expr.symbol("n") * split.step, names)
        )
        for k in (0, 1)
    )
    if split.step == 1:
        return begin, end
    last = frame.index(split.size)
    return begin, frame.top.insert(Minimum.create(operands=[end, last], result_types=[I64]))


def part_home(frame: Frame, shelf: Shelf, loop: Parallel, home: Home) -> Home:
    """Where this block keeps its part of a result that lives in `home`."""
    stride = frame.index(shelf.stride)
    wholes = [b for b in (home.buffer, home.best) if b is not None]
    parts = [
        frame.top.insert(Part.of(loop.number, buffer, memory, stride))
        for buffer, memory in zip(wholes, shelf.buffers, strict=True)
    ]
    best = parts[1] if len(parts) > 1 else None
    return Home(parts[0], home.strides, best=best, partial=True, level=home.level)


def fill_later_parts(frame: Frame, shelf: Shelf, blocks: SSAValue) -> None:
    """The first block of a scatter starts from what the result starts from, the others from the identity."""
    partial, element = shelf.partial, scalar_of(shelf.partial.out)
    value = frame.constant(REDUCTIONS[partial.kind].identity(element), element, 1)
    count = Affine.of((Expr.symbol("b") - 1) * Expr.symbol("n"), {"b": blocks, "n": frame.index(shelf.stride)})
    frame.top.add(Fill.create(operands=[value, shelf.buffers[0], frame.top.insert(count)]))


# ---- all blocks --------------------------------------------------------------------
def combine_blocks(frame: Frame, shelf: Shelf, blocks: SSAValue, home: Home) -> Home:
    """Combine what the first block has left in `home` with the parts of the others, in their order.

    Sums of float32 add up in float64. A result of one element is in a register, too, from then on.
    """
    assert home.buffer is not None
    more = frame.top.insert(Affine.of(Expr.symbol("n") - 1, {"n": blocks}))
    zero = frame.index(Expr.constant(0))
    if shelf.partial.count.value == 1:
        value = _combine_at(frame, shelf, more, home, zero, None)
        return Home(home.buffer, home.strides, value=value if not home.strides else None)
    lanes = lanes_of_line(shelf.partial)
    count = frame.index(shelf.partial.count)
    # One block has nothing to combine.
    any_more = frame.top.insert(Minimum.create(operands=[more, frame.index(Expr.constant(1))], result_types=[I64]))
    stop = Affine.of(Expr.symbol("count") * Expr.symbol("more"), {"count": count, "more": any_more})
    loop = For.of(zero, frame.top.insert(stop), lanes, [], "combine")
    frame.top.add(loop)
    frame.top.anchor = loop
    inner = frame.with_scopes([*frame.scopes, Scope(loop.block)])
    rest = inner.top.insert(Affine.of(Expr.symbol("n") - Expr.symbol("c"), {"n": count, "c": loop.counter}))
    mask = inner.top.insert(FirstLanes.create(operands=[rest], result_types=[vector(BOOL, lanes)]))
    _combine_at(inner, shelf, more, home, loop.counter, mask)
    loop.block.add_op(Yield.create())
    frame.top.anchor = None
    return home


def _combine_at(
    frame: Frame, shelf: Shelf, more: SSAValue, home: Home, place: SSAValue, mask: SSAValue | None
) -> SSAValue:
    """Combine and store the elements at `place`, as many as the mask has lanes; gives them."""
    assert home.buffer is not None
    kind, elements = shelf.partial.kind, shelf.partial.elements
    lanes = lanes_of_line(shelf.partial) if mask is not None else 1
    wide = tuple(F64 if kind == "sum" and e == F32 else compute_element(e) for e in elements)
    wholes = (home.buffer, home.best)[: len(elements)]
    first = [frame.top.insert(Load.of(b, place, mask, lanes)) for b in wholes if b is not None]
    first = [frame.top.builder.cast(v, e) for v, e in zip(first, wide, strict=True)]
    stride, zero = frame.index(shelf.stride), frame.index(Expr.constant(0))
    loop = For.of(zero, more, 1, first, "blocks")
    frame.top.add(loop)
    frame.top.anchor = loop
    inner = frame.with_scopes([*frame.scopes, Scope(loop.block)])
    b, n, o = (Expr.symbol(name) for name in "bno")
    offset = inner.top.insert(Affine.of(b * n + o, {"b": loop.counter, "n": stride, "o": place}))
    new = [inner.top.insert(Load.of(buffer, offset, None, lanes)) for buffer in shelf.buffers]
    new = [inner.top.builder.cast(v, e) for v, e in zip(new, wide, strict=True)]
    # `combine` takes values before positions.
    combined = combine(inner, kind, list(loop.carried)[::-1], new[::-1])[::-1]
    loop.block.add_op(Yield.create(operands=combined))
    frame.top.anchor = None
    value = frame.top.builder.cast(loop.results[0], scalar_of(shelf.partial.out))
    frame.top.add(Store.of(value, home.buffer, place, mask))
    return value
