"""How the arrays of a call lie in memory: what a program is compiled for, and how its arguments say so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from xdsl.dialects.builtin import ArrayAttr, DictionaryAttr
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Attribute, SSAValue

from ..dialects.expr import Expr
from ..dialects.ir import set_type
from ..dialects.weld.attributes import Dims
from ..dialects.weld.types import scalar_of, shape_of, tensor_type
from ..dialects.weld.views import Transpose, axes_attribute


@dataclass(frozen=True)
class Layout:
    """The memory of an array that is not row-major."""

    order: tuple[int, ...]
    """Its axes by their strides, the largest one first; where all elements of an axis are one it comes first."""
    strides: tuple[int | None, ...] | None
    """In that order, in elements: 0, 1, or None for any other. None as a whole: row-major in that order."""


def layout_of(array: Any) -> Layout | None:
    """None for a row-major array, and for what the call copies to one: elements at odd addresses."""
    flags, itemsize = array.flags, array.itemsize
    if not flags.aligned or flags.c_contiguous or any(s % itemsize for s in array.strides):
        return None
    steps = [s // itemsize for s in array.strides]
    sizes = array.shape
    order = tuple(sorted(range(len(steps)), key=lambda k: (steps[k] != 0 and sizes[k] != 1, -abs(steps[k]))))
    if array.transpose(order).flags.c_contiguous:
        return Layout(order, None)
    return Layout(order, tuple(steps[k] if steps[k] in (0, 1) else None for k in order))


def lay_out(function: FuncOp, number: int, layout: Layout) -> dict[str, Attribute]:
    """Give an argument its axes in the order of memory, with a view for those that use it; the attributes that it
    then needs. Strides that are not known become symbols.

    func @main(%x: tensor<4x9xf32>) {   ->   func @main(%x: tensor<9x4xf32> {weld.order = array<i64: 1, 0>}) {
                                               %0 = weld.transpose %x {permutation = array<i64: 1, 0>}
    """
    block = function.body.block
    argument: SSAValue = block.args[number]
    order, attributes = layout.order, _attributes(layout, f"stride{number}")
    if "weld.order" not in attributes:
        return attributes
    shape = shape_of(argument)
    set_type(argument, tensor_type(scalar_of(argument), tuple(shape[axis] for axis in order)))
    view = Transpose.of(argument, [order.index(axis) for axis in range(len(order))])
    first = block.first_op
    assert first is not None
    argument.replace_uses_with_if(view.res, lambda use: use.operation is not view)
    block.insert_op_before(view, first)
    function.update_function_type()
    return attributes


def lay_out_results(function: FuncOp, layouts: Sequence[Layout | None]) -> None:
    """Say how each result lies in memory, with its axes in that order; None is row-major.

    func.return %y : tensor<4x9xf32>   ->   %0 = weld.transpose %y {permutation = array<i64: 1, 0>}
                                            func.return %0 : tensor<9x4xf32>      {weld.order = array<i64: 1, 0>}
    """
    block = function.body.block
    returns = block.last_op
    assert isinstance(returns, ReturnOp)
    found = [_attributes(e, f"outstride{k}") if e is not None else {} for k, e in enumerate(layouts)]
    for k, layout in enumerate(layouts):
        if layout is not None and "weld.order" in found[k]:
            view = Transpose.of(returns.operands[k], layout.order)
            block.insert_op_before(view, returns)
            returns.operands[k] = view.res
    function.properties["res_attrs"] = ArrayAttr([DictionaryAttr(attributes) for attributes in found])
    function.update_function_type()


def _attributes(layout: Layout, symbol: str) -> dict[str, Attribute]:
    """`weld.strides` of an array that is not dense, `weld.order` of one whose axes are not in the order of memory."""
    found: dict[str, Attribute] = {}
    if layout.strides is not None:
        steps = zip(layout.order, layout.strides, strict=True)
        strides = [Expr.symbol(f"{symbol}_{axis}") if s is None else Expr.constant(s) for axis, s in steps]
        found["weld.strides"] = Dims(tuple(strides))
    if layout.order != tuple(range(len(layout.order))):
        found["weld.order"] = axes_attribute(layout.order)
    return found


def is_writable(array: Any) -> bool:
    """Whether loops can write an array where it is: whole elements apart, and no two elements in one place."""
    if not array.flags.aligned or any(s % array.itemsize for s in array.strides):
        return False
    end = 0
    for step, size in sorted((abs(s), n) for s, n in zip(array.strides, array.shape, strict=True) if n > 1):
        if step < end + array.itemsize:
            return False
        end += step * (size - 1)
    return True
