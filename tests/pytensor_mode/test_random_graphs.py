"""Random graphs, as they are written (even seeds) or after PyTensor's rewrites (odd ones), give what PyTensor's own
Python code gives for their nodes, in a call with other sizes too; what is wrong there raises.

They run in a process of their own, so that a crash of compiled code names its graph. For more of them:
`python tests/pytensor_mode/test_random_graphs.py 1000 2000` runs the seeds from 1000 up to 2000.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("pytensor", reason="needs Python 3.12 and loopweld[pytensor]")

COUNT = 12
ROOT = Path(__file__).parents[2]
TOLERANCE = {2: 3e-2, 4: 1e-3, 8: 1e-7}


def run(seed: int) -> None:
    """One graph; AssertionError where it gives something else."""
    import pytensor
    from pytensor.compile.mode import Mode
    from pytensor_mode.random_graphs import expected
    from pytensor_mode.random_steps import graph

    import loopweld.pytensor

    assert loopweld.pytensor.LOOPWELD is not None
    case = graph(seed)
    mode = "LOOPWELD" if seed % 2 else Mode("loopweld", optimizer=None)
    function = pytensor.function(case.inputs, case.outputs, mode=mode, on_unused_input="ignore")
    made = function.maker.fgraph
    for values in (case.calls[0], case.calls[1], case.calls[1]):
        wanted = expected(made.inputs, made.outputs, values)
        if isinstance(wanted, Exception):
            raises(function, values, wanted)
            continue
        before = [a.copy() for a in values]
        for a, b in zip(function(*values), wanted, strict=True):
            close(a, b, TOLERANCE[case.coarsest], case.scale)
        for a, b in zip(values, before, strict=True):
            np.testing.assert_array_equal(a, b, "an input has changed")


def raises(function: Any, values: list[Any], wanted: Exception) -> None:
    try:
        function(*values)
    except Exception:
        return
    raise AssertionError(f"does not raise {type(wanted).__name__}: {wanted}")


def close(found: Any, wanted: Any, limit: float, scale: float) -> None:
    assert (found.dtype, found.shape) == (wanted.dtype, wanted.shape), (found.dtype, found.shape, wanted)
    if found.dtype.kind == "f":
        np.testing.assert_allclose(found, wanted, rtol=limit, atol=limit * scale)
    else:
        np.testing.assert_array_equal(found, wanted)


def main(arguments: list[str]) -> int:
    """Run the seeds from the first argument up to the second; say which fail, and return how many do."""
    import pytensor
    from pytensor_mode.random_steps import graph

    pytensor.config.linker, pytensor.config.cxx = "py", ""  # for inner graphs that PyTensor evaluates
    failed = 0
    for seed in range(*(int(a) for a in arguments)):
        print(f"seed {seed}", flush=True)  # noqa: T201  (the last line before a crash)
        try:
            run(seed)
        except Exception as error:
            failed += 1
            text = f"{type(error).__name__}: {str(error)[:600]}"
            print(f"seed {seed} FAILED: {text}\n{graph(seed).source}", flush=True)  # noqa: T201
    return failed


def test_random_graphs():
    command = [sys.executable, "-W", "ignore", __file__, "0", str(COUNT)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, f"exit status {done.returncode}\n{done.stdout[-6000:]}\n{done.stderr[-3000:]}"


if __name__ == "__main__":
    sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
    sys.exit(min(main(sys.argv[1:]), 100))
