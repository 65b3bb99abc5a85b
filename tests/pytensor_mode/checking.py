"""Comparing the mode with PyTensor's own evaluation, op by op."""

# PyTensor is there with `loopweld[pytensor]` only.
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytensor
import pytensor.tensor as pt
from pytensor.compile.mode import Mode
from pytensor.link.vm import VMLinker

import loopweld.pytensor
from loopweld.pytensor.report import FunctionReport

PYTHON = Mode(VMLinker(use_cloop=False, c_thunks=False), optimizer=None)
"""Every op by its own Python code, no rewrites."""

RAW = Mode("loopweld", optimizer=None)
"""The linker on the graph as it was written: rewrites hide ops that should be tested."""


def variables(*arrays: Any, static: bool = False) -> list[Any]:
    """An input for each array; sizes are open, but 1 is declared, unless all are `static`."""
    found: list[Any] = []
    for k, array in enumerate(arrays):
        shape = tuple(n if static or n == 1 else None for n in np.shape(array))
        found.append(pt.tensor(f"x{k}", dtype=np.asarray(array).dtype.name, shape=shape))
    return found


def check(
    build: Any, *arrays: Any, rtol: float | None = None, fallbacks: bool = False, static: bool = False
) -> FunctionReport:
    """`build(*variables)` gives the same values, dtypes and shapes as PyTensor's own code, and all of it compiles."""
    inputs = variables(*arrays, static=static)
    outputs = build(*inputs)
    outputs = list(outputs) if isinstance(outputs, Sequence) else [outputs]
    options: dict[str, Any] = {"on_unused_input": "ignore"}
    with np.errstate(all="ignore"), pytensor.config.change_flags(linker="py", cxx=""):  # inner graphs too
        expected = pytensor.function(inputs, outputs, mode=PYTHON, **options)(*arrays)
    function = pytensor.function(inputs, outputs, mode=RAW, **options)
    for _ in range(2):  # the second call may go another way
        found = function(*arrays)
        for a, b in zip(found, expected, strict=True):
            close(a, b, rtol)
    report = loopweld.pytensor.report(function)
    assert fallbacks or not report.fallbacks, report.fallbacks
    return report


def close(found: Any, expected: Any, rtol: float | None = None) -> None:
    assert isinstance(found, np.ndarray) and found.dtype == expected.dtype, (found, expected.dtype)
    assert found.shape == expected.shape
    if found.dtype.kind in "fc":
        limit = rtol or {2: 4e-3, 4: 2e-6, 8: 1e-12}[found.real.dtype.itemsize]
        np.testing.assert_allclose(found, expected, rtol=limit, atol=limit * 1e-3)
    else:
        np.testing.assert_array_equal(found, expected)
