"""A hierarchical Bayesian regression: log density and gradient, as a sampler calls them thousands of times.

Grunfeld's data: how a firm's investment follows its market value (an intercept and a slope for each of 11 firms) and
its capital (one slope for all). Parameters are gathered by firm; the gradient scatters back by firm.
"""

import csv
from pathlib import Path

import numpy as np

import loopweld as lw


def log_density(intercept, slope, common, mean, log_spread, log_noise, value, capital, invest, firm):
    """Log posterior density up to a constant, and its gradient by the first six arguments.

    invest ~ normal(intercept[firm] + slope[firm] * value + common * capital, exp(log_noise))
    intercept ~ normal(mean[0], exp(log_spread[0])); slope ~ normal(mean[1], exp(log_spread[1])); the rest normal(0, 1)
    """
    residual = invest - intercept[firm] - slope[firm] * value - common * capital
    scaled = residual * np.exp(-2 * log_noise)
    squares = (scaled * residual).sum()
    spread = np.exp(log_spread)
    z = (np.stack([intercept, slope]) - mean[:, None]) / spread[:, None]
    groups = intercept.shape[0]
    density = -0.5 * squares - invest.shape[0] * log_noise - 0.5 * (z * z).sum() - groups * log_spread.sum()
    density -= 0.5 * ((mean * mean).sum() + (log_spread * log_spread).sum() + common * common + log_noise * log_noise)

    pull = z / spread[:, None]
    d_intercept, d_slope = -pull[0], -pull[1]
    np.add.at(d_intercept, firm, scaled)
    np.add.at(d_slope, firm, scaled * value)
    d_common, d_mean = (scaled * capital).sum() - common, pull.sum(axis=1) - mean
    d_log_spread, d_log_noise = (z * z).sum(axis=1) - groups - log_spread, squares - invest.shape[0] - log_noise
    return density, (d_intercept, d_slope, d_common, d_mean, d_log_spread, d_log_noise)


def firms():
    """Standardised logarithms of value, capital and investment, and each row's firm."""
    with open(Path(__file__).with_name("data") / "grunfeld.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    columns = np.log([[float(row[name]) for row in rows] for name in ("value", "capital", "invest")])
    value, capital, invest = (columns - columns.mean(axis=1, keepdims=True)) / columns.std(axis=1, keepdims=True)
    return value, capital, invest, np.unique([row["firm"] for row in rows], return_inverse=True)[1]


def main():
    data, fast = firms(), lw.jit(log_density)
    b = [np.zeros(11), np.zeros(11), 0.0, np.zeros(2), np.zeros(2), -1.0]
    for _ in range(2000):  # gradient ascent
        b = [x + 2e-4 * g for x, g in zip(b, fast(*b, *data)[1], strict=True)]
    density, expected = (f(*[*b, *data])[0] for f in (fast, log_density))
    print(f"mode: density {density:.4f}, mean slope {b[3][1]:.3f}, noise {np.exp(b[5]):.3f}; NumPy {expected:.4f}")
    assert abs(density - expected) < 1e-8


if __name__ == "__main__":
    main()
