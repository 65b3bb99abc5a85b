"""What an op expands to has the op's value on all combinations of special values, bit for bit."""

from typing import Any

import numpy as np
import pytest
from weld_samples import (
    RAW,
    cases,
    combinations,
    for_each,
    function,
    one_op,
    operand_elements,
    same_bits,
    specials,
    tensor,
)
from xdsl.ir import Attribute

from loopweld.dialects.weld import ELEMENTWISE
from loopweld.dialects.weld.base import Elementwise
from loopweld.dialects.weld.types import BF16, F16, dtype_of, kind_of, scalar_of
from loopweld.passes.evaluate import evaluate
from loopweld.passes.generalize import generalize_op
from loopweld.passes.points import is_native

ZERO_SIGN_IS_OPEN = {"weld.max", "weld.min", "weld.fmax", "weld.fmin", "weld.clip"}
"""NumPy itself gives either zero for `maximum(0.0, -0.0)`, by machine and array length."""

CASES = [(op, e) for op, e in cases(raw=False) if not is_native(op, e) and e not in (F16, BF16)]


def expand(module: Any) -> None:
    """Put the op's scalar form, if it has one, in its place."""
    for op in list(module.walk()):
        if isinstance(op, Elementwise):
            generalize_op(op)
    module.verify()


@for_each(CASES)
def test_expansion_has_the_value(op: type[Elementwise], element: Attribute) -> None:
    arrays = combinations(op, element)
    module = one_op(op, element, len(arrays[0]))
    (expected,) = evaluate(module, arrays)
    expand(module)
    names = {o.name for o in module.walk()}
    assert op.name not in names or kind_of(element) == "c"
    (found,) = evaluate(module, arrays)
    if op.name in ZERO_SIGN_IS_OPEN:
        expected, found = expected + 0, found + 0
    assert same_bits(found, expected)


@for_each([c for c in cases() if kind_of(c[1]) != "c"])
def test_every_real_op_has_a_scalar_form(op: type[Elementwise], element: Attribute) -> None:
    module = one_op(op, element, 4)
    expand(module)
    for inner in module.walk():
        if isinstance(inner, Elementwise) and inner.name != "weld.cast":
            assert is_native(type(inner), scalar_of(inner.operands[-1]))


@for_each([c for c in cases(raw=False) if c[0].arity == 2])
def test_expansion_with_a_constant_operand(op: type[Elementwise], element: Attribute) -> None:
    """Expansions may look at constants."""
    if kind_of(element) not in "iu" or is_native(op, element):
        return
    values = specials(element)
    for number in values:
        module = function(
            [tensor(element, len(values))],
            lambda b, x, n=number: b.build(op, x, b.constant(n, x)),
        )
        (expected,) = evaluate(module, [values])
        expand(module)
        (found,) = evaluate(module, [values])
        assert same_bits(found, expected)


@pytest.mark.parametrize("name", ["floor_div", "remainder", "fmod"])
@pytest.mark.parametrize("dtype", [np.int32, np.uint32, np.int16, np.uint16, np.int64, np.float32], ids=str)
def test_division_of_many_values(name: str, dtype: Any) -> None:
    generator = np.random.default_rng(1)
    if dtype == np.float32:
        bits = generator.integers(0, 2**32, (2, 100_000), np.uint32)
        arrays = [np.ascontiguousarray(b).view(np.float32) for b in bits]
    else:
        limits = np.iinfo(dtype)
        wide = generator.integers(limits.min, limits.max, (2, 100_000), dtype, endpoint=True)
        shifts = generator.integers(0, limits.bits, (2, 100_000)).astype(dtype)
        arrays = list(wide >> shifts)
        arrays[0][::3] = arrays[0][::3] // np.where(arrays[1][::3] == 0, 1, arrays[1][::3]) * arrays[1][::3]
    op = ELEMENTWISE[name]
    (element,) = {e for o, e in cases() if o is op and dtype_of(e) == dtype and e != BF16}
    module = one_op(op, element, 100_000)
    (expected,) = evaluate(module, arrays)
    expand(module)
    (found,) = evaluate(module, arrays)
    assert same_bits(found, expected)


def test_raw_ops_come_from_expansions_only() -> None:
    used: set[str] = set()
    for op, element in CASES:
        module = one_op(op, element, 4)
        expand(module)
        used |= {o.name.removeprefix("weld.") for o in module.walk()}
    assert used >= RAW
    assert operand_elements(ELEMENTWISE["shl"], F16) == (F16, F16)
