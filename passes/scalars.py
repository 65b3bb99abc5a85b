"""`hoist-scalars`: 0-d conditions and factors that a reduction gives are applied to results, not to what is reduced.

%c = weld.all %p : tensor<i1>                                  %c = weld.all %p : tensor<i1>
%x = weld.select broadcast(%c), %a, %zero : tensor<nxf32>  ->  %s = weld.sum %a : tensor<f32>
%s = weld.sum %x : tensor<f32>                                 %t = weld.select %c, %s, 0.0 : tensor<f32>

The sum need not wait for the condition then: both are taken in one loop. A condition that is known before the loop
stays where it is; it splits nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.passes import ModulePass

from ..dialects.expr import Expr, product_of
from ..dialects.ir import block_of, erase, erase_dead, ops_of
from ..dialects.weld.arithmetic import Div, Mul
from ..dialects.weld.base import Builder, Elementwise
from ..dialects.weld.cast import Cast
from ..dialects.weld.comparison import Select
from ..dialects.weld.constant import Size, splat_of
from ..dialects.weld.folding import fold_constant
from ..dialects.weld.indexing import Scatter
from ..dialects.weld.reductions import REDUCTIONS, Reduction, Sum
from ..dialects.weld.types import I64, Shape, kind_of, scalar_of, shape_of, stated_number, tensor_type
from ..dialects.weld.views import Broadcast, Reshape
from .fusion.graph import functions
from .points import compute_element


@dataclass(frozen=True)
class HoistScalars(ModulePass):
    """Take 0-d conditions out of reductions and scatters, and 0-d factors out of sums."""

    name = "hoist-scalars"
    strict: bool = False
    """Only rewrites that keep every bit: no factors of floats."""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in functions(op):
            hoister = _Hoister(self.strict)
            for inner in ops_of(function.body.block):
                hoister.hoist(inner)


@dataclass(frozen=True)
class _Gate:
    """`select(condition, then, otherwise)` with a 0-d condition that waits for a reduction."""

    condition: SSAValue
    then: SSAValue
    otherwise: SSAValue


class _Hoister:
    def __init__(self, strict: bool):
        self.strict = strict
        self.waiting: dict[SSAValue, bool] = {}

    def hoist(self, op: Operation) -> None:
        if isinstance(op, Reduction):
            self._reduction(op)
        elif isinstance(op, Scatter):
            self._scatter(op)
        elif isinstance(op, Elementwise):
            self._elementwise(op)

    # ---- what is found -------------------------------------------------------------
    def _waits(self, value: SSAValue) -> bool:
        """Whether one element is known only after a loop: it is computed from the result of a reduction."""
        stack = [value]
        while stack:
            current = stack[-1]
            op = current.owner
            inputs = list(op.operands) if isinstance(op, Elementwise | Broadcast | Reshape) else []
            todo = [v for v in inputs if v not in self.waiting]
            if todo and current not in self.waiting:
                stack += todo
                continue
            self.waiting[current] = isinstance(op, Reduction) or any(self.waiting[v] for v in inputs)
            stack.pop()
        return self.waiting[value]

    def _scalar(self, value: SSAValue) -> SSAValue | None:
        """The one element that is repeated all over a tensor of more, where it waits for a reduction."""
        source = value
        while isinstance(view := source.owner, Broadcast | Reshape):
            source = view.args[0]
        if source is value or any(size.value != 1 for size in shape_of(source)) or not self._waits(source):
            return None
        return source

    def _gate(self, value: SSAValue) -> _Gate | None:
        op = value.owner
        if not isinstance(op, Select):
            return None
        condition, then, otherwise = op.args
        scalar = self._scalar(condition)
        return None if scalar is None else _Gate(scalar, then, otherwise)

    # ---- rewrites ------------------------------------------------------------------
    def _elementwise(self, op: Elementwise) -> None:
        """`f(select(c, x, 0.0))` -> `select(c, f(x), f(0.0))`, towards what reduces it."""
        gates = [(k, gate) for k, v in enumerate(op.operands) if (gate := self._gate(v)) is not None]
        splats = [splat_of(v) is not None for v in op.operands]
        if isinstance(op, Select) or len(gates) != 1 or sum(splats) != len(splats) - 1:
            return
        ((place, gate),) = gates
        if splat_of(gate.then) is None and splat_of(gate.otherwise) is None:
            return
        b = Builder(block_of(op), op, op.location)
        found: list[SSAValue] = []
        for value in (gate.then, gate.otherwise):
            operands = [value if k == place else v for k, v in enumerate(op.operands)]
            copy = op.with_operands(operands)
            constant = fold_constant(copy)
            found.append(b.insert(constant or copy).results[0])
            if constant is not None:
                copy.erase()
        self._replace(op, _select(b, gate.condition, *found))

    def _reduction(self, op: Reduction) -> None:
        """`r(select(c, x, y))` -> `select(c, r(x), r(y))`; `sum(x * k)` -> `sum(x) * k`."""
        b = Builder(block_of(op), op, op.location)
        gate = self._gate(op.args[0])
        if gate is not None:
            if op.kind not in SHORT and any(splat_of(v) is not None for v in (gate.then, gate.otherwise)):
                return
            values = [_reduced(b, op, v) for v in (gate.then, gate.otherwise)]
            self._replace(op, _select(b, gate.condition, *values))
            for value in values:
                if isinstance(value.owner, Reduction):
                    self._reduction(value.owner)
        elif isinstance(op, Sum) and self._may_factor(op.res):
            rest, factors = self._factored(b, op.args[0])
            if factors:
                element = compute_element(scalar_of(op.res))  # a float16 sum may overflow where its quotient does not
                total = b.insert(Sum.of(b.cast(rest, element), op.reduced)).results[0]
                self._replace(op, b.cast(_multiplied(b, total, factors), scalar_of(op.res)))

    def _scatter(self, op: Scatter) -> None:
        """`scatter_add(x, select(c, u, 0))` -> `select(c, scatter_add(x, u), x)`; and
        `scatter_add(0, u * k)` -> `scatter_add(0, u) * k`."""
        kind = MONOIDS.get(op.kind.data)
        base, updates = op.args[:2]
        if kind is None:
            return
        b = Builder(block_of(op), op, op.location)
        gate = self._gate(updates)
        if gate is not None:
            if self._is_neutral(kind, gate.otherwise):
                moved = _scattered(b, op, gate.then)
                self._replace(op, _select(b, gate.condition, moved.res, base))
                self._scatter(moved)
            elif self._is_neutral(kind, gate.then):
                moved = _scattered(b, op, gate.otherwise)
                self._replace(op, _select(b, gate.condition, base, moved.res))
                self._scatter(moved)
        elif kind == "sum" and splat_of(base) == 0 and self._may_factor(op.res):
            rest, factors = self._factored(b, updates)
            if factors:
                self._replace(op, _multiplied(b, _scattered(b, op, rest).res, factors))

    def _is_neutral(self, kind: str, value: SSAValue) -> bool:
        """Whether an update by this value changes nothing; under "strict" not even the sign of a zero."""
        number, element = splat_of(value), scalar_of(value)
        if number is None or number != stated_number(REDUCTIONS[kind].identity(element), element):
            return False
        return not (self.strict and kind == "sum" and kind_of(element) == "f") or bool(np.signbit(number))

    # ---- factors -------------------------------------------------------------------
    def _may_factor(self, value: SSAValue) -> bool:
        """Integers wrap around and may always be factored; floats round differently."""
        kind = kind_of(scalar_of(value))
        return kind in "iu" or (kind == "f" and not self.strict)

    def _factored(self, b: Builder, value: SSAValue) -> tuple[SSAValue, list[Factor]]:
        """A product without its 0-d factors that wait for a reduction, and those."""
        op = value.owner
        if not isinstance(op, Mul | Div | Cast) or not value.has_one_use():
            return value, []
        if isinstance(op, Cast):
            widens = compute_element(scalar_of(op.args[0])) == scalar_of(value)
            rest, factors = self._factored(b, op.args[0]) if widens else (value, [])
            return (b.cast(rest, scalar_of(value)), factors) if factors else (value, [])
        for place in (1, 0) if isinstance(op, Mul) else (1,):
            number = self._scalar(op.args[place])
            if number is not None:
                rest, factors = self._factored(b, op.args[1 - place])
                return rest, [*factors, (type(op), number)]
        for place in (0, 1) if isinstance(op, Mul) else (0,):
            rest, factors = self._factored(b, op.args[place])
            if factors:
                operands = [rest if k == place else v for k, v in enumerate(op.args)]
                return b.build(type(op), *operands), factors
        return value, []

    def _replace(self, op: Elementwise | Reduction | Scatter, value: SSAValue) -> None:
        operands = list(op.operands)
        op.res.replace_all_uses_with(value)
        erase(op)
        erase_dead(operands)


Factor: TypeAlias = tuple[type[Elementwise], SSAValue]
"""`weld.mul` or `weld.div`, and the tensor of one element that it is done with."""

SHORT = ("sum", "max", "min", "any", "all", "and", "or")
"""Reductions of which `_of_equal` knows the result on equal elements."""

MONOIDS = {"add": "sum", "mul": "prod", "max": "max", "min": "min"}
"""The reduction that combines like a scatter."""


def _repeated(b: Builder, value: SSAValue, shape: Shape) -> SSAValue:
    """The one element of `value` all over a tensor."""
    if shape_of(value):
        value = b.insert(Reshape.to(value, ())).results[0]
    return b.insert(Broadcast.to(value, shape, ())).results[0] if shape else value


def _select(b: Builder, condition: SSAValue, then: SSAValue, otherwise: SSAValue) -> SSAValue:
    return b.select(_repeated(b, condition, shape_of(then)), then, otherwise)


def _scattered(b: Builder, op: Scatter, updates: SSAValue) -> Scatter:
    """The scatter of other updates."""
    copy = op.clone()
    copy.operands[1] = updates
    b.insert(copy)
    return copy


def _multiplied(b: Builder, value: SSAValue, factors: Sequence[Factor]) -> SSAValue:
    for kind, number in factors:
        value = b.build(kind, value, _repeated(b, b.cast(number, scalar_of(value)), shape_of(value)))
    return value


def _reduced(b: Builder, op: Reduction, value: SSAValue) -> SSAValue:
    """The reduction of another value; of a constant without a loop."""
    number = splat_of(value)
    if number is None:
        return b.insert(type(op).of(value, op.reduced)).results[0]
    count = product_of(shape_of(value)[k] for k in op.reduced)
    found = _of_equal(b, op, number, count, compute_element(scalar_of(value)))
    return _repeated(b, b.cast(found, scalar_of(value)), shape_of(op.res))


def _of_equal(b: Builder, op: Reduction, number: Any, count: Expr, element: Attribute) -> SSAValue:
    """The reduction of `count` elements that are all the same number."""
    found = b.constant(number, tensor_type(element, ()))
    if not op.empty:
        return found
    size = b.insert(Size.of(count, tensor_type(I64, ()))).results[0]
    if op.kind == "sum":
        found = b.mul(b.cast(size, element), found)
    if op.kind != "sum" or not np.isfinite(number):
        found = b.select(b.eq(size, b.constant(0, size)), b.constant(op.identity(element), found), found)
    return found
