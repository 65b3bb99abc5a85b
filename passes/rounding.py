"""`elide-rounding`: the roundings that numerics "fast" leaves out, chosen before anything is fused.

%p = weld.mul %a, %b           %h = weld.exp %x : tensor<4xf16>      %0 = weld.cast %x : f16 to f32
%s = weld.add %p, %c           %k = weld.neg %h : tensor<4xf16>      %1 = weld.exp %0
->                             ->                                    %2 = weld.neg %1
%s = weld.mul_add %a, %b, %c                                         %k = weld.cast %2 : f32 to f16

%q = weld.div %x, %s           %q = weld.ratio %x, %s
%z = weld.mul %q, %q       ->  %z = weld.mul %q, %q
%t = weld.sum %z               %t = weld.sum %z

Only a value with a single user, or one that only sums use, loses its rounding. Whatever fusion computes again later is
computed by the same ops, so a value has the same bits everywhere: `exp(s - max(s))` is never more than 1, wherever `s`
is computed.
"""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Block, Operation, SSAValue, Use
from xdsl.passes import ModulePass

from ..dialects.ir import block_of, erase, erase_dead, ops_of
from ..dialects.weld.arithmetic import Add, Div, Mul, Neg, Ratio, Sub
from ..dialects.weld.base import Builder, Elementwise
from ..dialects.weld.cast import Cast
from ..dialects.weld.constant import splat_of
from ..dialects.weld.generic import Generic, Yield
from ..dialects.weld.reductions import Reduction, Sum
from ..dialects.weld.signs import Abs
from ..dialects.weld.types import BF16, F16, F32, F64, scalar_of, with_element
from ..dialects.weld.views import View
from .fusion.graph import functions


@dataclass(frozen=True)
class ElideRounding(ModulePass):
    """Products that are added are not rounded first, quotients that only sums use may be rounded twice; chains of
    16-bit floats are rounded at their end."""

    name = "elide-rounding"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in functions(op):
            block = function.body.block
            for inner in (block, *(op.block for op in ops_of(block) if isinstance(op, Generic))):
                _widen(inner)
                _approximate(inner)
                _contract(inner)


# ---- chains of 16-bit floats -------------------------------------------------------
def _widen(block: Block) -> None:
    for op in ops_of(block):
        if isinstance(op, Cast):
            if scalar_of(op.res) == F32:
                _replace(op, _unrounded(op.args[0], op))
        elif isinstance(op, Elementwise | Reduction) and scalar_of(op.res) in (F16, BF16):
            _in_float32(op)


def _in_float32(op: Elementwise | Reduction) -> None:
    """The op on float32 operands, and a cast of its result."""
    b = Builder(block_of(op), op, op.location)
    values = [_unrounded(v, op) or _wide(b, v) for v in op.operands]
    wide = type(op).create(
        operands=values,
        result_types=[with_element(op.res.type, F32)],
        properties=op.properties,
        attributes=op.attributes,
    )
    _replace(op, b.cast(b.insert(wide).results[0], scalar_of(op.res)))


def _wide(b: Builder, value: SSAValue) -> SSAValue:
    """A 16-bit value in float32, any other one as it is."""
    if scalar_of(value) not in (F16, BF16):
        return value
    number = splat_of(value)
    return b.cast(value, F32) if number is None else b.constant(number, with_element(value.type, F32))


def _unrounded(value: SSAValue, user: Operation) -> SSAValue | None:
    """The float32 value that `value` is the rounding of, where `user` alone uses it."""
    source = value.owner
    if not isinstance(source, Cast) or scalar_of(value) not in (F16, BF16) or scalar_of(source.args[0]) != F32:
        return None
    return source.args[0] if all(use.operation is user for use in value.uses) else None


# ---- quotients that are summed -----------------------------------------------------
def _approximate(block: Block) -> None:
    """Quotients that reach nothing but sums, through ops that keep a small relative error small, are ratios."""
    summed: set[SSAValue] = set()
    ops = ops_of(block)
    for op in reversed(ops):
        summed.update(v for v in op.results if v.uses and all(_only_sums(use, summed) for use in v.uses))
    for op in ops:
        if isinstance(op, Div) and op.res in summed and scalar_of(op.res) in (F32, F64):
            _replace(op, Builder(block, op, op.location).build(Ratio, *op.args))


def _only_sums(use: Use, summed: set[SSAValue]) -> bool:
    """Whether a relative error of the value that is used ends up in sums, about as small. Views repeat elements."""
    op, k = use.operation, use.index
    if isinstance(op, Sum):
        return True
    if isinstance(op, Yield):
        generic = op.parent_op()
        return isinstance(generic, Generic) and k in _summed(generic)
    keeps = isinstance(op, Mul | Neg | Abs | View) or (isinstance(op, Div | Ratio) and k == 0)
    widens = isinstance(op, Cast) and scalar_of(op.res) == F64
    return (keeps or widens) and op.results[0] in summed


# ---- products that are added -------------------------------------------------------
def _contract(block: Block) -> None:
    for op in ops_of(block):
        if isinstance(op, Add | Sub):
            _replace(op, _sum_with_product(op, Builder(block, op, op.location)))
        elif isinstance(op, Sum):
            _mark(op, 0)
        elif isinstance(op, Generic):
            for k in _summed(op):
                _mark(op.terminator, k)


def _sum_with_product(op: Add | Sub, b: Builder) -> SSAValue | None:
    """`a * b + c`, `a * b - c` or `c - a * b` as one op."""
    x, y = op.args
    if (product := _product(x)) is not None:
        return b.mul_add(*product.args, y if isinstance(op, Add) else _negated(b, y))
    if (product := _product(y)) is not None:
        first, second = sorted(product.args, key=lambda v: splat_of(v) is None)  # a constant has its sign for free
        return b.mul_add(first if isinstance(op, Add) else _negated(b, first), second, x)
    return None


def _product(value: SSAValue) -> Mul | None:
    """The product of floats that `value` is, where it is used once."""
    op = value.owner
    if not isinstance(op, Mul) or scalar_of(value) not in (F32, F64) or not value.has_one_use():
        return None
    return op


def _negated(b: Builder, value: SSAValue) -> SSAValue:
    number = splat_of(value)
    return b.neg(value) if number is None else b.constant(-number, value)


def _mark(user: Operation, k: int) -> None:
    """A product that a sum adds up is `mul_add(a, b, -0.0)`: the product, as one that takes an addition in."""
    product = _product(user.operands[k])
    if product is not None:
        b = Builder(block_of(product), product, product.location)
        user.operands[k] = b.mul_add(*product.args, b.constant(-0.0, product.res))
        erase(product)


def _summed(generic: Generic) -> list[int]:
    """The positions in the yield of a generic of the values that it adds up."""
    places: list[int] = []
    position = 0
    for result in generic.results_given:
        places += [position] if result.kind == "sum" else []
        position += result.values
    return places


def _replace(op: Elementwise | Reduction, value: SSAValue | None) -> None:
    """Put `value`, if there is one, in the place of the op, and drop what only the op used."""
    if value is None:
        return
    operands = list(op.operands)
    op.res.replace_all_uses_with(value)
    erase(op)
    erase_dead(operands)
