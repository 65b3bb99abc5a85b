"""The tables from NumPy functions to their traced meanings, filled by the modules that define them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])

FUNCTIONS: dict[Any, Callable[..., Any]] = {}
"""NumPy function (or `operator.getitem` and the like) -> a function of the same arguments that traces it."""

COMPOSITES: dict[Any, Callable[..., Any]] = {}
"""Ufunc without an op of its own -> its value in terms of others; operands have the ufunc's dtypes already."""


CREATORS: set[Any] = set()
"""Functions that take `like=`, which NumPy passes on only as the object that it asks."""


def implements(*functions: Any) -> Callable[[F], F]:
    """Register the traced meaning of NumPy functions."""

    def register(meaning: F) -> F:
        for function in functions:
            FUNCTIONS[function] = meaning
        return meaning

    return register


def composite(*ufuncs: Any) -> Callable[[F], F]:
    """Register a ufunc's value in terms of other ufuncs."""

    def register(meaning: F) -> F:
        for ufunc in ufuncs:
            COMPOSITES[ufunc] = meaning
        return meaning

    return register


def call_ufunc(ufunc: Any, inputs: tuple[Any, ...], **options: Any) -> Any:
    """Trace a call of a NumPy ufunc; see `ufuncs.call`."""
    from .ufuncs import call

    return call(ufunc, inputs, **options)
