"""Functions that move, join, split, pad and create arrays."""

import numpy as np
import pytest
from frontend.checking import check, ops

RNG = np.random.default_rng(0)
X = RNG.standard_normal((20, 30))
Y = RNG.standard_normal(30)
S = RNG.standard_normal((18, 18))


def test_reshape_and_transpose():
    def f(x):
        return (
            (x.reshape(-1), x.reshape(2, -1), x.reshape((-1, 5)), x.T, x.transpose(1, 0), x.ravel(), x.flatten()),
            (x.swapaxes(0, 1), x[None].squeeze(), np.expand_dims(x, (0, 2)), np.moveaxis(x, 0, 1), np.atleast_3d(x)),
            (np.rot90(x), np.rot90(x, 3), np.flip(x), np.fliplr(x), np.flipud(x), x.reshape(-1, order="F"), x.mT),
        )

    check(f, X)
    check(lambda x: x.reshape(x.shape[0], 2, -1), X, others=[(X[:17],), (np.ones((21, 30)),)])


def test_broadcast():
    check(lambda x, y: (np.broadcast_to(y, x.shape), np.broadcast_arrays(x, y), np.broadcast_to(y, (4, 30))), X, Y)


def test_join():
    def f(x, y):
        return (
            (np.concatenate([x, x * 2]), np.concatenate([x, x], 1), np.stack([x, x]), np.stack([y, y * 2], 1)),
            (np.vstack([x, y]), np.hstack([y, y]), np.column_stack([y, y]), np.dstack([x, x]), np.append(y, 3.0)),
            (np.concatenate([x, x], None), np.stack([y.sum(), y.max()]), np.concatenate([y, np.arange(3)])),
        )

    check(f, X, Y)


def test_split_tile_repeat_roll():
    check(lambda x: (np.split(x, 2), np.array_split(x, 3, 1), np.split(x, [3, 7]), np.hsplit(x, 3)), X)
    check(lambda y: (np.tile(y, 3), np.tile(y, (2, 2)), np.repeat(y, 2), np.repeat(y[:4], [1, 0, 2, 3])), Y)
    check(lambda x: (np.repeat(x, 3, axis=1), np.tile(x, (2, 1)), np.roll(x, 3), np.roll(x, -2, 1)), X)
    check(lambda x: np.roll(x, (1, 2), (0, 1)), X)


@pytest.mark.parametrize("mode", ["constant", "edge", "wrap", "reflect", "symmetric"])
@pytest.mark.parametrize("width", [2, (1, 2), ((1, 2), (3, 0))])
def test_pad(mode, width):
    check(lambda x: np.pad(x, width, mode=mode), X)


@pytest.mark.parametrize("mode", ["edge", "wrap", "reflect", "symmetric"])
@pytest.mark.parametrize("size", [1, 2, 3, 5, 18])
def test_pads_wider_than_the_array(mode, size):
    """As many copies as there is room for, every other one mirrored."""

    def f(x):
        return [
            np.pad(x, width, mode=mode) for width in (size, 2 * size - 1, (0, 5 * size + 1), (4 * size + 2, 3 * size))
        ]

    check(f, X[0, :size])
    check(lambda x: np.pad(x, ((7, 9), (2 * size, 0)), mode=mode), X[:4, :size])


@pytest.mark.parametrize("mode", ["edge", "wrap", "reflect", "symmetric"])
def test_nothing_pads_with_nothing(mode):
    with pytest.raises(ValueError, match="can't extend empty axis 0"):
        check(lambda x: np.pad(x, 2, mode=mode), X[0, :0])


def test_pad_values():
    check(lambda x: (np.pad(x, 1, constant_values=7), np.pad(x, 1, constant_values=((1, 2), (3, 4)))), X)


def test_triangles_and_diagonals():
    def f(s):
        return (
            (np.tril(s), np.triu(s, 1), np.diag(s), np.diag(s, 2), np.diagonal(s, -1), np.trace(s)),
            (np.diag(s[0]), np.diag(s[0], -1)),
        )

    check(f, S)


def test_meshgrid():
    check(lambda y: tuple(np.meshgrid(y, y[:3])), Y)
    check(lambda y: tuple(np.meshgrid(y, y[:3], indexing="ij", sparse=True)), Y)


def test_creation_like():
    check(lambda x: (np.zeros_like(x), np.ones_like(x, dtype=int), np.full_like(x, 7), np.zeros_like(x, shape=(3,))), X)


def test_creation_with_like_keeps_sizes_open():
    def f(x):
        like = None if isinstance(x, np.ndarray) else x
        return (
            np.zeros_like(x, shape=(x.shape[0],)),
            np.ones(x.shape[0], like=like) * 1,
            np.arange(x.shape[1], like=like) * 1,
            np.arange(2, x.shape[0], 3, like=like) * 1,
            np.eye(x.shape[0], like=like) + 0,
            np.full((3, x.shape[0]), 2.0, like=like) + 0,
        )

    assert check(f, X, others=[(np.ones((23, 17)),)]).pinned == frozenset()


def test_results_that_are_not_traced():
    data = np.arange(4.0)
    check(lambda x: (data, 3, None, "a", x, x.shape), X)


def test_no_op_for_what_changes_nothing():
    assert ops(check(lambda x: (x[:], x[...], x.reshape(x.shape), np.broadcast_to(x, x.shape)), X)) == []
