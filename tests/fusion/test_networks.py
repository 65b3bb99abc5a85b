"""What neural networks are made of: norms, rotations, pools, convolutions by hand, blocks of a transformer."""

import numpy as np
import pytest
from fusion.checking import check, sample
from numerics.checking import check as values

import loopweld as lw


def other(*shape, dtype="f4"):
    return sample(*shape[::-1], dtype=dtype).T.copy()


def rmsnorm(x, gain):
    return x / np.sqrt((x * x).mean(axis=-1, keepdims=True) + 1e-6) * gain


def softmax(x, axis=-1):
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


# ---- rows and columns in one walk ------------------------------------------------------
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_rows_of_a_sum_with_a_transposed_operand(dtype):
    """One operand is walked along its memory, the other one across it, and each is read once."""
    x, y = sample(40, 66, dtype=dtype), sample(66, 40, dtype=dtype).T
    check(lambda x, y: ((x + y).sum(axis=-1), x.sum(axis=0)), x, y, terms=70)


@pytest.mark.parametrize("shape", [(5000, 2), (2, 5000), (3000, 3), (13, 1000), (1, 700), (700, 1)], ids=str)
def test_sums_of_narrow_arrays(shape):
    x = sample(*shape)
    values(lambda x: (x.sum(axis=0), x.sum(axis=1), x.max(axis=0), x.sum()), x, terms=5000)
    report = lw.jit(lambda x: (x.sum(axis=0), x.sum(axis=1), x.sum())).explain(x)
    assert len(report.kernels) == 1 and sum(t.times for k in report.kernels for t in k.reads) == 1


def test_sums_of_two_widths_side_by_side():
    """The number of columns is a sum of two open sizes."""

    def f(a, b):
        joined = np.concatenate([a, b], axis=1)
        return joined.sum(axis=0), joined.sum(axis=1), (joined * joined).mean(axis=1)

    jitted = lw.jit(f)
    for first, second in ((33, 20), (50, 17), (18, 90)):
        arrays = sample(40, first), sample(40, second)
        for found, wanted in zip(jitted(*arrays), f(*arrays), strict=True):
            np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-5)
    assert jitted.cache_info().compilations == 1
    check(f, sample(40, 33), sample(40, 20), sweeps=1, terms=60)


def test_a_gain_with_a_kept_axis():
    """The gain is (1, columns), and so is its gradient."""

    def f(x, gain, dy):
        scale = 1 / np.sqrt((x * x).mean(axis=1, keepdims=True) + 1e-6)
        xhat = x * scale
        d = dy * gain
        return scale * (d - xhat * (d * xhat).mean(axis=1, keepdims=True)), (dy * xhat).sum(axis=0, keepdims=True)

    check(f, sample(40, 67), sample(1, 67), other(40, 67), terms=70, scale=8)


def test_two_norms_a_rotation_and_groups_of_queries():
    """Backward through both norms, a rotation by halves and queries that share keys: sums over the groups."""

    def f(q, k, gain, cos, sin, dq, dk):
        def unrotated(d):
            half = d.shape[-1] // 2
            turned = d * sin
            return d * cos + np.concatenate([turned[..., half:], -turned[..., :half]], axis=-1)

        def backward(x, d):
            scale = 1 / np.sqrt((x * x).mean(axis=-1, keepdims=True) + 1e-6)
            xhat, dx = x * scale, d * gain
            return scale * (dx - xhat * (dx * xhat).mean(axis=-1, keepdims=True)), d * xhat

        (gq, wq), (gk, wk) = backward(q, unrotated(dq)), backward(k, unrotated(dk).sum(axis=1))
        return gq, gk, wq.sum(axis=(0, 1, 2)) + wk.sum(axis=(0, 1))

    q, k = sample(20, 4, 18, 8), sample(20, 18, 8)
    args = q, k, sample(8), sample(18, 8), other(18, 8), q[::-1].copy(), other(20, 4, 18, 8)
    values(f, *args, terms=2000, scale=4)


# ---- activations and rotations ---------------------------------------------------------
ACTIVATIONS = {
    "exp2, cos, sqrt": lambda a: np.sqrt(np.abs(np.cos(np.exp2(a)))),
    "shared": lambda a: np.exp(np.sqrt(np.abs(a))) + np.sin(np.sqrt(np.abs(a))),
    "relu of a sum": lambda a, b, d: np.maximum(np.exp2(a) - np.sin(b), 0) + 1.5 / (np.abs(d) + 1),
    "compared": lambda a, b, d: np.sin(np.exp2(a) - np.sin(b)) * 3.4 < d,
    "swish": lambda a, b: a / (1 + np.exp(-a)) * b,
    "one feeds two": lambda a: (np.log2(np.exp(a)), np.sin(np.exp(a))),
    "cube norm": lambda a: (np.abs(a) ** 3).sum(axis=-1) ** (1 / 3),
}


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8"])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations(name, dtype):
    f = ACTIVATIONS[name]
    a = sample(40, 33, dtype=dtype)
    check(f, *[a, a[::-1].copy(), other(40, 33, dtype=dtype)][: f.__code__.co_argcount], sweeps=1, terms=40, ulps=32)


def test_even_and_odd_rotate():
    """Pairs of neighbours turn by an angle each."""

    def f(x, angle):
        pairs = x.reshape(x.shape[0], -1, 2)
        even, odd = pairs[..., 0], pairs[..., 1]
        turned = even * np.cos(angle) - odd * np.sin(angle), even * np.sin(angle) + odd * np.cos(angle)
        return np.stack(turned, axis=-1).reshape(x.shape)

    values(f, sample(40, 18), sample(40, 9), terms=4)


def test_angles_of_positions():
    def f(x):
        position = np.arange(x.shape[0], dtype="f4")[:, None] / 1e3 ** (np.arange(16, dtype="f4") / 16)
        return x[:, :16] * np.cos(position) - x[:, 16:] * np.sin(position)

    check(f, sample(40, 32), kernels=None, terms=4)


# ---- pools and convolutions, as sums of shifted arrays -----------------------------------
def pooled(x, width, step, dilation, reduce):
    count = (x.shape[-1] - (width - 1) * dilation - 1) // step + 1
    windows = [x[..., k * dilation : k * dilation + (count - 1) * step + 1 : step] for k in range(width)]
    return reduce(np.stack(windows), axis=0)


@pytest.mark.parametrize(("width", "step", "dilation"), [(2, 1, 1), (3, 2, 1), (2, 1, 3), (3, 3, 2), (5, 1, 1)])
@pytest.mark.parametrize("reduce", [np.max, np.sum])
def test_pools(width, step, dilation, reduce):
    values(lambda x: pooled(np.tanh(x), width, step, dilation, reduce), sample(6, 47), terms=6)


def test_convolutions():
    def along_a_line(x, w):
        padded = np.pad(x, ((0, 0), (1, 1)))
        return sum(w[k] * padded[:, k : k + x.shape[1]] for k in range(3))

    def in_the_plane(x, w, bias):
        padded = np.pad(x, ((0, 0), (1, 1), (1, 1)))
        n, m = x.shape[1:]
        total = sum(w[i, j] * padded[:, i : i + n, j : j + m] for i in range(3) for j in range(3))
        return np.maximum(total + bias, 0)

    check(along_a_line, sample(40, 33), sample(3), terms=8, scale=8)
    check(in_the_plane, sample(5, 20, 33), sample(3, 3), sample(33), kernels=1, terms=20, scale=40)


def test_slices_added_and_repeated():
    def f(a):
        total = a[0:64] + a[64:128] + a[128:192] + a[192:256]
        return np.broadcast_to(total[:, None], (64, 4)).reshape(-1) * 2

    check(f, sample(256), terms=4)


def test_pad_cut_pad():
    check(lambda x: np.pad(np.pad(x, 10)[25 - 18 : 25], 3) + 1, sample(20), sweeps=1, kernels=None)


# ---- whole blocks -----------------------------------------------------------------------
def block(x, p):
    """One block of a transformer: attention over the rows so far, then a gated product."""
    heads, width = 2, x.shape[1] // 2
    h = rmsnorm(x, p["norm"])
    q, k, v = (np.swapaxes((h @ p[name]).reshape(-1, heads, width), 0, 1) for name in ("q", "k", "v"))
    scores = np.matmul(q, np.swapaxes(k, 1, 2)) / width**0.5
    order = np.arange(x.shape[0])
    attention = softmax(np.where(order[:, None] >= order[None, :], scores, -np.inf))
    x = x + np.swapaxes(np.matmul(attention, v), 0, 1).reshape(x.shape) @ p["o"]
    h = rmsnorm(x, p["norm"])
    up = h @ p["up"]
    return x + (up / (1 + np.exp(-up)) * (h @ p["gate"])) @ p["down"]


@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_a_transformer_of_two_blocks(dtype):
    d, wide = 16, 48
    p = {name: sample(d, d, dtype=dtype) / 4 for name in "qkvo"}
    p |= {"norm": sample(d, dtype=dtype), "up": sample(d, wide, dtype=dtype) / 4}
    p |= {"gate": other(d, wide, dtype=dtype) / 4, "down": sample(wide, d, dtype=dtype) / 7}

    def f(tokens, table, p):
        x = table[tokens]
        for _ in range(2):
            x = block(x, p)
        return softmax(x @ table.T)

    tokens, table = np.arange(20) * 7 % 30, sample(30, d, dtype=dtype)
    values(f, tokens, table, p, terms=200, ulps=256, scale=8)
    report = lw.jit(f).explain(tokens, table, p)
    assert set(report.library_calls) == {"matmul"} and len(report.kernels) <= len(report.library_calls) + 2


@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_a_step_of_adam(dtype):
    """Three results, each input read once, nothing in between."""

    def f(p, g, m, v, rate):
        m = 0.9 * m + 0.1 * g
        v = 0.999 * v + 0.001 * g * g
        return p - rate * (m / 0.19) / (np.sqrt(v / 0.002) + 1e-6) - 0.01 * rate * p, m, v

    p, g, m = (sample(40, 33, dtype=dtype) * k for k in (1, 2, 3))
    check(f, p, g, m, np.abs(p), np.asarray(0.01, dtype), sweeps=1, terms=4, ulps=64)
