"""The native code that all compiled functions share, loaded when the first of them needs it."""

from __future__ import annotations

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


def routines(name: str, dtype: str, cache: ObjectCache | None, count: int) -> dict[str, int]:
    """The addresses of the native functions for a routine and a dtype, by name; none where there are none. Those that
    have blocks run them on up to `count` threads."""
    load, types = _MODULES.get(name, (_factors, lapack.TYPES))
    if dtype not in types:
        return {}
    key = load, dtype, count if load is _products else 1
    with _LOADING:
        if key not in _ROUTINES:
            _ROUTINES[key] = load(dtype, cache, count)
        return _ROUTINES[key].addresses


def _products(dtype: str, cache: ObjectCache | None, count: int) -> jit.Loaded:
    """What multiplies matrices: loops for many rows and for a few, and BLAS, if there is one, for the rest."""
    found, registers = blas.find(), jit.registers(jit.host())
    kinds = (tiles.KIND, *rows.KINDS, *(blas.KINDS if found is not None else ()))
    text = declarations(dtype, registers[1]) + rows.text(dtype, registers) + tiles.text(dtype, registers)
    text += blas.text(found, dtype) if found is not None else ""
    given = threads.imports(count, cache) | (blas.imports(found, dtype) if found is not None else {})
    return load_shared(text, [f"loopweld_{kind}_{dtype}" for kind in kinds], cache, given)


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


_MODULES = {
    "matmul": (_products, blas.TYPES),
    "cumsum": (_scans, scans.TYPES),
    "cumprod": (_scans, scans.TYPES),
    "permutation": (_exchanges, exchanges.TYPES),
}
_LOADING = forks.lock()
_LOADED: list[jit.Loaded] = []
_ROUTINES: dict[object, jit.Loaded] = {}
