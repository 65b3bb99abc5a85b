"""The native code that all compiled functions share, loaded when the first of them needs it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from . import threads
from .codegen import forks, jit
from .codegen.cache import ObjectCache
from .loading import load_shared
from .runtime import blas, direct, entry_text, exchanges, lapack, rows, scans, tiles
from .runtime.vector_text import declarations


def native_call(cache: ObjectCache | None) -> int:
    """The address of `loopweld_call`, the vectorcall of compiled functions."""
    with _LOADING:
        if not _LOADED:
            _LOADED.append(load_shared(entry_text.TEXT, ["loopweld_call"], cache, direct.imports()))
        return _LOADED[0].addresses["loopweld_call"]


def routine(name: str, cache: ObjectCache | None, count: int) -> int | None:
    """The address of the native function for a library call, `loopweld_KIND_DTYPE`; None where this machine has not
    what it calls. Those that have blocks run them on up to `count` threads."""
    kind, dtype = name.removeprefix("loopweld_").rsplit("_", 1)
    load = _LOADS[kind]
    key = load, dtype, count if load is _tiles else 1
    with _LOADING:
        if key not in _ROUTINES:
            _ROUTINES[key] = load(dtype, cache, count)
        return _ROUTINES[key].addresses.get(name)


def _loops(
    kind: str,
    text: Callable[[str, tuple[int, int]], str],
    has_blocks: bool,
    dtype: str,
    cache: ObjectCache | None,
    count: int,
) -> jit.Loaded:
    """Loops over vectors of floats."""
    registers = jit.registers(jit.host())
    whole = declarations(dtype, registers[1]) + text(dtype, registers)
    imports = threads.imports(count, cache) if has_blocks else None
    return load_shared(whole, [f"loopweld_{kind}_{dtype}"], cache, imports)


_tiles = partial(_loops, tiles.KIND, tiles.text, True)


def _blas(dtype: str, cache: ObjectCache | None, count: int) -> jit.Loaded:
    """Matrices times vectors and times their own transposes, if there is a BLAS."""
    found = blas.find()
    if found is None:
        return jit.Loaded({}, None)
    symbols = [f"loopweld_{kind}_{dtype}" for kind in blas.KINDS]
    return load_shared(blas.text(found, dtype), symbols, cache, blas.imports(found, dtype))


def _factors(dtype: str, cache: ObjectCache | None, count: int) -> jit.Loaded:
    """Factors of matrices and triangular systems, if there is a LAPACK."""
    found = lapack.find()
    if found is None:
        return jit.Loaded({}, None)
    symbols = [f"loopweld_{kind}_{dtype}" for kind in lapack.SHIMS]
    return load_shared(lapack.text(found, dtype), symbols, cache, lapack.imports(found, dtype))


def _scans(dtype: str, cache: ObjectCache | None, count: int) -> jit.Loaded:
    return load_shared(scans.text(dtype), [f"loopweld_{kind}_{dtype}" for kind in scans.KINDS], cache)


def _exchanges(dtype: str, cache: ObjectCache | None, count: int) -> jit.Loaded:
    return load_shared(exchanges.TEXT, ["loopweld_permutation_i8"], cache)


_LOADS: dict[str, Callable[[str, ObjectCache | None, int], jit.Loaded]] = {
    tiles.KIND: _tiles,
    "rows": partial(_loops, "rows", rows.rows_text, False),
    "dots": partial(_loops, "dots", rows.dots_text, False),
    **dict.fromkeys(blas.KINDS, _blas),
    **dict.fromkeys(lapack.SHIMS, _factors),
    **dict.fromkeys(scans.KINDS, _scans),
    "permutation": _exchanges,
}
"""What loads the native functions of a kind."""
_LOADING = forks.lock()
_LOADED: list[jit.Loaded] = []
_ROUTINES: dict[object, jit.Loaded] = {}
