"""The least number of bytes that a program reads: each element that any of its loops needs, once."""

import numpy as np
import pytest

import loopweld as lw

VIEWS = {
    "one slice": [lambda x: x[5:20, 3:]],
    "overlapping": [lambda x: x[5:20, 1:], lambda x: x[10:25, 1:]],
    "crossing": [lambda x: x[18:20], lambda x: x[:, 20:22], lambda x: x[:, 21:25]],
    "apart": [lambda x: x[:10], lambda x: x[20:30, 7:], lambda x: x[39:]],
    "one inside another": [lambda x: x[1:-1, 1:-1], lambda x: x[5:7, 5:7], lambda x: x],
    "neighbours": [lambda x, i=i, j=j: x[i : 36 + i, j : 30 + j] for i in (0, 2, 4) for j in (0, 1, 3)],
    "steps": [lambda x: x[::2, 1::3], lambda x: x[4:30:2, 1::3], lambda x: x[1::2, ::3]],
    "reversed": [lambda x: x[::-1], lambda x: x[30:10:-1, ::-1]],
    "columns and rows": [lambda x: x.T[3:10], lambda x: x[3:10].T],
    "flat": [lambda x: x.reshape(-1)[40:900]],
    "rolled": [lambda x: np.roll(x, 3, axis=1)],
    "padded": [lambda x: np.pad(x[2:9], 4), lambda x: np.pad(x, 1)[:5]],
    "nothing": [lambda x: x[20:20], lambda x: x[:, 5:2]],
    "a diagonal": [lambda x: np.diagonal(x)],
}


@pytest.mark.parametrize("name", VIEWS)
def test_elements_of_views(name):
    views = VIEWS[name]
    report = lw.jit(lambda x: tuple((v(x) * 2).sum() for v in views)).explain(np.ones((40, 33), np.float32))
    numbers = np.arange(1, 40 * 33 + 1).reshape(40, 33)
    read = set().union(*(v(numbers).reshape(-1).tolist() for v in views)) - {0}
    assert report.bytes_minimum == 4 * len(read) + 4 * len(views), report


def test_a_diagonal_and_the_rest():
    """What is no box counts for itself, but all of a tensor at most."""
    report = lw.jit(lambda x: (np.diagonal(x) * 2, x.sum())).explain(np.ones((40, 40), np.float32))
    assert report.bytes_minimum == 4 * (40 * 40 + 40 + 1)


def test_boxes_of_several_kernels():
    """Of the program, not of a kernel."""

    def f(x):
        y = x[:30].sum()
        return np.where(x[10:] > y, x[10:], 0), y

    report = lw.jit(f).explain(np.ones((40, 33), np.float32))
    assert report.bytes_minimum == 4 * (40 * 33 + 30 * 33 + 1)
