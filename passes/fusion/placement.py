"""Where the members of a complete group run: before its outer loops, inside them, or after them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from xdsl.ir import Operation, SSAValue

from ...dialects.expr import Expr
from ...dialects.ir import ops_of
from ...dialects.weld.attributes import Result
from ...dialects.weld.base import Elementwise
from ...dialects.weld.generic import Generic
from .groups import Group, Slot, bytes_kept
from .joining import Edges

EXPENSIVE = 16
"""Instructions for an element that are worth memory for it."""


@dataclass
class Placement:
    """The members of a kernel in their order; `outer` has the dims of each that runs inside the outer loops."""

    before: list[Generic]
    inside: list[Generic]
    after: list[Generic]
    outer: dict[Generic, list[str]]
    last: Generic
    """The last one in the block."""

    @property
    def members(self) -> list[Generic]:
        return [*self.before, *self.inside, *self.after]


def place(
    group: Group, edges: Edges, order: Mapping[Operation, int], row_bytes: int, suits: Callable[[str], bool]
) -> Placement:
    """Run as much as possible inside the loops that the rows need, and the rest before or after them. `suits` says
    whether the main row had as well be cut along a dim, for the sake of small members."""
    return _Placing(group, edges, order, row_bytes, suits).run()


class _Placing:
    def __init__(
        self,
        group: Group,
        edges: Edges,
        order: Mapping[Operation, int],
        row_bytes: int,
        suits: Callable[[str], bool],
    ):
        self.group = group
        self.edges = edges
        self.order = order
        self.row_bytes = row_bytes
        self.suits = suits
        self.slots = group.slots
        self.inside = set(group.rows)

    def run(self) -> Placement:
        small = sorted(self.group.small, key=self.order.__getitem__)
        for op in small:
            if op in self.group.late and self._fits_late(op):
                self.inside.add(op)
        for op in reversed(small):
            if op not in self.group.late and self._fits_early(op):
                self.inside.add(op)
        inside = sorted(self.inside, key=self.order.__getitem__)
        outer = {op: [slot[op] for slot in self.slots] if len(inside) > 1 else [] for op in inside}
        before = [op for op in small if op not in self.inside and op not in self.group.late]
        after = [op for op in small if op not in self.inside and op in self.group.late]
        last = max((*small, *inside), key=self.order.__getitem__)
        return Placement(before, inside, after, outer, last)

    def _fits_late(self, op: Generic) -> bool:
        """Put a member that needs a row's result inside the loops, if it needs only that of the same iteration."""
        needed = [e.producer for e in self.edges.into[op] if e.producer in self.group.late]
        slots = [slot for slot in self.slots if op in slot]
        if len(self.inside) == 1:
            slots = [slot for slot in slots if self._is_natural(slot)]
        return all(p in self.inside for p in needed) and self._narrow(slots)

    def _fits_early(self, op: Generic) -> bool:
        """Put a member that needs no row inside the loops, if the outermost one stays what it is."""
        users = [e.consumer for e in self.edges.out_of[op] if e.consumer in self.group]
        slots = [slot for slot in self.slots if op in slot]
        if not slots or slots[0] is not self.slots[0]:
            return False
        early = [u for u in users if u in self.group.small and u not in self.group.late]
        if any(u not in self.inside for u in early):
            return False
        if not any(u in self.inside for u in users) and not self._reads_along(op):
            return False
        return not self._suits_lanes(op, slots) and self._narrow(slots)

    def _suits_lanes(self, op: Generic, slots: list[Slot]) -> bool:
        """Whether the member's arithmetic is better done with a full vector before the loops than once in each of
        their iterations, where the lanes belong to the rows."""
        cost = sum(inner.cost for inner in ops_of(op.block) if isinstance(inner, Elementwise))
        rows_go_on = any(len(slots) < sum(size.value != 1 for size in row.sizes) for row in self.group.rows)
        return cost >= EXPENSIVE and rows_go_on and len(op.dims) == len(slots)

    def _is_natural(self, slot: Slot) -> bool:
        """Whether a lone row may be cut along this dim: its first one, or one that no result combines over."""
        row = self.group.main
        first = next((d for d, size in zip(row.dims, row.sizes, strict=True) if size.value != 1), None)
        natural = slot[row] == first or not any(_drops(result, slot[row]) for result in row.results_given)
        return natural and self.suits(slot[row])

    def _reads_along(self, op: Generic) -> bool:
        """Whether a row reads what `op` reads in the same iteration, and nothing else of it in its inner loops."""
        mine = self._read_by_iteration(op)
        return bool(mine) and any(mine & self._read_by_iteration(row) for row in self.group.rows)

    def _read_by_iteration(self, op: Generic) -> set[tuple[SSAValue, str]]:
        """The elements that `op` loads once in each iteration: tensors, and places in terms of the outer loops."""
        names = {slot[op]: Expr.symbol(f"loop{k}") for k, slot in enumerate(self.group.slots) if op in slot}
        loads = [load for load in op.loads() if len(load.operands) == 1]
        places = [(load.tensor, load.where.substitute(names)) for load in loads]
        return {
            (tensor, str(where))
            for tensor, where in places
            if not any(n in op.dims for e in (*where.indices, *where.guards) for n in e.names)
        }

    def _narrow(self, slots: list[Slot]) -> bool:
        """Keep only these loops; not if there were none, or an iteration had to keep too much."""
        if not slots:
            return False
        if len(slots) < len(self.slots):
            rows = self.group.rows
            flows = {e.tensor: e for op in rows for e in self.edges.into[op] if e.producer in rows}
            if sum(bytes_kept(e, {s[e.producer] for s in slots}) for e in flows.values()) > self.row_bytes:
                return False
            self.slots = slots
        return True


def _drops(result: Result, dim: str) -> bool:
    return result.is_reduction and not any(dim in e.names for e in result.indices)
