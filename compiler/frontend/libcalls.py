"""NumPy and SciPy functions that run as they are: `weld.library` calls."""

# NumPy's arguments may be anything, so what isinstance tells about them is partial.
# pyright: reportUnknownArgumentType=false
# pyright: reportUnknownLambdaType=false
# pyright: reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

import importlib
import inspect
import json
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from xdsl.ir import SSAValue

from ...dialects.weld import Library
from ...dialects.weld.types import Shape, shape_of, tensor_of
from .errors import message, unsupported
from .locations import location_of
from .promote import Operand, common_shape, convert, dtype_of_operand, fill, operand, session_of, shape_of_operand, wrap
from .registry import FUNCTIONS
from .session import Session, static
from .symint import SymInt
from .tracer import Tracer


def emit_library(
    session: Session,
    name: str,
    values: Sequence[SSAValue],
    results: Sequence[tuple[np.dtype[Any], Shape]],
    options: dict[str, Any],
) -> list[Tracer]:
    op = Library.of(name, values, [tensor_of(d, s) for d, s in results], options)
    op.location = location_of(session.line())
    session.block.add_op(op)
    return [wrap(session, v) for v in op.results]


def call_ufunc_library(session: Session, name: str, operands: list[Operand], loop: tuple[np.dtype[Any], ...]) -> Any:
    """A ufunc without an op: the shape follows by broadcasting, so no size is pinned."""
    shape = common_shape(session, [shape_of_operand(x) for x in operands])
    values = [fill(session, x, d) for x, d in zip(operands, loop, strict=False)]
    results = emit_library(session, name, values, [(d, shape) for d in loop[len(operands) :]], {})
    return results[0] if len(results) == 1 else tuple(results)


KEEPS_SHAPE = {"numpy.sort": None, "numpy.argsort": np.dtype(np.int64)}
"""Functions whose result has the shape of the first operand, and its dtype where it is not the operand's."""

FUNCTION_NAMES = """
numpy: sort argsort partition argpartition lexsort searchsorted digitize median quantile percentile nanmedian
  nanquantile nanpercentile interp convolve correlate cov corrcoef cross kron trapezoid unwrap i0 sinc vander polyval
  apply_over_axes tri histogram2d packbits unpackbits real imag angle iscomplex spacing nan_to_num
  real_if_close cumulative_sum cumulative_prod ediff1d
numpy.linalg: inv solve det slogdet cholesky qr eig eigh eigvals eigvalsh svd svdvals pinv lstsq matrix_rank cond
  matrix_power tensorsolve tensorinv
numpy.fft: fft ifft fft2 ifft2 fftn ifftn rfft irfft rfft2 irfft2 rfftn irfftn hfft ihfft fftshift ifftshift
"""


def library_function(function: Any, *args: Any, **kwargs: Any) -> Any:
    """A call of a NumPy function whose result shapes are those that it gives for the example's sizes.

    The sizes of all its operands become static, except for functions that keep the shape.
    """
    session = session_of(args, kwargs)
    name = f"{function.__module__}.{function.__name__}"
    arrays, options = _split(function, name, args, kwargs)
    operands = [operand(session, x) for x in arrays]
    if name in KEEPS_SHAPE and len(operands) == 1 and options.get("axis", -1) is not None:
        dtype = KEEPS_SHAPE[name] or dtype_of_operand(operands[0])
        value = fill(session, operands[0], dtype_of_operand(operands[0]))
        return emit_library(session, name, [value], [(dtype, shape_of(value))], options)[0]
    values = [fill(session, x, dtype_of_operand(x)) for x in operands]
    for value in values:
        for size in shape_of(value):
            session.symbols.pin(size)
    samples = [_sample(v, x) for v, x in zip(values, operands, strict=True)]
    found = _evaluate(name, samples, json.dumps(options))
    several = found if isinstance(found, tuple | list) else (found,)
    results = [(np.asarray(r).dtype, static(np.shape(r))) for r in several]
    traced = emit_library(session, name, values, results, options)
    if not isinstance(found, tuple | list):
        return traced[0]
    return type(found)(*traced) if hasattr(found, "_fields") else type(found)(traced)


def _evaluate(name: str, samples: list[Any], options: str) -> Any:
    module, _, attribute = name.rpartition(".")
    with np.errstate(all="ignore"):
        return getattr(importlib.import_module(module), attribute)(*samples, **json.loads(options))


def _sample(value: SSAValue, known: Operand) -> Any:
    """An array of the operand's shape that linear algebra takes: the identity where it is square."""
    if not isinstance(known, Tracer):
        return convert(known, dtype_of_operand(known))
    shape = [e.value for e in shape_of(value)]
    dtype = known.dtype
    if len(shape) >= 2 and shape[-1] == shape[-2]:
        return np.broadcast_to(np.eye(shape[-1], dtype=dtype), shape)  # pyright: ignore
    return np.ones(shape, dtype)  # pyright: ignore


@lru_cache(maxsize=512)
def _parameters(function: Any) -> list[inspect.Parameter] | None:
    try:
        return list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return None


def _split(function: Any, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
    """The leading array arguments, and all other ones as JSON-able keywords."""
    given: list[tuple[str, Any]] = []
    parameters = _parameters(function) or []
    for k, value in enumerate(args):
        given.append((parameters[k].name if k < len(parameters) else "", value))
    given += list(kwargs.items())
    arrays: list[Any] = []
    options: dict[str, Any] = {}
    for k, (key, value) in enumerate(given):
        is_array = isinstance(value, Tracer | np.ndarray) or (
            k < len(args) and k == len(arrays) and k < 3 and _is_list(value)
        )
        if is_array and len(arrays) == k:
            arrays.append(value)
        elif isinstance(value, Tracer):
            raise unsupported(
                f"{name} with a traced array as argument '{key}'",
                "pass traced arrays as the first positional arguments",
            )
        elif value is not None and value is not np._NoValue:  # pyright: ignore
            options[key] = _plain(value, name, key)
    return arrays, options


def _is_list(value: Any) -> bool:
    return isinstance(value, list) or any(isinstance(v, Tracer) for v in (value if isinstance(value, tuple) else ()))  # pyright: ignore


def _plain(value: Any, name: str, key: str) -> Any:
    if isinstance(value, SymInt | np.integer):
        return int(value)
    if isinstance(value, np.floating):
        return float(value)
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, type | np.dtype):
        return np.dtype(value).name
    try:
        json.dumps(value)
    except TypeError:
        raise TypeError(
            message(f"argument '{key}' of {name} cannot be kept in a compiled program: {value!r}")
        ) from None
    return value


def register_library() -> None:
    """Make library calls of the functions in `FUNCTION_NAMES` that have no other meaning."""
    for line in FUNCTION_NAMES.replace("\n  ", " ").strip().splitlines():
        module, _, names = line.partition(": ")
        for name in names.split():
            function = getattr(importlib.import_module(module), name, None)
            if function is not None:
                FUNCTIONS.setdefault(function, _bind(function))


def _bind(function: Any) -> Any:
    return lambda *args, **kwargs: library_function(function, *args, **kwargs)
