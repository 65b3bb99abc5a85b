"""An MLIR file that upstream tools read (linalg on tensors), compiled and called with NumPy arrays."""

from pathlib import Path

import numpy as np

import loopweld as lw

FILE = Path(__file__).with_name("linalg_softmax.mlir")


def main():
    softmax = lw.compile(FILE)
    x = np.random.default_rng(0).standard_normal((300, 500), np.float32)
    e = np.exp(x.astype(np.float64) - x.max(axis=1, keepdims=True))
    error = np.abs(softmax(x) - e / e.sum(axis=1, keepdims=True)).max()
    print(f"{FILE.name}: kernels {len(softmax.report.kernels)}  largest error {error:.1e}")
    assert error < 1e-6


if __name__ == "__main__":
    main()
