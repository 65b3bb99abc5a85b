"""What the reason codes of fusion decisions say, in a sentence for the reader of a report."""

from __future__ import annotations

EXPLANATIONS: dict[str, str] = {
    "elementwise-producer": "Fused: the producer's value is computed where it is used, and never stored.",
    "shared-domain": "Fused: producer and consumer run over one domain; the value is computed once and kept.",
    "shared-input": "Fused: independent loops that read the same tensor are one, or share a kernel, and read it once.",
    "row-result": "Fused: the consumer needs the producer's result only within one iteration of the outer loops, so it"
    " stays in registers or in cache.",
    "small-prologue": "Fused: a small computation that the kernel's loops need runs right before them.",
    "small-epilogue": "Fused: a small computation on the results of the kernel's loops runs right after them.",
    "online-reduction": "Fused: both reduce a long row in one sweep, or chunk by chunk in cache; what needs all of"
    " the row is made good afterwards.",
    "selected-update": "Fused: each row has at most one update, which is chosen where the row is computed.",
    "reduction-result": "Not in one sweep: the producer's result is complete only after its loop. The two may still"
    " share a kernel (row-result).",
    "scatter-result": "Not fused: the producer's result is complete only after all its updates.",
    "data-dependent-access": "Not fused: the consumer reads the producer at indices known only at run time.",
    "recomputes-expensive": "Not in one sweep: it would compute an expensive value more than once. The two may still"
    " share a kernel (row-result).",
    "materialized-output": "Not recomputed: the value is a result of the program and is read back.",
    "dependency-cycle": "Not fused: another op stands between the two.",
    "no-shared-outer-dim": "Not fused: the consumer needs the whole of the producer's result before its first element.",
    "row-too-large": "Not fused: what one outer iteration must keep exceeds the cache.",
    "long-steps": "Not fused: the loops would go through memory in long steps, for the sake of single values.",
    "stores-rows": "Not fused: a result as large as the rows would be stored for what runs after the loops.",
    "library-call": "Not fused: one of the two is a library call.",
    "target-never-fuses": "Not fused: the target runs each op by itself.",
    "too-many-readers": "Not tried: the two read one tensor, and so do several between them.",
    "too-many-streams": "Not fused: the loop would read and write more tensors than the target can stream.",
}
"""Reason code -> sentence; see docs/reason-codes.md."""
