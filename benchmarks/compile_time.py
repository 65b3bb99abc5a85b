"""How the time to compile grows with the program: a table, a plot of bars, and the exponent of the growth.

python benchmarks/compile_time.py [--largest N]
"""

import argparse
import os
import resource
from collections.abc import Callable
from math import log
from time import process_time
from typing import Any

os.environ["LOOPWELD_CACHE_DIR"] = "off"

import numpy as np

import loopweld as lw

WIDTH = 40
"""Characters of the longest bar."""


def chain(operations: int) -> Callable[..., Any]:
    """Elementwise operations, each on the result of the one before: one loop."""

    def program(x: Any, y: Any) -> Any:
        value = x
        for _ in range(operations // 4):
            value = np.maximum(value * y + 0.5, x) - y
        return value

    return program


def rows(operations: int) -> Callable[..., Any]:
    """Row statistics and what follows them, added up: one kernel of many members."""

    def program(x: Any, y: Any) -> Any:
        total = 0
        for k in range(operations // 8):
            value = x * (1.0 + k) + y
            value = np.exp(value - value.mean(axis=1, keepdims=True))
            total = total + value.sum(axis=1)
        return total

    return program


def seconds(program: Callable[..., Any]) -> float:
    """Processor time to trace and compile it."""
    x = np.ones((30, 100), np.float32)
    jitted = lw.jit(program, threads=1)
    start = process_time()
    jitted.lower(x, x).compile()
    return process_time() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--largest", type=int, default=2000, metavar="N", help="operations of the largest program")
    largest = parser.parse_args().largest
    for family in (chain, rows):
        print(f"{family.__name__}: {family.__doc__}")
        sizes = [largest >> k for k in range(4, -1, -1)]
        times = [seconds(family(size)) for size in sizes]
        for size, time in zip(sizes, times, strict=True):
            bar = "#" * max(round(WIDTH * time / max(times)), 1)
            print(f"  {size:6d} operations {1e3 * time:8.1f} ms {1e6 * time / size:7.0f} us each  {bar}")
        growth = log(times[-1] / times[1]) / log(sizes[-1] / sizes[1])
        print(f"  grows as n^{growth:.2f}")
    print(f"most memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


if __name__ == "__main__":
    main()
