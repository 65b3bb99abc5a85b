"""The native code that all compiled functions share, loaded when the first of them needs it."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence

from .codegen import jit
from .codegen.cache import ObjectCache
from .runtime import blas, direct, entry_text


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


def products(cache: ObjectCache | None) -> dict[str, int]:
    """The addresses of what calls BLAS for products of matrices, by name; none where there is no BLAS to call."""
    found = blas.find()
    if found is None:
        return {}
    with _LOADING:
        if not _PRODUCTS:
            _PRODUCTS.append(load_shared(blas.text(found), blas.SHIMS, cache, blas.imports(found)))
        return _PRODUCTS[0].addresses


_LOADING = threading.Lock()
_LOADED: list[jit.Loaded] = []
_PRODUCTS: list[jit.Loaded] = []
