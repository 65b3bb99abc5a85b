"""How many different elements of a tensor the loops of a program read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import TypeAlias

import numpy as np

from ..dialects.expr import Expr, product_of
from ..dialects.weld.generic import Generic, Index, Load, has_values
from ..dialects.weld.types import shape_of
from ..passes.fusion.merge import slice_of

Size = Callable[[Expr], int]
"""The value of a symbolic integer."""

Box: TypeAlias = tuple[range, ...]
"""A part of a tensor: some indices along each axis."""

MOST_CELLS = 1 << 20
"""Cells of the grid that boxes are laid out in; with more, elements that several boxes have count several times."""


def elements_needed(loads: Sequence[Load], size: Size) -> int:
    """How many different elements of one tensor the loads read, all views of it together at most all of it."""
    boxes: dict[tuple[object, ...], set[Box]] = {}
    others: dict[tuple[object, ...], int] = {}
    for load in loads:
        extents = _extents(load, size)
        box = _box(load, extents, size)
        if box is None:
            others[load.tensor, str(load.where), *sorted(extents.items())] = _points(load, extents, size)
        elif all(box):
            lattice = tuple((indices.step, indices.start % indices.step) for indices in box)
            boxes.setdefault((load.tensor, *lattice), set()).add(box)
    total = sum(others.values()) + sum(map(_in_any, boxes.values()))
    return min(total, size(product_of(shape_of(loads[0].tensor))))


# ---- one load ----------------------------------------------------------------------
def _extents(load: Load, size: Size) -> dict[str, range]:
    """For each dim that the loaded element depends on the values at which the load's guards may hold."""
    parent = _parent(load)
    names = _moves_with(load, parent)
    sizes = zip(parent.dims, parent.sizes, strict=True)
    return {d: _passing(d, size(extent), load.where.guards, size) for d, extent in sizes if d in names}


def _parent(load: Load) -> Generic:
    parent = load.parent_op()
    assert isinstance(parent, Generic)
    return parent


def _moves_with(load: Load, parent: Generic) -> set[str]:
    """The names that the loaded element depends on, by its indices and by the values that it is indexed with."""
    names = {n for e in load.where.indices for n in e.names}
    for op in slice_of(parent, load.indices):
        if isinstance(op, Load):
            names |= {n for e in op.where.indices for n in e.names}
        elif isinstance(op, Index):
            names |= op.value.names
    return names


def _passing(dim: str, extent: int, guards: Sequence[Expr], size: Size) -> range:
    """The values of a dim that pass the guards that depend on it alone."""
    low, high = 0, extent
    for guard in guards:
        step = guard.coefficient(dim)
        rest = guard - Expr.symbol(dim) * (step or Expr.constant(0))
        if step is None or not step.value or any(n[0] == "d" and n[1:].isdigit() for n in rest.names):
            continue
        bound = size(rest) // abs(step.value)  # step * dim + rest >= 0
        low = max(low, -bound) if step.value > 0 else low
        high = min(high, bound + 1) if step.value < 0 else high
    return range(low, max(high, low))


def _points(load: Load, extents: dict[str, range], size: Size) -> int:
    """At how many points of these dims something is loaded, where each may be another element."""
    parent = _parent(load)
    count = prod(map(len, extents.values()))
    if all(n in extents for guard in parent.guards for n in guard.names if n in parent.dims):
        rest = prod(size(s) for d, s in zip(parent.dims, parent.sizes, strict=True) if d not in extents)
        count = min(count, parent.points(size) // max(rest, 1))
    return count


def _box(load: Load, extents: dict[str, range], size: Size) -> Box | None:
    """The elements that are loaded, where they are all of a box."""
    indices, used = load.where.indices, [n for e in load.where.indices for n in e.names if n in extents]
    if len(used) != len(set(used)) or any(map(has_values, indices)):
        return None
    if not all(extents.values()):
        return (range(0),) * len(indices)
    found: list[range] = []
    for index, length in zip(indices, shape_of(load.tensor), strict=True):
        reached = _reached(index, extents, size)
        if reached is None:
            return None
        low, high = max(reached.start, reached.start % reached.step), min(reached.stop, size(length))
        found.append(range(low, high, reached.step))
    return tuple(found)


def _reached(index: Expr, extents: dict[str, range], size: Size) -> range | None:
    """The values of an index, where they have one distance from each other."""
    steps: list[tuple[int, int]] = []
    rest = index
    for dim in index.names & extents.keys():
        step = index.coefficient(dim)
        if step is None or step.names & extents.keys():
            return None
        rest = rest - step * Expr.symbol(dim)
        steps.append((size(step), len(extents[dim])))
        rest = rest + step * extents[dim].start
    low = size(rest) + sum(step * (count - 1) for step, count in steps if step < 0)
    distance, reach = 1, 1
    for step, count in sorted((abs(step), count) for step, count in steps if step and count > 1):
        if reach == 1:
            distance = step
        elif step != distance * reach:  # the digits of a number
            return None
        reach *= count
    return range(low, low + distance * (reach - 1) + 1, distance)


# ---- several -----------------------------------------------------------------------
def _in_any(boxes: set[Box]) -> int:
    """How many elements are in any of the boxes, whose indices have the same distances and remainders."""
    sides = [[(indices.start // indices.step, len(indices)) for indices in box] for box in boxes]
    cuts = [sorted({at for low, n in axis for at in (low, low + n)}) for axis in zip(*sides, strict=True)]
    if prod(len(axis) for axis in cuts) > MOST_CELLS:
        return sum(prod(map(len, box)) for box in boxes)
    inside = np.zeros([len(axis) - 1 for axis in cuts], np.int64)
    for box in sides:
        inside[tuple(slice(axis.index(low), axis.index(low + n)) for axis, (low, n) in zip(cuts, box, strict=True))] = 1
    for axis in reversed(cuts):
        inside = inside @ np.diff(np.asarray(axis, np.int64))
    return int(inside)
