"""The NumPy evaluator: what a module means, at every stage that is still by value.

It is the oracle of all tests and of `check=True`, and it runs library calls. It never fuses; a generic is
evaluated by broadcasting its body over the whole domain.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Operation, SSAValue

from ..dialects.expr import Expr
from ..dialects.weld import Check, Constant, Generic, Index, Inside, Kernel, Load, Size, Yield
from ..dialects.weld.attributes import Result, Where
from ..dialects.weld.base import Elementwise, TensorOp, quiet
from ..dialects.weld.indexing import EXCEPTIONS, SCATTER_KINDS
from ..dialects.weld.library import Call
from ..dialects.weld.recurrence import STEP, Recurrence
from ..dialects.weld.reductions import REDUCTIONS
from ..dialects.weld.types import dtype_of, scalar_of, shape_of
from .fusion.graph import check_is_straight

Sizes = Callable[[Expr], int]


def find_function(module: ModuleOp, name: str = "main") -> FuncOp:
    """The function called `name`; ValueError with the names that exist where there is none."""
    functions = [op for op in module.ops if isinstance(op, FuncOp)]
    for function in functions:
        if function.sym_name.data == name:
            check_is_straight(function)
            return function
    names = ", ".join("@" + f.sym_name.data for f in functions) or "none"
    raise ValueError(f"the module has no function @{name}; it has {names}")


def bind_symbols(function: FuncOp, inputs: Sequence[Any]) -> dict[str, int]:
    """The value of each size symbol, from the inputs' shapes.

    Raises ValueError where an input does not have the rank or a size that its type tells.
    """
    values: dict[str, int] = {}
    shapes = [
        (k, shape_of(arg), np.shape(a)) for k, (arg, a) in enumerate(zip(function.body.block.args, inputs, strict=True))
    ]
    for k, shape, actual in shapes:
        if len(shape) != len(actual):
            raise ValueError(f"input {k} has {len(actual)} dims, expected {len(shape)}")
        for expr, size in zip(shape, actual, strict=True):
            if len(expr.terms) == 1 and expr.terms[0][1] == 1 and len(expr.terms[0][0]) == 1:
                values.setdefault(expr.terms[0][0][0], size)
    for k, shape, actual in shapes:
        for axis, (expr, size) in enumerate(zip(shape, actual, strict=True)):
            if expr.evaluate(values.__getitem__) != size:
                raise ValueError(
                    f"input {k} has size {size} along axis {axis}, expected {expr}"
                    + ("" if expr.value is not None else f" = {expr.evaluate(values.__getitem__)}")
                )
    return values


def evaluate(module: ModuleOp, inputs: Sequence[Any], entry: str = "main") -> list[Any]:
    """The results of function `entry` on arrays of its argument types.

    Raises what the program's own checks raise, and ValueError for wrong input shapes.
    """
    function = find_function(module, entry)
    symbols = bind_symbols(function, inputs)

    def size(expr: Expr) -> int:
        return expr.evaluate(symbols.__getitem__)

    with quiet():
        return evaluate_function(function, inputs, size)


def evaluate_function(function: FuncOp, inputs: Sequence[Any], size: Sizes) -> list[Any]:
    """The results of a function of straight-line code."""
    env: dict[SSAValue, Any] = dict(zip(function.body.block.args, map(np.asarray, inputs), strict=True))
    for op in function.body.block.ops:
        if isinstance(op, ReturnOp):
            return [np.asarray(env[v]) for v in op.operands]
        evaluate_op(op, env, size)
    raise ValueError(f"@{function.sym_name.data} has no func.return")


def evaluate_op(op: Operation, env: dict[SSAValue, Any], size: Sizes) -> None:
    """Evaluate one tensor op, adding its results to `env`."""
    if isinstance(op, Kernel):
        for member in op.block.ops:
            if not isinstance(member, Yield):
                evaluate_op(member, env, size)
        results: Sequence[Any] = [env[v] for v in op.terminator.operands]
    elif isinstance(op, Generic):
        results = evaluate_generic(op, env, size)
    elif isinstance(op, Recurrence):
        results = evaluate_recurrence(op, [env[v] for v in op.operands], size)
    elif isinstance(op, Check):
        if bool(env[op.bad]):
            raise EXCEPTIONS[op.exception.data](op.message.data)
        results = []
    else:
        results = reference(op, [env[v] for v in op.operands], size)
    for value, array in zip(op.results, results, strict=True):
        env[value] = array


def reference(op: Operation, arrays: Sequence[Any], size: Sizes) -> Sequence[Any]:
    """The results of a tensor-level op on arrays, by its own NumPy reference."""
    if isinstance(op, Constant):
        return [op.array(size)]
    if isinstance(op, Size):
        return [np.asarray(size(op.expr.data[0]), dtype_of(scalar_of(op.res)))]
    if isinstance(op, Elementwise):
        return [np.asarray(op.reference(*arrays)).astype(dtype_of(scalar_of(op.res)), copy=False)]
    if isinstance(op, Call):
        return op.reference(*arrays, size=size)
    if isinstance(op, TensorOp):
        return [np.asarray(op.reference(*arrays, size=size))]
    raise ValueError(f"{op.name} has no NumPy reference")


def evaluate_generic(op: Generic, env: dict[SSAValue, Any], size: Sizes) -> list[Any]:
    """A generic's results: the body on index grids that broadcast over the domain."""
    sizes = [size(e) for e in op.sizes]
    grid = {
        name: np.arange(n).reshape([-1 if k == j else 1 for j in range(len(sizes))])
        for k, (name, n) in enumerate(zip(op.dims, sizes, strict=True))
    }
    values: dict[SSAValue, Any] = {}

    def at(expr: Expr, extra: dict[str, Any]) -> Any:
        def lookup(name: str) -> Any:
            return extra[name] if name in extra else grid[name] if name in grid else size(Expr.symbol(name))

        return expr.evaluate(lookup)

    inside = _inside(op.guards, at)
    for inner in op.block.ops:
        if isinstance(inner, Load):
            values[inner.res] = _load(inner, env, values, at, inside)
        elif isinstance(inner, Index):
            values[inner.res] = np.asarray(at(inner.value, {}))
        elif isinstance(inner, Inside):
            values[inner.res] = _inside(inner.guards.data, at)
        elif not isinstance(inner, Yield):
            arrays = [values[v] for v in inner.operands]
            values[inner.results[0]] = reference(inner, arrays, size)[0]
    starts = iter(op.inits)
    results: list[Any] = []
    for result, out, yielded in zip(op.results_given, op.outs, op.yielded(), strict=True):
        arrays = [np.broadcast_to(values[v], sizes) for v in yielded]
        if op.guards:
            identity = REDUCTIONS[result.kind].identity(scalar_of(yielded[0]))
            arrays[0] = np.where(inside, arrays[0], np.asarray(identity, arrays[0].dtype))
        start = env[next(starts)] if result.is_scatter else None
        shape = [size(e) for e in shape_of(out)]
        results.append(_give(op, result, arrays, shape, dtype_of(scalar_of(out)), start, at))
    return results


def evaluate_recurrence(op: Recurrence, arrays: Sequence[Any], size: Sizes) -> list[Any]:
    """A recurrence's results, step by step."""
    step, operands = op.function(), dict(zip(op.operands, arrays, strict=True))
    results = [
        np.array(operands[init])
        if init is not None
        else np.zeros([size(e) for e in shape_of(out)], dtype_of(scalar_of(out)))
        for out, init in zip(op.outs, op.inits, strict=True)
    ]
    tensors = [*results, *arrays]
    for number in range(size(op.steps)):

        def row(expr: Expr, number: int = number) -> int:
            return expr.evaluate(lambda name: number if name == STEP else size(Expr.symbol(name)))

        found = evaluate_function(step, [np.array(tensors[k][row(e)]) for k, e in op.rows_read], size)
        for (k, e), value in zip(op.rows_written, found, strict=True):
            results[k][row(e)] = value
        if op.until is not None and results[op.until.value.data].all():
            break
    return results


def _inside(guards: Sequence[Expr], at: Callable[..., Any]) -> Any:
    inside: Any = np.asarray(True)
    for guard in guards:
        inside = inside & (np.asarray(at(guard, {})) >= 0)
    return inside


def _load(op: Load, env: dict[SSAValue, Any], values: dict[SSAValue, Any], at: Callable[..., Any], domain: Any) -> Any:
    array = env[op.tensor]
    where: Where = op.where
    extra = {f"i{k}": values[v] for k, v in enumerate(op.indices)}
    inside = domain & _inside(where.guards, at)
    if op.guard is not None:
        inside = inside & values[op.guard]
    indices = [np.asarray(at(e, extra)) for e in where.indices]
    plain = bool(np.all(inside))
    if not plain:
        if 0 in array.shape:
            shape = np.broadcast_shapes(np.shape(inside), *(i.shape for i in indices))
            return np.zeros(shape, array.dtype)
        indices = [np.where(inside, i, 0) for i in indices]
    value = array[tuple(indices)]
    return value if plain else np.where(inside, value, np.zeros((), array.dtype))


def _give(
    op: Generic, result: Result, arrays: list[Any], shape: list[int], dtype: Any, start: Any, at: Callable[..., Any]
) -> Any:
    """One result tensor from the broadcast values that the body yields for it."""
    if result.is_scatter:
        return _scatter(result, arrays, start, at)
    names = [str(e) for e in result.indices]
    axes = tuple(k for k, d in enumerate(op.dims) if d not in names)
    order = [n for n in op.dims if n in names]
    value = arrays[0]
    if result.is_reduction:
        kind = REDUCTIONS[result.kind]
        if result.values == 2:
            value = _argument(kind, arrays, axes)
        else:
            value = kind.reduce_array(value, axes)
    permutation = [order.index(n) for n in names if n != "0"]
    return np.transpose(value, permutation).reshape(shape).astype(dtype, order="C")


def _argument(kind: Any, arrays: list[Any], axes: tuple[int, ...]) -> Any:
    """argmax and argmin: the yielded position at the first best value in domain order."""
    value, position = arrays
    kept = [k for k in range(value.ndim) if k not in axes]
    order = kept + list(axes)
    rows = [value.shape[k] for k in kept] + [int(np.prod([value.shape[k] for k in axes]))]
    best = kind.numpy(np.transpose(value, order).reshape(rows), axis=-1)
    positions = np.transpose(position, order).reshape(rows)
    return np.take_along_axis(positions, best[..., None], -1)[..., 0]


def _scatter(result: Result, arrays: list[Any], start: Any, at: Callable[..., Any]) -> Any:
    value, store, *indices = arrays
    target = np.array(start)
    extra = dict(zip(result.index_names, indices, strict=True))
    where = [np.broadcast_to(np.asarray(at(e, extra)), value.shape)[store] for e in result.indices]
    ufunc = SCATTER_KINDS[result.kind.removeprefix("scatter_")]
    if ufunc is None:
        target[tuple(where)] = value[store]
    else:
        ufunc.at(target, tuple(where), value[store])
    return target
