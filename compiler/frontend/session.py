"""One trace under way: the block that grows, its size symbols, its constants, and the checks made so far."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from xdsl.ir import Attribute, Block, Operation, SSAValue

from ...dialects.expr import Expr
from ...dialects.weld import ELEMENTWISE, Broadcast, Constant, Iota, Reshape, Size
from ...dialects.weld.cast import Cast
from ...dialects.weld.types import BOOL, I64, dtype_of, element_of, kind_of, scalar_of, shape_of, tensor_of, tensor_type
from .locations import location_of, user_line
from .symbols import Shape, Symbols

SMALL = 16
"""Closure arrays of up to this many elements are constants in the program, larger ones extra inputs."""


class Session:
    """The state of one trace. Values are SSA values of `block`; every op gets the user's source line, which `line`
    finds."""

    def __init__(
        self, symbols: Callable[[Block], Symbols] = Symbols, line: Callable[[], tuple[str, int]] = user_line
    ) -> None:
        self.block = self.entry = Block()
        """Where ops go; the function's own block, which has the arguments."""
        self.symbols = symbols(self.block)
        self.line = line
        self.constants: list[np.ndarray[Any, Any]] = []
        self.names: dict[SSAValue, str] = {}
        self.checked: set[tuple[SSAValue, Expr, Expr, Shape]] = set()
        self.open = True
        self._inputs: dict[int, tuple[Any, SSAValue]] = {}

    def emit(self, op: Operation) -> SSAValue:
        op.location = location_of(self.line())
        self.block.add_op(op)
        return op.results[0]

    def apply(self, name: str, *values: SSAValue) -> SSAValue:
        """The elementwise op `weld.name` on values whose types already agree."""
        return self.emit(ELEMENTWISE[name].of(*values))

    def cast(self, value: SSAValue, dtype: np.dtype[Any]) -> SSAValue:
        element = element_type(dtype)
        return value if scalar_of(value) == element else self.emit(Cast.to(value, element))

    def broadcast(self, value: SSAValue, shape: Shape, axes: Sequence[int] | None = None) -> SSAValue:
        """The value repeated to `shape`; without `axes` its dims are the last ones."""
        if shape_of(value) == shape:
            return value
        return self.emit(Broadcast.to(value, shape, axes))

    def reshape(self, value: SSAValue, shape: Shape) -> SSAValue:
        return value if shape_of(value) == shape else self.emit(Reshape.to(value, shape))

    def splat(self, number: Any, dtype: np.dtype[Any], shape: Shape = ()) -> SSAValue:
        """The number in every element."""
        kind = tensor_of(dtype, shape)
        if kind_of(scalar_of(kind)) == "c":
            return self.broadcast(self._input(np.asarray(number, dtype)), shape)
        return self.emit(Constant.splat(number, kind))

    def size(self, expr: Expr, dtype: np.dtype[Any] | None = None) -> SSAValue:
        """A size as a 0-d value."""
        dtype = dtype or np.dtype(np.int64)
        expr = self.symbols.canonical(expr)
        if expr.value is not None:
            return self.splat(expr.value, dtype)
        return self.cast(self.emit(Size.of(expr, tensor_type(I64, ()))), dtype)

    def array(self, array: np.ndarray[Any, Any]) -> SSAValue:
        """A NumPy array as a value: a splat, an iota, a small constant, or an extra input of the program."""
        if array.size and array.dtype.kind != "c":
            first = array.reshape(-1)[0]
            if array.size == 1 or _all_same(array):
                return self.splat(first, array.dtype, static(array.shape))
            steps = _progression(array)
            if steps is not None:
                return self._progress(array, *steps)
        if array.size <= SMALL and array.dtype.kind != "c":
            return self.emit(Constant.of(array))
        return self._input(array)

    def _progress(self, array: np.ndarray[Any, Any], axis: int, step: int) -> SSAValue:
        """`start + step * iota` along the one axis of the array that is not 1."""
        shape, start = static(array.shape), int(array.reshape(-1)[0])
        element = element_type(array.dtype)
        value = self.emit(Iota.of(element, shape, axis))
        if step != 1:
            value = self.apply("mul", value, self.splat(step, array.dtype, shape))
        return self.apply("add", value, self.splat(start, array.dtype, shape)) if start else value

    def _input(self, array: np.ndarray[Any, Any]) -> SSAValue:
        found = self._inputs.get(id(array))
        if found is not None:
            return found[1]
        kind = tensor_of(array.dtype, array.shape)
        value = self.entry.insert_arg(kind, len(self.entry.args))
        self.names[value] = f"const{len(self.constants)}"
        self.constants.append(np.array(array, order="C"))
        self._inputs[id(array)] = (array, value)
        return value

    def dtype(self, value: SSAValue) -> np.dtype[Any]:
        return dtype_of(scalar_of(value))

    def truth(self, value: SSAValue) -> SSAValue:
        """The value as bool: `!= 0`."""
        return value if scalar_of(value) == BOOL else self.cast(value, np.dtype(np.bool_))


def element_type(dtype: np.dtype[Any]) -> Attribute:
    """The element type of a dtype; TypeError for dtypes that the IR does not hold."""
    element = element_of(dtype)
    if element is None:
        raise TypeError(f"compiled functions do not hold arrays of dtype {dtype}")
    return element


def static(shape: Sequence[int]) -> Shape:
    return tuple(Expr.constant(n) for n in shape)


def _all_same(array: np.ndarray[Any, Any]) -> bool:
    flat = array.reshape(-1)
    if flat.dtype.itemsize and bool(flat[0] != flat[-1]):
        return False
    bits = np.ascontiguousarray(flat).view(np.dtype((np.void, flat.dtype.itemsize)))
    return bits.tobytes() == bits[:1].tobytes() * flat.size


def _progression(array: np.ndarray[Any, Any]) -> tuple[int, int] | None:
    """(axis, step) of an integer array that grows evenly along its only axis longer than 1."""
    long = [k for k, n in enumerate(array.shape) if n != 1]
    if array.dtype.kind not in "iu" or len(long) != 1 or array.size < 3:
        return None
    flat = array.reshape(-1)
    step = int(flat[1]) - int(flat[0])
    last = int(flat[0]) + step * (flat.size - 1)
    if step <= 0 or int(flat[-1]) != last or bool(np.any(flat[1:] - flat[:-1] != step)):
        return None
    return long[0], step
