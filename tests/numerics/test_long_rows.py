"""Rows that do not stay in cache are reduced chunk by chunk: as exact as NumPy's formulas, right for every value."""

import numpy as np
import pytest

import loopweld as lw
from loopweld.passes.fusion.chunks import CHUNK_BYTES

SMALL = lw.Target("cpu", cache_bytes=1 << 12, last_cache_share=1 << 13)
"""A target on which short rows count as long."""
CHUNK = CHUNK_BYTES // 4
LARGEST = {"f4": 3e38, "f8": 1.7e308}


def softmax(x, axis):
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def logsumexp(x, axis):
    m = x.max(axis=axis, keepdims=True)
    return np.log(np.exp(x - m).sum(axis=axis, keepdims=True)) + m


def guarded_logsumexp(x, axis):
    """As in SciPy: an infinite maximum is not subtracted."""
    m = x.max(axis=axis, keepdims=True)
    m = np.where(np.isfinite(m), m, 0)
    return np.log(np.exp(x - m).sum(axis=axis, keepdims=True)) + m


def softmin(x, axis):
    e = np.exp(x.min(axis=axis, keepdims=True) - x)
    return e / e.sum(axis=axis, keepdims=True)


def entropy(x, axis):
    z = x - x.max(axis=axis, keepdims=True)
    e = np.exp(z)
    s = e.sum(axis=axis)
    return np.log(s) - (e * z).sum(axis=axis) / s


def variance(x, axis):
    return x.var(axis=axis)


def standardise(x, axis):
    centred = x - x.mean(axis=axis, keepdims=True)
    return centred / np.sqrt((centred * centred).mean(axis=axis, keepdims=True) + 1e-5)


def covariance(x, axis):
    y = x * x
    return ((x - x.mean(axis=axis, keepdims=True)) * (y - y.mean(axis=axis, keepdims=True))).mean(axis=axis)


def third_moment(x, axis):
    d = x - x.mean(axis=axis, keepdims=True)
    return (d * d * d).mean(axis=axis)


def statistics(x, axis):
    top = x.max(axis=axis, keepdims=True)
    return x.min(axis=axis), x.sum(axis=axis), x.std(axis=axis), np.exp(x - top).sum(axis=axis)


def standardised_moments(x, axis):
    """Sums with a factor of the whole row: the reciprocal of the deviation."""
    d = x - x.mean(axis=axis, keepdims=True)
    h = d / np.sqrt((d * d).mean(axis=axis, keepdims=True) + 1e-5)
    return (h * x).mean(axis=axis), (h * h * x).mean(axis=axis)


FORMULAS = [
    softmax,
    logsumexp,
    guarded_logsumexp,
    softmin,
    entropy,
    variance,
    standardise,
    covariance,
    third_moment,
    statistics,
    standardised_moments,
]


def flat(results):
    parts = results if isinstance(results, tuple) else (results,)
    return np.concatenate([np.ravel(p).astype(np.float64) for p in parts])


def compiled(f, axis):
    return lw.jit(lambda x: f(x, axis), target=SMALL)


def is_online(jitted, x):
    return any(d.fused and d.reason == "online-reduction" for d in jitted.explain(x).decisions)


def compare(f, x, axis):
    """Not much farther from the formula in a wider type than NumPy is, and special where NumPy is special."""
    jitted = compiled(f, axis)
    assert is_online(jitted, x)
    wide = x.astype({"e": np.float64, "f": np.float64, "d": np.longdouble}[x.dtype.char])
    with np.errstate(all="ignore"):
        found, numpy, wanted = flat(jitted(x)), flat(f(x, axis)), flat(f(wide, axis))
    np.testing.assert_array_equal(np.isnan(found), np.isnan(numpy))
    finite = np.isfinite(wanted) & np.isfinite(numpy)
    np.testing.assert_array_equal(np.isinf(found[finite]), False)
    size = np.max(np.abs(wanted[finite]), initial=0.0)
    error, allowed = (np.max(np.abs(v - wanted)[finite], initial=0.0) for v in (found, numpy))
    assert error <= 2 * allowed + 16 * np.finfo(x.dtype).eps * size, f"{error} for {allowed}, values up to {size}"


def numbers(*shape, dtype="f4"):
    return (np.random.default_rng(sum(shape)).standard_normal(shape) * 2 + 1).astype(dtype)


@pytest.mark.parametrize("f", FORMULAS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("dtype", ["f2", "f4", "f8"])
def test_rows_and_columns(f, dtype):
    compare(f, numbers(3, CHUNK + 900, dtype=dtype), 1)
    compare(f, numbers(CHUNK + 900, 3, dtype=dtype), 0)


@pytest.mark.parametrize("extra", [-1, 0, 1, 15, 17, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 65])
def test_lengths_around_a_chunk(extra):
    for f in (softmax, variance):
        compare(f, numbers(2, CHUNK + extra), 1)
        compare(f, numbers(CHUNK + extra), 0)


@pytest.mark.parametrize(
    ("shape", "axis"),
    [((2, 3, 4500), 2), ((3, 4500, 2), 1), ((3, 41, 130), (1, 2)), ((70, 90), None), ((1, 5000), 1), ((17, 4097), 1)],
)
def test_axes(shape, axis):
    compare(variance, numbers(*shape), axis)
    compare(softmax, numbers(*shape), axis)


def test_layouts():
    for x in (numbers(4500, 4).T, numbers(4, 9000)[:, ::2], numbers(4, 4500)[:, ::-1], numbers(9000, 4)[::2].T):
        for f in (softmax, variance, standardise):
            compare(f, x, 1)


def special_rows(dtype):
    """Rows of two chunks and a bit."""
    n = 2 * CHUNK + 77
    base = np.random.default_rng(0).standard_normal(n)
    rows = [np.full(n, v) for v in (-np.inf, np.inf, np.nan, 0.0)]
    for value in (-np.inf, np.inf, np.nan):
        for places in (slice(0, 1), slice(CHUNK + 5, CHUNK + 6), slice(n - 1, n), slice(0, CHUNK), slice(CHUNK, n)):
            row = base.copy()
            row[places] = value
            rows.append(row)
    for value in (3.0, np.inf, np.nan):
        row = np.full(n, -np.inf)
        row[-2] = value
        rows.append(row)
    large = np.zeros(n)
    large[CHUNK : CHUNK + 3] = LARGEST[dtype]
    return [row.astype(dtype) for row in [*rows, large]]


@pytest.mark.parametrize("f", FORMULAS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_special_values(f, dtype):
    rows = special_rows(dtype)
    jitted = lw.jit(lambda x: f(x, -1), target=SMALL)
    for k, row in enumerate(rows):
        for x in (row, np.stack([row, rows[3]])):
            with np.errstate(all="ignore"):
                found, wanted = flat(jitted(x)), flat(f(x, -1))
            np.testing.assert_array_equal(np.isnan(found), np.isnan(wanted), err_msg=f"row {k}")
            np.testing.assert_array_equal(np.isinf(found), np.isinf(wanted), err_msg=f"row {k}")


@pytest.mark.parametrize("shape", [(3, 3 * CHUNK + 5), (9 * CHUNK + 5,)])
def test_a_large_offset(shape):
    for dtype, offset in (("f4", 1e6), ("f8", 1e9)):
        x = (numbers(*shape, dtype="f8") + offset).astype(dtype)
        found = compiled(variance, -1)(x)
        np.testing.assert_allclose(found, x.astype(np.longdouble).var(axis=-1), rtol=1e-2 if dtype == "f4" else 1e-6)


@pytest.mark.parametrize("shape", [(3, 3 * CHUNK + 5), (9 * CHUNK + 5,)])
def test_large_logits(shape):
    for dtype in ("f4", "f8"):
        x = (numbers(*shape, dtype="f8") * 1e6).astype(dtype)
        p = compiled(softmax, -1)(x)
        np.testing.assert_allclose(p, softmax(x.astype(np.longdouble), -1), rtol=1e-5, atol=1e-30)
        np.testing.assert_array_equal(p.max(axis=-1), 1)


@pytest.mark.parametrize("shape", [(3, 3 * CHUNK + 5), (9 * CHUNK + 5,), (130, 140)])
def test_positions(shape):
    """The first one of equal elements, also across chunks; the first NaN before all."""

    def f(x):
        axis = None if x.shape == (130, 140) else -1
        return x.argmax(axis), x.argmin(axis), x.var(axis)

    jitted = lw.jit(f, target=SMALL)
    x = np.round(numbers(*shape))
    assert is_online(jitted, x)
    for _ in range(3):
        for found, wanted in zip(jitted(x)[:2], f(x)[:2], strict=True):
            np.testing.assert_array_equal(found, wanted)
        x[..., x.shape[-1] // 2 :: 77] = np.nan if np.isinf(x).any() else np.inf


def test_a_long_sum_of_squares_does_not_drift():
    x = np.random.default_rng(1).uniform(0, 1, 1 << 24).astype(np.float32)
    np.testing.assert_allclose(lw.jit(np.var)(x), x.var(dtype=np.float64), rtol=3e-7)


def test_long_and_short_rows_are_versions():
    """Each is compiled once, and calls find theirs."""
    jitted = compiled(logsumexp, 1)
    short, long = numbers(30, 100), numbers(30, 9000)
    for x in (short, long, numbers(30, 101), numbers(20, 9001), short, long, short, long):
        np.testing.assert_allclose(jitted(x), logsumexp(x.astype(np.float64), 1), rtol=1e-6)
    assert jitted.cache_info().compilations == 2
    assert is_online(jitted, long) and not is_online(jitted, short)


def test_an_array_in_cache_keeps_its_exponentials():
    """Storing them is faster than computing them twice; where that is no question there is one form for all sizes."""
    for f, kept in ((softmax, True), (standardise, False), (logsumexp, False)):
        jitted = compiled(f, 0)
        assert is_online(jitted, numbers(100)) is not kept
        assert is_online(jitted, numbers(5000))


def test_reports():
    for x in (numbers(3, 9000), numbers(27_000)):
        for f, times, sweeps in (
            (logsumexp, 1, 2),
            (variance, 1, 1),
            (statistics, 1, 2),
            (standardised_moments, 1, 1),
            (softmax, 2, 3),
        ):
            target = lw.Target("cpu", cache_bytes=CHUNK_BYTES, last_cache_share=1 << 13)
            report = lw.jit(lambda x, f=f: f(x, -1), target=target).explain(x)
            reads = [t for kernel in report.kernels for t in kernel.reads if t.tensor == "x"]
            assert sum(t.times for t in reads) == times
            assert times * x.nbytes <= sum(t.bytes for t in reads) <= 1.01 * times * x.nbytes  # with samples
            assert report.temporary_bytes <= 8 and report.scratch_bytes <= x.nbytes // 100
            walked = [k for k in report.kernels if any(t.tensor == "x" for t in k.reads)]
            assert sum(k.sweeps for k in walked) == sweeps  # a chunk is walked more than once while it is in cache
            assert all(k.flops % x.size < 1000 for k in walked)  # the last chunk counts as long as it is


def test_stages_read_back():
    from structure.walks import parse

    program = compiled(statistics, 1).lower(numbers(3, 9000)).compile()
    for stage in ("kernels", "loops"):
        text = program.as_text(stage)
        assert str(parse(text)).strip() == text.strip()


def test_strict_numerics_keep_the_order_of_sums():
    x = numbers(3, 9000)
    jitted = lw.jit(lambda x: variance(x, 1), target=SMALL, numerics="strict")
    assert not is_online(jitted, x)
    np.testing.assert_allclose(jitted(x), variance(x.astype(np.float64), 1), rtol=1e-5)


@pytest.mark.parametrize("dtype", ["f4", "f2"])
def test_sums_in_a_wider_type(dtype):
    """Corrections are in the type of the terms, sums in a wider one."""

    def f(x):
        m = x.max()
        return np.log(np.exp(x - m).sum(dtype="f8")) + m, ((x - x.mean()) ** 2).sum(dtype="f8")

    x = np.random.default_rng(0).standard_normal(3 * CHUNK + 5).astype(dtype)
    found, exact = lw.jit(f, target=SMALL)(x), f(x.astype("f8"))
    np.testing.assert_allclose(found, exact, rtol=1e-5)
    assert all(a.dtype == "f8" for a in found)


def test_a_sum_of_what_a_sum_is_written_into():
    """One element of the row depends on its sum, the others do not."""

    def f(x, i):
        y = x.copy()
        y[i] = x.sum()
        return y.sum(), np.exp(y - y.max()).sum()

    for n in (30, 3 * CHUNK):
        x = np.arange(n) / n
        np.testing.assert_allclose(lw.jit(f)(x, np.array([2])), f(x, np.array([2])))
