"""The floor of a case: the least time that this machine's measured limits allow for its bytes and its arithmetic.

`python benchmarks/limits.py THREADS` prints the limits as JSON.
"""

import json
import subprocess
import sys
from dataclasses import asdict, dataclass
from time import perf_counter
from typing import Any

import numpy as np
from machine import pin

import loopweld as lw
from loopweld.compiler.machine import machine
from loopweld.compiler.targets import as_target

FOOTPRINTS = (1 << 19, 12 << 20, 192 << 20)
"""Bytes that fit the second-level cache, the last one, and none: where rates are measured."""

MATH = {
    "exp": (7, 13),
    "log": (9, 14),
    "cos": (8, 13),
    "log1p": (11, 17),
    "tanh": (11, 20),
    "erf": (12, 22),
    "sqrt": (3, 9),
    "div": (3, 6),
    "gather": (16, 8),
    "update": (32, 16),
}
"""Multiply-adds, of a vector in float32 and in float64, in the time of which an inlined evaluation can be done at best.

Functions: those of range reduction and of a polynomial that has full precision; integer and logical instructions may
run beside them. Quotients and roots: what the divider takes. Gathers: two loads a cycle, index and element. Updates:
one store a cycle.
"""


@dataclass(frozen=True)
class Limits:
    """Measured with a number of threads: bytes a second for each of `FOOTPRINTS`, float32 operations a second; and the
    bytes that the second-level caches of the threads, and the last one, can hold."""

    bandwidth: list[float]
    flops: float
    caches: list[int]

    def seconds(self, moved: int, operations: dict[str, float], is_double: bool) -> float:
        """The larger of the times for the bytes and for the arithmetic, as if they overlapped perfectly."""
        peak = self.flops / (2 if is_double else 1)
        flops = sum(n * (2 * MATH[name][is_double] if name in MATH else 1) for name, n in operations.items())
        return max(self._moving(moved), flops / peak)

    def _moving(self, moved: int) -> float:
        """Each cache may still hold as much as it can from the call before; only the rest comes from further away."""
        seconds, inside = 0.0, 0
        for rate, size in zip(self.bandwidth, (*self.caches, moved), strict=True):
            part = max(min(moved, size) - inside, 0)
            seconds, inside = seconds + part / rate, inside + part
        return seconds

    def better(self, other: "Limits") -> "Limits":
        """What was reached in either of two measurements."""
        rates = [max(pair) for pair in zip(self.bandwidth, other.bandwidth, strict=True)]
        return Limits(rates, max(self.flops, other.flops), self.caches)


def measure_limits(threads: int) -> Limits:
    """Measured in a process of its own, on as many cores."""
    done = subprocess.run([sys.executable, __file__, str(threads)], capture_output=True, text=True, check=True)
    return Limits(**json.loads(done.stdout))


def measured(threads: int) -> Limits:
    """The best rates that any of a few loops reaches: reading, and reading with writing."""
    rates = [max(_rates(size, threads)) for size in FOOTPRINTS]
    target = as_target("cpu")
    caches = [target.cache_bytes * threads, target.last_cache_bytes]
    return Limits(rates, machine(target, threads, None).flops, caches)


def _rates(footprint: int, threads: int) -> list[float]:
    def jitted(function: Any) -> Any:
        return lw.jit(function, threads=threads)

    total, double, add = jitted(lambda x: x.sum()), jitted(lambda x: x * 2), jitted(lambda x, y: x + y)
    n = footprint // 4
    x, half, third = (np.ones(k, np.float32) for k in (n, n // 2, n // 3))
    out_half, out_third, other = np.ones_like(half), np.ones_like(third), np.ones_like(third)
    calls = [
        lambda: total(x),
        lambda: double(half, out=out_half),
        lambda: np.copyto(out_half, half),
        lambda: add(third, other, out=out_third),
    ]
    repeats = max((1 << 23) // footprint, 1)
    return [footprint * repeats / _best(call, repeats) for call in calls]


def _best(call: Any, repeats: int) -> float:
    times: list[float] = []
    for _ in range(8):
        start = perf_counter()
        for _ in range(repeats):
            call()
        times.append(perf_counter() - start)
    return min(times)


if __name__ == "__main__":
    count = int(sys.argv[1])
    pin(count)
    print(json.dumps(asdict(measured(count))))
