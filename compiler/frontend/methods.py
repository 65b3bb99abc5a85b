"""Makers of the tracer's operators and methods from NumPy's functions."""

# NumPy's arguments may be anything, so what isinstance tells about them is partial.
# pyright: reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .errors import needs_value
from .registry import FUNCTIONS, call_ufunc

if TYPE_CHECKING:
    from .tracer import Tracer


def binary(ufunc: Any) -> tuple[Any, Any, Any]:
    """`a op b`, `b op a` and `a op= b`."""

    def forward(self: Tracer, other: Any) -> Any:
        if other is None:
            return NotImplemented
        return call_ufunc(ufunc, (self, other), operator=True)

    def reflected(self: Tracer, other: Any) -> Any:
        return call_ufunc(ufunc, (other, self), operator=True)

    def in_place(self: Tracer, other: Any) -> Any:
        if self.kind != "array":
            return call_ufunc(ufunc, (self, other), operator=True)
        return call_ufunc(ufunc, (self, other), out=(self,), operator=True)

    return forward, reflected, in_place


def unary(ufunc: Any) -> Any:
    def forward(self: Tracer) -> Any:
        return call_ufunc(ufunc, (self,), operator=True)

    return forward


def method(function: Any) -> Any:
    """The ndarray method that does what a NumPy function does with the array as first argument."""

    def call(self: Tracer, *args: Any, **kwargs: Any) -> Any:
        return FUNCTIONS[function](self, *args, **kwargs)

    return call


def shape_method(function: Any) -> Any:
    """A method that takes its tuple also as separate arguments: x.reshape(2, 3)."""

    def call(self: Tracer, *args: Any, **kwargs: Any) -> Any:
        if len(args) == 1 and (args[0] is None or isinstance(args[0], tuple | list)):
            args = tuple(args[0]) if args[0] is not None else ()
            return FUNCTIONS[function](self, args or None if function is np.transpose else args, **kwargs)
        return FUNCTIONS[function](self, (args or None) if function is np.transpose else args, **kwargs)

    return call


def as_number(kind: Any, what: str) -> Any:
    """A use of the value as a Python number: while a function is traced, only what is computed from sizes has one."""

    def call(self: Tracer) -> Any:
        if self.number is None:
            raise needs_value(what)
        return kind(self.number())

    return call


def refuse(what: str) -> Any:
    def call(self: Tracer, *args: Any, **kwargs: Any) -> Any:
        raise needs_value(what)

    return call
