"""Factors of matrices as NumPy has them: an error where there is none."""

# NumPy's arguments may be anything, so what isinstance tells about them is partial.
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

from typing import Any

import numpy as np

from ...dialects.weld import Cholesky
from .bounds import emit_check_of
from .libcalls import library_function
from .promote import same_size, session_of, traced
from .registry import call_ufunc, implements
from .tracer import Tracer


@implements(np.linalg.cholesky)
def cholesky(a: Any, /, **options: Any) -> Any:
    """One triangle is read. Where the matrix is not positive definite, the op's first element is NaN and `a`'s is a
    number: it would be its root."""
    session = session_of(a)
    x = traced(session, a)
    x = x.astype(np.float64) if x.dtype.kind in "iub" else x
    if x.dtype.char not in "fd" or x.ndim < 2:
        return library_function(np.linalg.cholesky, a, **options)
    same_size(session, x.dims[-2], x.dims[-1], "cholesky: the matrices are not square")
    if x.dims[-1].value == 0:
        return x
    x = x.mT if options.get("upper") else x
    factor = Tracer(session, session.emit(Cholesky.of(x.value)))
    first, given = (call_ufunc(np.isnan, (v[..., 0, 0],)) for v in (factor, x))
    emit_check_of(session, (first & ~given).value, "Matrix is not positive definite", "LinAlgError")
    return factor.mT if options.get("upper") else factor
