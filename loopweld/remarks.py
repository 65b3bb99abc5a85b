"""`--remarks-filter`: every fusion decision and every kernel as a remark at the user's source line."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation

from loopweld.diagnostics import Diagnostic, Position, Severity
from loopweld.dialects.weld.kernel import Kernel
from loopweld.passes.remarks import Decision, describe


@dataclass(frozen=True)
class Remark:
    """One remark as MLIR has them; `kind` is Passed, Missed or Analysis."""

    kind: str
    name: str
    category: str
    values: Mapping[str, str]
    position: Position
    function: str = ""

    @property
    def message(self) -> str:
        """`[Passed] fuse: exp -> add | Category:fusion | BytesSaved="8 * s0", Reason=elementwise-producer`."""
        values = ", ".join(f"{key}={_quoted(value)}" for key, value in sorted(self.values.items()))
        function = f"Function={self.function} | " if self.function else ""
        return f"[{self.kind}] {self.name} | Category:{self.category} | {function}{values}"

    @property
    def diagnostic(self) -> Diagnostic:
        return Diagnostic(Severity.REMARK, self.message, self.position)

    def yaml(self) -> str:
        """One document in the format of LLVM's remarks, which `opt-viewer` and the like read."""
        at = self.position
        rows = [f"  - {key + ':':<16} {_scalar(value)}" for key, value in {"Remark": self.name, **self.values}.items()]
        return "\n".join(
            (
                f"--- !{self.kind}",
                f"Pass:            {self.category}",
                f"Name:            {self.name.partition(':')[0]}",
                f"DebugLoc:        {{ File: {_scalar(at.file)}, Line: {at.line}, Column: {at.column} }}",
                f"Function:        {_scalar(self.function or '<unknown function>')}",
                "Args:",
                *rows,
                "...\n",
            )
        )


def decision_remark(decision: Decision, fallback: Position) -> Remark:
    """The remark of a verdict; `fallback` is the position of one whose op has none."""
    outcome, bytes_ = ("Passed", "BytesSaved") if decision.fused else ("Missed", "BytesAtStake")
    values = {"Reason": decision.reason.value, bytes_: decision.saved}
    position = Position.of_location(decision.location) or fallback
    return Remark(outcome, f"fuse: {decision.producer} -> {decision.consumer}", "fusion", values, position)


def kernel_remarks(module: ModuleOp, fallback: Position) -> Iterator[Remark]:
    """An analysis of each kernel in the module: its loops, those that all of them share, and what they compute."""
    for op in module.walk():
        if isinstance(op, Kernel):
            members = [describe(member) for member in op.members]
            values = {"Loops": str(len(members)), "SharedDims": str(op.outer_count), "Ops": "; ".join(members)}
            where = Position.of_operation(op) or fallback
            yield Remark("Analysis", f"kernel: {op.sym_name.data}", "kernels", values, where, _function_of(op))


def selected(remarks: Iterable[Remark], filters: Mapping[str, str | None]) -> list[Remark]:
    """The remarks that a filter asks for: a kind (or "" for all) and the expression that is found in the text."""
    wanted = [(kind, re.compile(pattern)) for kind, pattern in filters.items() if pattern is not None]
    return [r for r in remarks if any(kind in ("", r.kind) and found.search(r.message) for kind, found in wanted)]


def final(remarks: Iterable[Remark]) -> list[Remark]:
    """The last remark of each name at each place: of a pair that came up again, what became of it."""
    return list({(r.name, r.category, r.position): r for r in remarks}.values())


def _function_of(op: Operation) -> str:
    parent = op.parent_op()
    while parent is not None and not isinstance(parent, FuncOp):
        parent = parent.parent_op()
    return parent.sym_name.data if parent is not None else ""


def _quoted(value: str) -> str:
    return f'"{value}"' if re.search(r"[ ,{}]", value) else value


def _scalar(value: str) -> str:
    """A YAML scalar; quoted where a plain one could mean something else."""
    return value if re.fullmatch(r"[\w./+-]+", value) else "'" + value.replace("'", "''") + "'"
