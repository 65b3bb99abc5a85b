"""Every op states what it is: documented, with a reference of the right dtype and a form that codegen can write."""

import inspect
import re
from itertools import product
from typing import Any

import numpy as np
import pytest
from weld_samples import (
    ELEMENTS,
    RAW,
    Op,
    cases,
    combinations,
    for_each,
    function,
    label,
    one_op,
    operand_elements,
    same_bits,
    tensor,
    values_for,
)
from xdsl.ir import Attribute
from xdsl.irdl.operations import BaseAccessor, BaseAttrAccessor

from loopweld.compiler.codegen import vecmath
from loopweld.dialects.loop import Loop
from loopweld.dialects.weld import ELEMENTWISE, LIBRARY_OPS, TENSOR_OPS, Weld, special_functions
from loopweld.dialects.weld.base import Builder, Elementwise
from loopweld.dialects.weld.reductions import REDUCTIONS, Reduction
from loopweld.dialects.weld.types import BF16, BOOL, F32, dtype_of, kind_of, scalar_of, stated_number

INSTRUCTIONS = set(
    "add sub mul sdiv udiv srem urem and or xor shl ashr lshr select fadd fsub fmul fdiv frem fneg".split()
)
INTRINSICS = {f"@llvm.{n}" for n in ("smax", "smin", "umax", "umin", "fabs", "copysign", "sqrt")}
INTRINSICS |= {f"@llvm.{n}" for n in ("floor", "ceil", "trunc", "rint", "fmuladd")}
FORM = re.compile(r"icmp (eq|ne|[su](lt|le|gt|ge))|fcmp (o(eq|lt|le|gt|ge)|u(ne|no))|math (\w+)|libm (\w+)|scipy (\w+)")

REAL = [e for e in ELEMENTS if kind_of(e) != "c" and e != BF16]


@pytest.mark.parametrize("dialect", [Weld, Loop], ids=lambda d: d.name)
def test_operands_results_and_regions_are_found_directly(dialect: Any) -> None:
    """Not by xDSL's accessors, which take ten times as long."""
    members = [(op.name, member) for op in dialect.operations for member in vars(op).values()]
    assert not [(name, m) for name, m in members if isinstance(m, BaseAccessor | BaseAttrAccessor)]


@pytest.mark.parametrize("op", list(Weld.operations), ids=label)
def test_documented(op: Any) -> None:
    text = op.__doc__ or ""
    assert text.strip()
    assert not text.startswith(("Operation(", "IRDLOperation("))


@pytest.mark.parametrize("op", ELEMENTWISE.values(), ids=label)
def test_module_says_its_idea(op: Op) -> None:
    assert (inspect.getmodule(op).__doc__ or "").strip()  # type: ignore[union-attr]


@pytest.mark.parametrize("op", ELEMENTWISE.values(), ids=label)
def test_llvm_forms_are_known(op: Op) -> None:
    assert set(op.llvm) <= set(op.kinds)
    for kind, form in op.llvm.items():
        assert form in INSTRUCTIONS | INTRINSICS or FORM.fullmatch(form), form
        assert (form[0] == "f" or form[0] in "@ms") or kind != "f"
        assert (op.result == "bool") == form.startswith(("icmp", "fcmp"))


@pytest.mark.parametrize("op", [o for o in ELEMENTWISE.values() if o.llvm.get("f", "").startswith("math ")], ids=label)
def test_math_is_in_the_vector_library(op: Op) -> None:
    name = op.llvm["f"].removeprefix("math ")
    assert vecmath.ARITY[name] == op.arity
    assert vecmath.available(name, "f32") and vecmath.available(name, "f64")
    assert vecmath.COST[name] / 2 <= op.cost <= vecmath.COST[name] * 2


@for_each(cases())
def test_reference_has_the_dtype_that_the_op_says(op: Op, element: Attribute) -> None:
    (built,) = (o for o in one_op(op, element).walk() if isinstance(o, Elementwise))
    arrays = [values_for(e, (2, 3)) + (e != BOOL) for e in operand_elements(op, element)]
    found = built.reference(
        *[a.astype(dtype_of(e)) for a, e in zip(arrays, operand_elements(op, element), strict=True)]
    )
    assert found.dtype == dtype_of(scalar_of(built.res))
    assert found.shape == (2, 3)


@for_each(cases(elements=REAL))
def test_numpy_ufunc_has_that_loop(op: Op, element: Attribute) -> None:
    """An op takes the kinds that NumPy computes without casting, so that frontends need not know them."""
    ufuncs = [u for u in (op.numpy, *op.ufuncs[:1]) if isinstance(u, np.ufunc)]
    for ufunc in ufuncs[:1]:
        loop = ufunc.resolve_dtypes((dtype_of(element),) * op.arity + (None,))
        assert loop[0] == dtype_of(element)
        assert (loop[-1] == np.bool_) == (op.result == "bool" or element == BOOL)


@pytest.mark.parametrize("op", [o for o in ELEMENTWISE.values() if o.commutative], ids=label)
def test_commutative(op: Op) -> None:
    for element in REAL:
        if kind_of(element) in op.kinds:
            (built,) = (o for o in one_op(op, element).walk() if isinstance(o, Elementwise))
            a, b = combinations(op, element)
            left, right = built.reference(a, b), built.reference(b, a)
            plus = 0 if left.dtype != np.bool_ else False  # NumPy picks either zero for maximum(0.0, -0.0)
            assert same_bits(left + plus, right + plus)


@for_each(product(REDUCTIONS.values(), REAL))
def test_identity_is_neutral(op: type[Reduction], element: Attribute) -> None:
    if kind_of(element) not in op.kinds:
        return
    module = function([tensor(element)] * 2, lambda b, *args: b.build(op.combine, *args))
    (built,) = (o for o in module.walk() if isinstance(o, Elementwise))
    (values, _) = combinations(op.combine, element)
    identity = stated_number(op.identity(element), element)
    assert np.array_equal(built.reference(values, identity), values, equal_nan=values.dtype.kind == "f")


def test_names() -> None:
    for name, op in ELEMENTWISE.items():
        assert op.name == f"weld.{name}"
    for kind, op in REDUCTIONS.items():
        assert op.kind == kind
    names = [op.name for op in Weld.operations]
    assert len(set(names)) == len(names)
    assert {o.name for o in (*TENSOR_OPS, *LIBRARY_OPS)} <= set(names)
    assert set(ELEMENTWISE) >= RAW


def test_no_two_ops_claim_a_ufunc() -> None:
    claims = [u for op in ELEMENTWISE.values() for u in (op.numpy, *op.ufuncs) if isinstance(u, np.ufunc)]
    assert len({u.__name__ for u in claims}) == len(claims)


def test_builder_knows_ops_by_name() -> None:
    module = function([tensor(BOOL)] * 2, lambda b, x, y: b.not_(b.or_(b.and_(x, y), x)))
    assert [o.name for o in module.walk()][2:5] == ["weld.and", "weld.or", "weld.not"]
    with pytest.raises(AttributeError, match="no_such_op"):
        function([tensor(F32)], lambda b, x: Builder.__getattr__(b, "no_such_op")(x))


@pytest.mark.parametrize("name", ["erf", "erfc", "erfinv", "lgamma", "digamma", "sigmoid"])
def test_references_without_scipy(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("scipy.special")
    reference = getattr(special_functions, name)
    x = np.array(
        [-np.inf, -3.5, -1, -0.75, -0.3, -1e-3, -1e-12, 0, 1e-12, 1e-3, 0.3, 0.75, 0.99, 1, 1.5, 4, 30, np.inf, np.nan]
    )
    with np.errstate(all="ignore"):
        expected = reference(x)
        monkeypatch.setattr(special_functions, "_scipy", lambda name: None)
        found = reference(x)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=0)
