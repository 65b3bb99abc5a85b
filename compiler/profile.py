"""`compiled.profile(*args)`: what each kernel and library call of a program takes, and how far that is from the limit.

The program is compiled once more with clock readings around the calls of its kernels.
"""

from __future__ import annotations

import ctypes
import json
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .codegen import jit
from .driver import symbols_of
from .machine import Machine, machine
from .runtime.executable import Binding, Call, Executable
from .runtime.program import LibraryStep, NativeStep

if TYPE_CHECKING:
    from .driver import Compilation
    from .report import Report

BUDGET = 0.3
"""Seconds that a program is called for, and at least `FEWEST` times."""
FEWEST = 5

_CLOCK = getattr(time, "CLOCK_MONOTONIC", None)


@dataclass(frozen=True)
class Span:
    """One kernel or library call of a call of the program. Times are in seconds; `start` is from the call's start."""

    name: str
    kind: str
    """"kernel" or "call"."""
    start: float
    seconds: float
    bytes: int = 0
    flops: int = 0
    share: float = 0.0
    """The least time that the machine's limits allow, divided by the time taken."""

    @property
    def bandwidth(self) -> float:
        """Bytes a second."""
        return self.bytes / max(self.seconds, 1e-12)


@dataclass(frozen=True)
class Profile:
    """The spans of the fastest measured call, the machine's limits, and the report at the call's sizes."""

    spans: tuple[Span, ...]
    seconds: float
    """What the call takes when nothing is measured inside it."""
    machine: Machine
    report: Report = field(repr=False)

    def __str__(self) -> str:
        from .profile_text import profile_text

        return profile_text(self)

    def to_dict(self) -> dict[str, Any]:
        """The profile as JSON-able data."""
        spans = [vars(span) | {"bandwidth": span.bandwidth} for span in self.spans]
        return {"seconds": self.seconds, "machine": vars(self.machine), "spans": spans}

    def to_html(self, path: str | Path) -> None:
        """The report as a page, with the measurements."""
        replace(self.report, profile=self).to_html(path)

    def to_trace(self, path: str | Path) -> None:
        """The call and the compilation as a trace for Chrome (chrome://tracing) and Perfetto."""
        Path(path).write_text(json.dumps({"traceEvents": list(_events(self))}, indent=1), encoding="utf-8")


def _events(profile: Profile) -> Sequence[dict[str, Any]]:
    def event(name: str, kind: str, thread: str, start: float, seconds: float, **args: Any) -> dict[str, Any]:
        base = {"name": name, "cat": kind, "ph": "X", "pid": "loopweld", "tid": thread, "args": args}
        return base | {"ts": round(start * 1e6, 3), "dur": round(seconds * 1e6, 3)}

    found = [
        event(s.name, s.kind, "call", s.start, s.seconds, bytes=s.bytes, flops=s.flops, share=round(s.share, 3))
        for s in profile.spans
    ]
    start = 0.0
    for stage, milliseconds in profile.report.timings.items():
        found.append(event(stage, "compile", "compile", start, milliseconds / 1e3))
        start += milliseconds / 1e3
    return found


def profile(compilation: Compilation, inputs: Sequence[Any], report: Report) -> Profile:
    """Measure a compiled program on arrays as it takes them. ValueError for a target without native code."""
    if compilation.target.is_numpy or _CLOCK is None:
        raise ValueError("profiles are of native code; this target, or this system, has none that can be measured")
    names, stamps, measured = _with_stamps(compilation)
    plain = compilation.executable
    limits = machine(compilation.target, compilation.threads, compilation.cache)
    seconds = min(_repeat(lambda: _timed(plain, inputs)))
    spans = min(
        _repeat(lambda: _spans(measured, inputs, names, stamps)), key=lambda spans: sum(s.seconds for s in spans)
    )
    return Profile(tuple(_counted(span, report, limits) for span in spans), seconds, limits, report)


def _counted(span: Span, report: Report, limits: Machine) -> Span:
    """The span with what its kernel moves and computes."""
    for kernel in report.kernels:
        if kernel.name == span.name:
            moved = kernel.bytes_read + kernel.bytes_written
            share = limits.seconds(moved, kernel.flops) / max(span.seconds, 1e-12)
            return replace(span, bytes=moved, flops=kernel.flops, share=share)
    return span


def _repeat(measure: Callable[[], Any]) -> list[Any]:
    measure()
    found: list[Any] = []
    end = time.perf_counter() + BUDGET
    while len(found) < FEWEST or (time.perf_counter() < end and len(found) < 1000):
        found.append(measure())
    return found


def _timed(executable: Executable, inputs: Sequence[Any]) -> float:
    start = time.perf_counter()
    executable.fresh(inputs)
    return time.perf_counter() - start


class _Watched(Executable):
    """A program that notes when its library calls run."""

    def __init__(self, *args: Any):
        super().__init__(*args)
        self.spans: list[Span] = []

    def run_step(self, step: NativeStep | LibraryStep, call: Call | None, places: list[int], binding: Binding) -> None:
        start = _now()
        super().run_step(step, call, places, binding)
        if isinstance(step, LibraryStep):
            self.spans.append(Span(step.name, "call", start, _now() - start))


def _spans(executable: _Watched, inputs: Sequence[Any], names: list[str], stamps: Stamps) -> list[Span]:
    """The spans of one call."""
    executable.spans = []
    stamps.restart()
    began = _now()
    executable.fresh(inputs)
    kernels = [Span(name, "kernel", *stamps.read(k)) for k, name in enumerate(names)]
    ordered = sorted([*kernels, *executable.spans], key=lambda span: span.start)
    return [replace(span, start=max(span.start - began, 0.0)) for span in ordered]


def _now() -> float:
    assert _CLOCK is not None
    return time.clock_gettime_ns(_CLOCK) / 1e9


# ---- native code that reads the clock ----------------------------------------------
_CODE = """
@loopweld_stamps = internal global [{count} x i64] zeroinitializer
declare i32 @clock_gettime(i32, ptr)
define internal void @loopweld_stamp() noinline {{
  %time = alloca [2 x i64]
  call i32 @clock_gettime(i32 {clock}, ptr %time)
  %seconds = load i64, ptr %time
  %place = getelementptr i64, ptr %time, i64 1
  %rest = load i64, ptr %place
  %whole = mul i64 %seconds, 1000000000
  %now = add i64 %whole, %rest
  %k = load i64, ptr @loopweld_stamps
  %next = add i64 %k, 1
  store i64 %next, ptr @loopweld_stamps
  %stamp = getelementptr i64, ptr @loopweld_stamps, i64 %next
  store i64 %now, ptr %stamp
  ret void
}}
define ptr @loopweld_stamps_address() {{
  ret ptr @loopweld_stamps
}}
"""
_MAIN = re.compile(r"^define void @main\w*\(.*?^}", re.MULTILINE | re.DOTALL)


class Stamps:
    """Where the native code writes how many times it has read the clock, and what it read: when each kernel of a call
    begins and ends."""

    def __init__(self, address: int, count: int) -> None:
        self._values = (ctypes.c_int64 * count).from_address(address)

    def restart(self) -> None:
        """A call begins."""
        self._values[0] = 0

    def read(self, k: int) -> tuple[float, float]:
        """Start and duration of the kernel `k` of the last call, in seconds."""
        begin, end = self._values[2 * k + 1 : 2 * k + 3]
        return begin / 1e9, (end - begin) / 1e9


def _with_stamps(compilation: Compilation) -> tuple[list[str], Stamps, _Watched]:
    """The names of the kernels in the order of their calls, and a program that notes when they run."""
    text, functions = compilation.llvm, compilation.program.functions
    known = "|".join(re.escape(f.sym_name.data) for f in functions.values())
    call = re.compile(rf"^  call void @(?:{known})\(.*$", re.MULTILINE)
    stamp = "  call void @loopweld_stamp()"
    text = _MAIN.sub(lambda main: call.sub(rf"{stamp}\n\g<0>\n{stamp}", main[0]), text)
    count = 2 * len(functions) + 1
    text += _CODE.format(count=count, clock=_CLOCK)
    target = compilation.target
    image = jit.compile_object(text, jit.native(target.name, target.features))
    plain = compilation.executable
    segments = list(dict.fromkeys(s.symbol for s in plain.spec.steps if isinstance(s, NativeStep)))
    symbols = [*segments, "loopweld_stamps_address"]
    loaded = jit.load(image, symbols, symbols_of(text, compilation.threads, compilation.cache))
    address = ctypes.CFUNCTYPE(ctypes.c_void_p)(loaded.addresses["loopweld_stamps_address"])()
    addresses = plain.addresses | {name: loaded.addresses[name] for name in segments}
    watched = _Watched(plain.spec, addresses, loaded, plain.find_routine, plain.pool)
    return list(functions), Stamps(address or 0, count), watched
