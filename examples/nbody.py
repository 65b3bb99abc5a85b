"""N bodies under gravity: every pair's distance and force, summed by row, in steps that conserve energy.

NumPy writes a dozen n x n temporaries a step; compiled, one kernel computes the pairs and keeps only the sums.
"""

import numpy as np

import loopweld as lw

SOFTENING = 1e-2


def acceleration(x, y, z, mass):
    """Of each body, by all others; gravity's constant is 1."""
    dx, dy, dz = (a[None, :] - a[:, None] for a in (x, y, z))
    squared = dx * dx + dy * dy + dz * dz + SOFTENING
    pull = mass / (squared * np.sqrt(squared))
    return (dx * pull).sum(axis=1), (dy * pull).sum(axis=1), (dz * pull).sum(axis=1)


def energy(position, velocity, mass):
    """Kinetic energy and the potential of all pairs."""
    squared = sum((a[None, :] - a[:, None]) ** 2 for a in position) + SOFTENING
    pairs = mass[None, :] * mass[:, None] / np.sqrt(squared)
    return 0.5 * (mass * sum(v * v for v in velocity)).sum() - 0.5 * (pairs.sum() - np.diagonal(pairs).sum())


def simulate(pulls, position, velocity, mass, steps, dt=1e-3):
    """Leapfrog: half a kick, a drift, half a kick."""
    pull = pulls(*position, mass)
    for _ in range(steps):
        velocity = [v + 0.5 * dt * a for v, a in zip(velocity, pull, strict=True)]
        position = [p + dt * v for p, v in zip(position, velocity, strict=True)]
        pull = pulls(*position, mass)
        velocity = [v + 0.5 * dt * a for v, a in zip(velocity, pull, strict=True)]
    return position, velocity


def main():
    rng = np.random.default_rng(0)
    position, velocity = list(rng.normal(size=(3, 500))), list(0.3 * rng.normal(size=(3, 500)))
    mass = np.full(500, 1 / 500)
    before = energy(position, velocity, mass)
    after = energy(*simulate(lw.jit(acceleration), position, velocity, mass, 100), mass)
    expected = energy(*simulate(acceleration, position, velocity, mass, 100), mass)
    print(f"energy {before:.6f} before, {after:.6f} after 100 steps; NumPy {expected:.6f}")
    assert abs(after - expected) < 1e-9


if __name__ == "__main__":
    main()
