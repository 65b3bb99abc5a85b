"""When fusion would be wrong: each rule returns its reason code, or None where nothing forbids it."""

from __future__ import annotations

from ...dialects.ranges import is_value
from ...dialects.weld.generic import Generic, Load, exprs_of
from ..remarks import Reason
from .computed import is_computable
from .graph import is_returned, loads_of
from .merge import slice_of, substitution


def inline_forbidden(load: Load) -> Reason | None:
    """Why the loaded value cannot be computed at the point of the load."""
    producer = load.tensor.owner
    if not isinstance(producer, Generic):
        return Reason.LIBRARY_CALL
    result = producer.given(load.tensor)
    if result.is_scatter:
        return Reason.SCATTER_RESULT
    if result.is_reduction:
        return Reason.REDUCTION_RESULT
    if load.indices and not _can_move(load, producer):
        return Reason.DATA_DEPENDENT_ACCESS
    return None


def _can_move(load: Load, producer: Generic) -> bool:
    """Whether the producer's value can be computed at indices that are values, under the load's test that they are in
    range, or its promise."""
    dims = substitution(load)
    values = {name for index in dims.values() for name in index.names if is_value(name)}
    return all(
        is_computable(e.substitute(dims), values)
        for op in slice_of(producer, producer.yielded_for(load.tensor))
        for e in (op.where.guards if isinstance(op, Load) else exprs_of(op))
    )


def repeating_forbidden(op: Generic) -> Reason | None:
    """Why the values that a generic writes cannot be computed again at each of their uses."""
    for out in op.outs:
        if not op.given(out).is_write:
            continue
        if is_returned(out):
            return Reason.MATERIALIZED_OUTPUT
        for use in out.uses:
            load = use.operation
            reason = inline_forbidden(load) if isinstance(load, Load) else Reason.LIBRARY_CALL
            if reason is not None:
                return reason
    return None


def join_forbidden(first: Generic, second: Generic) -> Reason | None:
    """Why two generics over one domain cannot become one loop nest because one uses the other's results."""
    for one, other in ((first, second), (second, first)):
        for load in loads_of(other, one):
            return inline_forbidden(load) or Reason.DEPENDENCY_CYCLE
        if any(init.owner is one for init in other.inits):
            return Reason.SCATTER_RESULT
    return None


def same_domain(load: Load, consumer: Generic) -> dict[str, str] | None:
    """The producer's dims as different dims of the consumer that cover its domain; None when they do not."""
    producer = load.tensor.owner
    assert isinstance(producer, Generic)
    if load.where.guards or load.guard is not None:
        return None
    sizes = dict(zip(consumer.dims, consumer.sizes, strict=True))
    mapping = {name: str(expr) for name, expr in substitution(load).items()}
    for name, size in zip(producer.dims, producer.sizes, strict=True):
        target = mapping.get(name)
        if target is None and size.value == 1:
            continue
        if target not in sizes or sizes[target] != size:
            return None
    if sorted(mapping.values()) != sorted(consumer.dims) or len(mapping) != len(producer.dims):
        return None
    return mapping
