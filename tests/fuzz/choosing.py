"""What a writer of random programs chooses by."""

from __future__ import annotations

from typing import Any


class Choosing:
    """Draws from `rng`, options or values so far: those have a `name`, the `array` of the example, and `exact`, whether
    rounding cannot change it."""

    rng: Any
    values: list[Any]

    def pick(self, options: Any) -> Any:
        return options[int(self.rng.integers(len(options)))]

    def number(self, low: int, high: int) -> int:
        """An integer from low to high, both included."""
        return int(self.rng.integers(low, high + 1))

    def one(self, kind: str = "f", rank: int = 0, exact: bool = False) -> Any:
        """A value of one of the kinds, with at least this rank; later ones more often. None where there is none."""
        found = [
            v for v in self.values if v.array.dtype.kind in kind and v.array.ndim >= rank and (v.exact or not exact)
        ]
        return found[-1 - min(int(self.rng.exponential(3)), len(found) - 1)] if found else None
