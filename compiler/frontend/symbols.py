"""The size symbols of one trace: what is known about them, and what the program has made of them.

A dim of an argument that specialisation leaves open is a symbol. A symbol stays open as long as the program
works for every size that it can stand for (in traces of NumPy functions those above `TINY`). It is solved when the
program needs its number (it is pinned to the example's size) or needs it to be equal to another size (it is unified
with it). Solving rewrites the types built so far, so the types in the block always hold the current form.
"""

# NumPy's arguments may be anything, so what isinstance tells about them is partial.
# pyright: reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Sequence

from xdsl.ir import Attribute, Block, SSAValue

from ...dialects.expr import Expr, split_quotient
from ...dialects.weld.attributes import Dims
from ...dialects.weld.types import scalar_of, shape_of, tensor_type

TINY = 16
"""Dims up to this size are always static, so a symbol stands for at least TINY + 1."""

Shape = tuple[Expr, ...]


class Symbols:
    """Symbols, their example sizes, and the solved ones. Each stands for at least `least`."""

    def __init__(self, block: Block, least: int = TINY + 1):
        self.blocks = [block]
        """What is written in these symbols: the function's block, and those of the steps of its recurrences."""
        self.least = least
        self.examples: dict[str, int] = {}
        self.solved: dict[str, Expr] = {}

    def new(self, example: int) -> Expr:
        name = f"s{len(self.examples)}"
        self.examples[name] = example
        return Expr.symbol(name)

    def canonical(self, expr: Expr) -> Expr:
        """The expression in terms of the symbols that are still open."""
        return expr.substitute(self.solved) if self.solved else expr

    def example(self, expr: Expr) -> int:
        """Its value for the example arguments."""
        return expr.evaluate(self.examples.__getitem__)

    def pin(self, expr: Expr) -> int:
        """The number that the expression is for the example; from now on it is that number."""
        expr = self.canonical(expr)
        for name in sorted(expr.names):
            self._solve(name, Expr.constant(self.examples[name]))
        number = self.canonical(expr).value
        assert number is not None
        return number

    def unify(self, a: Expr, b: Expr) -> Expr | None:
        """Make two sizes equal; None where they differ for the example arguments."""
        a, b = self.canonical(a), self.canonical(b)
        if a == b:
            return a
        if self.example(a) != self.example(b):
            return None
        if a.value is not None or b.value is not None or not self._solve_difference(a - b):
            self.pin(a)
            self.pin(b)
        return self.canonical(a)

    def _solve_difference(self, difference: Expr) -> bool:
        """Solve `difference = 0` for the youngest symbol that it allows."""
        for name in sorted(difference.names, key=lambda n: -int(n[1:])):
            factor = difference.coefficient(name)
            if factor is not None and factor.value in (1, -1):
                rest = difference - Expr.symbol(name) * factor
                self._solve(name, rest * -factor)
                return True
        return False

    def _solve(self, name: str, value: Expr) -> None:
        known = {name: value}
        self.solved = {k: e.substitute(known) for k, e in self.solved.items()}
        self.solved[name] = value
        for block in self.blocks:
            _substitute(block, known)

    # What holds for every size that a symbol can stand for.

    def nonnegative(self, expr: Expr) -> bool:
        """Whether the expression is proven to be >= 0."""
        return _nonnegative(self.canonical(expr), self.least)

    def positive(self, expr: Expr) -> bool:
        return self.nonnegative(expr - 1)


def _substitute(block: Block, known: dict[str, Expr]) -> None:
    for argument in block.args:
        _retype(argument, known)
    for op in block.ops:
        for result in op.results:
            _retype(result, known)
        for key, attribute in op.properties.items():
            if isinstance(attribute, Dims):
                op.properties[key] = Dims(tuple(e.substitute(known) for e in attribute.data))


def _retype(value: SSAValue, known: dict[str, Expr]) -> None:
    shape = shape_of(value)
    if any(e.value is None for e in shape):
        kind: Attribute = tensor_type(scalar_of(value), tuple(e.substitute(known) for e in shape))
        value._type = kind  # pyright: ignore[reportPrivateUsage]


def _nonnegative(expr: Expr, least: int) -> bool:
    value = expr.value
    if value is not None:
        return value >= 0
    for monomial, factor in expr.terms:
        quotient = split_quotient(monomial[0]) if len(monomial) == 1 else None
        if factor < 0 and quotient is not None and quotient[0] == "floordiv":
            divisor = quotient[2].value
            if divisor is None or divisor <= 0:
                return False
            rest = expr - Expr(((monomial, factor),))  # top floordiv c <= top / c
            return _nonnegative(rest * divisor + quotient[1] * factor, least)
    total = 0
    shifted = expr.substitute({n: Expr.symbol(n) + least for n in expr.names})
    for monomial, factor in shifted.terms:
        if not monomial:
            total += factor
        elif len(monomial) == 1 and _is_remainder(monomial[0]) is not None and factor < 0:
            total += factor * (_is_remainder(monomial[0]) - 1)  # pyright: ignore[reportOptionalOperand]
        elif factor < 0 or not all(_atom_nonnegative(a, least) for a in monomial):
            return False
    return total >= 0


def _is_remainder(atom: str) -> int | None:
    """`c` of an atom `... mod c` with a positive constant."""
    quotient = split_quotient(atom)
    if quotient is None or quotient[0] != "mod":
        return None
    value = quotient[2].value
    return value if value is not None and value > 0 else None


def _atom_nonnegative(atom: str, least: int) -> bool:
    quotient = split_quotient(atom)
    if quotient is None:
        return True
    operator, top, bottom = quotient
    if not _nonnegative(bottom - 1, least):
        return False
    return operator == "mod" or _nonnegative(top, least)


def sizes_text(shape: Sequence[Expr]) -> str:
    return "(" + ",".join(str(e) for e in shape) + ("," if len(shape) == 1 else "") + ")"
