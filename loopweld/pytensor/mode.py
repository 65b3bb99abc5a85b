"""The mode `LOOPWELD`: which of PyTensor's rewrites run, and the linker; and functions that can report."""

# PyTensor is there with `loopweld[pytensor]` only.
# pyright: reportMissingImports=false

from __future__ import annotations

from typing import Any

from pytensor.compile.executor import Function
from pytensor.compile.mode import Mode, predefined_linkers, predefined_modes, register_linker
from pytensor.graph.rewriting.db import RewriteDatabaseQuery

from loopweld.pytensor.linker import LoopweldLinker
from loopweld.pytensor.report import FunctionReport, program_of


def report(function: Any) -> FunctionReport:
    """What a function of the mode consists of: a PyTensor function, or what PyMC's `logp_dlogp_function`,
    `compile_logp` and the like give.

    Raises TypeError for functions of other modes.
    """
    return FunctionReport.of(program_of(function))


def register() -> Mode:
    """The mode, known to PyTensor as "LOOPWELD"; there is one.

    Functions get a method, `loopweld_report`. It belongs to their class and not to one of ours, because modes are
    taken apart and put together again on the way (`pymc.compile` does) and only the linker stays the same.
    """
    if "loopweld" not in predefined_linkers:
        register_linker("loopweld", LoopweldLinker())
        query = RewriteDatabaseQuery(include=["fast_run"], exclude=["fusion", "inplace", "BlasOpt"])
        predefined_modes["LOOPWELD"] = Mode("loopweld", query)
        Function.loopweld_report = report  # pyright: ignore[reportAttributeAccessIssue]
    return predefined_modes["LOOPWELD"]
