"""What the machine can do at most: bytes a second from and to memory, and operations a second; measured once."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import lru_cache
from time import perf_counter
from typing import Any

import numpy as np

from .codegen import jit
from .codegen.cache import ObjectCache
from .targets import Target

COPIED = 1 << 24
"""Elements of the arrays that bandwidth is measured on: 64 MiB each, more than caches hold."""
COMPUTED = 1 << 18
"""Elements of the array that arithmetic is measured on."""
STEPS = 48
"""Multiply-adds for each element and each of four chains."""


@dataclass(frozen=True)
class Machine:
    """Limits with a number of threads: bytes a second and floating-point operations a second."""

    cpu: str
    threads: int
    bandwidth: float
    flops: float

    def seconds(self, bytes_moved: int, flops: int) -> float:
        """The least time in which so much can be moved and computed."""
        return max(bytes_moved / self.bandwidth, flops / self.flops)


def machine(target: Target, threads: int, cache: ObjectCache | None) -> Machine:
    """The limits of this machine for one of our targets; kept in the cache's folder for later processes."""
    return _machine(target, threads, cache)


@lru_cache
def _machine(target: Target, threads: int, cache: ObjectCache | None) -> Machine:
    cpu = jit.host().cpu
    path = None if cache is None else cache.folder / f"machine-{cpu}-{target.vector_bits}-{threads}.json"
    if path is not None:
        with contextlib.suppress(OSError, ValueError, TypeError):
            return Machine(**json.loads(path.read_text(encoding="utf-8")))
    found = Machine(cpu, threads, _bandwidth(target, threads), _flops(target, threads))
    if path is not None:
        with contextlib.suppress(OSError):
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.write_text(json.dumps(asdict(found)), encoding="utf-8")
    return found


def _compiled(function: Callable[..., Any], target: Target, threads: int) -> Callable[..., Any]:
    from .jitted import Jitted
    from .runtime.pool import Pool

    return Jitted(function, target, "fast", False, None, None, Pool(0), (), threads)


def _bandwidth(target: Target, threads: int) -> float:
    """One array is read and another one written, as most kernels do."""

    def twice(x: Any) -> Any:
        return x * 2

    double = _compiled(twice, target, threads)
    x, y = np.ones(COPIED, np.float32), np.ones(COPIED, np.float32)
    return 2 * x.nbytes / _best(lambda: double(x, out=y), 5)


def _flops(target: Target, threads: int) -> float:
    """Chains of multiply-adds that do not wait for each other."""

    def chains(x: Any) -> Any:
        total = x
        for k in range(4):
            y = x + k
            for _ in range(STEPS):
                y = y * x + 0.5
            total = total + y
        return total

    compute = _compiled(chains, target, threads)
    x, y = np.full(COMPUTED, 0.5, np.float32), np.ones(COMPUTED, np.float32)
    return 8 * STEPS * COMPUTED / _best(lambda: compute(x, out=y), 20)


def _best(call: Callable[[], object], count: int) -> float:
    call()
    times: list[float] = []
    for _ in range(count):
        start = perf_counter()
        call()
        times.append(perf_counter() - start)
    return min(times)
