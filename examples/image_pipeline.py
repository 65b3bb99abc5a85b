"""An image pipeline on a photograph: linear light, white balance, sharpening, contrast, edges, a tone curve.

Elementwise operations, means by channel and over the picture, a stencil through padding and shifted slices.
"""

from pathlib import Path

import numpy as np

import loopweld as lw

LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)
"""Of linear sRGB (ITU-R BT.709)."""


def blur(x):
    """The mean of each pixel's 3 x 3 neighbourhood; the border repeats."""
    p = np.pad(x, 1, mode="edge")
    rows = p[:-2] + p[1:-1] + p[2:]
    return (rows[:, :-2] + rows[:, 1:-1] + rows[:, 2:]) * np.float32(1 / 9)


def develop(image):
    """Toned luminance and edge strength of an sRGB picture of shape (height, width, 3), uint8."""
    linear = (image / np.float32(255)) ** np.float32(2.2)
    channels = linear.mean(axis=(0, 1))
    balanced = linear * (channels.mean() / channels)  # the "grey world" white balance
    light = (balanced * LUMINANCE).sum(axis=-1)
    sharp = light + np.float32(0.8) * (light - blur(light))
    contrast = (sharp - sharp.mean()) / sharp.std()
    dx = contrast[1:-1, 2:] - contrast[1:-1, :-2]
    dy = contrast[2:, 1:-1] - contrast[:-2, 1:-1]
    return 1 / (1 + np.exp(-contrast)), np.sqrt(dx * dx + dy * dy)


def picture():
    """Chelsea the cat: uint8 of shape (200, 300, 3)."""
    return np.load(Path(__file__).with_name("data") / "cat.npy")


def main():
    image = picture()
    fast = lw.jit(develop)
    toned, edges = fast(image)
    expected = develop(image)
    error = max(np.abs(toned - expected[0]).max(), np.abs(edges - expected[1]).max())
    report = fast.explain(image)
    print(f"mean tone {toned.mean():.4f}  kernels {len(report.kernels)}  largest difference from NumPy {error:.1e}")
    assert error < 1e-3


if __name__ == "__main__":
    main()
