"""A reduction of each row, and what is computed from it in that row, are one loop nest that fetches the row once."""

import numpy as np
import pytest
from fusion.checking import check, sample
from numerics.checking import check as values

import loopweld as lw

DTYPES = ["f2", "f4", "f8"]
LONG = 1 << 19
"""Elements of a row that exceeds `Target.cache_bytes`."""
OWN_CACHE = lw.Target("cpu", last_cache_share=2 << 20)
"""A machine whose last-level cache has no more room for such a row, of each thread, than the second level."""


def softmax(x, axis=-1):
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def log_softmax(x, axis=-1):
    z = x - x.max(axis=axis, keepdims=True)
    return z - np.log(np.exp(z).sum(axis=axis, keepdims=True))


def logsumexp(x, axis=-1):
    m = x.max(axis=axis, keepdims=True)
    return np.log(np.exp(x - m).sum(axis=axis, keepdims=True)) + m


def logsumexp_flat(x, axis=-1):
    m = x.max(axis=axis)
    return np.log(np.exp(x - np.expand_dims(m, axis)).sum(axis=axis)) + m


def layernorm(x, gain, bias):
    centred = x - x.mean(axis=-1, keepdims=True)
    variance = (centred * centred).mean(axis=-1, keepdims=True)
    return centred / np.sqrt(variance + 1e-5) * gain + bias


def rmsnorm(x, gain):
    return x / np.sqrt((x * x).mean(axis=-1, keepdims=True) + 1e-6) * gain


def groupnorm(x, gain, bias, groups=4):
    n, c, h = x.shape
    y = x.reshape(n, groups, c // groups, h)
    centred = y - y.mean(axis=(2, 3), keepdims=True)
    variance = (centred * centred).mean(axis=(2, 3), keepdims=True)
    return (centred / np.sqrt(variance + 1e-5)).reshape(n, c, h) * gain[:, None] + bias[:, None]


def standardise(x, axis=1):
    return (x - x.mean(axis=axis, keepdims=True)) / x.std(axis=axis, keepdims=True)


def normalise(x, axis=1):
    return x / np.sqrt((x * x).sum(axis=axis, keepdims=True))


def quantise(x):
    scale = np.maximum(np.abs(x).max(axis=1, keepdims=True), 1e-6) / 127
    return np.clip(np.rint(x / scale), -127, 127).astype(np.int8), scale[:, 0]


def layouts(n, m, dtype="f4"):
    """The same kind of matrix in several places of memory."""
    return {
        "rows": sample(n, m, dtype=dtype),
        "columns": sample(m, n, dtype=dtype).T,
        "steps": sample(2 * n, 3 * m, dtype=dtype)[::2, 1::3],
        "reversed": sample(n, m, dtype=dtype)[:, ::-1],
        "inside": sample(n + 2, m + 3, dtype=dtype)[1:-1, 2:-1],
    }


# ---- softmax and its kin -----------------------------------------------------------
@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("f", [softmax, log_softmax, logsumexp, logsumexp_flat], ids=lambda f: f.__name__)
def test_softmax_family(f, axis):
    check(lambda x: f(x, axis), sample(40, 67), terms=67)


@pytest.mark.parametrize("dtype", ["f2", "f8"])
@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("f", [softmax, log_softmax], ids=lambda f: f.__name__)
def test_softmax_dtypes(f, axis, dtype):
    check(lambda x: f(x, axis), sample(40, 67, dtype=dtype), terms=67)


@pytest.mark.parametrize("layout", layouts(1, 1))
@pytest.mark.parametrize("f", [softmax, log_softmax, standardise], ids=lambda f: f.__name__)
def test_layouts(f, layout):
    check(f, layouts(90, 33)[layout], terms=70)


@pytest.mark.parametrize(
    ("axis", "shape"),
    [(0, (18, 21, 34)), (1, (18, 21, 34)), ((0, 1), (5, 7, 340)), ((0, 2), (5, 210, 6)), ((1, 2), (18, 21, 34))],
    ids=str,
)
def test_softmax_over_axes(axis, shape):
    check(lambda x: softmax(x, axis), sample(*shape), terms=700)


def test_softmax_of_a_scaled_and_masked_value():
    def attention(scores, bias):
        return softmax(np.where(bias > 1, -np.inf, scores * 0.125 + bias))

    check(attention, sample(6, 33, 65), sample(33, 65), terms=65)


def test_causal_softmax():
    mask = np.tril(np.ones((33, 33), bool))

    def causal(scores):
        return softmax(np.where(mask, scores, -np.inf))

    values(causal, sample(5, 33, 33), terms=33)
    report = lw.jit(causal).explain(sample(5, 33, 33))
    assert len(report.kernels) == 1 and report.temporary_bytes == 0


def test_three_walks_of_softmax():
    check(softmax, sample(40, 67), sweeps=3, terms=67)


def test_two_walks_of_logsumexp():
    check(logsumexp_flat, sample(40, 67), sweeps=2, terms=67)


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (40, 1), (0, 40), (17, 3), (3, 17), (33, 129), (16, 16)], ids=str)
@pytest.mark.parametrize("axis", [0, 1])
def test_small_sizes(shape, axis):
    def f(x):
        return softmax(x, axis), log_softmax(x, axis), logsumexp(x, axis), standardise(x, axis)

    if shape[axis]:
        values(f, sample(*shape), terms=200)


def test_special_values():
    """NaN and the infinities where NumPy has them: a row of -inf, one +inf, a NaN, and a row that starts with -inf."""
    x = sample(6, 40)
    x[0], x[1, 7], x[2, 39], x[3, :20], x[4, 1:] = -np.inf, np.inf, np.nan, -np.inf, -np.inf
    for f in (softmax, log_softmax, logsumexp):
        values(f, x, terms=40)
        values(lambda y, f=f: f(y, 0), x.T.copy(), terms=40)


# ---- norms -------------------------------------------------------------------------
@pytest.mark.parametrize("dtype", DTYPES)
def test_norms(dtype):
    x, gain, bias = sample(40, 67, dtype=dtype), sample(67, dtype=dtype) + dtype_of(dtype, 3), sample(67, dtype=dtype)
    check(layernorm, x, gain, bias, terms=67, coarsest=np.float16 if dtype == "f2" else None)
    check(rmsnorm, x, gain, sweeps=2, terms=67)
    check(normalise, x, sweeps=2, terms=67)


def dtype_of(dtype, number):
    return np.dtype(dtype).type(number)


@pytest.mark.parametrize("shape", [(6, 20, 65), (3, 2, 17, 40), (33, 1, 65)], ids=str)
def test_layernorm_of_more_axes(shape):
    check(layernorm, sample(*shape), sample(shape[-1]), sample(shape[-1]), terms=65)


@pytest.mark.parametrize("layout", layouts(1, 1))
def test_layernorm_layouts(layout):
    check(layernorm, layouts(90, 33)[layout], sample(33), sample(33), terms=70)


@pytest.mark.parametrize("shape", [(6, 24, 50), (20, 8, 33), (3, 12, 7)], ids=str)
def test_groupnorm(shape):
    check(groupnorm, sample(*shape), sample(shape[1]), sample(shape[1]), terms=400)


def test_normalise_with_linalg():
    check(lambda x: x / np.linalg.norm(x, axis=1, keepdims=True), sample(40, 67), sweeps=2, terms=67)


# ---- variance ----------------------------------------------------------------------
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("axis", [0, 1])
def test_variance(axis, dtype):
    x = sample(40, 67, dtype=dtype)
    check(lambda x: x.var(axis=axis), x, terms=67)
    check(lambda x: x.std(axis=axis, ddof=1), x, terms=67)


@pytest.mark.parametrize(("axis", "dtype"), [(0, "f2"), (0, "f4"), (1, "f4"), (1, "f8")])
def test_standardised(axis, dtype):
    check(lambda x: standardise(x, axis), sample(40, 67, dtype=dtype), terms=67, ulps=32)


@pytest.mark.parametrize(("axis", "shape"), [((0, 2), (5, 210, 6)), ((1, 2), (18, 21, 34)), ((0, 1), (5, 7, 340))])
def test_variance_over_axes(axis, shape):
    check(lambda x: x.var(axis=axis), sample(*shape), terms=700)


@pytest.mark.parametrize("axis", [0, 1, None])
def test_variance_of_numbers_far_from_zero(axis):
    """No formula that subtracts squares of sums survives this."""
    for dtype, offset in (("f4", 3e4), ("f8", 1e9)):
        x = (sample(129, 67, dtype="f8") + offset).astype(dtype)
        found = np.asarray(lw.jit(lambda x: x.var(axis=axis))(x), np.float64)
        wanted = np.var(x.astype(np.longdouble), axis=axis).astype(np.float64)
        np.testing.assert_allclose(found, wanted, rtol=3e-3 if dtype == "f4" else 1e-6)


def test_variance_of_everything_reads_once():
    """Welford's combination of (count, mean, squares) needs no second walk."""
    check(lambda x: x.var(), sample(40, 67), terms=2700)
    check(lambda x: (x.mean(), x.std()), sample(2700), terms=2700)


def test_logsumexp_of_everything_reads_once():
    check(logsumexp_flat, sample(2700), terms=2700)
    check(lambda x: logsumexp_flat(x.reshape(-1)), sample(40, 67), terms=2700)


# ---- a row and more ----------------------------------------------------------------
def test_layernorm_with_greatest_of_blocks():
    def f(x, gain, bias):
        y = layernorm(x, gain, bias)
        return y, np.abs(y.reshape(x.shape[0], 7, 10)).max(axis=-1)

    check(f, sample(37, 70), sample(70), sample(70), terms=70)


def test_layernorm_with_greatest_of_rows():
    def f(x, gain, bias):
        y = layernorm(x, gain, bias)
        return y, np.abs(y).max(axis=-1)

    check(f, sample(37, 70), sample(70), sample(70), terms=70, sweeps=3)


@pytest.mark.parametrize("dtype", DTYPES)
def test_greatest_of_rows_and_of_all(dtype):
    check(lambda x: (np.abs(x).max(axis=1), np.abs(x).max()), sample(37, 70, dtype=dtype), sweeps=1, exact=True)


def test_reduction_of_row_results():
    def f(x):
        y = logsumexp_flat(x)
        return y, y.mean(), y.max()

    check(f, sample(37, 70), terms=70)


def test_quantised_rows():
    check(quantise, sample(37, 70), sweeps=2)
    check(lambda x, g, b: quantise(layernorm(x, g, b)), sample(37, 70), sample(70), sample(70), terms=70)


def test_softmax_then_entropy():
    def f(x):
        p = softmax(x)
        return p, -(p * np.log(p)).sum(axis=1)

    check(f, sample(37, 70), terms=70)


def test_residual_and_norm():
    def f(x, residual, gain):
        y = x + residual
        return y, rmsnorm(y, gain)

    check(f, sample(37, 70), sample(70, 37).T.copy(), sample(70), sweeps=2, terms=70)


def test_swiglu_into_norm():
    def f(a, b, gain):
        return rmsnorm(a / (1 + np.exp(-a)) * b, gain)

    check(f, sample(37, 70), sample(70, 37).T.copy(), sample(70), terms=70)


# ---- long rows ---------------------------------------------------------------------
def long_report(f, *args):
    """The report of a program over rows that do not stay in cache."""
    report = lw.jit(f, target=OWN_CACHE).explain(*args)
    assert len(report.kernels) == 1 and report.temporary_bytes == 0
    assert report.scratch_bytes <= 1 << 16, f"a row in scratch\n{report}"
    return report


def times(report):
    return {t.tensor: t.times for t in report.kernels[0].reads}


def test_long_logsumexp_reads_once():
    assert times(long_report(logsumexp_flat, sample(3, LONG)))["x"] == 1


def test_long_variance_reads_once():
    assert times(long_report(lambda x: x.var(axis=1), sample(3, LONG)))["x"] == 1


@pytest.mark.parametrize("f", [softmax, log_softmax, standardise], ids=lambda f: f.__name__)
def test_long_rows_are_read_twice(f):
    """Once for the statistics, and once for the result. An exponential's statistics walk a chunk in cache twice;
    a deviation and a mean are one."""
    report = long_report(f, sample(3, LONG))
    assert times(report)["x"] == 2 and report.kernels[0].sweeps == (2 if f is standardise else 3)


def test_expensive_values_of_a_row_in_the_last_cache_are_kept():
    """An exponential costs more than another walk over the row. The row waits where the result will be."""
    x = sample(3, LONG)
    kept, again = (lw.jit(softmax, target=lw.Target("cpu", last_cache_share=mib << 20)).lower(x) for mib in (16, 2))
    assert kept.as_text("kernels").count("weld.exp ") == 1 < again.as_text("kernels").count("weld.exp ")
    for lowered in (kept, again):
        report = lowered.compile().report_at_sizes()
        assert len(report.kernels) == 1 and report.temporary_bytes == 0 and report.scratch_bytes <= 1 << 12, f"{report}"
    donated = lw.jit(softmax, donate=("x",)).explain(x)
    assert donated.scratch_bytes > LONG, "the result is where the argument is"


def two_kept(x):
    """Rows that wait for each other's sums, one of them read in reverse."""
    e = np.exp(x - x.max(axis=1, keepdims=True))
    s = np.sin(x) * e.sum(axis=1, keepdims=True)
    total = s.sum(axis=1, keepdims=True)
    return e / total, s / total, e[:, ::-1] - total


@pytest.mark.parametrize("how", [{}, {"donate": ("x",)}], ids=["", "donated"])
def test_long_rows_that_wait(how):
    x = sample(3, 40_001)
    for f in (softmax, two_kept):
        found, wanted = lw.jit(f, **how)(x.copy()), f(x.astype(np.float64))
        for a, b in zip(*((v if isinstance(v, tuple) else (v,)) for v in (found, wanted)), strict=True):
            np.testing.assert_allclose(a, b, rtol=2e-4, atol=1e-5)


def test_expensive_values_of_a_lone_row_in_the_last_cache_are_kept():
    """In the result's memory."""
    x = sample(3 * LONG)
    kept, again = (lw.jit(softmax, target=lw.Target("cpu", last_cache_share=mib << 20)).explain(x) for mib in (16, 2))
    assert (len(kept.kernels), len(again.kernels)) == (3, 2)
    assert kept.temporary_bytes <= 64 and again.temporary_bytes <= 64


def test_long_columns_are_read_twice():
    report = long_report(lambda x: softmax(x, 0), sample(1 << 17, 20))
    assert times(report)["x"] == 2


@pytest.mark.parametrize("f", [softmax, log_softmax, logsumexp, logsumexp_flat, standardise], ids=lambda f: f.__name__)
def test_values_of_long_rows(f):
    x = sample(2, LONG)
    found, wanted = lw.jit(f, target=OWN_CACHE)(x), f(x.astype(np.float64))
    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)


def test_special_values_of_long_rows():
    x = np.full((6, LONG), -3, np.float32)
    x[0], x[1, 70_000], x[2, -1], x[3, : LONG // 2], x[4, 1:], x[5, ::2] = (
        -np.inf,
        np.inf,
        np.nan,
        -np.inf,
        -np.inf,
        2e4,
    )
    with np.errstate(all="ignore"):
        for f in (logsumexp_flat, softmax):
            np.testing.assert_allclose(lw.jit(f, target=OWN_CACHE)(x), f(x.astype(np.float64)), rtol=1e-4)


def test_whole_arrays_are_read_twice_and_never_stored():
    """One long vector, or one row: a walk for the statistics, one for the result."""

    def norm(x):
        return layernorm(x, 1, 0)

    for f in (softmax, log_softmax, norm):
        for x in (sample(3000), sample(1, 3000)):
            values(f, x, terms=3000)
        for x in (sample(LONG), sample(1, LONG)):
            report = lw.jit(f, target=OWN_CACHE).explain(x)
            assert sum(t.times for k in report.kernels for t in k.reads if t.tensor == "x") <= 2, f"{report}"
            assert report.temporary_bytes <= 64 and report.bytes_moved <= 1.55 * report.bytes_minimum


def test_short_rows_that_are_read_after_the_loops():
    """They stay in registers for the row's own sums, and in memory for what comes later."""

    def f(x):
        e = np.exp(x - x.max(axis=1, keepdims=True))
        return e.std(axis=1), (e / e.sum(axis=1, keepdims=True))[2:]

    jitted, x = lw.jit(f), sample(7, 8, dtype="f8")
    assert "after 1" in jitted.lower(x).as_text("kernels")
    for shift in range(3):  # values that no memory holds yet
        given = x * (shift + 1)
        for found, wanted in zip(jitted(given), f(given), strict=True):
            np.testing.assert_allclose(found, wanted, rtol=1e-12)
