"""Library calls that need no Python: which function (our own, or of BLAS or LAPACK) does what an op does."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ...dialects.expr import Expr
from . import exchanges, lapack, products, scans
from .layout import DType, Layout, NativeForm, Options
from .program import ArraySpec, LibraryStep

ROUTINES: dict[str, Callable[[DType, Sequence[Layout], Options], NativeForm | None]] = {
    "matmul": products.product,
    "cholesky": lapack.cholesky,
    "solve_triangular": lapack.solve_triangular,
    "lu": lapack.lu,
    "permutation": exchanges.permutation,
    "cumsum": scans.cumsum,
    "cumprod": scans.cumprod,
}
"""By the op's name: the call for a dtype, the layouts of operands and results, and the op's options (`same`: an operand
is there twice). None where the function does not take these."""


def native_form(step: LibraryStep, size: Callable[[Expr], int]) -> tuple[NativeForm, tuple[int, ...]] | None:
    """The native call of a step at some sizes, and the places that it takes; None where Python calls the library."""
    routine = step.routine
    if routine is None:
        return None
    places = [step.operands[k] for k in routine.operands]
    options = {**routine.options, "same": 1} if len(set(places)) < len(places) else routine.options
    places += step.results
    views = [*routine.operands, *range(len(step.operands), len(step.operands) + len(step.results))]
    layouts = [_layout(step.views[k], size) for k in views]
    form = ROUTINES[routine.name](step.views[views[0]].dtype, layouts, options)
    return None if form is None else (form, tuple(places[k] for k in form.order))


def _layout(view: ArraySpec, size: Callable[[Expr], int]) -> Layout:
    shape = tuple(size(e) for e in view.shape)
    if view.strides is not None:
        return Layout(shape, tuple(size(s) for s in view.strides))
    return Layout(shape, tuple(s // view.dtype.itemsize for s in view.steps(shape)))
