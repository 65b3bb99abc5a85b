"""The `loop` dialect: explicit loops, buffers, vectors and masks."""

from __future__ import annotations

from xdsl.ir import Dialect

from .interleave import Interleave
from .ops import (
    Affine,
    Buffer,
    Copy,
    Drain,
    Fill,
    FirstLanes,
    For,
    Iota,
    Load,
    Minimum,
    Reduce,
    Splat,
    Store,
    Subview,
    Until,
    Yield,
)
from .parallel import Parallel, Part
from .transpose import Transpose

Loop = Dialect(
    "loop",
    [
        Affine,
        Copy,
        Drain,
        Fill,
        FirstLanes,
        For,
        Interleave,
        Iota,
        Load,
        Minimum,
        Parallel,
        Part,
        Reduce,
        Splat,
        Store,
        Subview,
        Transpose,
        Until,
        Yield,
    ],
    [Buffer],
)
