"""Integer expressions of sizes as LLVM text."""

from __future__ import annotations

from ...dialects.expr import Expr, split_quotient
from .types import vector_text
from .writer import FunctionText


def expr_text(w: FunctionText, expr: Expr, values: dict[str, str], lanes: int = 1) -> str:
    """An expression of 64-bit integers, from the texts of its symbols: numbers, or registers of so many lanes."""
    kind = vector_text("i64", lanes)
    known = {name: int(text) for name in expr.names if (text := values[name]).lstrip("-").isdigit()}
    if lanes == 1 and len(known) == len(expr.names):
        return str(expr.evaluate(known.__getitem__))

    def number(value: int) -> str:
        return str(value) if lanes == 1 else f"splat (i64 {value})"

    total: str | None = None
    for monomial, factor in expr.terms:
        product: str | None = None
        for atom in monomial:
            quotient = split_quotient(atom)
            text = values[atom] if quotient is None else _quotient(w, quotient, values, lanes)
            product = text if product is None else w.emit(f"mul {kind} {product}, {text}")
        if product is None:
            product = number(factor)
        elif factor != 1:
            product = w.emit(f"mul {kind} {product}, {number(factor)}")
        total = product if total is None else w.emit(f"add {kind} {total}, {product}")
    return number(0) if total is None else total


def _quotient(w: FunctionText, quotient: tuple[str, Expr, Expr], values: dict[str, str], lanes: int) -> str:
    """Division or remainder rounding towards -inf."""
    operator, top, bottom = quotient
    kind = vector_text("i64", lanes)
    a = expr_text(w, top, values, lanes)
    divisor = bottom.value
    if divisor is not None and divisor > 0 and divisor & (divisor - 1) == 0:
        word, number = ("ashr", divisor.bit_length() - 1) if operator == "floordiv" else ("and", divisor - 1)
        text = str(number) if lanes == 1 else f"splat (i64 {number})"
        return w.emit(f"{word} {kind} {a}, {text}")
    b = expr_text(w, bottom, values, lanes)
    zero, one = ("0", "1") if lanes == 1 else ("zeroinitializer", "splat (i64 1)")
    mask = vector_text("i1", lanes)
    if divisor is None:
        # A size may be 0. The loop that needs the quotient makes no trip then, but this may stand before it.
        empty = w.emit(f"icmp eq {kind} {b}, {zero}")
        b = w.emit(f"select {mask} {empty}, {kind} {one}, {kind} {b}")
    if _never_negative(top) and _never_negative(bottom):
        return w.emit(f"{'udiv' if operator == 'floordiv' else 'urem'} {kind} {a}, {b}")
    rest = w.emit(f"srem {kind} {a}, {b}")
    nonzero = w.emit(f"icmp ne {kind} {rest}, {zero}")
    mixed = w.emit(f"xor {kind} {rest}, {b}")
    opposite = w.emit(f"icmp slt {kind} {mixed}, {zero}")
    adjust = w.emit(f"and {mask} {nonzero}, {opposite}")
    if operator == "mod":
        moved = w.emit(f"add {kind} {rest}, {b}")
        return w.emit(f"select {mask} {adjust}, {kind} {moved}, {kind} {rest}")
    whole = w.emit(f"sdiv {kind} {a}, {b}")
    lower = w.emit(f"sub {kind} {whole}, {one}")
    return w.emit(f"select {mask} {adjust}, {kind} {lower}, {kind} {whole}")


def _never_negative(expr: Expr) -> bool:
    """Whether no term is negative: sizes, counters and what is computed for a block are not. Indices that are values
    (`i0`) may be, and so may the ends of dims that a guard bounds (`d1_end2`)."""
    if any(factor < 0 for _, factor in expr.terms) or any(n[0] == "i" or "_" in n for n in expr.names):
        return False
    quotients = [split_quotient(atom) for atom in expr.atoms]
    return all(q is None or (_never_negative(q[1]) and _never_negative(q[2])) for q in quotients)
