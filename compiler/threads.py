"""The threads of compiled programs: how many there can be, and what their native code is told about them."""

from __future__ import annotations

import atexit
import ctypes
import os
import platform
from functools import lru_cache
from pathlib import Path
from typing import Any

from .codegen import forks, jit
from .codegen.cache import ObjectCache
from .codegen.parallel import BLOCKS, THREADS
from .loading import load_shared
from .runtime import blocks, workers


def is_supported() -> bool:
    """Whether a program can run on several threads here."""
    return workers.is_supported()


@lru_cache
def available() -> int:
    """The processors that this process may use: those it is bound to, or fewer where its control group has a quota."""
    if not hasattr(os, "sched_getaffinity"):
        return 1
    count = len(os.sched_getaffinity(0))
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text(encoding="ascii").split()
    except (OSError, ValueError):
        return count
    return count if quota == "max" else max(min(count, round(int(quota) / int(period))), 1)


def prepare(threads: int, cache: ObjectCache | None) -> None:
    """Load the code that all programs share and, for programs of several threads, the pool's."""
    with _LOADING:
        if blocks.ENTRY not in _ENTRIES:
            _add(load_shared(blocks.TEXT, [blocks.ENTRY], cache))
        if threads > 1 and workers.SHARE not in _ENTRIES:
            _add(_load_pool(cache))


def uses_threads(text: str) -> bool:
    """Whether a program's LLVM text leaves open what `imports` gives."""
    return f"@{THREADS}" in text


def imports(threads: int, cache: ObjectCache | None) -> dict[str, int]:
    """What calls a program's blocks, and what that is told about threads."""
    prepare(threads, cache)
    with _LOADING:
        if threads not in _TOLD:
            _TOLD[threads] = (ctypes.c_int64 * 2)(threads, _ENTRIES[workers.SHARE] if threads > 1 else 0)
        return {BLOCKS: _ENTRIES[blocks.ENTRY], THREADS: ctypes.addressof(_TOLD[threads])}


_LOADING = forks.lock()
_LOADED: list[jit.Loaded] = []
"""Keeps the code below alive."""
_ENTRIES: dict[str, int] = {}
"""The addresses of what calls blocks and, once a program wants it, of the pool of the process."""
_TOLD: dict[int, Any] = {}
"""What programs are told: how many threads they may use, and the address of what shares blocks among them."""


def _add(loaded: jit.Loaded) -> None:
    _LOADED.append(loaded)
    _ENTRIES.update(loaded.addresses)


def _load_pool(cache: ObjectCache | None) -> jit.Loaded:
    """The pool's code, which forgets its threads in the child of a fork and ends them before the process ends."""
    loaded = load_shared(workers.text(platform.machine()), workers.ENTRIES, cache)
    forget = ctypes.CFUNCTYPE(None)(loaded.addresses["loopweld_workers_forget"])
    forget()
    os.register_at_fork(after_in_child=forget)
    atexit.register(ctypes.CFUNCTYPE(None)(loaded.addresses["loopweld_workers_stop"]))
    return loaded


def running() -> int:
    """How many threads the pool has started."""
    count = _ENTRIES.get("loopweld_workers_count")
    return int(ctypes.CFUNCTYPE(ctypes.c_int64)(count)()) if count is not None else 0
