"""What fusion costs and saves, in vector instructions an element and bytes."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import prod

from xdsl.ir import SSAValue

from ...dialects.expr import Expr, product_of
from ...dialects.ranges import is_nonnegative
from ...dialects.weld.attributes import Where
from ...dialects.weld.base import Elementwise
from ...dialects.weld.generic import Generic, Load
from ...dialects.weld.types import byte_width, scalar_of, shape_of
from ..remarks import Reason
from .graph import is_returned
from .legality import inline_forbidden
from .merge import slice_of

NEIGHBOURS = 4
"""How many loops or kernels that read one tensor are tried with each further one: to try all takes quadratic time."""

PAGE = 4096
"""Bytes of memory that the processor finds and fetches as one."""

LONG = 16
"""What a size is at least, mostly, where it is not known."""


@dataclass
class Choice:
    """Whether a fusion that is legal is done: `choice(reason)` is the reason for not doing it, or None.

    `rule` is "profit" (as what it costs and saves says), "legal" (always), "never", or "random 7" (as a coin falls
    that is thrown with seed 7). Results are the same under each, up to the order of sums.
    """

    rule: str = "profit"
    coin: random.Random | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        kind, _, seed = self.rule.partition(" ")
        if kind == "random":
            self.coin = random.Random(int(seed))
        elif self.rule not in ("profit", "legal", "never"):
            raise ValueError(
                f'unknown rule of fusion {self.rule!r}; known are "profit", "legal", "never", "random SEED"'
            )

    def neighbours(self, readers: Sequence[Generic], k: int) -> Sequence[Generic]:
        """The earlier readers of a tensor that the k-th one is tried with, where it pays only the nearest ones."""
        return readers[max(k - NEIGHBOURS, 0) if self.rule == "profit" else 0 : k]

    def not_tried(self, readers: Sequence[Generic], k: int) -> Generic | None:
        """The nearest earlier reader that the k-th one is not tried with."""
        return readers[k - NEIGHBOURS - 1] if self.rule == "profit" and k > NEIGHBOURS else None

    def __call__(self, reason: Reason | None) -> Reason | None:
        """The answer where `reason` is what speaks against the fusion, None if it pays."""
        if self.rule == "profit":
            return reason
        fuses = self.rule == "legal" if self.coin is None else self.coin.random() < 0.7
        return None if fuses else Reason.TARGET_NEVER_FUSES


def recompute_cost(load: Load, limit: int) -> tuple[int, int]:
    """What computing the loaded value again at the load costs, and how many tensors as large as the loaded one that
    reads. What it is computed from is not stored either, as far as that could be fused in turn. What stays the same
    along the consumer's innermost dim costs nothing: it is computed once before that loop.

    The count of instructions stops soon after `limit`.
    """
    size, consumer = product_of(shape_of(load.tensor)), load.parent_op()
    assert isinstance(consumer, Generic)
    total = 0
    large: set[SSAValue] = set()
    slices: dict[tuple[SSAValue, frozenset[str]], tuple[int, list[tuple[Load, tuple[Where, ...]]]]] = {}
    seen: set[tuple[SSAValue, tuple[Where, ...]]] = set()
    todo: list[tuple[Load, tuple[Where, ...], frozenset[str]]] = [(load, (), consumer.innermost)]
    while todo and total <= limit:
        place, path, dims = todo.pop()
        tensor = place.tensor
        if (tensor, path) in seen:
            continue
        seen.add((tensor, path))
        stored = place.indices or inline_forbidden(place) is not None or is_returned(tensor)
        if place is not load and stored:
            total += 1
            large |= {tensor} if product_of(shape_of(tensor)) == size else set()
            continue
        producer = tensor.owner
        assert isinstance(producer, Generic)
        along = _moves_along(place, producer, dims) or (frozenset(producer.dims) if place is load else frozenset[str]())
        if (tensor, along) not in slices:
            slices[tensor, along] = _cost_and_loads(producer, tensor, along)
        cost, loads = slices[tensor, along]
        total += cost
        todo += [(inner, (*path, *moved), along) for inner, moved in loads]
    return total, len(large)


def _cost_and_loads(
    producer: Generic, tensor: SSAValue, along: frozenset[str]
) -> tuple[int, list[tuple[Load, tuple[Where, ...]]]]:
    """Instructions that a written element takes in its loop, of what moves along these dims, and the loads there: each
    with where it reads, unless that is at the point itself."""
    moving, point = producer.moving(along), ", ".join(producer.dims)
    ops = [op for op in slice_of(producer, producer.yielded_for(tensor)) if op.results[0] in moving]
    loads = [(op, () if str(op.where) == point else (op.where,)) for op in ops if isinstance(op, Load)]
    return sum(op.cost for op in ops if isinstance(op, Elementwise)), loads


def _moves_along(load: Load, producer: Generic, dims: frozenset[str]) -> frozenset[str]:
    """The dims of a producer along which its loaded element moves with some of the consumer's."""
    pairs = zip(producer.given(load.tensor).indices, load.where.indices, strict=True)
    return frozenset(name for own, place in pairs if dims & place.names for name in own.names)


MOST_COST = 100
"""Instructions an element that take no longer than storing a value in memory and loading it."""


def not_worth_repeating(op: Generic, out: SSAValue) -> Reason | None:
    """Why a written value is better stored and loaded than computed again at each of its uses, or None."""
    for use in out.uses:
        user = use.operation.parent_op()
        if isinstance(user, Generic) and product_of(user.sizes) != product_of(op.sizes):
            return Reason.RECOMPUTES_EXPENSIVE
    return Reason.RECOMPUTES_EXPENSIVE if write_cost(op, out) > MOST_COST else None


def write_cost(op: Generic, out: SSAValue) -> int:
    """Instructions that computing an element of a written value takes."""
    return sum(inner.cost for inner in slice_of(op, op.yielded_for(out)) if isinstance(inner, Elementwise))


def is_sparse(load: Load, consumer: Generic, times: int) -> bool:
    """Whether so many gathers in each point of the consumer need no more elements than the tensor has, where every
    size that is a symbol is at least `LONG`."""
    return is_at_most(product_of(consumer.sizes) * times, product_of(shape_of(load.tensor)))


def is_at_most(count: Expr, other: Expr) -> bool:
    """Whether a count of elements does not exceed another one, where every size that is a symbol is at least `LONG`."""
    rest = other - count
    return is_nonnegative(rest.substitute({name: Expr.symbol(name) + LONG for name in rest.names}))


def streams(generics: Iterable[Generic], loaded: Iterable[SSAValue]) -> int:
    """How many streams the loops, which load these tensors, have when they run as one."""
    written = {out for generic in generics for out in generic.outs if is_stream(out)}
    read = set(filter(is_stream, loaded))
    return len(read - written) + sum(map(streams_of, written))


def streams_of(written: SSAValue) -> int:
    """How many streams a result counts for: two where it is written element by element, since its memory comes into the
    caches and leaves them again; one for a reduction, which mostly has one element for many steps."""
    assert isinstance(written.owner, Generic)
    if not is_stream(written):
        return 0
    return 2 if written.owner.given(written).is_write else 1


def is_stream(value: SSAValue) -> bool:
    """Whether a loop walks through memory with the tensor: a single number stays in a register, and what is known to
    fit a page stays in the first cache."""
    sizes = [size.value for size in shape_of(value)]
    if not sizes:
        return False
    known = [size for size in sizes if size is not None]
    return len(known) < len(sizes) or prod(known) * byte_width(scalar_of(value)) > PAGE
