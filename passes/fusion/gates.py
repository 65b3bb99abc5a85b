"""`defer-gates`: what a 0-d condition lets through is written before the condition is known."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import Block, Operation, SSAValue
from xdsl.passes import ModulePass

from ...dialects.expr import Expr, product_of
from ...dialects.ir import block_of, ops_of
from ...dialects.weld.attributes import Result
from ...dialects.weld.base import Elementwise
from ...dialects.weld.comparison import Select
from ...dialects.weld.generic import Generic, Load, Yield, dim_exprs, exprs_of
from ...dialects.weld.types import BOOL, Shape, shape_of
from ..points import ScalarBuilder
from .graph import functions, is_returned, sort_block, strided_results
from .merge import copy_ops, simplify_body, slice_of


@dataclass(frozen=True)
class DeferGates(ModulePass):
    """Write the values behind a 0-d condition as if it held, and overwrite them where it does not.

    The values then do not wait for the condition: one loop computes both. Only for results that no other loop reads,
    and conditions that a loop over as many points gives. What the gate lets through otherwise may be any value.

    %g = generic over "n" gives "write d0" {        %v = generic over "n" gives "write d0" { exp(load %x) }
      %c = load %all ""                        ->   %g = generic over "n" gives "scatter_set d0" from %v {
      yield select(%c, exp(load %x), 0.0) }           yield 0.0, not(load %all "") }
    """

    name = "defer-gates"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in functions(op):
            behind, deferred = _Behind(), False
            for inner in ops_of(function.body.block):
                if isinstance(inner, Generic):
                    behind.add(inner)
                    deferred |= defer(inner, behind)
            if deferred:
                sort_block(function.body.block)


class _Behind:
    """For each generic the sizes of the domains, its own among them, of the reductions that its results need."""

    def __init__(self) -> None:
        self._sizes: dict[Operation, set[tuple[str, ...]]] = {}

    def add(self, op: Generic) -> None:
        found = {_sizes(op)} if any(r.is_reduction for r in op.results_given) else set[tuple[str, ...]]()
        tensors = [*(load.tensor for load in op.loads()), *op.inits]
        self._sizes[op] = found.union(*(self._sizes.get(t.owner, ()) for t in tensors if isinstance(t.owner, Generic)))

    def waits(self, load: Load, generic: Generic) -> bool:
        """Whether the loaded tensor is known only after a loop over as many points as `generic` has."""
        producer = load.tensor.owner
        return isinstance(producer, Generic) and _sizes(generic) in self._sizes.get(producer, ())


def _sizes(op: Generic) -> tuple[str, ...]:
    return tuple(sorted(str(size) for size in op.sizes if size.value != 1))


@dataclass(frozen=True)
class _Gated:
    """A value that is `otherwise` under the condition `closed`, and `value` else, which waits for nothing."""

    value: SSAValue
    otherwise: SSAValue
    closed: SSAValue | None
    """None for a value that is behind no gate."""


def defer(op: Generic, behind: _Behind) -> bool:
    """Take the gates of a generic out of it, if that is all it waits for; whether there were any."""
    if not any(behind.waits(load, op) for load in op.loads()):
        return False
    gated = _Body(op, behind).gated_results()
    if not gated:
        return False
    end = op.terminator
    groups: dict[tuple[SSAValue | None, Shape], list[SSAValue]] = {}
    for out, gate in gated.items():
        groups.setdefault((gate.closed, op.given(out).indices), []).append(out)
    gates = [_gate(op, outs, [gated[out] for out in outs]) for outs in groups.values()]
    yielded = {out: (gated[out].value,) if out in gated else op.yielded_for(out) for out in op.outs}
    end.operands = [value for values in yielded.values() for value in values]
    simplify_body(op)
    for gate in gates:
        block_of(op).insert_op_after(gate, op)
    return True


def _gate(op: Generic, outs: list[SSAValue], gated: list[_Gated]) -> Generic:
    """The generic that overwrites results of `op`; it takes their place in the program."""
    body, end = Block(), Yield.create()
    body.add_op(end)
    values = tuple(v for gate in gated for v in (gate.otherwise, gate.closed) if v is not None)
    own = {d: Expr.constant(0) for d in op.dims}
    own |= {str(index): Expr.symbol(f"d{k}") for k, index in enumerate(op.given(outs[0]).indices)}
    copies = copy_ops(slice_of(op, values), own, end)
    end.operands = [copies[v] for v in values]
    sizes = shape_of(outs[0])
    result = Result("scatter_set", dim_exprs(len(sizes)))
    gate = Generic.of(sizes, [result] * len(outs), [out.type for out in outs], body, outs)
    gate.location = op.location
    for old, new in zip(outs, gate.outs, strict=True):
        new.name_hint = old.name_hint
        old.replace_uses_with_if(new, lambda use: use.operation is not gate)
    return gate


class _Body:
    """The body of a generic: which of its values move from point to point, and which wait for a reduction."""

    def __init__(self, op: Generic, behind: _Behind):
        self.op = op
        self.moving: set[SSAValue] = set()
        self.waiting: set[SSAValue] = set()
        self.gated: dict[SSAValue, _Gated] = {}
        self.opposite: dict[SSAValue, SSAValue] = {}
        """Conditions and what is true where they are not."""
        dims = set(op.dims)
        for inner in ops_of(op.block):
            if any(dims & e.names for e in exprs_of(inner)) or any(v in self.moving for v in inner.operands):
                self.moving.update(inner.results)
            elif isinstance(inner, Load) and behind.waits(inner, op):
                self.waiting.update(inner.results)
            if any(v in self.waiting for v in inner.operands):
                self.waiting.update(inner.results)

    def gated_results(self) -> dict[SSAValue, _Gated]:
        """The results behind gates; none unless the generic waits for nothing else."""
        op = self.op
        if not self.waiting or any(_is_scattered(load.tensor) for load in op.loads()):
            return {}
        waiting = [out for out in op.outs if any(v in self.waiting for v in op.yielded_for(out))]
        if not all(op.given(out).is_write and _leaves(out) for out in waiting):
            return {}
        values = [op.yielded_for(out)[0] for out in waiting]
        for inner in slice_of(op, tuple(values)):
            self._take_up(inner)
        found: dict[SSAValue, _Gated] = {
            out: self.gated[v] for out, v in zip(waiting, values, strict=True) if v in self.gated
        }
        if len(found) == len(waiting) and all(self._can_close(out, gate) for out, gate in found.items()):
            return found
        simplify_body(op)
        return {}

    def _can_close(self, out: SSAValue, gate: _Gated) -> bool:
        """Whether the gate's own loop can compute its values: those that move need the points of the domain to be the
        elements of the result, in some order of its dims, and nothing as large that would be stored for them alone."""
        op = self.op
        moving = [o for o in slice_of(op, (gate.otherwise,)) if any(set(op.dims) & e.names for e in exprs_of(o))]
        walked = [d for d, size in zip(op.dims, op.sizes, strict=True) if size.value != 1]
        if moving and (op.guards or sorted(str(e) for e in op.given(out).indices if e.terms) != walked):
            return False
        read = [o.tensor for o in moving if isinstance(o, Load) and isinstance(o.tensor.owner, Generic)]
        return all(is_returned(t) or product_of(shape_of(t)) != product_of(op.sizes) for t in read)

    def _take_up(self, op: Operation) -> None:
        """Find an op's value as a gate, from those of its operands; none where it waits for more than conditions."""
        if not isinstance(op, Elementwise) or op.res not in self.waiting:
            return
        b = ScalarBuilder(self.op.block, self.op.terminator, op.location)
        if op.res.type == BOOL and op.res not in self.moving:
            return  # a condition
        if isinstance(op, Select) and self._is_condition(op.operands[0]):
            gate = self._selected(b, op)
        else:
            gate = self._applied(b, op)
        if gate is not None:
            self.gated[op.res] = gate

    def _is_condition(self, value: SSAValue) -> bool:
        return value.type == BOOL and value in self.waiting and value not in self.moving

    def _gate_of(self, b: ScalarBuilder, value: SSAValue) -> _Gated | None:
        if value not in self.waiting:
            return _Gated(value, value, None)
        if self._is_condition(value):
            return _Gated(b.constant(True, value), b.constant(False, value), self._not(b, value))
        return self.gated.get(value)

    def _applied(self, b: ScalarBuilder, op: Elementwise) -> _Gated | None:
        """`f(gate, ...)`: f of what the gates let through, and of what they let through else."""
        parts = [part for v in op.operands if (part := self._gate_of(b, v)) is not None]
        if len(parts) < len(op.operands):
            return None
        closed = list(dict.fromkeys(part.closed for part in parts if part.closed is not None))
        value = b.insert(op.with_operands([part.value for part in parts])).results[0]
        # Where several conditions differ, each operand is what it was.
        otherwise = op.res
        if len(closed) == 1:
            otherwise = b.insert(op.with_operands([part.otherwise for part in parts])).results[0]
        return _Gated(value, otherwise, reduce(b.or_, closed))

    def _selected(self, b: ScalarBuilder, op: Select) -> _Gated | None:
        """The gate itself: what it lets through is what moves; of two such values, or none, that of the usual case."""
        condition, then, otherwise = op.operands
        closed = self._not(b, condition)
        usual = _is_usual(condition)
        if (then in self.moving, usual) < (otherwise in self.moving, not usual):
            then, otherwise, closed = otherwise, then, condition
        if otherwise in self.waiting and (otherwise in self.moving or then not in self.moving):
            return None  # which is not to wait, either
        inner = self._gate_of(b, then)
        if inner is None or inner.closed is None:
            return _Gated(then, otherwise, closed) if inner is not None else None
        return _Gated(inner.value, b.select(closed, otherwise, inner.otherwise), b.or_(closed, inner.closed))

    def _not(self, b: ScalarBuilder, condition: SSAValue) -> SSAValue:
        if condition not in self.opposite:
            self.opposite[condition] = b.not_(condition)
        return self.opposite[condition]


def _is_usual(condition: SSAValue) -> bool:
    """Whether a condition mostly holds: one that a single element decides does not."""
    load = condition.owner
    if not isinstance(load, Load) or not isinstance(producer := load.tensor.owner, Generic):
        return True
    return producer.given(load.tensor).kind != "any"


def _is_scattered(tensor: SSAValue) -> bool:
    return isinstance(tensor.owner, Generic) and tensor.owner.given(tensor).is_scatter


def _leaves(out: SSAValue) -> bool:
    """Whether no other loop reads the result, and its memory is dense."""
    function = out.owner.parent_op() if isinstance(out.owner, Operation) else None
    if isinstance(function, FuncOp) and out in strided_results(function):
        return False
    return not any(isinstance(use.operation, Load | Generic) for use in out.uses)
