"""Checks that index values lie inside their axis."""

from __future__ import annotations

from typing import Any

import numpy as np
from xdsl.ir import SSAValue

from ...dialects.expr import Expr
from ...dialects.weld import Check, Iota
from ...dialects.weld.reductions import Any_
from ...dialects.weld.types import Shape, is_empty, shape_of
from ...dialects.weld.views import View
from .errors import index_error
from .locations import location_of, place
from .promote import ONE, Operand, fill, shape_of_operand
from .session import Session
from .tracer import Tracer


def check_bounds(session: Session, index: Operand, size: Expr, axis: int, shape: Shape) -> bool:
    """Values in [-size, size): decided now for constants, else by a `weld.check`, once for each value and size.

    As in NumPy an array may hold anything where it is repeated to a `shape` without elements. Gives whether all are
    known to lie in [0, size).
    """
    own = shape_of_operand(index)
    if own and is_empty(shape):
        return True
    size = session.symbols.canonical(size)
    repeats = _repeats(session, own, shape) if own else ()
    if isinstance(index, Tracer):
        if _counts_within(session, index.value, size):
            return True
        name = f"'{index.argument}'" if index.argument else "the index"
        emit_check(
            session,
            index.value,
            -size,
            size,
            f"index out of bounds: values of {name} must lie in [-n, n) along axis {axis}",
            "IndexError",
            repeats,
        )
        return False
    array: np.ndarray[Any, Any] = np.asarray(index)
    if array.size == 0:
        return True
    if array.size == session.symbols.example(size) and np.array_equal(array.ravel(), np.arange(array.size)):
        size = Expr.constant(session.symbols.pin(size))  # the constant counts all of the dim, whose size it fixes
    least, greatest = Expr.constant(int(array.min())), Expr.constant(int(array.max()))
    symbols = session.symbols
    if symbols.nonnegative(least + size) and symbols.positive(size - greatest):
        return bool(array.min() >= 0)
    if size.value is None or repeats:
        value = fill(session, array, np.dtype(np.int64))
        emit_check(
            session,
            value,
            -size,
            size,
            f"index out of bounds: constant indices must lie in [-n, n) along axis {axis}",
            "IndexError",
            repeats,
        )
        return False
    wrong = int(array.max()) if int(array.max()) >= size.value else int(array.min())
    raise index_error(f"index {wrong} is out of bounds for axis {axis} with size {size.value}")


def _repeats(session: Session, shape: Shape, target: Shape) -> Shape:
    """The sizes of `target`, each once, along which `shape` is repeated, and which may be 0."""
    symbols = session.symbols
    own = (ONE,) * (len(target) - len(shape)) + shape
    sizes = (symbols.canonical(n) for m, n in zip(own, target, strict=True) if symbols.canonical(m) == ONE)
    return tuple(dict.fromkeys(n for n in sizes if not symbols.positive(n)))


def _counts_within(session: Session, value: SSAValue, size: Expr) -> bool:
    """Whether the values are the positions 0, 1, ... of a dim that is not longer than `size`."""
    while isinstance(value.owner, View):
        value = value.owner.args[0]
    op = value.owner
    return isinstance(op, Iota) and session.symbols.nonnegative(size - op.shape.data[op.axis.value.data])


def emit_check(
    session: Session, value: SSAValue, low: Expr, high: Expr, text: str, exception: str, repeats: Shape = ()
) -> None:
    """The program raises where an element of the integer tensor is not in [low, high), unless one of `repeats` is 0.

    Where low is 0 or -high it does so by the one comparison of unsigned numbers that a gather has, too.
    """
    if not session.checked.isdisjoint([(value, low, high, ()), (value, low, high, repeats)]):
        return
    session.checked.add((value, low, high, repeats))
    if session.dtype(value).kind == "u":
        low = Expr.constant(0)
    value = session.cast(value, np.dtype(np.int64))
    limit = _limit(session, high, value)
    if low == -high:
        negative = session.apply("lt", value, _limit(session, Expr.constant(0), value))
        value = session.apply("select", negative, session.apply("add", value, limit), value)
    if low in (-high, Expr.constant(0)):
        unsigned = np.dtype(np.uint64)
        bad = session.apply("ge", session.cast(value, unsigned), session.cast(limit, unsigned))
    else:
        small = session.apply("lt", value, _limit(session, low, value))
        bad = session.apply("or", small, session.apply("ge", value, limit))
    emit_check_of(session, bad, text, exception, repeats)


def emit_check_of(session: Session, bad: SSAValue, text: str, exception: str, repeats: Shape = ()) -> None:
    """The program raises where an element of the bool tensor is true, unless one of `repeats` is 0."""
    shape = shape_of(bad)
    if shape:
        bad = session.emit(Any_.of(bad, range(len(shape))))
    for size in repeats:
        number = session.size(size)
        bad = session.apply("and", bad, session.apply("gt", number, session.splat(0, session.dtype(number), ())))
    line = session.line()
    check = Check.of(bad, f"{text} ({place(line)})", exception)
    check.location = location_of(line)
    session.block.add_op(check)


def _limit(session: Session, limit: Expr, like: SSAValue) -> SSAValue:
    if limit.value is not None:
        return session.splat(limit.value, np.dtype(np.int64), shape_of(like))
    return session.broadcast(session.size(limit), shape_of(like))
