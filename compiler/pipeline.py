"""The pass pipeline, in one place."""

from __future__ import annotations

from .targets import Target

STAGES = ("tensor", "fused", "kernels", "loops", "llvm")
"""What `as_text` can show, in order."""

MOST_BLOCKS = 64
"""Into how many blocks the loops of a kernel are cut at most: enough for many threads to end at the same time."""


def passes_of(target: Target, numerics: str = "fast") -> tuple[tuple[str, str], ...]:
    """The passes as they are written on the command line, each with the stage that it completes ("" for none)."""
    choice = f' choice="{target.fusion}"' if target.fusion != "profit" else ""
    streams = f"max-streams={target.max_streams}{choice}"
    producers = f"fuse-producers{{{streams} bandwidth-ratio={target.bandwidth_ratio}}}"
    absorb = f"absorb-reductions{{{streams} bandwidth-ratio={target.bandwidth_ratio}}}"
    lacks = ",".join(f'"{name}"' for name in sorted(target.lacks))
    simplify = f"simplify{{strict={str(numerics == 'strict').lower()}}}"
    ordered = " ordered=true" if numerics == "strict" else ""
    loops = (
        f"lower-to-loops{{vector-bits={target.vector_bits} registers={target.registers} blocks={MOST_BLOCKS}"
        f" stream-bytes={target.last_cache_bytes}{ordered}}}"
    )
    to_tensor = (
        ("resolve-shapes", ""),  # every tensor type knows its symbolic shape
        (simplify, ""),  # constants folded, equal ops merged, dead ops gone
        ("propagate-views", ""),  # reshapes stand where they are free
        (simplify, "tensor"),  # what the moved reshapes made equal is merged
    )
    if target.is_numpy:
        never = ("note-boundaries{never-fuses=true}", "")  # each pair has its reason
        own = ("own-results", "")  # arguments and views that are returned are copied
        return (*to_tensor, never, own, ("lower-to-loops", "loops"))  # each op is a library call
    cache = f"row-bytes={target.cache_bytes} kept-bytes={target.kept_bytes}"
    shift = f"shift-sums{{{cache}{choice}}}"
    last = f"last-cache-bytes={target.last_cache_share}"
    kept = f"row-bytes={target.kept_bytes} cache-bytes={target.cache_bytes} {last}"
    online = f"form-online{{{cache} {last} bandwidth-ratio={target.bandwidth_ratio}{choice}}}"
    return (
        *to_tensor,
        ("expand-products", ""),  # a computed matrix times a vector is a sum of products
        (simplify.replace("simplify", "hoist-scalars"), ""),  # 0-d conditions and factors do not keep sums waiting
        ("expand-updates", ""),  # one update a row does not keep the loops around it apart
        *([] if numerics == "strict" else [("elide-rounding", "")]),  # what is not rounded is the same in every loop
        (f"generalize{{lacks={lacks}}}" if lacks else "generalize", ""),  # every op with a pointwise form is a generic
        ("refine-domains", ""),  # loops on both sides of a reshape walk the same dims
        ("order-domains", ""),  # loops and the tensors between them have the order of memory
        (producers, ""),  # values are computed where they are used
        (absorb, ""),  # what is reduced is computed in the reducing loop
        ("defer-gates", ""),  # results do not wait for the 0-d condition that they are under
        *([] if numerics == "strict" else [(shift, "")]),  # sums around a mean need not wait for the mean
        (f"fuse-siblings{{{streams}}}", ""),  # loops over one domain and input are one
        (producers, ""),  # what joining siblings made possible
        (absorb, "fused"),  # the same for reductions
        *([] if numerics == "strict" else [(online, "")]),  # long rows are read once for all their statistics
        ("note-boundaries", ""),  # pairs with a library call have their reason
        (f"form-kernels{{{kept} {streams}}}", "kernels"),  # rows and small work share a nest
        (loops, ""),  # loops, vectors, blocks for threads, memory places
        *([] if numerics == "strict" else [("share-reciprocals", "")]),  # quotients by what a loop does not change
        ("annotate-alias-scopes", "loops"),  # every access says what it cannot overlap
    )


def pipeline(target: Target) -> str:
    """The pipeline as text for `loopweld-opt -p`."""
    return ",".join(text for text, _ in passes_of(target))
