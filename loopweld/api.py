"""The public functions: `jit`, `compile`, `pipeline`."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from os import PathLike
from typing import Any, overload

from xdsl.dialects.builtin import ModuleOp

from loopweld.compiler import threads as native_threads
from loopweld.compiler.compiled import Compiled
from loopweld.compiler.driver import warm_up
from loopweld.compiler.jitted import Jitted
from loopweld.compiler.report import Report
from loopweld.compiler.runtime.pool import MemoryStats
from loopweld.compiler.targets import Target, as_target
from loopweld.environment import object_cache, pool, thread_count, watch

NUMERICS = ("fast", "strict")


@overload
def jit(
    function: Callable[..., Any],
    *,
    target: Target | str = "cpu",
    numerics: str = "fast",
    threads: int | None = None,
    check: bool = False,
    donate: tuple[int | str, ...] = (),
) -> Jitted: ...
@overload
def jit(
    *,
    target: Target | str = "cpu",
    numerics: str = "fast",
    threads: int | None = None,
    check: bool = False,
    donate: tuple[int | str, ...] = (),
) -> Callable[[Callable[..., Any]], Jitted]: ...
def jit(
    function: Callable[..., Any] | None = None,
    *,
    target: Target | str = "cpu",
    numerics: str = "fast",
    threads: int | None = None,
    check: bool = False,
    donate: tuple[int | str, ...] = (),
) -> Any:
    """Compile a function of plain NumPy code when it is called.

    `target`: "cpu", "numpy" (the evaluator, never fused), a level such as "x86-64-v3", or a `Target`.
    `numerics`: "fast" contracts multiply-add and ignores the sign of zero in arithmetic; "strict" does neither.
    `threads`: how many threads large arrays may use, by default `LOOPWELD_NUM_THREADS` or else all processors;
    results do not depend on it.
    `check`: also run the NumPy evaluator on each call and raise AssertionError where the results differ.
    `donate`: names or positions of arguments that the function may overwrite. A result of the same dtype and number
    of bytes then takes the memory of one where that is safe; it is a view of that array, or the array itself. Only
    memory that is dense, writeable and apart from all other arguments is taken, and none with `out=`. What a
    donated array holds after the call is undefined, unless it is a result; it may be assigned to again. A call with a
    wrong index raises before anything is overwritten.

    Numbers, arrays and Python's branches from around the function are taken as they are when it compiles, and are part
    of the program from then on: what may change is an argument.

    Results have their axes in memory in the order that the arguments have, as in NumPy: elementwise functions of
    Fortran-ordered arrays give Fortran-ordered arrays.

    Results of 2 MiB and more live in memory that is kept when the last array in it dies, see `memory_stats`. They
    behave as any other arrays, only `OWNDATA` is not set, and so `resize` makes no room in place.

    Raises ValueError for an unknown option value, and for a donated argument that the function does not have.
    """
    _check_numerics(numerics)
    threads = _threads(threads)
    resolved = as_target(target)
    cache = object_cache()
    warm_up(resolved, numerics, threads, cache)

    def make(f: Callable[..., Any]) -> Jitted:
        return Jitted(f, resolved, numerics, check, cache, watch(), pool(), donate, threads)

    return make if function is None else make(function)


def compile(
    module: ModuleOp | str | PathLike[str],
    entry: str = "main",
    target: Target | str = "cpu",
    numerics: str = "fast",
    check: bool = False,
    threads: int | None = None,
) -> Compiled:
    """Compile a function of a module: an xDSL `ModuleOp` (left as it is), the text of one, or the path of a file (a
    `Path`, or a string that ends in `.mlir`).

    The module holds `weld` ops or upstream `linalg`, `tensor`, `arith` and `math` ops on tensors. The result is
    called with one array for each argument and gives one array, or a tuple of them.
    Raises ParseError, VerifyException or PassFailedException for a wrong module, with the file, line and column in
    their text; ValueError for an unknown entry, target or numerics, or a wrong `threads` (see `jit`).
    """
    from loopweld.compiler.from_module import compile_read
    from loopweld.reading import read

    _check_numerics(numerics)
    count = _threads(threads)
    return compile_read(read(module), entry, as_target(target), numerics, check, object_cache(), watch(), pool(), count)


def pipeline(target: Target | str = "cpu") -> str:
    """The textual pass pipeline; `loopweld-opt -p "$(...)"` runs it, or any prefix of it."""
    from loopweld.compiler.pipeline import pipeline as text

    return text(as_target(target))


def memory_stats() -> MemoryStats:
    """What results and temporaries of compiled programs hold, in bytes, and how often memory was used again.

    `used`: what arrays hold that are alive, and calls under way. `idle`: what is kept for later results, at most
    `limit` (`LOOPWELD_POOL_BYTES`). `requests`, `reused`: how many blocks of memory were asked for, and how many of
    these were idle ones. Arrays below 2 MiB are NumPy's own and do not count.
    """
    return pool().stats()


def _threads(given: int | None) -> int:
    """How many threads a program may use: one, with a warning if more are asked for, where there can be no others."""
    asked = thread_count() if given is None else given
    if asked is not None and asked < 1:
        raise ValueError(f"threads must be at least 1, found {asked}")
    if native_threads.is_supported():
        return asked or native_threads.available()
    if asked is not None and asked > 1:
        warnings.warn("several threads are used on Linux only; this program runs on one", RuntimeWarning, stacklevel=3)
    return 1


def _check_numerics(numerics: str) -> None:
    if numerics not in NUMERICS:
        raise ValueError(f"numerics must be one of {', '.join(NUMERICS)}, found {numerics!r}")


__all__ = ["Compiled", "Jitted", "MemoryStats", "Report", "Target", "compile", "jit", "memory_stats", "pipeline"]
