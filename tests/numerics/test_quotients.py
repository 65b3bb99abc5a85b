"""Quotients by what a loop does not change: the bits of a division, but for the smallest numbers and in sums."""

import math
from fractions import Fraction

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
    """Equal bits, unless the dividend or the quotient has no room for the bits below its last one: those may be a unit
    of the last place off."""
    info = np.finfo(dtype)
    found = DIVIDE(x, s)
    with np.errstate(all="ignore"):
        wanted = x / s
        small = np.minimum(np.abs(x), np.abs(wanted)) < info.tiny / info.epsneg
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


@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_a_quotient_that_is_negated_and_added_is_negated_for_nothing(dtype):
    """The bits of the quotient, and of the sum, are what they are without the negation."""

    def both(x, s):
        q = x / (s * 1)
        return -q, q + 3, (q + q).sum()

    x, some = numbers(dtype, 2000), np.linspace(-3, 5, 3000, dtype=dtype)
    negated, total = (lw.jit(f) for f in (both, lambda x, s: (-(x / (s * 1)), (x / (s * 1)).sum())))
    plain = lw.jit(lambda x, s: (x / (s * 1), (x / (s * 1)).sum()))
    for s in np.array([0.3, -7, np.finfo(dtype).tiny, 1e30, 0, np.inf, np.nan], dtype):
        for found, wanted, sign in zip(total(some, np.asarray(s)), plain(some, np.asarray(s)), (-1, 1), strict=True):
            np.testing.assert_array_equal(found, sign * wanted)
        np.testing.assert_array_equal(negated(x, np.asarray(s))[0], -DIVIDE(x, np.asarray(s)))
    text = lw.jit(lambda x, s: (-(x / s), (x / s).sum())).lower(some, np.asarray(some[0])).as_text("loops")
    end = text.index('"d0 divides"')
    steps = text[text.rindex('"d0" {', 0, end) : end]
    assert "weld.sub" in steps and "weld.add" not in steps


def next_to_the_middle(s, j):
    """The dividends in [2^52, 2^53) whose quotients by an odd s in that range are `j` units of the product from the
    middle between two numbers: x * 2^53 = s * m + j with an odd m of 54 bits, or x * 2^54 where x < s."""
    for bits in (53, 54):
        least = -j * pow(s, -1, 1 << bits) % (1 << bits)
        for m in (least, least + (1 << bits)):
            x = (s * m + j) >> bits
            if m % 2 and 1 << 53 <= m < 1 << 54 and 1 << 52 <= x < 1 << 53:
                yield x


def test_quotients_near_the_middle_of_two_numbers():
    """The dividends for which two parts of the reciprocal may not be enough: few, and half a unit off still."""
    rng = np.random.default_rng(2)
    for s in [int(v) | 1 for v in rng.integers(1 << 52, 1 << 53, 20)]:
        found = {x for j in range(1, 200, 2) for sign in (1, -1) for x in next_to_the_middle(s, sign * j)}
        x = np.resize(np.array(sorted(found), np.float64), max(len(found), 256))
        assert len(found) > 20
        quotients = DIVIDE(x, np.asarray(float(s)))
        for a, q in zip(x[: len(found)], quotients, strict=False):
            error = abs(Fraction(int(a), s) - Fraction(float(q)))
            assert error <= Fraction(float(np.spacing(q))) * (Fraction(1, 2) + Fraction(1, 1 << 40))
        wrong = quotients != x / s
        assert wrong[: len(found)].sum() < len(found) / 3


# ---- sums of quotients -------------------------------------------------------------
def squares(x, s):
    z = (x - 0.25) / (s * 1)
    return (z * z).sum()


SQUARES = lw.jit(squares)


@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_sums_are_as_exact_as_those_of_quotients(dtype):
    x = np.random.default_rng(3).standard_normal(1_000_000).astype(dtype)
    for s in np.array([1.4, -0.003, 7e5], dtype):
        z = (x.astype("f8") - 0.25) / np.float64(s) if dtype == "f4" else (x - 0.25) / s
        exact = math.fsum(z * z)
        assert abs(float(SQUARES(x, np.asarray(s))) - exact) <= 4 * np.finfo(dtype).eps * exact


@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_sums_of_special_quotients(dtype):
    """By divisors whose reciprocal overflows, vanishes or has fewer bits, and with dividends of all sizes."""
    info = np.finfo(dtype)
    tiny, least, most = info.tiny, info.smallest_subnormal, info.max
    total = lw.jit(lambda x, s: (x / (s * 1)).sum())
    divisors = [tiny, least, 7 * least, most, most / 3, 0.0, -0.0, np.inf, -np.inf, np.nan, -3.0]
    dividends = [0.0, least, 9 * tiny, 1.0, -2.0, most / 1024, most, np.inf, np.nan]
    for s in np.array(divisors, dtype):
        for value in np.array(dividends, dtype):
            x = np.zeros(259, dtype)
            x[[3, 258]] = value
            with np.errstate(all="ignore"):
                wanted = (x / s).sum()
            np.testing.assert_allclose(total(x, np.asarray(s)), wanted, rtol=4 * info.eps, atol=2 * least)


def test_what_is_summed_and_used_again_keeps_its_bits():
    def f(x, s):
        z = x / (s * 1)
        return z, z.sum(), (z * z).sum(), z.max()

    x, s = np.random.default_rng(4).standard_normal(1000), np.asarray(0.3)
    compiled = lw.jit(f)
    assert "weld.ratio" not in compiled.lower(x, s).as_text("fused")
    z, _, _, most = compiled(x, s)
    np.testing.assert_array_equal(z, x / s)
    assert most == z.max()


@pytest.mark.parametrize("n", [50, 3000])
def test_a_division_right_behind_its_divisor(n):
    """Where the reciprocal goes, another division stands, and is gone when more of it is needed."""
    x = np.random.default_rng(0).standard_normal((n, 64))

    def scaled(x):
        s = x.std(axis=0)
        return x / s, x.mean(axis=0) / s

    def standardised(x):
        return np.sort((x - x.mean(axis=0)) / x.std(axis=0), axis=0)

    for f in (scaled, standardised):
        np.testing.assert_allclose(np.vstack(lw.jit(f)(x)), np.vstack(f(x)), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("order", ["C", "F"])
def test_a_divisor_that_is_such_a_quotient(order):
    def quantised(x):
        step = x.max(axis=1, keepdims=True) / 127
        rounded = np.rint(x / step)
        return rounded, rounded.astype(np.int8)

    x = np.random.default_rng(0).uniform(1, 2, (300, 7)).astype("f4", order=order)
    for found, wanted in zip(lw.jit(quantised)(x), quantised(x), strict=True):
        np.testing.assert_array_equal(found, wanted)
