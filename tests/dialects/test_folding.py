"""Folding gives the reference's bits; identities hold for all special values."""

from itertools import product
from typing import Any

import numpy as np
import pytest
from weld_samples import ELEMENTS, Op, cases, combinations, for_each, function, label, same_bits, specials, tensor
from xdsl.ir import Attribute, SSAValue

from loopweld.dialects.weld import ELEMENTWISE, Constant
from loopweld.dialects.weld.base import Builder, Elementwise
from loopweld.dialects.weld.cast import Cast
from loopweld.dialects.weld.folding import fold_constant, fold_identity
from loopweld.dialects.weld.reductions import REDUCTIONS
from loopweld.dialects.weld.types import (
    BF16,
    BOOL,
    F16,
    F32,
    F64,
    I64,
    as_element,
    dtype_of,
    kind_of,
    scalar_of,
    stated_number,
)
from loopweld.passes.evaluate import evaluate

REAL = [e for e in ELEMENTS if kind_of(e) != "c"]


def last_op(build: Any, *inputs: Attribute) -> Any:
    """The op that computes what the function returns."""
    module = function(inputs, build)
    module.verify()
    return list(module.walk())[-1].operands[0].owner


def number(element: Attribute, value: Any) -> Any:
    return as_element(value, element)[()]


@for_each(cases(elements=REAL))
def test_constants_fold_to_the_reference(op: Op, element: Attribute) -> None:
    arrays = combinations(op, element)
    step = max(1, len(arrays[0]) // 60)
    for values in zip(*(a[::step] for a in arrays), strict=True):
        built = last_op(lambda b, v=values: b.build(op, *(b.constant(x, tensor(_element(x, element), 3)) for x in v)))
        folded = fold_constant(built)
        assert folded is not None and folded.res.type == built.res.type
        held = [number(_element(x, element), x) for x in values]
        assert same_bits(folded.number, built.reference(*map(np.asarray, held))[()])


def _element(value: Any, element: Attribute) -> Attribute:
    return BOOL if isinstance(value, np.bool_) else element


@for_each(product(REAL, REAL))
def test_casts_fold_to_the_reference(source: Attribute, target: Attribute) -> None:
    for value in specials(source):
        built = last_op(lambda b, v=value: b.insert(Cast.to(b.constant(v, tensor(source)), target)).results[0])
        folded = fold_constant(built)
        assert folded is not None and folded.res.type == tensor(target)
        assert same_bits(folded.number, built.reference(np.asarray(number(source, value)))[()])


def test_casts_out_of_range_are_cut_off_from_the_wide_integers_least_value() -> None:
    for target, low in ((ELEMENTS[4], 0), (I64, -(2**63)), (ELEMENTS[8], 0), (ELEMENTS[11], 2**63)):
        for value in (np.nan, np.inf, -np.inf, 1e300, 2.0**64, -1e300):
            built = last_op(lambda b, v=value, t=target: b.insert(Cast.to(b.constant(v, F64), t)).results[0])
            assert fold_constant(built).number == low  # type: ignore[union-attr]


def test_bfloat16_is_rounded_to_even() -> None:
    for value, rounded in (
        (1 + 2**-8, 1.0),
        (1 + 3 * 2**-8, 1 + 2**-6),
        (1 + 2**-8 + 2**-20, 1 + 2**-7),
        (3.4e38, np.inf),
    ):
        assert Constant.splat(value, BF16).number == np.float32(rounded)


def test_not_folded() -> None:
    assert fold_constant(last_op(lambda b, x: b.exp(x), tensor(F32, 3))) is None
    assert fold_constant(last_op(lambda b, x: b.add(x, b.constant(1, x)), tensor(F32, 3))) is None
    dense = last_op(lambda b: b.exp(b.insert(Constant.of(np.arange(3.0))).results[0]))
    assert fold_constant(dense) is None


@pytest.mark.parametrize("element", REAL, ids=label)
def test_what_is_always_so(element: Attribute) -> None:
    for op in ELEMENTWISE.values():
        if kind_of(element) in op.always:
            built = last_op(lambda b, x, op=op: b.build(op, x), tensor(element, 3))
            expected = {bool(op.numpy(number(element, v))) for v in specials(element)}
            assert {bool(fold_constant(built).number)} == expected  # type: ignore[union-attr]


@for_each(product([k for k, r in REDUCTIONS.items() if r.empty], REAL))
def test_reductions_of_their_identity(kind: str, element: Attribute) -> None:
    reduction = REDUCTIONS[kind]
    if kind_of(element) not in reduction.kinds:
        return
    identity = stated_number(reduction.identity(element), element)
    for shape in ((0, 3), (5, 3), (4, 0)):
        built: Any = last_op(
            lambda b, s=shape: b.insert(reduction.of(b.constant(identity, tensor(element, *s)), [0])).results[0]
        )
        folded = fold_constant(built)
        assert folded is not None and folded.res.type == built.res.type
        expected = built.reduce_array(np.full(shape, identity), (0,))
        assert same_bits(np.full(shape[1:], folded.number), expected)


def test_reductions_of_other_constants_stay() -> None:
    """Over an empty axis they are the identity; and -0.0 is no neutral 0."""
    for kind, value, element in (("all", False, BOOL), ("any", True, BOOL), ("sum", -0.0, F32), ("max", -np.inf, F32)):
        reduction = REDUCTIONS[kind]
        built = last_op(lambda b, r=reduction, v=value, e=element: b.insert(r.of(b.constant(v, tensor(e, 3)), [0])).res)
        assert fold_constant(built) is None


def check_identity(built: Elementwise, values: Any) -> None:
    """The folded value equals the op's for the values as `@main`'s one argument."""
    folded = fold_identity(built)
    assert folded is not None
    assert folded.type == built.res.type
    module: Any = built.parent_op().parent_op()  # type: ignore[union-attr]
    (expected,) = evaluate(module, [values])
    block = built.parent
    assert block is not None and block.last_op is not None
    block.last_op.operands[0] = folded
    (found,) = evaluate(module, [values])
    assert same_bits(found, expected)


FACTS = [
    (op, e, fact)
    for op, e in cases(elements=REAL)
    for fact in ("neutral", "absorbing")
    if kind_of(e) in getattr(op, fact)
]


@for_each(FACTS)
def test_neutral_and_absorbing(op: Op, element: Attribute, fact: str) -> None:
    values = _exact(element)
    constant = stated_number(getattr(op, fact)[kind_of(element)], element)
    kind = tensor(element, len(values))
    check_identity(last_op(lambda b, x: b.build(op, x, b.constant(constant, x)), kind), values)
    if op.commutative:
        check_identity(last_op(lambda b, x: b.build(op, b.constant(constant, x), x), kind), values)


def _exact(element: Attribute) -> Any:
    return as_element(specials(element), element)


@for_each(cases(elements=REAL))
def test_repeated_and_equal_operands(op: Op, element: Attribute) -> None:
    kind, values = kind_of(element), _exact(element)
    type_ = tensor(element, len(values))
    if kind in op.idempotent:
        check_identity(last_op(lambda b, x: b.build(op, x, x), type_), values)
    if kind in op.stable + op.involution:
        check_identity(last_op(lambda b, x: b.build(op, b.build(op, x)), type_), values)


KEPT = {
    "x + 0.0 (-0.0 would change)": lambda b, x: b.add(x, b.constant(0.0, x)),
    "x - -0.0": lambda b, x: b.sub(x, b.constant(-0.0, x)),
    "x * 0 (NaN)": lambda b, x: b.mul(x, b.constant(0.0, x)),
    "x - x (inf)": lambda b, x: b.sub(x, x),
    "x / x": lambda b, x: b.div(x, x),
    "1 / x": lambda b, x: b.div(b.constant(1, x), x),
    "0 - x": lambda b, x: b.sub(b.constant(0, x), x),
    "max(x, inf) (NaN)": lambda b, x: b.max(x, b.constant(np.inf, x)),
    "fmax(x, -inf) (NaN)": lambda b, x: b.fmax(x, b.constant(-np.inf, x)),
    "x // 1": lambda b, x: b.floor_div(x, b.constant(1, x)),
    "1 ** x": lambda b, x: b.pow(b.constant(1, x), x),
    "exp(exp(x))": lambda b, x: b.exp(b.exp(x)),
    "floor(ceil(x))": lambda b, x: b.floor(b.ceil(x)),
    "x == x": lambda b, x: b.eq(x, x),
}


@pytest.mark.parametrize("name", KEPT)
def test_what_is_not_exact_stays(name: str) -> None:
    for element in (F16, F32, F64):
        assert fold_identity(last_op(KEPT[name], tensor(element, 3))) is None


@pytest.mark.parametrize("element", ELEMENTS, ids=label)
def test_select_and_cast(element: Attribute) -> None:
    kind = tensor(element, 3)

    def chosen(value: bool) -> Any:
        return lambda b, x, y: b.select(b.constant(value, tensor(BOOL, 3)), x, y)

    for value in (True, False):
        built = last_op(chosen(value), kind, kind)
        assert fold_identity(built) is built.operands[1 if value else 2]
    same = last_op(lambda b, c, x: b.select(c, x, x), tensor(BOOL, 3), kind)
    assert fold_identity(same) is same.operands[1]
    assert fold_identity(last_op(lambda b, c, x, y: b.select(c, x, y), tensor(BOOL, 3), kind, kind)) is None
    cast = last_op(lambda b, x: b.insert(Cast.to(x, element)).results[0], kind)
    assert fold_identity(cast) is cast.operands[0]
    other = F64 if element == F32 else F32
    assert fold_identity(last_op(lambda b, x: b.insert(Cast.to(x, other)).results[0], kind)) is None


def test_rounding_of_integers_is_nothing() -> None:
    for name in ("floor", "ceil", "trunc"):
        built = last_op(lambda b, x, n=name: getattr(b, n)(x), tensor(I64, 3))
        assert fold_identity(built) is built.operands[0]


def test_scalars_fold_too() -> None:
    def body(b: Builder, x: SSAValue) -> SSAValue:
        return b.mul(x, b.constant(1, x))

    built = last_op(body, F32)
    assert fold_identity(built) is built.operands[0]
    two = last_op(lambda b: b.exp2(b.constant(3, F32)))
    assert fold_constant(two).number == 8 and scalar_of(two.res) == F32  # type: ignore[union-attr]
    assert dtype_of(scalar_of(ELEMENTWISE["gt"].infer([F32, F32]))) == np.bool_
