"""Ufuncs without an op of their own, in terms of others; and complex numbers' parts.

The operands have the dtypes of the ufunc's NumPy loop.
"""

# NumPy's arguments may be anything, so what isinstance tells about them is partial.
# pyright: reportUnknownArgumentType=false
# pyright: reportUnknownLambdaType=false
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .libcalls import emit_library
from .moments import real_dtype
from .promote import session_of, traced
from .registry import COMPOSITES, FUNCTIONS, call_ufunc, composite, implements
from .tracer import Tracer


def _bool(x: Tracer) -> Tracer:
    return Tracer(x.session, x.session.truth(x.value))


UNARY: dict[Any, Callable[[Tracer], Any]] = {
    np.square: lambda x: x * x,
    np.positive: lambda x: x.copy(),
    np.conjugate: lambda x: x.copy(),
    np.logical_not: lambda x: ~_bool(x),
}
BINARY: dict[Any, Callable[[Tracer, Tracer], Any]] = {
    np.logical_and: lambda x, y: _bool(x) & _bool(y),
    np.logical_or: lambda x, y: _bool(x) | _bool(y),
    np.logical_xor: lambda x, y: _bool(x) ^ _bool(y),
    np.divmod: lambda x, y: (x // y, x % y),
}
COMPOSITES.update(UNARY)
COMPOSITES.update(BINARY)


@composite(np.modf)
def modf(x: Tracer) -> Any:
    whole = call_ufunc(np.trunc, (x,))
    part = FUNCTIONS[np.where](call_ufunc(np.isinf, (x,)), x.dtype.type(0), x - whole)
    return call_ufunc(np.copysign, (part, x)), whole


def _part(name: str) -> Any:
    """The real or imaginary part of a complex array."""

    def meaning(val: Any) -> Any:
        session = session_of(val)
        x = traced(session, val)
        if x.dtype.kind != "c":
            if name == "numpy.real":
                return x
            return FUNCTIONS[np.zeros_like](x)
        dtype = real_dtype(x.dtype)
        return emit_library(session, name, [x.value], [(dtype, x.dims)], {})[0]

    return meaning


FUNCTIONS[np.real] = _part("numpy.real")
FUNCTIONS[np.imag] = _part("numpy.imag")


@implements(np.angle)
def angle(z: Any, deg: bool = False) -> Any:
    x = traced(session_of(z), z)
    result = call_ufunc(np.arctan2, (FUNCTIONS[np.imag](x), FUNCTIONS[np.real](x)))
    return result * (180 / np.pi) if deg else result


FACTS: dict[Any, Callable[..., Any]] = {
    np.iscomplexobj: lambda x: x.dtype.kind == "c",
    np.isrealobj: lambda x: x.dtype.kind != "c",
    np.shape: lambda a: a.shape,
    np.ndim: lambda a: a.ndim,
    np.size: lambda a, axis=None: a.size if axis is None else a.shape[axis],
    np.result_type: lambda *args: np.result_type(*map(_plain, args)),
    np.can_cast: lambda a, to, **options: np.can_cast(_plain(a), to, **options),
}
FUNCTIONS.update(FACTS)


def _plain(x: Any) -> Any:
    return x.dtype if isinstance(x, Tracer) else x


@composite(np.reciprocal)
def reciprocal(x: Tracer) -> Any:
    """Of integers; they truncate: only 1 and -1 have a reciprocal that is not 0."""
    unit = (x == 1) | (x == -1) if x.dtype.kind == "i" else x == 1
    return FUNCTIONS[np.where](unit, x, x.dtype.type(0))
