"""`loopweld demo`, the main job: four real programs against NumPy, each with its fusion, time and error."""

import argparse
import os
import platform
import sys
import time
from pathlib import Path

from .measure import Result, measure
from .programs import EXAMPLES, Program, programs
from .table import lines

TOLERANCE = {"float32": 1e-4, "float64": 1e-10}
"""The largest error, relative to the largest element, that counts as right."""


def main(argv: list[str] | None = None) -> int:
    """Run the demo on the arguments after `demo`; 0, or 1 where a result was wrong."""
    options = _parser().parse_args(argv)
    start = time.perf_counter()
    _say(_machine())
    results = [_run(program, place, options.seconds) for place, program in enumerate(programs(), 1)]
    _say("", *lines(results), "", *_legend(results), "", *_next(), f"Done in {time.perf_counter() - start:.1f} s.")
    return int(any(_is_wrong(result) for result in results))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="loopweld demo", description=__doc__)
    parser.add_argument("--seconds", type=float, default=0.6, help="how long each program is timed (default 0.6)")
    return parser


def _run(program: Program, place: int, seconds: float) -> Result:
    _say(f"{place}. {program.name}: {program.what}")
    result = measure(program, seconds)
    verdict = "WRONG" if _is_wrong(result) else "right"
    _say(f"   ready in {result.ready_seconds:.2f} s, result {verdict}, error {result.error:.0e}")
    return result


def _is_wrong(result: Result) -> bool:
    """NaN counts as wrong."""
    return not result.error <= TOLERANCE[result.dtype]


def _machine() -> str:
    import numpy as np

    import loopweld

    versions = f"loopweld {loopweld.__version__}, NumPy {np.__version__}, Python {platform.python_version()}"
    return f"{versions}, {os.cpu_count()} cores"


def _legend(results: list[Result]) -> list[str]:
    calls = [f"{r.name} calls {', '.join(map(str, r.library_calls))}" for r in results if r.library_calls]
    return [
        "sweeps: walks over the data, all kernels together; moved: bytes from and to memory; least: each",
        "input once and each result once; between: held in memory between kernels; times: medians of",
        "interleaved runs; error: largest, against NumPy in float64, relative to the largest element",
        *calls,
    ]


def _next() -> list[str]:
    docs = Path(__file__).parents[2] / "docs" / "index.md"
    shown = [f"  {docs}  how it works, stage by stage"] if docs.exists() else []
    return [
        "Read next:",
        f"  {EXAMPLES}{os.sep}  these programs as scripts, and more",
        *shown,
        "  print(lw.jit(f).explain(*arguments))  what was fused in your own function, and why",
    ]


def _say(*texts: str) -> None:
    for text in texts:
        sys.stdout.write(text + "\n")
    sys.stdout.flush()
