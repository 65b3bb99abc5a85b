"""Products of matrices with what surrounds them: bias, activation, softmax."""

import math

import numpy as np

from .registry import Array, Inputs, case, normal, prange
from .rows import softmax

f32 = np.float32
LOWEST = np.float32(-3e38)


def _dense(size: str, rng: np.random.Generator) -> list[Array]:
    n, inner, outer = {"S": (4, 256, 256), "M": (512, 256, 1024), "L": (4096, 512, 2048)}[size]
    return [normal(rng, n, inner), normal(rng, inner, outer) * f32(inner**-0.5), normal(rng, outer)]


@case(
    "dense_gelu",
    "products",
    _dense,
    {"product": lambda x, w, b: 2 * x.shape[0] * w.size, "tanh": 1, "flop": 9},
    work=lambda x, w, b: x.shape[0] * w.shape[1],
    tolerance=1e-3,
)
def dense_gelu(xp, x, w, b):
    h = xp.matmul(x, w) + b
    return 0.5 * h * (1 + xp.tanh(0.7978845608028654 * (h + 0.044715 * (h * h * h))))


@dense_gelu.loops
def _(x, w, b, out, parts):
    np.dot(x, w, out)
    for r in prange(out.shape[0]):
        for j in range(out.shape[1]):
            v = out[r, j] + b[j]
            inner = f32(0.7978845608028654) * (v + f32(0.044715) * (v * v * v))
            out[r, j] = f32(0.5) * v * (f32(1) + math.tanh(inner))


def _attention_inputs() -> Inputs:
    def make(size: str, rng: np.random.Generator) -> list[Array]:
        n = {"S": 64, "M": 512, "L": 2048}[size]
        return [normal(rng, n, 64) for _ in range(3)]

    return make


@case(
    "attention",
    "products",
    _attention_inputs(),
    {"product": lambda q, k, v: 4 * q.shape[0] ** 2 * 64, "exp": 1, "flop": 4},
    work=lambda q, k, v: q.shape[0] ** 2,
    tolerance=1e-3,
)
def attention(xp, q, k, v):
    return xp.matmul(softmax(xp, xp.matmul(q, k.T) * 0.125), v)


@attention.instead("torch")
def _(xp, q, k, v):
    return xp.nn.functional.scaled_dot_product_attention(q[None], k[None], v[None])[0]


@attention.loops
def _(q, k, v, out, parts):
    s = np.dot(q, k.T)
    for r in prange(s.shape[0]):
        m = LOWEST
        for j in range(s.shape[1]):
            m = max(m, s[r, j])
        total = f32(0)
        for j in range(s.shape[1]):
            e = math.exp((s[r, j] - m) * f32(0.125))
            s[r, j] = e
            total += e
        factor = f32(1) / total
        for j in range(s.shape[1]):
            s[r, j] *= factor
    np.dot(s, v, out)
