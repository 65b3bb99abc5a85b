"""The pass pipeline, in one place."""

from __future__ import annotations

from .targets import Target

STAGES = ("tensor", "fused", "kernels", "loops", "llvm")
"""What `as_text` can show, in order."""


def passes_of(target: Target, numerics: str = "fast") -> tuple[tuple[str, str], ...]:
    """The passes as they are written on the command line, each with the stage that it completes ("" for none)."""
    streams = f"max-streams={target.max_streams}"
    simplify = f"simplify{{strict={str(numerics == 'strict').lower()}}}"
    to_tensor = (
        ("resolve-shapes", ""),  # every tensor type knows its symbolic shape
        (simplify, ""),  # constants folded, equal ops merged, dead ops gone
        ("propagate-views", ""),  # reshapes stand where they are free
        (simplify, "tensor"),  # what the moved reshapes made equal is merged
    )
    if target.is_numpy:
        return (*to_tensor, ("lower-to-loops", "loops"))  # each op is a library call
    return (
        *to_tensor,
        ("generalize", ""),  # every op with a pointwise form is a generic
        (f"fuse-producers{{{streams}}}", ""),  # values are computed where they are used
        (f"absorb-reductions{{{streams}}}", ""),  # what is reduced is computed in the reducing loop
        (f"fuse-siblings{{{streams}}}", ""),  # loops over one domain and input are one
        (f"fuse-producers{{{streams}}}", ""),  # what joining siblings made possible
        (f"absorb-reductions{{{streams}}}", "fused"),  # the same for reductions
        *([] if numerics == "strict" else [("elide-rounding", "")]),  # 16-bit floats are rounded once a loop
        (f"form-kernels{{row-bytes={target.row_bytes}}}", "kernels"),  # rows and epilogues share a nest
        (f"lower-to-loops{{vector-bits={target.vector_bits}}}", ""),  # loops, vectors, memory places
        ("annotate-alias-scopes", "loops"),  # every access says what it cannot overlap
    )


def pipeline(target: Target) -> str:
    """The pipeline as text for `loopweld-opt -p`."""
    return ",".join(text for text, _ in passes_of(target))
