"""Random programs give what NumPy gives, whichever fusions are done: those that pay, all that are legal, none, or some
by the throw of a coin.

A batch of programs runs in a process of its own, so that a crash of compiled code names its program. For more of
them: `python tests/fuzz/test_random_programs.py 1000 2000` runs the seeds from 1000 up to 2000, and with `legal`,
`never` or `random` behind the numbers it does so with these fusions, with `out` into arrays of any layout.
"""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import product
from pathlib import Path

import pytest

BATCH = 8
BATCHES = 3
ROOT = Path(__file__).parents[2]


def run(seed: int, rule: str) -> None:
    """One program, fused by this rule, against NumPy; AssertionError where they differ."""
    import numpy as np
    from fuzz.programs import program
    from numerics.checking import check, check_out

    import loopweld as lw

    case = program(seed)
    lines = case.source.count("\n")
    # Each line may round a few times, and grow the error of what it uses.
    loose = {"terms": case.terms + 1, "ulps": 64 * lines, "coarsest": case.coarsest, "scale": case.scale}
    if rule == "out":
        check_out(case.function(), *case.arguments, rng=np.random.default_rng(seed), **loose)
        return
    target = lw.Target(fusion=rule)
    if rule == "random":  # on a machine of any size
        bits, cache = (128, 256, 512)[seed % 3], (64, 4096, 1 << 20)[seed // 3 % 3]
        target = lw.Target(fusion=f"random {seed}", vector_bits=bits, cache_bytes=cache, last_cache_share=cache)
    check(case.function(), *case.arguments, **loose, target=target)


def main(arguments: list[str]) -> int:
    """Run the seeds from the first argument up to the second, with each of the fusions that the others name; say which
    fail, and return how many do."""
    start, stop = (int(a) for a in arguments[:2])
    failed = 0
    for seed, rule in product(range(start, stop), arguments[2:] or ["profit"]):
        case = f"seed {seed} {rule}"
        print(case, flush=True)  # noqa: T201  (the last line before a crash)
        try:
            run(seed, rule)
        except Exception as error:
            from fuzz.programs import program

            failed += 1
            print(f"{case} FAILED: {type(error).__name__}: {error}\n{program(seed).source}", flush=True)  # noqa: T201
    return failed


@pytest.mark.parametrize("batch", range(BATCHES))
def test_random_programs(batch):
    seeds = (str(batch * BATCH), str((batch + 1) * BATCH))
    command = [sys.executable, "-W", "ignore", __file__, *seeds, "profit", "legal", "never", "random"]
    poison = os.environ | {"LOOPWELD_POISON": "1"}  # what is read before it is written shows
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, env=poison)
    assert done.returncode == 0, f"exit status {done.returncode}\n{done.stdout[-6000:]}\n{done.stderr[-3000:]}"


if __name__ == "__main__":
    sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
    sys.exit(min(main(sys.argv[1:]), 100))
