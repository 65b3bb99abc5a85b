"""K-means on the colours of a photograph: pairwise distances, an argmin, and sums scattered by cluster.

NumPy makes a temporary of every pixel's difference from every centre; compiled, the distances never reach memory.
"""

from pathlib import Path

import numpy as np

import loopweld as lw


def step(points, centres):
    """Move each centre to the mean of the points nearest to it; also the mean squared distance before the move."""
    difference = points[:, None, :] - centres[None, :, :]
    squares = (difference * difference).sum(axis=-1)
    nearest = squares.argmin(axis=1)
    sums, counts = np.zeros_like(centres), np.zeros_like(centres[:, 0])
    np.add.at(sums, nearest, points)
    np.add.at(counts, nearest, np.float32(1))
    return sums / np.maximum(counts, 1)[:, None], squares.min(axis=1).mean()


def pixels():
    """The cat's pixels: float32 of shape (60000, 3)."""
    image = np.load(Path(__file__).with_name("data") / "cat.npy")
    return image.reshape(-1, 3) / np.float32(255)


def main():
    points = pixels()
    start = points[np.random.default_rng(0).choice(len(points), 16, replace=False)]
    fast = lw.jit(step)
    centres, expected, distance = start, start, np.inf
    for _ in range(8):
        centres, distance = fast(points, centres)
        expected, _ = step(points, expected)
    error = np.abs(centres - expected).max()
    print(f"16 colours, root mean square distance {np.sqrt(distance):.4f}  largest difference from NumPy {error:.1e}")
    assert error < 1e-3


if __name__ == "__main__":
    main()
