"""The validation tables that NumPy's wheel carries: hexadecimal inputs and outputs, and the error in ulp they allow."""

import csv
from collections import defaultdict
from importlib.resources import files
from typing import Any

import numpy as np
import pytest
from vecmath.jit import DTYPES, UINTS, kernel

TABLES = {
    "exp": "exp",
    "exp2": "exp2",
    "expm1": "expm1",
    "log": "log",
    "log2": "log2",
    "log10": "log10",
    "log1p": "log1p",
    "sin": "sin",
    "cos": "cos",
    "tan": "tan",
    "cbrt": "cbrt",
    "sinh": "sinh",
    "cosh": "cosh",
    "tanh": "tanh",
    "arcsinh": "asinh",
    "arccosh": "acosh",
    "arctanh": "atanh",
    "arcsin": "asin",
    "arccos": "acos",
    "arctan": "atan",
}


def _rows(name: str) -> dict[str, list[tuple[int, int, int]]]:
    """(input bits, output bits, ulps) by format."""
    rows: dict[str, list[tuple[int, int, int]]] = defaultdict(list)
    text = (files("numpy") / "_core" / "tests" / "data" / f"umath-validation-set-{name}.csv").read_text()
    for row in csv.reader(text.splitlines()):
        if len(row) == 4 and row[0].startswith("np.float"):
            elem = {"np.float32": "f32", "np.float64": "f64"}[row[0]]
            rows[elem].append((int(row[1], 16), int(row[2], 16), int(row[3])))
    return rows


def _ordered(values: Any, elem: str) -> Any:
    """Integers in the order of the floats, neighbours 1 apart."""
    bits = values.view(np.int32 if elem == "f32" else np.int64).astype(object)
    least = -(2 ** (31 if elem == "f32" else 63))
    return np.where(bits < 0, least - bits, bits)


@pytest.mark.parametrize("name", TABLES)
def test_table(name: str) -> None:
    tables = _rows(name)
    assert sum(map(len, tables.values())) > 200
    for elem, rows in tables.items():
        x, expected = (np.array([r[i] for r in rows], UINTS[elem]).view(DTYPES[elem]) for i in (0, 1))
        got = kernel(TABLES[name], elem)(x)
        assert np.array_equal(np.isnan(got), np.isnan(expected))
        distance = np.abs(_ordered(got, elem) - _ordered(expected, elem))
        allowed = np.array([min(r[2], 2) for r in rows])
        wrong = (distance > allowed) & ~np.isnan(expected)
        assert not wrong.any(), [(float(a), float(b)) for a, b in zip(x[wrong], got[wrong], strict=True)][:10]
