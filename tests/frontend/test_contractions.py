"""matmul and its relatives, einsum, and library calls."""

import numpy as np
import pytest
from frontend.checking import check, ops

import loopweld as lw

RNG = np.random.default_rng(0)
X, Y = RNG.standard_normal((20, 30)), RNG.standard_normal(30)
A, B = RNG.standard_normal((3, 4, 5)), RNG.standard_normal((3, 5, 2))
S = RNG.standard_normal((18, 18)) + 18 * np.eye(18)


def test_products():
    def f(x, y):
        return (
            (x @ x.T, x @ y, y @ x.T, y @ y, np.dot(x, y), np.dot(2, y), np.outer(y, y), np.inner(x, x)),
            (np.vdot(x, x), np.tensordot(x, x), np.tensordot(x, x, (0, 0)), x.dot(y), np.linalg.vecdot(x, x)),
            (np.matvec(x, y), np.inner(y, y)),
        )

    traced = check(f, X, Y)
    assert set(ops(traced)) >= {"matmul"}


def test_batches():
    check(lambda a, b: (a @ b, a @ b[0], a[0] @ b, np.dot(a, b), a @ b[0, :, 0], np.matmul(a[None], b)), A, B)


@pytest.mark.parametrize("dtypes", [("f4", "f8"), ("i4", "f4"), ("bool", "bool"), ("i2", "i4"), ("c16", "f8")])
def test_dtypes(dtypes):
    a, b = (X * 2).astype(dtypes[0]), (X.T * 2).astype(dtypes[1])
    check(lambda a, b: a @ b, a, b)


PAIRS = ["ij,kj->ik", "ij,ij->i", "ij,ij", "ij,ij->ij", "ij,kj", "ij,kl->", "ij,ij->j"]


@pytest.mark.parametrize("text", PAIRS)
def test_einsum_of_two(text):
    check(lambda x: np.einsum(text, x, x), X)


def test_einsum_of_one_and_three():
    check(lambda s: (np.einsum("ii", s), np.einsum("ii->i", s), np.einsum("ij->ji", s), np.einsum("ij->", s)), S)
    check(lambda a, b: (np.einsum("bij,bjk->bik", a, b), np.einsum("...ij,...jk", a, b)), A, B)
    check(lambda a, b: np.einsum("bij,bjk,bk->b", a, b, b[:, 0]), A, B)


def test_unified_inner_sizes():
    traced = check(lambda a, b: a @ b, X, np.ones((30, 17)), others=[(np.ones((18, 19)), np.ones((19, 40)))])
    assert traced.inputs[0].shape[1] == traced.inputs[1].shape[0]


def test_library_calls():
    def f(s):
        results = [np.sort(s), np.argsort(s, 1), np.median(s, axis=0), np.quantile(s, 0.3, axis=0)]
        results += [np.linalg.inv(s), np.linalg.solve(s, s[0]), np.linalg.det(s), np.fft.fft(s)]
        return results, np.linalg.svd(s), np.linalg.qr(s)

    check(f, S)


@pytest.mark.parametrize("dtype", ["f4", "f8", "i8"])
def test_cholesky(dtype):
    a = (np.eye(20) * 30 + np.triu(np.ones((2, 20, 20)))).astype(dtype)

    def f(a):
        symmetric = a + a.mT
        return np.linalg.cholesky(symmetric), np.linalg.cholesky(symmetric[0])

    assert not check(f, a, others=[(a[:, :17, :17],)]).pinned
    for matrix in (-a[0], a * np.array([1, -1]).reshape(2, 1, 1)):
        with pytest.raises(np.linalg.LinAlgError, match="not positive definite"):
            lw.jit(np.linalg.cholesky)(matrix.astype(float))
    assert lw.jit(np.linalg.cholesky)(np.ones((0, 0))).shape == (0, 0)
    with pytest.raises(ValueError, match="not square"):
        lw.jit(np.linalg.cholesky)(np.ones((2, 3)))


def test_library_calls_with_constants():
    grid, values = np.array([0.0, 1.0, 2.0]), np.array([1.0, 3.0, 2.0])
    check(lambda y: (np.interp(y, grid, values), np.searchsorted(np.sort(y), y), np.convolve(y, values, "same")), Y)


def test_sort_keeps_the_size_open():
    assert check(lambda y: np.sort(y), Y, others=[(np.ones(50),)]).pinned == frozenset()
