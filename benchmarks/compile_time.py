"""How the time to compile grows with the program: a table, a plot of bars, and the exponent of the growth; and what the
cache on disk saves.

python benchmarks/compile_time.py [--largest N]
"""

import argparse
import gc
import os
import resource
from collections.abc import Callable, Sequence
from math import log
from tempfile import TemporaryDirectory
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


def layers(operations: int) -> Callable[..., Any]:
    """Layers of a network, each two products, a normalisation and a softmax."""

    def program(x: Any, y: Any) -> Any:
        for _ in range(operations // 16):
            value = x @ y.T[:, :30] @ x
            value = value - value.mean(axis=1, keepdims=True)
            value = value / np.sqrt((value * value).mean(axis=1, keepdims=True) + 1e-5)
            value = np.exp(value - value.max(axis=1, keepdims=True))
            x = x + value / value.sum(axis=1, keepdims=True)
        return x

    return program


def terms(operations: int) -> Callable[..., Any]:
    """An additive model: looked up effects, added up, and the sum of the squares of each: one loop of many results."""

    def program(x: Any, y: Any) -> Any:
        total, penalty, index = np.float32(0), np.float32(0), x[0].astype(np.int64)
        for k in range(operations // 8):
            effect = y[k % 30] * (1.5 + k)
            total = total + effect[index]
            penalty = penalty - 0.5 * (effect * effect).sum()
        return (total * total).sum() + penalty

    return program


def seconds(program: Callable[..., Any]) -> float:
    """Processor time to trace and compile it."""
    x = np.ones((30, 100), np.float32)
    jitted = lw.jit(program, threads=1)
    gc.collect()  # else what is left of earlier programs is collected within this time
    start = process_time()
    jitted.lower(x, x).compile()
    return process_time() - start


def first_call(function: Callable[..., Any], args: Sequence[Any]) -> float:
    """Processor time of the first call with arrays like these, in milliseconds: trace, compile or load, and run."""
    jitted = lw.jit(function, threads=1)
    gc.collect()  # else what is left of earlier programs is collected within this time
    start = process_time()
    jitted(*args)
    return 1e3 * (process_time() - start)


def from_disk() -> None:
    """The first call of programs, compiled and then read from the cache."""
    x = np.ones((30, 100), np.float32)
    programs: dict[str, Callable[..., Any]] = {
        "a * x + y": lambda x, y: 2 * x + y,
        "softmax": lambda x, y: np.exp(x - x.max(axis=1, keepdims=True)) / np.exp(x).sum(axis=1, keepdims=True),
        "24 operations, two row sums": rows(24),
        "40 operations": chain(40),
    }
    print("first call, compiled and from the cache:")
    with TemporaryDirectory() as folder:
        os.environ["LOOPWELD_CACHE_DIR"] = folder
        for name, program in programs.items():
            compiled = first_call(program, (x, x))
            loaded = min(first_call(program, (x, x)) for _ in range(5))
            print(f"  {name:30} {compiled:8.1f} ms {loaded:8.2f} ms")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--largest", type=int, default=2000, metavar="N", help="operations of the largest program")
    largest = parser.parse_args().largest
    for family in (chain, rows, layers, terms):
        print(f"{family.__name__}: {family.__doc__}")
        sizes = [largest >> k for k in range(4, -1, -1)]
        times = [seconds(family(size)) for size in sizes]
        for size, time in zip(sizes, times, strict=True):
            bar = "#" * max(round(WIDTH * time / max(times)), 1)
            print(f"  {size:6d} operations {1e3 * time:8.1f} ms {1e6 * time / size:7.0f} us each  {bar}")
        growth = log(times[-1] / times[1]) / log(sizes[-1] / sizes[1])
        print(f"  grows as n^{growth:.2f}")
    from_disk()
    print(f"most memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


if __name__ == "__main__":
    main()
