"""Columns that are read a few cache lines at a time: what later steps read of them is asked for ahead of time."""

from __future__ import annotations

from math import prod

from ...dialects.weld.generic import Load
from ...dialects.weld.types import byte_width, bytes_of, scalar_of
from .memory import KernelMemory
from .schedule import Member, offset_of
from .values import AHEAD

FOLLOWED = 15
"""Streams of consecutive lines that processors see, and fetch ahead, by themselves."""
PAGE = 4096
"""Bytes within which lines that are read one after the other are one stream."""
CACHE = 1 << 20
"""A second-level cache: it has much of a tensor up to twice as large, and of more streams it would lose what it was
asked for."""


def prefetch_columns(plan: Member, outer: int, vector: str, memory: KernelMemory) -> None:
    """Choose the loads that move along memory with the outer dim across the lanes, and from one page to another with
    all inner dims, where these are many. Of members that read the same tensor the first does it for all."""
    inner = plan.order[outer:]
    sizes = [memory.expected_size(plan.sizes[dim]) for dim in inner]
    streams = prod(size or 0 for size in sizes)
    if not FOLLOWED < streams <= CACHE // (2 * AHEAD):
        return
    for load in plan.op.loads():
        if _is_first(load, plan, memory) and _steps_pages(load, plan, inner, vector, memory):
            plan.prefetched.add(load)


def _is_first(load: Load, plan: Member, memory: KernelMemory) -> bool:
    """Whether no other member has read the tensor before, and it is expected to come from beyond that cache."""
    size = memory.expected_size(bytes_of(load.tensor)) if load.tensor in memory.tensors else None
    readers = (op for op in memory.looped if any(other.tensor is load.tensor for other in op.loads()))
    return size is not None and size > 2 * CACHE and next(readers) is plan.op


def _steps_pages(load: Load, plan: Member, inner: list[str], vector: str, memory: KernelMemory) -> bool:
    home = memory.homes.get(load) or memory.homes[load.tensor]
    if load.indices or load.where.guards or load.guard is not None or home.place is not None:
        return False
    offset = offset_of(load.where.indices, home.strides).substitute(plan.merged)
    along = offset.coefficient(vector)
    if along is None or along.value != 1:
        return False
    for dim in inner:
        step = offset.coefficient(dim)
        found = memory.expected_size(step) if step is not None else None
        if found is None or abs(found) * byte_width(scalar_of(load.res)) < PAGE:
            return False
    return True
