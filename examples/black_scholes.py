"""Black-Scholes prices and deltas of a million European calls: elementwise mathematics with several results.

Needs SciPy for `erf` on NumPy's side; compiled, it is inline vector code.
"""

import numpy as np
from scipy.special import erf

import loopweld as lw


def normal_cdf(x):
    return 0.5 * (1 + erf(x * 0.7071067811865476))


def call(spot, strike, years, rate, volatility):
    """Price and delta; Black and Scholes, "The Pricing of Options and Corporate Liabilities" (1973)."""
    deviation = volatility * np.sqrt(years)
    d1 = (np.log(spot / strike) + (rate + 0.5 * volatility * volatility) * years) / deviation
    delta = normal_cdf(d1)
    price = spot * delta - strike * np.exp(-rate * years) * normal_cdf(d1 - deviation)
    return price, delta


def options(n, rng):
    """`n` options: spot, strike, years, rate and volatility."""
    spot, strike = rng.uniform(50, 150, n), rng.uniform(50, 150, n)
    return spot, strike, rng.uniform(0.1, 2, n), 0.03, rng.uniform(0.1, 0.5, n)


def main():
    arguments = options(1_000_000, np.random.default_rng(0))
    fast = lw.jit(call)
    price, delta = fast(*arguments)
    expected = call(*arguments)
    error = max(np.abs(price - expected[0]).max(), np.abs(delta - expected[1]).max())
    report = fast.explain(*arguments)
    print(f"mean price {price.mean():.4f}  kernels {len(report.kernels)}  largest difference from NumPy {error:.1e}")
    assert error < 1e-10


if __name__ == "__main__":
    main()
