"""`Rebase`: the sum of a chunk of a row, in terms of values of the chunk alone.

What a sum needs of the whole row (its greatest element, its mean) is not known while the row is read. Each chunk takes
a centre of its own instead, and what that changes is made good once the row is read: with the centre `b` for `a`

    x - a        is  (x - b) + t         with t = b - a
    exp(x - a)   is  exp(x - b) * e      with e = exp(b - a)

A summand is expanded into a polynomial in such corrections. Its coefficients are summed over the chunk; the corrections
are constant there. The identities are exact for every centre. They are stable because a difference is centred at the
chunk's own mean or extremum, and an exponential at the chunk's extremum, where it cannot overflow.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from xdsl.ir import Attribute, Operation, SSAValue

from ...dialects.ir import block_of
from ...dialects.weld.arithmetic import Add, Div, Mul, MulAdd, Neg, Ratio, Sub
from ...dialects.weld.base import Builder, Elementwise
from ...dialects.weld.cast import Cast
from ...dialects.weld.constant import Constant
from ...dialects.weld.exponential import Exp, Exp2
from ...dialects.weld.types import BF16, F16, F64, bit_width, dtype_of, is_float, scalar_of

MOST_TERMS = 6
"""Coefficients of one sum: each is an accumulator of its own."""
LARGEST_MULTIPLE = 32
"""Of a value that stands for its multiples: a sum of it is in range where theirs is, and the other way round."""


@dataclass(frozen=True)
class Centre:
    """A chunk's own reduction of the values that are centred: its "max" or "min", or its mean (kind "sum")."""

    total: SSAValue
    """The result that this is one chunk's part of."""
    kind: str
    element: Attribute
    """The type of the values that are centred."""


@dataclass(frozen=True)
class Correction:
    """What one chunk's sums are multiplied by. `kind` says what of: "shift" the difference of centre and `value`,
    "exp" and "exp2" the exponential of that; "factor" and "divisor" the row's `value` itself."""

    kind: str
    value: SSAValue
    """Of the row, in the original body."""
    centre: Centre | None = None
    sign: int = -1
    """-1 for `x - value`, 1 for `x + value`, 0 for `value - x`."""


Term: TypeAlias = tuple[Correction, ...]
Polynomial: TypeAlias = dict[Term, SSAValue | None]
"""The coefficient of each product of corrections; None is 1."""
Factors: TypeAlias = tuple[SSAValue, SSAValue]
Find: TypeAlias = Callable[[SSAValue, SSAValue], Centre | None]
"""The centre for the values of the first one, which the second one (of the row) is subtracted from or added to."""


@dataclass
class Expansion:
    """Expands the values of a body in order; the coefficients are built by `b`.

    A value is `known` in the chunk, or one of the row (`late`), or a polynomial in corrections.
    """

    b: Builder
    find: Find
    base: Callable[[Centre], SSAValue]
    """The centre's value in the chunk."""
    varies: Callable[[SSAValue], bool]
    """Whether an original value changes along the row."""
    known: dict[SSAValue, SSAValue] = field(default_factory=dict[SSAValue, SSAValue])
    late: set[SSAValue] = field(default_factory=set[SSAValue])
    sums: dict[SSAValue, Polynomial] = field(default_factory=dict[SSAValue, Polynomial])
    ranks: dict[Correction, int] = field(default_factory=dict[Correction, int])
    added: list[SSAValue] = field(default_factory=list[SSAValue])
    """Values of the original body that are new in it, to be centred."""
    built: dict[tuple[object, ...], SSAValue] = field(default_factory=dict[tuple[object, ...], SSAValue])
    """Products, multiples and casts of coefficients, each of which is built once."""
    factors: dict[SSAValue, Factors] = field(default_factory=dict[SSAValue, Factors])
    """Of the products."""

    def expand(self, op: Operation) -> bool:
        """Take up one elementwise op that does not only use known values; False where it has no expansion."""
        value = op.results[0]
        if all(v in self.late or (v in self.known and not self.varies(v)) for v in op.operands):
            self.late.add(value)
            return True
        rule = _RULES.get(type(op))
        found = rule(self, op) if rule is not None else None
        if found is None or len(found) > MOST_TERMS:
            return False
        self.sums[value] = found
        return True

    def polynomial(self, value: SSAValue) -> Polynomial:
        """The value as a polynomial."""
        if value in self.known:
            return {(): self.known[value]}
        if value in self.late:
            return {(Correction("factor", value),): None}
        return self.sums[value]

    # ---- rules ---------------------------------------------------------------------
    def difference(self, op: Operation) -> Polynomial | None:
        """`x - a` and `a - x` with a value of the row are centred; other differences are taken term by term."""
        x, y = op.operands
        if x in self.known and y in self.late:
            return self._centred(x, y, -1)
        if x in self.late and y in self.known:
            return self._centred(y, x, 0)
        return self._termwise(op)

    def total(self, op: Operation) -> Polynomial | None:
        x, y = op.operands
        if x in self.known and y in self.late:
            return self._centred(x, y, 1)
        if x in self.late and y in self.known:
            return self._centred(y, x, 1)
        return self._termwise(op)

    def _centred(self, x: SSAValue, a: SSAValue, sign: int) -> Polynomial | None:
        centre = self.find(x, a)
        if centre is None:
            return None
        base, value = self.base(centre), self.known[x]
        rest = self.b.sub(base, value) if sign == 0 else self.b.sub(value, base)
        return {(): rest, (Correction("shift", a, centre, sign),): None}

    def _termwise(self, op: Operation) -> Polynomial | None:
        """Of two polynomials; a value of the row alone is no part of a sum, which could cancel."""
        if any(v in self.late for v in op.operands):
            return None
        left, right = (self.polynomial(v) for v in op.operands)
        return self._sum(op, left, right, Add if isinstance(op, Add) else Sub)

    def _sum(self, op: Operation, left: Polynomial, right: Polynomial, kind: type[Add | Sub]) -> Polynomial:
        found = dict(left)
        for term, value in right.items():
            if term in left:
                found[term] = self._total(kind, left[term], value, op)
            else:
                found[term] = value if kind is Add else self.b.neg(self._number(value, op))
        return found

    def product(self, op: Operation) -> Polynomial | None:
        return self._product(op, self.b.mul)

    def product_and_sum(self, op: Operation) -> Polynomial | None:
        """`x * y + z`; with -0.0 for z the products of the terms stay such products. A value of the row for z is added
        to the product as to any other value."""
        assert isinstance(op, MulAdd)
        x, y, z = op.operands
        if op.is_product:
            return self._product(op, lambda x, y: self.b.mul_add(x, y, self.b.constant(-0.0, x)))
        if z not in self.late:
            return self._sum(op, self._product(op, self.b.mul), self.polynomial(z), Add)
        if x not in self.known or y not in self.known:
            return None
        product = Builder(block_of(op), op, op.location).mul(x, y)
        self.known[product] = self.b.mul(self.known[x], self.known[y])
        self.added.append(product)
        return self._centred(product, z, 1)

    def _product(self, op: Operation, multiply: Callable[[SSAValue, SSAValue], SSAValue]) -> Polynomial:
        left, right = (self.polynomial(v) for v in op.operands[:2])
        if any(_is_power((*a, *b)) for a in left for b in right):
            left, right = self._widened(left), self._widened(right)
        found: Polynomial = {}
        for a, x in left.items():
            for b, y in right.items():
                term = self._ordered((*a, *b))
                value = y if x is None else x if y is None else self._times(x, y, multiply)
                if term in found:
                    value = self._total(Add, found[term], value, op)
                found[term] = value
        return found

    def quotient(self, op: Operation) -> Polynomial | None:
        top, bottom = op.operands
        if bottom in self.late:
            divisor = Correction("divisor", bottom)
            return {self._ordered((*t, divisor)): v for t, v in self.polynomial(top).items()}
        if bottom not in self.known:
            return None
        known = self.known[bottom]
        terms = self.polynomial(top).items()
        return {t: self.b.build(_class_of(op), *self._alike(self._number(v, op), known)) for t, v in terms}

    def negative(self, op: Operation) -> Polynomial | None:
        return {t: self.b.neg(self._number(v, op)) for t, v in self.polynomial(op.operands[0]).items()}

    def exponential(self, op: Operation) -> Polynomial | None:
        """Of a difference that is never positive: its values are centred at their extremum."""
        terms = self.polynomial(op.operands[0])
        shifts = [t for t in terms if t]
        if () not in terms or len(shifts) != 1 or len(shifts[0]) != 1 or terms[shifts[0]] is not None:
            return None
        (shift,) = shifts[0]
        if shift.kind != "shift" or shift.centre is None or shift.centre.kind != ("min" if shift.sign == 0 else "max"):
            return None
        kind = "exp" if isinstance(op, Exp) else "exp2"
        rest = terms[()]
        assert rest is not None
        return {(Correction(kind, shift.value, shift.centre, shift.sign),): self.b.build(_class_of(op), rest)}

    def conversion(self, op: Operation) -> Polynomial | None:
        """To a wider float; a rounding to 16 bits is left out, as it is wherever a sum could do without."""
        source, target = scalar_of(op.operands[0]), scalar_of(op.results[0])
        if not (is_float(source) and is_float(target)):
            return None
        terms = self.polynomial(op.operands[0])
        if target in (F16, BF16):
            return terms
        if bit_width(source) > bit_width(target):
            return None
        wider = bit_width(target)
        return {t: v if v is None or bit_width(v.type) >= wider else self.b.cast(v, target) for t, v in terms.items()}

    def _times(self, x: SSAValue, y: SSAValue, multiply: Callable[[SSAValue, SSAValue], SSAValue]) -> SSAValue:
        """The product of two coefficients: of multiples, a multiple of the product."""
        (x, k), (y, n) = map(multiple, self._alike(x, y))
        product = self._once((frozenset((x, y)),), lambda: multiply(x, y))
        self.factors[product] = x, y
        return self._multiple(product, k * n)

    def _multiple(self, value: SSAValue, factor: float) -> SSAValue:
        if factor == 1:
            return value
        return self._once((value, factor), lambda: self.b.mul(value, self.b.constant(factor, value)))

    def _cast(self, value: SSAValue, element: Attribute) -> SSAValue:
        """In a wider type; of a product, that of its factors, which other coefficients may need too."""
        if scalar_of(value) == element:
            return value
        value, factor = multiple(value)
        if value in self.factors:
            x, y = (self._cast(v, element) for v in self.factors[value])
            return self._multiple(self._times(x, y, self.b.mul), factor)
        return self._multiple(self._once((value, element), lambda: self.b.cast(value, element)), factor)

    def _once(self, key: tuple[object, ...], build: Callable[[], SSAValue]) -> SSAValue:
        if key not in self.built:
            self.built[key] = build()
        return self.built[key]

    def _ordered(self, term: Term) -> Term:
        """Equal products as equal terms."""
        return tuple(sorted(term, key=lambda c: self.ranks.setdefault(c, len(self.ranks))))

    def _widened(self, terms: Polynomial) -> Polynomial:
        return {t: None if v is None else self._cast(v, F64) for t, v in terms.items()}

    def _alike(self, x: SSAValue, y: SSAValue) -> tuple[SSAValue, SSAValue]:
        """Both with the wider one's type."""
        element = max(scalar_of(x), scalar_of(y), key=bit_width)
        return self._cast(x, element), self._cast(y, element)

    def _total(self, kind: type[Add | Sub], x: SSAValue | None, y: SSAValue | None, op: Operation) -> SSAValue:
        first, second = self._alike(self._number(x, op), self._number(y, op))
        (base, k), (other, n) = multiple(first), multiple(second)
        total = k + n if kind is Add else k - n
        return self._multiple(base, total) if base is other and total else self.b.build(kind, first, second)

    def _number(self, value: SSAValue | None, op: Operation) -> SSAValue:
        return self.b.constant(1, op.results[0]) if value is None else value


def multiple(value: SSAValue) -> tuple[SSAValue, float]:
    """A coefficient as a small whole number times another value, whose sum gives its own."""
    op = value.owner
    if isinstance(op, Mul) and isinstance(factor := op.args[1].owner, Constant):
        number = float(factor.number)
        if number.is_integer() and 0 < abs(number) <= LARGEST_MULTIPLE:
            return op.args[0], number
    return value, 1


def _is_power(term: Term) -> bool:
    """Whether the coefficients beside a product of corrections are in float64, whose range has room for them.

    Of a factor's power: `(d * a) ** 2` may be in range where `d ** 2` is not. Of three corrections: their sum may be in
    range where its parts are not.
    """
    scales = [c for c in term if c.kind in ("factor", "divisor")]
    return len(term) > 2 or len(set(scales)) < len(scales)


_RULES: dict[type[Operation], Callable[[Expansion, Operation], Polynomial | None]] = {
    Sub: Expansion.difference,
    Add: Expansion.total,
    Mul: Expansion.product,
    MulAdd: Expansion.product_and_sum,
    Div: Expansion.quotient,
    Ratio: Expansion.quotient,
    Neg: Expansion.negative,
    Exp: Expansion.exponential,
    Exp2: Expansion.exponential,
    Cast: Expansion.conversion,
}


def _class_of(op: Operation) -> type[Elementwise]:
    assert isinstance(op, Elementwise)
    return type(op)


def centred_at(b: Builder, centre: Centre, part: SSAValue, count: Callable[[Attribute], SSAValue]) -> SSAValue:
    """The centre from the chunk's part of the total and its number of elements.

    It is always finite: where the chunk holds nothing but -inf the differences are -inf and not NaN.
    """
    value = b.cast(part, centre.element)
    if centre.kind == "sum":
        value = b.div(value, count(centre.element))
    most = float(np.finfo(dtype_of(centre.element)).max)
    for test, limit in ((b.gt, b.constant(most, value)), (b.lt, b.constant(-most, value))):
        value = b.select(test(value, limit), limit, value)
    return value


def corrected(
    b: Builder,
    terms: Mapping[Term, SSAValue],
    value: Callable[[Correction], SSAValue],
) -> SSAValue:
    """The polynomial at the corrections' values, by Horner's rule, shifts last: then a large correction meets the zero
    of an exponential first, and no product of zero and infinity arises that the expanded sum does not have."""
    symbols = [c for term in terms for c in term]
    if not symbols:
        return terms[()]
    first = next((c for c in symbols if c.kind == "shift"), symbols[0])
    powers: dict[int, dict[Term, Any]] = {}
    for term, number in terms.items():
        rest = tuple(c for c in term if c != first)
        powers.setdefault(len(term) - len(rest), {})[rest] = number
    total: SSAValue | None = None
    for power in range(max(powers), -1, -1):
        if total is not None:
            factor = b.cast(value(first), scalar_of(total))
            total = b.div(total, factor) if first.kind == "divisor" else b.mul(total, factor)
        if power in powers:
            found = corrected(b, powers[power], value)
            total = found if total is None else b.add(total, found)
    assert total is not None
    return total


def value_of(b: Builder, correction: Correction, value: SSAValue, base: SSAValue | None) -> SSAValue:
    """The correction of one chunk from the row's value and the chunk's centre."""
    if base is None:
        return value
    if correction.sign == 0:
        shift = b.sub(value, base)
    else:
        shift = b.add(base, value) if correction.sign == 1 else b.sub(base, value)
    return shift if correction.kind == "shift" else b.exp(shift) if correction.kind == "exp" else b.exp2(shift)
