"""The native code that all compiled functions share, loaded when the first of them needs it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .codegen import forks, jit
from .codegen.cache import ObjectCache
from .runtime import blas, direct, entry_text, exchanges, lapack, rows, scans


def load_shared(
    text: str, symbols: Sequence[str], cache: ObjectCache | None, imports: Mapping[str, int] | None = None
) -> jit.Loaded:
    """LLVM text as code of this machine, by way of the cache."""
    native = jit.host()
    key = cache.key(text, native.cpu, native.features, jit.VERSION) if cache is not None else ""
    image = cache.get(key) if cache is not None else None
    if image is None:
        image = jit.compile_object(text, native)
        if cache is not None:
            cache.put(key, image)
    return jit.load(image, symbols, imports)


def native_call(cache: ObjectCache | None) -> int:
    """The address of `loopweld_call`, the vectorcall of compiled functions."""
    with _LOADING:
        if not _LOADED:
            _LOADED.append(load_shared(entry_text.TEXT, ["loopweld_call"], cache, direct.imports()))
        return _LOADED[0].addresses["loopweld_call"]


def routines(name: str, dtype: str, cache: ObjectCache | None) -> dict[str, int]:
    """The addresses of the native functions for a routine and a dtype, by name; none where there are none."""
    load, types = _MODULES.get(name, (_factors, lapack.TYPES))
    if dtype not in types:
        return {}
    with _LOADING:
        if (load, dtype) not in _ROUTINES:
            _ROUTINES[load, dtype] = load(dtype, cache)
        return _ROUTINES[load, dtype].addresses


def _products(dtype: str, cache: ObjectCache | None) -> jit.Loaded:
    """What multiplies matrices: loops for a few rows, and BLAS if there is one."""
    found, wide = blas.find(), "+avx512f" in jit.host().features.split(",")
    kinds = rows.KINDS if found is None else (*rows.KINDS, *blas.KINDS)
    text = rows.text(dtype, wide) + (blas.text(found, dtype) if found is not None else "")
    given = blas.imports(found, dtype) if found is not None else {}
    return load_shared(text, [f"loopweld_{kind}_{dtype}" for kind in kinds], cache, given)


def _factors(dtype: str, cache: ObjectCache | None) -> jit.Loaded:
    """Factors of matrices and triangular systems, if there is a LAPACK."""
    found = lapack.find()
    if found is None:
        return jit.Loaded({}, None)
    symbols = [f"loopweld_{kind}_{dtype}" for kind in lapack.SHIMS]
    return load_shared(lapack.text(found, dtype), symbols, cache, lapack.imports(found, dtype))


def _scans(dtype: str, cache: ObjectCache | None) -> jit.Loaded:
    return load_shared(scans.text(dtype), [f"loopweld_{kind}_{dtype}" for kind in scans.KINDS], cache)


def _exchanges(dtype: str, cache: ObjectCache | None) -> jit.Loaded:
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
