"""The chunks of long rows: a reduction over each chunk, and what combines the chunks of a row."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from xdsl.ir import Attribute, Block, Operation, SSAValue

from ...dialects.expr import Expr, product_of
from ...dialects.ir import block_of, erase, erase_dead, ops_of
from ...dialects.weld.attributes import Result, Where
from ...dialects.weld.generic import Generic, Index, Load, Yield, result_type
from ...dialects.weld.types import Shape, bit_width, byte_width, scalar_of
from ..points import ScalarBuilder
from .merge import simplify_body, slice_of, substituted
from .rebase import Centre, Correction, Expansion, Polynomial, Term, centred_at, corrected, multiple, value_of

CHUNK_BYTES = 1 << 14
"""Bytes of a chunk of consecutive elements: the first-level cache holds it from one sweep to the next."""
STRIP_BYTES = 1 << 18
"""Bytes of a chunk along a strided dim: the second-level cache holds it."""
STRIP_WIDTH = 256
"""Bytes at each step of a strided dim: the lanes run along another one."""


STRIDED = 4
"""Of a cache, strided rows have one part in so many to themselves: steps of a power of two leave most sets unused."""


@dataclass(frozen=True)
class Row:
    """How a generic reduces the rows of its domain."""

    sizes: Shape
    kept: tuple[str, ...]
    """The dims of its reductions' results."""
    reduced: tuple[str, ...]
    """The dims along a row, those of size 1 left out."""

    @staticmethod
    def of(op: Generic) -> Row | None:
        """The rows that all reductions of a generic share; None where it has none, or scatters."""
        if op.inits or op.guards:
            return None
        reductions = [r for r in op.results_given if r.is_reduction]
        kept = {tuple(d for d in op.dims if any(d in e.names for e in r.indices)) for r in reductions}
        if len(kept) != 1:
            return None
        (dims,) = kept
        reduced = tuple(d for d, s in zip(op.dims, op.sizes, strict=True) if d not in dims and s.value != 1)
        return Row(op.sizes, dims, reduced) if reduced else None

    def size(self, dim: str) -> Expr:
        return self.sizes[int(dim[1:])]

    @property
    def kept_sizes(self) -> Shape:
        return tuple(self.size(d) for d in self.kept)

    @property
    def places(self) -> dict[str, Expr]:
        """The kept dims where they are the only ones."""
        return {d: Expr.symbol(f"d{k}") for k, d in enumerate(self.kept)}

    @property
    def count(self) -> Expr:
        """How many rows there are."""
        return product_of(self.kept_sizes)

    @property
    def length(self) -> Expr:
        return product_of(self.size(d) for d in self.reduced)

    @property
    def is_strided(self) -> bool:
        """Whether a kept dim is the innermost one."""
        live = [d for d in (*self.kept, *self.reduced) if self.size(d).value != 1]
        return max(live, key=lambda d: int(d[1:])) in self.kept

    def bytes_of(self, op: Generic) -> Expr:
        """What a sweep over one row reads, of each of its tensors."""
        return self.length * (STRIP_WIDTH if self.is_strided else max(map(_width, op.loads())))


def _width(load: Load) -> int:
    return byte_width(scalar_of(load.res))


@dataclass(frozen=True)
class Cut:
    """A row's domain in chunks: the kept dims, the chunk, the place in it."""

    row: Row
    chunk: int
    """Elements of a chunk; the last one of a row may have less."""

    @staticmethod
    def of(row: Row, members: Sequence[Generic]) -> Cut:
        """The chunks of reductions that share a row."""
        if row.is_strided:
            return Cut(row, STRIP_BYTES // STRIP_WIDTH)
        return Cut(row, CHUNK_BYTES // max(_width(load) for op in members for load in op.loads()))

    @property
    def rank(self) -> int:
        return len(self.row.kept)

    @property
    def chunks(self) -> Expr:
        """How many chunks a row has."""
        return (self.row.length + (self.chunk - 1)) // self.chunk

    @property
    def kept_sizes(self) -> Shape:
        return self.row.kept_sizes

    @property
    def left(self) -> Expr:
        """The elements of the row from the chunk on."""
        return self.row.length - Expr.symbol(f"d{self.rank}") * self.chunk

    @property
    def guards(self) -> Shape:
        return (self.left - 1 - Expr.symbol(f"d{self.rank + 1}"),)

    @property
    def places(self) -> dict[str, Expr]:
        """The original dims in terms of the new ones."""
        found = {f"d{k}": Expr.constant(0) for k in range(len(self.row.sizes))}
        found |= self.row.places
        (dim,) = self.row.reduced
        found[dim] = Expr.symbol(f"d{self.rank}") * self.chunk + Expr.symbol(f"d{self.rank + 1}")
        return found

    @property
    def part(self) -> tuple[Expr, ...]:
        """The element of a partial result that belongs to a chunk."""
        return tuple(Expr.symbol(f"d{k}") for k in range(self.rank + 1))

    def base(self, parts: Mapping[SSAValue, SSAValue]) -> Base:
        """A chunk's own centre; `parts` gives the partial results of the reductions."""
        return lambda b, centre: _base(b, self, centre, parts)

    def count(self, b: ScalarBuilder, element: Attribute) -> SSAValue:
        """How many elements a chunk has."""
        most, left = (b.insert(Index.of(e)).results[0] for e in (Expr.constant(self.chunk), self.left))
        return b.cast(b.min(most, left), element)


Find: TypeAlias = Callable[[SSAValue, frozenset[SSAValue]], Centre | None]
Base: TypeAlias = Callable[[ScalarBuilder, Centre], SSAValue]
"""Builds the value of a centre."""


@dataclass
class Body:
    """The body of a chunk's reductions in the making."""

    block: Block
    expansion: Expansion


def expand(
    op: Generic,
    row: Row,
    late: Mapping[SSAValue, frozenset[SSAValue]],
    find: Find,
    places: Mapping[str, Expr] | None = None,
    base: Base | None = None,
) -> Body | None:
    """The body of `op` at an element of a chunk, or None where it has no such form.

    `late` are the loaded values that belong to the whole row, with the reductions behind them. `places`, the dims of
    `op` in terms of the new ones, and `base` may be left out where only the answer is wanted.
    """
    b = ScalarBuilder(Block(), location=op.location)
    varying = op.moving(row.reduced)
    behind = dict(late)

    def value_at(centre: Centre) -> SSAValue:
        return base(b, centre) if base is not None else b.constant(0, centre.element)

    expansion = Expansion(b, lambda x, a: find(x, behind[a]), value_at, varying.__contains__)
    reduced = [
        (r, v) for r, values in zip(op.results_given, op.yielded(), strict=True) for v in values if r.is_reduction
    ]
    for inner in slice_of(op, tuple(value for _, value in reduced)):
        value = inner.results[0]
        if value in late:
            expansion.late.add(value)
        elif all(v in expansion.known for v in inner.operands[int(isinstance(inner, Load)) :]):
            expansion.known[value] = b.insert(copied(inner, places or {}, expansion.known)).results[0]
        elif not expansion.expand(inner):
            _discard(b.block, expansion)
            return None
        if value in expansion.late and value not in behind:
            behind[value] = frozenset[SSAValue]().union(*(behind.get(v, frozenset()) for v in inner.operands))
    if any(result.kind != "sum" and value not in expansion.known for result, value in reduced):
        _discard(b.block, expansion)
        return None
    return Body(b.block, expansion)


def highest_power(op: Generic, row: Row, late: Mapping[SSAValue, frozenset[SSAValue]], find: Find) -> int | None:
    """The most corrections that are multiplied in the form of `op` for the elements of a chunk; None where there is no
    such form."""
    body = expand(op, row, late, find)
    if body is None:
        return None
    _discard(body.block, body.expansion)
    return max((len(term) for terms in body.expansion.sums.values() for term in terms), default=0)


def _discard(block: Block, expansion: Expansion) -> None:
    for op in reversed(ops_of(block)):
        erase(op)
    erase_dead(expansion.added)


def copied(
    op: Operation, places: Mapping[str, Expr], known: Mapping[SSAValue, SSAValue], guards: Shape = ()
) -> Operation:
    """A body op with other dims and operands; loads read only where the guards hold, too."""
    return type(op).create(
        operands=[known.get(v, v) for v in op.operands],
        result_types=[r.type for r in op.results],
        properties=substituted(op, places, guards),
        attributes=op.attributes,
    )


def _base(b: ScalarBuilder, cut: Cut, centre: Centre, parts: Mapping[SSAValue, SSAValue]) -> SSAValue:
    part = b.insert(Load.of(parts[centre.total], Where(cut.part))).results[0]
    return centred_at(b, centre, part, lambda element: cut.count(b, element))


# ---- rewriting ---------------------------------------------------------------------
def chunked(op: Generic, cut: Cut, body: Body, parts: dict[SSAValue, SSAValue]) -> tuple[Generic, Generic]:
    """Put a reduction of chunks, and the one of rows that combines them, in front of `op`.

    `parts` gets the partial results of the reductions that have just one.
    """
    sums = [[body.expansion.polynomial(value) for value in values] for values in op.yielded()]
    partial: dict[Partial, None] = {}
    for result, polynomials in zip(op.results_given, sums, strict=True):
        partial |= dict.fromkeys(partials(result, polynomials))
    body.block.add_op(Yield.create(operands=[v for _, *values in partial for v in values]))
    shape = (*cut.kept_sizes, cut.chunks)
    chunks = Generic.of(
        (*shape, Expr.constant(cut.chunk)),
        [Result(kind, cut.part) for kind, *_ in partial],
        [result_type(kind, value.type, shape) for kind, value, *_ in partial],
        body.block,
        (),
        cut.guards,
    )
    outs = dict(zip(partial, chunks.outs, strict=True))
    for out, result, polynomials in zip(op.outs, op.results_given, sums, strict=True):
        if all(list(terms) == [()] for terms in polynomials):
            parts[out] = outs[partials(result, polynomials)[0]]
    rows = _rows(op, cut, sums, outs, parts)
    for new in (chunks, rows):
        new.location = op.location
        block_of(op).insert_op_before(new, op)
        simplify_body(new)
    return chunks, rows


Partial: TypeAlias = tuple[str, SSAValue] | tuple[str, SSAValue, SSAValue]
"""A reduction of chunks: its kind and the values that it takes."""


def partials(result: Result, polynomials: Sequence[Polynomial]) -> list[Partial]:
    """What a result needs of each chunk. A position needs the value there too, to be compared with other chunks'."""
    if len(polynomials) == 2:
        value, place = (terms[()] for terms in polynomials)
        assert value is not None and place is not None
        return [(result.kind, value, place), (result.kind.removeprefix("arg"), value)]
    (terms,) = polynomials
    return [(result.kind, scaled(v, term)[0]) for term, v in terms.items() if v is not None]


def scaled(value: SSAValue, term: Term) -> tuple[SSAValue, float]:
    """What is summed for the coefficient of a correction, and the number that this is multiplied by then."""
    return multiple(value) if term else (value, 1)


@dataclass(frozen=True)
class Making:
    """Makes the results of `op` from sums: `b` builds, `places` gives the dims of `op`, `load` a sum, `count` how many
    elements each sum has, and `base` centres."""

    op: Generic
    b: ScalarBuilder
    places: Mapping[str, Expr]
    load: Callable[[Partial], SSAValue]
    count: Callable[[ScalarBuilder, Attribute], SSAValue]
    base: Base

    def total(self, kind: str, terms: Polynomial, element: Attribute) -> SSAValue:
        """The sum of a polynomial."""
        known = [scalar_of(value) for value in terms.values() if value is not None]
        wide = max(known, key=bit_width, default=element)
        numbers = {term: self._coefficient(kind, term, value, wide) for term, value in terms.items()}
        return self.b.cast(corrected(self.b, numbers, self.correction), element)

    def correction(self, needed: Correction) -> SSAValue:
        """The value of one."""
        known: dict[SSAValue, SSAValue] = {}
        for inner in slice_of(self.op, (needed.value,)):
            known[inner.results[0]] = self.b.insert(copied(inner, self.places, known)).results[0]
        base = self.base(self.b, needed.centre) if needed.centre is not None else None
        return value_of(self.b, needed, known[needed.value], base)

    def _coefficient(self, kind: str, term: Term, value: SSAValue | None, element: Attribute) -> SSAValue:
        if value is None:
            return self.count(self.b, element)
        value, factor = scaled(value, term)
        part = self.load((kind, value))
        return part if factor == 1 else self.b.mul(part, self.b.constant(factor, part))


def _rows(
    op: Generic,
    cut: Cut,
    sums: Sequence[Sequence[Polynomial]],
    outs: Mapping[Partial, SSAValue],
    parts: Mapping[SSAValue, SSAValue],
) -> Generic:
    """The results of `op` from those of the chunks."""
    b = ScalarBuilder(Block(), location=op.location)
    places = cut.row.places

    def load(part: Partial) -> SSAValue:
        return b.insert(Load.of(outs[part], Where(cut.part))).results[0]

    making = Making(op, b, places, load, cut.count, cut.base(parts))
    values: list[SSAValue] = []
    for result, polynomials, (value, *rest) in zip(op.results_given, sums, op.yielded(), strict=True):
        if rest:
            position, best = partials(result, polynomials)
            values += [load(best), load(position)]
        else:
            values.append(making.total(result.kind, polynomials[0], value.type))
    b.block.add_op(Yield.create(operands=values))
    results = [r.substitute(places) for r in op.results_given]
    return Generic.of((*cut.kept_sizes, cut.chunks), results, [o.type for o in op.outs], b.block)
