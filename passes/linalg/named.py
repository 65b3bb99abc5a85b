"""The named `linalg` ops: those that are one weld op become it, the others are read by their maps and body."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from xdsl.dialects import linalg
from xdsl.dialects.arith import ConstantOp
from xdsl.dialects.builtin import AffineMapAttr, TensorType
from xdsl.dialects.linalg.abstract_ops import ElementwiseOperation, LinalgStructuredOperation, PoolingOperation
from xdsl.ir import Operation, SSAValue
from xdsl.ir.affine import AffineMap

from ...dialects.upstream.ops import ElementwiseOp, MapOp, ReduceOp
from ...dialects.weld import Broadcast, Transpose
from ...dialects.weld.types import scalar_of
from . import scalars
from .scalars import Unsupported
from .structured import Structured, read_structured
from .translation import Translation, integers

Rule = Callable[[Translation, Any], list[SSAValue]]


def read_fill(t: Translation, op: Any) -> list[SSAValue]:
    value, init = t.tensor(op.inputs[0]), t.tensor(op.outputs[0])
    return [t.broadcast(t.b.cast(value, scalar_of(init)), t.shape(init), [])]


def read_transpose(t: Translation, op: Any) -> list[SSAValue]:
    value, init = t.tensor(op.inputs[0]), t.tensor(op.outputs[0])
    result = t.b.insert(Transpose.of(value, integers(op.permutation))).results[0]
    t.agree(t.shape(result), t.shape(init), "an output of the transposed shape")
    return [result]


def read_broadcast(t: Translation, op: Any) -> list[SSAValue]:
    value, init = t.tensor(op.input), t.tensor(op.init)
    shape, new = t.shape(init), integers(op.dimensions)
    axes = [k for k in range(len(shape)) if k not in new]
    t.agree(t.shape(value), [shape[k] for k in axes], "an output of the input's sizes")
    return [t.b.insert(Broadcast.to(value, t.shape(init), axes)).results[0]]


def read_reduce(t: Translation, op: ReduceOp) -> list[SSAValue]:
    rank = len(t.shape(t.tensor(op.inputs[0])))
    reduced = integers(op.dimensions)
    whole = AffineMap.identity(rank)
    kept = whole.drop_results([k in reduced for k in range(rank)])
    maps = [AffineMapAttr(m) for m in (whole, kept) for _ in op.inputs]
    return read_structured(t, Structured.of(op.inputs, op.inits, maps, op.combiner.block))


def read_map(t: Translation, op: MapOp) -> list[SSAValue]:
    whole = AffineMapAttr(AffineMap.identity(len(t.shape(t.tensor(op.init)))))
    maps = [whole] * len(op.operands)
    return read_structured(t, Structured.of(op.inputs, [op.init], maps, op.mapper.block))


def read_elementwise(t: Translation, op: ElementwiseOperation | ElementwiseOp) -> list[SSAValue]:
    """add, exp, select, copy, ...: the one op of the body on whole tensors."""
    body = op.body.block
    args = [t.tensor(v) for v in (*op.inputs, *op.outputs)]
    shaped = t.elementwise(args)
    values: dict[SSAValue, SSAValue] = dict(zip(body.args, shaped, strict=True))
    for inner in body.ops:
        if isinstance(inner, linalg.ops.YieldOp):
            return [t.b.cast(values[inner.operands[0]], scalar_of(args[-1]))]
        if isinstance(inner, ConstantOp):
            values[inner.result] = t.broadcast(scalars.constant(t.b, inner), t.shape(shaped[-1]), [])
            continue
        values[inner.results[0]] = scalars.translate(t.b, inner, [values[v] for v in inner.operands])
    raise AssertionError(f"the body of {op.name} has no yield")


def read_by_maps(t: Translation, op: LinalgStructuredOperation) -> list[SSAValue]:
    maps: Sequence[AffineMapAttr] = op.get_indexing_maps().data
    if not maps:
        t.fail("needs an operand that its loops index")
    return read_structured(t, Structured.of(op.inputs, op.outputs, maps, op.body.block))


def read_pooling(t: Translation, op: PoolingOperation) -> list[SSAValue]:
    """xDSL's body combines the input with the window, whose values mean nothing, instead of with the output."""
    body = op.body.clone().block
    for inner in body.ops:
        inner.operands = [body.args[2] if v is body.args[1] else v for v in inner.operands]
    return read_structured(t, Structured.of(op.inputs, op.outputs, op.get_indexing_maps().data, body))


RULES: dict[str, Rule] = {
    "linalg.fill": read_fill,
    "linalg.transpose": read_transpose,
    "linalg.broadcast": read_broadcast,
    "linalg.reduce": read_reduce,
    "linalg.map": read_map,
}


def read_linalg(t: Translation, op: Operation) -> list[SSAValue]:
    """The weld tensors of a linalg op's results. Raises Unsupported."""
    if any(not isinstance(v.type, TensorType) for v in op.operands[-max(len(op.results), 1) :]) or not op.results:
        raise Unsupported("works on buffers here; loopweld reads linalg on tensors (tensor<...> in outs)")
    rule = RULES.get(op.name)
    if rule is not None:
        return rule(t, op)
    if isinstance(op, ElementwiseOperation) or (isinstance(op, ElementwiseOp) and op.is_plain):
        return read_elementwise(t, op)
    if isinstance(op, PoolingOperation):
        return read_pooling(t, op)
    if isinstance(op, LinalgStructuredOperation):
        return read_by_maps(t, op)
    raise Unsupported("has no weld form; write it as linalg.generic")
