"""`share-reciprocals`: quotients by what a loop does not change are products, with the last bit put right."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Attribute, Block, Operation, SSAValue
from xdsl.passes import ModulePass

from ...dialects.ir import block_of, erase
from ...dialects.loop.ops import For, Splat, lanes_of, vector
from ...dialects.weld.arithmetic import Div
from ...dialects.weld.types import F32, F64, scalar_of
from ..points import ScalarBuilder

LEAST_STEPS = 4
"""Loops of fewer steps keep their quotients."""
EXPONENTS: dict[Attribute, tuple[int, int]] = {F32: (60, 100), F64: (500, 900)}
"""Divisors beyond 2 to the power of the second number, or below its reciprocal, are scaled by the first one, so that
they have a reciprocal with all its bits."""


@dataclass(frozen=True)
class ShareReciprocals(ModulePass):
    """A quotient takes five to ten times as long as a product.

        loop.for ... {                          %r = weld.div %one, %s          (outside)
          %q = weld.div %x, %s                  loop.for ... {
                                         ->       %p = weld.mul %x, %r
                                                  %e = weld.mul_add %p, -%s, %x
                                                  %q = weld.mul_add %e, %r, %p

    `%e` is what the product lacks, without any rounding, so `%q` is the quotient rounded once (P. Markstein,
    Computation of elementary functions on the IBM RISC System/6000 processor, 1990), unless the numbers are so small
    that `%e` has no room for its bits. Where the product is infinite or NaN, and so `%q` NaN, it is the result. Very
    large and very small divisors are scaled first.
    """

    name = "share-reciprocals"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        known: dict[SSAValue, _Reciprocal] = {}
        for division in [d for d in op.walk() if isinstance(d, Div)]:
            if scalar_of(division.res) in EXPONENTS and lanes_of(division.res) > 1 and _is_outside(division):
                divisor = division.operands[1]
                if divisor not in known:
                    known[divisor] = _Reciprocal.of(divisor)
                known[divisor].replace(division)


@dataclass(frozen=True)
class _Reciprocal:
    """What is known of a divisor outside the loop."""

    scale: SSAValue
    inverse: SSAValue
    minus: SSAValue

    @classmethod
    def of(cls, divisor: SSAValue) -> _Reciprocal:
        """Computed behind the divisor: on the scalar, where all lanes have the same one."""
        lanes = lanes_of(divisor)
        wide = isinstance(divisor.owner, Splat)
        source = divisor.owner.value if isinstance(divisor.owner, Splat) else divisor
        element = scalar_of(source)
        factor, limit = EXPONENTS[element]
        b = _behind(divisor)
        small, large = b.constant(2.0**-limit, source), b.constant(2.0**limit, source)
        up, down, one = b.constant(2.0**factor, source), b.constant(2.0**-factor, source), b.constant(1.0, source)
        size = b.abs(source)
        scale = b.select(b.gt(size, large), down, b.select(b.lt(size, small), up, one))
        scaled = b.mul(source, scale)
        found = [scale, b.div(one, scaled), b.neg(scaled)]
        if wide:
            kind = vector(element, lanes)
            found = [b.insert(Splat.create(operands=[v], result_types=[kind])).results[0] for v in found]
        return cls(*found)

    def replace(self, division: Operation) -> None:
        b = ScalarBuilder(block_of(division), division)
        scaled = b.mul(division.operands[0], self.scale)
        product = b.mul(scaled, self.inverse)
        error = b.mul_add(product, self.minus, scaled)
        quotient = b.mul_add(error, self.inverse, product)
        is_number = b.eq(quotient, quotient)
        division.results[0].replace_all_uses_with(b.select(is_number, quotient, product))
        erase(division)


def _is_outside(division: Div) -> bool:
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
    trip = loop.known_trip
    return trip is not None and trip < LEAST_STEPS * loop.step.value.data


def _behind(value: SSAValue) -> ScalarBuilder:
    """Builds behind what defines the value."""
    owner = value.owner
    if isinstance(owner, Block):
        return ScalarBuilder(owner, owner.first_op)
    return ScalarBuilder(block_of(owner), owner.next_op)
