"""What the tests over all ops share: the cases, values that are special to each dtype, and modules of one op."""

from collections.abc import Callable, Iterable, Sequence
from io import StringIO
from itertools import product
from typing import Any

import numpy as np
import pytest
from xdsl.context import Context
from xdsl.dialects.builtin import Builtin, ComplexType, IntegerType, ModuleOp, Signedness
from xdsl.dialects.func import Func, FuncOp, ReturnOp
from xdsl.ir import Attribute, SSAValue
from xdsl.parser import Parser
from xdsl.printer import Printer

from loopweld.dialects.expr import Expr
from loopweld.dialects.weld import ELEMENTWISE, Weld
from loopweld.dialects.weld.base import Builder, Elementwise
from loopweld.dialects.weld.types import BF16, BOOL, F16, F32, F64, dtype_of, kind_of, tensor_type

Op = type[Elementwise]

SIGNED = [IntegerType(n) for n in (8, 16, 32, 64)]
UNSIGNED = [IntegerType(n, Signedness.UNSIGNED) for n in (8, 16, 32, 64)]
COMPLEX = [ComplexType(F32), ComplexType(F64)]
ELEMENTS: list[Attribute] = [F16, BF16, F32, F64, *SIGNED, *UNSIGNED, BOOL, *COMPLEX]

RAW = {"shl", "shr", "div_trunc", "rem_trunc"}
"""Ops of which some operands are unspecified or trap; programs do not use them."""


def takes(op: Op, element: Attribute) -> bool:
    return kind_of(element) in op.kinds


def cases(*, elements: Iterable[Attribute] = ELEMENTS, raw: bool = True) -> list[tuple[Op, Attribute]]:
    """Every elementwise op but cast with every element type that it takes."""
    ops = [op for name, op in ELEMENTWISE.items() if name != "cast" and (raw or name not in RAW)]
    return [(op, element) for op, element in product(ops, elements) if takes(op, element)]


def label(value: Any) -> str:
    return value.name.removeprefix("weld.") if isinstance(value, type) else str(value)


def for_each(cases: Iterable[tuple[Any, ...]]) -> Callable[[Callable[..., None]], Callable[[Any], None]]:
    """Runs a test with the arguments of each case, all with one first argument as one test: thousands would take longer
    to collect than to run."""
    groups: dict[Any, list[tuple[Any, ...]]] = {}
    for case in cases:
        groups.setdefault(label(case[0]), []).append(case)

    def decorate(test: Callable[..., None]) -> Callable[[Any], None]:
        @pytest.mark.parametrize("group", groups)
        def run(group: str) -> None:
            for case in groups[group]:
                test(*case)

        run.__name__, run.__doc__ = test.__name__, test.__doc__
        return run

    return decorate


def operand_elements(op: Op, element: Attribute) -> tuple[Attribute, ...]:
    return (BOOL, element, element) if op.name == "weld.select" else (element,) * op.arity


def tensor(element: Attribute, *sizes: int | str) -> Attribute:
    """`tensor(F32, 3, "n")`: a tensor type with symbols for sizes."""
    return tensor_type(element, tuple(Expr.symbol(n) if isinstance(n, str) else Expr.constant(n) for n in sizes))


def function(inputs: Sequence[Attribute], body: Callable[..., SSAValue | Sequence[SSAValue]]) -> ModuleOp:
    """A module whose `@main` returns what `body(builder, *arguments)` gives."""
    function = FuncOp("main", (inputs, ()))
    block = function.body.block
    results = body(Builder(block), *block.args)
    results = [results] if isinstance(results, SSAValue) else list(results)
    block.add_op(ReturnOp(*results))
    function.update_function_type()
    return ModuleOp([function])


def one_op(op: Op, element: Attribute, *sizes: int | str) -> ModuleOp:
    """A module with one elementwise op on tensors of the element type."""
    inputs = [tensor(e, *sizes) for e in operand_elements(op, element)]
    return function(inputs, lambda b, *args: b.build(op, *args))


def context() -> Context:
    found = Context()
    for dialect in (Builtin, Func, Weld):
        found.load_dialect(dialect)
    return found


def text_of(module: ModuleOp) -> str:
    stream = StringIO()
    Printer(stream).print_op(module)
    return stream.getvalue()


def parse(text: str) -> ModuleOp:
    return Parser(context(), text).parse_module()


def check_round_trip(module: ModuleOp) -> None:
    """The text of a valid module reads back as a valid module with the same text."""
    module.verify()
    text = text_of(module)
    again = parse(text)
    again.verify()
    assert text_of(again) == text


def specials(element: Attribute) -> Any:
    """Values at the edges of an element type, and a few in between."""
    dtype, kind = dtype_of(element), kind_of(element)
    if kind == "b":
        return np.array([False, True])
    if kind == "c":
        return np.array([0, 1, -1, 1j, 2.5 - 3j, 0.25 + 0.5j], dtype)
    if kind == "f":
        limits = np.finfo(dtype)
        edges = [np.nan, np.inf, -np.inf, 0.0, -0.0, limits.max, -limits.max, limits.tiny, limits.smallest_subnormal]
        return np.array([*edges, 0.5, -0.5, 1, -1, 1.5, -1.5, 2, -2, 2.5, -2.5, 3, -3, 7.25, -7.25, 100], dtype)
    low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
    values = {low, low + 1, high // 2, high - 1, high, *range(-3 if low else 0, 10), 15, 16, 31, 32, 33, 63, 64, 100}
    return np.array(sorted(values), dtype)


def combinations(op: Op, element: Attribute) -> list[Any]:
    """For each operand an array, so that together they hold all combinations of special values."""
    columns = [specials(e) for e in operand_elements(op, element)]
    if op.arity == 3:
        columns = [c[:: max(1, len(c) // 12)] for c in columns]
    return [np.ascontiguousarray(g).reshape(-1) for g in np.meshgrid(*columns, indexing="ij")]


def values_for(element: Attribute, shape: Sequence[int], seed: int = 0) -> Any:
    """Small whole numbers, so that sums are exact in every dtype."""
    generator = np.random.default_rng(seed)
    low = 0 if kind_of(element) in "bu" else -4
    numbers = generator.integers(low, 2 if element == BOOL else 5, shape)
    return numbers.astype(dtype_of(element))


def same_bits(a: Any, b: Any) -> bool:
    """Equal dtype, shape and bits; all NaN are one, whatever their sign and payload."""
    a, b = np.asarray(a), np.asarray(b)
    if a.dtype != b.dtype or a.shape != b.shape:
        return False
    if a.dtype.kind not in "fc":
        return bool(np.array_equal(a, b))
    a, b = (x.view(x.real.dtype) if x.dtype.kind == "c" and x.ndim else np.asarray(x) for x in (a, b))
    return bool(np.all((np.isnan(a) & np.isnan(b)) | ((a == b) & (np.signbit(a) == np.signbit(b)))))
