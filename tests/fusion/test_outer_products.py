"""`reduce_j f(x_i, y_j)` walks all pairs and stores none of them."""

import numpy as np
import pytest
from fusion.checking import check, sample

import loopweld as lw


def points(n=90, m=110, k=5, dtype="f4"):
    return sample(n, k, dtype=dtype), sample(m, k, dtype=dtype)


def lines(n=90, m=110, dtype="f4"):
    return sample(n, dtype=dtype), sample(m, dtype=dtype)


def squares(x, y):
    return ((x[:, None, :] - y[None]) ** 2).sum(axis=2)


# ---- one number a point ------------------------------------------------------------
@pytest.mark.parametrize("dtype", ["f2", "f4", "f8"])
def test_reductions_of_distances(dtype):
    for reduce in (np.sum, np.max):
        check(lambda x, y, reduce=reduce: reduce(np.abs(x[:, None] - y), axis=1), *lines(dtype=dtype), terms=110)


def test_reductions_over_the_first():
    check(lambda x, y: (np.abs(x[:, None] - y).max(axis=0), (x[:, None] * y).sum(axis=0)), *lines(), terms=110)


def test_bools_and_counts():
    check(lambda x, y: (x[:, None] < y).sum(axis=1), *lines())
    check(lambda x, y: (np.abs(x[:, None] - y) < 0.01).any(axis=1), *lines())


def test_integers():
    x, y = sample(90, dtype="i4", low=-50, high=50), sample(110, dtype="i4", low=-50, high=50)
    check(lambda x, y: (np.abs(x[:, None] - y).min(axis=1), (x[:, None] * y > 70).sum(axis=0)), x, y)


def test_all_orders_at_once():
    def f(x, y):
        d = np.abs(x[:, None] - y)
        return d.sum(axis=1), d.sum(axis=0), d.max()

    check(f, *lines(), sweeps=1, scratch=2 << 20, terms=110)  # the sums of 112,640 columns in float64, and of one run


def test_of_itself():
    check(lambda x: np.abs(x[:, None] - x).sum(axis=1), sample(90), terms=110)


def test_three_operands():
    check(lambda x, y, z: (x[:, None, None] * y[:, None] + z).max(axis=(1, 2)), *lines(40, 33), sample(37), terms=2)


@pytest.mark.parametrize(("n", "m"), [(1, 1), (1, 40), (40, 1), (0, 40), (17, 129), (129, 17), (16, 16)])
def test_sizes(n, m):
    check(lambda x, y: (x[:, None] * y).sum(axis=1), *lines(n, m), kernels=None, terms=130)


def test_layouts():
    x, y = sample(180)[::-2], sample(330)[1::3]
    check(lambda x, y: np.abs(x[:, None] - y).sum(axis=1), x, y, terms=110)
    x, y = sample(5, 90).T, sample(110, 10)[:, ::2]
    check(lambda x, y: squares(x, y).min(axis=1), x, y, terms=5)


# ---- points ------------------------------------------------------------------------
@pytest.mark.parametrize("k", [1, 2, 3, 5, 20])
def test_nearest_neighbours(k):
    check(lambda x, y: squares(x, y).min(axis=1), *points(k=k), terms=k, scale=16)
    check(lambda x, y: squares(x, y).argmin(axis=1), *points(k=k))


@pytest.mark.parametrize("k", [3, 20])
def test_pairwise_distances(k):
    """The distances themselves are results: the n x m x k differences are not."""
    check(lambda x, y: np.sqrt(squares(x, y)), *points(k=k), terms=k, scale=16)


def test_centres_of_clusters():
    """The distance to the nearest centre, which one it is, and the total."""

    def f(x, centres):
        d = squares(x, centres)
        return d.argmin(axis=1), d.min(axis=1), d.min(axis=1).sum()

    check(f, *points(1000, 12, 3), terms=1000, scale=16)


# ---- kernel matrices times a vector ------------------------------------------------
@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("k", [3, 20])
def test_gaussian_kernel_times_vector(k, dtype):
    def f(x, y, v):
        return (np.exp(-squares(x, y)) * v).sum(axis=1)

    check(f, *points(k=k, dtype=dtype), sample(110, dtype=dtype), terms=110, scale=4)


def test_kernel_times_vector_as_a_product():
    """`K @ v` is the same program as `(K * v).sum(axis=1)` where K is computed."""
    check(lambda x, y, v: np.exp(-np.abs(x[:, None] - y)) @ v, *lines(), sample(110), terms=110)
    check(lambda x, y, w: w @ np.exp(-np.abs(x[:, None] - y)), *lines(), sample(90), terms=110)
    check(lambda x, y, v: np.exp(-squares(x, y)) @ v, *points(), sample(110), terms=110)


def test_vector_times_kernel():
    check(lambda x, y, w: (w[:, None] * np.exp(-np.abs(x[:, None] - y))).sum(axis=0), *lines(), sample(90), terms=90)


def test_normalised_kernel():
    """Nadaraya-Watson: two sums of one weight."""

    def f(x, y, v):
        w = np.exp(-(((x[:, None] - y) / 0.3) ** 2))
        return (w * v).sum(axis=1) / w.sum(axis=1)

    report = check(f, *lines(), sample(110), terms=110)
    assert report.kernels[0].sweeps == 1


def test_attention_of_numbers():
    def f(q, k, v):
        s = q[:, None] * k
        e = np.exp(s - s.max(axis=1, keepdims=True))
        return (e * v).sum(axis=1) / e.sum(axis=1)

    check(f, *lines(), sample(110), terms=110)


def test_bodies():
    """Accelerations of n bodies in three dimensions."""

    def f(p, mass):
        d = p[None] - p[:, None]
        r = (d * d).sum(axis=2) + 0.1
        return (mass[:, None] * d / (r * np.sqrt(r))[:, :, None]).sum(axis=1)

    check(f, sample(60, 3), np.abs(sample(60)), terms=60, scale=30, ulps=64)


def test_mixture_of_normals():
    def f(x, mean, scale):
        return np.log((np.exp(-0.5 * ((x[:, None] - mean) / scale) ** 2) / scale).sum(axis=1)).sum()

    check(f, sample(900), sample(7), np.abs(sample(7)) + 1, terms=900)


# ---- sizes that could not be stored ------------------------------------------------
def test_pairs_of_long_vectors():
    """A hundred million pairs in some 100 KB."""
    x, y = sample(10_000), np.zeros(10_000, np.float32)
    jitted = lw.jit(lambda x, y: np.minimum(x[:, None], y).max(axis=1))
    report = jitted.explain(x, y)
    assert len(report.kernels) == 1
    assert report.temporary_bytes + report.scratch_bytes <= 1 << 16
    assert report.bytes_moved <= 1.05 * report.bytes_minimum
    np.testing.assert_array_equal(jitted(x, y), np.minimum(x, 0))
