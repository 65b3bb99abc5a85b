"""`Tiling`: a kernel whose tensors lie across each other walks tiles of them, which are transposed in registers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from xdsl.dialects.builtin import IntegerAttr, i64
from xdsl.ir import SSAValue

from ...dialects.expr import Expr
from ...dialects.loop.transpose import Transpose
from ...dialects.weld.generic import Generic, Load
from ...dialects.weld.kernel import Kernel
from ...dialects.weld.types import bit_width, byte_width, scalar_of, shape_of
from ..fusion.kernels import permuted
from .nest import TILE
from .schedule import offset_of, strides_of
from .scopes import Frame
from .values import Home, Homes

LEAST = 16
"""The least elements of a dim that is walked in tiles."""
TILE_BYTES = 16 << 10
"""What the tiles may take together: they stay in the first-level cache."""
MOST_ROWS = 64
"""Rows of a tile: the lines of memory that it touches stay in the first-level cache, and their pages are known."""

MOST_LANES = 16
"""Of a row of a square that is transposed in registers: the square fits into them."""


@dataclass(frozen=True)
class Tiling:
    """A kernel of one generic whose last outer dim goes across the lanes; along its inner dim the loads of `tiles` are
    contiguous."""

    kernel: Kernel
    tiles: tuple[Load, ...]

    @property
    def across(self) -> str:
        return f"d{self.kernel.outer_count - 1}"

    @property
    def along(self) -> str:
        return f"d{self.kernel.outer_count}"

    def rows(self, lanes: int) -> int:
        """How many elements of the dim `along` a tile has."""
        row_bytes = sum(lanes * byte_width(scalar_of(load.tensor)) for load in self.tiles)
        return max(min(TILE_BYTES // row_bytes, MOST_ROWS) // LEAST, 1) * LEAST


def choose_tiling(
    kernel: Kernel, layouts: Mapping[SSAValue, tuple[Expr, ...]], results: Sequence[tuple[Expr, ...]]
) -> Tiling | None:
    """A tiling for a kernel that writes along one dim and reads along another one, or reads along two; `layouts` gives
    the strides of every tensor from outside, `results` those of the kernel's results."""
    if kernel.outer_count or len(kernel.looped) != 1:
        return None
    (member,) = kernel.looped
    if member.guards or any(result.is_scatter for result in member.results_given):
        return None
    leaving = dict(zip(kernel.terminator.operands, results, strict=True))
    found: list[tuple[int, int, str, str]] = []
    for across in filter(_is_long(member), member.dims):
        if not _writes_along(member, across, leaving):
            continue
        along = Counter(dim for load in member.loads() if (dim := _other_dim(member, load, layouts, across)))
        if not along:
            return None  # everything lies along one dim
        ((dim, loads),) = along.most_common(1)
        found.append((-_lane_sums(member, across), -loads, across, dim))
    if not found:
        return None
    *_, across, dim = max(found)
    chosen = [_other_dim(member, load, layouts, across) == dim for load in member.loads()]
    copy = _ordered(kernel, across, dim)
    (moved,) = copy.looped
    return Tiling(copy, tuple(load for load, taken in zip(moved.loads(), chosen, strict=True) if taken))


def _is_long(op: Generic) -> Callable[[str], bool]:
    sizes = dict(zip(op.dims, op.sizes, strict=True))
    return lambda dim: (sizes[dim].value or LEAST) >= LEAST


def _writes_along(op: Generic, dim: str, leaving: Mapping[SSAValue, tuple[Expr, ...]]) -> bool:
    """Whether everything that is written is contiguous along the dim, or along none."""
    for out, result in zip(op.outs, op.results_given, strict=True):
        offset = offset_of(result.indices, leaving.get(out, strides_of(shape_of(out))))
        steps = {name: step.value for name in op.dims if (step := offset.coefficient(name)) is not None}
        if result.is_write and steps.get(dim) != 1 and (dim not in steps or 1 in steps.values()):
            return False
    return True


def _lane_sums(op: Generic, dim: str) -> int:
    """How many results would need the sum of the lanes at each point of the other dims."""
    return sum(r.is_reduction and bool(r.indices) and dim in op.reduced_dims(r) for r in op.results_given)


def _other_dim(op: Generic, load: Load, layouts: Mapping[SSAValue, tuple[Expr, ...]], across: str) -> str | None:
    """The dim along which a load is contiguous, where it moves with `across` in steps; None for all other loads."""
    if load.tensor not in layouts or load.where.guards or len(load.operands) > 1:
        return None
    offset = offset_of(load.where.indices, layouts[load.tensor])
    step = offset.coefficient(across)
    if step is None or step.value in (0, 1, -1):
        return None
    steps = {dim: offset.coefficient(dim) for dim in filter(_is_long(op), op.dims)}
    return next((dim for dim, step in steps.items() if step is not None and step.value == 1), None)


def _ordered(kernel: Kernel, across: str, along: str) -> Kernel:
    """A copy of the kernel with `across` as its last outer dim and `along` as its inner one."""
    copy = kernel.clone()
    (member,) = copy.looped
    permuted(member, [d for d in member.dims if d not in (across, along)] + [across])
    copy.properties["outer"] = IntegerAttr(len(copy.looped[0].dims) - 1, i64)
    return copy


# ---- tiles in scratch --------------------------------------------------------------
def tile_home(tiling: Tiling, buffer: SSAValue, lanes: int) -> Home:
    """A tile in scratch: for each index along it one element for each lane."""
    place = (Expr.symbol(tiling.along) - Expr.symbol(TILE)) * lanes
    return Home(buffer, per_lane=True, level=tiling.kernel.outer_count, place=place)


def fill_tiles(tiling: Tiling, homes: Homes, lanes: int, bits: int, frame: Frame, columns: SSAValue) -> None:
    """Transpose what the tiles that begin at the index `TILE` hold for one step of the lanes: `columns` elements of
    each of its rows."""
    size = tiling.kernel.looped[0].sizes[tiling.kernel.outer_count - 1]
    rows = Expr.constant(lanes) if frame.mask is None else size - Expr.symbol(tiling.across)
    for load in tiling.tiles:
        source, tile = homes[load.tensor], homes[load]
        offset = offset_of(load.where.indices, source.strides).substitute({tiling.along: Expr.symbol(TILE)})
        step = offset.coefficient(tiling.across)
        assert source.buffer is not None and tile.buffer is not None and step is not None
        start, row = frame.index(Expr.constant(0)), frame.index(Expr.constant(lanes))
        square = square_of(load.tensor, lanes, bits)
        places = (source.buffer, frame.index(offset), frame.index(step)), (tile.buffer, start, row)
        frame.top.add(Transpose.of(frame.index(rows), columns, *places, square))


def square_of(tensor: SSAValue, lanes: int, bits: int) -> int:
    """Rows of a square of a tensor's elements in registers of so many bits, for a step of the lanes."""
    return min(lanes, bits // max(bit_width(scalar_of(tensor)), 8), MOST_LANES)
