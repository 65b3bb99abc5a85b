"""Cross entropy of labelled rows, and its gradient."""

import math

import numpy as np

from .registry import Array, Inputs, case, count, normal, prange
from .rows import softmax

f32 = np.float32
LOWEST = np.float32(-3e38)


def _labelled(columns: int) -> Inputs:
    def make(size: str, rng: np.random.Generator) -> list[Array]:
        n = max(count(size, "float32") // columns, 4)
        return [normal(rng, n, columns), rng.integers(0, columns, n)]

    return make


@case("cross_entropy", "cross entropy", _labelled(10_000), {"exp": 1, "flop": 3})
def cross_entropy(xp, logits, labels):
    m = xp.max(logits, axis=1, keepdims=True)
    total = xp.log(xp.sum(xp.exp(logits - m), axis=1)) + m[:, 0]
    return xp.mean(total - logits[xp.arange(labels.shape[0]), labels])


@cross_entropy.loops
def _(logits, labels, out, parts):
    loss = 0.0
    for r in prange(logits.shape[0]):
        m = LOWEST
        for j in range(logits.shape[1]):
            m = max(m, logits[r, j])
        total = f32(0)
        for j in range(logits.shape[1]):
            total += math.exp(logits[r, j] - m)
        loss += math.log(total) + m - logits[r, labels[r]]
    out[()] = loss / logits.shape[0]


@case("cross_entropy_grad", "cross entropy", _labelled(1000), {"exp": 1, "flop": 5}, tolerance=1e-3)
def cross_entropy_grad(xp, logits, labels):
    """The loss, and its gradient: the probabilities less one at the labels."""
    probabilities = softmax(xp, logits)
    rows = xp.arange(labels.shape[0])
    loss = -xp.mean(xp.log(probabilities[rows, labels]))
    probabilities[rows, labels] -= 1
    return loss, probabilities / labels.shape[0]


@cross_entropy_grad.instead("jax", "torch")
def _(xp, logits, labels):
    probabilities = softmax(xp, logits)
    loss = -xp.mean(xp.log(probabilities[xp.arange(labels.shape[0]), labels]))
    right = xp.arange(logits.shape[1])[None, :] == labels[:, None]
    return loss, xp.where(right, probabilities - 1, probabilities) / labels.shape[0]


@cross_entropy_grad.loops
def _(logits, labels, out, gradient, parts):
    n = f32(logits.shape[0])
    loss = 0.0
    for r in prange(logits.shape[0]):
        m = LOWEST
        for j in range(logits.shape[1]):
            m = max(m, logits[r, j])
        total = f32(0)
        for j in range(logits.shape[1]):
            e = math.exp(logits[r, j] - m)
            gradient[r, j] = e
            total += e
        factor = f32(1) / (total * n)
        for j in range(logits.shape[1]):
            gradient[r, j] *= factor
        gradient[r, labels[r]] -= f32(1) / n
        loss += math.log(total) + m - logits[r, labels[r]]
    out[()] = loss / n
