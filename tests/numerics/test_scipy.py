"""SciPy's special functions without inline code are called for each element, inside the loops around them."""

import numpy as np
import pytest
from scipy import special

import loopweld as lw
from loopweld.dialects.weld import ELEMENTWISE

CALLED = {n: op.arity for n, op in ELEMENTWISE.items() if op.llvm.get("f", "").startswith("scipy ")}


@pytest.mark.parametrize("dtype", ["f8", "f4"])
@pytest.mark.parametrize("name", CALLED)
def test_values(name: str, dtype: str):
    function = getattr(special, name)
    edges = [0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan]
    for size in (0, 1, 7, 17):
        arrays = [np.linspace(0.1 + k, 0.9 + k, size).astype(dtype) for k in range(CALLED[name])]
        for array, first in zip(arrays, range(len(edges)), strict=False):
            array[: min(size, 7)] = np.roll(edges, first)[: min(size, 7)]
        compiled = lw.jit(lambda *xs: function(*xs) * 2)
        with np.errstate(all="ignore"):
            expected = function(*(a.astype("f8") for a in arrays)).astype(dtype) * 2
        np.testing.assert_allclose(compiled(*arrays), expected, rtol=1e-15 if dtype == "f8" else 1e-6)
    assert len(compiled.explain(*arrays).kernels) == 1 and not compiled.explain(*arrays).library_calls
