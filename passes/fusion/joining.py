"""Whether two groups can be one kernel (a reason, or how), and the mechanism that makes them one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeVar

from xdsl.ir import SSAValue

from ...dialects.expr import Expr
from ...dialects.weld.attributes import Result
from ...dialects.weld.generic import Generic, Load
from ...dialects.weld.types import shape_of
from ..remarks import Reason
from .graph import is_returned
from .groups import FEW, Edge, Group, Slot, bytes_kept, is_part, is_small, known_product, larger


class Rows(Enum):
    """Whose rows are the rows of two groups that become one; the members of the other one are small beside them."""

    BOTH = "both"
    FIRST = "first"
    SECOND = "second"


def roles(a: Group, b: Group) -> dict[Rows, Reason | None]:
    """Whose rows can be the rows of two groups in one, the best first, and why that does not pay: what is not small
    beside the other one's rows runs as well in a kernel of its own."""
    good = _good_roles(a, b)
    legal = [Rows.BOTH]
    legal += [rows for rows, own, other in ((Rows.FIRST, a, b), (Rows.SECOND, b, a)) if _can_be_small(other, own)]
    return dict.fromkeys(good) | {rows: Reason.NO_SHARED_OUTER_DIM for rows in legal if rows not in good}


def _can_be_small(group: Group, beside: Group) -> bool:
    """Whether the members of a group may run before or after the other one's loops. A gate runs after the loops of
    what it overwrites."""
    return not group.scatters and (not group.main.is_gate or is_small(group.main, beside))


def _good_roles(a: Group, b: Group) -> list[Rows]:
    """The roles that pay. A group of several rows is small as a whole only if it is tiny: before or after the loops its
    rows would no longer stay in cache."""
    first = is_small(b.main, a) and not b.scatters and b.is_flat
    second = is_small(a.main, b) and not a.scatters and a.is_flat
    if not first and not second:
        return [Rows.BOTH]
    if first and second:
        if not is_part(a.main.sizes, b.main.sizes) and not is_part(b.main.sizes, a.main.sizes):
            return [Rows.BOTH, Rows.FIRST, Rows.SECOND]
        return [Rows.SECOND, Rows.FIRST] if larger(a.main, b.main) is b.main else [Rows.FIRST, Rows.SECOND]
    return [Rows.FIRST if first else Rows.SECOND]


@dataclass
class Edges:
    """What the generics of a block use of each other."""

    into: dict[Generic, list[Edge]] = field(default_factory=dict[Generic, list[Edge]])
    out_of: dict[Generic, list[Edge]] = field(default_factory=dict[Generic, list[Edge]])
    results: dict[SSAValue, Result] = field(default_factory=dict[SSAValue, Result])

    def add(self, op: Generic) -> None:
        self.into[op], self.out_of[op] = [], []
        self.results |= zip(op.outs, op.results_given, strict=True)
        uses: list[tuple[SSAValue, Load | None]] = [(load.tensor, load) for load in op.loads()]
        for tensor, load in [*uses, *((init, None) for init in op.inits)]:
            producer, result = tensor.owner, self.results.get(tensor)
            if isinstance(producer, Generic) and result is not None:
                edge = Edge(producer, op, tensor, load, result)
                self.into[op].append(edge)
                self.out_of[producer].append(edge)

    def between(self, a: Group, b: Group) -> list[Edge]:
        """The edges from either group into the other one."""
        few, many = sorted((a, b), key=len)
        found = [e for op in few for e in self.into[op] if e.producer in many]
        return found + [e for op in few for e in self.out_of[op] if e.consumer in many]


@dataclass(frozen=True)
class Loop:
    """An outer loop of two groups that become one: a slot of each, one of them empty where a group does without."""

    first: Slot
    second: Slot
    leaving: frozenset[Generic]
    """The small members that cannot run inside it."""

    def has(self, op: Generic) -> bool:
        return op in self.first or op in self.second

    def dim(self, op: Generic) -> str:
        return self.first.get(op) or self.second[op]


@dataclass
class Fit:
    """How two groups become one."""

    rows: Rows
    loops: list[Loop]
    late: set[Generic]
    """Small members that come to need a row's result."""
    promoted: set[Generic]
    """Small members that become rows: they need one, and one needs them."""
    kept: dict[SSAValue, int]
    stored: list[Edge]
    """What is as large as the rows, and read back by a member after the loops."""

    def is_row(self, op: Generic, a: Group, b: Group) -> bool:
        """Whether a member of the two groups is a row of the one they become."""
        own = (self.rows is not Rows.SECOND and op in a.rows) or (self.rows is not Rows.FIRST and op in b.rows)
        return own or op in self.promoted


class Fitting:
    """The search for a way to make the groups `a` and `b` one."""

    def __init__(self, a: Group, b: Group, rows: Rows, edges: Edges, cross: Sequence[Edge]):
        self.a, self.b, self.rows = a, b, rows
        self.edges = edges
        self.cross = cross
        """The edges between the two."""
        self.late: set[Generic] = set()
        self.promoted: set[Generic] = set()

    def find(self) -> Fit | Reason:
        """A way, or why there is none."""
        self._find_late()
        self._promote()
        if any(e.load is None and not e.consumer.is_gate and self._depends(e.producer) for e in self._touched()):
            return self._refusal()  # a scatter starts from all of its init
        flows = [e for e in self.cross if self._is_row(e.producer) and self._is_row(e.consumer)]
        loops = self._loops(bool(flows))
        if self.rows is Rows.BOTH:
            loops = self._suiting(loops, bool(flows))
        if not loops and (flows or self.promoted or self.rows is Rows.BOTH):
            return self._refusal()
        stored = [e for e in self.cross if self._stores_rows(e, loops)]
        return Fit(self.rows, loops, self.late, self.promoted, self._kept(flows, loops), stored)

    def _refusal(self) -> Reason:
        return next((e.refusal for e in self.cross if self._depends(e.producer)), Reason.NO_SHARED_OUTER_DIM)

    # ---- members -------------------------------------------------------------------
    def _is_row(self, op: Generic) -> bool:
        if op in self.promoted:
            return True
        return (self.rows is not Rows.SECOND and op in self.a.rows) or (
            self.rows is not Rows.FIRST and op in self.b.rows
        )

    def _is_late(self, op: Generic) -> bool:
        if op in self.late:
            return True
        return (self.rows is not Rows.SECOND and op in self.a.late) or (
            self.rows is not Rows.FIRST and op in self.b.late
        )

    def _depends(self, op: Generic) -> bool:
        """Whether the member cannot run before the loops."""
        return self._is_row(op) or self._is_late(op)

    def _uses(self, op: Generic) -> Iterator[Edge]:
        """The edges out of a member to other members."""
        return (e for e in self.edges.out_of[op] if e.consumer in self.a or e.consumer in self.b)

    def _find_late(self) -> None:
        stack = [e.consumer for e in self.cross if self._depends(e.producer)]
        while stack:
            op = stack.pop()
            if not self._depends(op):
                self.late.add(op)
                stack += [e.consumer for e in self._uses(op)]

    def _promote(self) -> None:
        stack = [e.producer for e in self._touched() if self._is_late(e.producer) and self._is_row(e.consumer)]
        while stack:
            op = stack.pop()
            if op not in self.promoted:
                self.promoted.add(op)
                stack += [e.producer for e in self.edges.into[op] if self._is_late(e.producer)]

    def _touched(self) -> Iterator[Edge]:
        """The edges whose producer is new to the consumer, or newly late."""
        yield from self.cross
        for op in self.late:
            yield from self._uses(op)

    # ---- loops ---------------------------------------------------------------------
    def _loops(self, flows: bool) -> list[Loop]:
        """The outer loops. Slots become one loop where members use each other's elements, or the same elements of a
        tensor, at the same iteration; where no row uses another one's result, an equal size will do."""
        shared = _shared_loads(self.a, self.b)
        rest = list(self.b.slots)
        found: list[Loop] = []
        for slot in self.a.slots:
            size = _size(self.a, slot)
            fitting = [
                (links > 0 or _linked(slot, other, shared), loop)
                for other in rest
                if _size(self.b, other) == size
                for links, loop in self._agree(slot, other)
            ]
            linked, loop = max(fitting, key=lambda f: f[0], default=(False, None))
            if loop is not None and (linked or (self.rows is Rows.BOTH and not flows)):
                found.append(loop)
                rest.remove(loop.second)
            elif self.rows is Rows.FIRST:
                found += [loop for _, loop in self._agree(slot, {})]
        if self.rows is Rows.SECOND:
            found += [loop for slot in rest for _, loop in self._agree({}, slot)]
        return found

    def _agree(self, first: Slot, second: Slot) -> list[tuple[int, Loop]]:
        """The slots as one loop, with the number of edges that it holds together; nothing where a row would use
        another one's result of another iteration."""
        links, leaving = 0, set[Generic]()
        for edge in self.cross:
            own = first.get(edge.producer) or second.get(edge.producer)
            used = first.get(edge.consumer) or second.get(edge.consumer)
            if own is not None and used is not None and edge.same.get(own) == used:
                links += 1
            elif not self._depends(edge.producer):
                leaving.add(edge.producer)
            elif not self._is_row(edge.consumer):
                leaving.add(edge.consumer)
            else:
                return []
        loop = Loop(first, second, frozenset(leaving))
        return [(links, loop)] if all(loop.has(op) and op not in leaving for op in self.promoted) else []

    def _suiting(self, loops: list[Loop], flows: bool) -> list[Loop]:
        """The loops that suit the rows of both groups. Where rows need each other, the larger group's first loop is
        among them. Where they do not, the loops are the first ones of both groups in their order, and reductions
        keep an inner loop, whose accumulators are registers."""
        if flows:
            for group, other in ((self.a, self.b), (self.b, self.a)):
                first = next(iter(group.walked_slots), None)
                if is_part(other.main.sizes, group.main.sizes) and not any(first in (p.first, p.second) for p in loops):
                    return []
            return loops
        walked = [loop for loop in loops if _size(self.a, loop.first).value != 1]
        found: list[Loop] = []
        for loop, first, second in zip(walked, self.a.walked_slots, self.b.walked_slots, strict=False):
            if loop.first is not first or loop.second is not second:
                break
            found.append(loop)
        while found and not all(_keeps_inner(g.main, found) for g in (self.a, self.b)):
            found.pop()
        return found

    def _stores_rows(self, edge: Edge, loops: list[Loop]) -> bool:
        """Whether a member after the loops would read back a result as large as the rows, which is stored for it."""
        if not self._depends(edge.producer) or self._is_row(edge.consumer) or is_returned(edge.tensor):
            return False
        if edge.load is None:
            return False  # it overwrites the result
        if any(edge.consumer not in loop.leaving and loop.has(edge.consumer) for loop in loops):
            return False
        main = self.b.main if self.rows is Rows.SECOND else self.a.main
        shape = shape_of(edge.tensor)
        size = known_product(shape)
        return is_part(shape, main.sizes) == [] and (size is None or size > FEW)

    # ---- row scratch ---------------------------------------------------------------
    def _kept(self, flows: Sequence[Edge], loops: Sequence[Loop]) -> dict[SSAValue, int]:
        """What one iteration keeps: as before, but for new edges between rows, and all of them with fewer loops."""
        changed = list(flows)
        kept: dict[SSAValue, int] = {}
        for group, role in ((self.a, Rows.SECOND), (self.b, Rows.FIRST)):
            if self.rows is role:
                continue
            if len(loops) == len(group.slots):
                kept |= group.kept
            else:
                changed += [e for op in group.rows for e in self.edges.into[op]]
        for op in self.promoted:
            changed += [*self.edges.into[op], *self._uses(op)]
        for edge in changed:
            if self._is_row(edge.producer) and self._is_row(edge.consumer):
                size = bytes_kept(edge, {loop.dim(edge.producer) for loop in loops})
                kept |= {edge.tensor: size} if size else {}
        return kept


def _size(group: Group, slot: Slot) -> Expr:
    return group.main.sizes[int(slot[group.main][1:])]


def _keeps_inner(row: Generic, loops: Sequence[Loop]) -> bool:
    """Whether a row that reduces over one of the loops has a dim inside them."""
    outer = {loop.dim(row) for loop in loops}
    reduced = {d for r in row.results_given if r.is_reduction for d in row.reduced_dims(r)}
    inner = [d for d, size in zip(row.dims, row.sizes, strict=True) if d not in outer and size.value != 1]
    return bool(inner) or not outer & reduced


def _shared_loads(a: Group, b: Group) -> list[tuple[Load, Load]]:
    """For each tensor that both groups load a load of the first and one of the second."""
    few, many = sorted((a.loads, b.loads), key=len)
    return [(a.loads[t], b.loads[t]) for t in few if t in many]


def _linked(first: Slot, second: Slot, shared: Sequence[tuple[Load, Load]]) -> bool:
    """Whether both groups move along one dim of a tensor in step."""
    for one, other in shared:
        for own, used in zip(one.where.indices, other.where.indices, strict=True):
            if str(own) == first.get(_reader(one)) and str(used) == second.get(_reader(other)):
                return True
    return False


def _reader(load: Load) -> Generic:
    reader = load.parent_op()
    assert isinstance(reader, Generic)
    return reader


def is_shared(fit: Fit, a: Group, b: Group, tensor: SSAValue) -> bool:
    """Whether the two groups as one read a tensor once: both at the same places in the same iteration."""
    if fit.rows is not Rows.BOTH:
        return True
    one, other = a.loads[tensor], b.loads[tensor]
    pairs = list(zip(one.where.indices, other.where.indices, strict=True))
    own, used = _reader(one), _reader(other)
    in_step = all(
        (str(i) == loop.first.get(own)) == (str(j) == loop.second.get(used)) for loop in fit.loops for i, j in pairs
    )
    times = known_product(_size(a, loop.first) for loop in fit.loops)
    return in_step and bool(pairs) and (times is None or times > FEW)


# ---- mechanism ---------------------------------------------------------------------
def merge(a: Group, b: Group, fit: Fit) -> Group:
    """Make two groups one: the larger one takes in the other one, and is the result."""
    large, other = (a, b) if len(a) >= len(b) else (b, a)
    small = _union(a.small, b.small)
    if fit.rows is Rows.BOTH:
        rows, late, main = _union(a.rows, b.rows), a.late | b.late, larger(a.main, b.main)
    elif fit.rows is Rows.FIRST:
        rows, late, main, small = a.rows, a.late, a.main, _union(small, b.rows)
    else:
        rows, late, main, small = b.rows, b.late, b.main, _union(small, a.rows)
    slots: list[Slot] = []
    for loop in fit.loops:
        slot = _union(loop.first, loop.second)
        for op in loop.leaving:
            slot.pop(op, None)
        slots.append(slot)
    for op in fit.promoted:
        rows[op] = small.pop(op)
    large.domains = {op.sizes for op in fit.promoted}.union(
        a.domains if fit.rows is not Rows.SECOND else (), b.domains if fit.rows is not Rows.FIRST else ()
    )
    large.main, large.rows, large.small, large.late = main, rows, small, (late | fit.late) - fit.promoted
    large.slots = sorted(slots, key=lambda slot: int(slot[main][1:]))
    large.loads = _union(a.loads, b.loads)
    large.tables |= other.tables
    large.scatters |= other.scatters
    large.refusing += other.refusing
    large.kept = fit.kept
    return large


_K = TypeVar("_K")
_V = TypeVar("_V")


def _union(a: dict[_K, _V], b: dict[_K, _V]) -> dict[_K, _V]:
    """Both together, in the larger one of them."""
    large, small = (a, b) if len(a) >= len(b) else (b, a)
    large |= small
    return large
