"""One `weld.generic` as a `linalg.generic`; one that scatters as loops, for the order of its updates counts."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects import arith, scf, tensor
from xdsl.dialects.builtin import DYNAMIC_INDEX, AffineMapAttr, TensorType
from xdsl.dialects.linalg.attrs import IteratorType, IteratorTypeAttr
from xdsl.dialects.linalg.ops import FillOp, GenericOp, IndexOp, YieldOp
from xdsl.ir import Attribute, Block, Region, SSAValue
from xdsl.ir.affine import AffineConstantExpr, AffineDimExpr, AffineExpr, AffineMap
from xdsl.utils.exceptions import PassFailedException

from ...dialects.expr import Expr
from ...dialects.weld.attributes import Result
from ...dialects.weld.generic import Generic, Index, Inside, Load
from ...dialects.weld.reductions import REDUCTIONS
from ...dialects.weld.types import BOOL, I64, scalar_of, shape_of
from ..points import ScalarBuilder
from .upstream import Writer, number, signless

LAST = 2**63 - 1
"""The position that each other one is before."""


def write_generic(w: Writer, op: Generic) -> list[SSAValue]:
    """Appends the op's upstream form; its results."""
    if op.guards:
        raise PassFailedException(f"a domain that is cut ('{op.guards[0]} >= 0') has no linalg form")
    if op.inits:
        return _Loops(w, op).write()
    return _Structured(w, op).write()


class _Body:
    """Writes the scalar ops of a generic's body at one point."""

    def __init__(self, w: Writer, op: Generic) -> None:
        self.w = w
        self.op = op

    def write(self, loaded: dict[SSAValue, SSAValue]) -> None:
        """The ops, where the values of some loads are there already."""
        for op in self.op.block.ops:
            self.w.location = op.location
            if op is self.op.terminator:
                return
            if isinstance(op, Load):
                self.w.values[op.res] = loaded[op.res] if op.res in loaded else self._load(op)
            elif isinstance(op, Index):
                self.w.values[op.res] = self.w.make("arith.index_cast", [self.w.size(op.value)], I64)
            elif isinstance(op, Inside):
                self.w.values[op.res] = self.w.inside(op.guards.data)
            else:
                self.w.translate(op)

    def _load(self, op: Load) -> SSAValue:
        w = self.w
        for k, index in enumerate(op.indices):
            w.names[f"i{k}"] = w.as_index(w.values[index])
        guard = None if op.guard is None else w.values[op.guard]
        if op.where.guards:
            inside = w.inside(op.where.guards)
            guard = inside if guard is None else w.make("arith.andi", [guard, inside], BOOL)
        if guard is None:
            return _extract(w, op)
        element = scalar_of(op.tensor)
        then, otherwise = Block(), Block()
        inner = w.nested(then)
        inner.add(scf.YieldOp(_extract(inner, op)))
        inner = w.nested(otherwise)
        inner.add(scf.YieldOp(inner.add(arith.ConstantOp(number(0, element)))))
        return w.add(scf.IfOp(guard, [signless(element)], Region(then), Region(otherwise)))


def _extract(w: Writer, op: Load) -> SSAValue:
    indices = [w.size(index) for index in op.where.indices]
    source = w.values[op.tensor]
    return w.add(tensor.ExtractOp(source, indices, signless(scalar_of(op.tensor))))


class _Structured:
    """A generic that writes and reduces. Plain accesses are operands with maps, others extract elements."""

    def __init__(self, w: Writer, op: Generic) -> None:
        self.w = w
        self.op = op
        self.maps: list[AffineMapAttr] = []
        self.ins: list[SSAValue] = []
        self.loads: dict[SSAValue, int] = {}

    def write(self) -> list[SSAValue]:
        self._inputs()
        outs = [out for k, result in enumerate(self.op.results_given) for out in self._inits(result, self.op.outs[k])]
        self._cover()
        self.maps += [self._map(i) for result in self.op.results_given for i in [result.indices] * _count(result)]
        block = Block(arg_types=[scalar_of(v.type) for v in (*self.ins, *outs)])
        inner = self.w.nested(block)
        for k, dim in enumerate(self.op.dims):
            inner.names[dim] = inner.add(IndexOp(k))
        _Body(inner, self.op).write({load: block.args[k] for load, k in self.loads.items()})
        inner.add(YieldOp(*self._yields(inner, block.args[len(self.ins) :])))
        inner.drop_unused()
        types = [out.type for out in outs]
        made = GenericOp(self.ins, outs, Region(block), self.maps, self._iterators(), types)
        self.w.add(made)
        found = list(made.results)
        values: list[SSAValue] = []
        for result in self.op.results_given:
            values.append(found[_count(result) - 1])  # of a value and its position the position
            del found[: _count(result)]
        return values

    def _inputs(self) -> None:
        places: dict[tuple[SSAValue, AffineMapAttr], int] = {}
        sizes = dict(zip(self.op.dims, self.op.sizes, strict=True))
        for load in self.op.loads():
            indices = [str(index) for index in load.where.indices]
            fits = [sizes.get(name) for name in indices] == list(shape_of(load.tensor))
            if len(load.operands) > 1 or load.where.guards or not fits or len(set(indices)) < len(indices):
                continue
            key = (load.tensor, self._map(load.where.indices))
            if key not in places:
                places[key] = len(self.ins)
                self.ins.append(self.w.values[load.tensor])
                self.maps.append(key[1])
            self.loads[load.res] = places[key]

    def _inits(self, result: Result, out: SSAValue) -> list[SSAValue]:
        """What the results start from."""
        if result.is_write:
            return [self._empty(shape_of(out), signless(scalar_of(out)))]
        element = self._element(result, out)
        starts = [(REDUCTIONS[result.kind].identity(element), element)]
        if _count(result) == 2:
            starts.append((LAST, I64))
        return [self._filled(value, e, shape_of(out)) for value, e in starts]

    def _element(self, result: Result, out: SSAValue) -> Attribute:
        """The weld type of the values that are combined."""
        yielded = self.op.yielded()[self.op.results_given.index(result)]
        return scalar_of(yielded[0]) if _count(result) == 2 else scalar_of(out)

    def _filled(self, value: object, element: Attribute, shape: Sequence[Expr]) -> SSAValue:
        start = self.w.add(arith.ConstantOp(number(value, element)))
        empty = self._empty(shape, signless(element))
        return self.w.add(FillOp([start], [empty], [empty.type]))

    def _empty(self, shape: Sequence[Expr], element: Attribute) -> SSAValue:
        sizes = [self.w.size(size) for size in shape if size.value is None]
        static = [DYNAMIC_INDEX if size.value is None else size.value for size in shape]
        return self.w.add(tensor.EmptyOp(sizes, TensorType(element, static)))

    def _cover(self) -> None:
        """Every dim must be that of an operand: upstream, the operands' sizes are the domain's."""
        used = {str(index) for result in self.op.results_given for index in result.indices}
        for load, _ in self.loads.items():
            assert isinstance(load.owner, Load)
            used |= {str(index) for index in load.owner.where.indices}
        if not set(self.op.dims) <= used:
            self.ins.append(self._empty(self.op.sizes, BOOL))
            self.maps.append(AffineMapAttr(AffineMap.identity(len(self.op.dims))))

    def _map(self, indices: Sequence[Expr]) -> AffineMapAttr:
        dims = list(self.op.dims)
        found: list[AffineExpr] = []
        for index in indices:
            name = str(index)
            found.append(AffineDimExpr(dims.index(name)) if name in dims else AffineConstantExpr(int(index.value or 0)))
        return AffineMapAttr(AffineMap(len(dims), 0, tuple(found)))

    def _iterators(self) -> list[Attribute]:
        reduced = {dim for result in self.op.results_given for dim in self.op.reduced_dims(result)}
        kinds = [IteratorType.REDUCTION if dim in reduced else IteratorType.PARALLEL for dim in self.op.dims]
        return [IteratorTypeAttr(kind) for kind in kinds]

    def _yields(self, w: Writer, accumulated: Sequence[SSAValue]) -> list[SSAValue]:
        rest = list(accumulated)
        found: list[SSAValue] = []
        for result, values in zip(self.op.results_given, self.op.yielded(), strict=True):
            before = [rest.pop(0) for _ in range(_count(result))]
            if result.is_write:
                found.append(w.values[values[0]])
            else:
                found += _combined(w, result, values, before)
        return found


def _count(result: Result) -> int:
    """How many tensors hold a result while it is made."""
    return result.values


def _combined(w: Writer, result: Result, values: Sequence[SSAValue], before: Sequence[SSAValue]) -> list[SSAValue]:
    """What combining gives: in weld's ops first, which say what NaN does."""
    block = Block(arg_types=[v.type for v in values] * 2)
    half = len(values)
    old, new = block.args[:half], block.args[half:]
    b = ScalarBuilder(block)
    if half == 1:
        combined = [b.build(REDUCTIONS[result.kind].combine, old[0], new[0])]
    else:
        beats = b.gt(new[0], old[0]) if result.kind == "argmax" else b.lt(new[0], old[0])
        nan, was_nan = b.is_nan(new[0]), b.is_nan(old[0])
        same = b.or_(b.eq(new[0], old[0]), b.and_(nan, was_nan))
        first = b.and_(same, b.lt(new[1], old[1]))
        takes = b.or_(b.or_(b.and_(beats, b.not_(was_nan)), b.and_(nan, b.not_(was_nan))), first)
        combined = [b.select(takes, n, o) for n, o in zip(new, old, strict=True)]
    inner = w.nested(w.block)
    for argument, value in zip(block.args, [*before, *(w.values[v] for v in values)], strict=True):
        inner.values[argument] = value
    for op in block.ops:
        inner.translate(op)
    return [inner.values[value] for value in combined]


class _Loops:
    """A generic that scatters: a nest of `scf.for` that hands the tensors on."""

    def __init__(self, w: Writer, op: Generic) -> None:
        if not all(result.is_scatter for result in op.results_given):
            raise PassFailedException("a generic that scatters and reduces has no linalg form; convert before fusion")
        self.w = w
        self.op = op

    def write(self) -> list[SSAValue]:
        return self._nest(self.w, 0, [self.w.values[init] for init in self.op.inits])

    def _nest(self, w: Writer, depth: int, carried: list[SSAValue]) -> list[SSAValue]:
        if depth == len(self.op.dims):
            _Body(w, self.op).write({})
            return [self._update(w, k, value) for k, value in enumerate(carried)]
        zero, one, end = w.constant(0), w.constant(1), w.size(self.op.sizes[depth])
        block = Block(arg_types=[zero.type, *(value.type for value in carried)])
        inner = w.nested(block)
        inner.names[self.op.dims[depth]] = block.args[0]
        inner.add(scf.YieldOp(*self._nest(inner, depth + 1, list(block.args[1:]))))
        loop = scf.ForOp(zero, end, one, carried, Region(block))
        w.add(loop)
        return list(loop.results)

    def _update(self, w: Writer, k: int, target: SSAValue) -> SSAValue:
        """The tensor with one element set or combined, where the guard holds."""
        result = self.op.results_given[k]
        value, guard, *indices = self.op.yielded()[k]
        for n, index in enumerate(indices):
            w.names[f"i{n}"] = w.as_index(w.values[index])
        then, otherwise = Block(), Block()
        inner = w.nested(then)
        at = [inner.size(index) for index in result.indices]
        new = inner.values[value]
        kind = result.kind.removeprefix("scatter_")
        if kind != "set":
            new = self._accumulated(inner, kind, value, inner.add(tensor.ExtractOp(target, at, new.type)))
        inner.add(scf.YieldOp(inner.add(tensor.InsertOp(new, target, at))))
        w.nested(otherwise).add(scf.YieldOp(target))
        return w.add(scf.IfOp(w.values[guard], [target.type], Region(then), Region(otherwise)))

    def _accumulated(self, w: Writer, kind: str, value: SSAValue, old: SSAValue) -> SSAValue:
        block = Block(arg_types=[value.type, value.type])
        b = ScalarBuilder(block)
        combined = getattr(b, kind)(*block.args)
        w.values.update(zip(block.args, (old, w.values[value]), strict=True))
        for op in block.ops:
            w.translate(op)
        return w.values[combined]
