"""Functions that only rename elements: reshape, transpose, broadcast, flip, squeeze and the like."""

# NumPy's arguments may be anything, so what isinstance tells about them is partial.
# pyright: reportUnknownArgumentType=false
# pyright: reportUnknownLambdaType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from xdsl.ir import SSAValue

from ...dialects.expr import Expr, product_of
from ...dialects.weld import Transpose
from ...dialects.weld.types import Shape, shape_of
from .errors import shapes_text, trace_error, value_error
from .promote import broadcast_to, common_shape, operand, session_of, shape_of_operand, traced
from .reducing import normal_axes
from .registry import implements
from .session import Session
from .symint import as_size
from .tracer import Tracer


def as_shape(shape: Any) -> list[Expr]:
    """A shape argument as expressions; it may be one number."""
    entries = shape if isinstance(shape, tuple | list) else (shape,)
    result: list[Expr] = []
    for entry in entries:
        if isinstance(entry, Tracer):
            raise trace_error(
                "a shape holds a traced value", "close over the number, or take it from the shape of an array"
            )
        size = as_size(entry)
        result.append(Expr.constant(operator.index(entry)) if size is None else size)
    return result


def linked(
    x: Tracer, forward: Callable[[SSAValue], SSAValue], backward: Callable[[SSAValue], SSAValue] | None
) -> Tracer:
    """A view of `x`: `forward` makes its value, `backward` is the inverse (None where NumPy might copy)."""
    result = Tracer(x.session, forward(x.value))
    if backward is None:
        return result.as_view(x, None, None)
    return result.as_view(x, forward, lambda base, new: backward(new))


def transposed(x: Tracer, permutation: Sequence[int]) -> Tracer:
    if list(permutation) == list(range(x.ndim)):
        return linked(x, lambda v: v, lambda v: v)
    inverse = [list(permutation).index(k) for k in range(x.ndim)]
    emit = x.session.emit
    return linked(x, lambda v: emit(Transpose.of(v, permutation)), lambda v: emit(Transpose.of(v, inverse)))


def reshaped(x: Tracer, shape: Callable[[Shape], Shape]) -> Tracer:
    """A reshape that only adds or drops dims of size 1, so that NumPy never copies."""
    session, own = x.session, x.dims
    known = session.symbols.canonical
    return linked(
        x,
        lambda v: session.reshape(v, shape(shape_of(v))),
        lambda v: session.reshape(v, tuple(known(e) for e in own)),
    )


@implements(np.reshape)
def reshape(a: Any, shape: Any = None, order: str = "C", *, copy: Any = None, newshape: Any = None) -> Tracer:
    session = session_of(a, shape)
    x = traced(session, a)
    target = as_shape(newshape if shape is None else shape)
    if order == "F":
        reversed_shape = tuple(_complete(session, x, target))[::-1]
        return transposed(_reshape_to(x.T, reversed_shape), list(range(len(target)))[::-1])
    return _reshape_to(x, _complete(session, x, target))


def _reshape_to(x: Tracer, shape: Shape) -> Tracer:
    session = x.session
    if [e for e in x.dims if e.value != 1] == [e for e in shape if e.value != 1]:
        known = session.symbols.canonical
        return reshaped(x, lambda _: tuple(known(e) for e in shape))
    return linked(x, lambda v: session.reshape(v, shape), None)


def _complete(session: Session, x: Tracer, target: list[Expr]) -> Shape:
    """The target with its -1 filled in; ValueError where the number of elements differs."""
    symbols = session.symbols
    unknown = [k for k, e in enumerate(target) if e.value == -1]
    if len(unknown) > 1:
        raise value_error("can only specify one unknown dimension")
    total = product_of(x.dims)
    rest = product_of(e for k, e in enumerate(target) if k not in unknown)
    if unknown and rest.value != 0:
        target[unknown[0]] = _quotient(session, total, rest)
    shape = tuple(symbols.canonical(e) for e in target)
    if (unknown and rest.value == 0) or symbols.unify(product_of(shape), total) is None:
        sizes = [-1 if k in unknown else symbols.example(symbols.canonical(e)) for k, e in enumerate(target)]
        raise value_error(
            f"cannot reshape array of size {symbols.example(symbols.canonical(total))} into shape {shapes_text(sizes)}"
        )
    return tuple(symbols.canonical(e) for e in shape)


def _quotient(session: Session, total: Expr, rest: Expr) -> Expr:
    """`total / rest`; pins sizes until it is exact for all values of the others."""
    symbols = session.symbols
    names = sorted(total.names - rest.names) + sorted(rest.names)
    while _divide(total, rest) * rest != total and names:
        symbols.pin(Expr.symbol(names.pop(0)))
        total, rest = symbols.canonical(total), symbols.canonical(rest)
    return _divide(total, rest)


def _divide(total: Expr, rest: Expr) -> Expr:
    """`total // rest`, first by the symbols of `rest` and then by its factor where it is one product."""
    if len(rest.terms) != 1:
        return total // rest
    monomial, factor = rest.terms[0]
    return total // Expr(((monomial, 1),)) // factor


@implements(np.ravel)
def ravel(a: Any, order: str = "C") -> Tracer:
    session = session_of(a)
    x = traced(session, a)
    if order == "F":
        x = x.T
    return _reshape_to(x, (product_of(x.dims),))


@implements(np.transpose, np.permute_dims)
def transpose(a: Any, axes: Any = None) -> Tracer:
    x = traced(session_of(a), a)
    if axes is None:
        return transposed(x, list(range(x.ndim))[::-1])
    if len(axes) != x.ndim:
        raise value_error("axes don't match array")
    return transposed(x, [normal_axes(k, x.ndim)[0] for k in axes])


@implements(np.broadcast_to)
def np_broadcast_to(array: Any, shape: Any, subok: bool = False) -> Tracer:
    session = session_of(array, shape)
    x = traced(session, array)
    target = tuple(session.symbols.canonical(e) for e in as_shape(shape))
    return Tracer(session, broadcast_to(session, x.value, target))


@implements(np.broadcast_arrays)
def broadcast_arrays(*args: Any, subok: bool = False) -> tuple[Tracer, ...]:
    session = session_of(args)
    arrays = [traced(session, a) for a in args]
    shape = common_shape(session, [shape_of_operand(operand(session, a)) for a in arrays])
    return tuple(Tracer(session, broadcast_to(session, a.value, shape)) for a in arrays)


@implements(np.copy)
def copy(a: Any, order: str = "K", subok: bool = False) -> Tracer:
    x = traced(session_of(a), a)
    return Tracer(x.session, x.value)
