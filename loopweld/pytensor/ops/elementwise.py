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
from loopweld.pytensor.ops.scalar_loops import is_known_loop, scalar_loop
from loopweld.pytensor.ops.scalars import emit_scalar, is_known
from loopweld.pytensor.registry import Node, lowers


def _is_known(node: Node) -> bool:
    op = node.op.scalar_op if isinstance(node.op, Elemwise) else node.op
    return is_known_loop(op) or is_known(op, node.inputs, node.outputs)


def _emit(low: Lowering, node: Node, op: ScalarOp, values: list[SSAValue]) -> list[SSAValue]:
    return scalar_loop(low, op, values) if is_known_loop(op) else emit_scalar(low.session, op, node.outputs, values)


@lowers(Elemwise, when=_is_known)
def elemwise(low: Lowering, node: Node) -> list[SSAValue]:
    shape = low.common_shape(node.inputs)
    values = [low.broadcast(low.value(v), shape) for v in node.inputs]
    return _emit(low, node, node.op.scalar_op, values)


@lowers(ScalarOp, when=_is_known)
def scalar(low: Lowering, node: Node) -> list[SSAValue]:
    return _emit(low, node, node.op, [low.value(v) for v in node.inputs])


@lowers(ScalarFromTensor, TensorFromScalar, ViewOp, DeepCopyOp)
def same(low: Lowering, node: Node) -> SSAValue:
    """The elements themselves; results of programs are always arrays of their own."""
    return low.value(node.inputs[0])
