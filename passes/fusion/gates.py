"""`defer-gates`: what a 0-d condition lets through is written before the condition is known."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Block, Operation, SSAValue
from xdsl.passes import ModulePass

from ...dialects.ir import block_of
from ...dialects.weld.attributes import Result
from ...dialects.weld.base import Elementwise
from ...dialects.weld.comparison import Select
from ...dialects.weld.generic import Generic, Load, Yield, dim_exprs, exprs_of
from ...dialects.weld.types import Shape, shape_of
from ..points import ScalarBuilder
from .graph import functions, sort_block
from .merge import copy_ops, simplify_body, slice_of


@dataclass(frozen=True)
class DeferGates(ModulePass):
    """Write the values behind a 0-d condition as if it held, and overwrite them with a number where it does not.

    The values then do not wait for the condition: one loop computes both. Only for results that no other loop reads,
    and conditions that a loop over as many points gives.

    %g = generic over "n" gives "write d0" {        %v = generic over "n" gives "write d0" { exp(load %x) }
      %c = load %all ""                        ->   %g = generic over "n" gives "scatter_set d0" from %v {
      yield select(%c, exp(load %x), 0.0) }           yield 0.0, not(load %all "") }
    """

    name = "defer-gates"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in functions(op):
            behind, deferred = _Behind(), False
            for inner in list(function.body.block.ops):
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
    """A value that is `otherwise` under the condition `closed`, and `value` else."""

    value: SSAValue
    otherwise: SSAValue
    closed: SSAValue


def defer(op: Generic, behind: _Behind) -> bool:
    """Take the gates of a generic out of it, if that is all it waits for; whether there were any."""
    if not any(behind.waits(load, op) for load in op.loads()):
        return False
    gated = _Body(op, behind).gated_results()
    if not gated:
        return False
    end = op.terminator
    groups: dict[tuple[SSAValue, Shape], list[SSAValue]] = {}
    for out, gate in gated.items():
        groups.setdefault((gate.closed, shape_of(out)), []).append(out)
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
    values = tuple(v for gate in gated for v in (gate.otherwise, gate.closed))
    copies = copy_ops(slice_of(op, values), {}, end)
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
        self.opposite: dict[SSAValue, SSAValue] = {}
        """Conditions and what is true where they are not."""
        dims = set(op.dims)
        for inner in op.block.ops:
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
        found: dict[SSAValue, _Gated] = {}
        for out in waiting:
            gated = self._gated(op.yielded_for(out)[0])
            if gated is None:
                simplify_body(op)
                return {}
            found[out] = gated
        return found

    def _gated(self, value: SSAValue) -> _Gated | None:
        """The value as a gate; None where it waits for more than its conditions."""
        op = value.owner
        if not isinstance(op, Elementwise):
            return None
        b = ScalarBuilder(self.op.block, self.op.terminator, op.location)
        moving = [k for k, v in enumerate(op.operands) if v in self.moving]
        if isinstance(op, Select) and moving in ([1], [2]) and op.operands[0] in self.waiting:
            condition, inner, otherwise = op.operands[0], op.operands[moving[0]], op.operands[3 - moving[0]]
            closed = self._not(b, condition) if moving == [1] else condition
            if inner not in self.waiting:
                return _Gated(inner, otherwise, closed)
            deeper = self._gated(inner)
            if deeper is None:
                return None
            otherwise = b.select(closed, otherwise, deeper.otherwise)
            return _Gated(deeper.value, otherwise, b.or_(closed, deeper.closed))
        if len(moving) != 1 or any(v in self.waiting for k, v in enumerate(op.operands) if k not in moving):
            return None
        deeper = self._gated(op.operands[moving[0]])
        if deeper is None:
            return None
        applied = [self._applied(b, op, moving[0], v) for v in (deeper.value, deeper.otherwise)]
        return _Gated(applied[0], applied[1], deeper.closed)

    def _not(self, b: ScalarBuilder, condition: SSAValue) -> SSAValue:
        if condition not in self.opposite:
            self.opposite[condition] = b.not_(condition)
        return self.opposite[condition]

    @staticmethod
    def _applied(b: ScalarBuilder, op: Elementwise, place: int, value: SSAValue) -> SSAValue:
        """The op with another operand."""
        operands = [value if k == place else v for k, v in enumerate(op.operands)]
        copy = type(op).create(operands=operands, result_types=[op.res.type], properties=op.properties)
        return b.insert(copy).results[0]


def _is_scattered(tensor: SSAValue) -> bool:
    return isinstance(tensor.owner, Generic) and tensor.owner.given(tensor).is_scatter


def _leaves(out: SSAValue) -> bool:
    """Whether no other loop reads the result."""
    return not any(isinstance(use.operation, Load | Generic) for use in out.uses)
