"""`Group`: generics that will be one kernel, the dims that they share, and whether two groups can be one.

Members of a group are rows or small. Rows run inside the shared outer loops: one reads what another one gives only at
its own iteration. Small members are a little work beside the rows; where they run, before the loops, inside or
after them, is settled once the group is complete (`placement.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from xdsl.ir import SSAValue

from ...dialects.expr import Expr
from ...dialects.weld.attributes import Result
from ...dialects.weld.generic import Generic, Load, has_values
from ...dialects.weld.types import byte_width, scalar_of, shape_of
from ..remarks import Reason

FEW = 64
"""Elements of a domain that is small beside any other."""
MANY = 16
"""How many times larger than a small member's domain the main row's is at least, where both are known."""


@dataclass(eq=False)
class Edge:
    """What one generic uses of another one's results: it loads from it, or scatters into it (`load` is None)."""

    producer: Generic
    consumer: Generic
    tensor: SSAValue
    load: Load | None
    result: Result
    """What the producer does with the values of `tensor`."""
    same: dict[str, str] = field(init=False)
    """The producer's dims as indices of the consumer, where each element is used at one index along them."""

    def __post_init__(self) -> None:
        self.same = {}
        if self.load is not None and not self.result.is_scatter:
            pairs = zip(self.result.indices, self.load.where.indices, strict=True)
            self.same = {str(own): str(used) for own, used in pairs if own.terms}

    @property
    def refusal(self) -> Reason:
        """Why the two cannot share a loop, if not even one of their dims is the same."""
        if self.result.is_scatter:
            return Reason.SCATTER_RESULT
        gathered = self.load is not None and bool(self.load.indices)
        return Reason.DATA_DEPENDENT_ACCESS if gathered else Reason.NO_SHARED_OUTER_DIM


Slot = dict[Generic, str]
"""One outer loop: the name of its dim in every row, and in the small members that could run inside it."""


@dataclass(eq=False)
class Group:
    """A kernel in the making. `main` is a row with the largest domain."""

    main: Generic
    rows: dict[Generic, None]
    slots: list[Slot]
    small: dict[Generic, None] = field(default_factory=dict[Generic, None])
    late: set[Generic] = field(default_factory=set[Generic])
    """The small members that need a row's result."""
    loads: dict[SSAValue, Load] = field(default_factory=dict[SSAValue, Load])
    """For each tensor that is loaded one load, that with the plainest indices."""
    streams: set[SSAValue] = field(default_factory=set[SSAValue])
    """The tensors that the innermost loops read from memory or write to it."""
    kept: dict[SSAValue, int] = field(default_factory=dict[SSAValue, int])
    """The known bytes of what one iteration of the outer loops keeps for a later row."""
    tables: set[Expr] = field(default_factory=set[Expr])
    """The sizes that are indexed by values: of what is gathered from, or scattered into."""
    domains: set[tuple[Expr, ...]] = field(default_factory=set[tuple[Expr, ...]])
    """Those of the rows."""
    scatters: bool = False
    refusing: list[Generic] = field(default_factory=list[Generic])
    """Producers whose groups could not be joined."""

    @staticmethod
    def of(op: Generic) -> Group:
        # Updates of a scatter keep their order, so only the first dim may become an outer loop; a dim whose end
        # depends on others stays inside them.
        # A gate runs after the loops of what it overwrites.
        dims = () if op.is_gate else op.dims[:1] if op.inits else op.dims
        group = Group(op, {op: None}, [{op: d} for d in dims if d not in op.bounds])
        for load in op.loads():
            known = group.loads.setdefault(load.tensor, load)
            if known is not load and _plain_indices(load) > _plain_indices(known):
                group.loads[load.tensor] = load
            if len(load.operands) > 1:
                group.tables |= _indexed(load.where.indices, load.tensor)
        last = op.innermost
        moving = op.moving(last)
        group.streams = {load.tensor for load in op.loads() if load.res in moving}
        for out, result in zip(op.outs, op.results_given, strict=True):
            group.streams |= {out} if result.is_scatter or any(last & e.names for e in result.indices) else set()
            if result.is_scatter:
                group.tables |= _indexed(result.indices, out)
        group.domains = {op.sizes}
        group.scatters = bool(op.inits) and not op.is_gate
        return group

    @property
    def is_flat(self) -> bool:
        """Whether the rows might as well run one after the other, each as a whole: no values of them stay in cache."""
        size = known_product(self.main.sizes)
        return len(self.rows) == 1 or (size is not None and size <= FEW)

    @property
    def walked_slots(self) -> list[Slot]:
        """The outer loops that are more than one iteration, outermost first."""
        return [slot for slot in self.slots if self.main.sizes[int(slot[self.main][1:])].value != 1]

    def __contains__(self, op: object) -> bool:
        return op in self.rows or op in self.small

    def __iter__(self) -> Iterator[Generic]:
        yield from self.rows
        yield from self.small

    def __len__(self) -> int:
        return len(self.rows) + len(self.small)


def _plain_indices(load: Load) -> int:
    return sum(len(e.terms) == 1 and str(e) in e.names for e in load.where.indices)


def _indexed(indices: tuple[Expr, ...], tensor: SSAValue) -> set[Expr]:
    sizes = zip(indices, shape_of(tensor), strict=True)
    return {size for index, size in sizes if has_values(index)}


# ---- sizes -------------------------------------------------------------------------
def known_product(sizes: Iterable[Expr]) -> int | None:
    """How many elements that are, if every size is a number."""
    total = 1
    for size in sizes:
        value = size.value
        if value is None:
            return None
        total *= value
    return total


def is_part(few: Iterable[Expr], many: Iterable[Expr]) -> list[Expr] | None:
    """The sizes of `many` without those of `few`, sizes of 1 apart; None where `few` has others."""
    rest = [s for s in many if s.value != 1]
    for size in few:
        if size.value != 1:
            if size not in rest:
                return None
            rest.remove(size)
    return rest


def is_small(op: Generic, group: Group) -> bool:
    """Whether the op's domain has some of the dims of a row's domain but not all, is known to be much smaller than
    that of the main row, or is as small as a table with one dim that the rows index. A gate is, beside what it
    overwrites: it mostly does nothing."""
    if op.is_gate:
        return all(init.owner in group and init.has_one_use() for init in op.inits)
    mine, main = known_product(op.sizes), known_product(group.main.sizes)
    if mine is not None and mine <= FEW:
        return main is None or main >= mine
    rests = [is_part(op.sizes, domain) for domain in group.domains]
    if any(rests):
        return True
    if [] in rests:
        return False
    if mine is not None and main is not None:
        return main >= mine * MANY
    unknown = [s for s in op.sizes if s.value is None]
    known = known_product(s for s in op.sizes if s.value is not None) or 0
    return len(unknown) == 1 and known <= FEW and unknown[0] in group.tables


def larger(a: Generic, b: Generic) -> Generic:
    """The op with the larger domain, as far as that is known."""
    return b if is_part(a.sizes, b.sizes) else a


def bytes_kept(edge: Edge, outer: set[str]) -> int:
    """The known bytes of a result that one iteration of the outer loops keeps for a later row."""
    sizes = edge.producer.sizes
    inner = known_product(sizes[int(str(e)[1:])] for e in edge.result.indices if e.terms and str(e) not in outer)
    return inner * byte_width(scalar_of(edge.tensor)) if inner else 0
