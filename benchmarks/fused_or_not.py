"""Fused against not fused: one code generator, once with the fusions that save bytes and once with none.

python benchmarks/fused_or_not.py [--quick] [--only WORD ...] [--sizes BYTES ...] [--json FILE]

Three sizes of each: the second-level cache, the last one, memory. Rounds take turns, and the least of them counts.
The exit status is 1 where fusing made a program more than 3 % slower, beyond what the same measurement, split in two,
differs from itself. The last column is for every fusion that is legal, whether it saves bytes or not.
"""

import argparse
import json
import os
import sys
from dataclasses import asdict, dataclass, field
from typing import Any

os.environ.setdefault("LOOPWELD_NUM_THREADS", "1")

import numpy as np
from graphs import Make, graphs

import loopweld as lw
from loopweld.demo.timing import samples

SIZES = (1 << 17, 1 << 22, 1 << 26)
"""Bytes of the largest argument."""
TOLERANCE = 0.03
"""How much slower a fused program may be."""
TRIES = 4
"""How often what seems slower is measured, for longer each time."""


@dataclass
class Times:
    """Seconds of a call: the least of all rounds, and how far the least of every other round lies from it."""

    rounds: list[float] = field(default_factory=list)

    @property
    def least(self) -> float:
        return min(self.rounds)

    @property
    def noise(self) -> float:
        return max(min(self.rounds[0::2]), min(self.rounds[1::2])) / self.least - 1


@dataclass
class Result:
    name: str
    bytes: int
    fused_seconds: float
    unfused_seconds: float
    noise: float
    kernels: int
    legal_seconds: float
    """With all fusions that give the right result."""

    @property
    def ratio(self) -> float:
        """How many times as fast the fused program is."""
        return self.unfused_seconds / self.fused_seconds

    @property
    def is_slower(self) -> bool:
        return self.ratio * (1 + TOLERANCE + self.noise) < 1


def measure(name: str, make: Make, size: int, seconds: float) -> Result:
    function, arguments = make(size // 4)
    compiled = [lw.jit(function, target=lw.Target(fusion=choice)) for choice in ("never", "profit", "legal")]
    out = compiled[0](*arguments)
    calls = (
        [lambda f=f: f(*arguments, out=out) for f in compiled]
        if _is_arrays(out)
        else [lambda f=f: f(*arguments) for f in compiled]
    )
    times = [Times() for _ in calls]
    unfused, fused, legal = times
    for attempt in range(1, TRIES + 1):
        for found, more in zip(times, samples(calls, seconds * attempt), strict=True):
            found.rounds += more
        if unfused.least * (1 + TOLERANCE) >= fused.least:
            break
    return Result(
        name,
        sum(np.asarray(a).nbytes for a in arguments),
        fused.least,
        unfused.least,
        fused.noise + unfused.noise,
        len(compiled[1].explain(*arguments).kernels),
        legal.least,
    )


def _is_arrays(out: Any) -> bool:
    """Whether a result can be given back as `out`: it is an array, or a tuple of them."""
    return all(isinstance(o, np.ndarray) for o in (out if isinstance(out, tuple) else (out,)))


def main() -> int:
    options = arguments()
    results: list[Result] = []
    print(f"{'program':32} {'size':>8} {'fused':>10} {'unfused':>10} {'faster':>7} {'noise':>6}  kernels {'legal':>7}")
    for name, make in graphs(options.only):
        for size in options.sizes:
            result = measure(name, make, size, 0.1 if options.quick else 0.5)
            results.append(result)
            print(line(result), flush=True)
    slower = [r for r in results if r.is_slower]
    print(f"{len(results)} measurements, geometric mean {np.exp(np.mean(np.log([r.ratio for r in results]))):.2f}")
    print(*(f"slower than unfused: {r.name}, {r.bytes} bytes, {r.ratio:.2f}" for r in slower), sep="\n")
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump([asdict(r) | {"ratio": r.ratio, "slower": r.is_slower} for r in results], file, indent=1)
    return int(bool(slower))


def line(r: Result) -> str:
    text = f"{r.name:32} {r.bytes / 1e6:6.1f}MB {1e6 * r.fused_seconds:8.1f}us {1e6 * r.unfused_seconds:8.1f}us"
    text += f" {r.ratio:6.2f}x {100 * r.noise:5.1f}% {r.kernels:8} {r.unfused_seconds / r.legal_seconds:6.2f}x"
    return text + (" SLOWER" if r.is_slower else "")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a tenth of a second a program instead of half a second")
    parser.add_argument("--only", nargs="*", metavar="WORD", help="the programs whose names contain one of the words")
    parser.add_argument("--sizes", nargs="*", metavar="BYTES", type=int, default=SIZES, help="of the largest argument")
    parser.add_argument("--json", metavar="FILE", help="also write the numbers there")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
