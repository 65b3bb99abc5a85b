"""`Split`: which dim of a loop nest is cut into blocks, into how many, and what the blocks must combine.

Blocks are what threads share. Their number and bounds are a function of sizes alone, so that results do not depend on
how many threads there are; a kernel on one thread runs the same blocks in order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xdsl.ir import Attribute, SSAValue

from ...dialects.expr import Expr, product_of, sum_of
from ...dialects.ir import ops_of
from ...dialects.weld.attributes import Result
from ...dialects.weld.base import Elementwise
from ...dialects.weld.generic import Generic
from ...dialects.weld.types import BOOL, byte_width, is_float, scalar_of, shape_of
from .schedule import Member, register_lanes

LEAST_WORK = 8_000_000
"""Picoseconds of work that are worth a block of their own."""
COMBINE_WORK = 5_000
"""Picoseconds of a block's work for each element of its partial results: combining them is then a small part."""
PARTIAL_BYTES = 1 << 20
"""What the partial results of all blocks may take: they stay in the second-level cache."""
ENOUGH = 16
"""Blocks that keep several threads busy: with less, a dim further inside is tried."""
PICOSECONDS = 100
"""Of a vector instruction, and of an element that is gathered or scattered ten times that."""
PICOSECONDS_A_BYTE = 8

_SCATTERED = {"add": "sum", "mul": "prod", "max": "max", "min": "min", "and": "and", "or": "or", "xor": "xor"}
_SCATTERED_BOOLS = _SCATTERED | {"add": "any", "mul": "all"}


@dataclass(frozen=True)
class Partial:
    """A result that each block has to itself until all are combined: as a reduction of this kind."""

    member: Generic
    position: int
    kind: str

    @property
    def out(self) -> SSAValue:
        return self.member.outs[self.position]

    @property
    def result(self) -> Result:
        return self.member.results_given[self.position]

    @property
    def elements(self) -> tuple[Attribute, ...]:
        """What is kept for each element: its value; for argmax and argmin the position and the best value."""
        out = scalar_of(self.out)
        if self.kind in ("argmax", "argmin"):
            return out, scalar_of(self.member.yielded_for(self.out)[0])
        return (out,)

    @property
    def count(self) -> Expr:
        """Elements of the result."""
        return product_of(shape_of(self.out))


@dataclass(frozen=True)
class Split:
    """A dim cut into `count` blocks, which start at multiples of `step`."""

    dim: str
    size: Expr
    step: int
    count: Expr
    work: Expr
    """Picoseconds that all blocks take together, roughly."""
    partials: tuple[Partial, ...]

    @property
    def steps(self) -> Expr:
        return (self.size + (self.step - 1)) // self.step


def choose_split(
    members: Sequence[Member], order: Sequence[str], vector: str | None, lanes: int, bits: int, most: int, ordered: bool
) -> Split | None:
    """Cut the outermost of the dims in `order` that gives enough blocks; None where that is not worth it.

    `vector` is the dim across `lanes` lanes; `ordered` says that scattered floats must be combined in their order.
    """
    work = sum_of(product_of(m.op.sizes) * weight(m.op, bits) for m in members)
    best: Split | None = None
    for dim in order:
        partials = _partials(members, dim, ordered)
        if partials is None or any(dim in m.op.bounds for m in members):
            continue
        step = lanes if dim == vector else 1
        split = Split(dim, members[0].sizes[dim], step, Expr.constant(1), work, tuple(partials))
        count = _count(split, most)
        split = Split(dim, split.size, step, count, work, split.partials)
        if count.value is None or count.value >= min(ENOUGH, most):
            return split
        if count.value > (best.count.value or 0 if best is not None else 1):
            best = split
    return best


def weight(op: Generic, bits: int) -> int:
    """Picoseconds of one point of a generic's domain, roughly: instructions, and bytes that come and go."""
    instructions = sum(o.cost for o in ops_of(op.block) if isinstance(o, Elementwise)) + len(op.outs)
    moved = [load.res for load in op.loads()]
    moved += [out for out, result in zip(op.outs, op.results_given, strict=True) if result.is_write]
    bytes_moved = sum(byte_width(scalar_of(v)) for v in moved)
    single = sum(bool(load.indices) for load in op.loads()) + sum(r.is_scatter for r in op.results_given)
    return (
        max(PICOSECONDS * instructions // register_lanes([op], bits), 1)
        + PICOSECONDS_A_BYTE * bytes_moved
        + 10 * PICOSECONDS * single
    )


def _partials(members: Sequence[Member], dim: str, ordered: bool) -> list[Partial] | None:
    """The results of which several blocks along `dim` compute the same element; None where that is not possible."""
    found: list[Partial] = []
    for member in members:
        for position, result in enumerate(member.results):
            if result.is_scatter:
                if any(e == Expr.symbol(dim) for e in result.indices):
                    continue
                element = scalar_of(member.op.outs[position])
                kind = (_SCATTERED_BOOLS if element == BOOL else _SCATTERED).get(result.kind.removeprefix("scatter_"))
                if kind is None or (ordered and is_float(element) and kind in ("sum", "prod")):
                    return None
                found.append(Partial(member.op, position, kind))
            elif result.is_reduction and not any(dim in e.names for e in result.indices):
                found.append(Partial(member.op, position, result.kind))
    return found


def _count(split: Split, most: int) -> Expr:
    """`1 + work / (what a block should do at least)`: at most `most`, and few where partial results are large."""
    work = split.work
    block = work // most + LEAST_WORK
    if split.partials:
        elements = sum_of(p.count * len(p.elements) for p in split.partials)
        bytes_ = sum_of(p.count * byte_width(e) for p in split.partials for e in p.elements)
        fitting = Expr.constant(PARTIAL_BYTES) // (bytes_ + 1) + 1
        block = block + elements * COMBINE_WORK
        if fitting.value is None or fitting.value < 4 * most:
            block = block + work // fitting
    count = work // block + 1
    steps = split.steps.value
    if steps is not None and (steps < 2 or (count.value is not None and count.value > steps)):
        return Expr.constant(max(steps, 1))
    return count
