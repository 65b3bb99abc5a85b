"""Loads of one element under different guards: they share one load."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.ir import SSAValue

from ...dialects.ir import block_of, erase
from ...dialects.weld.attributes import Where
from ...dialects.weld.generic import Generic, Load
from .merge import first_op, guarded, slice_of


def share_elements(loads: Sequence[Load]) -> list[Load]:
    """Let guarded loads of elements that every point loads anyway use those loads; gives the loads that are left.

    %0 = load %p "d0"                        %0 = load %p "d0"
    %1 = load %p "d0 if d0 - 3 >= 0"   ->    %1 = select(inside "d0 - 3 >= 0", %0, 0)

    A scalar that is loaded under several guards is loaded at every point, and so computed once for all of them, unless
    it is computed from elements that other points load too.
    """
    loads = [*loads, *_loads_of_scalars(loads)]
    always = {
        (load.tensor, load.where.indices): load for load in loads if len(load.operands) == 1 and not load.where.guards
    }
    left: list[Load] = []
    for load in loads:
        same = always.get((load.tensor, load.where.indices)) if _is_guarded(load) and not load.indices else None
        if same is None:
            left.append(load)
            continue
        same.detach()
        block_of(load).insert_op_before(same, first_op(load))
        load.res.replace_all_uses_with(guarded(load, same.res, load))
        erase(load)
    return left


def _is_guarded(load: Load) -> bool:
    return bool(load.where.guards) or load.guard is not None


def _loads_of_scalars(loads: Sequence[Load]) -> list[Load]:
    """New loads without guards of the scalars of which there are several loads, each under guards or an i1."""
    places: dict[SSAValue, list[Load]] = {}
    for load in loads:
        if not load.where.indices:
            places.setdefault(load.tensor, []).append(load)
    added: list[Load] = []
    for tensor, same in places.items():
        if len(same) > 1 and all(map(_is_guarded, same)) and not _reads_computed_elements(tensor):
            added.append(Load.of(tensor, Where(())))
            added[-1].location = same[0].location
            block_of(same[0]).insert_op_before(added[-1], first_op(same[0]))
    return added


def _reads_computed_elements(scalar: SSAValue) -> bool:
    """Whether a scalar is computed from an element that a generic writes, which is computed in place as well."""
    producer = scalar.owner
    assert isinstance(producer, Generic)
    sliced = slice_of(producer, producer.yielded_for(scalar))
    read = [op.tensor for op in sliced if isinstance(op, Load) and op.where.indices]
    return any(isinstance(owner := t.owner, Generic) and owner.given(t).is_write for t in read)
