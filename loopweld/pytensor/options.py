"""How the programs of PyTensor functions are compiled: what `jit` takes as keywords."""

from __future__ import annotations

from dataclasses import dataclass

from loopweld.compiler import threads as native_threads
from loopweld.compiler.codegen.cache import ObjectCache
from loopweld.compiler.driver import Watch
from loopweld.compiler.runtime.pool import Pool
from loopweld.compiler.targets import Target, as_target
from loopweld.environment import object_cache, pool, thread_count, watch


@dataclass(frozen=True)
class Options:
    """The environment's settings, and the defaults of `jit`."""

    target: Target
    numerics: str
    cache: ObjectCache | None
    watch: Watch | None
    pool: Pool
    threads: int


def default_options() -> Options:
    threads = (thread_count() or native_threads.available()) if native_threads.is_supported() else 1
    return Options(as_target("cpu"), "fast", object_cache(), watch(), pool(), threads)
