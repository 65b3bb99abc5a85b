"""A process for one peer: it builds, verifies and times what run.py asks for, in lines of JSON.

python benchmarks/worker.py PEER THREADS CORES
"""

import gc
import json
import os
import re
import sys
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from time import perf_counter
from typing import Any

import numpy as np
from machine import pin

SAMPLE = 1e-4
"""Seconds that a sample lasts at least."""
COMPARED = 1 << 19
"""Elements of a result that are compared; of a longer one, as many at equal distances."""


class Worker:
    def __init__(self, peer: str, threads: int) -> None:
        from peers import PEERS

        self.peer = PEERS[peer](threads)
        self.ours = peer == "loopweld"
        self.call: Any = None
        self.repeats = 1

    def start(self) -> dict[str, Any]:
        missing = [name for name in self.peer.modules if not _is_there(name)]
        if missing:
            return {"skip": f"not installed: {', '.join(missing)}"}
        start = perf_counter()
        self.peer.start()
        return {"start": perf_counter() - start, "version": _version(self.peer.modules[0])}

    def build(self, case: str, inputs: list[str], expected: list[str]) -> dict[str, Any]:
        from cases import CASES

        program = CASES[case]
        arrays = [np.load(path) for path in inputs]
        exact = [np.load(path) for path in expected]
        outputs = [np.empty_like(a) for a in exact]
        start = perf_counter()
        self.call, fetch = self.peer.build(program, arrays, outputs)
        result = self.call()
        found: dict[str, Any] = {"first": perf_counter() - start}
        wrong = _difference(fetch(result), exact, program.tolerance)
        del result, exact
        if wrong:
            self.free()
            return {"skip": f"wrong: {wrong}"}
        if self.ours:
            found["from_disk"] = self._first_call(program, arrays, outputs)
        found["seconds"] = self._settle()
        return found

    def _first_call(self, program: Any, arrays: list[Any], outputs: list[Any]) -> float:
        """What the first call takes when the program is in the cache on disk."""
        times: list[float] = []
        for _ in range(3):
            start = perf_counter()
            self.peer.build(program, arrays, outputs)[0]()
            times.append(perf_counter() - start)
        return min(times)

    def _settle(self) -> float:
        """Calls until the caches and the clock of the CPU are warm; sets how many calls make a sample."""
        start = perf_counter()
        self.call()
        seconds = perf_counter() - start
        while perf_counter() - start < 0.01:
            now = perf_counter()
            self.call()
            seconds = min(perf_counter() - now, seconds)
        self.repeats = max(int(SAMPLE / seconds), 1)
        return seconds

    def time(self, seconds: float) -> dict[str, Any]:
        """The least time of samples taken for so long, at least two."""
        call, repeats, times = self.call, range(self.repeats), list[float]()
        end = perf_counter() + seconds
        while len(times) < 2 or perf_counter() < end:
            start = perf_counter()
            for _ in repeats:
                call()
            times.append((perf_counter() - start) / self.repeats)
            if times[-1] > 1:
                break
        return {"seconds": min(times)}

    def free(self) -> dict[str, Any]:
        self.call = None
        self.peer.reset()
        gc.collect()
        return {}


def _is_there(module: str) -> bool:
    with suppress(ModuleNotFoundError):
        return find_spec(module) is not None
    return False


def _version(module: str) -> str:
    for name in (module.replace(".", "-base-"), module):
        with suppress(PackageNotFoundError):
            return version(name)
    return str(getattr(sys.modules.get(module), "__version__", "?"))


def _difference(results: Any, exact: list[Any], tolerance: float) -> str | None:
    """What is wrong with the results, if anything."""
    if len(results) != len(exact):
        return f"{len(results)} results instead of {len(exact)}"
    for k, (found, right) in enumerate(zip(map(np.asarray, results), exact, strict=True)):
        if found.shape != right.shape or found.dtype.itemsize > right.dtype.itemsize:
            return f"result {k} is {found.dtype}{list(found.shape)} instead of {right.dtype}{list(right.shape)}"
        found, right = (a.reshape(-1)[:: a.size // COMPARED | 1].astype(np.float64) for a in (found, right))
        error = float(np.abs(found - right).max() / (np.abs(right).max() + 1e-300))
        if not error <= tolerance:
            return f"result {k} is off by {error:.1e} of its largest element"
    return None


def _one_line(error: Exception) -> str:
    """The error without colours and folders of this machine."""
    text = re.sub(r"\x1b\[\d+m|(?<![\w.])/(?:[\w.+-]+/)+", "", f"{type(error).__name__}: {error}")
    return " ".join(text.split())[:160]


def main() -> None:
    peer, threads, cores = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    wire = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print is not ours to send
    pin(cores)
    worker = Worker(peer, threads)
    for line in sys.stdin:
        order = json.loads(line)
        try:
            reply = getattr(worker, order.pop("do"))(**order)
        except Exception as error:  # what a peer cannot do is a result
            worker.free()
            reply = {"skip": _one_line(error)}
        wire.write(json.dumps(reply) + "\n")
        wire.flush()


if __name__ == "__main__":
    main()
