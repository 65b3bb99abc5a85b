"""Calls of NumPy and SciPy ufuncs: the facts of the elementwise ops say which op each ufunc is."""

# NumPy's arguments may be anything, so what isinstance tells about them is partial.
# pyright: reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any

import numpy as np

from ...dialects.weld import ELEMENTWISE
from ...dialects.weld.base import Elementwise
from ...dialects.weld.types import kind_of
from .bounds import emit_check_of
from .errors import message, unsupported, value_error
from .promote import (
    Operand,
    common_shape,
    dtype_or_weak,
    fill,
    is_weak,
    operand,
    session_of,
    shape_of_operand,
    wrap,
)
from .registry import COMPOSITES, FUNCTIONS
from .session import Session, element_type
from .tracer import Tracer

Op = type[Elementwise]


@lru_cache(maxsize=1)
def _tables() -> tuple[dict[Any, Op], dict[str, Op]]:
    """NumPy ufunc -> op, and name in scipy.special -> op."""
    numpy: dict[Any, Op] = {}
    scipy: dict[str, Op] = {}
    for op in ELEMENTWISE.values():
        for ufunc in (op.numpy, *op.ufuncs):
            if isinstance(ufunc, np.ufunc):
                numpy[ufunc] = op
        if op.scipy is not None:
            scipy[op.scipy] = op
    return numpy, scipy


@lru_cache(maxsize=2048)
def op_of(ufunc: Any) -> Op | None:
    numpy, scipy = _tables()
    return numpy.get(ufunc) or (scipy.get(ufunc.__name__) if library_name(ufunc).startswith("scipy") else None)


def library_name(ufunc: Any) -> str:
    """`numpy.exp`, `scipy.special.erf`."""
    special = sys.modules.get("scipy.special")
    if special is not None and getattr(special, ufunc.__name__, None) is ufunc:
        return f"scipy.special.{ufunc.__name__}"
    return f"numpy.{ufunc.__name__}"


@lru_cache(maxsize=4096)
def _loop(ufunc: Any, kinds: tuple[Any, ...], dtype: Any) -> tuple[np.dtype[Any], ...]:
    """Dtypes of the inputs and outputs that NumPy computes with."""
    if all(k in (int, float, complex) for k in kinds):
        kinds = tuple(np.dtype(k) for k in kinds)
    options: dict[str, Any] = {}
    if dtype is not None:
        options["signature"] = (None,) * ufunc.nin + (np.dtype(dtype),) * ufunc.nout
    return ufunc.resolve_dtypes((*kinds, *((None,) * ufunc.nout)), casting="same_kind", **options)


def call(
    ufunc: Any,
    inputs: tuple[Any, ...],
    *,
    operator: bool = False,
    out: Any = None,
    where: Any = True,
    dtype: Any = None,
    **options: Any,
) -> Any:
    """Trace `ufunc(*inputs)`. `operator` says that Python's operator called it: Python numbers stay Python's."""
    meaning = FUNCTIONS.get(ufunc)
    if meaning is not None:
        result = meaning(*inputs)
    elif ufunc.signature is not None:
        raise unsupported(f"{ufunc.__name__} (a ufunc over whole vectors)")
    else:
        session = session_of(inputs, out)
        operands = [operand(session, x) for x in inputs]
        result = compute(session, ufunc, operands, dtype, operator)
    target = out[0] if isinstance(out, tuple) else out
    if target is None:
        if where is not True:
            raise unsupported(
                f"{ufunc.__name__} with where= and without out=", "use np.where(condition, result, other)"
            )
        return result
    if ufunc.nout != 1:
        raise unsupported(f"{ufunc.__name__} with out=")
    return store(target, result, where)


def store(out: Any, result: Any, where: Any = True) -> Any:
    """`out[where] = result`, NumPy's out= argument; the array must be traced."""
    if not isinstance(out, Tracer):
        raise unsupported("out= with an array that the function did not make", "leave out= away and use the result")
    if not np.can_cast(result.dtype, out.dtype, "same_kind"):
        raise TypeError(
            message(f"Cannot cast ufunc output from {result.dtype!r} to {out.dtype!r} with casting rule 'same_kind'")
        )
    session = out.session
    value = fill(session, result, out.dtype, out.dims)
    if where is not True:
        condition = fill(session, operand(session, where), np.dtype(np.bool_), out.dims)
        value = session.apply("select", condition, value, out.value)
    out.assign(value)
    return out


def compute(session: Session, ufunc: Any, operands: list[Operand], dtype: Any = None, operator: bool = False) -> Any:
    """The ufunc on operands, by its op, in terms of other ufuncs, or as a library call."""
    try:
        loop = _loop(ufunc, tuple(dtype_or_weak(x) for x in operands), dtype)
    except TypeError as error:
        raise TypeError(message(str(error))) from None
    op = op_of(ufunc)
    work = None if op is None else _work_dtype(op, loop)
    simple = _simple_power(session, operands, loop) if ufunc is np.power else None
    if simple is not None:
        result: Any = simple
    elif op is not None and work is not None:
        result = elementwise(session, op, operands, work, loop[-1])
    elif ufunc in COMPOSITES and all(d.kind != "c" for d in loop):
        cast = [Tracer(session, fill(session, x, d), "scalar") for x, d in zip(operands, loop, strict=False)]
        result = COMPOSITES[ufunc](*cast)
        if isinstance(result, Tracer):
            result = wrap(session, session.cast(result.value, loop[-1]))
    else:
        from .libcalls import call_ufunc_library

        result = call_ufunc_library(session, library_name(ufunc), operands, loop)
    if operator and isinstance(result, Tracer) and all(_is_python(x) for x in operands):
        result.kind = "python"
        if all(not isinstance(x, Tracer) or x.number is not None for x in operands):
            result.number = partial(_number, ufunc, operands)
    return result


def _number(ufunc: Any, operands: list[Operand]) -> Any:
    """The Python number that a ufunc makes of sizes and Python numbers."""
    numbers = [x.number() if isinstance(x, Tracer) and x.number is not None else x for x in operands]
    return ufunc(*numbers).item()


def _is_python(value: Operand) -> bool:
    return is_weak(value) or (isinstance(value, Tracer) and value.kind == "python")


def _work_dtype(op: Op, loop: tuple[np.dtype[Any], ...]) -> np.dtype[Any] | None:
    """The dtype that the op computes in, None where the op cannot compute NumPy's loop."""
    ins, out = loop[: op.arity], loop[-1]
    if len(loop) != op.arity + 1:
        return None
    work = ins[0] if op.result == "bool" else out
    if op.result == "bool" and any(d != ins[0] for d in ins):
        return None
    if out.kind != "c" and any(d.kind == "c" for d in ins):
        return None
    kind = kind_of(element_type(work))
    if kind in op.kinds:
        return work
    return np.dtype(np.float64) if op.result == "bool" and "f" in op.kinds else None


def elementwise(
    session: Session, op: Op, operands: list[Operand], work: np.dtype[Any], out: np.dtype[Any] | None = None
) -> Tracer:
    """The op on operands cast to `work` and broadcast together; the result has dtype `out`."""
    shape = common_shape(session, [shape_of_operand(x) for x in operands])
    try:
        values = [fill(session, x, work, shape) for x in operands]
    except OverflowError:
        if op.result != "bool":
            raise
        work = np.dtype(np.float64)  # an int that the dtype does not hold: the order is still right
        values = [fill(session, x, work, shape) for x in operands]
    result = session.emit(op.of(*values))
    return wrap(session, result if out is None else session.cast(result, out))


def _simple_power(session: Session, operands: list[Operand], loop: tuple[np.dtype[Any], ...]) -> Tracer | None:
    """NumPy's short cuts for `x ** 2`, `x ** 0.5` and the like."""
    base, exponent = operands
    if loop[-1].kind == "i":
        _check_exponents(session, exponent)
    if isinstance(exponent, Tracer | np.ndarray) or loop[-1].kind not in "iuf":
        return None
    cast = Tracer(session, fill(session, base, loop[-1]), "scalar") if exponent in (2, 1, 0.5, -1) else None
    if exponent == 2:
        return compute(session, np.multiply, [cast, cast])
    if exponent == 1 and cast is not None:
        return wrap(session, cast.value)
    if exponent in (0.5, -1) and loop[-1].kind == "f":
        return compute(session, np.sqrt if exponent == 0.5 else np.reciprocal, [cast])
    return None


def _check_exponents(session: Session, exponent: Operand) -> None:
    """NumPy's ValueError for powers of integers by negative integers."""
    text = "Integers to negative integer powers are not allowed"
    if not isinstance(exponent, Tracer):
        if np.any(np.less(exponent, 0)):
            raise value_error(text)
    elif exponent.dtype.kind == "i":
        zero = session.splat(0, exponent.dtype, exponent.dims)
        emit_check_of(session, session.apply("lt", exponent.value, zero), text, "ValueError")


def _reduce(ufunc: Any, inputs: tuple[Any, ...], *, axis: Any = 0, out: Any = None, **options: Any) -> Any:
    from .reducing import UFUNC_REDUCTIONS

    if ufunc not in UFUNC_REDUCTIONS:
        raise unsupported(f"{ufunc.__name__}.reduce")
    result = UFUNC_REDUCTIONS[ufunc](inputs[0], axis=axis, **{k: v for k, v in options.items() if v is not None})
    target = out[0] if isinstance(out, tuple) else out
    return result if target is None else store(target, result)


def _accumulate(ufunc: Any, inputs: tuple[Any, ...], *, axis: int = 0, dtype: Any = None, out: Any = None) -> Any:
    functions: dict[Any, Any] = {np.add: np.cumsum, np.multiply: np.cumprod}
    if ufunc not in functions:
        raise unsupported(f"{ufunc.__name__}.accumulate")
    return FUNCTIONS[functions[ufunc]](inputs[0], axis=axis, dtype=dtype, out=out[0] if isinstance(out, tuple) else out)


def _at(ufunc: Any, inputs: tuple[Any, ...]) -> None:
    from .assignment import update_at

    update_at(ufunc, *inputs)


def _outer(ufunc: Any, inputs: tuple[Any, ...], **options: Any) -> Any:
    session = session_of(inputs)
    a, b = (operand(session, x) for x in inputs)
    rank = len(shape_of_operand(b))
    if not isinstance(a, Tracer | np.ndarray) or not shape_of_operand(a):
        return call(ufunc, (a, b), **options)
    return call(ufunc, (a[(Ellipsis,) + (None,) * rank], b), **options)


def _refuse(ufunc: Any, inputs: tuple[Any, ...], **options: Any) -> Any:
    raise unsupported(f"{ufunc.__name__}.reduceat")


METHODS: dict[str, Callable[..., Any]] = {
    "__call__": call,
    "reduce": _reduce,
    "accumulate": _accumulate,
    "at": _at,
    "outer": _outer,
    "reduceat": _refuse,
}
"""What `__array_ufunc__` does for each way to call a ufunc."""
