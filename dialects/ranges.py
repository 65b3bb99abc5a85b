"""Quotients and remainders of indices whose range is known: `(6 * d1 + d2) floordiv 6` is `d1` where d2 is below 6."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .expr import Expr, exact_quotient, split_quotient

ZERO = Expr.constant(0)


def is_value(name: str) -> bool:
    """Whether a name in an index stands for a value that the load takes: `i0, i1, ...`."""
    return name[0] == "i" and name[1:].isdigit()


def is_size(name: str) -> bool:
    """Whether a name in an index is neither a loop dim `d0, d1, ...` nor a value `i0, i1, ...`."""
    return not (name[0] in "di" and name[1:].isdigit())


def divides_an_index(exprs: Sequence[Expr]) -> bool:
    """Whether one of the expressions holds a quotient of `d0, d1, ...` or `i0, i1, ...`, not only of sizes."""
    quotients = [split_quotient(atom) for e in exprs for atom in e.atoms]
    names = {n for q in quotients if q is not None for side in q[1:] for n in side.names}
    return not all(map(is_size, names))


def within(expr: Expr, extents: Mapping[str, Expr]) -> Expr:
    """The same integer wherever 0 <= name < extent for every name, without the quotients that this decides.

    All other names but `i0, i1, ...` are sizes: integers of at least 0.
    """
    if all(split_quotient(atom) is None for atom in expr.atoms):
        return expr
    total = ZERO
    for monomial, factor in expr.terms:
        product = Expr.constant(factor)
        for atom in monomial:
            product = product * _decided(atom, extents)
        total = total + product
    return _recombined(total)


def _decided(atom: str, extents: Mapping[str, Expr]) -> Expr:
    parts = split_quotient(atom)
    if parts is None:
        return Expr.symbol(atom)
    operator, top, bottom = parts[0], within(parts[1], extents), within(parts[2], extents)
    found = divide_within(top, bottom, extents)
    if found is not None:
        return found[0] if operator == "floordiv" else found[1]
    return top // bottom if operator == "floordiv" else top % bottom


def divide_within(top: Expr, bottom: Expr, extents: Mapping[str, Expr]) -> tuple[Expr, Expr] | None:
    """`top floordiv bottom` and `top mod bottom` without any quotient; None where the ranges do not decide them."""
    if not bottom.terms or any(map(is_value, top.names)):
        return None
    quotient, low, least, most = ZERO, ZERO, ZERO, ZERO
    rest = top
    for name in sorted(top.names & extents.keys()):
        step = top.coefficient(name)
        if step is None or step.names & extents.keys():
            return None
        part = step * Expr.symbol(name)
        rest = rest - part
        whole = exact_quotient(step, bottom)
        if whole is not None:
            quotient = quotient + whole * Expr.symbol(name)
            continue
        low, reach = low + part, step * (extents[name] - 1)
        if not (is_nonnegative(step) or is_nonnegative(-step)):
            return None
        least, most = (least, most + reach) if is_nonnegative(step) else (least + reach, most)
    for monomial, factor in rest.terms:
        part = Expr(((monomial, factor),))
        whole = exact_quotient(part, bottom)
        if whole is None and part.value is not None and bottom.value is not None:
            whole = Expr.constant(part.value // bottom.value)
        if whole is not None:
            quotient, part = quotient + whole, part - whole * bottom
        low, least, most = low + part, least + part, most + part
    if not is_nonnegative(least):
        quotient, low, least, most = quotient - 1, low + bottom, least + bottom, most + bottom
    return (quotient, low) if is_nonnegative(least) and is_nonnegative(bottom - 1 - most) else None


def is_below(expr: Expr, size: Expr, extents: Mapping[str, Expr]) -> bool:
    """Whether it is known that 0 <= expr < size wherever 0 <= name < extent for every name."""
    found = divide_within(expr, size, extents)
    return found is not None and found[0] == ZERO


def is_nonnegative(expr: Expr) -> bool:
    """Whether no term can make the expression negative."""
    return all(factor >= 0 for _, factor in expr.terms)


def _recombined(expr: Expr) -> Expr:
    """`c * (e floordiv c) + e mod c` is `e`."""
    terms = dict(expr.terms)
    for monomial, factor in expr.terms:
        for atom in monomial:
            parts = split_quotient(atom)
            if parts is None or parts[0] != "mod":
                continue
            rest = list(monomial)
            rest.remove(atom)
            scale = Expr(((tuple(rest), factor),))
            other = scale * parts[2] * (parts[1] // parts[2])
            if all(terms.get(m) == f for m, f in other.terms):
                removed = Expr(((monomial, factor),)) + other
                return _recombined(expr - removed + scale * parts[1])
    return expr
