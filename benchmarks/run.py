"""NumPy against loopweld: medians of interleaved runs, as a table and as JSON.

python benchmarks/run.py [--quick] [--only NAME ...] [--json FILE]
"""

import argparse
import json
import os
import platform
from dataclasses import asdict
from math import exp, log

os.environ.setdefault("LOOPWELD_NUM_THREADS", "1")  # as NumPy

import numpy as np
from cases import cases

import loopweld
from loopweld.demo.measure import Result, measure
from loopweld.demo.table import lines


def main() -> None:
    options = arguments()
    chosen = [case for case in cases() if not options.only or case.name in options.only]
    results = []
    for case in chosen:
        print(f"{case.name}: {case.what}", flush=True)
        results.append(measure(case, 0.1 if options.quick else 1.5))
    print("", *lines(results), "", f"geometric mean: {mean_ratio(results):.2f} times NumPy's speed", sep="\n")
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump({"machine": machine(), "results": [asdict(result) for result in results]}, file, indent=1)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a tenth of a second a case instead of one and a half")
    parser.add_argument("--only", nargs="*", metavar="NAME", help="these cases")
    parser.add_argument("--json", metavar="FILE", help="also write the numbers there")
    return parser.parse_args()


def mean_ratio(results: list[Result]) -> float:
    ratios = [log(result.numpy_seconds / result.seconds) for result in results]
    return exp(sum(ratios) / len(ratios))


def machine() -> dict[str, str | int | None]:
    versions = {"loopweld": loopweld.__version__, "numpy": np.__version__, "python": platform.python_version()}
    return {**versions, "platform": platform.platform(), "processor": processor(), "cores": os.cpu_count()}


def processor() -> str:
    """The CPU's name, where Linux tells it."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            names = [line.partition(":")[2].strip() for line in file if line.startswith("model name")]
    except OSError:
        names = []
    return names[0] if names else platform.processor()


if __name__ == "__main__":
    main()
