"""Affine maps as integer expressions over the loop dims, and the range of such an expression."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from xdsl.ir.affine import (
    AffineBinaryOpExpr,
    AffineBinaryOpKind,
    AffineConstantExpr,
    AffineDimExpr,
    AffineExpr,
    AffineMap,
    AffineSymExpr,
)

from ...dialects.expr import Expr
from ...dialects.weld.types import Shape

_OPERATORS: dict[AffineBinaryOpKind, Callable[[Expr, Expr], Expr]] = {
    AffineBinaryOpKind.Add: lambda a, b: a + b,
    AffineBinaryOpKind.Mul: lambda a, b: a * b,
    AffineBinaryOpKind.Mod: lambda a, b: a % b,
    AffineBinaryOpKind.FloorDiv: lambda a, b: a // b,
    AffineBinaryOpKind.CeilDiv: lambda a, b: -((-a) // b),
}


def map_indices(affine_map: AffineMap, dims: Sequence[Expr], symbols: Sequence[Expr] = ()) -> tuple[Expr, ...]:
    """The results of the map for the given values of its dims and symbols."""
    return tuple(_expr(result, dims, symbols) for result in affine_map.results)


def _expr(expr: AffineExpr, dims: Sequence[Expr], symbols: Sequence[Expr]) -> Expr:
    match expr:
        case AffineConstantExpr(value=value):
            return Expr.constant(value)
        case AffineDimExpr(position=position):
            return dims[position]
        case AffineSymExpr(position=position):
            return symbols[position]
        case AffineBinaryOpExpr():
            return _OPERATORS[expr.kind](_expr(expr.lhs, dims, symbols), _expr(expr.rhs, dims, symbols))
        case _:
            raise AssertionError(f"affine expression {expr}")


def bounds(index: Expr, dims: Sequence[Expr], sizes: Shape) -> tuple[Expr, Expr] | None:
    """The least and the greatest value of `index` where each dim runs over its size; None where it is not linear
    with constant coefficients in the dims."""
    least = greatest = index
    for dim, size in zip(dims, sizes, strict=True):
        coefficient = index.coefficient(str(dim))
        factor = None if coefficient is None else coefficient.value
        if factor is None:
            return None
        low, high = {str(dim): Expr.constant(0)}, {str(dim): size - 1}
        least = least.substitute(low if factor >= 0 else high)
        greatest = greatest.substitute(high if factor >= 0 else low)
    return least, greatest


def guards_for(index: Expr, size: Expr, dims: Sequence[Expr], sizes: Shape) -> tuple[Expr, ...]:
    """The expressions that must not be negative for `index` to be in a dim of `size`, without those that hold
    everywhere.

    Raises ValueError where the index certainly leaves the dim.
    """
    found = bounds(index, dims, sizes)
    if found is None:
        return (index, size - 1 - index)
    needed: list[Expr] = []
    for slack, guard in ((found[0], index), (size - 1 - found[1], size - 1 - index)):
        if slack.value is None:
            needed.append(guard)
        elif slack.value < 0 and all(s.value is not None and s.value > 0 for s in sizes):
            raise ValueError(f"reads {found[0]} to {found[1]} of a dim of size {size}")
    return tuple(needed)
