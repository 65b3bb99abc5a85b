"""Symbolic integers: the sizes of dynamic dims and the indices of accesses.

An `Expr` is a polynomial with integer coefficients over atoms in a canonical form, so that two
expressions that are equal as polynomials are equal as Python values. An atom is a name (`n`, `d0`)
or an opaque quotient or remainder (`floordiv`, `mod`) of two expressions.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, TypeAlias

Atom: TypeAlias = str
Monomial: TypeAlias = tuple[Atom, ...]
"""Sorted factors; the empty tuple is the constant term."""


@dataclass(frozen=True)
class Expr:
    """A canonical polynomial: sorted (monomial, non-zero coefficient) pairs."""

    terms: tuple[tuple[Monomial, int], ...]

    @staticmethod
    @lru_cache(maxsize=4096)
    def constant(value: int) -> Expr:
        return Expr((((), int(value)),) if value else ())

    @staticmethod
    @lru_cache(maxsize=4096)
    def symbol(name: str) -> Expr:
        return Expr((((name,), 1),))

    @staticmethod
    def of(value: Expr | int) -> Expr:
        return value if isinstance(value, Expr) else Expr.constant(value)

    @cached_property
    def value(self) -> int | None:
        """The integer that this expression is, or None when it holds a symbol."""
        if not self.terms:
            return 0
        if len(self.terms) == 1 and self.terms[0][0] == ():
            return self.terms[0][1]
        return None

    def __add__(self, other: Expr | int) -> Expr:
        other = Expr.of(other)
        if not other.terms:
            return self
        if not self.terms:
            return other
        return _from_dict(_accumulate(dict(self.terms), other.terms, 1))

    def __sub__(self, other: Expr | int) -> Expr:
        return _from_dict(_accumulate(dict(self.terms), Expr.of(other).terms, -1))

    def __mul__(self, other: Expr | int) -> Expr:
        other = Expr.of(other)
        product: dict[Monomial, int] = {}
        for left, a in self.terms:
            for right, b in other.terms:
                key = tuple(sorted(left + right))
                product[key] = product.get(key, 0) + a * b
        return _from_dict(product)

    def __neg__(self) -> Expr:
        return self * -1

    __radd__ = __add__
    __rmul__ = __mul__

    def __rsub__(self, other: int) -> Expr:
        return Expr.of(other) - self

    def __floordiv__(self, other: Expr | int) -> Expr:
        return _divide(self, Expr.of(other), "floordiv")

    def __mod__(self, other: Expr | int) -> Expr:
        return _divide(self, Expr.of(other), "mod")

    @cached_property
    def atoms(self) -> frozenset[Atom]:
        return _atoms(self)

    @cached_property
    def names(self) -> frozenset[str]:
        """Every plain name in the expression, also inside quotients."""
        return _names(self)

    def coefficient(self, name: str) -> Expr | None:
        """`c` of `self = c * name + rest` with `name` in neither; None when it is not linear in `name`."""
        found: dict[Monomial, int] = {}
        for monomial, factor in self.terms:
            count = monomial.count(name)
            if count > 1 or any(name in _atom_names(a) for a in monomial if a != name):
                return None
            if count == 1:
                rest = list(monomial)
                rest.remove(name)
                found[tuple(rest)] = factor
        return _from_dict(found)

    def substitute(self, values: Mapping[str, Expr]) -> Expr:
        """Replace names by expressions everywhere, also inside quotients."""
        if self.names.isdisjoint(values):
            return self
        total = Expr.constant(0)
        for monomial, factor in self.terms:
            product = Expr.constant(factor)
            for atom in monomial:
                product = product * _substitute_atom(atom, values)
            total = total + product
        return total

    def evaluate(self, values: Callable[[str], int]) -> int:
        """The integer value with `values(name)` for every name."""
        total = 0
        for monomial, factor in self.terms:
            for atom in monomial:
                quotient = split_quotient(atom)
                if quotient is None:
                    factor = factor * values(atom)  # not in place: values may be arrays
                    continue
                operator, a, b = quotient
                top, bottom = a.evaluate(values), b.evaluate(values)
                factor = factor * (top // bottom if operator == "floordiv" else top % bottom)
            total = total + factor
        return total

    @cached_property
    def text(self) -> str:
        return _text(self)

    def __str__(self) -> str:
        return self.text

    def __reduce__(self) -> tuple[Callable[..., Expr], tuple[Any]]:
        """By its text where it holds quotients, which another process does not know."""
        if any(atom[0] == "(" for atom in self.atoms):
            return parse_expr, (str(self),)
        return Expr, (self.terms,)


def sum_of(parts: Iterable[Expr]) -> Expr:
    total = Expr.constant(0)
    for part in parts:
        total = total + part
    return total


def product_of(parts: Iterable[Expr]) -> Expr:
    total = Expr.constant(1)
    for part in parts:
        total = total * part
    return total


def exact_quotient(top: Expr, bottom: Expr) -> Expr | None:
    """`q` with `q * bottom == top` as polynomials; None where there is none."""
    if not bottom.terms:
        return None
    lead, factor = max(bottom.terms, key=_degree)
    quotient, rest = Expr.constant(0), top
    while rest.terms:
        monomial, count = max(rest.terms, key=_degree)
        left = _exact(Expr(((monomial, 1),)), lead)
        if left is None or count % factor:
            return None
        step = left * (count // factor)
        quotient, rest = quotient + step, rest - step * bottom
    return quotient


def is_remainder(expr: Expr, most: int) -> bool:
    """Whether the expression is `a mod b` with a number b of at most `most`."""
    if len(expr.terms) != 1 or expr.terms[0][1] != 1 or len(expr.terms[0][0]) != 1:
        return False
    quotient = split_quotient(expr.terms[0][0][0])
    if quotient is None or quotient[0] != "mod":
        return False
    divisor = quotient[2].value
    return divisor is not None and 0 < divisor <= most


def _degree(term: tuple[Monomial, int]) -> tuple[int, Monomial]:
    return len(term[0]), term[0]


@lru_cache(maxsize=4096)
def parse_expr(text: str) -> Expr:
    """Read `n * m + 3`, `(d0 + 1) floordiv 4`, `d1 mod n`; raises ValueError with the offending text."""
    source = text.replace("floordiv", "//").replace("mod", "%")
    try:
        return _from_ast(ast.parse(source.strip(), mode="eval").body)
    except (SyntaxError, KeyError) as error:
        raise ValueError(f"not an integer expression: {text!r}") from error


_OPERATORS: dict[type[ast.operator], Callable[[Expr, Expr], Expr]] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.FloorDiv: lambda a, b: a // b,
    ast.Mod: lambda a, b: a % b,
}


def _from_ast(node: ast.expr) -> Expr:
    match node:
        case ast.Constant(value=int(value)):
            return Expr.constant(value)
        case ast.Name(id=name):
            return Expr.symbol(name)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_from_ast(operand)
        case ast.BinOp(left=left, op=operator, right=right):
            return _OPERATORS[type(operator)](_from_ast(left), _from_ast(right))
        case _:
            raise KeyError(type(node))


def split_quotient(atom: Atom) -> tuple[str, Expr, Expr] | None:
    """The operator and the two sides of a quotient atom; None for a plain name."""
    if atom[0] != "(":
        return None
    return _QUOTIENTS[atom]


_QUOTIENTS: dict[Atom, tuple[str, Expr, Expr]] = {}
"""Interned quotients by their text; the text is canonical, so this is a cache and not state."""


def _divide(top: Expr, bottom: Expr, operator: str) -> Expr:
    divisor = bottom.value
    if divisor == 0:
        raise ZeroDivisionError(f"{top} {operator} 0")
    if top.value is not None and divisor is not None:
        return Expr.constant(top.value // divisor if operator == "floordiv" else top.value % divisor)
    if divisor == 1:
        return top if operator == "floordiv" else Expr.constant(0)
    if divisor is not None and divisor > 0:
        # (c*a + r) floordiv c == a + r floordiv c holds for every integer a and r.
        whole = _from_dict({m: k // divisor for m, k in top.terms if k % divisor == 0})
        rest = _from_dict({m: k for m, k in top.terms if k % divisor != 0})
        if whole.terms:
            inner = _divide(rest, bottom, operator)
            return whole + inner if operator == "floordiv" else inner
    if top.terms and len(bottom.terms) == 1 and bottom.terms[0][1] == 1 and bottom.value is None:
        quotient = _exact(top, bottom.terms[0][0])
        if quotient is not None:
            return quotient if operator == "floordiv" else Expr.constant(0)
    atom = f"(({top}) {operator} ({bottom}))"
    _QUOTIENTS[atom] = (operator, top, bottom)
    return Expr((((atom,), 1),))


def _exact(top: Expr, divisor: Monomial) -> Expr | None:
    """`top / divisor` when every term holds the divisor's factors (sizes are positive)."""
    result: dict[Monomial, int] = {}
    for monomial, factor in top.terms:
        rest = list(monomial)
        for atom in divisor:
            if atom not in rest:
                return None
            rest.remove(atom)
        result[tuple(rest)] = factor
    return _from_dict(result)


def _accumulate(into: dict[Monomial, int], terms: Iterable[tuple[Monomial, int]], sign: int) -> dict[Monomial, int]:
    for monomial, factor in terms:
        into[monomial] = into.get(monomial, 0) + sign * factor
    return into


def _from_dict(terms: Mapping[Monomial, int]) -> Expr:
    return Expr(tuple(sorted([term for term in terms.items() if term[1]])))


@lru_cache(maxsize=65536)
def _atoms(expr: Expr) -> frozenset[Atom]:
    return frozenset(atom for monomial, _ in expr.terms for atom in monomial)


@lru_cache(maxsize=65536)
def _names(expr: Expr) -> frozenset[str]:
    return frozenset(name for atom in expr.atoms for name in _atom_names(atom))


def _atom_names(atom: Atom) -> frozenset[str]:
    quotient = split_quotient(atom)
    if quotient is None:
        return frozenset((atom,))
    return quotient[1].names | quotient[2].names


def _substitute_atom(atom: Atom, values: Mapping[str, Expr]) -> Expr:
    quotient = split_quotient(atom)
    if quotient is None:
        return values.get(atom, Expr.symbol(atom))
    operator, top, bottom = quotient
    return _divide(top.substitute(values), bottom.substitute(values), operator)


@lru_cache(maxsize=65536)
def _text(expr: Expr) -> str:
    if not expr.terms:
        return "0"
    pieces: list[str] = []
    ordered = [t for t in expr.terms if t[0]] + [t for t in expr.terms if not t[0]]
    for monomial, factor in ordered:
        body = " * ".join(monomial)
        size = abs(factor)
        piece = str(size) if not body else body if size == 1 else f"{size} * {body}"
        if pieces:
            pieces.append(f"{'-' if factor < 0 else '+'} {piece}")
        else:
            pieces.append(f"-{piece}" if factor < 0 else piece)
    return " ".join(pieces)
