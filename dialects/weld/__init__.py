"""The `weld` dialect: tensor programs by value, from single NumPy-like ops to fused kernels."""

# Modules are imported so that they register their ops, names to hand them on.
# pyright: reportUnusedImport=false

from __future__ import annotations

from xdsl.ir import Dialect

from . import (  # noqa: F401  (they register their ops)
    angles,
    arithmetic,
    bitwise,
    cast,
    classification,
    comparison,
    division,
    exponential,
    extrema,
    hyperbolic,
    power,
    roots,
    rounding,
    scipy_special,
    shifts,
    signs,
    special,
    trigonometric,
)
from .assembly import Concat, Insert, Iota, Pad
from .attributes import Access, Dims, Out
from .base import ELEMENTWISE
from .constant import Constant, Size
from .generic import Generic, Index, Inside, Load, Yield
from .indexing import Check, Gather, Scatter
from .kernel import Kernel
from .library import Cumprod, Cumsum, Library, Matmul
from .linalg import Cholesky, Lu, Permutation, SolveTriangular
from .recurrence import Recurrence
from .reductions import REDUCTIONS
from .views import Broadcast, Reshape, Reverse, Slice, Transpose

TENSOR_OPS = [Constant, Size, Broadcast, Transpose, Reshape, Slice, Reverse, Pad, Concat, Insert, Iota, Gather, Scatter]
"""Ops on whole tensors with a pointwise form, besides the elementwise ops and the reductions."""

LIBRARY_OPS = [Matmul, Cumsum, Cumprod, Cholesky, SolveTriangular, Lu, Permutation, Library]
"""Ops that always run as library calls."""

Weld = Dialect(
    "weld",
    [
        *ELEMENTWISE.values(),
        *REDUCTIONS.values(),
        *TENSOR_OPS,
        *LIBRARY_OPS,
        Check,
        Generic,
        Load,
        Index,
        Inside,
        Kernel,
        Recurrence,
        Yield,
    ],
    [Dims, Access, Out],
)
