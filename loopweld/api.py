"""The public functions: `jit`, `compile`, `pipeline`."""

from __future__ import annotations

from collections.abc import Callable
from os import PathLike
from typing import Any, overload

from xdsl.dialects.builtin import ModuleOp

from loopweld.compiler.compiled import Compiled
from loopweld.compiler.driver import warm_up
from loopweld.compiler.jitted import Jitted
from loopweld.compiler.report import Report
from loopweld.compiler.targets import Target, as_target
from loopweld.environment import object_cache, thread_count, watch

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
    `threads`: how many threads may be used, by default `LOOPWELD_NUM_THREADS`; results never depend on it (programs
    run on one thread so far).
    `check`: also run the NumPy evaluator on each call and raise AssertionError where the results differ.
    `donate`: names or positions of arguments whose memory results may take (a permission that is not used so far).

    Raises ValueError for an unknown option value.
    """
    _check_numerics(numerics)
    if threads is None:
        threads = thread_count()
    if threads is not None and threads < 1:
        raise ValueError(f"threads must be at least 1, found {threads}")
    resolved = as_target(target)
    warm_up(resolved, numerics)
    if function is None:
        return lambda f: Jitted(f, resolved, numerics, check, object_cache(), watch())
    return Jitted(function, resolved, numerics, check, object_cache(), watch())


def compile(
    module: ModuleOp | str | PathLike[str],
    entry: str = "main",
    target: Target | str = "cpu",
    numerics: str = "fast",
    check: bool = False,
) -> Compiled:
    """Compile a function of a module: an xDSL `ModuleOp` (left as it is), the text of one, or the path of a file (a
    `Path`, or a string that ends in `.mlir`).

    The module holds `weld` ops or upstream `linalg`, `tensor`, `arith` and `math` ops on tensors. The result is
    called with one array for each argument and gives one array, or a tuple of them.
    Raises ParseError, VerifyException or PassFailedException for a wrong module, with the file, line and column in
    their text; ValueError for an unknown entry, target or numerics.
    """
    from loopweld.compiler.from_module import compile_read
    from loopweld.reading import read

    _check_numerics(numerics)
    return compile_read(read(module), entry, as_target(target), numerics, check, object_cache(), watch())


def pipeline(target: Target | str = "cpu") -> str:
    """The textual pass pipeline; `loopweld-opt -p "$(...)"` runs it, or any prefix of it."""
    from loopweld.compiler.pipeline import pipeline as text

    return text(as_target(target))


def _check_numerics(numerics: str) -> None:
    if numerics not in NUMERICS:
        raise ValueError(f"numerics must be one of {', '.join(NUMERICS)}, found {numerics!r}")


__all__ = ["Compiled", "Jitted", "Report", "Target", "compile", "jit", "pipeline"]
