"""Pad, roll, concatenate, slices and reshapes around elementwise ops and reductions, at sizes of all kinds."""

import numpy as np
import pytest
from numerics.checking import agree, check, reference
from numerics.data import plain

import loopweld as lw

ONE_AXIS = {
    "pad, cos, exp2": lambda x: np.exp2(np.cos(np.pad(x, (1, 2)))),
    "log of padded zeros": lambda x: np.log(np.pad(np.exp(x), 2)),
    "max over padding": lambda x: (np.pad(-abs(x) - 1, 2).max(), np.pad(-abs(x) - 1, 2).argmax()),
    "pad with a value": lambda x: (
        np.pad(x, 3, constant_values=-5.0).min(),
        np.pad(x, (0, 5), constant_values=1).sum(),
    ),
    "one over padding": lambda x: 1 / np.pad(x, 2),
    "pad of pad": lambda x: np.pad(np.pad(x, 1, constant_values=1), 2, constant_values=2),
    "pads apart": lambda x: np.roll(np.pad(x, (1, 2)), 1) - np.pad(x, (2, 1)),
    "rolls": lambda x: (np.roll(x, 5), np.roll(np.exp(x), -7) + x, np.roll(x, 1).sum(), np.roll(x, 0)),
    "rolls around": lambda x: (np.roll(x, 40), np.roll(x, -1001)),
    "concatenate": lambda x: np.concatenate([x, np.exp(x), x[::-1], x[:0]]),
    "sum of joined": lambda x: (np.concatenate([x, x * 2]).sum(), np.concatenate([x, x * 2]).cumsum()),
    "shifted": lambda x: np.concatenate([x[1:], x[:1]]) - x,
    "differences": lambda x: (np.diff(x), x[1:] - x[:-1], (x[2:] + x[:-2]) / 2 - x[1:-1]),
    "slices": lambda x: (x[::2], x[1::3] + 1, x[::-2] * 2, x[-3:], x[5:2], x[100:], np.exp(x[::-1])[::2]),
    "stack": lambda x: (np.stack([x, x * x]), np.stack([x, x + 1], -1).sum(-1), np.stack([x, x * 2], 1).reshape(-1)),
    "tile and repeat": lambda x: (np.tile(x, 3), np.tile(x, (2, 2)), np.repeat(x, 3), np.repeat(x, 2).sum()),
    "flip": lambda x: (np.flip(x) * x).sum(),
    "joined, padded, cut": lambda x: np.pad(np.concatenate([x, x + 1]), 2)[1:-1] * 3,
    "halves": lambda x: (x[: x.shape[0] // 2], x[x.shape[0] // 2 :], np.array_split(x, 3)),
}


@pytest.mark.parametrize("name", ONE_AXIS)
def test_one_axis(name):
    """One compiled function for all lengths."""
    function = ONE_AXIS[name]
    compiled = lw.jit(function)
    for size in (1, 2, 3, 7, 16, 17, 33, 18, 64, 100, 1000, 0):
        x = plain("f4", size, seed=size)
        try:
            wanted = reference(function, x)
        except ValueError:
            continue
        agree(compiled(x), wanted, terms=2 * size + 2, scale=16, what=f"length {size}")


@pytest.mark.parametrize("mode", ["edge", "reflect", "wrap", "symmetric"])
def test_pad_modes(mode):
    """Two programs for all sizes over 16."""
    for widths in ((1, 1), (3, 0), (0, 5), (2, 7)):
        for f in (
            lambda x, w=widths: np.exp2(np.cos(np.pad(x, w, mode=mode))),
            lambda x, w=widths: (np.pad(x, w, mode=mode).max(), np.pad(x, w, mode=mode).sum()),
        ):
            compiled = lw.jit(f)
            for size in (8, 17, 33, 100):
                x = plain("f4", size)
                agree(compiled(x), reference(f, x), terms=size, scale=16, what=f"{size} {widths}")


ONE_OF_MANY = {
    "concatenate": lambda x, k: np.concatenate([x, x * 2, np.exp(x)], k),
    "reduced joined": lambda x, k: [np.concatenate([x, x * 2], k).sum(a) for a in range(x.ndim)],
    "max of joined": lambda x, k: [np.concatenate([x, x * 2], k).max(a, keepdims=True) for a in range(x.ndim)],
    "roll": lambda x, k: (np.roll(x, 2, k), np.roll(x, -1, k) + x, np.roll(x, 3, k).sum(k)),
    "stack": lambda x, k: (np.stack([x, x], k), np.stack([x, x + 1], k).mean(k)),
    "repeat": lambda x, k: np.repeat(x, 2, k),
    "flip": lambda x, k: np.flip(x, k) - x,
    "split": lambda x, k: np.array_split(x, 2, k),
    "scan": lambda x, k: (np.cumsum(x, k), np.cumprod(x, k), np.cumsum(x, k).max(k)),
    "difference": lambda x, k: np.diff(x, axis=k),
    "softmax of joined": lambda x, k: (lambda y: y / y.sum(k, keepdims=True))(np.exp(np.concatenate([x, x * 2], k))),
    "ends": lambda x, k: np.take(x, [0, -1], axis=k),
    "padded": lambda x, k: np.log(np.pad(np.exp(x), [(1, 2) if a == k else (0, 0) for a in range(x.ndim)])).max(k),
}


@pytest.mark.parametrize("name", ONE_OF_MANY)
def test_one_axis_of_many(name):
    for shape in [(3, 5), (17, 33), (1, 9), (20, 18), (19, 1, 20), (2, 17, 3, 5)]:
        x = plain("f4", shape)
        for axis in range(len(shape)):
            try:
                check(lambda x, axis=axis: ONE_OF_MANY[name](x, axis), x, ulps=32)
            except Exception as error:
                error.add_note(f"{shape} axis={axis}")
                raise


RESHAPES = [((4, 6), (8, 3)), ((4, 6), (3, 2, 4)), ((20, 18), (18, 20)), ((20, 18), (40, 9)), ((3, 4, 5), (5, 4, 3))]
RESHAPES += [((20, 18, 5), (10, 2, 90)), ((20, 18, 5), (36, 50)), ((3, 4, 5), (12, 5)), ((17, 34), (34, 17))]
RESHAPES += [
    ((6, 35), (2, 105)),
    ((30, 35), (7, 5, 30)),
    ((0, 5), (5, 0)),
    ((1, 24), (4, 1, 6)),
    ((2, 2, 2, 2), (4, 4)),
]


@pytest.mark.parametrize(("source", "shape"), RESHAPES, ids=str)
def test_reshapes_between_ops(source, shape):
    x = plain("f4", source)
    check(lambda x: (np.exp(x).reshape(shape) * 2, x.sum(0), x.reshape(shape).sum(0), x.reshape(shape).sum(-1)), x)
    check(lambda x: (x.T * 2).reshape(shape).sum(-1), x)
    check(lambda x: (x.reshape(-1) + 1, x.reshape(shape) * 2), np.asfortranarray(x))
    check(lambda x: np.concatenate([x, x], 0).reshape((2, *shape)).sum(0), x)
    check(lambda x: np.pad((x * 2).reshape(shape), 1).reshape(-1)[3:-2], x)
    if x.size:
        mean = lambda x: (x - x.mean(-1, keepdims=True)).reshape(shape) - x.reshape(shape).mean(0)  # noqa: E731
        check(lambda x: mean(x).reshape(x.shape) + x, x)


def test_broadcast_of_a_derived_size_that_is_one():
    check(lambda x: x[10::3] * x[10::3][2::2], np.arange(20.0))
    check(lambda x: x[16:] + x, np.arange(17.0))
