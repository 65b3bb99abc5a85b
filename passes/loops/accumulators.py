"""Accumulators of reductions: combining two of them, and lists of them as loops carry them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from xdsl.ir import SSAValue

from ...dialects.expr import Expr
from ...dialects.loop.ops import For, Yield, lanes_of
from ...dialects.weld.arithmetic import MulAdd
from ...dialects.weld.reductions import REDUCTIONS
from ...dialects.weld.types import BOOL, F32, F64, is_float, scalar_of
from .scopes import Frame, Scope

Groups: TypeAlias = dict[int, list[SSAValue]]
"""The accumulators of reductions, by the reduction's position."""


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


def flat(groups: Groups) -> list[SSAValue]:
    return [v for values in groups.values() for v in values]


def like(groups: dict[int, list[SSAValue]], values: Sequence[SSAValue]) -> dict[int, list[SSAValue]]:
    """The flat values, grouped as `groups`."""
    rest = iter(values)
    return {k: [next(rest) for _ in group] for k, group in groups.items()}


# ---- sums in runs ------------------------------------------------------------------
def no_totals(frame: Frame, sums: Groups) -> Groups:
    """Zeros for the totals of floating sums, which are float64 for float32."""
    elements = {k: F64 if scalar_of(values[0]) == F32 else scalar_of(values[0]) for k, values in sums.items()}
    return {k: [frame.constant(0.0, elements[k], lanes_of(v)) for v in values] for k, values in sums.items()}


def add_run(frame: Frame, totals: Groups, run: Groups) -> Groups:
    """The totals with what one run has added up."""
    b = frame.top.builder
    return {
        k: [b.add(total, b.cast(v, scalar_of(total))) for total, v in zip(totals[k], run[k], strict=True)]
        for k in totals
    }


def add_totals(frame: Frame, totals: Groups, last: Groups, first: SSAValue | None, stop: SSAValue) -> Groups:
    """The sums: what the last run has added up, and the totals of those before it. `first` is where the first run ends:
    from `stop` on it is the only one, and there is no total. None where a total is there in any case."""
    last = {k: last[k] for k in totals}
    if first is None:
        return _rounded(frame, totals, last)
    zero, one = (frame.index(Expr.constant(n)) for n in (0, 1))
    several = frame.top.builder.select(frame.top.builder.lt(first, stop), one, zero)
    loop = For.of(zero, several, 1, flat(last), "combine")
    frame.top.add(loop)
    inner = frame.with_scopes([*frame.scopes[:-1], Scope(loop.block)])
    loop.block.add_op(Yield.create(operands=flat(_rounded(inner, totals, like(last, loop.carried)))))
    return like(last, loop.outs)


def _rounded(frame: Frame, totals: Groups, last: Groups) -> Groups:
    b, sums = frame.top.builder, add_run(frame, totals, last)
    return {k: [b.cast(v, scalar_of(o)) for v, o in zip(sums[k], last[k], strict=True)] for k in totals}
