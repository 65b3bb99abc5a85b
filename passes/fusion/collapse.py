"""Collapsing adjacent dims of a reduction into one: the same elements in the same order, through reshaped tensors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from xdsl.dialects.func import FuncOp
from xdsl.ir import Block, Operation, SSAValue

from ...dialects.expr import Expr, product_of
from ...dialects.ir import block_of, ops_of
from ...dialects.weld.attributes import Access, Where
from ...dialects.weld.generic import Generic, Index, Inside, Load, Yield
from ...dialects.weld.types import Shape, shape_of
from ...dialects.weld.views import Reshape, Transpose
from ..generalize import strided_arguments
from .merge import replace_generic, substituted


def collapsible(op: Generic, dims: Sequence[str]) -> bool:
    """Whether every load walks all of its tensor along `dims`, in their order, or does not move along them; and what
    else depends on them counts the elements in that order."""
    first = op.dims.index(dims[0])
    if tuple(dims) != op.dims[first : first + len(dims)]:
        return False
    for inner in ops_of(op.block):
        if isinstance(inner, Load) and not _walks(inner, op, dims):
            return False
        if isinstance(inner, Index) and not _counts(inner.value, op, dims):
            return False
        if isinstance(inner, Inside) and any(g.names & set(dims) for g in inner.guards.data):
            return False
    return True


def _counts(expr: Expr, op: Generic, dims: Sequence[str]) -> bool:
    """Whether the expression depends on `dims` by their row-major position only."""
    step = expr.coefficient(dims[-1])
    for dim in reversed(dims):
        if step is None or expr.coefficient(dim) != step:
            return False
        step = step * op.sizes[op.dims.index(dim)]
    return True


def _walks(load: Load, op: Generic, dims: Sequence[str]) -> bool:
    names = {n for e in (*load.where.indices, *load.where.guards) for n in e.names}
    if not names & set(dims):
        return True
    place = _place(load, dims)
    if place is None or load.indices or load.where.guards or not _is_dense(load.tensor, op):
        return False
    sizes = tuple(op.sizes[op.dims.index(d)] for d in dims)
    others = (*load.where.indices[:place], *load.where.indices[place + len(dims) :])
    return shape_of(load.tensor)[place : place + len(dims)] == sizes and not any(e.names & set(dims) for e in others)


def _place(load: Load, dims: Sequence[str]) -> int | None:
    """The axis from which on the load's indices are the dims."""
    indices = [str(e) for e in load.where.indices]
    starts = range(len(indices) - len(dims) + 1)
    return next((k for k in starts if indices[k : k + len(dims)] == list(dims)), None)


def _is_dense(tensor: SSAValue, op: Generic) -> bool:
    function = block_of(op).parent_op()
    return not isinstance(tensor.owner, Transpose) and not (
        isinstance(function, FuncOp) and tensor in strided_arguments(function)
    )


def collapse(op: Generic, dims: Sequence[str]) -> Generic:
    """The reduction with `dims` as one; `collapsible` says where that is right.

    generic over "n, m" gives "sum" { load %x "d0, d1" }  ->  generic over "n * m" gives "sum" { load %y "d0" }
    """
    first, count = op.dims.index(dims[0]), len(dims)
    sizes = (*op.sizes[:first], product_of(op.sizes[first : first + count]), *op.sizes[first + count :])
    new = {d: Expr.symbol(f"d{k if k < first else k - count + 1}") for k, d in enumerate(op.dims)}
    new |= {d: Expr.constant(0) for d in dims[:-1]}  # the last one stands for the position
    body, copies = Block(), dict[SSAValue, SSAValue]()
    for inner in ops_of(op.block):
        copy = _copy(inner, dims, new, copies)
        copy.location = inner.location
        body.add_op(copy)
        copies |= dict(zip(inner.results, copy.results, strict=True))
    results = [r.substitute(new) for r in op.results_given]
    collapsed = Generic.of(sizes, results, [o.type for o in op.outs], body)
    replace_generic(op, collapsed, op.outs)
    return collapsed


def _copy(
    op: Operation, dims: Sequence[str], new: Mapping[str, Expr], copies: Mapping[SSAValue, SSAValue]
) -> Operation:
    operands = [copies.get(v, v) for v in op.operands]
    if isinstance(op, Yield):
        return Yield.create(operands=operands)
    properties = substituted(op, new)
    place = _place(op, dims) if isinstance(op, Load) else None
    if isinstance(op, Load) and place is not None:
        shape, indices = shape_of(op.tensor), op.where.substitute(new).indices
        end = place + len(dims)
        merged = product_of(shape[place:end])
        operands[0] = _reshaped(op.tensor, (*shape[:place], merged, *shape[end:]), op)
        properties["access"] = Access(Where((*indices[:place], new[dims[-1]], *indices[end:])))
    return type(op).create(
        operands=operands, result_types=[r.type for r in op.results], properties=properties, attributes=op.attributes
    )


def _reshaped(tensor: SSAValue, shape: Shape, load: Load) -> SSAValue:
    """The tensor in another shape, made once and right after it."""
    for use in tensor.uses:
        if isinstance(use.operation, Reshape) and shape_of(use.operation.res) == shape:
            return use.operation.res
    reshaped = Reshape.to(tensor, shape)
    reshaped.location = load.location
    if isinstance(tensor.owner, Operation):
        block_of(tensor.owner).insert_op_after(reshaped, tensor.owner)
    else:
        front = tensor.owner.first_op
        assert front is not None
        tensor.owner.insert_op_before(reshaped, front)
    return reshaped.res
