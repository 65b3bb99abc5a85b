"""`form-online`: a reduction that needs another one of the same row is taken in the same sweep over memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass

from ...dialects.expr import Expr, product_of
from ...dialects.ir import block_of, erase
from ...dialects.weld.attributes import Dims
from ...dialects.weld.base import Elementwise
from ...dialects.weld.cast import Cast
from ...dialects.weld.generic import Generic, Load, Yield
from ...dialects.weld.types import is_float, scalar_of
from ..expected import expected_sizes
from ..remarks import Reason, note
from .chunks import CHUNK_BYTES, Cut, Row, chunked, expand, expands
from .collapse import collapse, collapsible
from .graph import functions, is_returned, loads_of, producers, sort_block, users
from .legality import inline_forbidden
from .merge import drop_unused_results, inline_load, simplify_body, slice_of
from .profit import Choice, bytes_of
from .rebase import Centre

MOST_COST = 100
"""Instructions an element that take no longer than storing a value in memory and loading it."""


@dataclass(frozen=True)
class FormOnline(ModulePass):
    """Cut long rows into chunks that stay in cache. A chunk's own maximum or mean stands in for the row's, and what
    that changes is made good once the row is read (`rebase.py` says how).

    %m = generic over "n" gives "max" { load %x }        %p = generic over "C, B" gives "max d0" { load %x }
    %s = generic over "n" gives "sum"                ->  %q = generic over "C, B" gives "sum d0" { exp(load %x - %p) }
         { exp(load %x - load %m) }                      %m = generic over "C" gives "max" { load %p }
                                                         %s = generic over "C" gives "sum" { load %q * exp(%p - %m) }
    """

    name = "form-online"
    row_bytes: int = 1 << 20
    """Rows that are no longer stay as they are: they are in cache when they are read again. Where that depends on
    sizes it is decided for those of `weld.expected`, and `weld.assumed` says for which others it holds."""
    kept_bytes: int = 0
    """The same for rows of which values are kept that cost more than `bandwidth_ratio`. In chunks they are computed
    twice, which costs more than another walk over a row in the last-level cache."""
    bandwidth_ratio: int = 6
    """Vector instructions that take as long as storing and loading a vector in cache."""
    choice: str = "profit"
    """Who decides about what is legal, see `Choice`."""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in functions(op):
            choice = Choice(self.choice)
            rows = _Rows(function, self, choice)
            while not rows.rewrite():
                rows = _Rows(function, self, choice)
            if rows.assumed:
                function.attributes["weld.assumed"] = Dims(tuple(rows.assumed))
            sort_block(function.body.block)


@dataclass
class Family:
    """Reductions of the same rows, in order; `chunked` are those that need another one, and the ones needed."""

    members: list[Generic] = field(default_factory=list[Generic])
    chunked: set[Generic] = field(default_factory=set[Generic])


class _Rows:
    """The reductions of a block by the rows that they reduce."""

    def __init__(self, function: FuncOp, options: FormOnline, choice: Choice):
        self.block = function.body.block
        self.choice = choice
        self.row_bytes, self.kept_bytes = options.row_bytes, max(options.row_bytes, options.kept_bytes)
        self.bandwidth_ratio = options.bandwidth_ratio
        self.expected = expected_sizes(function)
        self.assumed: dict[Expr, None] = {}
        """What must not be negative for the sizes that the program is best for."""
        self.families: dict[Row, Family] = {}
        self.numbers: dict[object, int] = {}
        """Equal values of different bodies have equal numbers; a cast has the number of what it casts."""
        self.number: dict[SSAValue, int] = {}
        self.roots: dict[tuple[SSAValue, Row], frozenset[SSAValue]] = {}

    def rewrite(self) -> bool:
        """Rewrite all families; False where generics had to become simpler first, so that it must start again."""
        generics = [op for op in self.block.ops if isinstance(op, Generic)]
        if sum(Row.of(op) is not None for op in generics) < 2:
            return True
        for op in generics:
            self._take_up(op)
        chosen = [(row, [m for m in f.members if m in f.chunked]) for row, f in self.families.items() if f.chunked]
        simplified = [_simplified(op, row) for row, members in chosen for op in members]
        if any(simplified):
            return False
        for row, members in chosen:
            self._rewrite(row, members)
        return True

    def _rewrite(self, row: Row, members: Sequence[Generic]) -> None:
        """Cut the rows of a family into chunks."""
        cut, parts = Cut.of(row, members), dict[SSAValue, SSAValue]()
        chunks: list[Generic] = []
        rows: list[Generic] = []
        for op in members:
            body = expand(op, row, self._late(op, row), lambda x, a: self._centre(x, a, row), cut, parts)
            assert body is not None, "the same body was expanded before"
            for found, new in zip((chunks, rows), chunked(op, cut, body, parts), strict=True):
                found.append(new)
        for op, new in zip(members, rows, strict=True):
            for out, value in zip(op.outs, new.outs, strict=True):
                value.name_hint = out.name_hint
                out.replace_all_uses_with(value)
        for op in reversed(members):
            erase(op)
        for first, second in pairwise(chunks):
            _move_up(second, first)

    def _take_up(self, op: Generic) -> None:
        self._count(op)
        row = Row.of(op)
        if row is None:
            return
        family = self.families.setdefault(row, Family())
        late = self._late(op, row)
        if not late:
            family.members.append(op)
            return
        needed = [m for m in family.members if any(out in roots for roots in late.values() for out in m.outs)]
        reason = self._refusal(op, row, needed)
        kept = max((_cost(m, out) for m in (*needed, op) for out in m.outs if m.given(out).is_write), default=0)
        long = self._is_long(op, row, reason is None, kept <= self.bandwidth_ratio)
        if self.choice(None if long else Reason.REDUCTION_RESULT) is not None:
            return
        large = max((load.tensor for load in op.loads()), key=lambda t: len(str(bytes_of(t))))
        note(needed[0], op, reason is None, reason or Reason.ONLINE_REDUCTION, str(bytes_of(large)))
        if reason is None:
            family.members.append(op)
            family.chunked |= {op, *needed}

    def _is_long(self, op: Generic, row: Row, matters: bool, cheap: bool) -> bool:
        """Whether a row is to be read as seldom as possible: it is known or expected to exceed the cache. So is a row
        that is all there is, which could not share a kernel with others, where what is kept of it is `cheap`."""
        size = row.bytes_of(op)
        limit = self.row_bytes if cheap or row.count.value == 1 else self.kept_bytes
        if size.value is not None:
            return size.value > max(limit, CHUNK_BYTES)
        if not size.names <= self.expected.keys() or (cheap and row.count.value == 1):
            return row.count.value == 1
        long = size.evaluate(self.expected.__getitem__) > limit
        if matters:
            self.assumed[size - limit - 1 if long else limit - size] = None
        return long

    # ---- what depends on what ------------------------------------------------------
    def _late(self, op: Generic, row: Row) -> dict[SSAValue, frozenset[SSAValue]]:
        """The values loaded that are known once the row is read only, with the results of the family behind them."""
        found = {load.res: self._roots_of(load.tensor, row) for load in op.loads()}
        return {value: roots for value, roots in found.items() if roots}

    def _roots_of(self, tensor: SSAValue, row: Row) -> frozenset[SSAValue]:
        """The results of the row's family that a tensor of one element for each row is computed from."""
        key = tensor, row
        if key not in self.roots:
            owner, total = tensor.owner, frozenset[SSAValue]()
            if isinstance(owner, Generic) and owner in self.families[row].members:
                total = frozenset((tensor,) if owner.given(tensor).is_reduction else ())
            elif isinstance(owner, Generic) and product_of(owner.sizes) == row.count:
                total = total.union(*(self._roots_of(load.tensor, row) for load in owner.loads()))
            self.roots[key] = total
        return self.roots[key]

    def _count(self, op: Generic) -> None:
        """Number the values of a body."""
        for inner in op.block.ops:
            if isinstance(inner, Yield):
                continue
            known = self._written(inner, op) if isinstance(inner, Load) else None
            if isinstance(inner, Cast):
                known = self.number[inner.operands[0]]
            if known is None:
                operands = tuple(self.number.get(v, v) for v in inner.operands)
                if getattr(inner, "commutative", False):
                    operands = tuple(sorted(operands, key=str))
                kinds = tuple(r.type for r in inner.results)
                key = (type(inner), operands, tuple(inner.properties.items()), kinds, op.sizes)
                known = self.numbers.setdefault(key, len(self.numbers))
            self.number[inner.results[0]] = known

    def _written(self, load: Load, op: Generic) -> int | None:
        """The number of the value that another generic over this domain writes at the loaded element."""
        producer = load.tensor.owner
        if not isinstance(producer, Generic) or producer.sizes != op.sizes or len(load.operands) > 1:
            return None
        given = producer.given(load.tensor)
        if not given.is_write or given.indices != load.where.indices or load.where.guards:
            return None
        return self.number.get(producer.yielded_for(load.tensor)[0])

    def _centre(self, x: SSAValue, behind: frozenset[SSAValue], row: Row) -> Centre | None:
        """The reduction of the values `x` to centre them with: preferably one that the subtracted value is from."""
        found: list[SSAValue] = []
        for member in self.families[row].members:
            for out, values in zip(member.outs, member.yielded(), strict=True):
                if member.given(out).kind in ("max", "min", "sum") and self.number[values[0]] == self.number[x]:
                    found.append(out)
        if not found or not is_float(scalar_of(x)):
            return None
        found.sort(key=lambda out: (out not in behind, _kind(out) == "sum"))
        return Centre(found[0], _kind(found[0]), scalar_of(x))

    # ---- legality and profit -------------------------------------------------------
    def _refusal(self, op: Generic, row: Row, needed: Sequence[Generic]) -> Reason | None:
        """Why a reduction that needs another one of its row takes a sweep of its own; None where it need not."""
        for member in (*needed, op):
            if len(row.reduced) > 1 and not collapsible(member, row.reduced):
                return Reason.REDUCTION_RESULT
            for out in member.outs:
                reason = _not_recomputed(member, out) if member.given(out).is_write and out.uses else None
                if reason is not None:
                    return reason
        fits = expands(op, row, self._late(op, row), lambda x, a: self._centre(x, a, row))
        return None if fits else Reason.REDUCTION_RESULT


def _kind(out: SSAValue) -> str:
    assert isinstance(out.owner, Generic)
    return out.owner.given(out).kind


def _not_recomputed(op: Generic, out: SSAValue) -> Reason | None:
    """Why a value that is written along the row cannot be computed again where it is used, or should not be."""
    if is_returned(out):
        return Reason.MATERIALIZED_OUTPUT
    for use in out.uses:
        load, user = use.operation, use.operation.parent_op()
        if not isinstance(load, Load) or not isinstance(user, Generic):
            return Reason.LIBRARY_CALL
        if inline_forbidden(load) is not None:
            return inline_forbidden(load)
        if product_of(user.sizes) != product_of(op.sizes):
            return Reason.RECOMPUTES_EXPENSIVE
    return Reason.RECOMPUTES_EXPENSIVE if _cost(op, out) > MOST_COST else None


def _cost(op: Generic, out: SSAValue) -> int:
    """Instructions that computing an element of a written value again takes."""
    return sum(inner.cost for inner in slice_of(op, op.yielded_for(out)) if isinstance(inner, Elementwise))


def _move_up(op: Generic, after: Generic) -> None:
    """Put an op right after another one of its block, or after what it needs where that comes later."""
    block = block_of(op)
    place: Operation = max((after, *producers(op)), key=block.get_operation_index)
    op.detach()
    block.insert_op_after(op, place)


def _simplified(op: Generic, row: Row) -> bool:
    """Compute what is written along the row where it is used, and walk the row along one dim; whether that was
    anything."""
    writes = [out for out in op.outs if op.given(out).is_write]
    for out in writes:
        for user in [user for user in users(op) if isinstance(user, Generic)]:
            loads = [load for load in loads_of(user, op) if load.tensor is out]
            for load in loads:
                inline_load(load)
            if loads:
                simplify_body(user)
    smaller = drop_unused_results(op)
    if len(row.reduced) > 1 and smaller is not None:
        collapse(smaller, row.reduced)
    return bool(writes) or len(row.reduced) > 1
