"""A peer's process, as the driver sees it: questions and answers, a limit of time, a new start after its end."""

import json
import os
import subprocess
from pathlib import Path
from threading import Timer
from typing import Any

PATIENCE, FIRST = 120.0, 600.0
"""Seconds after which a peer that has not answered is stopped; the same for its imports and first program."""


class Process:
    """worker.py for one peer in an interpreter, with as many threads and cores; our programs go to `cache`."""

    def __init__(self, name: str, threads: int, cores: int, cache: str, python: str) -> None:
        names = ("OMP", "OPENBLAS", "MKL", "NUMEXPR", "NUMEXPR_MAX", "NUMBA", "LOOPWELD")
        self.environment = os.environ | {f"{n}_NUM_THREADS": str(threads) for n in names}
        self.environment |= {"LOOPWELD_CACHE_DIR": cache, "TF_CPP_MIN_LOG_LEVEL": "3"}
        self.command = [python, str(Path(__file__).with_name("worker.py")), name, str(threads), str(cores)]
        self.name, self.threads = name, threads
        self.about = self._start()

    def __enter__(self) -> "Process":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()

    def _start(self) -> dict[str, Any]:
        pipe, quiet = subprocess.PIPE, subprocess.DEVNULL
        self.process = subprocess.Popen(
            self.command, stdin=pipe, stdout=pipe, stderr=quiet, text=True, env=self.environment
        )
        return self._exchange("start", {})

    def ask(self, do: str, **how: Any) -> dict[str, Any]:
        """Its answer; one with the key "skip" where there is none."""
        reply = self._exchange(do, how)
        if self.process.poll() is not None:
            self._start()
        return reply

    def _exchange(self, do: str, how: dict[str, Any]) -> dict[str, Any]:
        assert self.process.stdin is not None and self.process.stdout is not None
        timer = Timer(FIRST if do == "start" else PATIENCE, self.process.kill)
        timer.start()
        try:
            self.process.stdin.write(json.dumps({"do": do} | how) + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        finally:
            timer.cancel()
        if line:
            return json.loads(line)
        self.process.wait()
        return {"skip": "no answer: its process ended, or took too long"}
