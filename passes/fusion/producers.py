"""`fuse-producers` and `absorb-reductions`: written values are computed where they are used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Block, Operation, SSAValue
from xdsl.passes import ModulePass

from ...dialects.expr import Expr, product_of, sum_of
from ...dialects.ir import erase, ops_of
from ...dialects.ranges import ZERO, is_size
from ...dialects.weld.attributes import Access
from ...dialects.weld.base import Elementwise
from ...dialects.weld.generic import Generic, Load
from ...dialects.weld.types import bytes_of, shape_of
from ..remarks import Decision, Reason, describe, record
from .conditions import Given
from .dependencies import Paths
from .graph import functions, is_returned, is_used_elsewhere, loads_of, sort_block
from .legality import inline_forbidden, same_domain
from .merge import drop_unused_results, inline_load, join, simplify_body
from .profit import Choice, is_at_most, is_sparse, is_stream, recompute_cost, streams_of
from .sharing import share_elements


@dataclass(frozen=True)
class FuseProducers(ModulePass):
    """Inline written values into the generics that load and write them on; the ones still needed are further results.

    %a = generic { exp(load %x) }         %a, %b = generic over "n" gives "write d0", "write d0" {
    %b = generic { neg(load %a) }   ->      %0 = exp(load %x); %1 = neg %0; yield %0, %1 }
    """

    name = "fuse-producers"
    max_streams: int = 16
    """Loops with more tensors than this are not grown."""
    bandwidth_ratio: int = 6
    """Instructions that cost as much as storing and loading the value that they compute."""
    choice: str = "profit"
    """Who decides about what is legal, see `Choice`."""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in functions(op):
            block = function.body.block
            if fuse_block(block, self, reductions=False):
                sort_block(block)


@dataclass(frozen=True)
class AbsorbReductions(ModulePass):
    """Compute what is reduced or scattered in the loop that reduces or scatters it.

    %e = generic { exp(load %x) }           %e, %s = generic over "n, m" gives "write d0, d1", "sum d0" {
    %s = generic "sum d0" { load %e }   ->    %0 = exp(load %x); yield %0, %0 }
    """

    name = "absorb-reductions"
    max_streams: int = 16
    """Loops with more tensors than this are not grown."""
    bandwidth_ratio: int = 6
    """Instructions that cost as much as storing and loading the value that they compute."""
    choice: str = "profit"
    """Who decides about what is legal, see `Choice`."""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in functions(op):
            block = function.body.block
            if fuse_block(block, self, reductions=True):
                sort_block(block)


Budget = FuseProducers | AbsorbReductions


def fuse_block(block: Block, budget: Budget, reductions: bool) -> bool:
    """Fuse into every generic that does (or does not) reduce or scatter anything; whether anything was fused.

    Where nothing is reduced the last one comes first: then a producer has not grown yet when it is taken into its
    consumer, and a chain of n ops takes n steps.
    """
    places = {op: k for k, op in enumerate(ops_of(block))}
    choice, paths = Choice(budget.choice), Paths(block)
    ops = [op for op in places if isinstance(op, Generic)]
    grown: list[Generic] = []
    for op in ops if reductions else reversed(ops):
        if op.parent is not block or op.is_gate:  # with other results it would be none
            continue
        reduces = any(not result.is_write for result in op.results_given)
        if reduces == reductions and _Growth(op, places, paths, budget, choice).run():
            grown.append(op)
    for op in grown:
        if op.parent is block:
            simplify_body(op)
    return bool(grown)


class _Growth:
    """One generic into which producers are fused, those last in the function first."""

    def __init__(self, consumer: Generic, places: dict[Operation, int], paths: Paths, budget: Budget, choice: Choice):
        self.consumer = consumer
        self.name = describe(consumer)
        self.places = places
        self.paths = paths
        self.max_streams, self.cheap = budget.max_streams, budget.bandwidth_ratio
        self.choice = choice
        self.waiting: set[Generic] = set()
        """The producers to consider."""
        self.loads: dict[tuple[SSAValue, Access], Load] = {}
        """The loads that depend on no value of the body, by what they read: each place is loaded once."""
        self.tensors: set[SSAValue] = set()
        """Every tensor with dims that the body loads."""
        self.refused: dict[SSAValue, Decision] = {}
        self._take_up(consumer.loads())

    def run(self) -> bool:
        """Whether anything was fused."""
        grown = False
        while self.waiting:
            producer = max(self.waiting, key=self.places.__getitem__)
            self.waiting.remove(producer)
            grown |= self._fuse(producer)
        if grown:
            self.name = describe(self.consumer)
        for decision in self.refused.values():
            record(replace(decision, consumer=self.name))
        return grown

    def _take_up(self, ops: Sequence[Operation]) -> None:
        """Note the loads among new ops at the front of the body; an equal load behind them moves to the front."""
        for load in reversed(ops):
            if not isinstance(load, Load):
                continue
            if is_stream(load.tensor):
                self.tensors.add(load.tensor)
            if isinstance(load.tensor.owner, Generic):
                self.waiting.add(load.tensor.owner)
            if len(load.operands) == 1:
                known = self.loads.setdefault((load.tensor, load.access), load)
                if known is not load:
                    known.detach()
                    self.consumer.block.insert_op_before(known, load)
                    load.res.replace_all_uses_with(known.res)
                    erase(load)

    def _fuse(self, producer: Generic) -> bool:
        """Fuse one producer where that is right and worth it; whether anything was."""
        found = loads_of(self.consumer, producer)
        places = {load: (load.tensor, load.access) for load in found if len(load.operands) == 1}
        loads = share_elements(found)
        for load in places.keys() - set(loads):
            self.loads.pop(places[load], None)
        self.loads.update(((load.tensor, load.access), load) for load in loads if load not in found)
        dims = self._one_loop(producer, loads)
        if dims is not None and self.choice(self._too_many(producer, loads)) is None:
            self._join(producer, loads, dims)
            return True
        refusals = [self._inline(load, loads) for load in loads]
        if all(refusals):
            return False
        drop_unused_results(producer)
        return True

    def _one_loop(self, producer: Generic, loads: Sequence[Load]) -> dict[str, str] | None:
        """The producer's dims as the consumer's, when the two can run as one loop; else None."""
        if any(inline_forbidden(load) for load in loads) or any(init.owner is producer for init in self.consumer.inits):
            return None
        if _is_counted(producer):
            return None
        dims = same_domain(loads[0], self.consumer)
        if dims is None or any(same_domain(load, self.consumer) != dims for load in loads[1:]):
            return None
        return None if self.paths.has_other(producer, self.consumer) else dims

    def _too_many(self, producer: Generic, loads: Sequence[Load]) -> Reason | None:
        """The reason against making the two one where the loop would have too many streams."""
        own = set[Operation](loads)
        kept = [out for out in producer.outs if any(use.operation not in own for use in out.uses)]
        loaded = {load.tensor for load in producer.loads() if is_stream(load.tensor)}
        written = sum(map(streams_of, [*kept, *self.consumer.outs]))
        count = len(self.tensors.union(loaded).difference(producer.outs)) + written
        return Reason.TOO_MANY_STREAMS if count > self.max_streams else None

    def _join(self, producer: Generic, loads: Sequence[Load], dims: dict[str, str]) -> None:
        stays = is_used_elsewhere(producer, self.consumer)
        for tensor in dict.fromkeys(load.tensor for load in loads):
            record(self._verdict(tensor, Reason.SHARED_DOMAIN if stays else Reason.ELEMENTWISE_PRODUCER, True))
        for out in producer.outs:
            self.refused.pop(out, None)
        for load in loads:
            self.loads.pop((load.tensor, load.access), None)
        self.tensors.difference_update(producer.outs)
        moved = producer.loads()
        self.places[self.consumer] = max(self.places[producer], self.places[self.consumer])
        self.paths.join(producer, self.consumer)
        join(producer, self.consumer, {d: Expr.symbol(n) for d, n in dims.items()})
        self._take_up(moved)

    def _inline(self, load: Load, loads: Sequence[Load]) -> Reason | None:
        """Compute one loaded value in place, or say why not."""
        tensor = load.tensor
        producer = tensor.owner
        assert isinstance(producer, Generic)
        reason = inline_forbidden(load) or self.choice(
            self._not_worth_recomputing(load, producer, loads) or self._too_many(producer, loads)
        )
        if reason is not None:
            self.refused[tensor] = self._verdict(tensor, reason, False)
            return reason
        record(self._verdict(tensor, Reason.ELEMENTWISE_PRODUCER, True))
        if len(load.operands) == 1:
            del self.loads[tensor, load.access]
        self._take_up(inline_load(load))
        if not any(other.tensor is tensor for other in loads_of(self.consumer, producer)):
            self.tensors.discard(tensor)
        return None

    def _not_worth_recomputing(self, load: Load, producer: Generic, loads: Sequence[Load]) -> Reason | None:
        """Why the value is better stored and loaded than computed again, or None."""
        if not producer.sizes:
            return None  # a scalar: computed once, before the loops
        groups = _apart([other for other in loads if other.tensor is load.tensor])
        again = len(groups)
        dies = not is_used_elsewhere(producer, self.consumer) and not any(
            o.uses for o in producer.outs if o is not load.tensor
        )
        if load.indices and not is_sparse(load, self.consumer, again):
            cost, _ = recompute_cost(load, self.cheap)
            return Reason.DATA_DEPENDENT_ACCESS if is_returned(load.tensor) or cost * again > self.cheap else None
        once = dies and (bool(load.indices) or not _repeats(load, self.consumer))
        once = once and not any(_read_again(group, self.consumer) for group in groups)
        if once and again == 1:
            return None
        if is_returned(load.tensor):
            return Reason.MATERIALIZED_OUTPUT
        little, most = self.cheap * (1 + again) // 2, self.cheap * 4
        cost, large = recompute_cost(load, max(little, most) if once else little)
        if (cost <= little and large <= 2) or (once and cost <= most):
            return None
        return Reason.RECOMPUTES_EXPENSIVE

    def _verdict(self, tensor: SSAValue, reason: Reason, fused: bool) -> Decision:
        assert isinstance(tensor.owner, Operation)
        saved = str(bytes_of(tensor) * 2)
        return Decision(describe(tensor.owner), self.name, fused, reason, saved, self.consumer.location)


def _is_counted(producer: Generic) -> bool:
    """Whether the results follow from the indices alone, at no cost, and are only loaded: every consumer computes them
    itself, and no loop has to write them."""
    if any(isinstance(op, Load | Elementwise) for op in ops_of(producer.block)):
        return False
    return all(isinstance(use.operation, Load) for out in producer.outs for use in out.uses)


def _repeats(load: Load, consumer: Generic) -> bool:
    """Whether the consumer visits an element of the producer more than once: a dim it does not index with, of which
    the load's guards let more than one index through."""
    used = {n for e in load.where.indices for n in e.names}
    pairs = zip(consumer.dims, consumer.sizes, strict=True)
    return any(dim not in used and _reach(dim, size, load).value not in (0, 1) for dim, size in pairs)


def _read_again(loads: Sequence[Load], consumer: Generic) -> bool:
    """Whether loads, no two of which read at one point, may read in all twice as many elements as the tensor has."""
    if len(loads) == 1 or any(load.indices for load in loads):
        return False
    pairs = list(zip(consumer.dims, consumer.sizes, strict=True))
    read = sum_of(product_of(_reach(dim, size, load) for dim, size in pairs) for load in loads)
    return not is_at_most(read + 1, product_of(shape_of(loads[0].tensor)) * 2)


def _reach(dim: str, size: Expr, load: Load) -> Expr:
    """How many indices of a dim the guards of a load let through at most."""
    index = Expr.symbol(dim)
    first = [index - g for g in load.where.guards]
    end = [index + g + 1 for g in load.where.guards]
    least = size
    for low in [ZERO, *(e for e in first if dim not in e.names)]:
        for high in [size, *(e for e in end if dim not in e.names)]:
            count = high - low
            if all(map(is_size, count.names)) and is_at_most(count, least):
                least = count
    return ZERO if is_at_most(least, ZERO) else least


def _apart(loads: Sequence[Load]) -> list[list[Load]]:
    """The loads in groups of which one point needs one load each: guards that cannot hold together make stretches of
    the loop."""
    alone = [[load] for load in loads if not load.where.guards]
    groups: list[dict[Load, Given]] = []
    for load in loads:
        if not (guards := load.where.guards):
            continue
        for group in groups:
            if all(any(other.holds(guard) is False for guard in guards) for other in group.values()):
                group[load] = Given(guards)
                break
        else:
            groups.append({load: Given(guards)})
    return [*alone, *map(list, groups)]
