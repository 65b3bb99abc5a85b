"""Gathers and scatters by indices that are data, from and to a table in cache and one of 8 MB."""

import math
from typing import Any

import numpy as np

from .registry import Array, Inputs, case, count, normal, prange

f32 = np.float32


def _table(entries: int) -> Inputs:
    """Weights between 0.5 and 1.5, an index for each number, numbers; float64."""

    def make(size: str, rng: np.random.Generator) -> list[Array]:
        n = count(size, "float64")
        return [rng.random(entries) + 0.5, rng.integers(0, entries, n), normal(rng, n, dtype="float64")]

    return make


def _read(table: Any, index: Any, y: Any) -> int:
    """Of a table that is larger than what is gathered, only that."""
    return index.nbytes + y.nbytes + min(table.nbytes, y.nbytes)


def _length(table: Any, index: Any, *_: Any) -> int:
    return index.size


def gather(xp: Any, table: Any, index: Any, y: Any) -> Any:
    return xp.sum(xp.log(table[index]) * y)


def scatter(xp: Any, table: Any, index: Any, y: Any) -> Any:
    return xp.bincount(index, weights=y / table[index], minlength=table.shape[0])


def _gather_jax(xp: Any, table: Any, index: Any, y: Any) -> Any:
    return xp.sum(xp.log(table.at[index].get(mode="promise_in_bounds")) * y)


def _scatter_jax(xp: Any, table: Any, index: Any, y: Any) -> Any:
    values = y / table.at[index].get(mode="promise_in_bounds")
    return xp.zeros_like(table).at[index].add(values, mode="promise_in_bounds")


def _scatter_torch(xp: Any, table: Any, index: Any, y: Any) -> Any:
    return xp.zeros_like(table).index_add(0, index, y / table[index])


def _gather_loops(table, index, y, out, parts):
    total = 0.0
    for i in prange(index.size):
        total += math.log(table[index[i]]) * y[i]
    out[()] = total


def _scatter_loops(table, index, y, out, parts):
    if parts == 1:
        out[:] = 0
        for i in range(index.size):
            out[index[i]] += y[i] / table[index[i]]
        return
    sums = np.zeros((parts, table.size))
    step = (index.size + parts - 1) // parts
    for part in prange(parts):
        for i in range(part * step, min((part + 1) * step, index.size)):
            sums[part, index[i]] += y[i] / table[index[i]]
    for j in prange(table.size):
        total = 0.0
        for part in range(parts):
            total += sums[part, j]
        out[j] = total


for name, entries in (("small", 1000), ("large", 1_000_000)):
    how = {"dtype": "float64", "work": _length, "read": _read, "tolerance": 1e-8}
    made = case(f"gather_{name}", "gather, scatter", _table(entries), {"log": 1, "gather": 1, "flop": 2}, **how)(gather)
    made.loops(_gather_loops)
    made.instead("jax")(_gather_jax)
    made.instead("pytensor")(gather)
    counted = {"div": 1, "gather": 1, "update": 1}
    made = case(f"scatter_{name}", "gather, scatter", _table(entries), counted, **how)(scatter)
    made.loops(_scatter_loops)
    made.instead("jax")(_scatter_jax)
    made.instead("torch")(_scatter_torch)
    made.instead("pytensor")(scatter)
