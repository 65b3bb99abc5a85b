"""Elementwise ops on tensors and on scalars."""

# PyTensor is there with `loopweld[pytensor]` only.
# pyright: reportMissingImports=false

from __future__ import annotations

from pytensor.compile.ops import DeepCopyOp, ViewOp
from pytensor.scalar.basic import ScalarOp
from pytensor.tensor.basic import ScalarFromTensor, TensorFromScalar
from pytensor.tensor.elemwise import Elemwise
from xdsl.ir import SSAValue

from loopweld.pytensor.lowering import Lowering
from loopweld.pytensor.ops.scalars import emit_scalar, is_known
from loopweld.pytensor.registry import Node, lowers


@lowers(Elemwise, when=lambda node: is_known(node.op.scalar_op, node.inputs, node.outputs))
def elemwise(low: Lowering, node: Node) -> list[SSAValue]:
    shape = low.common_shape(node.inputs)
    values = [low.broadcast(low.value(v), shape) for v in node.inputs]
    return emit_scalar(low.session, node.op.scalar_op, node.outputs, values)


@lowers(ScalarOp, when=lambda node: is_known(node.op, node.inputs, node.outputs))
def scalar(low: Lowering, node: Node) -> list[SSAValue]:
    return emit_scalar(low.session, node.op, node.outputs, [low.value(v) for v in node.inputs])


@lowers(ScalarFromTensor, TensorFromScalar, ViewOp, DeepCopyOp)
def same(low: Lowering, node: Node) -> SSAValue:
    """The elements themselves; results of programs are always arrays of their own."""
    return low.value(node.inputs[0])
