"""The pass pipeline, in one place."""

from __future__ import annotations

from .targets import Target

STAGES = ("tensor", "fused", "kernels", "loops", "llvm")
"""What `as_text` can show, in order."""


def passes_of(target: Target) -> tuple[tuple[str, str], ...]:
    """The passes as they are written on the command line, each with the stage that it completes ("" for none)."""
    fuse = not target.is_numpy
    row = f"row-bytes={target.row_bytes}"
    return (
        ("resolve-shapes", ""),  # every tensor type knows its symbolic shape
        ("simplify", ""),  # constants folded, equal ops merged, dead ops gone
        ("propagate-views", ""),  # reshapes stand where they are free
        ("simplify", "tensor"),  # what the moved reshapes made equal is merged
        ("generalize", "" if fuse else "fused"),  # every op with a pointwise form is a generic
        *(
            (
                (f"fuse-producers{{max-streams={target.max_streams}}}", ""),  # no written value has one reader
                (f"fuse-siblings{{max-streams={target.max_streams}}}", ""),  # loops over one domain and input are one
                (f"fuse-producers{{max-streams={target.max_streams}}}", "fused"),  # what siblings made possible
            )
            if fuse
            else ()
        ),
        (f"form-kernels{{{row} fuse={str(fuse).lower()}}}", "kernels"),  # rows and epilogues share a nest
        (f"lower-to-loops{{vector-bits={target.vector_bits or 512}}}", ""),  # loops, vectors, memory places
        ("annotate-alias-scopes", "loops"),  # every access says what it cannot overlap
    )


def pipeline(target: Target) -> str:
    """The pipeline as text for `loopweld-opt -p`."""
    return ",".join(text for text, _ in passes_of(target))
