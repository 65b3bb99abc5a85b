"""`linalg.generic`, and every op with indexing maps and a body, as one `weld.generic`.

    %s = linalg.generic {indexing_maps = [(i, j) -> (i, j), (i, j) -> (i)], ...} ins(%x) outs(%zero) {
      ^bb0(%a: f32, %acc: f32): %0 = arith.addf %acc, %a : f32  linalg.yield %0 : f32 }
->  %s = weld.generic over "4, 8" gives "sum d0" { %0 = weld.load %x "d0, d1" ... weld.yield %0 : f32 } : tensor<4xf32>
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from xdsl.dialects.arith import ConstantOp
from xdsl.dialects.builtin import AffineMapAttr, IndexType, IntegerAttr
from xdsl.dialects.linalg.ops import IndexOp
from xdsl.dialects.linalg.ops import YieldOp as LinalgYield
from xdsl.ir import Block, BlockArgument, Operation, SSAValue

from ...dialects.expr import Expr
from ...dialects.weld import Generic, Index, Yield
from ...dialects.weld.attributes import Result, Where
from ...dialects.weld.constant import splat_of
from ...dialects.weld.generic import dim_exprs
from ...dialects.weld.reductions import REDUCTIONS
from ...dialects.weld.types import BOOL, I64, Shape, dtype_of, scalar_of, tensor_type
from ..points import NotLowerable
from . import scalars
from .accumulators import Accumulation, find_accumulation
from .bodies import BodyBuilder, erase_unused
from .contractions import contract, find_roles
from .maps import guards_for, map_indices
from .scalars import Unsupported
from .tensors import INTEGERS
from .translation import Translation


@dataclass(frozen=True)
class Structured:
    """An op over a loop nest: its operands' index expressions, and a body with one argument an operand."""

    inputs: Sequence[SSAValue]
    outputs: Sequence[SSAValue]
    maps: Sequence[tuple[Expr, ...]]
    body: Block
    rank: int

    @staticmethod
    def of(inputs: Sequence[SSAValue], outputs: Sequence[SSAValue], maps: Sequence[AffineMapAttr], body: Block):
        rank = maps[0].data.num_dims
        dims = dim_exprs(rank)
        return Structured(inputs, outputs, [map_indices(m.data, dims) for m in maps], body, rank)

    @property
    def dims(self) -> tuple[Expr, ...]:
        return dim_exprs(self.rank)


def read_structured(t: Translation, op: Structured) -> list[SSAValue]:
    """The weld tensors of the op's results."""
    operands = [t.tensor(v) for v in (*op.inputs, *op.outputs)]
    sizes = loop_sizes(t, op, operands)
    roles = find_roles(op.maps, op.body, op.rank)
    elements = {scalar_of(v) for v in operands}
    if roles is not None and len(elements) == 1 and BOOL not in elements:
        return [contract(t, roles, op.maps, *operands)]
    body = _Body(t, op, operands, sizes)
    try:
        return body.finish()
    except NotLowerable as error:
        t.fail(f"uses {error} on elements for which it has no scalar form; cast the operands to f32 or f64")


def loop_sizes(t: Translation, op: Structured, operands: Sequence[SSAValue]) -> Shape:
    """The size of each loop dim: that of every operand dim that it walks by itself."""
    found: dict[str, Expr] = {}
    for value, indices in zip(operands, op.maps, strict=True):
        shape = t.shape(value)
        if len(shape) != len(indices):
            t.fail(f"has an indexing map with {len(indices)} results for a tensor of {len(shape)} dims")
        for size, index in zip(shape, indices, strict=True):
            name = str(index)
            if index in op.dims:
                t.equate(found.setdefault(name, size), size, f"one size for loop dim {name}")
    missing = [str(d) for d in op.dims if str(d) not in found]
    if missing:
        t.fail(f"has loop dims whose size no operand tells: {', '.join(missing)}; add an operand that they index alone")
    return tuple(t.symbols.resolve(found[str(d)]) for d in op.dims)


class _Body:
    """Builds the body of the generic from the body of the op."""

    def __init__(self, t: Translation, op: Structured, operands: Sequence[SSAValue], sizes: Shape):
        self.t, self.op, self.operands, self.sizes = t, op, operands, sizes
        self.block = Block()
        self.p = BodyBuilder(self.block, op.rank, t.b.location)
        self.scalars: dict[SSAValue, SSAValue] = {}
        self.exprs: dict[SSAValue, Expr] = {}
        """Index values that are expressions over dims and sizes."""
        self.inits = operands[len(op.inputs) :]
        self.out_maps = op.maps[len(op.inputs) :]

    def finish(self) -> list[SSAValue]:
        t, op = self.t, self.op
        count = len(op.inputs)
        last = op.body.last_op
        assert isinstance(last, LinalgYield)
        accumulations = [
            self._accumulation(k, argument, value)
            for k, (argument, value) in enumerate(zip(op.body.args[count:], last.operands, strict=True))
        ]
        taken = frozenset[Operation]().union(*(a.combining for a in accumulations if a is not None))
        for inner in op.body.ops:
            if inner is last or inner in taken:
                continue
            with t.reading(inner):
                self.p.b.location = inner.location
                self._translate(inner)
        self.p.b.location = t.b.location
        results: list[Result] = []
        values: list[SSAValue] = []
        for indices, init, accumulation, yielded in zip(
            self.out_maps, self.inits, accumulations, last.operands, strict=True
        ):
            if accumulation is None:
                results.append(Result("write", indices))
                values.append(self.p.b.cast(self.value(yielded), scalar_of(init)))
            else:
                results.append(Result(accumulation.monoid.kind, indices))
                values.append(self._summand(accumulation))
        self.block.add_op(Yield.create(operands=values))
        erase_unused(self.block)
        types = [tensor_type(scalar_of(v), t.shape(init)) for v, init in zip(values, self.inits, strict=True)]
        generic = t.b.insert(Generic.of(self.sizes, results, types, self.block))
        return [
            value if a is None else self._with_init(value, init, a)
            for value, init, a in zip(generic.results, self.inits, accumulations, strict=True)
        ]

    # Results

    def _accumulation(self, k: int, argument: BlockArgument, yielded: SSAValue) -> Accumulation | None:
        """How result `k` is reduced; None where each of its elements is written once."""
        indices = self.out_maps[k]
        names = [str(e) for e in indices if e.value != 0]
        if len(set(names)) != len(names) or any(e not in self.op.dims for e in indices if e.value != 0):
            found = ", ".join(str(e) for e in indices)
            self.t.fail(f"writes result {k} at ({found}); only different loop dims and 0 are supported there")
        for size, index in zip(self.t.shape(self.inits[k]), indices, strict=True):
            if index.value == 0:
                self.t.equate(size, Expr.constant(1), "size 1 where an output is indexed by 0")
        if len(names) == self.op.rank:
            return None
        found = find_accumulation(argument, yielded)
        if found is None and not any(True for _ in argument.uses):
            self.t.fail(
                f"leaves result {k} with the last of many values; use its output argument as an accumulator, or give"
                " it every loop dim"
            )
        if found is None:
            self.t.fail(
                f"accumulates result {k} in a way that is no reduction: combine its output argument once, by one of"
                " addf, mulf, maximumf, minimumf, addi, muli, maxsi, minsi, maxui, minui, andi, ori, xori"
            )
        return found

    def _summand(self, a: Accumulation) -> SSAValue:
        """What one point adds to the accumulator."""
        b = self.p.b
        total: SSAValue | None = None
        for term in a.terms:
            factors = [self.value(v) for v in term.factors]
            value = factors[0] if len(factors) == 1 else b.mul(*factors)
            value = scalars.unsigned(b, value) if a.monoid.unsigned else value
            if term.negative:
                value = b.neg(value) if total is None else value
                total = value if total is None else b.sub(total, value)
                continue
            if a.monoid.ignores_nan:
                identity = REDUCTIONS[a.monoid.kind].identity(scalar_of(value))
                value = b.select(b.is_nan(value), b.constant(identity, value), value)
            total = value if total is None else b.build(REDUCTIONS[a.monoid.kind].combine, total, value)
        assert total is not None
        return total

    def _with_init(self, value: SSAValue, init: SSAValue, a: Accumulation) -> SSAValue:
        """The reduced values combined with what the output held before, unless that changes nothing."""
        b, element = self.t.b, scalar_of(init)
        if not self._is_identity(init, a):
            start = b.cast(init, scalar_of(value))
            if a.monoid.ignores_nan:
                value = scalars.apply(b, np.fmax if a.monoid.kind == "max" else np.fmin, start, value)
            else:
                value = b.build(REDUCTIONS[a.monoid.kind].combine, start, value)
        return b.cast(value, element)

    def _is_identity(self, init: SSAValue, a: Accumulation) -> bool:
        number = splat_of(init)
        if number is None:
            return False
        kind = REDUCTIONS[a.monoid.kind]
        element = scalar_of(init)
        if a.monoid.unsigned:
            element = scalars.unsigned_type(element)
            number = number.astype(dtype_of(element))
        return bool(number == kind.identity(element))

    # Values

    def value(self, value: SSAValue) -> SSAValue:
        """The scalar of a value of the body or of one defined outside."""
        if value not in self.scalars:
            self.scalars[value] = self._materialize(value)
        return self.scalars[value]

    def _materialize(self, value: SSAValue) -> SSAValue:
        if value in self.exprs:
            return self._index(self.exprs[value], value)
        if isinstance(value, BlockArgument) and value.block is self.op.body:
            k = value.index
            return self._load(self.operands[k], self.op.maps[k])
        known = self.t.expr(value)
        if known is not None and not self._is_tensor(value):
            return self._index(known, value)
        return self.p.load(self.t.tensor(value), Where(()))

    def _is_tensor(self, value: SSAValue) -> bool:
        return isinstance(self.t.values.get(value), SSAValue)

    def _index(self, expr: Expr, value: SSAValue) -> SSAValue:
        element = scalars.element_type(value.type)
        if expr.value is not None:
            return self.p.b.constant(expr.value, element)
        return self.p.b.cast(self.p.b.insert(Index.of(expr)).results[0], element)

    def _load(self, tensor: SSAValue, indices: tuple[Expr, ...]) -> SSAValue:
        guards: list[Expr] = []
        for index, size in zip(indices, self.t.shape(tensor), strict=True):
            guards += self._guards(index, size)
        return self.p.load(tensor, Where(indices, tuple(guards)))

    def _guards(self, index: Expr, size: Expr) -> tuple[Expr, ...]:
        try:
            return guards_for(index, size, self.op.dims, self.sizes)
        except ValueError as error:
            self.t.fail(str(error))

    def _expr(self, value: SSAValue) -> Expr | None:
        return self.exprs[value] if value in self.exprs else self.t.expr(value)

    # Ops

    def _translate(self, op: Operation) -> None:
        if isinstance(op, ConstantOp):
            self.t.define(op.result, self._constant(op))
            return
        if isinstance(op, IndexOp):
            self.exprs[op.result] = self.op.dims[int(op.dim.value.data)]
            return
        if op.name == "affine.apply":
            self._apply(op)
            return
        if op.name == "tensor.extract":
            self.scalars[op.results[0]] = self._extract(op.operands[0], list(op.operands[1:]))
            return
        if op.regions or len(op.results) != 1:
            raise Unsupported("is not supported in the body of a linalg op; use arith.select")
        if isinstance(op.results[0].type, IndexType) and self._index_arithmetic(op):
            return
        args = [self.value(v) for v in op.operands]
        self.scalars[op.results[0]] = scalars.translate(self.p.b, op, args)

    def _constant(self, op: ConstantOp) -> SSAValue | Expr:
        """A constant inside the body is known like one outside; only its use makes it an op."""
        number = op.value
        if isinstance(op.result.type, IndexType):
            assert isinstance(number, IntegerAttr)
            return Expr.constant(number.value.data)
        value = scalars.constant(self.p.b, op)
        self.scalars[op.result] = value
        return value

    def _apply(self, op: Operation) -> None:
        known = [self._expr(v) for v in op.operands]
        if any(e is None for e in known):
            raise Unsupported("needs operands that follow from linalg.index, constants and sizes; use arith ops")
        exprs = [e for e in known if e is not None]
        affine_map = op.properties["map"]
        assert isinstance(affine_map, AffineMapAttr)
        count = affine_map.data.num_dims
        self.exprs[op.results[0]] = map_indices(affine_map.data, exprs[:count], exprs[count:])[0]

    def _index_arithmetic(self, op: Operation) -> bool:
        """Sums and products of index expressions stay expressions, so that accesses with them can be fused."""
        known = [self._expr(v) for v in op.operands]
        exprs = [e for e in known if e is not None]
        if op.name not in ("arith.addi", "arith.subi", "arith.muli") or len(exprs) < 2:
            return False
        self.exprs[op.results[0]] = INTEGERS[op.name](*exprs)
        return True

    def _extract(self, tensor: SSAValue, positions: list[SSAValue]) -> SSAValue:
        """A load at index expressions; positions that only the data tells are checked to be in range first."""
        b, source = self.p.b, self.t.tensor(tensor)
        indices: list[Expr] = []
        values: list[SSAValue] = []
        guards: list[Expr] = []
        inside: SSAValue | None = None
        for position, size in zip(positions, self.t.shape(source), strict=True):
            known = self._expr(position)
            if known is not None:
                indices.append(known)
                guards += self._guards(known, size)
                continue
            index = b.cast(self.value(position), I64)
            limit = b.insert(Index.of(size)).results[0]
            fits = scalars.both(b, scalars.apply(b, np.greater_equal, index, b.constant(0, index)), b.lt(index, limit))
            inside = fits if inside is None else scalars.both(b, inside, fits)
            indices.append(Expr.symbol(f"i{len(values)}"))
            values.append(index)
        return self.p.load(source, Where(tuple(indices), tuple(guards)), values, inside)
