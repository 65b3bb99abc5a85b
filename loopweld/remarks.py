"""`--remarks-filter`: every fusion decision as a remark at the user's source line."""

import re
from collections.abc import Iterable

from loopweld.diagnostics import Diagnostic, Position, Severity
from loopweld.passes.remarks import Decision


def remarks(decisions: Iterable[Decision], pattern: str, fallback: Position) -> list[Diagnostic]:
    """The remarks of those decisions whose text the regular expression `pattern` is found in."""
    found = (remark(decision, fallback) for decision in decisions)
    return [remark for remark in found if re.search(pattern, remark.message)]


def remark(decision: Decision, fallback: Position) -> Diagnostic:
    """`[Passed] fuse: producer -> consumer | Reason=..., BytesSaved=...`, in the manner of LLVM's remarks."""
    outcome, bytes_ = ("Passed", "BytesSaved") if decision.fused else ("Missed", "BytesAtStake")
    pair = f"{decision.producer} -> {decision.consumer}"
    message = f"[{outcome}] fuse: {pair} | Reason={decision.reason.value}, {bytes_}={decision.saved}"
    return Diagnostic(Severity.REMARK, message, Position.of_location(decision.location) or fallback)
