"""`share-reciprocals`: quotients by what a loop does not change are products, with the last bit put right."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, reduce

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp, StringAttr
from xdsl.ir import Attribute, Block, Operation, SSAValue
from xdsl.passes import ModulePass

from ...dialects.ir import block_of, erase, walk
from ...dialects.loop.ops import For, Splat, lanes_of, vector
from ...dialects.weld.arithmetic import Add, Div, Neg, Ratio
from ...dialects.weld.base import Elementwise
from ...dialects.weld.constant import Constant
from ...dialects.weld.signs import Abs
from ...dialects.weld.types import F32, F64, scalar_of
from ..points import ScalarBuilder

LEAST_STEPS = 4
"""Loops of fewer steps keep their quotients."""
MOST_COST = 40
"""Of a loop that has a second version, which divides."""
EXPONENTS: dict[Attribute, tuple[int, int]] = {F32: (60, 100), F64: (500, 900)}
"""Divisors beyond 2 to the power of the second number, or below its reciprocal, are scaled by the first one, so that
they have a reciprocal with all its bits."""
LARGEST = (2 - 2.0**-23) * 2.0**127
"""The largest float32."""


@dataclass(frozen=True)
class ShareReciprocals(ModulePass):
    """A quotient takes five to ten times as long as a product.

        loop.for ... {                          %r = weld.div %one, %s          (outside)
          %q = weld.div %x, %s                  loop.for ... {
                                         ->       %p = weld.mul %x, %r
                                                  %e = weld.mul_add %p, -%s, %x
                                                  %q = weld.mul_add %e, %r, %p

    In float32 `%e` is what the product lacks, without any rounding, so `%q` is the quotient rounded once (P. Markstein,
    Computation of elementary functions on the IBM RISC System/6000 processor, 1990), unless the numbers are so small
    that `%e` has no room for its bits. Where the product is infinite, so is the result, though `%e` is infinite or NaN:
    the largest number stands in for it, as two comparisons without masks see to. A scaled divisor may still be 0, and
    its reciprocal infinite; so `%p` is taken where `%q` is NaN.

    In float64 `%r` and `%l` are the reciprocal with twice the bits, and `%q` is `mul_add(%x, %r, mul(%x, %l))`: the
    quotient with a relative error below 2^-101, rounded once (N. Brisebarre, J.-M. Muller, S. K. Raina, Accelerating
    correctly rounded floating-point division when the divisor is known in advance, 2004). That is another number than
    the rounded quotient for a few of the 2^52 significands of `%x`, whose quotients are that close to the middle of
    two numbers. Both parts have the sign of `%s`, so that an infinite `%x` gives no NaN.

    A quotient that is needed negated, and else only added, is negated in its last addition, which costs nothing.

    A `weld.ratio` is `%p`. Very large and very small divisors are scaled first, and `%x` with them. A short loop has a
    version that does not scale, and one that divides, for such divisors.
    """

    name = "share-reciprocals"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        known: dict[SSAValue, _Divisor] = {}
        loops: dict[For, list[tuple[Div | Ratio, _Divisor]]] = {}
        for division in [d for d in walk(op) if isinstance(d, Div | Ratio)]:
            if scalar_of(division.res) in EXPONENTS and lanes_of(division.res) > 1 and _is_outside(division):
                divisor = division.operands[1]
                if divisor not in known:
                    known[divisor] = _Divisor(divisor)
                loop = block_of(division).parent_op()
                assert isinstance(loop, For)
                loops.setdefault(loop, []).append((division, known[divisor]))
        for loop, divisions in loops.items():
            divisors = list(dict.fromkeys(divisor for _, divisor in divisions))
            scales = not _is_short(loop, divisors)
            if not scales:
                _divide_otherwise(loop, divisors)
            for division, divisor in divisions:
                (divisor.scaled if scales else divisor.plain).replace(division)
        for divisor in known.values():
            erase(divisor.end)


class _Divisor:
    """What is known of a divisor outside the loop: on the scalar, where all lanes have the same one."""

    def __init__(self, divisor: SSAValue):
        owner = divisor.owner
        source = owner.value if isinstance(owner, Splat) else divisor
        self.lanes = lanes_of(divisor)
        b = _behind(divisor)
        factor, limit = EXPONENTS[scalar_of(divisor)]
        small, large, up, down, self.one = (
            b.constant(2.0**power, source) for power in (-limit, limit, factor, -factor, 0)
        )
        self.size = b.abs(source)
        self.factor = b.select(b.gt(self.size, large), down, b.select(b.lt(self.size, small), up, self.one))
        self.end = b.insert(Constant.splat(0.0, source.type))
        """What is found out later goes before this op; the one behind the divisor may be a division, and go."""
        self.b = ScalarBuilder(block_of(self.end), self.end)

    @property
    def source(self) -> SSAValue:
        """The divisor, which may have been a quotient and have become a product."""
        size = self.size.owner
        assert isinstance(size, Abs)
        return size.operands[0]

    @cached_property
    def plain(self) -> _Reciprocal:
        """For a loop that runs only where the factor is 1: nothing in it waits for the factor."""
        return _Reciprocal(self, self.source, None)

    @cached_property
    def scaled(self) -> _Reciprocal:
        return _Reciprocal(self, self.b.mul(self.source, self.factor), self.factor)


class _Reciprocal:
    """That of a divisor, or of one times a factor."""

    def __init__(self, divisor: _Divisor, source: SSAValue, factor: SSAValue | None):
        self.b = b = divisor.b
        self.one, self.lanes, self.factor = divisor.one, divisor.lanes, factor
        self.element = scalar_of(source)
        self.rounded, self.minus = b.div(self.one, source), b.neg(source)

    def _wide(self, value: SSAValue) -> SSAValue:
        if lanes_of(value) == self.lanes:
            return value
        return self.b.insert(Splat.create(operands=[value], result_types=[vector(self.element, self.lanes)])).results[0]

    @cached_property
    def scale(self) -> SSAValue | None:
        return None if self.factor is None else self._wide(self.factor)

    @cached_property
    def inverse(self) -> SSAValue:
        """Of the divisor, rounded once."""
        return self._wide(self.rounded)

    @cached_property
    def minus_divisor(self) -> SSAValue:
        return self._wide(self.minus)

    @cached_property
    def largest(self) -> SSAValue:
        return self._bound(LARGEST)

    @cached_property
    def least(self) -> SSAValue:
        return self._bound(-LARGEST)

    def _bound(self, number: float) -> SSAValue:
        return self.b.insert(Constant.splat(number, vector(self.element, self.lanes))).results[0]

    @cached_property
    def parts(self) -> tuple[SSAValue, SSAValue]:
        """The inverse as a number of less size and a small one of its sign; both are the inverse where that is 0,
        infinite or NaN."""
        b = self.b
        high = b.mul(self.rounded, b.constant(1 - 2.0**-51, self.one))
        low = b.mul(b.mul_add(high, self.minus, self.one), self.rounded)
        return self._wide(high), self._wide(b.select(b.eq(low, low), low, self.rounded))

    # ---- divisions -----------------------------------------------------------------
    def replace(self, division: Div | Ratio) -> None:
        b = ScalarBuilder(block_of(division), division)
        x, result = division.args[0], division.res
        if self.scale is not None:
            x = b.mul(x, self.scale)
        total = result.get_user_of_unique_use()
        if isinstance(division, Ratio) and isinstance(total, Add):
            (rest,) = (v for v in total.args if v is not result)
            result, b = total.res, ScalarBuilder(block_of(total), total)
            result.replace_all_uses_with(b.mul_add(x, self.inverse, rest))
            erase(total)
        elif _is_negated(division):
            _use_negated(division, self._quotient(b, division, x, b.neg))
        else:
            result.replace_all_uses_with(self._quotient(b, division, x, lambda value: value))
        erase(division)

    def _quotient(
        self, b: ScalarBuilder, division: Div | Ratio, x: SSAValue, sign: Callable[[SSAValue], SSAValue]
    ) -> SSAValue:
        """The quotient, or its negation: with the sign of the terms of its last addition."""
        if isinstance(division, Ratio):
            return b.mul(x, self.inverse)
        if self.element == F64:
            high, low = self.parts
            return b.mul_add(x, sign(high), sign(b.mul(x, low)))
        product = b.mul(x, self.inverse)
        error = b.mul_add(product, self.minus_divisor, x)
        product, inverse = sign(product), sign(self.inverse)
        if self.factor is None:
            error = b.select(b.lt(error, self.largest), error, self.largest)
            error = b.select(b.gt(error, self.least), error, self.least)
            return b.mul_add(error, inverse, product)
        quotient = b.mul_add(error, inverse, product)
        return b.select(b.eq(quotient, quotient), quotient, product)


def _is_negated(division: Div | Ratio) -> bool:
    """Whether the quotient is needed negated, and else only added, for which its negation will do as well."""
    users = [use.operation for use in division.res.uses]
    plain = [op for op in users if not isinstance(op, Neg)]
    added = all(isinstance(op, Add) and users.count(op) == 1 for op in plain)
    return isinstance(division, Div) and len(plain) < len(users) and added


def _use_negated(division: Div | Ratio, negated: SSAValue) -> None:
    """`-q` is the value, and `a + q` is `a - (-q)`."""
    for op in dict.fromkeys(use.operation for use in list(division.res.uses)):
        if isinstance(op, Neg):
            op.res.replace_all_uses_with(negated)
        else:
            assert isinstance(op, Add)
            b = ScalarBuilder(block_of(op), op)
            (rest,) = (v for v in op.args if v is not division.res)
            op.res.replace_all_uses_with(b.sub(rest, negated))
        erase(op)


# ---- loops -------------------------------------------------------------------------
def _is_outside(division: Operation) -> bool:
    """Whether the divisor is computed outside a loop of many steps around the division."""
    home = division.operands[1].owner
    if isinstance(home, Operation):
        home = home.parent_block()
    block = division.parent_block()
    while block is not None and block is not home:
        loop = block.parent_op()
        if isinstance(loop, For) and not _has_few_steps(loop):
            return True
        block = loop.parent_block() if loop is not None else None
    return False


def _has_few_steps(loop: For) -> bool:
    return loop.runs_at_most_once or loop.is_within(LEAST_STEPS * loop.step.value.data - 1)


def _is_short(loop: For, divisors: Sequence[_Divisor]) -> bool:
    """Whether a second version costs little code, and one test says which version is to run."""
    plain = all(lanes_of(d.factor) == 1 for d in divisors) and not any(op.regions for op in loop.block.ops)
    return plain and sum(op.cost for op in loop.block.ops if isinstance(op, Elementwise)) <= MOST_COST


def _divide_otherwise(loop: For, divisors: Sequence[_Divisor]) -> None:
    """The loop has iterations only if no divisor is scaled; behind it is a copy that has them otherwise.

    loop.for %i = %a to %b {...}  ->  %c = weld.select %plain, %b, %a
                                      loop.for %i = %a to %c {...}
                                      loop.for %i = %c to %b {...}
    """
    b = ScalarBuilder(block_of(loop), loop)
    plain = reduce(b.and_, (b.eq(d.factor, d.one) for d in divisors))
    bound = b.select(plain, loop.upper, loop.lower)
    copy = loop.clone()
    copy.properties["label"] = StringAttr(f"{loop.label.data if loop.label else ''} divides")
    b.block.insert_op_after(copy, loop)
    for out, other in zip(loop.outs, copy.outs, strict=True):
        out.replace_all_uses_with(other)
    loop.operands = [loop.lower, bound, *loop.inits]
    copy.operands = [bound, copy.upper, *loop.outs]


def _behind(value: SSAValue) -> ScalarBuilder:
    """Builds behind what defines the value."""
    owner = value.owner
    if isinstance(owner, Block):
        return ScalarBuilder(owner, owner.first_op)
    return ScalarBuilder(block_of(owner), owner.next_op)
