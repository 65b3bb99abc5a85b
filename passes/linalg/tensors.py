"""`tensor` ops and constants as weld ops."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from xdsl.dialects import affine, arith, tensor
from xdsl.dialects.builtin import DenseIntOrFPElementsAttr, IndexType, TensorType
from xdsl.ir import Operation, SSAValue

from ...dialects.expr import Expr, product_of
from ...dialects.weld import Concat, Constant, Gather, Insert, Pad, Scatter, Slice
from ...dialects.weld.constant import splat_of
from ...dialects.weld.types import I64, Shape, dtype_of, scalar_of, tensor_of, tensor_type
from . import scalars
from .maps import map_indices
from .symbols import declared_shape
from .translation import Translation, integers

Rule = Callable[[Translation, Any], SSAValue | Expr]


def read_constant(t: Translation, op: arith.ConstantOp) -> SSAValue | Expr:
    kind: Any = op.result.type
    if not isinstance(kind, TensorType):
        value: Any = op.value
        if isinstance(kind, IndexType):
            return Expr.constant(int(value.value.data))
        return scalars.constant(t.b, op)
    if not isinstance(op.value, DenseIntOrFPElementsAttr):
        t.fail("needs its values in the text: dense<...> instead of a resource")
    element = scalars.element_type(op.result.type)
    shape = tuple(Expr.constant(n) for n in kind.get_shape())
    values = scalars.dense_values(op.value)
    if len(values) == 1:
        return t.b.constant(values[0], tensor_type(element, shape))
    array = np.array(values).astype(dtype_of(element)).reshape(kind.get_shape())
    if tensor_of(array.dtype, array.shape) == tensor_type(element, shape):
        return t.b.insert(Constant.of(array)).results[0]
    return t.b.cast(t.b.insert(Constant.of(array)).results[0], element)


def read_empty(t: Translation, op: tensor.EmptyOp) -> SSAValue:
    """Zeros stand for contents that nobody may look at."""
    kind = op.tensor.type
    return t.b.constant(0, tensor_type(scalars.element_type(kind), t.sizes(kind, op.dynamic_sizes)))


def read_splat(t: Translation, op: tensor.SplatOp) -> SSAValue:
    return t.broadcast(t.tensor(op.input), t.sizes(op.result.type, op.dynamicSizes), [])


def read_cast(t: Translation, op: tensor.CastOp) -> SSAValue:
    if not isinstance(op.dest.type, TensorType):
        t.fail("to an unranked tensor is not supported; give the rank: tensor<?x?xf32>")
    return t.tensor(op.source)


def read_dim(t: Translation, op: tensor.DimOp) -> Expr:
    axis = t.size(op.index).value
    shape = t.shape(t.tensor(op.source))
    if axis is None or not 0 <= axis < len(shape):
        t.fail(f"needs a constant index below the rank {len(shape)}")
    return shape[axis]


def read_concat(t: Translation, op: tensor.ConcatOp) -> SSAValue:
    args = [t.tensor(a) for a in op.inputs]
    axis = int(op.dim.value.data)
    for other in args[1:]:
        a, b = list(t.shape(args[0])), list(t.shape(other))
        del a[axis], b[axis]
        t.agree(a, b, f"operands that agree outside axis {axis}")
    return t.b.insert(Concat.of(args, axis)).results[0]


def read_collapse(t: Translation, op: tensor.CollapseShapeOp) -> SSAValue:
    value = t.tensor(op.src)
    shape = t.shape(value)
    groups: Any = op.reassociation
    target = tuple(product_of(shape[k] for k in integers(group)) for group in groups)
    return t.reshape(value, target)


def read_expand(t: Translation, op: tensor.ExpandShapeOp) -> SSAValue:
    value = t.tensor(op.src)
    target = t.mixed(op.static_output_shape, op.dynamic_output_shape)
    groups: Any = op.reassociation
    for size, group in zip(t.shape(value), groups, strict=True):
        t.equate(size, product_of(target[k] for k in integers(group)), "a dim to be split into dims of its size")
    return t.reshape(value, t.symbols.resolve_shape(target))


def read_reshape(t: Translation, op: tensor.ReshapeOp) -> SSAValue:
    target = declared_shape(op.result.type)
    if any(e is None for e in target):
        t.fail("to sizes known only at run time is not supported; use tensor.expand_shape or tensor.collapse_shape")
    value = t.tensor(op.source)
    shape: Shape = tuple(e for e in target if e is not None)
    t.equate(product_of(t.shape(value)), product_of(shape), "as many elements as before")
    return t.reshape(value, shape)


def _dropped(sizes: Shape, rank: int, t: Translation) -> list[int]:
    """The axes of size 1 that a rank-reducing slice leaves out: the first ones that can go."""
    extra = len(sizes) - rank
    ones = [k for k, e in enumerate(sizes) if e.value == 1]
    if len(ones) < extra:
        t.fail(f"leaves out {extra} dims, but only {len(ones)} of its sizes are 1")
    return ones[:extra]


def _reduced_axes(t: Translation, sizes: Shape, declared: tuple[Expr | None, ...]) -> list[int]:
    """Which unit axes a rank-reducing slice drops so that the kept sizes match the declared ones."""
    if len(declared) == len(sizes):
        return []
    dropped: list[int] = []
    position = 0
    for axis, size in enumerate(sizes):
        wanted = declared[position] if position < len(declared) else Expr.constant(-1)
        must_keep = (wanted is None and size.value != 1) or (wanted is not None and (wanted == size or size.value != 1))
        if must_keep or len(sizes) - len(dropped) == len(declared):
            position += 1
        else:
            dropped.append(axis)
    return dropped if len(sizes) - len(dropped) == len(declared) else _dropped(sizes, len(declared), t)


def _require_inside(t: Translation, shape: Shape, start: Shape, size: Shape, step: Shape) -> None:
    """The slice lies within a tensor of `shape`."""
    for extent, first, count, stride in zip(shape, start, size, step, strict=True):
        t.require(first, "offsets that are not negative")
        t.require(count, "sizes that are not negative")
        if count.value != 0:
            t.require(extent - 1 - first - (count - 1) * stride, "a slice within the tensor")


def read_extract_slice(t: Translation, op: tensor.ExtractSliceOp) -> SSAValue:
    value = t.tensor(op.source)
    start = t.mixed(op.static_offsets, op.offsets)
    size = t.mixed(op.static_sizes, op.sizes)
    step = t.mixed(op.static_strides, op.strides)
    _require_inside(t, t.shape(value), start, size, step)
    sliced = t.b.insert(Slice.of(value, start, size, step)).results[0]
    dropped = _reduced_axes(t, size, declared_shape(op.result.type))
    return t.reshape(sliced, tuple(e for k, e in enumerate(size) if k not in dropped))


def read_insert_slice(t: Translation, op: tensor.InsertSliceOp) -> SSAValue:
    start = t.mixed(op.static_offsets, op.offsets)
    size = t.mixed(op.static_sizes, op.sizes)
    step = t.mixed(op.static_strides, op.strides)
    source, dest = t.tensor(op.source), t.tensor(op.dest)
    dropped = _reduced_axes(t, size, t.shape(source))
    t.agree(t.shape(source), [e for k, e in enumerate(size) if k not in dropped], "a source of the slice's sizes")
    if any(e.value is None or e.value < 1 for e in step):
        t.fail("needs constant positive strides")
    _require_inside(t, t.shape(dest), start, size, step)
    return t.b.insert(Insert.of(dest, t.reshape(source, size), start, step)).results[0]


def read_pad(t: Translation, op: tensor.PadOp) -> SSAValue:
    value = t.tensor(op.source)
    low, high = t.mixed(op.static_low, op.low), t.mixed(op.static_high, op.high)
    body = op.region.block
    if any(a.uses for a in body.args):
        t.fail("with a value that depends on the index is not supported; pad with a constant and select instead")
    for inner in body.ops:
        if not isinstance(inner, tensor.YieldOp):
            with t.reading(inner):
                if len(inner.results) != 1:
                    t.fail("is not supported in the region of tensor.pad; compute the value before it")
                t.define(inner.results[0], read_scalar(t, inner))
    last = body.last_op
    assert last is not None
    fill = t.tensor(last.operands[0])
    return t.b.insert(Pad.of(value, fill, low, high)).results[0]


def _positions(t: Translation, indices: list[SSAValue]) -> list[SSAValue]:
    return [t.b.cast(t.tensor(i), I64) for i in indices]


def read_extract(t: Translation, op: tensor.ExtractOp) -> SSAValue:
    value, indices = t.tensor(op.tensor), list(op.indices)
    known = [e for i in indices if (e := t.expr(i)) is not None]
    if len(known) < len(indices):
        return t.b.insert(Gather.of(value, _positions(t, indices), range(len(indices)), 0)).results[0]
    ones = (Expr.constant(1),) * len(known)
    sliced = t.b.insert(Slice.of(value, tuple(known), ones, ones)).results[0] if known else value
    return t.reshape(sliced, ())


def read_insert(t: Translation, op: tensor.InsertOp) -> SSAValue:
    scalar, dest, indices = t.tensor(op.scalar), t.tensor(op.dest), list(op.indices)
    known = [e for i in indices if (e := t.expr(i)) is not None]
    if not indices:
        return scalar
    if len(known) < len(indices):
        scatter = Scatter.of(dest, scalar, _positions(t, indices), range(len(indices)), 0, "set")
        return t.b.insert(scatter).results[0]
    ones = (Expr.constant(1),) * len(known)
    return t.b.insert(Insert.of(dest, t.reshape(scalar, ones), tuple(known), ones)).results[0]


def read_from_elements(t: Translation, op: tensor.FromElementsOp) -> SSAValue:
    shape = tuple(Expr.constant(n) for n in op.result.type.get_shape())
    args = [t.tensor(e) for e in op.elements]
    numbers = [splat_of(a) for a in args]
    element = scalar_of(args[0]) if args else scalars.element_type(op.result.type)
    if None not in numbers:
        array = np.array(numbers, dtype_of(element)).reshape(op.result.type.get_shape())
        if tensor_of(array.dtype, array.shape) == tensor_type(element, shape):
            return t.b.insert(Constant.of(array)).results[0]
    rows = [t.reshape(a, (Expr.constant(1),)) for a in args]
    joined = rows[0] if len(rows) == 1 else t.b.insert(Concat.of(rows, 0)).results[0]
    return t.reshape(joined, shape)


INTEGERS: dict[str, Callable[[Expr, Expr], Expr]] = {
    "arith.addi": lambda a, b: a + b,
    "arith.subi": lambda a, b: a - b,
    "arith.muli": lambda a, b: a * b,
    **{f"arith.{n}": lambda a, b: a // b for n in ("divsi", "divui", "floordivsi")},
    **{f"arith.{n}": lambda a, b: -((-a) // b) for n in ("ceildivsi", "ceildivui")},
    **{f"arith.{n}": lambda a, b: a % b for n in ("remsi", "remui")},
}
"""Arithmetic on sizes, which are not negative."""


def read_scalar(t: Translation, op: Operation) -> SSAValue | Expr:
    """An arith or math op outside of a body: on tensors, on 0-d values, or on sizes."""
    if isinstance(op, arith.ConstantOp):
        return read_constant(t, op)
    known = [t.expr(a) for a in op.operands]
    exprs = [e for e in known if e is not None]
    if isinstance(op.results[0].type, IndexType) and len(exprs) == len(known):
        if op.name == "arith.index_cast":
            return exprs[0]
        if op.name in INTEGERS and (len(exprs) < 2 or exprs[1].value != 0):
            return INTEGERS[op.name](*exprs)
    if op.name == "arith.index_cast" and isinstance(t.values.get(op.operands[0]), Expr):
        return exprs[0]
    return scalars.translate(t.b, op, t.elementwise([t.tensor(a) for a in op.operands]))


def read_apply(t: Translation, op: affine.ApplyOp) -> Expr:
    operands = [t.size(v) for v in op.mapOperands]
    affine_map = op.map.data
    count = affine_map.num_dims
    return map_indices(affine_map, operands[:count], operands[count:])[0]


RULES: dict[str, Rule] = {
    "arith.constant": read_constant,
    "affine.apply": read_apply,
    "tensor.empty": read_empty,
    "tensor.splat": read_splat,
    "tensor.cast": read_cast,
    "tensor.dim": read_dim,
    "tensor.concat": read_concat,
    "tensor.collapse_shape": read_collapse,
    "tensor.expand_shape": read_expand,
    "tensor.reshape": read_reshape,
    "tensor.extract_slice": read_extract_slice,
    "tensor.insert_slice": read_insert_slice,
    "tensor.pad": read_pad,
    "tensor.extract": read_extract,
    "tensor.insert": read_insert,
    "tensor.from_elements": read_from_elements,
}
"""Ops with one result, by name."""
