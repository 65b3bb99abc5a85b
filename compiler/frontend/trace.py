"""Run a function once on stand-ins for its arguments: its NumPy calls become a module of `weld` ops."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from xdsl.dialects.builtin import ArrayAttr, FunctionType, ModuleOp, StringAttr
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Block, Region, SSAValue

from ...dialects.expr import Expr
from ...dialects.weld.types import Shape, dtype_of, scalar_of, shape_of, tensor_of
from . import functions  # noqa: F401  # pyright: ignore[reportUnusedImport]  (fills the tables)
from .equal_sizes import assume_equal_sizes
from .errors import TraceError
from .promote import fill, operand, session_of
from .session import Session
from .spec import ArgSpec, Pinned, describe, is_leaf, is_static, named_arguments
from .symbols import Symbols
from .symint import SymInt
from .tracer import Tracer
from .trees import Leaf, Static, Tree, take_apart


@dataclass(frozen=True)
class ResultSpec:
    """One result of the traced function."""

    name: str
    dtype: np.dtype[Any]
    shape: Shape


@dataclass(frozen=True)
class Traced:
    """A traced function.

    `module` has one function whose arguments are `inputs` in order, those of kind "constant" last (their arrays are
    `constants`). `out_tree.build(arrays)` makes the function's result from the arrays of `outputs`. `pinned` holds
    the (argument, axis) pairs that specialisation left open and the program needs as numbers.
    """

    module: ModuleOp
    inputs: tuple[ArgSpec, ...]
    outputs: tuple[ResultSpec, ...]
    constants: tuple[np.ndarray[Any, Any], ...]
    in_tree: tuple[Tree, ...]
    out_tree: Tree
    pinned: Pinned
    equal: tuple[tuple[tuple[str, int], tuple[str, int]], ...] = ()
    """Pairs of (argument, axis) whose sizes are taken to be equal, though the function works without that."""


@dataclass
class _Argument:
    spec_name: str
    kind: str
    value: SSAValue
    open_dims: tuple[tuple[int, Expr], ...]


def trace(
    function: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any] | None = None,
    static_dims: Pinned = frozenset(),
    name: str = "main",
    assume: bool = False,
) -> Traced:
    """Trace `function(*args, **kwargs)`.

    Dims that are open by specialisation become symbols, except those in `static_dims`. `assume` says that sizes may be
    taken to be equal where they are for these arguments and loops can be shared then. Raises what the function
    raises, TraceError for what it cannot do with traced arrays, and NumPy's errors for wrong
    shapes, dtypes and indices.
    """
    session = Session()
    arguments: list[_Argument] = []

    def argument(value: Any, name: str) -> Any:
        if not is_leaf(value):
            return Static(value)
        arguments.append(_argument(session, value, name, static_dims))
        return Leaf(len(arguments) - 1)

    named = named_arguments(function, args, kwargs or {})
    in_tree = tuple(take_apart(value, name, argument) for name, value in named)
    tracers = [Tracer(session, a.value, a.kind, a.spec_name if a.kind == "array" else None) for a in arguments]
    values = [tree.build(tracers) for tree in in_tree]
    try:
        result = function(*values[: len(args)], **dict(zip(kwargs or {}, values[len(args) :], strict=True)))
        results: list[SSAValue] = []
        out_tree = take_apart(result, "out", lambda v, n: _result(session, v, results))
    except ValueError as error:
        if isinstance(error.__cause__, TraceError):
            raise error.__cause__ from None  # NumPy hides it behind "setting an array element with a sequence"
        raise
    finally:
        session.open = False
    equal = assume_equal_sizes(session.block, session.symbols) if assume else []
    return _finish(session, name, arguments, in_tree, results, out_tree, equal)


def _argument(session: Session, value: Any, name: str, static_dims: Pinned) -> _Argument:
    array, kind = describe(value, name)
    shape: list[Expr] = []
    open_dims: list[tuple[int, Expr]] = []
    for axis, size in enumerate(array.shape):
        if is_static(size) or (name, axis) in static_dims:
            shape.append(Expr.constant(size))
            continue
        shape.append(session.symbols.new(size))
        open_dims.append((axis, shape[-1]))
    block_argument = session.block.insert_arg(tensor_of(array.dtype, shape), len(session.block.args))
    session.names[block_argument] = name
    return _Argument(name, kind, block_argument, tuple(open_dims))


def _result(session: Session, value: Any, results: list[SSAValue]) -> Tree:
    """A leaf of the function's result; arrays that are not traced are constants of the program."""
    if isinstance(value, Tracer | SymInt):
        session_of(value)
    elif not isinstance(value, np.ndarray):
        return Static(value)
    traced = operand(session, value)
    kind = traced.kind if isinstance(traced, Tracer) else "array"
    results.append(fill(session, traced, traced.dtype))
    return Leaf(len(results) - 1, kind)


def _finish(
    session: Session,
    name: str,
    arguments: list[_Argument],
    in_tree: tuple[Tree, ...],
    results: list[SSAValue],
    out_tree: Tree,
    equal: list[tuple[str, str]],
) -> Traced:
    block = session.block
    block.add_op(ReturnOp.create(operands=results))
    inputs = [_spec(a.value, a.spec_name, a.kind) for a in arguments]
    inputs += [_spec(v, session.names[v], "constant") for v in block.args[len(arguments) :]]
    for value in block.args:
        value.name_hint = session.names[value]
    function = FuncOp.create(  # which takes less time than the constructor
        properties={
            "sym_name": StringAttr(name),
            "function_type": FunctionType.from_lists([a.type for a in block.args], [r.type for r in results]),
        },
        attributes={"weld.arg_names": ArrayAttr([StringAttr(s.name) for s in inputs])},
        regions=[Region(block)],
    )
    outputs = tuple(ResultSpec(f"out{k}", dtype_of(scalar_of(v)), shape_of(v)) for k, v in enumerate(results))
    places = {str(symbol): (a.spec_name, axis) for a in arguments for axis, symbol in a.open_dims}
    return Traced(
        ModuleOp.create(regions=[Region(Block([function]))]),
        tuple(inputs),
        outputs,
        tuple(session.constants),
        in_tree,
        out_tree,
        _pinned(session.symbols, arguments),
        tuple((places[a], places[b]) for a, b in equal),
    )


def _spec(value: SSAValue, name: str, kind: str) -> ArgSpec:
    return ArgSpec(name, dtype_of(scalar_of(value)), shape_of(value), kind)


def _pinned(symbols: Symbols, arguments: list[_Argument]) -> Pinned:
    return frozenset(
        (a.spec_name, axis)
        for a in arguments
        for axis, symbol in a.open_dims
        if symbols.canonical(symbol).value is not None
    )
