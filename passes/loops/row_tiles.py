"""`RowTiles`: short rows change rows and columns in registers on their way in and out, so that each lane has a row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from xdsl.dialects.builtin import IntegerAttr, i64
from xdsl.ir import SSAValue

from ...dialects.expr import Expr, product_of
from ...dialects.ir import ops_of
from ...dialects.loop.transpose import Transpose
from ...dialects.weld.attributes import Result
from ...dialects.weld.base import Elementwise
from ...dialects.weld.generic import Generic, Load
from ...dialects.weld.kernel import Kernel
from ...dialects.weld.types import byte_width, scalar_of, shape_of
from .memory import KernelMemory, loads_of
from .row_ends import choose_row_ends
from .schedule import offset_of, register_lanes, strides_of
from .scopes import Frame
from .tiles import TILE_BYTES, square_of
from .values import Home

Strides: TypeAlias = tuple[Expr, ...]
"""In elements."""
Layouts: TypeAlias = Mapping[SSAValue, Strides]
Place: TypeAlias = tuple[SSAValue, SSAValue, SSAValue]
"""A buffer, an offset in it, and the elements from one row to the next."""

UNROLL = 4
"""Registers of rows that one step has at most."""
LANE_STEP = 2
"""Instructions to combine one half of a register with the other; argmax and argmin take four times as many."""
LONG = 16
"""Instructions that wait for a reduction's result as long as it took: fewer run beside other rows."""


@dataclass(frozen=True)
class RowTile:
    """Rows of a tensor that are in scratch: what `loads` read, or a result where there are none."""

    tensor: SSAValue
    offset: Expr
    """Of an element in the tensor, over dims and symbols."""
    size: int
    """Elements of a row."""
    loads: list[Load] = field(default_factory=list[Load])


@dataclass(frozen=True)
class RowTiles:
    """A kernel whose last outer dim goes across the lanes, and the tensors with rows along its inner dim."""

    kernel: Kernel
    inputs: list[RowTile]
    results: list[RowTile]
    targets: dict[SSAValue, Home] = field(default_factory=dict[SSAValue, Home])
    """Where the results live, besides the scratch that the kernel has them in."""

    @property
    def across(self) -> str:
        return f"d{self.kernel.outer_count - 1}"

    def place(self, memory: KernelMemory, lanes: int) -> None:
        """Scratch for the tiles, where the members find the tensors."""
        along, level = Expr.symbol(_along(self.kernel)), self.kernel.outer_count
        for tile in (*self.inputs, *self.results):
            count = Expr.constant(tile.size * lanes)
            buffer = memory.add_scratch(tile.tensor, count)
            memory.row_scratch[buffer] = count
            home = Home(buffer, per_lane=True, level=level)
            memory.homes |= dict.fromkeys(tile.loads, replace(home, place=along * lanes))
            if not tile.loads:
                self.targets[tile.tensor] = memory.homes[tile.tensor]
                strides = [Expr.constant(lanes if index == along else 0) for index in _given(tile.tensor).indices]
                memory.homes[tile.tensor] = replace(home, strides=tuple(strides))

    def move_in(self, memory: KernelMemory, frame: Frame, bits: int) -> None:
        """The rows of one step."""
        for tile in self.inputs:
            rows, size = self._extent(tile, frame)
            tensor, scratch = self._places(tile, memory.homes[tile.tensor], memory.homes[tile.loads[0]], frame)
            frame.top.add(Transpose.of(rows, size, tensor, scratch, square_of(tile.tensor, frame.lanes, bits)))

    def move_out(self, memory: KernelMemory, frame: Frame, bits: int) -> None:
        for tile in self.results:
            rows, size = self._extent(tile, frame)
            tensor, scratch = self._places(tile, self.targets[tile.tensor], memory.homes[tile.tensor], frame)
            frame.top.add(Transpose.of(size, rows, scratch, tensor, square_of(tile.tensor, frame.lanes, bits)))

    def _extent(self, tile: RowTile, frame: Frame) -> tuple[SSAValue, SSAValue]:
        """How many rows a step has, and of how many elements."""
        outer = self.kernel.outer_count
        left = self.kernel.looped[0].sizes[outer - 1] - Expr.symbol(self.across)
        rows = Expr.constant(frame.lanes) if frame.mask is None else left
        return frame.index(rows), frame.index(Expr.constant(tile.size))

    def _places(self, tile: RowTile, home: Home, scratch: Home, frame: Frame) -> tuple[Place, Place]:
        """Of a tile in the tensor's own memory, and in scratch."""
        step = tile.offset.coefficient(self.across)
        assert home.buffer is not None and scratch.buffer is not None and step is not None
        offset = tile.offset.substitute({_along(self.kernel): Expr.constant(0)})
        zero, lanes = frame.index(Expr.constant(0)), frame.index(Expr.constant(frame.lanes))
        return (home.buffer, frame.index(offset), frame.index(step)), (scratch.buffer, zero, lanes)


def _along(kernel: Kernel) -> str:
    return f"d{kernel.outer_count}"


def _given(out: SSAValue) -> Result:
    assert isinstance(out.owner, Generic)
    return out.owner.given(out)


# ---- which kernels -----------------------------------------------------------------
def choose_row_tiles(kernel: Kernel, layouts: Layouts, results: Sequence[Strides], bits: int) -> RowTiles | None:
    """Tiles for a kernel all of whose accesses suit lanes across rows then, where that takes less instructions;
    `results` are the strides of what the kernel gives."""
    kernel = _with_rows(kernel)
    outer = kernel.outer_count
    if not outer or not all(_is_plain(op, outer) for op in kernel.looped):
        return None
    lanes, rows = register_lanes(kernel.looped, bits), kernel.looped[0].sizes[outer - 1].value
    if rows is not None and rows < lanes:
        return None
    tiles: dict[tuple[SSAValue, Expr], RowTile] = {}
    for tensor, offset, op, load in _accesses(kernel, layouts, results):
        across, along = offset.coefficient(f"d{outer - 1}"), offset.coefficient(f"d{outer}")
        if across is None or along is None:
            return None
        if across.value in (0, 1):
            continue
        if along.value != 1 or (load is None and not _is_row_result(tensor, kernel)):
            return None
        tile = tiles.setdefault((tensor, offset), RowTile(tensor, offset, op.sizes[outer].value or 0))
        tile.loads.extend([load] if load is not None else [])
    found = list(tiles.values())
    row_bytes = sum(tile.size * byte_width(scalar_of(tile.tensor)) for tile in found)
    if not found or row_bytes * lanes * UNROLL > TILE_BYTES or not _pays(kernel, found, lanes):
        return None
    return RowTiles(kernel, [t for t in found if t.loads], [t for t in found if not t.loads])


def _with_rows(kernel: Kernel) -> Kernel:
    """A kernel of one reduction along its last dim, with the dims before it as outer ones."""
    if kernel.outer_count or len(kernel.looped) != 1 or len(kernel.looped[0].dims) < 2:
        return kernel
    (op,) = kernel.looped
    if not any(r.is_reduction and r.indices and op.dims[-1] in op.reduced_dims(r) for r in op.results_given):
        return kernel
    copy = kernel.clone()
    copy.properties["outer"] = IntegerAttr(len(op.dims) - 1, i64)
    return copy


def _is_plain(op: Generic, outer: int) -> bool:
    """Whether a member has no dim, or a short one, inside the outer ones, and all of it at all points."""
    if op.guards or op.inits or op.bounds or len(op.dims) > outer + 1:
        return False
    if len(op.dims) > outer and not op.sizes[outer].value:
        return False
    return not any(load.where.guards or load.indices for load in op.loads())


def _accesses(
    kernel: Kernel, layouts: Layouts, results: Sequence[Strides]
) -> Iterator[tuple[SSAValue, Expr, Generic, Load | None]]:
    """What the looped members access outside the kernel's own scratch: at which offset, by which load."""
    leaving = dict(zip(kernel.terminator.operands, results, strict=True))
    for op in kernel.looped:
        for load in op.loads():
            if load.tensor in layouts:
                yield load.tensor, offset_of(load.where.indices, layouts[load.tensor]), op, load
        for out, result in zip(op.outs, op.results_given, strict=True):
            if out in leaving or any(load.parent_op() not in kernel.looped for load in loads_of(out)):
                strides = leaving.get(out, strides_of(shape_of(out)))
                yield out, offset_of(result.indices, strides), op, None


def _is_row_result(out: SSAValue, kernel: Kernel) -> bool:
    """Whether a result is written row by row, each element at its own index, and read nowhere else in the kernel."""
    result, along = _given(out), _along(kernel)
    moving = [index for index in result.indices if along in index.names]
    readers = {load.parent_op() for load in loads_of(out)}
    return result.is_write and [str(index) for index in moving] == [along] and readers <= set(kernel.looped)


def _pays(kernel: Kernel, tiles: list[RowTile], lanes: int) -> bool:
    """Whether as many rows as a register has lanes take less instructions lane by lane, with what moves the tiles,
    than row by row, with what combines the lanes."""
    costs = {
        op: sum(o.cost for o in ops_of(op.block) if isinstance(o, Elementwise)) + len(op.outs) for op in kernel.looped
    }
    by_row = by_lane = 0
    ends = choose_row_ends(kernel.looped, kernel.outer_count)
    ended = ends.members if ends is not None else ()
    for op, cost in costs.items():
        size = product_of(op.sizes[kernel.outer_count :]).value or 0
        steps = min(_power(size), lanes).bit_length() - 1
        for out, result in zip(op.outs, op.results_given, strict=True):
            if _along(kernel) in op.reduced_dims(result):
                readers = {load.parent_op() for load in loads_of(out)}
                waits = any(op in readers and cost >= LONG and op not in ended for op, cost in costs.items())
                by_row += lanes * steps * LANE_STEP * (2 if waits else 1) * result.values**2
        by_row += cost if op in ended else lanes * cost * -(-size // lanes)
        by_lane += cost * size
    return by_lane + sum(_moves(tile.size, lanes) for tile in tiles) < by_row


def _moves(size: int, lanes: int) -> int:
    """Instructions that move as many rows as a register has lanes. Shuffles take twice as long as others."""
    width = min(_power(size), lanes // 2)
    return lanes * -(-size // width) + size + 2 * size * (width.bit_length() - 1)


def _power(size: int) -> int:
    """The least power of two that is not less."""
    return 1 << (size - 1).bit_length()
