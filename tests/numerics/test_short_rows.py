"""Rows that one step of lanes covers have code of their own; its values are those of the long rows' code."""

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import pytest

import loopweld as lw

Array: TypeAlias = np.ndarray[Any, Any]


def softmax(x: Array) -> Array:
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def standardise(x: Array) -> tuple[Array, Array, Array]:
    centred = x - x.mean(axis=1, keepdims=True)
    variance = (centred * centred).mean(axis=1)
    return centred / np.sqrt(variance[:, None] + 1e-5), variance, centred


def shifted(x: Array) -> tuple[Array, Array]:
    """Reads its rows at other elements than it writes them."""
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return e[:, 1:] - e[:, :-1], e[:, ::-1] / e.sum(axis=1, keepdims=True)


def both_ways(x: Array) -> tuple[Array, Array, Array, Array]:
    y = np.tanh(x)
    return y.sum(axis=1), y.sum(axis=0), y.argmax(axis=1), y - y.min(axis=1, keepdims=True)


def row_sums(x: Array) -> Array:
    return (x * x).sum(axis=1)


def total(x: Array) -> tuple[Array, Array]:
    return (x * x[:1]).sum(), np.abs(x).max(axis=1)


def log_sum_exp(x: Array) -> tuple[Array, Array, Array]:
    """Its ends, the logarithms, are those of many rows at once."""
    m = x.max(axis=-1)
    s = np.exp(x - m[..., None]).sum(axis=-1)
    return m + np.log(s), s, np.tanh(m) * x[..., 1]


PROGRAMS: list[Callable[[Array], Any]] = [softmax, standardise, shifted, both_ways, row_sums, total, log_sum_exp]


def close(found: Any, wanted: Any, rtol: float) -> None:
    pairs = zip(found, wanted, strict=True) if isinstance(found, tuple) else [(found, wanted)]
    for a, b in pairs:
        assert a.shape == b.shape
        np.testing.assert_allclose(a, b, rtol=rtol, atol=rtol)


def test_ends_of_rows() -> None:
    """More rows than are ended at once, in several outer dims and blocks; each result is a row's own."""
    rng = np.random.default_rng(6)
    compiled = lw.jit(log_sum_exp, threads=2)
    for shape in ((150, 24), (63, 24), (64, 24), (3, 70, 20), (2, 3, 65, 18), (50_000, 24), (0, 24)):
        x = rng.standard_normal(shape).astype(np.float32)
        close(compiled(x), log_sum_exp(x.astype(np.float64)), 2e-5)


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p.__name__)
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16])
def test_rows_of_every_length(program: Callable[[Array], Any], dtype: type) -> None:
    """Compiled for a short example (once for each length class), then called with shorter and longer rows."""
    rng = np.random.default_rng(5)
    compiled = lw.jit(program)
    rtol = {np.float16: 2e-2, np.float32: 2e-5, np.float64: 1e-12}[dtype]
    for columns in (33, 17, 18, 31, 32, 40, 63, 64, 65, 100, 300, 5, 16):
        for rows in (1, 19):
            x = rng.standard_normal((rows, columns)).astype(dtype)
            close(compiled(x), program(x.astype(np.float64)), rtol)
    with np.errstate(invalid="ignore"):
        x = rng.standard_normal((19, 30)).astype(dtype)
        x[3, 4], x[5, 6], x[7] = np.nan, np.inf, -np.inf
        close(compiled(x), program(x), rtol)


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p.__name__)
def test_short_code_rounds_as_long_code(program: Callable[[Array], Any]) -> None:
    """What was called first must not change what a later call gives."""
    rng = np.random.default_rng(6)
    first_short, first_long = lw.jit(program), lw.jit(program)
    first_short(rng.standard_normal((20, 30)).astype(np.float32))
    first_long(rng.standard_normal((20, 300)).astype(np.float32))
    for columns in (20, 30, 32):
        x = rng.standard_normal((23, columns)).astype(np.float32)
        short, long = first_short(x), first_long(x)
        pairs = zip(short, long, strict=True) if isinstance(short, tuple) else [(short, long)]
        for a, b in pairs:
            assert np.array_equal(a, b)


def test_a_short_row_is_one_step_without_loop() -> None:
    x = np.ones((40, 24), np.float32)
    text = lw.jit(softmax).lower(x).as_text("loops")
    short, long = text.index('"d0"'), text.rindex('"d0"')
    assert short != long
    assert '"d1' not in text[:short].split("func.func private")[1]
    x = np.ones((40, 16), np.float32)
    text = lw.jit(lambda x: x - x.max(axis=1, keepdims=True)).lower(x).as_text("loops")
    assert text.count("loop.for") == 1 and "loop.transpose" not in text


@pytest.mark.parametrize(("columns", "dtype"), [(2, np.float32), (5, np.float64), (12, np.float16), (16, np.float32)])
def test_a_lane_has_a_row_of_its_own(columns: int, dtype: type) -> None:
    """Rows of which a register would hold one, or part of one, are transposed: no step combines lanes."""
    rng = np.random.default_rng(columns)
    compiled = {f: lw.jit(f) for f in (softmax, standardise)}
    rtol = {np.float16: 2e-2, np.float32: 2e-5, np.float64: 1e-12}[dtype]
    for rows in (33, 64, 65, 150):
        x = rng.standard_normal((rows, columns)).astype(dtype)
        for f, found in compiled.items():
            close(found(x), f(x.astype(np.float64)), rtol)
        spread = np.zeros((rows, columns + 3), dtype)[:, 1:-2]
        spread[...] = x
        close(compiled[softmax](spread), softmax(x.astype(np.float64)), rtol)
        y = x.copy()
        compiled[softmax](y, out=y)
        close(y, softmax(x.astype(np.float64)), rtol)
    x[3, 1], x[5, 0], x[7] = np.nan, np.inf, -np.inf
    with np.errstate(invalid="ignore"):
        close(compiled[softmax](x), softmax(x), rtol)
    text = compiled[softmax].lower(x).as_text("loops")
    assert "loop.reduce" not in text
    assert text.count(f"x %{_constant(text, columns)} of %x[") == 2  # whole steps, and the rest


def _constant(text: str, number: int) -> str:
    """The name of an integer constant."""
    return text.split(f" = weld.constant {number} : i64")[0].rsplit("%", 1)[1]


def test_lanes_hold_points_where_components_are_few():
    """Every component is the same for all lanes: nothing is combined across them but the total."""

    def log_likelihood(x, mean, scale):
        p = -0.5 * ((x[:, None] - mean) / scale) ** 2 - np.log(scale)
        m = p.max(axis=1)
        return m + np.log(np.exp(p - m[:, None]).sum(axis=1))

    for count, n in ((3, 1), (5, 40), (8, 129), (13, 700)):
        x, mean = (np.random.default_rng(n + k).normal(size=size) for k, size in enumerate((n, count)))
        scale = np.abs(mean) + 0.5
        compiled = lw.jit(log_likelihood)
        np.testing.assert_allclose(compiled(x, mean, scale), log_likelihood(x, mean, scale), rtol=1e-12)
    assert "loop.reduce" not in compiled.lower(x, mean, scale).as_text("loops")
