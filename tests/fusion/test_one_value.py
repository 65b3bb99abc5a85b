"""A value that is reduced and used again is one value: where it is computed again it has the same bits.

In most of these numbers a product is far from a float, and a contracted one differs from the rounded one by up to a
unit in the last place: of a number near 1e6 that is 0.06 in float32, and `exp` tells the two apart.
"""

import numpy as np
import pytest
from fusion.checking import check, sample

import loopweld as lw

VALUES = {
    "product": lambda a, b, c: a * b,
    "product and sum": lambda a, b, c: a * b + c,
    "sum of products": lambda a, b, c: a * b + c * b,
    "difference": lambda a, b, c: c - a * b,
    "polynomial": lambda a, b, c: ((a + 1) * b - c) * a,
    "quotient": lambda a, b, c: a / b * c,
    "product of a row": lambda a, b, c: a * b[0] + c[:, :1],
}


def large(scale, dtype, count=3):
    return [sample(k + 7, 40, 67, dtype=dtype)[0] * np.dtype(dtype).type(scale) for k in range(count)]


def numbers(dtype):
    """Scales at which values are whole numbers of many digits, without overflow."""
    return {"f2": [1, 12], "f4": [1, 400, 3e3, 1e5], "f8": [1, 3e3, 1e5, 1e8]}[dtype]


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8"])
@pytest.mark.parametrize("axis", [0, 1, None])
@pytest.mark.parametrize("value", VALUES)
def test_the_greatest_is_one_of_the_values(value, axis, dtype):
    """`s - max(s)` is 0 where s is greatest, and less elsewhere; so the greatest exponential is exactly 1."""

    def f(a, b, c):
        s = VALUES[value](a, b, c)
        p = np.exp(s - s.max(axis=axis, keepdims=True))
        return p, p / p.sum(axis=axis, keepdims=True)

    jitted = lw.jit(f)
    for scale in numbers(dtype):
        args = large(scale, dtype)
        assert np.isfinite(VALUES[value](*args)).all()
        p, softmax = jitted(*args)
        assert np.array_equal(p.max(axis=axis), np.ones_like(p.max(axis=axis))), f"scale {scale}: {p.max()}"
        assert np.isfinite(softmax).all()


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8"])
@pytest.mark.parametrize("value", VALUES)
def test_a_product_used_twice(value, dtype):
    """The value's own product is an operand of the result too, where it cannot be contracted."""

    def f(a, b, c):
        s = VALUES[value](a, b, c)
        return np.exp(s - s.max(axis=1, keepdims=True)) * (a * b)

    def parts(a, b, c):
        s = VALUES[value](a, b, c)
        return np.exp(s - s.max(axis=1, keepdims=True)).max(axis=1), a * b

    for scale in numbers(dtype)[1:]:
        args = large(scale, dtype)
        assert np.array_equal(lw.jit(parts)(*args)[0], np.ones(40, dtype))
        assert np.isfinite(lw.jit(f)(*args)).all()


@pytest.mark.parametrize("shape", [(1, 1), (3, 8), (9, 17), (64, 3), (2, 129)], ids=str)
@pytest.mark.parametrize("layout", ["C", "F"])
def test_lanes_and_rests(shape, layout):
    """Whole vectors, the masked rest and single lanes round alike."""

    def f(a, b, c):
        s = a * b + c
        return [np.exp(s - s.max(axis=axis, keepdims=True)).max(axis=axis) for axis in (0, 1, None)]

    args = [np.asarray(sample(k + 2, *shape)[0] * 1e3, order=layout) for k in range(3)]
    for found in lw.jit(f)(*args):
        assert np.array_equal(found, np.ones_like(found))


def test_a_value_of_several_kernels():
    """The greatest of all, and of shifted, reversed and transposed values: every copy is the same number."""

    def f(a, b, c):
        s = a * b + c
        top = s.max()
        return s.max(axis=0), np.maximum(s[1:], s[:-1]).max(), s[::-1].T.max(axis=0), top - s

    a, b, c = large(3e3, "f4")
    columns, pairs, rows, below = lw.jit(f)(a, b, c)
    assert columns.max() == pairs == rows.max()
    assert below.min() == 0


def test_ends_of_a_range():
    """`(s - min) / (max - min)` stays within 0 and 1, and takes both."""

    def f(a, b):
        s = a * b
        low, high = s.min(axis=1, keepdims=True), s.max(axis=1, keepdims=True)
        return (s - low) / (high - low)

    for dtype in ("f4", "f8"):
        found = lw.jit(f)(*large(1e5, dtype, 2))
        assert found.min() == 0 and found.max() == 1


def test_no_number_is_less_than_the_least():
    def f(a, b):
        s = a * b
        return (s < s.min(axis=1, keepdims=True)).sum(), (s > s.max()).sum(), (s == s.max()).any(), np.sqrt(s - s.min())

    for dtype in ("f2", "f4", "f8"):
        below, above, found, root = lw.jit(f)(*large(100, dtype, 2))
        assert (below, above, found) == (0, 0, True) and not np.isnan(root).any()


def test_products_are_still_contracted():
    """Without another use a product is rounded with the sum: the difference of equal ones is the rounding error."""
    a, b = large(1e3, "f4", 2)
    error = lw.jit(lambda a, b, p: a * b - p)(a, b, a * b)
    exact = a.astype(np.float64) * b - a * b
    if lw.Target.host().vector_bits > 128:
        np.testing.assert_array_equal(error, exact.astype(np.float32))
        assert np.any(error != 0)
    assert not lw.jit(lambda a, b, p: a * b - p, numerics="strict")(a, b, a * b).any()


def test_sums_of_products():
    check(lambda a, b: ((a * b).sum(axis=1), (a * a).sum(axis=0)), *large(1, "f4", 2), terms=67)
    check(lambda a, b: (a * b, (a * b).sum(axis=1)), *large(1, "f4", 2), terms=67)
    check(lambda a, b: (a * b).mean(), *large(1, "f2", 2), terms=2700)


def test_fused_and_alone():
    """Fusion changes no bit of what is not summed up."""

    def f(a, b, c):
        s = a * b + c
        t = np.sqrt(np.abs(s)) * b - a
        return t * s, (t - t.max(axis=0)) * c, np.maximum(t[1:], s[:-1])

    def step(g, *args):
        return lw.jit(g)(*args)

    a, b, c = large(3e3, "f8")
    s = step(lambda a, b, c: a * b + c, a, b, c)
    root = step(lambda s: np.sqrt(np.abs(s)), s)
    t = step(lambda r, b, a: r * b - a, root, b, a)
    wanted = step(np.multiply, t, s), step(lambda t, m, c: (t - m) * c, t, t.max(axis=0), c), np.maximum(t[1:], s[:-1])
    for found, expected in zip(lw.jit(f)(a, b, c), wanted, strict=True):
        np.testing.assert_array_equal(found, expected)
