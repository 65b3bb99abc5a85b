"""Arrays for the numeric tests: every dtype with its special values, and the memory layouts an array can have."""

from __future__ import annotations

from typing import Any

import numpy as np

DTYPES = ("?", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8")
FLOATS = ("f2", "f4", "f8")
SIZES = (0, 1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 33, 63, 64, 65, 127, 129, 1000, 4097)


def specials(dtype: Any) -> Any:
    """The values of a dtype that ops treat specially."""
    dtype = np.dtype(dtype)
    if dtype.kind == "b":
        return np.array([False, True])
    if dtype.kind in "iu":
        limits = np.iinfo(dtype)
        values = [0, 1, 2, limits.min, limits.max, limits.max - 1]
        return np.array(values + ([-1, limits.min + 1] if dtype.kind == "i" else []), dtype)
    facts = np.finfo(dtype)
    tiny, least = facts.tiny, facts.smallest_subnormal
    values = [
        0,
        -0.0,
        1,
        -1,
        np.nan,
        np.inf,
        -np.inf,
        facts.max,
        facts.min,
        tiny,
        least,
        -least * 3,
        0.5,
        -0.5,
        1.5,
        2.5,
    ]
    return np.array([*values, facts.eps, 1 + facts.eps], dtype)


def values(dtype: Any, size: int, seed: int = 0) -> Any:
    """Numbers of all magnitudes, special ones among them."""
    dtype = np.dtype(dtype)
    rng = np.random.default_rng([size, seed])
    if dtype.kind == "b":
        return rng.integers(0, 2, size).astype(bool)
    if dtype.kind in "iu":
        limits = np.iinfo(dtype)
        large = rng.integers(limits.min, limits.max, size, dtype=dtype, endpoint=True)
        small = rng.integers(max(-5, limits.min), 9, size).astype(dtype)
        array = np.where(rng.random(size) < 0.5, large, small).astype(dtype)
    else:
        array = (rng.standard_normal(size) * np.exp(rng.normal(size=size) * 1.5)).astype(dtype)
    if size >= 7:
        special = specials(dtype)
        places = rng.permutation(size)[: len(special)]
        array[places] = special[: len(places)]
    return array


def plain(dtype: Any, shape: Any, seed: int = 0) -> Any:
    """Small numbers, without special values."""
    dtype = np.dtype(dtype)
    rng = np.random.default_rng([seed, 1])
    if dtype.kind == "b":
        return rng.integers(0, 2, shape).astype(bool)
    if dtype.kind in "iu":
        return rng.integers(0 if dtype.kind == "u" else -9, 9, shape).astype(dtype)
    return rng.standard_normal(shape).astype(dtype)


def layouts(dtype: Any, seed: int = 0) -> dict[str, Any]:
    """Arrays of one dtype in many memory layouts."""
    flat = plain(dtype, 400, seed)
    matrix, cube = flat[:315].reshape(35, 9), flat[:315].reshape(7, 5, 9)
    found = {
        "strided": flat[::3],
        "reversed": flat[::-1],
        "reversed by two": flat[5::-2],
        "transposed": matrix.T,
        "fortran": np.asfortranarray(matrix),
        "one value": np.broadcast_to(flat[:1], (37,)),
        "one row": np.broadcast_to(matrix[0], (35, 9)),
        "one column": np.broadcast_to(matrix[:, :1], (35, 9)),
        "block": matrix[3:, 2:7],
        "reversed twice": matrix[::-1, ::-1],
        "column": matrix[:, 3],
        "permuted": cube.transpose(2, 0, 1),
        "permuted and reversed": cube[::-1].transpose(1, 2, 0)[:, ::2],
        "empty": matrix[:, :0],
    }
    if flat.itemsize > 1:
        memory = np.zeros(flat.nbytes + flat.itemsize + 1, np.uint8)
        found["misaligned"] = memory[1 : 1 + flat.nbytes].view(flat.dtype)
        found["misaligned"][...] = flat
        records = np.zeros(40, np.dtype([("byte", "u1"), ("field", flat.dtype)]))
        records["field"] = flat[:40]
        found["record field"] = records["field"]
    return found
