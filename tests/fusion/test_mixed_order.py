"""Reductions over rows, over columns and over everything come from one walk."""

import numpy as np
import pytest
from fusion.checking import check, sample
from numerics.checking import check as values

import loopweld as lw

DTYPES = ["f2", "f4", "f8"]


def layernorm_backward(x, gain, dy):
    centred = x - x.mean(axis=-1, keepdims=True)
    scale = 1 / np.sqrt((centred * centred).mean(axis=-1, keepdims=True) + 1e-5)
    xhat = centred * scale
    dxhat = dy * gain
    means = dxhat.mean(axis=-1, keepdims=True), (dxhat * xhat).mean(axis=-1, keepdims=True)
    rows = tuple(range(x.ndim - 1))
    return scale * (dxhat - means[0] - xhat * means[1]), (dy * xhat).sum(axis=rows), dy.sum(axis=rows)


def rmsnorm(x, gain):
    return x / np.sqrt((x * x).mean(axis=-1, keepdims=True) + 1e-6) * gain


def rmsnorm_backward(x, gain, dy):
    scale = 1 / np.sqrt((x * x).mean(axis=-1, keepdims=True) + 1e-6)
    xhat = x * scale
    dxhat = dy * gain
    return scale * (dxhat - xhat * (dxhat * xhat).mean(axis=-1, keepdims=True)), (dy * xhat).sum(axis=0)


def saved_backward(x, mean, scale, gain, dy):
    """With the forward pass' statistics as inputs."""
    xhat = (x - mean[:, None]) * scale[:, None]
    dxhat = dy * gain
    means = dxhat.mean(axis=1, keepdims=True), (dxhat * xhat).mean(axis=1, keepdims=True)
    return scale[:, None] * (dxhat - means[0] - xhat * means[1]), (dy * xhat).sum(axis=0), dy.sum(axis=0)


def other(*shape, dtype="f4"):
    """Numbers that differ from `sample`'s."""
    return sample(*shape[::-1], dtype=dtype).T.copy()


# ---- sums --------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("shape", "dtype"),
    [
        *(((40, 67), dtype) for dtype in (*DTYPES, "i4", "u1", "?")),
        ((65, 65), "f4"),
        ((129, 33), "f4"),
        ((17, 400), "f4"),
    ],
    ids=str,
)
def test_rows_and_columns(shape, dtype):
    report = check(lambda x: (x.sum(axis=0), x.sum(axis=1)), sample(*shape, dtype=dtype), terms=210)
    assert report.kernels[0].sweeps == 1


def test_square_and_transposed():
    check(lambda x: (x.sum(axis=0), x.sum(axis=1), x.T.max(axis=0)), sample(65, 65), sweeps=1, terms=65)


@pytest.mark.parametrize(
    "x",
    [sample(70, 37).T, sample(74, 210)[::2, ::3], sample(37, 70)[::-1, ::-1], sample(37, 1, 70)[:, 0]],
    ids=["columns", "steps", "reversed", "sliced"],
)
def test_layouts(x):
    check(lambda x: (x.sum(axis=0), x.sum(axis=1), x.sum()), x, sweeps=1, terms=2600)
    check(layernorm_backward, x, sample(70), other(37, 70), terms=70)


def test_all_subsets_of_three_axes():
    axes = [0, 1, 2, (0, 1), (0, 2), (1, 2), None]
    check(lambda x: tuple(x.sum(axis=a) for a in axes), sample(18, 21, 34), sweeps=1, terms=13000)
    check(lambda x: tuple(np.abs(x).max(axis=a) for a in axes), sample(18, 21, 34), sweeps=1, exact=True)


def test_kinds_of_reduction():
    def f(x):
        return x.max(axis=0), x.min(axis=1), (x / 4 + 1).prod(axis=1), (x > 1).any(axis=0), (x < 1.9).all(axis=1)

    check(f, sample(40, 33), sweeps=1, terms=40)


def test_places_of_extremes_with_sums():
    check(lambda x: (x.argmax(axis=1), x.argmin(axis=0), x.sum(axis=0), x.sum(axis=1)), sample(40, 67), terms=70)


def test_values_of_both_orders():
    def f(x, y):
        z = np.exp(x) * y
        return z.sum(axis=0), z.max(axis=1), (z * z).sum(axis=1), z.sum()

    check(f, sample(40, 67), other(40, 67), sweeps=1, terms=2700)


def test_different_values_of_shared_inputs():
    """The row sum of one value, the column sum of another; one operand is shared."""
    check(lambda x, y: ((x + y).sum(axis=-1), x.sum(axis=0)), sample(40, 67), sample(67, 40).T, sweeps=1, terms=70)


def test_epilogues_of_column_results():
    """Division by the count, a cast: they follow the loops in the same kernel."""

    def f(x):
        return x.sum(axis=1), (x.sum(axis=0) / x.shape[0]).astype(np.float16), np.sqrt((x * x).sum(axis=0))

    check(f, sample(40, 67), sweeps=1, terms=70, coarsest=np.float32)


def test_kept_axes():
    """An axis of size 1 in the result is no kernel of its own."""

    def f(x, gain, dy):
        return (dy * x * gain).sum(axis=0, keepdims=True), (dy * x).sum(axis=1, keepdims=True), x.max(keepdims=True)

    check(lambda x: x.sum(axis=0, keepdims=True), sample(40, 67), sweeps=1, terms=70)
    check(f, sample(40, 67), sample(1, 67), other(40, 67), sweeps=1, terms=70, scale=8)


def test_two_arrays_of_different_sizes():
    """Two loops, each with its own sums."""

    def f(x, y):
        return x.sum(axis=0), x.sum(axis=1), y.sum(axis=0), y.sum(axis=1)

    check(f, sample(400, 32), sample(410, 34), kernels=2, terms=410)


def test_half_inputs_with_float_sums():
    check(lambda x: (x.sum(axis=1), x.astype(np.float32).sum(axis=0)), sample(40, 67, dtype="f2"), terms=70)


@pytest.mark.parametrize("shape", [(1, 1), (0, 5), (5, 0), (1, 40), (40, 1), (3, 129), (129, 3), (16, 17)], ids=str)
def test_small_sizes(shape):
    values(lambda x: (x.sum(axis=0), x.sum(axis=1), x.sum(), x.prod(axis=0)), sample(*shape))
    values(layernorm_backward, sample(*shape), sample(shape[1]), other(*shape), terms=200)


def test_columns_beyond_the_view_do_not_leak():
    """The rows next to a view are huge."""
    base = np.full((40, 67), 1e30, np.float32)
    base[3:36] = sample(33, 67)
    check(rmsnorm_backward, base[3:36], sample(67), other(33, 67), terms=70, scale=4)


# ---- accuracy and order of summation -----------------------------------------------
def test_long_columns_are_summed_in_blocks():
    """Rows in blocks and a tree over the blocks: one running sum over all rows would be off by 1e-4."""
    x = np.full((100_000, 20), 0.1, np.float32)
    columns, rows, total = lw.jit(lambda x: (x.sum(axis=0), x.sum(axis=1), x.sum()))(x)
    np.testing.assert_allclose(columns, 0.1 * 100_000, rtol=3e-6)
    np.testing.assert_allclose(rows, 2.0, rtol=1e-6)
    np.testing.assert_allclose(total, 200_000.0, rtol=3e-6)


def test_long_columns_of_gradients():
    rng = np.random.default_rng(0)
    x, gain, dy = (rng.uniform(0.5, 1.5, s).astype(np.float32) for s in ((50_000, 24), (24,), (50_000, 24)))
    found = lw.jit(rmsnorm_backward)(x, gain, dy)
    wanted = rmsnorm_backward(*(a.astype(np.float64) for a in (x, gain, dy)))
    np.testing.assert_allclose(found[1], wanted[1], rtol=3e-6)


def test_rows_do_not_depend_on_how_many_there_are():
    jitted = lw.jit(layernorm_backward)
    x, gain, dy = sample(200, 67), sample(67), other(200, 67)
    whole = jitted(x, gain, dy)[0]
    for n in (17, 18, 33, 199):
        np.testing.assert_array_equal(jitted(x[:n], gain, dy[:n])[0], whole[:n])


# ---- gradients of norms ------------------------------------------------------------
@pytest.mark.parametrize(
    ("shape", "dtype"), [*(((40, 67), dtype) for dtype in DTYPES), ((6, 20, 65), "f4"), ((129, 33), "f4")], ids=str
)
def test_layernorm_backward(shape, dtype):
    x, gain, dy = sample(*shape, dtype=dtype), sample(shape[-1], dtype=dtype), other(*shape, dtype=dtype)
    check(layernorm_backward, x, gain, dy, terms=200, scale=8)


def test_layernorm_backward_keeps_no_rows():
    """Differences from the mean, and these in units of the deviation, are computed again: what they are computed from
    once a row costs an element nothing."""
    lowered = lw.jit(layernorm_backward).lower(sample(40, 67), sample(67), other(40, 67))
    assert lowered.as_text("kernels").count('"write d0, d1"') == 1


@pytest.mark.parametrize("dtype", DTYPES)
def test_rmsnorm_backward(dtype):
    x, gain, dy = sample(40, 67, dtype=dtype), sample(67, dtype=dtype), other(40, 67, dtype=dtype)
    check(rmsnorm_backward, x, gain, dy, terms=70, scale=8)
    check(rmsnorm_backward, x, gain[None], dy, terms=70, scale=8)


def test_rmsnorm_backward_of_few_long_rows():
    check(rmsnorm_backward, sample(13, 8472), sample(8472), other(13, 8472), terms=8472, scale=4)


def test_rmsnorm_backward_of_flattened_axes():
    def f(x, gain, dy):
        return rmsnorm_backward(x.reshape(-1, 65), gain, dy.reshape(-1, 65))

    check(f, sample(6, 20, 65), sample(65), other(6, 20, 65), terms=120, scale=8)


def test_layernorm_backward_with_saved_statistics():
    x = sample(40, 67)
    check(saved_backward, x, x.mean(axis=1), 1 / x.std(axis=1), sample(67), other(40, 67), sweeps=2, terms=70, scale=8)


def test_softmax_backward_with_bias():
    def f(p, dp):
        d = p * (dp - (p * dp).sum(axis=1, keepdims=True))
        return d, d.sum(axis=0)

    check(f, np.abs(sample(40, 67)), other(40, 67), sweeps=2, terms=70, scale=40)


def test_three_norms_share_a_weight():
    def forward(a, b, c, gain):
        return rmsnorm(a, gain), rmsnorm(b, gain), rmsnorm(c, gain)

    a, b, c = sample(40, 67), other(40, 67), sample(40, 67)[::-1].copy()
    check(forward, a, b, c, sample(67), terms=70)


def test_three_gradients_share_a_weight():
    def backward(a, b, c, gain, da, db, dc):
        first, second, third = (rmsnorm_backward(x, gain, dy) for x, dy in ((a, da), (b, db), (c, dc)))
        return first[0], second[0], third[0], first[1] + second[1] + third[1]

    arrays = [sample(40, 67)[::k].copy() if k < 0 else sample(40, 67) * k for k in (1, 2, 3, -1, 4, 5)]
    check(backward, *arrays[:3], sample(67), *arrays[3:], terms=200, scale=40)


# ---- batch statistics --------------------------------------------------------------
def test_batch_statistics():
    check(lambda x: (x.mean(axis=(0, 2)), (x * x).mean(axis=(0, 2))), sample(18, 21, 34), sweeps=1, terms=700)
    check(lambda x: (x.mean(axis=(0, 2, 3)), x.var(axis=(0, 2, 3))), sample(8, 17, 5, 20), terms=800)
    check(lambda x: (x.mean(axis=0), x.var(axis=0)), sample(129, 67), terms=129)


def test_batch_norm_backward_sums():
    def f(x, mean, scale, dy):
        xhat = (x - mean[:, None]) * scale[:, None]
        return (dy * xhat).sum(axis=(0, 2)), dy.sum(axis=(0, 2))

    check(f, sample(18, 21, 34), sample(21), sample(21) + 3, other(18, 21, 34), sweeps=1, terms=700, scale=20)


def test_means_of_both_orders():
    report = check(lambda x: (x.mean(axis=0), x.mean(axis=1), (x * x).mean(axis=0)), sample(40, 67), terms=70)
    assert report.kernels[0].sweeps == 1


def test_one_compilation_for_all_sizes():
    jitted = lw.jit(layernorm_backward)
    for n, m in ((40, 67), (33, 18), (20, 129), (129, 20), (18, 18)):
        args = sample(n, m), sample(m), other(n, m)
        for found, wanted in zip(jitted(*args), layernorm_backward(*args), strict=True):
            np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-4)
    assert jitted.cache_info().compilations == 1
