"""Shapes as values, and ops that only rename elements."""

# PyTensor is there with `loopweld[pytensor]` only.
# pyright: reportMissingImports=false

from __future__ import annotations

from pytensor.graph.basic import Variable
from pytensor.tensor.elemwise import DimShuffle
from pytensor.tensor.reshape import JoinDims, SplitDims
from pytensor.tensor.shape import Reshape, Shape, Shape_i, SpecifyShape
from pytensor.tensor.type_other import NoneTypeT
from xdsl.ir import SSAValue

from loopweld.dialects.expr import Expr, exact_quotient, product_of
from loopweld.dialects.weld import Concat, Transpose
from loopweld.dialects.weld.types import Shape as Dims
from loopweld.pytensor.lowering import ONE, Lowering
from loopweld.pytensor.registry import Node, lowers


@lowers(DimShuffle)
def dim_shuffle(low: Lowering, node: Node) -> SSAValue:
    """Drops dims of size 1, permutes the others, and adds new ones where the order says "x"."""
    value, order = low.value(node.inputs[0]), node.op.new_order
    shape = low.shape(node.inputs[0])
    for axis, size in enumerate(shape):
        if axis not in order:
            low.same_size(size, ONE, f"DimShuffle drops axis {axis}, which must have size 1")
    kept = [k for k in order if k != "x"]
    shape = low.shape(node.inputs[0])
    squeezed = low.session.reshape(value, tuple(shape[k] for k in sorted(kept)))
    ranks = [sorted(kept).index(k) for k in kept]
    if ranks != sorted(ranks):
        squeezed = low.session.emit(Transpose.of(squeezed, ranks))
    return low.session.reshape(squeezed, tuple(ONE if k == "x" else shape[k] for k in order))


@lowers(Reshape, sizes=lambda node: node.inputs[1:])
def reshape(low: Lowering, node: Node) -> SSAValue:
    target = low.sizes(node.inputs[1])
    own = low.shape(node.inputs[0])
    return low.session.reshape(low.value(node.inputs[0]), completed(low, own, target))


def completed(low: Lowering, own: Dims, target: list[Expr]) -> Dims:
    """The new shape with its -1 filled in; ValueError where the number of elements differs."""
    symbols = low.symbols
    unknown = [k for k, e in enumerate(target) if symbols.example(e) == -1]
    ambiguous = len(unknown) > 1
    if unknown:
        rest = product_of(e for k, e in enumerate(target) if k not in unknown)
        ambiguous |= not symbols.positive(rest)  # any size would do
        target[unknown[0]] = _quotient(low, product_of(own), rest)
    total = product_of(own)
    if ambiguous or symbols.unify(product_of(target), total) is None:
        sizes = [-1 if k in unknown else symbols.example(e) for k, e in enumerate(target)]
        raise ValueError(f"cannot reshape array of size {symbols.example(total)} into shape {tuple(sizes)}")
    return tuple(symbols.canonical(e) for e in target)


def _quotient(low: Lowering, total: Expr, rest: Expr) -> Expr:
    """`total / rest`; where that is no expression of the sizes, for those of this call."""
    found = exact_quotient(total, rest)
    if found is not None:
        return found
    number, divisor = low.symbols.pin(total), low.symbols.pin(rest)
    return Expr.constant(number // divisor if divisor else 0)


@lowers(JoinDims)
def join_dims(low: Lowering, node: Node) -> SSAValue:
    shape, first = low.shape(node.inputs[0]), node.op.start_axis
    last = first + node.op.n_axes
    return low.session.reshape(
        low.value(node.inputs[0]), (*shape[:first], product_of(shape[first:last]), *shape[last:])
    )


@lowers(SplitDims, sizes=lambda node: node.inputs[1:])
def split_dims(low: Lowering, node: Node) -> SSAValue:
    shape, axis = low.shape(node.inputs[0]), node.op.axis
    parts = completed(low, (shape[axis],), low.sizes(node.inputs[1]))
    shape = low.shape(node.inputs[0])
    return low.session.reshape(low.value(node.inputs[0]), (*shape[:axis], *parts, *shape[axis + 1 :]))


def _given_sizes(node: Node) -> list[Variable]:
    return [v for v in node.inputs[1:] if not isinstance(v.type, NoneTypeT)]


@lowers(SpecifyShape, sizes=_given_sizes)
def specify_shape(low: Lowering, node: Node) -> SSAValue:
    """The value itself; its sizes are what is said, else AssertionError."""
    for axis, variable in enumerate(node.inputs[1:]):
        if isinstance(variable.type, NoneTypeT):
            continue
        said, size = low.size(variable), low.shape(node.inputs[0])[axis]
        if low.symbols.unify(size, said) is None:
            example = low.symbols.example
            raise AssertionError(
                f"SpecifyShape: dim {axis} of input has shape {example(size)}, expected {example(said)}."
            )
    return low.value(node.inputs[0])


@lowers(Shape)
def shape(low: Lowering, node: Node) -> SSAValue:
    sizes = [low.session.size(e) for e in low.shape(node.inputs[0])]
    if not sizes:
        return low.session.splat(0, low.session.dtype(low.session.size(ONE)), (Expr.constant(0),))
    rows = [low.session.reshape(s, (ONE,)) for s in sizes]
    return rows[0] if len(rows) == 1 else low.session.emit(Concat.of(rows, 0))


@lowers(Shape_i)
def shape_i(low: Lowering, node: Node) -> SSAValue:
    return low.session.size(low.shape(node.inputs[0])[node.op.i])
