"""`Rows`: which reductions of a block share rows, and what of a row depends on such a reduction."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from xdsl.dialects.func import FuncOp
from xdsl.ir import SSAValue

from ...dialects.expr import Expr, product_of
from ...dialects.ir import ops_of
from ...dialects.weld.attributes import Dims
from ...dialects.weld.cast import Cast
from ...dialects.weld.generic import Generic, Load, Yield
from ...dialects.weld.types import bit_width, bytes_of
from ..expected import expected_sizes
from ..remarks import Reason, note
from .chunks import CHUNK_BYTES, STRIDED, Row


def _is_elementwise(op: Generic, tensor: SSAValue) -> bool:
    """Whether each element of the result is computed at one point of the domain: a scatter keeps others."""
    return not op.given(tensor).is_scatter


def assume(function: FuncOp, needed: Iterable[Expr]) -> None:
    """Add to what must not be negative for the sizes that the program is best for."""
    known = function.attributes.get("weld.assumed")
    found = dict.fromkeys((*(known.data if isinstance(known, Dims) else ()), *needed))
    if found:
        function.attributes["weld.assumed"] = Dims(tuple(found))


@dataclass
class Family:
    """Reductions of the same rows, in order; `chunked` are those that need another one, and the ones needed;
    `repeated` too, where each walks memory by itself."""

    members: dict[Generic, None] = field(default_factory=dict[Generic, None])
    chunked: set[Generic] = field(default_factory=set[Generic])
    repeated: set[Generic] = field(default_factory=set[Generic])


class Rows:
    """The reductions of a block by the rows that they reduce."""

    def __init__(self, function: FuncOp, row_bytes: int, kept_bytes: int = 0):
        self.block = function.body.block
        self.row_bytes, self.kept_bytes = row_bytes, kept_bytes
        self.expected = expected_sizes(function)
        self.assumed: dict[Expr, None] = {}
        """What must not be negative for the sizes that the program is best for."""
        self.families: dict[Row, Family] = {}
        self.numbers: dict[object, int] = {}
        """Equal values of different bodies have equal numbers; a cast has the number of what it casts."""
        self.number: dict[SSAValue, int] = {}
        self.roots: dict[tuple[SSAValue, Row], frozenset[SSAValue]] = {}

    def is_long(self, op: Generic, row: Row, matters: bool, cheap: bool) -> bool:
        """Whether a row is to be read as seldom as possible: it is known or expected to exceed the cache. So is a row
        that is all there is, which could not share a kernel with others, where what is kept of it is `cheap`. Else
        what is kept of such a row is a tensor, mostly where the result will be, so that the cache holds two of them."""
        size, lone = row.bytes_of(op), row.count.value == 1
        limit = self.row_bytes // STRIDED if row.is_strided else self.row_bytes
        if not cheap and self.kept_bytes > limit:
            limit = self.kept_bytes * (2 if lone else 1)
        if size.value is not None:
            return size.value > max(limit, CHUNK_BYTES)
        if not size.names <= self.expected.keys() or (cheap and lone):
            return lone
        long = size.evaluate(self.expected.__getitem__) > limit
        if matters:
            self.assumed[size - limit - 1 if long else limit - size] = None
        return long

    @staticmethod
    def is_cheap(op: Generic, power: int) -> bool:
        """Whether sums of such a power of corrections are taken as fast as memory is read. Those above the second need
        more sums, of float64 numbers, which are several registers for one of a smaller type."""
        return power <= 2 or all(bit_width(load.res.type) == 64 for load in op.loads())

    # ---- what depends on what ------------------------------------------------------
    def late(self, op: Generic, row: Row) -> dict[SSAValue, frozenset[SSAValue]]:
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
            elif isinstance(owner, Generic) and _is_elementwise(owner, tensor) and product_of(owner.sizes) == row.count:
                total = total.union(*(self._roots_of(load.tensor, row) for load in owner.loads()))
            self.roots[key] = total
        return self.roots[key]

    def needed(self, row: Row, late: dict[SSAValue, frozenset[SSAValue]]) -> list[Generic]:
        """The members of the family that these values wait for."""
        owners = {out.owner for roots in late.values() for out in roots}
        return [m for m in self.families[row].members if m in owners]

    @staticmethod
    def note(first: Generic, op: Generic, refusal: Reason | None) -> None:
        """Record whether `op` is computed in the sweep of `first`, and what of its largest tensor that saves."""
        large = max((load.tensor for load in op.loads()), key=lambda t: len(str(bytes_of(t))))
        note(first, op, refusal is None, refusal or Reason.ONLINE_REDUCTION, str(bytes_of(large)))

    def count(self, op: Generic) -> None:
        """Number the values of a body."""
        for inner in ops_of(op.block):
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
