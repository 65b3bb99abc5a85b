"""Bodies of generics while sizes may still change: accesses are composed with views only at the end."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects.builtin import LocationAttr
from xdsl.dialects.func import FuncOp
from xdsl.ir import Block, SSAValue
from xdsl.rewriter import Rewriter

from ...dialects.ir import erase
from ...dialects.weld import Check, Constant, Load
from ...dialects.weld.attributes import Where
from ...dialects.weld.constant import splat_of
from ...dialects.weld.generic import dim_exprs
from ...dialects.weld.types import scalar_of
from ..points import PointBuilder, compute_element, look_through


class BodyBuilder(PointBuilder):
    """A point builder that loads each tensor as it is."""

    def __init__(self, block: Block, rank: int, location: LocationAttr | None):
        super().__init__(block, dim_exprs(rank), location)

    def load(
        self,
        tensor: SSAValue,
        where: Where,
        indices: Sequence[SSAValue] = (),
        guard: SSAValue | None = None,
    ) -> SSAValue:
        number = splat_of(tensor)
        if number is not None and guard is None and not where.guards:
            return self.b.constant(number, compute_element(scalar_of(tensor)))
        value = self.b.insert(Load.of(tensor, where, indices, guard)).results[0]
        return self.b.cast(value, compute_element(scalar_of(value)))


def compose_views(function: FuncOp) -> None:
    """Let the loads in bodies read what views are made of. Needs the final sizes."""
    loads = [op for op in function.walk() if isinstance(op, Load)]
    for load in loads:
        tensor, where = look_through(load.tensor, load.where)
        number = splat_of(tensor)
        if number is not None and load.guard is None and not where.guards:
            Rewriter.replace_op(load, Constant.splat(number, load.res.type))
        elif tensor is not load.tensor:
            Rewriter.replace_op(load, Load.of(tensor, where, load.indices, load.guard))


def erase_unused(block: Block) -> None:
    """Take out the ops whose results nobody uses, and what only they used."""
    for op in reversed(list(block.ops)):
        if op.results and not any(r.uses for r in op.results) and not isinstance(op, Check):
            erase(op)
