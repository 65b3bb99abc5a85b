"""`form-online`: a reduction that needs another one of the same row is taken in the same sweep over memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass

from ...dialects.ir import block_of, erase, ops_of
from ...dialects.weld.generic import Generic
from ...dialects.weld.types import is_float, scalar_of
from ..remarks import Reason
from .chunks import STRIDED, Cut, Find, Row, chunked, expand, highest_power
from .collapse import collapse, collapsible
from .graph import functions, producers, sort_block
from .legality import repeating_forbidden
from .merge import repeat_writes, slice_of
from .profit import Choice, not_worth_repeating, write_cost
from .rebase import Centre
from .rows import Family, Rows, assume
from .strides import Strides


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
    """The same for rows of which values are kept that cost more than `bandwidth_ratio`, or of which high powers are
    summed. In chunks they are computed twice, or need many sums, which costs more than another walk over a row in the
    last-level cache."""
    last_cache_bytes: int = 1 << 22
    """What a thread has of the last-level cache. Columns of an array of more than half of it stay as they are, since
    chunks of them would be read in long steps: each reduction reads memory row by row, and computes its values anew."""
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
            assume(function, rows.assumed | rows.strides.assumed)
            sort_block(function.body.block)


class _Rows(Rows):
    """The reductions of a block by the rows that they reduce."""

    def __init__(self, function: FuncOp, options: FormOnline, choice: Choice):
        super().__init__(function, options.row_bytes, options.kept_bytes)
        self.choice = choice
        self.bandwidth_ratio = options.bandwidth_ratio
        self.strides = Strides(self.expected, options.row_bytes // STRIDED, options.last_cache_bytes // 2)
        self.centres: dict[Generic, dict[tuple[SSAValue, frozenset[SSAValue]], Centre | None]] = {}
        """What each value of a body is centred with, by what is behind the value subtracted from it."""
        self.totals: dict[tuple[Row, int], list[tuple[Generic, SSAValue]]] = {}
        """The members that may be centres of the values with a number, each with the result."""

    def rewrite(self) -> bool:
        """Rewrite all families; False where generics had to become simpler first, so that it must start again."""
        generics = [op for op in ops_of(self.block) if isinstance(op, Generic)]
        if sum(Row.of(op) is not None for op in generics) < 2:
            return True
        for op in generics:
            self._take_up(op)
        repeated = [op for f in self.families.values() for op in f.members if op in f.repeated and _writes(op)]
        if repeated:
            for op in repeated:
                repeat_writes(op)
            return False
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
            body = expand(op, row, self.late(op, row), self._finder(op, row), cut.places, cut.base(parts))
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
        self.count(op)
        row = Row.of(op)
        if row is None:
            return
        family = self.families.setdefault(row, Family())
        late = self.late(op, row)
        if not late:
            self._add(op, row)
            return
        needed = self.needed(row, late)
        power = highest_power(op, row, late, self._finder(op, row))
        centred = [c.total.owner for c in self.centres.get(op, {}).values() if c is not None]
        needed = list(dict.fromkeys((*needed, *(m for m in centred if isinstance(m, Generic)))))
        writes = [(m, out) for m in (*needed, op) for out in m.outs if m.given(out).is_write]
        forbidden = self._forbidden(op, row, needed) if power is not None else Reason.REDUCTION_RESULT
        loss = next(filter(None, (not_worth_repeating(m, out) for m, out in writes if out.uses)), None)
        kept = max((write_cost(m, out) for m, out in writes), default=0)
        cheap = kept <= self.bandwidth_ratio and self.is_cheap(op, power or 0)
        long = self.is_long(op, row, not (forbidden or loss), cheap)
        reason = forbidden or self.choice(loss if long else Reason.REDUCTION_RESULT)
        steps = reason is None and self.strides.are_slow(op, row.kept)
        walks = reason or self.choice(Reason.LONG_STEPS if steps else None)
        if long or reason is None:
            self.note(needed[0], op, walks)
        if reason is None:
            self._add(op, row)
            chosen = family.repeated if walks else family.chunked
            chosen |= {op, *needed}

    def _add(self, op: Generic, row: Row) -> None:
        """Make it a member of the family."""
        self.families[row].members[op] = None
        for out, given, values in zip(op.outs, op.results_given, op.yielded(), strict=True):
            if given.kind in ("max", "min", "sum"):
                self.totals.setdefault((row, self.number[values[0]]), []).append((op, out))

    # ---- legality ------------------------------------------------------------------
    def _finder(self, op: Generic, row: Row) -> Find:
        """Finds the centres of a body's values, the same ones each time."""
        known = self.centres.setdefault(op, {})

        def find(x: SSAValue, behind: frozenset[SSAValue]) -> Centre | None:
            if (x, behind) not in known:
                known[x, behind] = self._centre(x, behind, row)
            return known[x, behind]

        return find

    def _centre(self, x: SSAValue, behind: frozenset[SSAValue], row: Row) -> Centre | None:
        """The reduction of the values `x` to centre them with: preferably one that the subtracted value is from."""
        number = self.number.get(x)
        candidates = self.totals.get((row, number), ()) if number is not None else ()
        found = [out for member, out in candidates if not self._is_late(member, out, row)]
        if not found or not is_float(scalar_of(x)):
            return None
        found.sort(key=lambda out: (out not in behind, _kind(out) == "sum"))
        return Centre(found[0], _kind(found[0]), scalar_of(x))

    def _is_late(self, member: Generic, out: SSAValue, row: Row) -> bool:
        """Whether a chunk has only a part of what the result is computed from."""
        late = self.late(member, row)
        return any(op.results[0] in late for op in slice_of(member, member.yielded_for(out)))

    def _forbidden(self, op: Generic, row: Row, needed: Sequence[Generic]) -> Reason | None:
        """Why a reduction that needs another one of its row takes a sweep of its own; None where it need not."""
        for member in (*needed, op):
            if len(row.reduced) > 1 and not collapsible(member, row.reduced):
                return Reason.REDUCTION_RESULT
            reason = repeating_forbidden(member)
            if reason is not None:
                return reason
        return None


def _kind(out: SSAValue) -> str:
    assert isinstance(out.owner, Generic)
    return out.owner.given(out).kind


def _move_up(op: Generic, after: Generic) -> None:
    """Put an op right after another one of its block, or after what it needs where that comes later."""
    block = block_of(op)
    place: Operation = max((after, *producers(op)), key=block.get_operation_index)
    op.detach()
    block.insert_op_after(op, place)


def _writes(op: Generic) -> bool:
    return any(op.given(out).is_write for out in op.outs)


def _simplified(op: Generic, row: Row) -> bool:
    """Compute what is written along the row where it is used, and walk the row along one dim; whether that was
    anything."""
    writes = _writes(op)
    smaller = repeat_writes(op)
    if len(row.reduced) > 1 and smaller is not None:
        collapse(smaller, row.reduced)
    return writes or len(row.reduced) > 1
