"""Exact simplification of elementwise ops, reductions and views, by what they state: equal bits for all values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from xdsl.ir import Operation, SSAValue

from .base import Elementwise
from .constant import Constant, splat_of
from .reductions import Reduction
from .strength import strength_reduce
from .types import is_resolved, kind_of, scalar_of, stated_number
from .views import View

__all__ = ["fold_constant", "fold_identity", "strength_reduce"]


def fold_constant(op: Operation) -> Constant | None:
    """The value of an elementwise op on splat constants, or whatever its operands are, of a reduction of its identity,
    or of a view of a splat; else None, and for complex numbers."""
    if isinstance(op, Reduction):
        return _of_identity(op)
    if isinstance(op, View):
        number = splat_of(op.args[0])
        return Constant.splat(number, op.res.type) if number is not None and is_resolved(op.res) else None
    if not isinstance(op, Elementwise):
        return None
    if kind_of(scalar_of(op.operands[0])) in op.always:
        return Constant.splat(op.always[kind_of(scalar_of(op.operands[0]))], op.res.type)
    numbers = [splat_of(a) for a in op.operands]
    kinds = [kind_of(scalar_of(v)) for v in (op.res, *op.operands)]
    if any(n is None for n in numbers) or "c" in kinds:
        return None
    return Constant.splat(op.reference(*map(np.asarray, numbers))[()], op.res.type)


def _of_identity(op: Reduction) -> Constant | None:
    """`all(True)` is True, `sum(0)` 0, whatever the sizes are, 0 among them."""
    element, number = scalar_of(op.args[0]), splat_of(op.args[0])
    if number is None or not op.empty or kind_of(element) == "c":
        return None
    identity = stated_number(op.identity(element), element)
    return Constant.splat(identity, op.res.type) if number.tobytes() == identity.tobytes() else None


def fold_identity(op: Operation) -> SSAValue | None:
    """A value that the result of an elementwise op always equals: an operand, or what it was computed from."""
    if not isinstance(op, Elementwise):
        return None
    found = op.same_as() or _twice(op)
    if found is None and len(op.operands) == 2:
        found = _of_one_value(op) or _with_number(op)
    return found


def _twice(op: Elementwise) -> SSAValue | None:
    """`op(op(x))` of stable ops and involutions."""
    inner = op.operands[0].owner
    if len(op.operands) != 1 or not isinstance(inner, Elementwise) or type(inner) is not type(op):
        return None
    kind = kind_of(scalar_of(op.operands[0]))
    return inner.res if kind in op.stable else inner.operands[0] if kind in op.involution else None


def _of_one_value(op: Elementwise) -> SSAValue | None:
    a, b = op.operands
    return a if a == b and kind_of(scalar_of(a)) in op.idempotent else None


def _with_number(op: Elementwise) -> SSAValue | None:
    """`op(x, constant)` where the constant is neutral or absorbing; for commutative ops either way round."""
    pairs = [(op.operands[0], op.operands[1])]
    if op.commutative:
        pairs.append((op.operands[1], op.operands[0]))
    for value, other in pairs:
        if _is_stated(op.neutral, other):
            return value
        if _is_stated(op.absorbing, other):
            return other
    return None


def _is_stated(fact: Mapping[str, Any], value: SSAValue) -> bool:
    """Whether `value` is a splat of the very number that the fact states for its kind."""
    element, number = scalar_of(value), splat_of(value)
    kind = kind_of(element)
    if number is None or kind not in fact:
        return False
    wanted = stated_number(fact[kind], element)
    return wanted.tobytes() == number.tobytes() or bool(wanted != wanted and number != number)
