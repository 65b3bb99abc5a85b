"""Two threads against one: ten kinds of loops over sizes around those from which threads are used.

python benchmarks/threads.py [--quick] [--only WORD ...] [--elements N ...] [--threads N] [--json FILE]

Each size is measured with calls one after the other, where the other threads still look for work, and with pauses in
which they fall asleep. Calls take turns, and the least of them counts. The exit status is 1 where threads made a
program more than 3 % slower, beyond what the same measurement, split in two, differs from itself.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from fused_or_not import TOLERANCE, Times

import loopweld as lw
from loopweld.demo.timing import samples

ELEMENTS = tuple(1 << k for k in range(12, 23))
PAUSE = 1e-3
"""Seconds after which threads sleep."""
TRIES = 3
"""How often what seems slower is measured, for longer each time."""
RNG = np.random.default_rng(5)

Inputs = Callable[[int], tuple[Any, ...]]


def rows(length: int, count: int = 1) -> Inputs:
    """Matrices with rows of a length."""
    return lambda n: tuple(RNG.standard_normal((n // length, length), np.float32) for _ in range(count))


def flat(n: int) -> tuple[Any, ...]:
    return (RNG.standard_normal(n, np.float32),)


def squares(n: int) -> tuple[Any, ...]:
    side = int(n**0.5)
    return tuple(RNG.standard_normal((side, side), np.float32) for _ in range(2))


def indexed(n: int) -> tuple[Any, ...]:
    """4096 numbers, and indices and numbers for n updates."""
    return *flat(4096), RNG.integers(0, 4096, n), *flat(n)


def softmax(x: Any) -> Any:
    e = np.exp(x - x.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def scatter(t: Any, i: Any, v: Any) -> Any:
    t = t.copy()
    np.add.at(t, i, v)
    return t


PROGRAMS: dict[str, tuple[Callable[..., Any], Inputs]] = {
    "elementwise, cheap": (lambda x: x * 2 + 1, flat),
    "elementwise, expensive": (lambda x: np.exp(np.sin(x)), flat),
    "row sums": (lambda x: x.sum(1), rows(256)),
    "column sums": (lambda x: x.sum(0), rows(256)),
    "full sum": (lambda x: (x * x).sum(keepdims=True), flat),
    "softmax": (softmax, rows(768)),
    "short rows": (lambda x: x - x.mean(1, keepdims=True), rows(8)),
    "transpose": (lambda x, y: x.T + y, squares),
    "gather": (lambda t, i, v: t[i] * v, indexed),
    "scatter-add": (scatter, indexed),
}


@dataclass
class Result:
    name: str
    elements: int
    one: float
    """Seconds on one thread, calls one after the other."""
    speedup: float
    awakened: float
    """The speedup of a call after a pause."""
    noise: float

    @property
    def is_slower(self) -> bool:
        return min(self.speedup, self.awakened) * (1 + TOLERANCE + self.noise) < 1


def measure(name: str, functions: list[Any], inputs: tuple[Any, ...], elements: int, seconds: float) -> Result:
    out = functions[0](*inputs)
    calls = [lambda f=f: f(*inputs, out=out) for f in functions]
    busy, paused = [Times() for _ in calls], [Times() for _ in calls]
    for attempt in range(1, TRIES + 1):
        for found, more in zip(busy, samples(calls, seconds * attempt), strict=True):
            found.rounds += more
        for found, more in zip(paused, _with_pauses(calls, seconds * attempt), strict=True):
            found.rounds += more
        if all(one.least * (1 + TOLERANCE) >= more.least for one, more in (busy, paused)):
            break
    speedup, awakened = (one.least / more.least for one, more in (busy, paused))
    noise = max(one.noise + more.noise for one, more in (busy, paused))
    return Result(name, elements, busy[0].least, speedup, awakened, noise)


def _with_pauses(calls: list[Callable[[], Any]], seconds: float) -> list[list[float]]:
    """Seconds of single calls, each after a pause."""
    found: list[list[float]] = [[] for _ in calls]
    end = time.perf_counter() + seconds
    while len(found[0]) < 4 or time.perf_counter() < end:
        for call, own in zip(calls, found, strict=True):
            time.sleep(PAUSE)
            start = time.perf_counter()
            call()
            own.append(time.perf_counter() - start)
    return found


def main() -> int:
    options = arguments()
    print(f"{'program':24} {'elements':>9} {'one thread':>11} {'speedup':>8} {'after a pause':>14} {'noise':>6}")
    results: list[Result] = []
    for name, (function, make) in PROGRAMS.items():
        if options.only and not any(word in name for word in options.only):
            continue
        functions = [lw.jit(function, threads=threads) for threads in (1, options.threads)]
        for elements in options.elements:
            found = measure(name, functions, make(elements), elements, 0.15 if options.quick else 0.5)
            results.append(found)
            print(line(found), flush=True)
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump([asdict(r) | {"slower": r.is_slower} for r in results], file, indent=1)
    return int(any(r.is_slower for r in results))


def line(r: Result) -> str:
    text = f"{r.name:24} {r.elements:9} {1e6 * r.one:9.1f}us {r.speedup:7.2f}x {r.awakened:13.2f}x"
    return text + f" {100 * r.noise:5.1f}%" + (" SLOWER" if r.is_slower else "")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a third of a second a size instead of a second")
    parser.add_argument("--only", nargs="*", metavar="WORD", help="the programs whose names contain one of the words")
    parser.add_argument("--elements", nargs="*", metavar="N", type=int, default=ELEMENTS, help="of the largest array")
    parser.add_argument("--threads", metavar="N", type=int, default=2, help="that are compared with one (default 2)")
    parser.add_argument("--json", metavar="FILE", help="also write the numbers there")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
