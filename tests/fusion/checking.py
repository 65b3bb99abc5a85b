"""`check(f, *args)`: NumPy's values, from as few kernels and as few bytes as the test says."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
from numerics.checking import call_twice, leaves_of, reference
from structure.walks import kernels as kernels_of
from structure.walks import label, walks
from xdsl.dialects.func import FuncOp

import loopweld as lw
from loopweld.compiler.compiled import Compiled
from loopweld.compiler.report import Report

LARGE = 1 << 20
"""Bytes that a program must move before its report is judged: smaller tensors count as read once in any case."""
WIDER = {"e": np.float64, "f": np.float64, "d": np.longdouble}


def check(
    f: Any,
    *args: Any,
    kernels: int | None = 1,
    sweeps: int | None = None,
    reads: Mapping[str, int] | None = None,
    temporaries: int = 0,
    slack: float = 1.05,
    least: int | None = None,
    library: tuple[str, ...] = (),
    scratch: int = 1 << 20,
    terms: int | None = None,
    ulps: float = 16,
    scale: float | None = None,
    coarsest: Any = None,
    exact: bool = False,
    target: Any = "cpu",
    numerics: str = "fast",
) -> Report:
    """Compile `f` for the arguments, compare with NumPy and with what fusion promises; the report at these sizes.

    Values: results have NumPy's structure, dtypes and shapes. Floats are compared with the same formula in the next
    wider dtype, see `numerics.checking.agree` for `terms`, `ulps`, `scale` and `coarsest`; all else, and everything
    where `exact`, is equal to NumPy's. Arguments stay as they are, two calls give the same bits.

    Structure: see `check_report`. `kernels=None` leaves it out, for arrays too small to have one.
    """
    __tracebackhide__ = True
    wanted = reference(f, *args) if exact else precise(f, *args)
    compiled = lw.jit(f, target=target, numerics=numerics).lower(*args).compile()
    call_twice(compiled, args, wanted, terms, ulps, exact, coarsest, scale)
    report = compiled.report_at_sizes()
    if kernels is not None:
        if least is None:
            least = sum(np.asarray(a).nbytes for a in [*arrays_of(args), *leaves_of(wanted)])
        assert report.bytes_minimum == least, f"the minimum is {least} bytes\n{report}"
        check_report(compiled, kernels, sweeps, reads or {}, temporaries, slack, library, scratch)
    return report


def check_report(
    compiled: Compiled,
    kernels: int = 1,
    sweeps: int | None = None,
    reads: Mapping[str, int] | None = None,
    temporaries: int = 0,
    slack: float = 1.05,
    library: tuple[str, ...] = (),
    scratch: int = 1 << 20,
) -> None:
    """What fusion promises, at sizes so large that no tensor stays in cache.

    `kernels` loop nests and the calls in `library`; every input is fetched once, or as often as `reads` says of its
    name; at most `temporaries` bytes between kernels, and as scratch a tenth of all bytes or `scratch` bytes, the
    second-level cache; at most `slack` times the least bytes moved; all kernels together walk their domains `sweeps`
    times, in the report and in the loops.
    """
    __tracebackhide__ = True
    report = enlarged(compiled)
    assert len(report.kernels) == kernels, f"{len(report.kernels)} kernels for {kernels}\n{report}"
    assert report.library_calls == library, f"{report}"
    fetched = Counter[str]()
    for kernel in report.kernels:
        for traffic in kernel.reads:
            fetched[traffic.tensor] += traffic.times
    for spec in compiled.specs:
        times = (reads or {}).get(spec.name, 1)
        assert fetched[spec.name] == times, f"{spec.name} is read {fetched[spec.name]} times for {times}\n{report}"
    assert report.temporary_bytes <= temporaries, f"temporaries\n{report}"
    assert report.scratch_bytes <= max(report.bytes_minimum // 10, scratch), f"scratch\n{report}"
    assert report.bytes_moved <= slack * report.bytes_minimum, f"bytes moved\n{report}"
    if sweeps is not None:
        assert sum(k.sweeps for k in report.kernels) == sweeps, f"sweeps in the report, for {sweeps}\n{report}"
        found = [[label(loop) for loop in walk] for f in loops_of(compiled) for walk in walks(f.body.block)]
        small = 0  # members that run before or after the loops may have loops of their own
        if len(found) != sweeps:
            small = sum(map(int, re.findall(r" (?:before|after) (\d+)", compiled.as_text("kernels"))))
        assert sweeps <= len(found) <= sweeps + small, found


def loops_of(compiled: Compiled) -> list[FuncOp]:
    """The loops of each kernel. Their text says the same, but reading it takes longer than compiling."""
    return list(kernels_of(compiled._compilation.program.module).values())


def enlarged(compiled: Compiled) -> Report:
    """The report of the same program at sizes that grow together until it has to move `LARGE` bytes."""
    report = compiled.report_at_sizes()
    sizes = dict(report.sizes)
    for shift in range(1, 21):
        if report.bytes_minimum >= LARGE:
            break
        report = compiled.at_sizes({name: size << shift for name, size in sizes.items()}).report_at_sizes()
    compiled.at_sizes(sizes)
    return report


def precise(f: Any, *args: Any) -> Any:
    """The same formula in wider floats, rounded to NumPy's dtypes; NumPy's own results where they are no floats."""
    plain = reference(f, *args)
    wide = iter(leaves_of(reference(f, *map(_widened, args))))

    def settle(value: Any) -> Any:
        if isinstance(value, dict):
            return {k: settle(v) for k, v in value.items()}
        if isinstance(value, tuple | list):
            return type(value)(map(settle, value))
        other = next(wide)
        if np.asarray(value).dtype.kind != "f":
            return value
        with np.errstate(all="ignore"):
            rounded = np.asarray(other).astype(np.asarray(value).dtype)
        return rounded if isinstance(value, np.ndarray) else rounded[()]

    return settle(plain)


def arrays_of(args: Any) -> list[Any]:
    """The arguments that a program takes as arrays: numbers among them, constants of the call not."""
    return [a for a in leaves_of(args) if isinstance(a, np.ndarray | np.generic | bool | int | float)]


def _widened(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _widened(v) for k, v in value.items()}
    if isinstance(value, tuple | list):
        return type(value)(map(_widened, value))
    if isinstance(value, np.ndarray | np.generic) and value.dtype.char in WIDER:
        return value.astype(WIDER[value.dtype.char], order="K")
    return value


def sample(*shape: int, dtype: Any = "f4", low: float = -2.0, high: float = 2.0) -> Any:
    """Random numbers from `low` to `high`, the same ones each time; bools where `dtype` is bool."""
    dtype = np.dtype(dtype)
    rng = np.random.default_rng([*shape, dtype.num])
    if dtype.kind == "b":
        return rng.integers(0, 2, shape).astype(dtype)
    if dtype.kind in "iu":
        return rng.integers(max(int(low), 0) if dtype.kind == "u" else int(low), int(high) + 1, shape).astype(dtype)
    return rng.uniform(low, high, shape).astype(dtype)
