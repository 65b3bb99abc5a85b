"""Kernels that are equal but for tensors and sizes: one function, and each its own results, report and errors."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fusion.checking import check
from structure.walks import kernels as kernels_of

import loopweld as lw

RNG = np.random.default_rng(0)


def floats(*shape: int) -> Any:
    return RNG.standard_normal(shape, np.float32)


def layer(x: Any, w: Any) -> Any:
    h = x @ w
    h = h - h.mean(axis=1, keepdims=True)
    return np.maximum(h, 0)


def network(x: Any, v: Any, w: Any) -> Any:
    first = layer(x, v)
    return layer(first, w)


X, V, W = floats(33, 40), floats(40, 24), floats(24, 24)


def functions(compiled: Any) -> int:
    return len(kernels_of(compiled._compilation.modules["loops"]))


@pytest.mark.parametrize("threads", [1, 2])
def test_layers_share_their_function(threads: int):
    jitted = lw.jit(network, threads=threads)
    compiled = jitted.lower(X, V, W).compile()
    assert len(compiled.report.kernels) == 2
    assert functions(compiled) == 1
    for n, m in ((24, 24), (31, 57), (17, 200)):
        v, w = floats(40, n), floats(n, m)
        np.testing.assert_allclose(compiled(X, v, w), network(X, v, w), atol=1e-4)
    assert jitted.cache_info().compilations <= 1


def test_each_has_its_report_and_profile():
    compiled = lw.jit(network).lower(X, V, W).compile()
    first, second = compiled.report.kernels
    assert first.name != second.name and first.ops == second.ops and first.sweeps == second.sweeps
    assert [t.tensor for t in second.writes] == ["out0"] != [t.tensor for t in first.writes]
    profile = compiled.profile(X, V, W)
    assert [s.name for s in profile.spans if s.kind == "kernel"] == [first.name, second.name]
    assert all(s.seconds > 0 for s in profile.spans)
    assert compiled.report.details is not None
    for kernel in compiled.report.details().kernels:
        assert kernel.texts["loops"].startswith(f"func.func private @{first.name}(")
        assert kernel.texts["llvm"] and kernel.texts["assembly"]


def test_a_program_from_disk_shares_as_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LOOPWELD_CACHE_DIR", str(tmp_path))
    np.testing.assert_allclose(lw.jit(network)(X, V, W), network(X, V, W), atol=1e-4)
    jitted = lw.jit(network)
    np.testing.assert_allclose(jitted(X, V, W), network(X, V, W), atol=1e-4)
    assert jitted.cache_info().disk_hits == 1
    assert len(jitted.explain(X, V, W).kernels) == 2


def test_each_index_error_is_its_own():
    def rows(a: Any, i: Any) -> Any:
        return np.exp(np.sort(a)[i])

    i, j = RNG.integers(0, 30, 50), RNG.integers(0, 30, 50)
    jitted = lw.jit(lambda a, i, b, j: (rows(a, i), rows(b, j)))
    a, b = floats(30), floats(30)
    assert functions(jitted.lower(a, i, b, j).compile()) == 1
    for got, want in zip(jitted(a, i, b, j), (rows(a, i), rows(b, j)), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-6)
    with pytest.raises(IndexError, match="values of 'i'"):
        jitted(a, np.full(50, 30), b, j)
    with pytest.raises(IndexError, match="values of 'j'"):
        jitted(a, i, b, np.full(50, 30))


def test_what_differs_in_a_constant_does_not_share():
    def scaled(x: Any) -> Any:
        return np.sort(np.sort(x * np.float32(0.0)) * np.float32(-0.0))

    report = check(scaled, floats(40), kernels=None, exact=True)
    assert len(report.kernels) == 2
    assert functions(lw.jit(scaled).lower(floats(40)).compile()) == 2


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rows_and_numbers_are_arguments(dtype: Any):
    """Of several kernels that differ in them; also the last row, which nothing lies behind, and gathered elements."""

    def penalties(y: Any, i: Any) -> Any:
        total = dtype(0)
        for k in range(6):
            effect = y[k] * dtype(1.5 + k)
            total = total + np.sort((effect * effect).sum() + effect[i])[0]
        return total

    for shape in ((6, 19), (6, 200)):
        y, i = floats(*shape).astype(dtype), RNG.integers(0, 19, 5)
        report = check(penalties, y, i, kernels=None, terms=200, library=("sort",) * 6)
        assert len(report.kernels) >= 6
        compiled = lw.jit(penalties).lower(y, i).compile()
        assert functions(compiled) < len(report.kernels)
    strided = floats(12, 400).astype(dtype)[::2, ::-2]
    np.testing.assert_allclose(lw.jit(penalties)(strided, i), penalties(strided, i), rtol=1e-4)


def test_a_number_that_is_zero_or_nan_is_right():
    def scaled(x: Any, factors: list[Any]) -> Any:
        return [np.exp(np.sort(x + np.float32(f))) * np.float32(f) for f in factors]

    x = floats(20)
    for factors in ([2.0, 3.0, 4.0, 5.0, np.nan, np.inf], [0.0, -0.0, 1.0, 2.0, 3.0, 4.0]):
        for got, want in zip(lw.jit(lambda x, f=factors: scaled(x, f))(x), scaled(x, factors), strict=True):
            np.testing.assert_allclose(got, want, rtol=1e-5)
            assert np.array_equal(np.signbit(got), np.signbit(want)) or np.isnan(want).any()


@pytest.mark.parametrize(("numbers", "expected"), [(2, 1), (12, 6)])
def test_more_numbers_than_registers_stay_in_the_code(numbers: int, expected: int):
    def terms(x: Any) -> list[Any]:
        found: list[Any] = []
        for k in range(6):
            value = np.sort(x)
            for n in range(numbers):
                value = np.maximum(value * np.float32(0.5 + k / 16), x + np.float32(0.25 * n + k + 1))
            x = value
            found.append(value)
        return found

    x = floats(20)
    compiled = lw.jit(terms).lower(x).compile()
    for got, want in zip(compiled(x), terms(x), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-5)
    assert functions(compiled) == expected


@pytest.mark.parametrize(("steps", "part"), [(3, True), (9, False)])
def test_small_kernels_are_part_of_their_callers_if_these_are_few(steps: int, part: bool):
    def repeated(x: Any, w: Any) -> Any:
        for k in range(steps):
            x = np.sort(np.tanh(x) + w[k])
        return x

    x, w = floats(5), floats(steps, 5)
    compiled = lw.jit(repeated).lower(x, w).compile()
    np.testing.assert_allclose(compiled(x, w), repeated(x, w), rtol=1e-5)
    headers = re.findall(r"^define internal void @k1_\w*\(.*", compiled.as_text("llvm"), re.MULTILINE)
    assert ["alwaysinline" in header for header in headers] == [part]
