"""Views cost nothing: broadcasts, transposes, slices, reversals and reshapes are index expressions inside the loops."""

import numpy as np
import pytest
from fusion.checking import check, sample
from numerics.checking import check as values

DTYPES = ["f2", "f4", "f8"]


# ---- one view under elementwise functions --------------------------------------------
VIEWS = {
    "transpose": lambda x: x.transpose(2, 0, 1),
    "swap": lambda x: x.swapaxes(0, 1),
    "move": lambda x: np.moveaxis(x, 0, -1),
    "reverse one": lambda x: x[:, ::-1],
    "reverse all": lambda x: np.flip(x),
    "rotate": lambda x: np.rot90(x, axes=(1, 2)),
    "roll first": lambda x: np.roll(x, 3, axis=0),
    "roll last": lambda x: np.roll(x, -5, axis=2),
    "roll two": lambda x: np.roll(x, (2, -1), axis=(0, 2)),
    "roll far": lambda x: np.roll(x, 1000, axis=1),
    "expand dims": lambda x: x[:, None, :, None],
    "flatten": lambda x: x.reshape(-1),
    "collapse": lambda x: x.reshape(x.shape[0], -1),
    "collapse outer": lambda x: x.reshape(-1, x.shape[2]),
    "expand": lambda x: x.reshape(x.shape[0], 2, x.shape[1] // 2, x.shape[2]),
    "transpose, flatten": lambda x: x.transpose(0, 2, 1).reshape(x.shape[0], -1),
    "reverse, transpose": lambda x: x[::-1].T,
    "roll, reverse": lambda x: np.roll(x[..., ::-1], 1, axis=2),
}


@pytest.mark.parametrize("name", VIEWS)
def test_a_view_inside(name):
    """Between two functions: nothing is copied to move it."""
    view = VIEWS[name]
    check(lambda x: np.exp(view(np.sin(x) * 0.5)) + 1, sample(20, 18, 33), sweeps=1)


STRIDED = [(name, "f4") for name in ("transpose", "reverse one", "roll two", "flatten", "expand", "roll, reverse")]
STRIDED += [("roll two", "f2"), ("transpose", "f2"), ("expand", "f8"), ("flatten", "f8")]


@pytest.mark.parametrize(("name", "dtype"), STRIDED)
def test_a_view_of_a_strided_input(name, dtype):
    view = VIEWS[name]
    base = sample(36, 40, 50, dtype=dtype)
    for x in (base[::2, 2:20, 33::-1], np.asfortranarray(base[:20, :18, :34]), base.T[:20, 20:38, 1:35]):
        check(lambda x: view(np.abs(x)) * 2, x, sweeps=1, coarsest=np.dtype(dtype))


@pytest.mark.parametrize("name", VIEWS)
def test_a_view_of_few_elements(name):
    for shape in ((1, 2, 1), (2, 4, 3), (0, 2, 20), (1, 18, 17)):
        if 0 in shape and name in ("collapse", "collapse outer", "transpose, flatten"):
            continue  # NumPy cannot tell the size of -1
        values(lambda x: VIEWS[name](x) - 1, sample(*shape), exact=True)


# ---- slices: only what is needed is read ----------------------------------------------
@pytest.mark.parametrize(
    "key",
    [
        np.s_[3:-3, 4:],
        np.s_[::2, 1::3],
        np.s_[::-1, ::-2],
        np.s_[5, :],
        np.s_[:, -1],
        np.s_[-20:, None, :9],
        np.s_[..., 30:2:-3],
    ],
    ids=str,
)
def test_a_slice_reads_its_elements(key):
    x = sample(40, 33)
    needed = x[key].nbytes
    check(lambda x: np.exp(x[key]) + 1, x, least=2 * needed, sweeps=1)
    check(lambda x: np.exp(x)[key] + 1, x, least=2 * needed, sweeps=1)


def test_two_slices_of_one_input():
    """The halves are read once each."""
    x = sample(40, 66)
    check(lambda x: x[:, :33] * np.tanh(x[:, 33:]), x, sweeps=1)
    check(lambda x: x[:, ::2] * np.tanh(x[:, 1::2]), x, sweeps=1)


def test_stacked_halves():
    x = sample(40, 66)
    check(lambda x: np.stack([x[:, ::2] + 1, x[:, 1::2] - 1], axis=-1).reshape(x.shape), x, sweeps=1)


# ---- broadcasts ----------------------------------------------------------------------
def test_broadcast_to():
    def f(x, row):
        return np.broadcast_to(np.exp(row), x.shape) * x

    check(f, sample(140, 133), sample(133))


def test_repeated_rows():
    """`np.repeat` and `np.tile` by a number are broadcasts and reshapes."""
    x = sample(40, 33)
    check(lambda x: np.repeat(np.abs(x), 3, axis=1) + 1, x, sweeps=1)
    check(lambda x: np.repeat(np.abs(x), 3, axis=0) + 1, x, sweeps=1)
    check(lambda x: np.tile(np.abs(x), (2, 3)) + 1, x, sweeps=1)


@pytest.mark.parametrize("dtype", DTYPES)
def test_grouped_queries(dtype):
    """Four queries share a key, which is read once for all of them."""
    q, k = sample(2, 20, 8, 32, dtype=dtype), sample(2, 20, 2, 32, dtype=dtype)

    def f(q, k):
        b, s, h, d = q.shape
        return (q.reshape(b, s, 2, h // 2, d) * k[:, :, :, None]).reshape(b, s, h, d)

    def repeated(q, k):
        return q * np.repeat(k, 4, axis=2)

    def scores(q, k):
        return (q * np.repeat(k, 4, axis=2)).sum(axis=3)

    for each in (f, repeated, scores):
        check(each, q, k, sweeps=1, coarsest=np.dtype(dtype))


# ---- rotary embeddings ----------------------------------------------------------------
def halves(x, cos, sin):
    half = x.shape[-1] // 2
    turned = np.concatenate([-x[..., half:], x[..., :half]], axis=-1)
    return x * cos + turned * sin


def halves_backward(dy, cos, sin):
    half = dy.shape[-1] // 2
    d = dy * sin
    return dy * cos + np.concatenate([d[..., half:], -d[..., :half]], axis=-1)


def halves_apart(x, c, s):
    """Each half by itself, joined at the end."""
    half = x.shape[-1] // 2
    a, b = x[..., :half], x[..., half:]
    return np.concatenate([a * c - b * s, b * c + a * s], axis=-1)


def interleaved(x, c, s):
    a, b = x[..., ::2], x[..., 1::2]
    return np.stack([a * c - b * s, b * c + a * s], axis=-1).reshape(x.shape)


def interleaved_pairs(x, c, s):
    """The pairs are an axis of their own."""
    p = x.reshape((*x.shape[:-1], x.shape[-1] // 2, 2))
    a, b = p[..., 0], p[..., 1]
    return np.stack([a * c - b * s, b * c + a * s], axis=-1).reshape(x.shape)


def interleaved_assigned(x, c, s):
    y = np.zeros_like(x)
    a, b = x[..., ::2], x[..., 1::2]
    y[..., ::2] = a * c - b * s
    y[..., 1::2] = b * c + a * s
    return y


def interleaved_backward(dy, c, s):
    a, b = dy[..., ::2], dy[..., 1::2]
    return np.stack([a * c + b * s, b * c - a * s], axis=-1).reshape(dy.shape)


ROPES = [
    halves,
    halves_backward,
    halves_apart,
    interleaved,
    interleaved_pairs,
    interleaved_assigned,
    interleaved_backward,
]


def rope_arguments(f, *shape, dtype="f4"):
    """An input and the table of cosines and sines that `f` takes, over its last two axes."""
    width = shape[-1] if f in (halves, halves_backward) else shape[-1] // 2
    table = sample(2, shape[-2], width, dtype=dtype)
    return sample(*shape, dtype=dtype), table[0].copy(), table[1].copy()


@pytest.mark.parametrize("f", ROPES, ids=lambda f: f.__name__)
@pytest.mark.parametrize("width", [34, 128])
def test_rope(f, width):
    check(f, *rope_arguments(f, 2, 3, 40, width), sweeps=1)


@pytest.mark.parametrize("dtype", ["f2", "f8"])
@pytest.mark.parametrize("f", [halves, halves_apart, interleaved], ids=lambda f: f.__name__)
def test_rope_of_a_transposed_input(f, dtype):
    """Heads before positions in memory, positions before heads in the program."""
    x, cos, sin = rope_arguments(f, 2, 3, 40, 34, dtype=dtype)
    x = x.swapaxes(1, 2).copy().swapaxes(1, 2)
    check(f, x, cos, sin, sweeps=1, coarsest=np.dtype(dtype))


def test_rope_of_queries_and_keys():
    """Both are turned in one call: the sines are read by both, which have different heads."""

    def f(q, k, cos, sin):
        return halves(q, cos, sin), halves(k, cos, sin)

    q, k = sample(2, 8, 40, 34), sample(2, 2, 40, 34)
    cos, sin = sample(40, 34), sample(40, 34) + 0.5
    check(f, q, k, cos, sin, kernels=2, reads={"cos": 2, "sin": 2}, slack=1.1)


@pytest.mark.parametrize("f", ROPES, ids=lambda f: f.__name__)
def test_rope_of_few_elements(f):
    for width in (0, 2, 18):
        values(f, *rope_arguments(f, 3, 5, width))


# ---- many views in one program -----------------------------------------------------------
def test_several_views_of_one_input():
    """All are needed at different places: one loop, the input from memory once."""

    def f(x):
        return x + x[::-1] * np.roll(x, 1, axis=1) - x[:, ::-1]

    check(f, sample(40, 33), sweeps=1)


def test_a_symmetric_part():
    check(lambda x: (x + x.T) * 0.5, sample(34, 34), sweeps=1)


def test_a_view_between_stages():
    """Transposed twice, sliced and joined with what it came from."""

    def f(x):
        a = np.sin(x).T[2:, ::2] * 3
        return np.maximum(a.T, x[::2, 2:]) - 1

    x = sample(40, 33)
    check(f, x, least=2 * x[::2, 2:].nbytes, sweeps=1)


def test_window_partition():
    """Swin's windows: a reshape to tiles, a transpose, a function, and back."""

    def f(x, w):
        b, n, m, c = x.shape
        tiles = np.roll(x, (-3, -3), axis=(1, 2)).reshape(b, n // 4, 4, m // 4, 4, c).transpose(0, 1, 3, 2, 4, 5)
        tiles = np.tanh(tiles) * w
        back = tiles.transpose(0, 1, 3, 2, 4, 5).reshape(b, n, m, c)
        return np.roll(back, (3, 3), axis=(1, 2)) + x

    check(f, sample(2, 24, 20, 19), sample(19), sweeps=1)


def test_pixel_shuffle():
    def f(x):
        b, c, n, m = x.shape
        return np.maximum(x, 0).reshape(b, c // 4, 2, 2, n, m).transpose(0, 1, 4, 2, 5, 3).reshape(b, c // 4, 2 * n, -1)

    check(f, sample(2, 8, 20, 18), sweeps=1)


def test_diagonal():
    x = sample(40, 40)
    check(lambda x: np.exp(np.diagonal(x)), x, least=2 * 40 * 4, sweeps=1)
