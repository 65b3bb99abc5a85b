"""What a trace is specialised on: rank, dtype, and the sizes of tiny dims of each array argument."""

# NumPy's arguments may be anything, so what isinstance tells about them is partial.
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from ...dialects.expr import Expr
from ...dialects.weld.types import element_of
from .errors import TraceError
from .symbols import TINY

Pinned = frozenset[tuple[str, int]]


@dataclass(frozen=True)
class ArgSpec:
    """One array argument: `shape` holds numbers for static dims and symbols for the others.

    `kind` is "array", "scalar" (a NumPy scalar), "python" (a Python number, weakly typed) or "constant" (an
    array that the function closed over).
    """

    name: str
    dtype: np.dtype[Any]
    shape: tuple[Expr, ...]
    kind: str = "array"
    layout: str = "C"


def is_static(size: int) -> bool:
    """Whether specialisation keeps the size as a number even where the program does not need it."""
    return size <= TINY


def is_leaf(value: Any) -> bool:
    """Whether an argument is an input of the compiled program (and not a value it is specialised on)."""
    return isinstance(value, np.ndarray | np.generic | bool | int | float | complex)


def describe(value: Any, name: str) -> tuple[np.ndarray[Any, Any], str]:
    """An argument as an array, and its kind; TraceError for dtypes that the compiler does not hold."""
    kind = "array" if isinstance(value, np.ndarray) else "scalar" if isinstance(value, np.generic) else "python"
    array: np.ndarray[Any, Any] = np.asarray(value)
    if element_of(array.dtype) is None or not array.dtype.isnative:
        raise TraceError(
            f"argument '{name}' has dtype {array.dtype}, which compiled functions do not take; "
            "convert it to a native bool, integer, float or complex dtype with astype first"
        )
    return array, kind


@lru_cache(maxsize=1024)
def _signature(function: Callable[..., Any]) -> inspect.Signature | None:
    try:
        return inspect.signature(function)
    except (TypeError, ValueError):
        return None


def named_arguments(
    function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> list[tuple[str, Any]]:
    """Each argument with its parameter's name: positional ones first, then keywords; `a.0`, `a.1` for `*a`.

    Raises the TypeError of a call that the function's signature does not allow.
    """
    signature = _signature(function)
    if signature is None:
        return [(f"arg{k}", v) for k, v in enumerate(args)] + list(kwargs.items())
    signature.bind(*args, **kwargs)
    names: list[str] = []
    for parameter in signature.parameters.values():
        if parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD):
            names.append(parameter.name)
        elif parameter.kind == parameter.VAR_POSITIONAL:
            names += [f"{parameter.name}.{k}" for k in range(len(args) - len(names))]
    return list(zip(names, args, strict=False)) + list(kwargs.items())
