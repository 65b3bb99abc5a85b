"""Cheaper forms have the value of the op they replace."""

from typing import Any

import numpy as np
import pytest
from weld_samples import ELEMENTS, Op, cases, function, label, same_bits, specials, tensor
from xdsl.ir import Attribute, SSAValue

from loopweld.dialects.weld import ELEMENTWISE
from loopweld.dialects.weld.base import Builder, Elementwise
from loopweld.dialects.weld.folding import strength_reduce
from loopweld.dialects.weld.types import BF16, F16, F32, F64, as_element, dtype_of, kind_of
from loopweld.passes.evaluate import evaluate

REAL = [e for e in ELEMENTS if kind_of(e) != "c"]
INTEGERS = [e for e in ELEMENTS if kind_of(e) in "iu"]


def reduced(element: Attribute, size: int, build: Any) -> tuple[Any, Any, list[str]]:
    """The module of one op, the same after `strength_reduce`, and the op names there; None where it does nothing."""

    def cheaper(b: Builder, x: SSAValue) -> SSAValue:
        op = build(b, x).owner
        assert isinstance(op, Elementwise)
        return strength_reduce(op, b) or op.res

    before = function([tensor(element, size)], build)
    after = function([tensor(element, size)], cheaper)
    after.verify()
    live = _live(after)
    return before, after, live


def _live(module: Any) -> list[str]:
    """Names of the elementwise ops that the result is computed from."""
    names: list[str] = []
    stack = [list(module.walk())[-1].operands[0]]
    while stack:
        owner = stack.pop().owner
        if isinstance(owner, Elementwise):
            names.append(owner.name.removeprefix("weld."))
            stack += owner.operands
    return sorted(names)


def by_constant(op: str, value: Any) -> Any:
    return lambda b, x: getattr(b, op)(x, b.constant(value, x))


POWERS = [
    (0, []),
    (2, ["mul"]),
    (-1, ["div"]),
    (0.5, ["add", "eq", "select", "sqrt"]),
    (-0.5, ["add", "eq", "rsqrt", "select"]),
    (3, ["mul", "mul"]),
    (-2, ["div", "div", "mul"]),
    (2.5, ["pow"]),
    (5, ["pow"]),
    (np.nan, ["pow"]),
    (np.inf, ["pow"]),
]


@pytest.mark.parametrize(("exponent", "ops"), POWERS)
@pytest.mark.parametrize("element", [F32, F64], ids=label)
def test_float_powers(element: Attribute, exponent: float, ops: list[str]) -> None:
    values = specials(element)
    values = np.concatenate([values, np.random.default_rng(0).standard_normal(500).astype(values.dtype)])
    before, after, names = reduced(element, len(values), by_constant("pow", exponent))
    assert names == ops
    (expected,), (found,) = evaluate(before, [values]), evaluate(after, [values])
    special = ~np.isfinite(expected) | (expected == 0)
    assert same_bits(found[special], expected[special])
    np.testing.assert_array_max_ulp(found[~special], expected[~special], 4)


def test_16_bit_powers_round_once() -> None:
    """In float32: every float16 has the power that NumPy gives it, but for ties that the wider product misses."""
    values = np.arange(1 << 16, dtype=np.uint16).view(np.float16)
    for element in (F16, BF16):
        assert reduced(element, 3, by_constant("pow", 2))[2] == ["mul"]
        assert set(reduced(element, 3, by_constant("pow", 3))[2]) == {"cast", "mul"}
    for exponent in (3, 4, -2, -0.5):
        before, after, _ = reduced(F16, len(values), by_constant("pow", exponent))
        (expected,), (found,) = evaluate(before, [values]), evaluate(after, [values])
        numbers = np.isfinite(expected)
        assert np.mean(found[numbers] != expected[numbers]) < 1e-3, exponent
        np.testing.assert_array_max_ulp(found[numbers], expected[numbers], 1)
        np.testing.assert_array_equal(found[~numbers], expected[~numbers])


@pytest.mark.parametrize("element", INTEGERS, ids=label)
def test_integer_powers(element: Attribute) -> None:
    values = specials(element)
    for exponent in (0, 1, 2, 3, 5, 7, 13, 64):
        before, after, names = reduced(element, len(values), by_constant("pow", exponent))
        assert set(names) <= {"mul"}
        assert same_bits(evaluate(after, [values])[0], evaluate(before, [values])[0])


@pytest.mark.parametrize("element", [F16, BF16, F32, F64], ids=label)
def test_division_by_powers_of_two(element: Attribute) -> None:
    values = as_element(specials(element), element)
    for divisor in (1, 2, -4, 0.125, 2.0**-14, 1024):
        before, after, names = reduced(element, len(values), by_constant("div", divisor))
        assert names == ["mul"]
        assert same_bits(evaluate(after, [values])[0], evaluate(before, [values])[0])


@pytest.mark.parametrize("divisor", [0, 3, 0.1, np.inf, np.nan, -0.0, 1e308, 5e-324, 2.0**1023])
def test_other_divisions_stay(divisor: float) -> None:
    assert reduced(F64, 3, by_constant("div", divisor))[2] == ["div"]


@pytest.mark.parametrize("element", INTEGERS, ids=label)
def test_integer_division_by_powers_of_two(element: Attribute) -> None:
    values = specials(element)
    top = np.iinfo(dtype_of(element)).max // 2 + 1
    for op, cheap in (("floor_div", "right_shift"), ("remainder", "and")):
        for divisor in {1, 2, 8, 64, top}:
            before, after, names = reduced(element, len(values), by_constant(op, divisor))
            assert names == [cheap]
            assert same_bits(evaluate(after, [values])[0], evaluate(before, [values])[0])
        for divisor in {0, 3, 100} | ({-1, -2, np.iinfo(dtype_of(element)).min} if kind_of(element) == "i" else set()):
            assert reduced(element, 3, by_constant(op, divisor))[2] == [op]


SAME = [(op, e) for op, e in cases(elements=REAL) if kind_of(e) in op.equal]


@pytest.mark.parametrize(("op", "element"), SAME, ids=label)
def test_equal_operands(op: Op, element: Attribute) -> None:
    values = as_element(specials(element), element)
    before, after, names = reduced(element, len(values), lambda b, x: b.build(op, x, x))
    assert names == []
    assert same_bits(evaluate(after, [values])[0], evaluate(before, [values])[0])


def test_nothing_to_do() -> None:
    for name in ("sub", "eq", "add", "div"):
        assert reduced(F32, 3, lambda b, x, n=name: getattr(b, n)(x, x))[2] == [name]
    assert reduced(F32, 3, lambda b, x: b.exp(x))[2] == ["exp"]
    assert "pow" in ELEMENTWISE
