"""PyMC models in the modes NUMBA and LOOPWELD: time of the first call, time of a call, difference of the results.

python benchmarks/pymc.py [--only NAME ...]

Needs `pip install "loopweld[pytensor]" pymc numba`. All caches start empty, and one thread runs. The first call is
what a mode compiles for; PyTensor's rewrites, which come before it, are listed apart. Both are seconds of the
CPU, which other programs change less than those of a clock; a call's time is the least of many.
"""

import argparse
import os
import sys
import tempfile
from math import exp, log
from time import perf_counter, process_time

sys.path.append(sys.path.pop(0))  # first of all this file would be `pymc`
os.environ.setdefault("LOOPWELD_CACHE_DIR", "off")
os.environ.setdefault("LOOPWELD_NUM_THREADS", "1")
os.environ.setdefault("PYTENSOR_FLAGS", f"base_compiledir={tempfile.mkdtemp()}")

import numpy as np
import pymc as pm
from bayesian_models import MODELS

import loopweld.pytensor

MODES = ("LOOPWELD", "NUMBA")
POINTS, ROUNDS, SECONDS = 10, 150, 0.001


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="*", metavar="NAME", help="these models", choices=[*MODELS])
    chosen = parser.parse_args().only or [*MODELS]
    print(
        f"{'model':30}{'dims':>6}{'rewrites s':>12}{'first call s':>18}{'a call us':>18}{'ratio':>7}{'difference':>12}"
    )
    ratios = [measure(name) for name in chosen]
    print(f"geometric mean of the ratios: {exp(sum(map(log, ratios)) / len(ratios)):.2f}")


def measure(name: str) -> float:
    """Print one line of the table; how many times faster than NUMBA a call is."""
    with pm.Model() as model:
        MODELS[name]()
    point = np.concatenate([np.ravel(v) for v in model.initial_point().values()]).astype(float)
    functions, rewrites, first = [], [], []
    for mode in MODES:
        start = process_time()
        density = model.logp_dlogp_function(ravel_inputs=True, mode=mode)
        density.set_extra_values({})
        function = density._pytensor_function
        function.trust_input = True
        middle = process_time()
        function(point)
        functions.append(function)
        rewrites.append(middle - start)
        first.append(process_time() - middle)
    difference = max(largest_difference(*functions, p) for p in points(point))
    own, other = (min(times) for times in interleaved(functions, point))
    calls = f"{own * 1e6:.1f} / {other * 1e6:.1f}"
    firsts = f"{first[0]:.2f} / {first[1]:.2f}"
    numbers = f"{point.size:6}{rewrites[0]:11.2f}{firsts:>16}{calls:>17}{other / own:7.2f}{difference:12.1e}"
    print(f"{name:30}{numbers}", flush=True)
    report = loopweld.pytensor.report(functions[0])
    if report.fallbacks:
        print(f"    PyTensor runs {report.fallbacks}")
    return other / own


def points(start: np.ndarray) -> list[np.ndarray]:
    """Near the start and far from it."""
    rng = np.random.default_rng(0)
    return [start + rng.normal(size=start.size) * (0.3 if k < POINTS - 2 else 3) for k in range(POINTS)]


def largest_difference(own, other, point: np.ndarray) -> float:
    """The largest relative difference of finite results; infinity where one is finite and the other is not."""
    worst = 0.0
    for a, b in zip(own(point), other(point), strict=True):
        finite = np.isfinite(b)
        if not np.array_equal(finite, np.isfinite(a)):
            return np.inf
        if finite.any():
            scale = np.abs(b[finite]) + 1e-6 * np.abs(b[finite]).max() + 1e-300
            worst = max(worst, float((np.abs(a[finite] - b[finite]) / scale).max()))
    return worst


def interleaved(functions, point: np.ndarray) -> list[list[float]]:
    """Seconds a call, of many short rounds in which the functions take turns."""
    for _ in range(10):
        functions[0](point)  # small programs are called without Python in between from then on
    start = perf_counter()
    functions[0](point)
    count = int(min(500, max(1, SECONDS / (perf_counter() - start))))
    times: list[list[float]] = [[] for _ in functions]
    for _ in range(ROUNDS):
        for function, found in zip(functions, times, strict=True):
            start = perf_counter()
            for _ in range(count):
                function(point)
            found.append((perf_counter() - start) / count)
    return times


if __name__ == "__main__":
    main()
