"""What became of a PyTensor function: native programs, fallbacks, and the time it took to make them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from textwrap import indent
from typing import Any

from loopweld.compiler.report import Report
from loopweld.pytensor.program import Loop, Program


def program_of(function: Any) -> Program:
    """The program of a PyTensor function of the mode, or of PyMC's wrappers of one; TypeError for others."""
    for attribute in ("_pytensor_function", "f"):
        function = getattr(function, attribute, function)
    program = getattr(getattr(function, "vm", None), "jit_fn", None)
    if not isinstance(program, Program):
        raise TypeError(f"{function!r} is no function of the mode LOOPWELD")
    return program


@dataclass(frozen=True)
class FunctionReport:
    """`segments` are the reports of the native programs that have been made, `fallbacks` the ops that PyTensor runs,
    with how often; `loops` says of the scans among them what a step consists of, once they have run; `seconds` is what
    lowering and compiling took so far."""

    segments: tuple[Report, ...]
    fallbacks: dict[str, int]
    seconds: float
    waiting: int
    """Native programs that no call has made yet."""
    loops: tuple[FunctionReport, ...] = ()

    @staticmethod
    def of(program: Program) -> FunctionReport:
        made = [segment.latest() for segment in program.segments]
        steps = [f.steps for f in program.fallbacks if isinstance(f, Loop) and f.steps is not None]
        loops = tuple(FunctionReport.of(step) for step in steps)
        return FunctionReport(
            tuple(c.report for c in made if c is not None),
            dict(Counter(str(f.node.op) for f in program.fallbacks)),
            sum(each.seconds for each in (*program.segments, *loops)),
            sum(c is None for c in made),
            loops,
        )

    @property
    def kernels(self) -> int:
        return sum(len(report.kernels) for report in self.segments)

    def to_dict(self) -> dict[str, Any]:
        return {
            "segments": [report.to_dict() for report in self.segments],
            "fallbacks": self.fallbacks,
            "seconds": self.seconds,
            "waiting": self.waiting,
            "loops": [report.to_dict() for report in self.loops],
        }

    def __str__(self) -> str:
        lines = [f"{len(self.segments)} native programs, made in {self.seconds:.2f} s"]
        if self.waiting:
            lines.append(f"{self.waiting} more are made when the function is called")
        lines += [str(report) for report in self.segments]
        lines += [f"PyTensor runs {count} x {name}" for name, count in sorted(self.fallbacks.items())]
        lines += [f"in each step of a loop that PyTensor runs:\n{indent(str(report), '  ')}" for report in self.loops]
        return "\n".join(lines)
