"""Softmax, layer norm and GELU: the parts of a transformer block that are not matrix products.

NumPy makes a full-size temporary for every operation; compiled, each function is one kernel that reads its input
from memory once and writes its result once.
"""

import numpy as np

import loopweld as lw


def softmax(x):
    """Each row as a distribution."""
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def layernorm(x, gain, shift):
    """Each row with mean 0 and variance 1, then scaled and shifted by column."""
    centred = x - x.mean(axis=-1, keepdims=True)
    variance = (centred * centred).mean(axis=-1, keepdims=True)
    return centred / np.sqrt(variance + 1e-5) * gain + shift


def gelu(x):
    """Hendrycks and Gimpel's tanh form, as in GPT-2."""
    return 0.5 * x * (1 + np.tanh(0.7978845608 * (x + 0.044715 * x * x * x)))


def main():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((1024, 768), np.float32)
    gain, shift = rng.standard_normal((2, 768), np.float32)
    for function, arguments in (softmax, (x,)), (layernorm, (x, gain, shift)), (gelu, (x,)):
        fast = lw.jit(function)
        error = np.abs(fast(*arguments) - function(*arguments)).max()
        kernels = fast.explain(*arguments).kernels
        print(f"{function.__name__:9}  kernels {len(kernels)}  largest difference from NumPy {error:.1e}")
        assert error < 1e-5


if __name__ == "__main__":
    main()
