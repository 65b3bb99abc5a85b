"""A computed matrix times a vector: one walk over what the matrix is computed from, and no matrix."""

import numpy as np
import pytest
from fusion.checking import check, enlarged, sample
from numerics.checking import check as values

import loopweld as lw

N = 100


def gaussian(x, y):
    return np.exp(-((x[:, None] - y) ** 2))


def calls(f, *args):
    return lw.jit(f).explain(*args).library_calls


# ---- one kernel --------------------------------------------------------------------
FORMS = {
    "matrix @ vector": lambda k, v: k @ v,
    "vector @ matrix": lambda k, v: v @ k,
    "transposed @ vector": lambda k, v: k.T @ v,
    "matrix @ column": lambda k, v: k @ v[:, None],
    "row @ matrix": lambda k, v: (v[None] @ k)[0],
    "dot": np.dot,
    "tensordot": lambda k, v: np.tensordot(v, k, 1),
    "einsum": lambda k, v: np.einsum("ij,i->j", k, v),
    "matvec": np.matvec,
}


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8"])
@pytest.mark.parametrize("form", FORMS)
def test_forms(form, dtype):
    x, y, v = (sample(k, N, dtype=dtype)[0] for k in (1, 2, 3))
    check(lambda x, y, v: FORMS[form](gaussian(x, y), v), x, y, v, terms=N, scale=4)


def test_quadratic_form():
    """The product with the second vector is a sum over the rows of the first one's kernel."""
    x, y, v, w = (sample(k, N)[0] for k in (1, 2, 3, 4))
    check(lambda x, y, v, w: w @ (gaussian(x, y) @ v), x, y, v, w, terms=N * N, scale=4)


def test_normalised():
    x, y, v = (sample(k, N)[0] for k in (1, 2, 3))
    check(lambda x, y, v: gaussian(x, y) @ v / gaussian(x, y).sum(axis=1), x, y, v, sweeps=1, terms=N, scale=4)


def test_the_matrix_is_a_result_too():
    """It is written once, and the product is taken on the way."""
    check(lambda x, v: (np.tanh(x), np.tanh(x) @ v), sample(40, 67), sample(67), sweeps=1, terms=67)


def test_batches():
    check(lambda x, v: (np.exp(x) @ v[..., None])[..., 0], sample(6, 20, 33), sample(6, 33), terms=33, scale=8)
    values(lambda x, v: np.exp(x) @ v, sample(6, 20, 33), sample(33), terms=33, scale=8)
    check(lambda x, v: np.einsum("bj,bij->bi", v, np.exp(x)), sample(6, 20, 33), sample(6, 33), terms=33, scale=8)


def test_views_are_never_copied():
    """A slice with steps is no matrix that a library call takes: it is read where it is."""
    check(lambda x, v: x[::-2, 1::3] @ v, sample(40, 67), sample(22), terms=22, least=4 * (20 * 22 + 22 + 20))
    check(lambda x, v: np.broadcast_to(x, (40, 67)) @ v, sample(67), sample(2, 67)[0], terms=67)


def test_integers_and_bools():
    x, v = sample(40, 67, dtype="i4", low=-900, high=900), sample(67, dtype="i4", low=-(2**30), high=2**30)
    check(lambda x, v: (x * x) @ v, x, v)
    check(lambda x, v: (x > 5) @ v, x, v)
    values(lambda x, v: (x > 5) @ v, x, v > 0)
    values(lambda x, v: (x > 5) @ v, x.astype("u1"), v.astype("u1"))


@pytest.mark.parametrize(("n", "m"), [(0, 5), (5, 0), (0, 0), (1, 1), (1, 40), (40, 1), (17, 129), (129, 17), (3, 3)])
def test_sizes(n, m):
    values(lambda x, v: np.exp(x) @ v, sample(n, m), sample(m), terms=200)
    values(lambda x, v: v @ np.exp(x), sample(n, m), sample(n), terms=200)


def test_layouts():
    for x in (sample(67, 40).T, sample(40, 67)[:, ::-1], sample(80, 134)[::2, 1::2], sample(42, 70)[1:-1, 3:]):
        check(lambda x, v: np.abs(x) @ v, x, sample(134)[::2], terms=67)
        check(lambda x, v: v @ np.abs(x), x, sample(120)[::-3], terms=67)


def test_special_values():
    x, v = sample(6, 40), sample(40)
    x[0, 3], x[1, 3], x[2, 39], x[3], v[3] = np.inf, np.nan, -np.inf, -0.0, 0.0
    values(lambda x, v: np.abs(x) @ v, x, v, terms=40)
    values(lambda x, v: v @ np.abs(x).T, x, v, terms=40)


def test_float16_sums_in_float32():
    """30000 products of 1 and 1: a sum in float16 would stop at 2048."""
    x, v = np.ones((3, 30_000), np.float16), np.ones(30_000, np.float16)
    for numerics in ("fast", "strict"):
        found = lw.jit(lambda x, v: np.sqrt(x) @ v, numerics=numerics)(x, v)
        np.testing.assert_array_equal(found, np.full(3, 30_000, np.float16))


def test_pairs_that_could_not_be_stored():
    """A thousand million pairs: four gigabytes."""
    report = enlarged(lw.jit(lambda x, y, v: gaussian(x, y) @ v).lower(*(sample(k, N)[0] for k in (1, 2, 3))).compile())
    assert len(report.kernels) == 1 and not report.library_calls
    assert report.temporary_bytes + report.scratch_bytes <= 1 << 16


# ---- library calls -----------------------------------------------------------------
def test_a_matrix_in_memory_stays_a_call():
    x, v = sample(40, 67), sample(67)
    assert calls(lambda x, v: x @ v, x, v) == ("matmul",)
    assert calls(lambda x, v: x.T @ v, x.T.copy(), v) == ("matmul",)
    assert calls(lambda x, v: x @ np.exp(v), x, v) == ("matmul",)


def test_two_columns_stay_a_call():
    assert calls(lambda x, v: np.exp(x) @ v, sample(40, 67), sample(67, 2)) == ("matmul",)


def test_squares_by_a_product_stay_a_call():
    """`x.x + y.y - 2 x.y`: the product is BLAS's; all that follows, to the sums, is one kernel that reads it once."""

    def f(x, y, v):
        d = (x * x).sum(axis=1)[:, None] + (y * y).sum(axis=1) - 2 * (x @ y.T)
        return np.exp(-d) @ v

    x, y, v = sample(90, 20) / 8, sample(110, 20) / 8, sample(110)
    values(f, x, y, v, terms=110, scale=8)
    report = lw.jit(f).explain(x, y, v)
    assert report.library_calls == ("matmul",)
    assert report.temporary_bytes <= 4 * (90 * 110 + 90 + 110), "the product, and the squares"


def test_the_numpy_target_calls():
    x, v = sample(40, 67), sample(67)
    report = lw.jit(lambda x, v: np.exp(x) @ v, target="numpy").explain(x, v)
    assert "matmul" in report.library_calls
