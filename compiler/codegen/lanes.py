"""Lanes one by one: the offsets of an access, and values by way of the stack."""

from __future__ import annotations

from collections.abc import Callable

from xdsl.ir import SSAValue

from ...dialects.loop.ops import Affine, FirstLanes, Load, Store, lanes_of
from ...dialects.weld.bitwise import And
from ...dialects.weld.cast import Cast
from ...dialects.weld.comparison import Select
from ...dialects.weld.types import kind_of, scalar_of
from .types import scalar_text
from .writer import FunctionText

Positions = Callable[[int], str]
"""The offset of a lane."""


def positions(w: FunctionText, op: Load | Store, names: dict[SSAValue, str]) -> tuple[str | None, Positions]:
    """The offsets of lanes, and a mask without which they hold only where it is true in all lanes.

    Where offsets are integers that lie in memory, they are loaded from there, one by one, which takes half of the
    instructions of taking a register apart. So of `select(i < 0, i + n, i)`: then the mask is false where i < 0.
    """
    lanes = lanes_of(op.offset)
    mask = names[op.mask] if op.mask is not None else None
    register, load, replaced = names[op.offset], *_source(op)
    if load is None:
        return mask, lambda k: w.emit(f"extractelement <{lanes} x i64> {register}, i64 {k}")
    element = scalar_of(load.res)
    scalar, grow = scalar_text(element), "sext" if kind_of(element) == "i" else "zext"
    first = w.emit(f"getelementptr inbounds {scalar}, ptr {names[load.buffer]}, i64 {names[load.offset]}")
    if replaced is not None:
        plain = w.emit(f"xor <{lanes} x i1> {names[replaced]}, splat (i1 true)")
        mask = plain if mask is None else w.emit(f"and <{lanes} x i1> {mask}, {plain}")
    if scalar == "i64":
        return mask, lambda k: lane(w, scalar, first, str(k))
    return mask, lambda k: w.emit(f"{grow} {scalar} {lane(w, scalar, first, str(k))} to i64")


def _source(op: Load | Store) -> tuple[Load | None, SSAValue | None]:
    """The load of consecutive elements that the offsets are, and the lanes in which they are something else."""
    value, replaced, block = op.offset, None, op.parent_block()
    if isinstance(affine := value.owner, Affine) and [str(affine.value)] == list(affine.named):
        value = affine.operands[0]
    if isinstance(select := value.owner, Select):
        replaced, _, value = select.args
    if isinstance(cast := value.owner, Cast):
        (value,) = cast.args
    load = value.owner
    if not isinstance(load, Load) or kind_of(scalar_of(value)) not in "iu":
        return None, None
    if load.mask is not None or load.step is not None or lanes_of(load.offset) > 1:
        return None, None
    apart = load.noalias.data if load.noalias is not None else ()
    if block is None or load.parent_block() is not block:
        return None, None
    if any(isinstance(other, Store) and other.scope not in apart for other in block.walk()):
        return None, None
    return load, replaced


def cuts(mask: SSAValue | None) -> bool:
    """Whether the mask may leave out the last lanes, because the loop ends there."""
    owner = mask.owner if mask is not None else None
    return isinstance(owner, FirstLanes) or (isinstance(owner, And) and any(cuts(v) for v in owner.args))


def branch(w: FunctionText, lanes: int, mask: str, every: str, some: str) -> None:
    """Go to the block `every` where the mask is true in all lanes, else to `some`."""
    word = w.emit(f"bitcast <{lanes} x i1> {mask} to i{lanes}")
    whole = w.emit(f"icmp eq i{lanes} {word}, -1")
    w.line(f"br i1 {whole}, label %{every}, label %{some}")


def spill(w: FunctionText, scalar: str, lanes: int, register: str) -> str:
    """The address of the lanes, on the stack."""
    memory = w.alloca(f"[{lanes} x {scalar}]")
    w.line(f"store <{lanes} x {scalar}> {register}, ptr {memory}, align 64")
    return memory


def lane(w: FunctionText, scalar: str, memory: str, number: str) -> str:
    """One of the lanes at an address."""
    address = w.emit(f"getelementptr inbounds {scalar}, ptr {memory}, i64 {number}")
    return w.emit(f"load {scalar}, ptr {address}")
