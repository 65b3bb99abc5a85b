"""`arith` and `math` ops as weld ops: one table for tensors, 0-d values and the bodies of generics alike.

The entries name NumPy ufuncs; the facts of the elementwise ops say which op each of them is. Signless integers are
signed in weld, so unsigned ops work on values cast to the unsigned type.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from xdsl.dialects.arith import ConstantOp
from xdsl.dialects.builtin import (
    DenseIntOrFPElementsAttr,
    FloatAttr,
    IndexType,
    IntegerAttr,
    IntegerType,
    MemRefType,
    Signedness,
    TensorType,
    UnrankedMemRefType,
)
from xdsl.ir import Attribute, Operation, SSAValue

from ...dialects.weld.base import ELEMENTWISE, Builder, Elementwise
from ...dialects.weld.types import BOOL, I64, dtype_of, scalar_of
from ..points import ScalarBuilder, compute_element


class Unsupported(Exception):
    """The program uses something that has no weld form; the text says what, and what to do."""


Rule: TypeAlias = Callable[[Builder, Operation, list[SSAValue]], SSAValue]


def element_type(kind: Attribute) -> Attribute:
    """The weld element for an upstream one: index is i64, signed integers are signless. Raises Unsupported."""
    if isinstance(kind, MemRefType | UnrankedMemRefType):
        raise Unsupported("works on buffers; loopweld reads functions on tensors (tensor<...>)")
    element = scalar_of(kind)
    if isinstance(element, IndexType):
        return I64
    width = _width(element, Signedness.SIGNED)
    if width is not None:
        element = IntegerType(width)
    try:
        dtype_of(element)
    except KeyError:
        raise Unsupported(f"has elements of type {element}; use f16, bf16, f32, f64, i1, i8, i16, i32 or i64") from None
    return element


def translate(b: Builder, op: Operation, args: list[SSAValue]) -> SSAValue:
    """The value of an arith or math op. Raises Unsupported."""
    rule = RULES.get(op.name)
    if rule is None:
        raise Unsupported("has no weld form; rewrite it in other arith and math ops")
    if args and scalar_of(args[0]) == BOOL:
        rule = BOOL_RULES.get(op.name, rule)
        if rule is None:
            raise Unsupported("has no meaning on i1 here; extend the operands first")
    return rule(b, op, args)


def constant(b: Builder, op: ConstantOp) -> SSAValue:
    """A scalar constant as a scalar in a body and as a 0-d tensor outside."""
    value = op.value
    assert isinstance(value, IntegerAttr | FloatAttr)
    data: Any = value.value.data
    element = element_type(value.type)
    return _constant(b, data, element)


def _constant(b: Builder, data: Any, element: Attribute) -> SSAValue:
    if isinstance(b, ScalarBuilder):
        return b.constant(data, compute_element(element))
    return b.constant(data, TensorType(element, []))


def dense_values(value: DenseIntOrFPElementsAttr) -> list[Any]:
    """The numbers of a dense attribute, one where all of them are the same bits."""
    values: Any = value.get_values()
    return [values[0]] if len(values) > 0 and value.is_splat() else list(values)


def ufunc_op(ufunc: Any) -> type[Elementwise]:
    """The elementwise op of a NumPy ufunc, or of a function of scipy.special given by its name."""
    for kind in ELEMENTWISE.values():
        if (
            ufunc is kind.numpy
            or any(ufunc is u for u in kind.ufuncs)
            or (kind.scipy is not None and kind.scipy == ufunc)
        ):
            return kind
    name = ufunc if isinstance(ufunc, str) else ufunc.__name__
    raise Unsupported(f"needs '{name}', which weld does not have")


def _element(b: Builder, kind: Attribute) -> Attribute:
    element = element_type(kind)
    return compute_element(element) if isinstance(b, ScalarBuilder) else element


def apply(b: Builder, ufunc: Any, *args: SSAValue) -> SSAValue:
    return b.build(ufunc_op(ufunc), *args)


def _width(element: Attribute, signedness: Signedness) -> int | None:
    """The bits of an integer type of that signedness, None for any other type."""
    kind: Any = element
    is_one = isinstance(element, IntegerType) and kind.signedness.data == signedness
    return kind.width.data if is_one else None


def unsigned_type(element: Attribute) -> Attribute:
    """The unsigned type of a signless integer's width; other types (i1 is unsigned already) as they are."""
    width = _width(element, Signedness.SIGNLESS)
    return element if width in (None, 1) else IntegerType(width, Signedness.UNSIGNED)


def unsigned(b: Builder, value: SSAValue) -> SSAValue:
    """The value's bits as an unsigned integer; a bool is one already."""
    return b.cast(value, unsigned_type(scalar_of(value)))


def signless(b: Builder, value: SSAValue) -> SSAValue:
    width = _width(scalar_of(value), Signedness.UNSIGNED)
    return value if width is None else b.cast(value, IntegerType(width))


def negate(b: Builder, value: SSAValue) -> SSAValue:
    return apply(b, np.bitwise_xor, value, b.constant(True, value))


def either(b: Builder, *args: SSAValue) -> SSAValue:
    return apply(b, np.bitwise_or, *args)


def both(b: Builder, *args: SSAValue) -> SSAValue:
    return apply(b, np.bitwise_and, *args)


def _plain(ufunc: Any) -> Rule:
    return lambda b, op, args: apply(b, ufunc, *args)


def _unsigned(ufunc: Any) -> Rule:
    return lambda b, op, args: signless(b, apply(b, ufunc, *(unsigned(b, a) for a in args)))


def _divsi(b: Builder, op: Operation, args: list[SSAValue]) -> SSAValue:
    """Division towards zero: the floor, one more where it is not exact and the signs differ."""
    x, y = args
    floor = apply(b, np.floor_divide, x, y)
    zero = b.constant(0, x)
    exact = apply(b, np.equal, b.mul(floor, y), x)
    differ = b.lt(apply(b, np.bitwise_xor, x, y), zero)
    return b.add(floor, b.cast(both(b, negate(b, exact), differ), scalar_of(x)))


def _ceildivsi(b: Builder, op: Operation, args: list[SSAValue]) -> SSAValue:
    zero = b.constant(0, args[0])
    return b.sub(zero, apply(b, np.floor_divide, b.sub(zero, args[0]), args[1]))


def _ceildivui(b: Builder, op: Operation, args: list[SSAValue]) -> SSAValue:
    x, y = (unsigned(b, a) for a in args)
    floor = apply(b, np.floor_divide, x, y)
    exact = apply(b, np.equal, b.mul(floor, y), x)
    return signless(b, b.add(floor, b.cast(negate(b, exact), scalar_of(x))))


_COMPARE: dict[str, Any] = {
    "eq": np.equal,
    "ne": np.not_equal,
    "lt": np.less,
    "le": np.less_equal,
    "gt": np.greater,
    "ge": np.greater_equal,
}
_SWAPPED = {"lt": "gt", "gt": "lt", "le": "ge", "ge": "le"}
_CMPI = ("eq", "ne", "slt", "sle", "sgt", "sge", "ult", "ule", "ugt", "uge")
_CMPF = (
    *("false", "oeq", "ogt", "oge", "olt", "ole", "one", "ord"),
    *("ueq", "ugt", "uge", "ult", "ule", "une", "uno", "true"),
)
_COMPLEMENT = {"eq": "ne", "ne": "eq", "lt": "ge", "le": "gt", "gt": "le", "ge": "lt"}


def _predicate(op: Operation, names: tuple[str, ...]) -> str:
    predicate = op.properties["predicate"]
    assert isinstance(predicate, IntegerAttr)
    return names[int(predicate.value.data)]


def _cmpi(b: Builder, op: Operation, args: list[SSAValue]) -> SSAValue:
    predicate = _predicate(op, _CMPI)
    if predicate in ("eq", "ne"):
        return apply(b, _COMPARE[predicate], *args)
    order = predicate[1:]
    if predicate[0] == "u":
        return apply(b, _COMPARE[order], *(unsigned(b, a) for a in args))
    if scalar_of(args[0]) == BOOL:  # a signed true is -1
        order = _SWAPPED[order]
    return apply(b, _COMPARE[order], *args)


def _cmpf(b: Builder, op: Operation, args: list[SSAValue]) -> SSAValue:
    """NumPy's comparisons are the ordered ones, but for !=."""
    predicate = _predicate(op, _CMPF)
    match predicate:
        case "true" | "false":
            same = apply(b, np.equal, args[0], args[0])
            return b.constant(predicate == "true", same)
        case "ord" | "uno":
            either_nan = either(b, *(b.is_nan(a) for a in args))
            return either_nan if predicate == "uno" else negate(b, either_nan)
        case "oeq" | "une":
            return apply(b, _COMPARE[predicate[1:]], *args)
        case "one":
            return either(b, apply(b, np.less, *args), apply(b, np.greater, *args))
        case "ueq":
            return negate(b, either(b, apply(b, np.less, *args), apply(b, np.greater, *args)))
        case _:
            order = predicate[1:]
            if predicate[0] == "o":
                return apply(b, _COMPARE[order], *args)
            return negate(b, apply(b, _COMPARE[_COMPLEMENT[order]], *args))


def _select(b: Builder, op: Operation, args: list[SSAValue]) -> SSAValue:
    return b.select(*args)


def _cast(b: Builder, op: Operation, args: list[SSAValue]) -> SSAValue:
    """Between signed types of any width; through the 16-bit float that a value is rounded to."""
    return b.cast(args[0], _element(b, op.results[0].type))


def _cast_sign(b: Builder, op: Operation, args: list[SSAValue]) -> SSAValue:
    """From i1, whose true is -1."""
    value = b.cast(args[0], _element(b, op.results[0].type))
    return b.neg(value)


def _to_unsigned(b: Builder, op: Operation, args: list[SSAValue]) -> SSAValue:
    """To an integer through the unsigned type of its width."""
    return signless(b, b.cast(args[0], unsigned_type(element_type(op.results[0].type))))


def _from_unsigned(b: Builder, op: Operation, args: list[SSAValue]) -> SSAValue:
    return b.cast(unsigned(b, args[0]), _element(b, op.results[0].type))


def _trunci(b: Builder, op: Operation, args: list[SSAValue]) -> SSAValue:
    value = args[0]
    if element_type(op.results[0].type) == BOOL:  # the lowest bit, where a cast asks for any
        value = both(b, value, b.constant(1, value))
    return _cast(b, op, [value])


def _fma(b: Builder, op: Operation, args: list[SSAValue]) -> SSAValue:
    return b.add(b.mul(args[0], args[1]), args[2])


def _rsqrt(b: Builder, op: Operation, args: list[SSAValue]) -> SSAValue:
    return b.rsqrt(args[0])


def _fpowi(b: Builder, op: Operation, args: list[SSAValue]) -> SSAValue:
    return apply(b, np.power, args[0], b.cast(args[1], scalar_of(args[0])))


def _round(b: Builder, op: Operation, args: list[SSAValue]) -> SSAValue:
    """Halves away from zero."""
    x = args[0]
    whole = apply(b, np.trunc, x)
    far = apply(b, np.greater_equal, apply(b, np.absolute, b.sub(x, whole)), b.constant(0.5, x))
    return b.select(far, b.add(whole, apply(b, np.copysign, b.constant(1, x), x)), whole)


RULES: dict[str, Rule] = {
    **{f"arith.{n}f": _plain(u) for n, u in (("add", np.add), ("sub", np.subtract), ("mul", np.multiply))},
    **{f"arith.{n}i": _plain(u) for n, u in (("add", np.add), ("sub", np.subtract), ("mul", np.multiply))},
    "arith.divf": _plain(np.true_divide),
    "arith.negf": _plain(np.negative),
    "arith.maximumf": _plain(np.maximum),
    "arith.minimumf": _plain(np.minimum),
    "arith.maxnumf": _plain(np.fmax),
    "arith.minnumf": _plain(np.fmin),
    "arith.maxsi": _plain(np.maximum),
    "arith.minsi": _plain(np.minimum),
    "arith.maxui": _unsigned(np.maximum),
    "arith.minui": _unsigned(np.minimum),
    "arith.andi": _plain(np.bitwise_and),
    "arith.ori": _plain(np.bitwise_or),
    "arith.xori": _plain(np.bitwise_xor),
    "arith.divsi": _divsi,
    "arith.remsi": _plain(np.fmod),
    "arith.floordivsi": _plain(np.floor_divide),
    "arith.ceildivsi": _ceildivsi,
    "arith.divui": _unsigned(np.floor_divide),
    "arith.remui": _unsigned(np.remainder),
    "arith.ceildivui": _ceildivui,
    "arith.shli": _plain(np.left_shift),
    "arith.shrsi": _plain(np.right_shift),
    "arith.shrui": _unsigned(np.right_shift),
    "arith.cmpi": _cmpi,
    "arith.cmpf": _cmpf,
    "arith.select": _select,
    **{f"arith.{n}": _cast for n in ("extf", "truncf", "sitofp", "fptosi", "extsi", "index_cast")},
    "arith.trunci": _trunci,
    "arith.fptoui": _to_unsigned,
    "arith.uitofp": _from_unsigned,
    "arith.extui": _from_unsigned,
    "math.fma": _fma,
    "math.rsqrt": _rsqrt,
    "math.fpowi": _fpowi,
    "math.round": _round,
    "math.roundeven": _plain(np.rint),
    "math.absf": _plain(np.absolute),
    "math.absi": _plain(np.absolute),
    "math.powf": _plain(np.power),
    "math.ipowi": _plain(np.power),
    "math.atan2": _plain(np.arctan2),
    "math.copysign": _plain(np.copysign),
    "math.erf": _plain("erf"),
    **{
        f"math.{u.__name__}": _plain(u)
        for u in (np.exp, np.exp2, np.expm1, np.log, np.log2, np.log10, np.log1p, np.sqrt, np.cbrt, np.sin, np.cos)
    },
    **{f"math.{u.__name__}": _plain(u) for u in (np.tan, np.sinh, np.cosh, np.tanh, np.ceil, np.floor, np.trunc)},
    **{f"math.a{n}": _plain(getattr(np, f"arc{n}")) for n in ("sin", "cos", "tan", "sinh", "cosh", "tanh")},
}
"""What each op is on weld values."""

BOOL_RULES: dict[str, Rule | None] = {
    "arith.addi": _plain(np.bitwise_xor),
    "arith.subi": _plain(np.bitwise_xor),
    "arith.muli": _plain(np.bitwise_and),
    "arith.maxsi": _plain(np.bitwise_and),
    "arith.minsi": _plain(np.bitwise_or),
    "arith.maxui": _plain(np.bitwise_or),
    "arith.minui": _plain(np.bitwise_and),
    **{f"arith.{n}": _cast_sign for n in ("sitofp", "extsi", "index_cast")},
    **{f"arith.{n}": None for n in ("divsi", "divui", "remsi", "remui", "floordivsi", "ceildivsi", "ceildivui")},
    **{f"arith.{n}": None for n in ("shli", "shrsi", "shrui")},
}
"""The same where the first operand is i1; None where the op is not supported on it."""

__all__ = [
    "Unsupported",
    "apply",
    "constant",
    "dense_values",
    "element_type",
    "negate",
    "signless",
    "translate",
    "unsigned",
]
