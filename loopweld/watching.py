"""What can be written down about each program that is compiled: its stages as files, what was decided as lines."""

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from loopweld.compiler.driver import Compilation
from loopweld.compiler.pipeline import STAGES
from loopweld.diagnostics import Position
from loopweld.perf_map import append
from loopweld.remarks import decision_remark

TOPICS = ("fusion", "passes", "cache", "perf")
"""What can be logged: every fusion decision, the time of every pass, where the native code came from; and where each
kernel's code is, for `perf`, in a file of its own."""


@dataclass(frozen=True)
class Watch:
    """Called with each compilation. `folder` gets its stages, the standard error the lines of `topics`."""

    folder: Path | None = None
    topics: frozenset[str] = frozenset()

    def __call__(self, compilation: Compilation) -> None:
        if self.folder is not None:
            texts = {stage: compilation.text(stage) for stage in STAGES}
            dump({stage: text for stage, text in texts.items() if text is not None}, self.folder)
        for line in lines(compilation, self.topics):
            sys.stderr.write(f"loopweld: {line}\n")
        if "perf" in self.topics:
            append(compilation)

    def failed(self, stages: Mapping[str, str]) -> None:
        if self.folder is not None:
            dump(stages, self.folder)


def dump(stages: Mapping[str, str], folder: Path) -> None:
    """Write `0000-1-tensor.mlir`, ..., `0000-5-llvm.ll`; the first number is the next that the folder has not. Of a
    program that cannot be compiled `0000-3-failed.mlir` is the stage at which that was found."""
    folder.mkdir(parents=True, exist_ok=True)
    number = _take_number(folder)
    position = 0
    for stage, text in stages.items():
        position = STAGES.index(stage) + 1 if stage in STAGES else position + 1
        path = folder / f"{number:04}-{position}-{stage}.{'ll' if position == len(STAGES) else 'mlir'}"
        path.write_text(text, encoding="utf-8")


def _take_number(folder: Path) -> int:
    """The first number without a file, which is made: two processes never take the same one."""
    for number in count():
        try:
            (folder / f"{number:04}-1-{STAGES[0]}.mlir").touch(exist_ok=False)
        except FileExistsError:
            continue
        return number
    raise AssertionError("there is always a next number")


def lines(compilation: Compilation, topics: frozenset[str]) -> Iterator[str]:
    """What there is to say about a compilation, topic by topic."""
    if "fusion" in topics:
        for decision in compilation.decisions:
            at = Position.of_location(decision.location)
            where = f" at {at.file}:{at.line}" if at is not None else ""
            yield f"fusion: {decision_remark(decision, Position('')).message}{where}"
    if "passes" in topics:
        for name, milliseconds in compilation.timings.items():
            yield f"passes: {name} {milliseconds:.2f} ms"
    if "cache" in topics and compilation.executable.addresses:
        yield f"cache: the native code was {'read from the cache' if compilation.disk_hit else 'compiled'}"
