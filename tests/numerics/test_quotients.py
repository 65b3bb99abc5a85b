"""Quotients by what a loop does not change: the bits of a division, but for the smallest numbers."""

import numpy as np
import pytest

import loopweld as lw


def numbers(dtype, n=20_000):
    """Random significands, exponents from all over the range, and the special values."""
    info, rng = np.finfo(dtype), np.random.default_rng(0)
    exponents = rng.integers(info.minexp - info.nmant, info.maxexp, n)
    found = np.ldexp(rng.uniform(1, 2, n) * rng.choice([-1, 1], n), exponents).astype(dtype)
    special = [0.0, -0.0, np.inf, -np.inf, np.nan, info.tiny, info.smallest_subnormal, info.max, -info.max, 1.0]
    return np.concatenate([found, np.array(special, dtype)])


def close(x, s, dtype):
    """Equal bits, unless the dividend has no room for the bits below its last one, or the quotient is subnormal: those
    may be a unit of the last place off."""
    info = np.finfo(dtype)
    found = DIVIDE(x, s)
    with np.errstate(all="ignore"):
        wanted = x / s
        small = (np.abs(x) < info.tiny / info.epsneg) | (np.abs(wanted) < info.tiny)
        np.testing.assert_array_equal(found[~small], wanted[~small])
        off = np.abs(found[small] - wanted[small])
        assert (
            (off <= np.abs(np.spacing(wanted[small]))) | (found[small] == wanted[small]) | np.isnan(wanted[small])
        ).all()
        np.testing.assert_array_equal(np.isnan(found), np.isnan(wanted))


def divide(x, s):
    return x / (s * 1)


DIVIDE = lw.jit(divide)


@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_one_divisor(dtype):
    info, x = np.finfo(dtype), numbers(dtype)
    tiny, most = info.smallest_subnormal, info.max
    some = [3.0, -7.7, 1e-30, 1e30, info.tiny, 3 * info.tiny, tiny, 5 * tiny, most, most / 3, 1 - info.epsneg, 2.0**60]
    special = [0.0, -0.0, np.inf, -np.inf, np.nan]
    for s in np.array([*some, *special, *numbers(dtype, 60)], dtype):
        close(x, np.asarray(s), dtype)


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_a_divisor_for_each_row_or_column(dtype, axis):
    x = numbers(dtype, 300 * 67 - 10).reshape(300, 67)
    s = numbers(dtype, x.shape[1 - axis] - 10)
    s = s[None] if axis == 0 else s[:, None]
    close(x, s, dtype)


def test_random_quotients_have_the_bits_of_a_division():
    rng = np.random.default_rng(1)
    for dtype in ("f4", "f8"):
        x = rng.uniform(1, 2, 100_000).astype(dtype)
        for s in rng.uniform(1, 2, 30).astype(dtype):
            np.testing.assert_array_equal(DIVIDE(x, np.asarray(s)), x / s)


def test_strict_divides():
    x, s = numbers("f8"), np.asarray(np.finfo("f8").tiny * 3e5)
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(lw.jit(divide, numerics="strict")(x, s), x / s)


def test_what_the_loops_say():
    x, s = np.ones(1000), np.asarray(3.0)
    assert "weld.mul_add" in lw.jit(divide).lower(x, s).as_text("loops")
    assert "weld.mul_add" not in lw.jit(divide, numerics="strict").lower(x, s).as_text("loops")


def test_a_negated_quotient_is_computed_once():
    def f(x, s):
        z = x + 1
        return -z / s, (z / s).sum()

    x, s = np.linspace(-3, 5, 1000), np.asarray(0.3)
    assert lw.jit(f).lower(x, s).as_text("fused").count("weld.div") == 1
    np.testing.assert_array_equal(lw.jit(f)(x, s)[0], f(x, s)[0])
