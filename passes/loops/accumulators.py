"""Accumulators of reductions: combining two of them, and lists of them as loops carry them."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.ir import SSAValue

from ...dialects.loop.ops import lanes_of
from ...dialects.weld.arithmetic import MulAdd
from ...dialects.weld.reductions import REDUCTIONS
from ...dialects.weld.types import BOOL, is_float, scalar_of
from .scopes import Frame


def combine(
    frame: Frame, kind: str, old: list[SSAValue], new: list[SSAValue], ascending: bool = False
) -> list[SSAValue]:
    """Two accumulators of a reduction as one. For argmax and argmin an accumulator starts as the identity at
    position 0: where nothing beats the identity all elements equal it, and the first one is the answer.
    `ascending` says that the new element's position comes after all old ones."""
    b = frame.top.builder
    if len(old) == 1:
        product = new[0].owner
        if kind == "sum" and isinstance(product, MulAdd) and product.is_product:
            return [b.mul_add(product.args[0], product.args[1], old[0])]
        return [b.build(REDUCTIONS[kind].combine, old[0], new[0])]
    (value, position), (value2, position2) = old, new
    floating = is_float(scalar_of(value))
    if ascending:
        # Not "less or equal" is "greater, or one of them NaN"; the first NaN stays.
        take = b.not_(b.le(value2, value) if kind == "argmax" else b.ge(value2, value))
        take = b.and_(take, b.not_(b.is_nan(value))) if floating else take
        return [b.select(take, value2, value), b.select(take, position2, position)]
    better = b.gt(value2, value) if kind == "argmax" else b.lt(value2, value)
    tie = b.eq(value2, value)
    if floating:
        nan, nan2 = b.is_nan(value), b.is_nan(value2)
        better = b.select(nan, frame.constant(False, BOOL, lanes_of(nan)), b.or_(better, nan2))
        tie = b.or_(tie, b.and_(nan, nan2))
    take = b.or_(better, b.and_(tie, b.lt(position2, position)))
    return [b.select(take, value2, value), b.select(take, position2, position)]


def flat(groups: dict[int, list[SSAValue]]) -> list[SSAValue]:
    return [v for values in groups.values() for v in values]


def like(groups: dict[int, list[SSAValue]], values: Sequence[SSAValue]) -> dict[int, list[SSAValue]]:
    """The flat values, grouped as `groups`."""
    rest = iter(values)
    return {k: [next(rest) for _ in group] for k, group in groups.items()}
