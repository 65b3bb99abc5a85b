"""Slices of joined tensors: a slice that lies in one piece is a slice of the piece."""

from __future__ import annotations

from xdsl.ir import SSAValue

from ..expr import Expr
from ..ranges import is_nonnegative
from .assembly import Concat
from .types import Shape, is_resolved, shape_of
from .views import Slice

ONE = Expr.constant(1)


def fold_slice(op: Slice) -> SSAValue | Slice | None:
    """What the result of a slice always equals: a value that exists, or a new slice of what its operand was joined
    from.

    slice(concat(x, y))   ->   slice(y), where all of it is in y; y, where it is all of y
    """
    if not is_resolved(op.res):
        return None
    source, start = op.args[0], op.start.data
    while (piece := _piece(source, start, op)) is not None:
        source, start = piece
    if source.type == op.res.type and all(step == ONE for step in op.step.data):
        return source
    return Slice.of(source, start, op.size.data, op.step.data) if source is not op.args[0] else None


def _piece(source: SSAValue, start: Shape, op: Slice) -> tuple[SSAValue, Shape] | None:
    """The piece of a concatenation that a slice from `start` lies in, and where it starts there."""
    joined = source.owner
    if not isinstance(joined, Concat) or not all(map(is_resolved, joined.args)):
        return None
    axis = int(joined.axis.value.data)
    if op.step.data[axis] != ONE:
        return None
    first, size = start[axis], op.size.data[axis]
    for piece in joined.args:
        if _not_negative(first) and _not_negative(shape_of(piece)[axis] - first - size):
            return piece, (*start[:axis], first, *start[axis + 1 :])
        first = first - shape_of(piece)[axis]
    return None


def _not_negative(expr: Expr) -> bool:
    """Whether an expression of sizes is at least 0 whatever they are."""
    return expr.atoms == expr.names and is_nonnegative(expr)
