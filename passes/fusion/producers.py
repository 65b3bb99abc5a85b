"""`fuse-producers` and `absorb-reductions`: written values are computed where they are used."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Block
from xdsl.passes import ModulePass

from ...dialects.expr import Expr
from ...dialects.weld.generic import Generic, Load
from ..remarks import Reason, note
from .graph import functions, has_other_path, is_returned, loads_of, sort_block, users
from .legality import inline_forbidden, same_domain
from .merge import drop_unused_results, inline_load, join, simplify_body
from .profit import CHEAP, bytes_of, full_loads, recompute_cost, streams


@dataclass(frozen=True)
class FuseProducers(ModulePass):
    """Inline written values into the generics that load and write them on; the ones still needed are further results.

    %a = generic { exp(load %x) }         %a, %b = generic over "n" gives "write d0", "write d0" {
    %b = generic { neg(load %a) }   ->      %0 = exp(load %x); %1 = neg %0; yield %0, %1 }
    """

    name = "fuse-producers"
    max_streams: int = 24
    """Loops with more tensors than this are not grown."""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in functions(op):
            block = function.body.block
            fuse_block(block, self.max_streams, reductions=False)
            sort_block(block)


@dataclass(frozen=True)
class AbsorbReductions(ModulePass):
    """Compute what is reduced or scattered in the loop that reduces or scatters it.

    %e = generic { exp(load %x) }           %e, %s = generic over "n, m" gives "write d0, d1", "sum d0" {
    %s = generic "sum d0" { load %e }   ->    %0 = exp(load %x); yield %0, %0 }
    """

    name = "absorb-reductions"
    max_streams: int = 24
    """Loops with more tensors than this are not grown."""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in functions(op):
            block = function.body.block
            fuse_block(block, self.max_streams, reductions=True)
            sort_block(block)


def fuse_block(block: Block, max_streams: int, reductions: bool) -> None:
    """Fuse into every generic that does (or does not) reduce or scatter anything."""
    for op in list(block.ops):
        if not isinstance(op, Generic) or op.parent is not block:
            continue
        if reductions == any(not result.is_write for result in op.results_given):
            fuse_into(op, max_streams)


def fuse_into(consumer: Generic, max_streams: int) -> None:
    """Fuse every producer of one generic that may and should be, then theirs."""
    refused: set[tuple[object, str]] = set()
    while True:
        candidates = [
            load
            for load in consumer.loads()
            if isinstance(load.tensor.owner, Generic) and (load.tensor, str(load.where)) not in refused
        ]
        if not candidates:
            return
        load = candidates[-1]
        key = (load.tensor, str(load.where))
        fused = _fuse_load(load, consumer, max_streams)
        if fused is None:
            refused.add(key)
        else:
            consumer = fused


def _fuse_load(load: Load, consumer: Generic, max_streams: int) -> Generic | None:
    """The grown consumer, or None where this load stays a load."""
    producer = load.tensor.owner
    assert isinstance(producer, Generic)
    saved = str(bytes_of(load.tensor) * 2)
    reason = inline_forbidden(load)
    if reason is None and streams(producer) + streams(consumer) - 1 > max_streams:
        reason = Reason.TOO_MANY_STREAMS
    if reason is not None:
        note(producer, consumer, False, reason, saved)
        return None
    shared = same_domain(load, consumer)
    only_user = _dies_with(load, producer, consumer)
    joinable = shared is not None and not only_user and _can_join(producer, consumer, load)
    if not joinable:
        reason = _not_worth_recomputing(load, consumer, shared is not None, only_user)
        if reason is not None:
            note(producer, consumer, False, reason, saved)
            return None
    why = Reason.SHARED_DOMAIN if joinable else Reason.ELEMENTWISE_PRODUCER
    note(producer, consumer, True, why, saved)
    if joinable:
        assert shared is not None
        for each in loads_of(consumer, producer):
            inline_load(each)
        grown = join(producer, consumer, {d: Expr.symbol(n) for d, n in shared.items()})
        return drop_unused_results(grown)
    inline_load(load)
    simplify_body(consumer)
    drop_unused_results(producer)
    return consumer


def _dies_with(load: Load, producer: Generic, consumer: Generic) -> bool:
    """Whether nothing but this consumer uses the producer, and of its results only the loaded one."""
    return users(producer) == {consumer} and not any(o.uses for o in producer.outs if o is not load.tensor)


def _can_join(producer: Generic, consumer: Generic, load: Load) -> bool:
    """Whether producer and consumer can run as one loop that also keeps the producer's results."""
    dims = same_domain(load, consumer)
    for other in loads_of(consumer, producer):
        if inline_forbidden(other) is not None or same_domain(other, consumer) != dims:
            return False
    if any(init.owner is producer for init in consumer.inits):
        return False
    return not has_other_path(producer, consumer)


def _not_worth_recomputing(load: Load, consumer: Generic, same: bool, only_user: bool) -> Reason | None:
    """Why the value is better stored and loaded than computed again, or None."""
    producer = load.tensor.owner
    assert isinstance(producer, Generic)
    again = sum(1 for other in consumer.loads() if other.tensor is load.tensor)
    if not producer.sizes:
        return None  # a scalar: computed once, before the loops
    if same and only_user and again == 1:
        return None
    covers = _repeats(load, consumer)
    if only_user and again == 1 and not covers:
        return None
    if is_returned(load.tensor):
        return Reason.MATERIALIZED_OUTPUT
    if recompute_cost(load) <= CHEAP * (1 + again) // 2 and full_loads(load) <= 2:
        return None
    if only_user and not covers and recompute_cost(load) <= CHEAP * 4:
        return None
    return Reason.RECOMPUTES_EXPENSIVE


def _repeats(load: Load, consumer: Generic) -> bool:
    """Whether the consumer visits an element of the producer more than once: a dim it does not index with."""
    used = {n for e in load.where.indices for n in e.names}
    return any(size.value != 1 and dim not in used for dim, size in zip(consumer.dims, consumer.sizes, strict=True))
