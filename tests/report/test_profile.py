"""Profiles: each kernel and library call of a call, their times, and how they leave as text, JSON and trace."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import loopweld as lw
from loopweld.compiler.library import LibraryCall
from loopweld.compiler.machine import Machine
from loopweld.compiler.profile import Profile
from loopweld.compiler.report import Report

X, W = np.linspace(0, 1, 2400, dtype=np.float32).reshape(60, 40), np.ones((40, 8), np.float32)


def program(x: Any, w: Any) -> Any:
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return np.tanh((e / e.sum(axis=1, keepdims=True)) @ w) * 2


@pytest.fixture(scope="module", params=[1, 2], ids=["one thread", "two threads"])
def profile(request: pytest.FixtureRequest) -> Profile:
    return lw.jit(program, threads=request.param).lower(X, W).compile().profile(X, W)


def test_spans_are_the_steps_in_order(profile: Profile):
    kernels = [kernel.name for kernel in profile.report.kernels]
    assert [(s.name, s.kind) for s in profile.spans] == [
        (kernels[0], "kernel"),
        ("matmul", "call"),
        (kernels[1], "kernel"),
    ]
    ends = [0.0]
    for span in profile.spans:
        assert span.seconds > 0
        assert span.start >= ends[-1]
        ends.append(span.start + span.seconds)
    assert profile.seconds > 0


def test_bytes_and_shares_are_the_reports(profile: Profile):
    first, call, _ = profile.spans
    kernel = profile.report.kernels[0]
    assert (first.bytes, first.flops) == (kernel.bytes_read + kernel.bytes_written, kernel.flops)
    assert first.share == pytest.approx(profile.machine.seconds(first.bytes, first.flops) / first.seconds)
    assert first.bandwidth == pytest.approx(first.bytes / first.seconds)
    assert (call.bytes, call.share) == (0, 0)
    assert profile.report.sizes["s0"] == 60


def test_limits_of_the_machine():
    limits = Machine("cpu", 1, bandwidth=10.0, flops=100.0)
    assert limits.seconds(20, 50) == 2.0
    assert limits.seconds(5, 500) == 5.0


def test_limits_are_kept_in_the_cache_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LOOPWELD_CACHE_DIR", str(tmp_path))
    compiled = lw.jit(program, threads=1).lower(X, W).compile()
    limits = compiled.profile(X, W).machine
    (kept,) = tmp_path.glob("machine-*.json")
    assert Machine(**json.loads(kept.read_text())) == limits
    assert limits.bandwidth > 1e8 and limits.flops > 1e8


def test_text_fits_100_columns(profile: Profile):
    lines = str(profile).split("\n")
    assert max(map(len, lines)) <= 100
    assert "matmul (library)" in lines[-2]
    assert profile.report.kernels[1].name[:20] in lines[-1]


def test_data_and_trace(profile: Profile, tmp_path: Path):
    data = json.loads(json.dumps(profile.to_dict()))
    assert [span["name"] for span in data["spans"]] == [span.name for span in profile.spans]
    profile.to_trace(tmp_path / "trace.json")
    events = json.loads((tmp_path / "trace.json").read_text())["traceEvents"]
    calls = [event for event in events if event["tid"] == "call"]
    assert [event["name"] for event in calls] == [span.name for span in profile.spans]
    assert {"ph", "ts", "dur", "pid", "tid", "cat"} <= calls[0].keys()
    assert {event["name"] for event in events if event["tid"] == "compile"} == set(profile.report.timings)


def test_the_program_is_what_it_was(profile: Profile):
    """Measuring changes neither results nor donated arguments."""
    step = lw.jit(lambda x, g: x - 0.5 * g, donate=("x",), threads=1)
    x, g = np.ones(1000, np.float32), np.ones(1000, np.float32)
    compiled = step.lower(x, g).compile()
    compiled.profile(x, g)
    assert (x == 1).all()
    assert compiled(x, g)[0] == np.float32(0.5)


def test_the_numpy_target_has_no_profile():
    with pytest.raises(ValueError, match="profiles are of native code"):
        lw.jit(program, target="numpy").lower(X, W).compile().profile(X, W)


def test_report_without_profile_is_still_data(profile: Profile):
    report: Report = profile.report
    assert not {"profile", "details"} & json.loads(json.dumps(report.to_dict())).keys()


def test_a_kernels_code_is_there_at_each_stage(profile: Profile):
    assert profile.report.details is not None
    details = profile.report.details()
    assert [kernel.name for kernel in details.kernels] == [kernel.name for kernel in profile.report.kernels]
    for kernel in details.kernels:
        assert f"@{kernel.name}" in kernel.texts["kernels"]
        assert kernel.texts["loops"].startswith("func.func private @" + kernel.name)
        assert kernel.texts["llvm"].startswith("define internal void @" + kernel.name)
        assert "ret" in kernel.texts["assembly"] and ".cfi" not in kernel.texts["assembly"]
        assert any("np." in text for _, text in kernel.lines)


def test_the_assembly_of_a_kernel_that_is_part_of_its_caller():
    """One that is a few instructions is; it is shown by itself."""
    x = np.ones(5, np.float32)
    report = lw.jit(lambda x: np.tanh(np.sort(np.exp(x))[-1]), threads=1).lower(x).compile().report
    assert report.details is not None
    for kernel in report.details().kernels:
        first, second, *_ = kernel.texts["assembly"].splitlines()
        assert first.startswith("# part of the function that calls it") and second == f"{kernel.name}:"
    calls = [n.lines[0] for n in report.details().after.nodes if n.kind == "call"]
    assert calls == ["sort"], "a call has the name of its function"


def test_graphs_agree_on_kernels(profile: Profile):
    assert profile.report.details is not None
    details = profile.report.details()
    names = {kernel.name for kernel in details.kernels}
    assert {node.group for node in details.before.nodes if node.group} == names
    assert {node.group for node in details.after.nodes if node.group} == names
    for graph in (details.before, details.after):
        assert [node.lines[0] for node in graph.nodes if node.kind == "call"] == ["matmul"]
        assert all(source < target for source, target in graph.edges)
    assert [node.lines[0] for node in details.before.nodes if node.group == details.kernels[1].name] == ["tanh", "mul"]


def test_functions_of_scipy_inside_a_kernel():
    special = pytest.importorskip("scipy.special")
    x = np.linspace(0.1, 3, 100)
    profile = lw.jit(lambda x: special.gammainc(x, x + 1) + x, threads=1).lower(x).compile().profile(x)
    assert [span.kind for span in profile.spans] == ["kernel"]


def test_native_library_calls_are_timed_as_they_run(monkeypatch: pytest.MonkeyPatch):
    def never(*args: Any) -> Any:
        raise AssertionError("the call went by way of Python")

    compiled = lw.jit(lambda x: np.cumsum(x * 2), threads=1).lower(np.ones(100)).compile()
    monkeypatch.setattr(LibraryCall, "__call__", never)
    assert [span.name for span in compiled.profile(np.ones(100)).spans][-1] == "cumsum"
