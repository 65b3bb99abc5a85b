"""Programs that fusion should make faster, or at least not slower: each for about as many elements as it is told."""

from collections.abc import Callable, Iterator
from math import isqrt
from typing import Any

import numpy as np

Make = Callable[[int], tuple[Callable[..., Any], tuple[Any, ...]]]
"""A function and its arguments, the largest of which has about so many elements."""

GRAPHS: dict[str, Make] = {}

RNG = np.random.default_rng(0)


def graph(name: str) -> Callable[[Make], Make]:
    def add(make: Make) -> Make:
        GRAPHS[name] = make
        return make

    return add


def normal(*shape: int, dtype: Any = np.float32, order: Any = "C") -> Any:
    return np.asarray(RNG.standard_normal(shape, np.float32).astype(dtype), order=order)


def square(n: int, **how: Any) -> Any:
    return normal(isqrt(n), isqrt(n), **how)


def rows(n: int, width: int, **how: Any) -> Any:
    return normal(max(n // width, 1), width, **how)


# ---- elementwise -------------------------------------------------------------------
@graph("chain")
def _(n):
    return lambda x, y: np.sqrt(np.abs(x * 2 + y)) - x, (normal(n), normal(n))


@graph("multi-use")
def _(n):
    def f(x, y):
        a = np.exp(x) + y
        b = np.tanh(a)
        return a * b, a - b, (a + b) * x

    return f, (normal(n), normal(n))


@graph("float64 special")
def _(n):
    def f(s, k, t):
        d = np.log(s / k) / np.sqrt(t) + 0.5 * np.sqrt(t)
        return s / (1 + np.exp(-d)) - k / (1 + np.exp(np.sqrt(t) - d))

    return f, tuple(np.abs(normal(n, dtype=np.float64)) + 0.5 for _ in range(3))


@graph("many streams")
def _(n):
    return lambda *xs: sum(x * x for x in xs), tuple(normal(n // 8) for _ in range(20))


@graph("many outputs")
def _(n):
    return lambda x, y: tuple(x * k + y for k in range(1, 13)), (normal(n // 4), normal(n // 4))


@graph("float16 gelu")
def _(n):
    return lambda x: x * (1 + np.tanh(0.8 * (x + 0.045 * x * x * x))) / 2, (normal(n, dtype=np.float16),)


# ---- rows --------------------------------------------------------------------------
def softmax(x, axis):
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def layernorm(x, w, b):
    c = x - x.mean(axis=-1, keepdims=True)
    return c / np.sqrt((c * c).mean(axis=-1, keepdims=True) + 1e-5) * w + b


def layernorm_backward(x, dy, w):
    n = x.shape[1]
    c = x - x.mean(axis=1, keepdims=True)
    rstd = 1 / np.sqrt((c * c).mean(axis=1, keepdims=True) + 1e-5)
    h, g = c * rstd, dy * w
    dx = rstd * (g - g.sum(axis=1, keepdims=True) / n - h * (g * h).sum(axis=1, keepdims=True) / n)
    return dx, (dy * h).sum(axis=0), dy.sum(axis=0)


def rmsnorm(x, w):
    return x / np.sqrt((x * x).mean(axis=1, keepdims=True) + 1e-6) * w


def rmsnorm_backward(x, dy, w):
    n = x.shape[1]
    r = 1 / np.sqrt((x * x).mean(axis=1, keepdims=True) + 1e-6)
    g = dy * w
    return r * g - x * r**3 * (g * x).sum(axis=1, keepdims=True) / n, (dy * x * r).sum(axis=0)


def _add_rows() -> None:
    for width in (3, 5, 16, 40, 64, 768, 1 << 15, 1 << 19):
        GRAPHS[f"softmax rows of {width}"] = lambda n, width=width: (lambda x: softmax(x, 1), (rows(n, width),))
    GRAPHS["softmax of columns"] = lambda n: (lambda x: softmax(x, 0), (square(n),))
    GRAPHS["softmax of one row"] = lambda n: (lambda x: softmax(x, 0), (normal(n),))
    for width in (5, 64, 768):
        GRAPHS[f"layernorm rows of {width}"] = lambda n, width=width: (
            layernorm,
            (rows(n, width), *normal(2, width)),
        )
    GRAPHS["layernorm in a reshape"] = lambda n: (
        lambda x: layernorm(x.reshape(-1, 5), np.float32(1), np.float32(0)).reshape(x.shape),
        (rows(n // 60 * 60, 60),),
    )
    for width in (64, 1024):
        GRAPHS[f"layernorm backward of {width}"] = lambda n, width=width: (
            layernorm_backward,
            (rows(n, width), rows(n, width), normal(width)),
        )
    GRAPHS["rmsnorm"] = lambda n: (rmsnorm, (rows(n, 1024), normal(1024)))
    GRAPHS["rmsnorm backward"] = lambda n: (rmsnorm_backward, (rows(n, 1024), rows(n, 1024), normal(1024)))


_add_rows()


@graph("logsumexp")
def _(n):
    def f(x):
        m = x.max(axis=1)
        return m + np.log(np.exp(x - m[:, None]).sum(axis=1))

    return f, (rows(n, 300),)


@graph("cross entropy")
def _(n):
    def f(x, labels):
        shifted = x - x.max(axis=1, keepdims=True)
        total = np.log(np.exp(shifted).sum(axis=1))
        return (total - shifted[np.arange(x.shape[0]), labels]).mean()

    x = rows(n, 1000)
    return f, (x, RNG.integers(0, 1000, x.shape[0]))


# ---- statistics --------------------------------------------------------------------
@graph("statistics")
def _(n):
    return lambda x: (np.abs(x).max(), np.abs(x).mean(), (x * x).mean(), x.var(), x.argmax()), (normal(n),)


@graph("row and column sums")
def _(n):
    return lambda x: (x.sum(axis=0), x.sum(axis=1), x.max()), (square(n),)


@graph("batchnorm")
def _(n):
    return lambda x, w: (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + 1e-5) * w, (rows(n, 256), normal(256))


@graph("value and its sums")
def _(n):
    def f(x, y):
        v = np.tanh(x) * y
        return v, v.sum(axis=0), (v * v).sum(axis=1)

    return f, (square(n), square(n))


@graph("mixture")
def _(n):
    def f(x, mean, scale, weight):
        z = (x[:, None] - mean) / scale
        p = np.log(weight) - np.log(scale) - 0.5 * z * z
        m = p.max(axis=1)
        return (m + np.log(np.exp(p - m[:, None]).sum(axis=1))).sum()

    return f, (normal(n // 8), normal(8), np.abs(normal(8)) + 0.1, np.full(8, 0.125, np.float32))


@graph("kernel matrix and vector")
def _(n):
    return lambda x, y, v: (np.exp(-((x[:, None] - y) ** 2)) * v).sum(axis=1), tuple(normal(isqrt(n)) for _ in range(3))


# ---- stencils and views ------------------------------------------------------------
@graph("roll stencil")
def _(n):
    return lambda u: (sum(np.roll(u, s, a) for s in (1, -1) for a in (0, 1)) - 4 * u) * 0.2 + u, (square(n),)


@graph("expensive stencil")
def _(n):
    def f(u):
        v = np.exp(-u * u)
        return v[2:, 1:-1] + v[:-2, 1:-1] + v[1:-1, 2:] + v[1:-1, :-2] - 4 * v[1:-1, 1:-1]

    return f, (square(n),)


@graph("two stencils")
def _(n):
    def step(u):
        return u[1:-1, 1:-1] + 0.1 * (u[2:, 1:-1] + u[:-2, 1:-1] + u[1:-1, 2:] + u[1:-1, :-2] - 4 * u[1:-1, 1:-1])

    return lambda u: step(step(u)), (square(n),)


@graph("pad")
def _(n):
    return lambda x: np.exp2(np.pad(np.cos(x), 3)) - 1, (square(n),)


@graph("concat")
def _(n):
    return lambda x, y: np.tanh(np.concatenate([x * 2, y + 1], axis=1)).sum(axis=1), (square(n // 2), square(n // 2))


@graph("concat and layernorm")
def _(n):
    return lambda x, y: layernorm(np.concatenate([x, y], axis=1), np.float32(2), 0), (rows(n, 256), rows(n // 2, 128))


@graph("rope")
def _(n):
    def f(x, angle):
        half = x.shape[1] // 2
        rotated = np.concatenate([-x[:, half:], x[:, :half]], axis=1)
        return x * np.cos(angle) + rotated * np.sin(angle)

    return f, (rows(n, 128), rows(n, 128))


@graph("rope interleaved")
def _(n):
    def f(x, cos, sin):
        a, b = x[:, 0::2], x[:, 1::2]
        return np.stack([a * cos - b * sin, b * cos + a * sin], axis=-1).reshape(x.shape)

    return f, (rows(n, 128), rows(n // 2, 64), rows(n // 2, 64))


@graph("expensive producer, broadcast")
def _(n):
    return lambda x, y: y * np.exp(np.sin(x)), (normal(isqrt(n)), square(n))


@graph("expensive column, broadcast")
def _(n):
    return lambda x, y: np.tanh(y * np.log1p(np.exp(x))[:, None]), (normal(isqrt(n)), square(n))


@graph("reverse and slice")
def _(n):
    return lambda x: x[::-1] * 2 + x - x[:, ::-1], (square(n),)


# ---- orders of memory --------------------------------------------------------------
@graph("C + F")
def _(n):
    return lambda x, y: np.abs(x * 2 + y) - 1, (square(n), square(n, order="F"))


@graph("C + F, reduced")
def _(n):
    return lambda x, y: (x * y).sum(axis=1), (square(n), square(n, order="F"))


@graph("x + x.T")
def _(n):
    return lambda x: (x + x.T) / 2, (square(n),)


@graph("transposed and reduced")
def _(n):
    return lambda x: np.exp(x.T).sum(axis=1) + x.T.max(axis=0), (square(n),)


@graph("transposed, flattened")
def _(n):
    return lambda x: np.tanh(x.T).reshape(-1) * 2, (square(n),)


@graph("flatten of a transposed input")
def _(n):
    return lambda x: x.T.reshape(-1) * 2 + 1, (square(n),)


@graph("transpose written")
def _(n):
    return lambda x: ((x.T * 2 + 1).reshape(-1), x.sum(axis=0)), (square(n),)


# ---- gathers and scatters ----------------------------------------------------------
@graph("gather")
def _(n):
    table = normal(1000)
    return lambda t, i, x: (t[i] * x).sum() + np.exp(t[i]).mean(), (table, RNG.integers(0, 1000, n), normal(n))


@graph("gather rows")
def _(n):
    return lambda t, i: (t[i] * 2).sum(axis=1), (normal(1000, 64), RNG.integers(0, 1000, n // 64))


@graph("hierarchical")
def _(n):
    def f(alpha, beta, x, y, group):
        residual = y - alpha[group] - beta[group] * x
        d_alpha, d_beta = np.zeros_like(alpha), np.zeros_like(beta)
        np.add.at(d_alpha, group, residual)
        np.add.at(d_beta, group, residual * x)
        return -0.5 * (residual * residual).sum(), d_alpha, d_beta

    n = n // 2
    parameters = (normal(500, dtype=np.float64), normal(500, dtype=np.float64))
    data = (normal(n, dtype=np.float64), normal(n, dtype=np.float64), RNG.integers(0, 500, n))
    return f, (*parameters, *data)


@graph("scatter and use")
def _(n):
    def f(x, i):
        v = np.exp(x)
        y = np.zeros(1000, np.float32, like=x)
        np.add.at(y, i, v)
        return y, v * 2, v.max()

    return f, (normal(n), RNG.integers(0, 1000, n))


def graphs(only: list[str] | None = None) -> Iterator[tuple[str, Make]]:
    """The graphs, or those whose names contain one of these words."""
    return ((n, make) for n, make in GRAPHS.items() if not only or any(word in n for word in only))
