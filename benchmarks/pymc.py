"""PyMC models in the modes NUMBA and LOOPWELD: time of the first call, time of a call, difference of the results.

python benchmarks/pymc.py [--only NAME ...]

Needs `pip install "loopweld[pytensor]" pymc numba`. Each model has a process and empty caches of its own; what both
modes load for any function at all is loaded before. The first call is what a mode compiles for; PyTensor's rewrites,
which come before it, are listed apart. Both are seconds of the CPU, which other programs change less than those of a
clock. Two models are under way at a time, each on one thread. Calls take turns: a call's time is the least of many.
LOOPWELD's results are compared with NUMBA's, near the start and far from it, where scales and rates overflow or vanish;
where they differ, both are compared with those of PyTensor's Python code. The exit status is 1 where a goal is missed.
"""

import argparse
import gc
import logging
import os
import resource
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter, process_time

sys.path.append(sys.path.pop(0))  # first of all this file would be `pymc`
os.environ.setdefault("LOOPWELD_CACHE_DIR", "off")
os.environ.setdefault("LOOPWELD_NUM_THREADS", "1")
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")
SCRATCH = tempfile.TemporaryDirectory()
os.environ.setdefault("PYTENSOR_FLAGS", f"base_compiledir={SCRATCH.name}")

import numpy as np  # noqa: E402  (they read the environment)
import pymc as pm  # noqa: E402
import pytensor  # noqa: E402
import pytensor.tensor as pt  # noqa: E402
from pymc_models import MODELS  # noqa: E402
from pytensor.compile.mode import Mode  # noqa: E402
from pytensor.link.numba import cache  # noqa: E402

import loopweld.pytensor  # noqa: E402

MODES = ("LOOPWELD", "NUMBA")
REFERENCE = Mode("py", "fast_run").excluding("cxx_only", "BlasOpt", "fusion", "inplace")
NEAR, FAR = (0.3,) * 8, (3, 3, 100, 1000)
"""How far from the start the points of the comparison are, in standard deviations."""
ROUNDS, SECONDS = 60, 0.001
CLOSE = 1e-10
LARGE = "additive_80"


@dataclass(frozen=True)
class Result:
    """What was measured of a model; pairs are LOOPWELD's and NUMBA's."""

    name: str
    dims: int
    rewrites: float
    first: tuple[float, float]
    call: tuple[float, float]
    near: float
    """The largest relative difference of LOOPWELD's results."""
    far: float
    python: tuple[float, float] | None
    """The largest ones from PyTensor's Python code, where the modes differ."""
    megabytes: float
    """The most memory that the process had once LOOPWELD had compiled."""
    fallbacks: dict[str, int]

    def line(self) -> str:
        firsts = f"{self.first[0]:.2f} / {self.first[1]:.2f}"
        calls = f"{self.call[0] * 1e6:.1f} / {self.call[1] * 1e6:.1f}"
        columns = [
            f"{self.name:30}{self.dims:6}{self.rewrites:11.2f}",
            f"{firsts:>15}{self.cold:7.1f}{calls:>17}{self.warm:7.2f}",
            f"{self.near:9.0e}{self.far:9.0e}",
        ]
        if self.python is not None:
            columns.append("\n    from Python's: {:.0e} / {:.0e}".format(*self.python))
        return "".join(columns) + (f"\n    PyTensor runs {self.fallbacks}" if self.fallbacks else "")

    @property
    def cold(self) -> float:
        """How many times faster than NUMBA the first call is."""
        return self.first[1] / self.first[0]

    @property
    def warm(self) -> float:
        """How many times faster than NUMBA a call is."""
        return self.call[1] / self.call[0]

    @property
    def difference(self) -> float:
        """The difference that counts: none where NUMBA's from PyTensor's Python code is at least as large."""
        found = max(self.near, self.far)
        if self.python is None or self.python[0] > self.python[1]:
            return found
        return min(found, CLOSE)


HEAD = (
    f"{'model':30}{'dims':>6}{'rewrites s':>11}{'first call s':>15}{'ratio':>7}{'a call us':>17}{'ratio':>7}"
    f"{'near':>9}{'far':>9}"
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="*", metavar="NAME", help="these models", choices=[*MODELS])
    chosen = parser.parse_args().only or [*MODELS]
    logging.disable(logging.ERROR)  # PyTensor tells of rewrites of its own that fail
    x = pt.vector("x")
    for mode in MODES:
        pytensor.function([x], x + 1, mode=mode)(np.zeros(2))
    gc.collect()
    gc.freeze()  # a collection in a child would copy all that it has of the parent
    print(HEAD, flush=True)
    results: list[Result] = []
    with get_context("fork").Pool(2, maxtasksperchild=1) as pool:
        for result in pool.imap_unordered(measure, chosen):
            print(result.line(), flush=True)
            results.append(result)
    sys.exit(not print_goals(results))


def print_goals(results: list[Result]) -> bool:
    """What is wanted of all models, and what was found; whether every goal is met."""
    mean = exp(sum(log(r.warm) for r in results) / len(results))
    cold, warm = min((r.cold, r.name) for r in results), min((r.warm, r.name) for r in results)
    difference = max((r.difference, r.name) for r in results)
    goals = [
        ("first call: times faster, least", ">= 10", cold, cold[0] >= 10),
        ("a call: times faster, geometric mean", ">= 1.5", (mean, ""), mean >= 1.5),
        ("a call: times faster, least", ">= 1", warm, warm[0] >= 1),
        ("difference, largest", f"<= {CLOSE:.0e}", difference, difference[0] <= CLOSE),
    ]
    for r in results:
        if r.name == LARGE:
            goals.append(("first call: seconds", "< 3", (r.first[0], r.name), r.first[0] < 3))
            goals.append(("memory: MB", "< 1000", (r.megabytes, r.name), r.megabytes < 1000))
    print()
    for what, wanted, (found, name), met in goals:
        print(f"{what:42}{wanted:>10}{found:12.3g}  {'yes' if met else 'NO ':4}{name}")
    return all(met for *_, met in goals)


def measure(name: str) -> Result:
    """Runs in a process of its own."""
    cache.NUMBA_CACHE_PATH = Path(tempfile.mkdtemp(dir=SCRATCH.name))
    functions, rewrites, first = [], [], []
    with pm.Model() as model:
        MODELS[name]()
    point = np.concatenate([np.ravel(v) for v in model.initial_point().values()]).astype(float)
    megabytes = 0.0
    for mode in MODES:
        start = process_time()
        functions.append(density(model, mode))
        middle = process_time()
        functions[-1](point)
        rewrites.append(middle - start)
        first.append(process_time() - middle)
        megabytes = megabytes or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    own, other = functions
    near, far = (largest_difference(own, other, point, steps) for steps in (NEAR, FAR))
    python = None
    if max(near, far) > CLOSE:
        exact = density(model, REFERENCE)
        python = tuple(largest_difference(f, exact, point, NEAR + FAR) for f in functions)
    times = [min(found) for found in interleaved(functions, point)]
    return Result(
        name,
        point.size,
        rewrites[0],
        (first[0], first[1]),
        (times[0], times[1]),
        near,
        far,
        python,
        megabytes,
        loopweld.pytensor.report(own).fallbacks,
    )


def density(model: pm.Model, mode):
    """The log density and its gradient, as a function of all parameters in one vector."""
    found = model.logp_dlogp_function(ravel_inputs=True, mode=mode)
    found.set_extra_values({})
    found._pytensor_function.trust_input = True
    return found._pytensor_function


def largest_difference(function, exact, start: np.ndarray, steps: Sequence[float]) -> float:
    """The largest relative difference of the functions' results at random points."""
    rng = np.random.default_rng(0)
    points = [start + rng.normal(size=start.size) * step for step in steps]
    with np.errstate(all="ignore"):
        return max(difference(results(function, p), results(exact, p)) for p in points)


def results(function, point: np.ndarray) -> Sequence[np.ndarray] | None:
    """None where a matrix has no inverse, which every mode raises an error for."""
    try:
        return function(point)
    except np.linalg.LinAlgError:
        return None


def difference(found: Sequence[np.ndarray] | None, wanted: Sequence[np.ndarray] | None) -> float:
    """The largest relative difference of finite results; infinity where one is finite and the other is not. A wanted
    NaN says nothing: PyTensor's formula has overflowed on the way, as its `1 / (1 + exp(-x))` does below -709."""
    if found is None or wanted is None:
        return 0.0 if found is wanted else np.inf
    worst = 0.0
    for a, b in zip(found, wanted, strict=True):
        finite = np.isfinite(b)
        if not np.array_equal(finite, np.isfinite(a) & ~np.isnan(b)):
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
