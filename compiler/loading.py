"""LLVM text that is not of one program, as code in this process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .codegen import jit
from .codegen.cache import ObjectCache


def load_shared(
    text: str, symbols: Sequence[str], cache: ObjectCache | None, imports: Mapping[str, int] | None = None
) -> jit.Loaded:
    """LLVM text as code of this machine, by way of the cache."""
    native = jit.host()
    key = cache.key(text, native.cpu, native.features, jit.VERSION) if cache is not None else ""
    image = cache.get(key) if cache is not None else None
    if image is None:
        image = jit.compile_object(text, native, scalar_loops=True)
        if cache is not None:
            cache.put(key, image)
    return jit.load(image, symbols, imports)
