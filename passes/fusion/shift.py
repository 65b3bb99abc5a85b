"""`shift-sums`: sums of differences from a statistic of the row itself are taken while the row is read the first time.

The mean `a` of a row is not known yet then. But a sum of powers of `x - a` follows from those of `x - b` for any `b`:

    sum (x - a)**2  =  sum (x - b)**2 + 2 t sum (x - b) + n t**2        with t = b - a

The right side keeps its digits where `b` is no further from the mean than a standard deviation or two (Chan, Golub and
LeVeque, "Algorithms for computing the sample variance", 1983, on shifted data). So `b` is the mean of a sample, whose
extremes are left out: a single outlier does no harm.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import Attribute, Block, SSAValue
from xdsl.passes import ModulePass

from ...dialects.expr import Expr
from ...dialects.ir import block_of, erase, ops_of
from ...dialects.weld.attributes import Result, Where
from ...dialects.weld.generic import Generic, Index, Load, Yield, result_type
from ...dialects.weld.types import Shape, is_float, scalar_of
from ..expected import least_size
from ..points import ScalarBuilder
from ..remarks import Reason
from .chunks import Body, Making, Partial, Row, copied, expand, highest_power, partials
from .graph import functions, sort_block
from .legality import inline_forbidden, repeating_forbidden
from .merge import inline_load, repeat_writes, simplify_body, slice_of
from .profit import Choice, not_worth_repeating
from .rebase import Centre, Correction, Expansion, Polynomial
from .rows import Family, Rows, assume

SAMPLE = 16
"""Elements of a row whose mean is near the row's."""
PLACES = 1 << 24
"""Parts of a row that the sample's places are multiples of."""
SCALE = 2.0**-32
"""Of the sums of differences, against overflow."""
STRIDES = (10368891, 6949351, 12281775, 3960593)
"""From one place to the next along each reduced dim, modulo `PLACES`: irrational parts of it, so that the places do not
have a period that the row has (Weyl's sequence)."""


@dataclass(frozen=True)
class ShiftSums(ModulePass):
    """Sum differences from a sample's mean, not from another reduction of the same row; make that good afterwards.

    %a = generic over "n" gives "sum" { load %x }    %b = mean of 16 elements
    %s = generic over "n" gives "sum"            ->  %q, %l = generic over "n" gives "sum", "sum"
         { (load %x - load %a) ** 2 }                         { d = load %x - load %b; yield d ** 2, d }
                                                     %s = generic over "" gives "write" { (n * t + 2 * %l) * t + %q }
    """

    name = "shift-sums"
    row_bytes: int = 1 << 20
    """Shorter rows stay as they are: they are in cache when they are read again."""
    kept_bytes: int = 0
    """The same for rows of which high powers are summed."""
    choice: str = "profit"
    """Which rows are long: see `profit.Choice`."""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        choice = Choice(self.choice)
        for function in functions(op):
            shifting = _Shifting(function, self.row_bytes, self.kept_bytes, choice)
            shifting.run()
            assume(function, shifting.assumed)
            sort_block(function.body.block)


class _Shifting(Rows):
    def __init__(self, function: FuncOp, row_bytes: int, kept_bytes: int, choice: Choice):
        super().__init__(function, row_bytes, kept_bytes)
        self.choice = choice
        self.least = least_size(function)
        self.samples: dict[tuple[int, Row, Attribute], SSAValue] = {}
        """The mean of a sample of each value, by number and row."""

    def run(self) -> None:
        generics = [op for op in ops_of(self.block) if isinstance(op, Generic)]
        if sum(Row.of(op) is not None for op in generics) < 2:
            return
        for op in generics:
            self._take_up(op)

    def _take_up(self, op: Generic) -> None:
        self.count(op)
        row = Row.of(op)
        if row is None:
            return
        family = self.families.setdefault(row, Family())
        late = self.late(op, row)
        power = self._power(op, row, late) if late else None
        if power is not None:
            written = [out for out in op.outs if op.given(out).is_write]
            loss = next(filter(None, (not_worth_repeating(op, out) for out in written)), None)
            long = self.is_long(op, row, True, self.is_cheap(op, power))
            if self.choice(loss if loss or long else Reason.REDUCTION_RESULT) is None:
                self.note(self.needed(row, late)[0], op, None)
                smaller = repeat_writes(op)
                if smaller is None:
                    return
                op = self._shift(smaller, row)
        if not self.late(op, row):
            family.members[op] = None

    def _power(self, op: Generic, row: Row, late: dict[SSAValue, frozenset[SSAValue]]) -> int | None:
        """The highest power of differences from samples in the sums of `op`; None where they have no such form, or the
        row no sample."""
        possible = row.length.value != 0 and repeating_forbidden(op) is None
        return highest_power(op, row, late, self._centre) if possible else None

    def _centre(self, x: SSAValue, behind: frozenset[SSAValue]) -> Centre | None:
        """A sample of the values x."""
        return Centre(x, "sample", scalar_of(x)) if is_float(scalar_of(x)) else None

    def _shift(self, op: Generic, row: Row) -> Generic:
        """Replace `op` by its sums around the samples and what makes them good; gives the sums."""

        def base(b: ScalarBuilder, centre: Centre) -> SSAValue:
            return b.insert(Load.of(self._sample(op, row, centre), Where(tuple(map(Expr.symbol, row.kept))))).results[0]

        body = expand(op, row, self.late(op, row), self._centre, {}, base)
        assert body is not None, "the same body was expanded before"
        sums, results = self._sums(op, row, body)
        for new in (sums, results):
            new.location = op.location
            block_of(op).insert_op_before(new, op)
            simplify_body(new)
        for out, value in zip(op.outs, results.outs, strict=True):
            value.name_hint = out.name_hint
            out.replace_all_uses_with(value)
        erase(op)
        self.count(sums)
        self.count(results)
        return sums

    def _sums(self, op: Generic, row: Row, body: Body) -> tuple[Generic, Generic]:
        """The sums over the row, and the results that they give."""
        wanted = [[body.expansion.polynomial(value) for value in values] for values in op.yielded()]
        totals = _differences(body.expansion)
        needed: dict[Partial, None] = dict.fromkeys(("sum", scaled) for _, scaled in totals.values())
        plain = dict(totals.values())
        for result, polynomials in zip(op.results_given, wanted, strict=True):
            parts = partials(result, polynomials)[: 1 if len(polynomials) == 2 else None]
            needed |= dict.fromkeys(part for part in parts if part[1] not in plain or part[0] != "sum")
        body.block.add_op(Yield.create(operands=[v for _, *values in needed for v in values]))
        kept = tuple(map(Expr.symbol, row.kept))
        sums = Generic.of(
            row.sizes,
            [Result(kind, kept) for kind, *_ in needed],
            [result_type(kind, value.type, row.kept_sizes) for kind, value, *_ in needed],
            body.block,
        )
        outs = dict(zip(needed, sums.outs, strict=True))
        b, own = ScalarBuilder(Block(), location=op.location), Where(tuple(row.places.values()))

        def load(part: Partial) -> SSAValue:
            if part in outs:
                return b.insert(Load.of(outs[part], own)).results[0]
            value = load(("sum", plain[part[1]]))
            return b.mul(value, b.constant(1 / SCALE, value))

        def count(b: ScalarBuilder, element: Attribute) -> SSAValue:
            return b.cast(b.insert(Index.of(row.length)).results[0], element)

        def base(b: ScalarBuilder, centre: Centre) -> SSAValue:
            return b.insert(Load.of(self._sample(op, row, centre), own)).results[0]

        making = Making(op, b, row.places, load, count, base)
        values: list[SSAValue] = []
        for result, polynomials, (value, *rest) in zip(op.results_given, wanted, op.yielded(), strict=True):
            if rest:
                values.append(load(partials(result, polynomials)[0]))
                continue
            found, terms = making.total(result.kind, polynomials[0], value.type), polynomials[0]
            shifts = {c for term in terms for c in term}
            if len(shifts) == 1 and not shifts.isdisjoint(totals):
                (shift,) = shifts
                found = _overflowed(making, terms, shift, load(("sum", totals[shift][1])), found)
            values.append(found)
        b.block.add_op(Yield.create(operands=values))
        given = [Result("write", r.substitute(row.places).indices) for r in op.results_given]
        return sums, Generic.of(row.kept_sizes, given, [o.type for o in op.outs], b.block)

    # ---- samples -------------------------------------------------------------------
    def _sample(self, op: Generic, row: Row, centre: Centre) -> SSAValue:
        """The mean of a sample of a value in each row, without its greatest and its least element."""
        if centre.total not in self.number:
            self.count(op)
        key = self.number[centre.total], row, centre.element
        if key not in self.samples:
            sample = self._sampled(op, row, centre.total)
            b, own = ScalarBuilder(Block(), location=op.location), Where(tuple(row.places.values()))
            total, most, least = (b.insert(Load.of(out, own)).results[0] for out in sample.outs)
            rest = b.sub(b.sub(total, most), least)
            b.block.add_op(Yield.create(operands=[b.mul(rest, b.constant(SAMPLE / (SAMPLE - 2), rest))]))
            given = Result("write", own.indices)
            mean = Generic.of(row.kept_sizes, [given], [sample.outs[0].type], b.block)
            mean.location = op.location
            block_of(op).insert_op_before(mean, op)
            self.samples[key] = mean.outs[0]
        return self.samples[key]

    def _sampled(self, op: Generic, row: Row, x: SSAValue) -> Generic:
        """Sum, maximum and minimum of a sample, divided by its size. Its elements are computed once more: whether the
        value is in memory by then is not settled yet."""
        b = ScalarBuilder(Block(), location=op.location)
        known: dict[SSAValue, SSAValue] = {}
        for inner in slice_of(op, (x,)):
            known[inner.results[0]] = b.insert(copied(inner, _places(row), known, self._guards(row))).results[0]
        value = b.mul(known[x], b.constant(1 / SAMPLE, x))
        b.block.add_op(Yield.create(operands=[value] * 3))
        results = [Result(kind, tuple(row.places.values())) for kind in ("sum", "max", "min")]
        types = [result_type("sum", value.type, row.kept_sizes)] * 3
        sample = Generic.of((*row.kept_sizes, Expr.constant(SAMPLE)), results, types, b.block)
        sample.location = op.location
        block_of(op).insert_op_before(sample, op)
        while load := next((load for load in sample.loads() if inline_forbidden(load) is None), None):
            inline_load(load)
        simplify_body(sample)
        return sample

    def _guards(self, row: Row) -> Shape:
        """What must hold for the row to have elements."""
        return tuple(row.size(d) - 1 for d in row.reduced if self.least < 1 and row.size(d).value is None)


def _differences(expansion: Expansion) -> dict[Correction, tuple[SSAValue, SSAValue]]:
    """The difference behind each shift, and that times `SCALE`: its sum is infinite only where an element is."""
    found: dict[Correction, tuple[SSAValue, SSAValue]] = {}
    for terms in list(expansion.sums.values()):
        difference, shifts = terms.get(()), [t for t in terms if t]
        if difference is None or len(shifts) != 1 or len(shifts[0]) != 1 or shifts[0][0].kind != "shift":
            continue
        if terms[shifts[0]] is None and shifts[0][0] not in found:
            b = expansion.b
            scaled = b.mul_add(difference, b.constant(SCALE, difference), b.constant(-0.0, difference))
            found[shifts[0][0]] = difference, scaled
    return found


def _overflowed(making: Making, terms: Polynomial, shift: Correction, total: SSAValue, value: SSAValue) -> SSAValue:
    """A polynomial's value where sums of finite elements overflow, so that infinities of either sign may meet in it.

    If the row's own statistic did (the shift is infinite), all differences from it are infinite. If only the sum around
    the sample did, so does the one wanted. `total` is that of the differences, which is finite if all elements are.
    """
    b, first, top = making.b, terms.get(()), max(terms, key=len)
    t = making.correction(shift)
    all_infinite = b.and_(b.eq(b.abs(t), b.constant(math.inf, t)), b.lt(b.abs(total), b.constant(math.inf, total)))
    value = b.select(all_infinite, making.total("sum", {top: terms[top]}, value.type), value)
    if first is None:
        return value
    constant = making.load(("sum", first))
    overflows = b.and_(b.eq(b.abs(constant), b.constant(math.inf, constant)), b.lt(b.abs(t), b.constant(math.inf, t)))
    return b.select(overflows, b.cast(constant, scalar_of(value)), value)


def _places(row: Row) -> dict[str, Expr]:
    """The dims of a row's domain at an element of the sample."""
    place = Expr.symbol(f"d{len(row.kept)}")
    found = {f"d{k}": Expr.constant(0) for k in range(len(row.sizes))} | row.places
    for k, dim in enumerate(row.reduced):
        stride = STRIDES[k % len(STRIDES)]
        found[dim] = (place * stride + stride // 2) % PLACES * row.size(dim) // PLACES
    return found
