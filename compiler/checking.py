"""`check=True`: a compiled program against the NumPy evaluator, down to the first op that differs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..passes.loops.plan import root_of
from .driver import Compilation


def tolerance(dtype: np.dtype[Any], terms: int) -> float:
    """Relative error that rounding explains: some ulps of the dtype, growing with the number of terms summed."""
    if dtype.kind not in "fc":
        return 0.0
    eps = float(np.finfo(dtype).eps)
    return eps * (64 + 4 * float(np.sqrt(max(terms, 1))))


def differs(found: Any, expected: Any, terms: int) -> str | None:
    """How two arrays differ beyond rounding, or None. NaN equals NaN; errors are relative to the largest value."""
    found, expected = np.asarray(found), np.asarray(expected)
    if found.shape != expected.shape or found.dtype != expected.dtype:
        return f"{found.dtype} {found.shape}, expected {expected.dtype} {expected.shape}"
    if found.dtype.kind not in "fc":
        wrong = int(np.sum(found != expected))
        return f"{wrong} of {found.size} elements differ" if wrong else None
    with np.errstate(all="ignore"):
        same = (found == expected) | (np.isnan(found) & np.isnan(expected))
        finite = np.isfinite(expected) & np.isfinite(found)
        scale = float(np.max(np.abs(expected[finite]), initial=0.0))
        close = finite & (np.abs(found - expected) <= tolerance(found.dtype, terms) * max(scale, 1e-30))
    bad = ~(same | close)
    if not bad.any():
        return None
    where = tuple(int(k) for k in np.argwhere(bad)[0])
    return (
        f"at {where}: {found[where]!r}, expected {expected[where]!r} ({int(bad.sum())} of {bad.size} elements differ)"
    )


def compare(compilation: Compilation, expected: Sequence[Any], inputs: Sequence[Any], results: Sequence[Any]) -> None:
    """Compare results with the evaluator's; AssertionError names the first difference."""
    terms = max((a.size for a in inputs), default=1)
    for k, (found, wanted) in enumerate(zip(results, expected, strict=True)):
        how = differs(found, wanted, terms)
        if how is not None:
            raise AssertionError(f"result out{k} differs from the NumPy evaluator {how}{_first(compilation, k)}")


def _first(compilation: Any, index: int) -> str:
    """The kernel or library call that makes the result, with the user's source line."""
    value: Any = root_of(compilation.program.plan.outputs[index])
    return f"; it is made by {value.owner.name} {getattr(value.owner, 'location', '')}"
