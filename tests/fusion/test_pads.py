"""Padding, joining and rolling are guards and offsets of loads: no temporary, nothing read outside an array."""

import re

import numpy as np
import pytest
from fusion.checking import check, sample
from numerics.checking import check as values

import loopweld as lw

DTYPES = ["f2", "f4", "f8"]


# ---- pads --------------------------------------------------------------------------
def test_the_pad_is_not_computed_with():
    """`cos` of what is outside would be `cos(0)`: the padded row is `exp2(0)`."""

    def f(a):
        return np.exp2(np.pad(np.cos(a[:1]), ((0, 1), (0, 0))))

    for dtype in DTYPES:
        for a in (sample(2, 5, dtype=dtype), sample(40, 33, dtype=dtype)):
            check(f, a, least=3 * a[:1].nbytes, sweeps=1, coarsest=np.dtype(dtype))
            assert np.all(lw.jit(f)(a)[1] == 1.0)


PADS = {
    "then a function": lambda x: np.exp(np.pad(x, 2)),
    "of a function": lambda x: np.pad(np.exp(x), ((1, 0), (0, 3))),
    "between": lambda x: np.log2(np.pad(np.abs(np.sin(x)), ((0, 2), (1, 1)))),
    "of a number": lambda x: np.pad(np.cos(x), 1, constant_values=7.5) * 2,
    "of -inf": lambda x: np.pad(np.log(np.abs(x)), 3, constant_values=-np.inf) + 1,
    "twice": lambda x: np.exp(np.pad(np.pad(np.cos(x), 1) * 2 + 1, ((2, 0), (0, 2)))),
    "divided by": lambda x: 1 / np.pad(x * x + 1, 1),
    "and sliced": lambda x: np.tanh(np.pad(np.sin(x), 5)[3:-2, 4:-1]),
    "cut away again": lambda x: np.pad(np.sin(x), 4)[4:-4, 4:-4] + x,
    "in steps": lambda x: np.pad(np.sin(x), 3)[::2, ::-1] * 2,
    "and transposed": lambda x: np.pad(np.sin(x).T, ((1, 2), (3, 0))).T + 1,
    "of a transpose, reversed": lambda x: np.pad(np.sin(x)[::-1].T, 1)[:, ::-1] * 2,
    "one side only": lambda x: np.pad(np.sin(x), ((0, 0), (17, 0))) + 1,
    "more than there is": lambda x: np.pad(np.sin(x), 50) - 1,
    "by nothing": lambda x: np.pad(np.sin(x), 0) * 2,
}


@pytest.mark.parametrize("name", PADS)
def test_a_pad_inside(name):
    f = PADS[name]
    x = sample(40, 33)
    if name == "in steps":
        check(f, x, least=x[1::2].nbytes + f(x).nbytes, sweeps=1)
    else:
        check(f, x, sweeps=1)


@pytest.mark.parametrize("dtype", ["f2", "f8", "i2", "u8", "?"])
def test_pads_of_all_dtypes(dtype):
    for base in (sample(41, 70, dtype=dtype), sample(36, 82, dtype=dtype).T):
        check(lambda x: np.pad(np.maximum(x, x[::-1]), ((2, 1), (0, 3))), base[::2, 33::-1], sweeps=1, exact=True)


@pytest.mark.parametrize("name", PADS)
def test_pads_of_few_elements(name):
    for shape in ((1, 1), (0, 20)):
        values(PADS[name], sample(*shape))


@pytest.mark.parametrize("mode", ["edge", "reflect", "symmetric", "wrap"])
def test_pads_from_the_array_itself(mode):
    """The rim is read from inside; both axes, in one loop."""
    check(lambda x: np.pad(np.abs(x), ((2, 3), (1, 4)), mode=mode) * 2, sample(40, 33), sweeps=1)


def test_pad_then_max():
    """The pad takes part: 0 is more than any of the negative numbers."""
    x = -1 - sample(40, 33, low=0)
    check(lambda x: np.pad(x, 1).max(axis=1), x, sweeps=1)
    check(lambda x: np.pad(np.sin(x) - 3, ((0, 1), (2, 0))).max(axis=0), x, sweeps=1)
    check(lambda x: np.pad(x * 2, 3).max(), x, sweeps=1)
    check(lambda x: np.pad(x * 2, 3, constant_values=-np.inf).max(axis=(0, 1)), x, sweeps=1)
    check(lambda x: np.pad(-x, 1).argmin(axis=1), x, sweeps=1)


def test_pad_then_sum():
    """`exp` of the pad is 1, and is added."""
    check(lambda x: np.exp(np.pad(x, 2)).sum(axis=0), sample(40, 33), sweeps=1)
    check(lambda x: np.exp(np.pad(np.sin(x), ((0, 0), (1, 2)))).sum(axis=1), sample(40, 33), sweeps=1)


def test_pad_of_log2_is_zero_outside():
    def f(x):
        return np.pad(np.log2(x), 2), np.log2(np.pad(x, 2))

    check(f, sample(40, 33, low=0.5), sweeps=1)


def test_pad_before_softmax():
    """A row of scores padded with -inf: its exponentials are 0."""

    def f(x):
        y = np.pad(x * 0.125, ((0, 0), (0, 7)), constant_values=-np.inf)
        e = np.exp(y - y.max(axis=1, keepdims=True))
        return e / e.sum(axis=1, keepdims=True)

    check(f, sample(40, 33), sweeps=3)


NEGATIVE = """
#low = affine_map<(d0, d1) -> (d0, d1)>
func.func @main(%x: tensor<40x33xf32>) -> tensor<38x36xf32> {
  %zero = arith.constant 0.5 : f32
  %e = math.exp %x : tensor<40x33xf32>
  %p = tensor.pad %e low[-3, 4] high[1, -1] {
  ^bb0(%i: index, %j: index):
    tensor.yield %zero : f32
  } : tensor<40x33xf32> to tensor<38x36xf32>
  %y = math.absf %p : tensor<38x36xf32>
  func.return %y : tensor<38x36xf32>
}
"""


def test_negative_pads():
    """They cut off; `tensor.pad` may have them, `np.pad` may not."""
    x = sample(40, 33)
    compiled = lw.compile(NEGATIVE)
    wanted = np.pad(np.exp(x)[3:, :-1], ((0, 1), (4, 0)), constant_values=0.5)
    np.testing.assert_allclose(compiled(x), wanted, rtol=1e-6)
    report = compiled.report
    assert len(report.kernels) == 1
    assert report.temporary_bytes == 0
    assert report.bytes_moved == report.bytes_minimum == 37 * 32 * 4 + wanted.nbytes


# ---- joins -----------------------------------------------------------------------------
JOINS = {
    "rows": lambda x, y: np.exp(np.concatenate([x, y]) * 0.5),
    "columns": lambda x, y: np.concatenate([np.sin(x), y * 2], axis=1) + 1,
    "of functions": lambda x, y: np.concatenate([np.exp(x), np.log1p(np.abs(y)), np.tanh(x - y)], axis=1),
    "stacked": lambda x, y: np.stack([np.exp(x), np.sin(y)]) * 2,
    "stacked last": lambda x, y: np.stack([np.exp(x), np.sin(y)], axis=-1) * 2,
    "stacked between": lambda x, y: np.stack([np.exp(x), np.sin(y), x], axis=1) * 2,
    "nested": lambda x, y: np.concatenate([np.concatenate([x, y], axis=1), np.concatenate([y, x], axis=1)]) * 2,
    "of slices": lambda x, y: np.concatenate([np.exp(x)[:, 5:], np.sin(y)[:, :5]], axis=1) - y,
    "and sliced": lambda x, y: np.concatenate([np.exp(x), np.sin(y)], axis=1)[:, 3:-3] + 1,
    "transposed": lambda x, y: np.concatenate([np.exp(x).T, y.T]).T * 2,
    "assigned": lambda x, y: _assigned(np.exp(x), np.sin(y)),
}


def _assigned(x, y):
    z = np.zeros_like(x)
    z[:, 4:20] = y[:, 4:20]
    z[3:, :4] = x[3:, :4]
    return z + x * y


@pytest.mark.parametrize("name", JOINS)
def test_a_join_inside(name):
    f = JOINS[name]
    x, y = sample(40, 33), sample(41, 33)[1:].copy()
    least = None
    if name == "of slices":
        least = x[:, 5:].nbytes + 2 * y.nbytes
    if name == "and sliced":
        least = 2 * f(x, y).nbytes
    check(f, x, y, sweeps=1, least=least)


@pytest.mark.parametrize("dtype", ["f2", "f8", "i4", "?"])
def test_joins_of_all_dtypes(dtype):
    x, y = sample(33, 40, dtype=dtype).T, sample(80, 33, dtype=dtype)[::-2]

    def f(x, y):
        return np.concatenate([np.maximum(x, y), y, x[:5]]), np.concatenate([x, np.minimum(y, x)], axis=1)

    check(f, x, y, exact=True, kernels=2, reads={"x": 2, "y": 2}, slack=1.5)


@pytest.mark.parametrize("name", JOINS)
def test_joins_of_few_elements(name):
    if name in ("of slices", "assigned"):
        return
    for shape in ((18, 1), (0, 20)):
        if name == "and sliced" and shape[1] == 1:
            continue
        values(JOINS[name], sample(*shape), sample(*shape) + 1)


def test_pieces_of_different_lengths():
    def f(a, b, c):
        return np.tanh(np.concatenate([a, b * 2, c], axis=0))

    check(f, sample(20, 33), sample(1, 33), sample(50, 33), sweeps=1)
    values(f, sample(0, 33), sample(17, 33), sample(3, 33))


def test_rows_from_the_row_before():
    """A row of which several others are computed is computed once, not again for each, and no row is selected from all:
    each is a loop of its own."""

    def f(x):
        rows = [x]
        for _ in range(11):
            rows.append(np.tanh(rows[-1] * 0.9 + 0.1))
        return np.stack(rows)

    x = sample(100)
    values(f, x)
    lowered = lw.jit(f).lower(x)
    assert lowered.as_text("fused").count("weld.tanh") == 11
    assert "weld.select" not in re.sub(r"weld.select .* i64", "", lowered.as_text("loops"))


def test_join_then_reduce():
    x, y = sample(40, 33), sample(40, 70)

    def joined(x, y):
        return np.concatenate([np.exp(x), np.sin(y)], axis=1)

    check(lambda x, y: joined(x, y).sum(axis=1), x, y, sweeps=1)
    check(lambda x, y: joined(x, y).max(axis=0), x, y, sweeps=1)
    check(lambda x, y: joined(x, y).sum(), x, y, sweeps=1)
    check(lambda x, y: joined(x, y).argmax(axis=1), x, y, sweeps=1)
    check(lambda x, y: (joined(x, y) * 2, joined(x, y).sum(axis=0)), x, y, sweeps=1)


def test_join_then_layernorm():
    def f(x, y, gain):
        z = np.concatenate([x, y * 2], axis=1)
        centred = z - z.mean(axis=1, keepdims=True)
        return centred / np.sqrt((centred * centred).mean(axis=1, keepdims=True) + 1e-5) * gain

    check(f, sample(40, 33), sample(40, 31), sample(64), sweeps=3)


def test_join_with_itself():
    check(lambda x: np.concatenate([x, x * 2, -x], axis=1), sample(40, 33), sweeps=1)


# ---- differences -----------------------------------------------------------------------
def test_differences():
    x = sample(1000)
    check(lambda x: x[1:] - x[:-1], x, sweeps=1)
    check(lambda x: np.diff(x), x, sweeps=1)
    check(lambda x: np.exp(x[1:] - x[:-1]) * 0.5, x, sweeps=1)
    for n in (0, 1, 2, 15, 16, 17, 18):
        values(lambda x: np.diff(x) * 2, sample(n), exact=True)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_differences_along(axis):
    x = sample(20, 18, 33)
    check(lambda x: np.diff(x, axis=axis) * 0.5, x, sweeps=1)
    check(lambda x: np.abs(np.diff(np.sin(x), axis=axis)), x)


def test_differences_of_differences():
    check(lambda x: np.diff(x, n=3), sample(1000), sweeps=1)


def test_differences_of_strided():
    base = sample(90, 66, dtype="f8")
    for x in (base[::2, ::-2], base.T, np.asfortranarray(base)[:, 3:]):
        report = check(lambda x: (x[1:] - x[:-1]) * 2, x, sweeps=1)
        assert report.kernels[0].vector_width > 1


def test_what_two_slices_share_counts_once():
    x = sample(40, 33)
    check(lambda x: x[5:20, 1:] * x[10:25, 1:], x, least=x[5:25, 1:].nbytes + x[5:20, 1:].nbytes, sweeps=1)


# ---- stencils ----------------------------------------------------------------------------
def laplacian_roll(f):
    return sum(np.roll(f, s, axis=a) for a in range(f.ndim) for s in (1, -1)) - 2 * f.ndim * f


def laplacian_slices(f):
    return f[2:, 1:-1] + f[:-2, 1:-1] + f[1:-1, 2:] + f[1:-1, :-2] - 4 * f[1:-1, 1:-1]


def laplacian_pad(f):
    p = np.pad(f, 1)
    return p[2:, 1:-1] + p[:-2, 1:-1] + p[1:-1, 2:] + p[1:-1, :-2] - 4 * f


@pytest.mark.parametrize(("axis", "dtype"), [(0, "f4"), (1, "f4"), (2, "f4"), (-1, "f8")])
def test_centred_difference_of_rolls(axis, dtype):
    x = sample(20, 18, 70, dtype=dtype)
    report = check(lambda f: (np.roll(f, -1, axis) - np.roll(f, 1, axis)) * 0.5, x, sweeps=1)
    assert report.kernels[0].vector_width >= 8


@pytest.mark.parametrize("shape", [(1000,), (40, 70), (20, 18, 70)], ids=str)
def test_laplacian_of_rolls(shape):
    report = check(laplacian_roll, sample(*shape), sweeps=1)
    assert report.kernels[0].vector_width >= 8


def test_laplacian_of_slices_and_pads():
    x = sample(40, 70)
    least = x.nbytes - 4 * 4 + x[1:-1, 1:-1].nbytes  # the corners are not read
    assert check(laplacian_slices, x, sweeps=1, least=least).kernels[0].vector_width >= 8
    assert check(laplacian_pad, x, sweeps=1).kernels[0].vector_width >= 8


def test_steps_of_a_stencil():
    """Two steps recompute a neighbour's value rather than store the array in between; it costs five additions."""
    f = sample(40, 70)
    least = f.nbytes - 4 * 4 + f[1:-1, 1:-1].nbytes
    check(lambda f: laplacian_slices(np.sqrt(np.abs(f)) * 0.1), f, sweeps=1, least=least)


def test_upwind_flux():
    """A finite-volume step: rolls of computed values, of an input and of a where."""

    def f(u, v):
        flux = np.where(v > 0, u, np.roll(u, -1, axis=1)) * v
        return u - 0.1 * (flux - np.roll(flux, 1, axis=1))

    check(f, sample(40, 70), sample(70, 40).T.copy(), sweeps=1)


def test_rolls_of_few_elements():
    for shape in ((1,), (2,), (3,), (17,), (1, 5), (2, 2), (18, 0)):
        values(laplacian_roll, sample(*shape))
        values(lambda x: np.roll(np.sin(x), 5) * 2, sample(*shape))


def test_rolls_of_strided():
    base = sample(80, 66)
    for x in (base[::2, ::-1], base.T, np.asfortranarray(base)):
        check(laplacian_roll, x, sweeps=1)


def test_slices_of_joins():
    """Each piece of a random walk's steps, and of what is computed from them, is computed once."""

    def f(x, y):
        steps = np.concatenate([x[:1], x[1:] - x[:-1]])
        rises = np.exp(steps[1:] * y[1:])
        slope = np.concatenate([steps[:1] * y[:1], rises])
        return np.concatenate([slope[:1] + np.sin(x[:1]), slope[1:] - np.cos(y[:-1])])

    report = check(f, sample(40), sample(40), sweeps=1)
    assert report.kernels[0].ops == ("sub", "mul", "exp", "sin", "mul_add", "cos", "sub", "select")
    values(f, sample(3), sample(3))


def test_what_becomes_of_the_pad_is_known():
    """Where only the pad is, nothing is computed: a number is written."""
    f, x = (lambda x: np.exp2(np.pad(np.cos(x), 3, constant_values=0.5)) - 1), sample(40, 50)
    check(f, x)
    text = lw.jit(f).lower(x).as_text("loops")
    assert "weld.exp2" in text and not re.search(r"weld\.exp2 %\w+ : f32", text)


def test_chain_of_joins():
    """Joins that begin and end elsewhere: a point has one way through them, and only that is computed."""

    def f(x, y):
        slope = np.exp(x * y)
        for _ in range(2):
            slope = np.concatenate([slope[:1] + x[:1], slope[1:] - x[1:]])
            slope = np.concatenate([slope[:-1] * y[1:], slope[-1:]])
        return slope

    report = check(f, sample(40), sample(40), sweeps=1)
    assert len(report.kernels[0].ops) < 40
    values(f, sample(3), sample(3))


@pytest.mark.parametrize("count", [60, 5])
def test_join_of_scalars_of_one_another(count):
    """Each is computed once, from the one before, though there is a way from each to all later elements of the join."""

    def f(x):
        chain = [x[0]]
        for k in range(24):
            chain.append(np.sin(chain[-1]) + x[k])
        return np.exp(np.stack(chain[1:])[np.arange(count) ** 2 * 7 % 24])

    x = sample(24)
    values(f, x)
    assert lw.jit(f).lower(x).as_text("fused").count("weld.sin") == 24
