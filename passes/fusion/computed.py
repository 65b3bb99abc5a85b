"""Integer expressions that name values of a body, as arithmetic on these."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import reduce

from xdsl.ir import SSAValue

from ...dialects.expr import Expr, split_quotient
from ...dialects.weld.generic import Index
from ..points import ScalarBuilder


def is_computable(expr: Expr, names: Iterable[str]) -> bool:
    """Whether the names occur in sums and products only: what values they stand for is known at run time, and a
    quotient of values is no cheap index."""
    quotients = [found for atom in expr.atoms if (found := split_quotient(atom)) is not None]
    return not any(name in top.names | bottom.names for _, top, bottom in quotients for name in names)


def computed(b: ScalarBuilder, expr: Expr, values: Mapping[str, SSAValue]) -> SSAValue:
    """The expression's value, an i64, where some of its names are values of the body.

    d0 * i0 + 3   ->   %a = weld.index "d0"; %b = weld.mul %i0, %a; %c = weld.index "3"; weld.add %c, %b
    """
    parts: list[SSAValue] = []
    rest = Expr.constant(0)
    for monomial, factor in expr.terms:
        known = Expr(((tuple(name for name in monomial if name not in values), factor),))
        named = [values[name] for name in monomial if name in values]
        if not named:
            rest = rest + known
            continue
        if known.value != 1:
            named.append(b.insert(Index.of(known)).results[0])
        parts.append(reduce(b.mul, named))
    if rest.terms:
        parts.insert(0, b.insert(Index.of(rest)).results[0])
    return reduce(b.add, parts) if parts else b.insert(Index.of(rest)).results[0]


def holds(b: ScalarBuilder, guards: Iterable[Expr], values: Mapping[str, SSAValue]) -> SSAValue:
    """Whether none of the expressions is negative."""
    found = [computed(b, guard, values) for guard in guards]
    return reduce(b.and_, [b.ge(value, b.constant(0, value)) for value in found])
