"""Statistics of one array in one walk over it; the cross entropy of integer labels."""

import numpy as np
import pytest
from fusion.checking import check, check_report, sample
from numerics.checking import agree, reference
from numerics.checking import check as values

import loopweld as lw
from loopweld.passes.fusion.shift import PLACES, STRIDES

DTYPES = ["f2", "f4", "f8"]


# ---- several statistics, one sweep ----------------------------------------------------
def summary(x):
    return np.abs(x).max(), np.abs(x).mean(), (x * x).mean(), x.var(), x.argmax()


def moments(x):
    return x.mean(), x.std(), x.min(), x.max(), np.sqrt((x * x).mean())


def norms(x):
    return np.abs(x).sum(), np.sqrt((x * x).sum()), np.abs(x).max(), np.count_nonzero(x), np.isfinite(x).all()


def amax_and_scale(x):
    """What a tensor's quantisation needs."""
    low, high = x.min(), x.max()
    return np.maximum(-low, high) / 127, (x < 0).any(), high - low


def with_marks(*functions, marks):
    """Parameters named as the functions, of which those in `marks` have a mark."""
    return [pytest.param(f, id=f.__name__, marks=marks.get(f, ())) for f in functions]


@pytest.mark.parametrize("f", [summary, moments, norms, amax_and_scale], ids=lambda f: f.__name__)
@pytest.mark.parametrize("shape", [(5000,), (140, 133), (20, 18, 33)], ids=str)
def test_of_the_whole_array(f, shape):
    check(f, sample(*shape) + 0.25, sweeps=1)


@pytest.mark.parametrize("f", [summary, moments, norms], ids=lambda f: f.__name__)
@pytest.mark.parametrize("dtype", ["f2", "f8"])
def test_of_other_dtypes(f, dtype):
    check(f, sample(140, 133, dtype=dtype) + np.dtype(dtype).type(0.25), sweeps=1)


def test_of_integers():
    def f(x):
        return x.mean(), x.var(), x.max(), x.argmin(), (x * x).sum(), (x % 3 == 0).sum()

    for dtype in ("i1", "i4", "u2"):
        check(f, sample(140, 133, dtype=dtype, low=-11, high=11), sweeps=1)


def test_of_strided_inputs():
    base = sample(280, 266, dtype="f8")
    for x in (np.asfortranarray(base), base[::2, ::-2], base.T[3:140, 5:], base[:, :133]):
        check(summary, x, sweeps=1)


@pytest.mark.parametrize("axis", [0, 1])
def test_along_an_axis(axis):
    def f(x):
        return np.abs(x).max(axis), np.abs(x).mean(axis), (x * x).mean(axis), x.argmax(axis), x.min(axis)

    for dtype in DTYPES:
        check(f, sample(140, 133, dtype=dtype), sweeps=1)


@pytest.mark.parametrize("axis", [0, 1])
def test_variance_along_an_axis(axis):
    """A row stays in cache: it may be walked twice, and is read once."""
    check(lambda x: (x.var(axis), x.mean(axis), x.max(axis)), sample(140, 133))
    check(lambda x: x.std(axis, ddof=1, keepdims=True), sample(140, 133))


def test_of_an_expression():
    """It is computed once an element, and once more for a sample of 16; it is nowhere in memory."""

    def f(x, y):
        v = np.exp(x) - y
        return v.var(), v.max(), v.mean(), v.argmin(), np.abs(v).sum()

    report = check(f, sample(140, 133), sample(133, 140).T.copy(), sweeps=1)
    assert report.kernels[0].ops.count("exp") == 2
    assert report.kernels[0].flops < 140 * 133 * 9 + 1000


def test_with_the_value():
    def f(x):
        v = np.tanh(x)
        return v, v.mean(), v.var(), np.abs(v).max()

    check(f, sample(140, 133), sweeps=1)


def test_of_two_arrays():
    def f(x, y):
        return x.mean(), y.mean(), (x * y).mean(), np.abs(x - y).max(), (x * x).sum(), (y * y).sum()

    check(f, sample(5000), sample(5001)[1:].copy(), sweeps=1)


# ---- the variance is right -------------------------------------------------------------
@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("offset", [0, 1e3, -1e4, 1e6])
def test_a_variance_far_from_zero(dtype, offset):
    """The squares are of a size that leaves no digits: it is of the differences from a mean."""
    x = (np.random.default_rng(1).standard_normal(30_000) + offset).astype(dtype)
    found = lw.jit(lambda x: (x.var(), x.mean(), x.max()))(x)
    exact = x.astype(np.longdouble)
    eps = float(np.finfo(dtype).eps)
    assert abs(float(found[0]) - float(exact.var())) <= max(64 * eps, (eps * offset) ** 2) * float(exact.var())
    assert abs(float(found[1]) - float(exact.mean())) <= 4 * eps * max(abs(offset), 1)
    assert found[2] == x.max()


def places_of_the_sample(n):
    return (np.arange(16) * STRIDES[0] + STRIDES[0] // 2) % PLACES * n // PLACES


def hard(n):
    """Data whose variance is lost by a sum of squares, or by a bad shift."""
    rng = np.random.default_rng(5)
    z = rng.standard_normal(n)
    yield "offset", z + 1e6
    yield "heavy tails", np.exp(3 * z)
    yield "ramp", np.linspace(-1, 3, n)
    yield "walk", np.cumsum(z)
    yield "bits", (z > 1.5).astype(float)
    yield "one hot", (np.arange(n) == 7).astype(float)
    for name, places in (
        ("outlier first", 0),
        ("outlier last", -1),
        ("transient", slice(12)),
        ("outlier in the sample", places_of_the_sample(n)[3]),
        ("column of ids", slice(None, None, 256)),
    ):
        x = z.copy()
        x[places] = 1e5
        yield name, x


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("shape", [(160_000,), (400, 400)], ids=str)
def test_variances_of_hard_data(shape, dtype):
    """As good as NumPy's of two passes, up to a few roundings; with ddof, as a deviation, and a covariance."""
    eps = float(np.finfo(dtype).eps)

    def f(x):
        y = np.abs(x)
        return x.var(), x.std(ddof=1), x.var(keepdims=True), ((x - x.mean()) * (y - y.mean())).mean()

    compiled = lw.jit(f)
    check_report(compiled.lower(np.zeros(shape, dtype)).compile(), sweeps=1)
    for name, data in hard(int(np.prod(shape))):
        x = data.reshape(shape).astype(dtype)
        for found, numpy, exact in zip(compiled(x), f(x), f(x.astype(np.longdouble)), strict=True):
            allowed = 16 * eps * abs(exact) + 2 * abs(numpy - exact)
            assert np.all(abs(found - exact) <= allowed), f"{name}: {found} for {exact}, NumPy's is {numpy}"


def shape_of_a_distribution(x):
    """Mean, deviation, skewness and kurtosis."""
    d = x - x.mean()
    s = np.sqrt((d * d).mean())
    z = d / s
    return x.mean(), s, (z**3).mean(), (z**4).mean()


NO_CACHE = lw.Target(cache_bytes=1, last_cache_share=1)


@pytest.mark.parametrize("dtype", DTYPES)
def test_standardised_moments(dtype):
    """The differences, of which three sums are taken, are in no array; one sweep for all four."""
    x = sample(140, 133, dtype=dtype) + np.dtype(dtype).type(0.25)
    check(shape_of_a_distribution, x, sweeps=1, target=NO_CACHE)


@pytest.mark.parametrize(("dtype", "sweeps"), [("f4", 2), ("f8", 1)])
def test_standardised_moments_in_cache(dtype, sweeps):
    """High powers of float32 take sums of float64, and those longer than reading what the last cache holds."""
    x = sample(140, 133, dtype=dtype) + np.dtype(dtype).type(0.25)
    check(shape_of_a_distribution, x, kernels=sweeps, reads={"x": sweeps}, temporaries=16, slack=sweeps * 1.05)


@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_standardised_moments_of_hard_data(dtype):
    """Also where the powers themselves would leave the range of the dtype."""
    eps, tiny = float(np.finfo(dtype).eps), 1e-12 if dtype == "f4" else 1e-60
    f = lw.jit(shape_of_a_distribution, target=NO_CACHE)
    for name, data in hard(9000):
        for scale in (1, tiny, 1e8) if name != "offset" else ():  # the mean's own rounding counts there
            x = (data * scale).astype(dtype)
            exact = x.astype(np.longdouble)
            d = exact - exact.mean()
            z = d / np.sqrt((d * d).mean())
            _, _, third, fourth = f(x)
            for found, power in ((third, z * z * z), (fourth, z * z * z * z)):
                error = abs(found - power.mean()) / abs(power).mean()
                assert error <= 64 * eps, f"{name} * {scale}: {error / eps} eps"


@pytest.mark.parametrize("numbers", [2.0, np.arange(1, 6001) % 7 / 4], ids=["number", "array"])
def test_differences_of_products(numbers):
    """`k * x - m` is one rounding, and a difference from the mean all the same."""
    numbers = np.asarray(numbers, "f4")[()]

    def f(x, k):
        y = k * x
        return ((x - x.mean()) * (k * x - 2 * x.mean())).sum(), ((x * x - x.mean() * x.mean()) ** 2).sum(), y.max()

    check(f, sample(6000), numbers, sweeps=1, scale=4e4)


@pytest.mark.parametrize("axis", [0, 1])
def test_statistics_of_a_batch(axis):
    """Rows and columns too long for the cache: one sweep, and a sample."""
    x = np.random.default_rng(6).standard_normal((6000, 40)) * np.arange(1, 41) + 100 * np.arange(40)
    x = np.ascontiguousarray((x if axis == 0 else np.tile(x, (50, 1)).T).astype(np.float32))
    f = lw.jit(lambda x: (x.mean(axis), x.var(axis, ddof=1), np.abs(x).max(axis)))
    compiled = f.lower(x).compile()
    check_report(compiled)
    assert sum(kernel.sweeps for kernel in compiled.report_at_sizes().kernels) == 1
    wide = x.astype(np.float64)
    for found, exact in zip(f(x), (wide.mean(axis), wide.var(axis, ddof=1), np.abs(wide).max(axis)), strict=True):
        np.testing.assert_allclose(found, exact, rtol=1e-5)


def test_a_variance_with_an_outlier_first():
    """A first element that is nothing like the rest is no good shift."""
    x = np.random.default_rng(2).standard_normal(40_000).astype(np.float32)
    x[0] = 1e4
    found = lw.jit(lambda x: (x[1:].var(), x.var(), x.mean()))(x)
    exact = x.astype(np.float64)
    np.testing.assert_allclose(found[0], exact[1:].var(), rtol=2e-5)
    np.testing.assert_allclose(found[1], exact.var(), rtol=2e-5)


@pytest.mark.parametrize("f", [summary, moments, norms], ids=lambda f: f.__name__)
def test_few_elements(f):
    for n in (1, 2, 3, 7, 8, 15, 16, 17, 33, 129):
        values(f, sample(n))


@pytest.mark.parametrize("f", [summary, moments, norms], ids=lambda f: f.__name__)
def test_specials(f):
    """NaN, the infinities, and squares beyond the greatest number, wherever they stand."""
    compiled = lw.jit(f)
    for n in (1, 5, 40, 70):
        for special in (np.nan, np.inf, -np.inf, 3e38):
            for place in (0, n // 2, n - 1):
                x = sample(n) / 8
                x[place] = special
                agree(compiled(x), reference(f, x), terms=n, what=f"{special} at {place} of {n}")


def test_constant_arrays():
    """All variance is rounding: none may be left but that of the mean."""
    compiled = lw.jit(lambda x: (x.var(), x.mean()))
    for value in (0.1, 1e5 + 0.1, -3e-15):
        for n in (1, 17, 1000, 4097):
            var, mean = compiled(np.full(n, value, np.float32))
            assert 0 <= var <= (1e-6 * value) ** 2 and abs(mean - np.float32(value)) <= abs(1e-6 * value)


def test_nothing():
    def f(x):
        return x.sum(), x.mean(), x.var(), (x * x).mean(), np.abs(x).sum()

    values(f, sample(0))
    for shape in ((0, 20), (20, 0)):
        values(f, sample(*shape))
        values(lambda x: (x.mean(0), x.var(0)), sample(*shape))


# ---- cross entropy ------------------------------------------------------------------------
def labels(n, m, dtype="i8"):
    return (np.arange(n) * 7 % m).astype(dtype)


def forward(x, label):
    m = x.max(axis=1, keepdims=True)
    s = np.exp(x - m).sum(axis=1)
    picked = np.take_along_axis(x, label[:, None], axis=1)[:, 0]
    return (np.log(s) + m[:, 0] - picked).mean()


def losses(x, label):
    """One for each row, picked by a pair of index arrays."""
    m = x.max(axis=1)
    s = np.exp(x - m[:, None]).sum(axis=1)
    return np.log(s) + m - x[np.arange(x.shape[0]), label]


def log_softmax_losses(x, label):
    """Through all log-probabilities, of which one in a row is needed."""
    shifted = x - x.max(axis=1, keepdims=True)
    logp = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return -np.take_along_axis(logp, label[:, None], axis=1).mean()


def masked(x, label):
    """By comparison with all columns; rows with a negative label do not count."""
    m = x.max(axis=1, keepdims=True)
    lse = np.log(np.exp(x - m).sum(axis=1)) + m[:, 0]
    picked = np.where(np.arange(x.shape[1]) == label[:, None], x, 0).sum(axis=1)
    valid = label >= 0
    return np.where(valid, lse - picked, 0).sum() / np.maximum(valid.sum(), 1)


def backward(x, label, dy):
    e = np.exp(x - x.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    return (p - (np.arange(x.shape[1]) == label[:, None])) * dy[:, None]


def both(x, label):
    m = x.max(axis=1, keepdims=True)
    e = np.exp(x - m)
    s = e.sum(axis=1, keepdims=True)
    loss = (np.log(s) + m - np.take_along_axis(x, label[:, None], axis=1)).mean()
    return loss, (e / s - (np.arange(x.shape[1]) == label[:, None])) / x.shape[0]


@pytest.mark.parametrize("f", [forward, losses, log_softmax_losses, masked], ids=lambda f: f.__name__)
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_cross_entropy(f, dtype):
    """The row's maximum and its sum are two walks over a row in cache."""
    for kind in ("i8", "i4"):
        label = labels(140, 133, kind)
        if f is masked:
            label[::5] = -1
        check(f, sample(140, 133, dtype=dtype, low=-20, high=20), label, coarsest=np.dtype(dtype))


@pytest.mark.parametrize("dtype", DTYPES)
def test_cross_entropy_backward(dtype):
    x = sample(140, 133, dtype=dtype, low=-5, high=5)
    check(backward, x, labels(140, 133), sample(140, dtype=dtype), sweeps=3)
    check(both, x, labels(140, 133), sweeps=3)


def test_cross_entropy_of_many_columns():
    """A vocabulary: the row is larger than the first cache and is still read once."""
    x = sample(17, 5000, low=-9, high=9)
    check(forward, x, labels(17, 5000))
    check(both, x, labels(17, 5000), sweeps=3)


def test_cross_entropy_of_strided_scores():
    base = sample(280, 266, low=-9, high=9)
    for x in (np.asfortranarray(base[:140, :133]), base[::2, ::2], base[:140, 133::-1][:, :133]):
        check(forward, x, labels(140, 133))
        check(both, x, labels(140, 133), sweeps=3)


def test_cross_entropy_of_few():
    for n, m in ((1, 1), (1, 17), (17, 1), (3, 5), (16, 16), (18, 33)):
        values(both, sample(n, m), labels(n, m))
        values(losses, sample(n, m), labels(n, m, "i4"))


def test_a_label_out_of_range():
    for f in (forward, losses, both):
        for wrong in (133, -134):
            label = labels(140, 133)
            label[77] = wrong
            with pytest.raises(IndexError):
                lw.jit(f)(sample(140, 133), label)
    label = labels(140, 133) - 133
    np.testing.assert_allclose(lw.jit(losses)(sample(140, 133), label), losses(sample(140, 133), label), rtol=1e-5)


def test_a_masked_row_has_no_nan():
    """Scores of -inf in all but one column: its loss is 0 and its gradient finite."""
    x = np.full((20, 33), -np.inf, np.float32)
    x[np.arange(20), labels(20, 33)] = 1e6
    loss, gradient = lw.jit(both)(x, labels(20, 33))
    assert loss == 0 and np.all(gradient == 0)


# ---- any size -------------------------------------------------------------------------------
def test_one_program_for_all_sizes():
    f = lw.jit(summary)
    for n in (17, 18, 33, 64, 1000, 5000, 100_001):
        x = sample(n)
        for found, wanted in zip(f(x), summary(x.astype(np.float64)), strict=True):
            np.testing.assert_allclose(found, wanted, rtol=1e-5)
    assert f.cache_info().compilations == 1
    compiled = f.lower(sample(50)).compile()
    check_report(compiled, sweeps=1)
