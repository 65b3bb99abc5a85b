"""PyTensor's scalar ops in terms of weld's elementwise ops: what `Elemwise` and `Composite` apply to each element."""

# PyTensor is there with `loopweld[pytensor]` only.
# pyright: reportMissingImports=false

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytensor.scalar as ps
from pytensor.graph.basic import Constant, Variable
from xdsl.ir import SSAValue

from loopweld.compiler.frontend.session import Session, element_type
from loopweld.dialects.weld import ELEMENTWISE
from loopweld.dialects.weld.types import kind_of, shape_of
from loopweld.pytensor.registry import dtype_of

Dtype = np.dtype[Any]


class Scalars:
    """Applies weld ops to tensors of one shape, and casts between them."""

    def __init__(self, session: Session):
        self.session = session

    def apply(self, name: str, *values: SSAValue) -> SSAValue:
        return self.session.apply(name, *values)

    def cast(self, value: SSAValue, dtype: Dtype) -> SSAValue:
        return self.session.cast(value, dtype)

    def constant(self, number: Any, like: SSAValue) -> SSAValue:
        return self.session.splat(number, self.session.dtype(like), shape_of(like))


Emit = Callable[[Scalars, list[SSAValue], Dtype], SSAValue]
"""From the operands, in their own dtypes, to a value of the dtype of the result (or one that is cast to it)."""

TABLE: dict[type, tuple[Emit, tuple[str, ...]]] = {}
"""What a scalar op becomes, and the weld ops that must take elements of its result's dtype."""


def uniform(name: str) -> Emit:
    """The operands cast to the result's dtype; more than two are folded from the left."""
    arity = ELEMENTWISE[name].arity

    def emit(s: Scalars, values: list[SSAValue], dtype: Dtype) -> SSAValue:
        cast = [s.cast(v, dtype) for v in values]
        if arity != 2:
            return s.apply(name, *cast)
        total = cast[0]
        for value in cast[1:]:
            total = s.apply(name, total, value)
        return total

    return emit


def compared(name: str) -> Emit:
    """The operands cast to their common dtype."""

    def emit(s: Scalars, values: list[SSAValue], dtype: Dtype) -> SSAValue:
        common = np.result_type(*(s.session.dtype(v) for v in values))
        return s.apply(name, *(s.cast(v, common) for v in values))

    return emit


def tested(name: str) -> Emit:
    """A question about one operand in its own dtype; no number that is not floating is infinite or NaN."""

    def emit(s: Scalars, values: list[SSAValue], dtype: Dtype) -> SSAValue:
        if s.session.dtype(values[0]).kind not in "fc":
            return s.session.splat(False, np.dtype(bool), shape_of(values[0]))
        return s.apply(name, values[0])

    return emit


def _switch(s: Scalars, values: list[SSAValue], dtype: Dtype) -> SSAValue:
    condition, a, b = values
    return s.apply("select", s.session.truth(condition), s.cast(a, dtype), s.cast(b, dtype))


def _last(s: Scalars, values: list[SSAValue], dtype: Dtype) -> SSAValue:
    return s.cast(values[-1], dtype)


def _nothing(s: Scalars, values: list[SSAValue], dtype: Dtype) -> SSAValue:
    return s.constant(0, values[0])


def _square(s: Scalars, values: list[SSAValue], dtype: Dtype) -> SSAValue:
    x = s.cast(values[0], dtype)
    return s.apply("mul", x, x)


def _pow(s: Scalars, values: list[SSAValue], dtype: Dtype) -> SSAValue:
    base, exponent = (s.cast(v, dtype) for v in values)
    return s.apply("pow", base, exponent)


def _clip(s: Scalars, values: list[SSAValue], dtype: Dtype) -> SSAValue:
    """Limits that are NaN limit nothing."""
    x, low, high = (s.cast(v, dtype) for v in values)
    below = s.apply("select", s.apply("gt", x, high), high, x)
    return s.apply("select", s.apply("lt", x, low), low, below)


def _log1mexp(s: Scalars, values: list[SSAValue], dtype: Dtype) -> SSAValue:
    """log(1 - exp(x)) for negative x; the better of two forms on each side of -log(2) (Maechler, 2012)."""
    x = s.cast(values[0], dtype)
    near = s.apply("log", s.apply("neg", s.apply("expm1", x)))
    far = s.apply("log1p", s.apply("neg", s.apply("exp", x)))
    return s.apply("select", s.apply("lt", x, s.constant(-np.log(2), x)), far, near)


def _trigamma(s: Scalars, values: list[SSAValue], dtype: Dtype) -> SSAValue:
    """The second derivative of log(gamma): recurrence up to 8 and the asymptotic series (Abramowitz and Stegun 6.4.6,
    6.4.12); reflection below 1/2 (6.4.7)."""
    x = s.cast(values[0], dtype)
    low = s.apply("lt", x, s.constant(0.5, x))
    one = s.constant(1, x)
    y = s.apply("select", low, s.apply("sub", one, x), x)
    total = s.constant(0, x)
    for _ in range(8):
        total = s.apply("add", total, s.apply("reciprocal", s.apply("mul", y, y)))
        y = s.apply("add", y, one)
    w = s.apply("reciprocal", y)
    square = s.apply("mul", w, w)
    series = s.constant(_BERNOULLI[-1], x)
    for number in reversed(_BERNOULLI[:-1]):
        series = s.apply("add", s.apply("mul", series, square), s.constant(number, x))
    tail = s.apply("mul", s.apply("mul", square, w), series)
    half = s.apply("mul", s.constant(0.5, x), square)
    total = s.apply("add", total, s.apply("add", s.apply("add", w, half), tail))
    whole = s.apply("rint", x)
    sine = s.apply("sin", s.apply("mul", s.apply("sub", x, whole), s.constant(np.pi, x)))
    ratio = s.apply("div", s.constant(np.pi, x), sine)
    reflected = s.apply("sub", s.apply("mul", ratio, ratio), total)
    reflected = s.apply("select", s.apply("is_inf", x), s.constant(np.inf, x), reflected)
    return s.apply("select", low, reflected, total)


_BERNOULLI = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510)
"""The Bernoulli numbers B2, B4, ..., B16."""


def _away_from_zero(s: Scalars, values: list[SSAValue], dtype: Dtype) -> SSAValue:
    """The nearest integer; a half goes away from 0."""
    x = s.cast(values[0], dtype)
    size = s.apply("abs", x)
    low = s.apply("floor", size)
    up = s.apply("ge", s.apply("sub", size, low), s.constant(0.5, x))
    return s.apply("copysign", s.apply("select", up, s.apply("add", low, s.constant(1, x)), low), x)


UNIFORM = {
    "Add": "add", "Mul": "mul", "Sub": "sub", "TrueDiv": "div", "Maximum": "max", "Minimum": "min",
    "IntDiv": "floor_div", "Mod": "remainder", "AND": "and", "OR": "or", "XOR": "xor", "Invert": "not",
    "Abs": "abs", "Sign": "sign", "Neg": "neg", "Reciprocal": "reciprocal",
    "Ceil": "ceil", "Floor": "floor", "Trunc": "trunc", "RoundHalfToEven": "rint",
    "Log": "log", "Log2": "log2", "Log10": "log10", "Log1p": "log1p",
    "Exp": "exp", "Exp2": "exp2", "Expm1": "expm1", "Sqrt": "sqrt",  
    "Cos": "cos", "ArcCos": "acos", "Sin": "sin", "ArcSin": "asin", "Tan": "tan", "ArcTan": "atan",
    "ArcTan2": "atan2", "Cosh": "cosh", "ArcCosh": "acosh", "Sinh": "sinh", "ArcSinh": "asinh",
    "Tanh": "tanh", "ArcTanh": "atanh",
    "Softplus": "softplus",
}  # fmt: skip
"""Scalar ops that are one weld op on operands of the result's dtype."""

COMPARED = {"LT": "lt", "LE": "le", "GT": "gt", "GE": "ge", "EQ": "eq", "NEQ": "ne"}
TESTED = {"IsNan": "is_nan", "IsInf": "is_inf"}

for _names, _make, _checked in ((UNIFORM, uniform, True), (COMPARED, compared, False), (TESTED, tested, False)):
    for _name, _op in _names.items():
        TABLE[getattr(ps, _name)] = (_make(_op), (_op,) if _checked else ())

TABLE |= {
    ps.Switch: (_switch, ()),
    ps.Identity: (_last, ()),
    ps.Second: (_last, ()),
    ps.Cast: (_last, ()),
    ps.Clip: (_clip, ("lt",)),
    ps.Real: (_last, ("floor",)),
    ps.Conj: (_last, ("floor",)),
    ps.Imag: (_nothing, ("floor",)),
    ps.Sqr: (_square, ("mul",)),
    ps.Pow: (_pow, ("pow",)),
    ps.TriGamma: (_trigamma, ("sin",)),
    ps.Log1mexp: (_log1mexp, ("log1p", "lt")),
    ps.RoundHalfAwayFromZero: (_away_from_zero, ("copysign",)),
}


SCIPY = {op.scipy: name for name, op in ELEMENTWISE.items() if op.scipy is not None}
"""Weld's ops by their names in `scipy.special`."""


def _entry(op: Any) -> tuple[Emit, tuple[str, ...]] | None:
    """What a scalar op becomes: what the table says, or the weld op for the SciPy function that it says it is."""
    found = TABLE.get(type(op))
    if found is not None:
        return found
    module, _, function = (getattr(op, "nfunc_spec", None) or ("",))[0].rpartition(".")
    name = SCIPY.get(function) if module == "scipy.special" else None
    if name is None or ELEMENTWISE[name].arity != op.nin:
        return None
    return uniform(name), (name,)


def is_known(op: Any, inputs: Sequence[Variable], outputs: Sequence[Variable]) -> bool:
    """Whether the scalar op (or every op inside it) can be lowered for these dtypes."""
    if isinstance(op, ps.Composite):
        return all(is_known(n.op, n.inputs, n.outputs) for n in op.fgraph.apply_nodes)
    entry = _entry(op)
    if entry is None or len(outputs) != 1:
        return False
    target = dtype_of(outputs[0])
    sources = [dtype_of(v) for v in inputs]
    if any(d.kind == "c" for d in sources) and target.kind not in "cb":
        return False
    return all(kind_of(element_type(target)) in ELEMENTWISE[name].kinds for name in entry[1])


def emit_scalar(session: Session, op: Any, outputs: Sequence[Variable], values: Sequence[SSAValue]) -> list[SSAValue]:
    """The results of a scalar op on tensors of one shape."""
    if isinstance(op, ps.Composite):
        return emit_inner(session, op, values)
    target = dtype_of(outputs[0])
    entry = _entry(op)
    assert entry is not None
    found = entry[0](Scalars(session), list(values), target)
    return [session.cast(found, target)]


def emit_inner(session: Session, op: Any, values: Sequence[SSAValue]) -> list[SSAValue]:
    """The results of the graph inside a scalar op."""
    known: dict[Variable, SSAValue] = dict(zip(op.fgraph.inputs, values, strict=True))
    shape = shape_of(values[0]) if values else ()

    def value(variable: Variable) -> SSAValue:
        if isinstance(variable, Constant):
            return session.splat(variable.data, dtype_of(variable), shape)
        return known[variable]

    for node in op.fgraph.toposort():
        results = emit_scalar(session, node.op, node.outputs, [value(v) for v in node.inputs])
        known |= dict(zip(node.outputs, results, strict=True))
    return [value(v) for v in op.fgraph.outputs]
