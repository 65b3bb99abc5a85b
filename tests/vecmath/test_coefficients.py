"""`coefficients.py` is what `tools/minimax.py` writes."""

import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from loopweld.compiler.codegen.vecmath import coefficients

TOOLS = Path(__file__).resolve().parents[2] / "tools"
QUICK = ["exp.f32", "exp.f64", "log_quotient.f32", "log_quotient.f64", "sin.f32", "cos.f64", "erf.f32", "atan.f32"]


@pytest.fixture
def minimax(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(TOOLS))
    module = import_module("minimax")
    yield module
    for name in ("minimax", "fits"):
        sys.modules.pop(name, None)


@pytest.mark.parametrize("name", QUICK)
def test_table(minimax: Any, name: str) -> None:
    assert minimax.table(name)[0] == coefficients.TABLES[name]


def test_names_and_constants(minimax: Any) -> None:
    assert list(coefficients.TABLES) == minimax.table_names()
    assert minimax.constants() == coefficients.CONSTANTS
    assert minimax.two_over_pi_words() == coefficients.TWO_OVER_PI


@pytest.mark.slow
def test_whole_file(minimax: Any) -> None:
    assert minimax.render() == minimax.OUTPUT.read_text()
