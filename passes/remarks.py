"""Fusion decisions: what was fused or not, why, and what it saves."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from enum import Enum

from xdsl.dialects.builtin import LocationAttr
from xdsl.ir import Operation

from ..dialects.ir import ops_of


class Reason(Enum):
    """Why a pair was fused or not. The value is the code that reports print."""

    ELEMENTWISE_PRODUCER = "elementwise-producer"
    """Fused: the producer's value is computed where it is used."""
    SHARED_DOMAIN = "shared-domain"
    """Fused: producer and consumer run over one domain; the value is computed once and kept."""
    SHARED_INPUT = "shared-input"
    """Fused: independent loops that read the same tensor or index, as one loop or in one kernel."""
    ROW_RESULT = "row-result"
    """Fused: the consumer needs the producer's result only within one iteration of the outer loops."""
    SMALL_PROLOGUE = "small-prologue"
    """Fused: a small computation that the kernel's loops need runs right before them."""
    SMALL_EPILOGUE = "small-epilogue"
    """Fused: a small computation on the results of the kernel's loops runs right after them."""
    ONLINE_REDUCTION = "online-reduction"
    """Fused: both reduce a long row chunk by chunk; what needs all of the row is made good afterwards."""
    SELECTED_UPDATE = "selected-update"
    """Fused: each row has at most one update, which is chosen where the row is computed."""
    REDUCTION_RESULT = "reduction-result"
    """Not in one sweep: the producer's result is complete only after its loop."""
    SCATTER_RESULT = "scatter-result"
    """Not fused: the producer's result is complete only after all its updates."""
    DATA_DEPENDENT_ACCESS = "data-dependent-access"
    """Not fused: the consumer reads the producer at indices known only at run time."""
    RECOMPUTES_EXPENSIVE = "recomputes-expensive"
    """Not fused: it would compute an expensive value more than once."""
    MATERIALIZED_OUTPUT = "materialized-output"
    """Not recomputed: the value is a result of the program and is read back."""
    DEPENDENCY_CYCLE = "dependency-cycle"
    """Not fused: another op stands between the two."""
    NO_SHARED_OUTER_DIM = "no-shared-outer-dim"
    """Not fused: the consumer needs the whole of the producer's result before its first element."""
    ROW_TOO_LARGE = "row-too-large"
    """Not fused: what one outer iteration must keep exceeds the cache."""
    LONG_STEPS = "long-steps"
    """Not fused: the loops would go through memory in long steps, for the sake of single values."""
    STORES_ROWS = "stores-rows"
    """Not fused: a result as large as the rows would be stored for what runs after the loops."""
    LIBRARY_CALL = "library-call"
    """Not fused: one of the two is a library call."""
    TARGET_NEVER_FUSES = "target-never-fuses"
    """Not fused: the target runs each op by itself."""
    TOO_MANY_READERS = "too-many-readers"
    """Not tried: the two read one tensor, and so do several between them."""
    TOO_MANY_STREAMS = "too-many-streams"
    """Not fused: the loop would read and write more tensors than the target can stream."""


@dataclass(frozen=True)
class Decision:
    """One verdict about a producer and a consumer (or two siblings)."""

    producer: str
    consumer: str
    fused: bool
    reason: Reason
    saved: str
    """Bytes saved, or at stake, as a symbolic expression."""
    location: LocationAttr


_current: ContextVar[list[Decision] | None] = ContextVar("decisions", default=None)


@contextmanager
def collect() -> Generator[list[Decision], None, None]:
    """Gather the decisions that passes take inside the block."""
    decisions: list[Decision] = []
    token = _current.set(decisions)
    try:
        yield decisions
    finally:
        _current.reset(token)


def note(producer: Operation, consumer: Operation, fused: bool, reason: Reason, saved: str) -> None:
    """Record a decision, if anybody collects them."""
    record(Decision(describe(producer), describe(consumer), fused, reason, saved, consumer.location))


def record(decision: Decision) -> None:
    """Keep a decision, if anybody collects them."""
    decisions = _current.get()
    if decisions is not None:
        decisions.append(decision)


def describe(op: Operation) -> str:
    """A short name for an op: for a generic the names of its elementwise ops and its reductions, for a call of NumPy or
    SciPy the function's."""
    from ..dialects.weld.base import Elementwise
    from ..dialects.weld.generic import Generic
    from ..dialects.weld.library import Library

    if isinstance(op, Library):
        return op.function.data.rpartition(".")[2]
    if not isinstance(op, Generic):
        return op.name.removeprefix("weld.")
    kinds = dict.fromkeys(map(type, ops_of(op.block)))
    found = [kind.name.removeprefix("weld.") for kind in kinds if issubclass(kind, Elementwise)]
    found += [r.kind for r in op.results_given if not r.is_write]
    names = list(dict.fromkeys(found)) or ["copy"]
    return "+".join(names[:6]) + ("+..." if len(names) > 6 else "")
