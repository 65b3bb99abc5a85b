"""`expand-products`: a computed matrix times a vector is multiplied and summed where the matrix is computed.

    %k = weld.exp %x : tensor<nxmxf32>                   %k = weld.exp %x : tensor<nxmxf32>
    %y = weld.matmul %k, %v : (nxm), (mx1) -> nx1   ->   %p = weld.mul %k, broadcast(%v) : tensor<nxmxf32>
                                                         %y = reshape(weld.sum %p {axes = 1}) : nxm -> nx1

Fused, that is one walk over what the matrix is computed from, while a call would write the matrix and read it back.
Two columns are a call's again: a loop reads their elements with a step, which costs as much as the matrix in memory.
"""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import SSAValue
from xdsl.passes import ModulePass

from ..dialects.ir import block_of, erase, ops_of
from ..dialects.weld.base import Builder, Elementwise, TensorOp
from ..dialects.weld.library import Matmul
from ..dialects.weld.reductions import Sum
from ..dialects.weld.types import kind_of, scalar_of, shape_of
from ..dialects.weld.views import Broadcast, Reshape, Transpose, View
from .fusion.graph import functions
from .points import compute_element


@dataclass(frozen=True)
class ExpandProducts(ModulePass):
    """Multiply and sum instead of calling the library, where one operand is a vector and the other one is computed."""

    name = "expand-products"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in functions(op):
            for inner in ops_of(function.body.block):
                if isinstance(inner, Matmul) and kind_of(scalar_of(inner.res)) != "c":
                    _expand(inner)


def _expand(product: Matmul) -> None:
    left, right = product.args
    if shape_of(right)[-1].value == 1 and is_computed(left):
        _multiply_and_sum(product, left, right, -1)
    elif shape_of(left)[-2].value == 1 and is_computed(right):
        _multiply_and_sum(product, right, left, -2)


def is_computed(value: SSAValue) -> bool:
    """Whether loops can compute the value's elements, so that a library call would need them written first."""
    while isinstance(view := value.owner, View):
        if not isinstance(view, Reshape | Transpose):
            return True  # no memory has its elements in this order
        value = view.args[0]
    op = value.owner
    return isinstance(op, Elementwise) or (isinstance(op, TensorOp) and type(op).point is not TensorOp.point)


def _multiply_and_sum(product: Matmul, matrix: SSAValue, vector: SSAValue, axis: int) -> None:
    """Sum the products along `axis` of the matrix; float16 in float32 and rounded once, as the library does."""
    b = Builder(block_of(product), product, product.location)
    element = scalar_of(product.res)
    shape = shape_of(matrix)
    axis += len(shape)
    flat = b.insert(Reshape.to(vector, (*shape[:-2], shape[axis])))
    places = [*range(len(shape) - 2), axis]
    wide = b.insert(Broadcast.to(flat.results[0], shape, places)).results[0]
    factors = [b.cast(v, compute_element(element)) for v in (matrix, wide)]
    total = b.insert(Sum.of(b.mul(*factors), [axis])).results[0]
    result = b.insert(Reshape.to(b.cast(total, element), shape_of(product.res)))
    product.res.replace_all_uses_with(result.results[0])
    erase(product)
