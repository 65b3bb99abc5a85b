"""One program measured: what the compiler did, how long it takes beside NumPy, how far off it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np

import loopweld as lw

from .programs import Program
from .timing import interleaved


@dataclass(frozen=True)
class Result:
    """Sizes in bytes, times in seconds; `error` is the largest, relative to its result's largest element."""

    name: str
    dtype: str
    kernels: int
    sweeps: int
    moved: int
    least: int
    between: int
    library_calls: tuple[Any, ...]
    ready_seconds: float
    numpy_seconds: float
    seconds: float
    error: float


def measure(program: Program, seconds: float) -> Result:
    """Compile the program, compare its result, and time it for about `seconds`."""
    start = perf_counter()
    compiled = program.compiled()
    outcome = compiled(*program.arguments)
    ready_seconds = perf_counter() - start
    report: lw.Report = program.report(compiled)
    numpy_seconds, own_seconds = interleaved(
        [lambda: program.function(*program.arguments), lambda: compiled(*program.arguments)], seconds
    )
    return Result(
        name=program.name,
        dtype=str(np.result_type(*arrays(outcome))),
        kernels=len(report.kernels),
        sweeps=sum(kernel.sweeps for kernel in report.kernels),
        moved=report.bytes_moved,
        least=report.bytes_minimum,
        between=report.temporary_bytes,
        library_calls=tuple(report.library_calls),
        ready_seconds=ready_seconds,
        numpy_seconds=numpy_seconds,
        seconds=own_seconds,
        error=largest_error(outcome, program.exact()),
    )


def largest_error(found: Any, exact: Any) -> float:
    """Over all result arrays: the largest difference, relative to the largest element; NaN where there is one."""
    return float(max((_error(a, b) for a, b in zip(arrays(found), arrays(exact), strict=True)), key=_nan_last))


def arrays(tree: Any) -> Iterator[np.ndarray[Any, Any]]:
    """The arrays of nested tuples, lists and dicts, in order."""
    if isinstance(tree, dict):
        tree = tuple(tree.values())
    if not isinstance(tree, tuple | list):
        yield np.asarray(tree)
        return
    for item in tree:
        yield from arrays(item)


def _error(found: np.ndarray[Any, Any], exact: np.ndarray[Any, Any]) -> float:
    scale = np.abs(exact).max(initial=0.0)
    return float(np.abs(found.astype(np.float64) - exact).max(initial=0.0) / (scale or 1.0))


def _nan_last(error: float) -> float:
    return np.inf if np.isnan(error) else error
