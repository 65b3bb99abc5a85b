"""Reductions over axes: `CAReduce` in all its kinds, and positions of extremes."""

# PyTensor is there with `loopweld[pytensor]` only.
# pyright: reportMissingImports=false

from __future__ import annotations

from typing import Any

import numpy as np
import pytensor.scalar as ps
from pytensor.tensor.elemwise import CAReduce
from pytensor.tensor.math import Argmax, MulWithoutZeros
from xdsl.ir import SSAValue

from loopweld.compiler.frontend.session import element_type
from loopweld.dialects.weld import REDUCTIONS
from loopweld.dialects.weld.types import kind_of, shape_of
from loopweld.pytensor.lowering import Lowering
from loopweld.pytensor.registry import Node, dtype_of, lowers, static_shape

KINDS: dict[type, str] = {
    ps.Add: "sum",
    ps.Mul: "prod",
    MulWithoutZeros: "prod",
    ps.Maximum: "max",
    ps.Minimum: "min",
    ps.AND: "and",
    ps.OR: "or",
    ps.XOR: "xor",
}
LOGICAL = {"and": "all", "or": "any"}


def _kind(node: Node) -> str | None:
    """The kind of weld reduction, None where there is none for the dtype it accumulates in."""
    kind = KINDS.get(type(node.op.scalar_op))
    if kind is None:
        return None
    work = _work(node)
    if work.kind == "b":
        kind = {"sum": "any", "prod": "all", **LOGICAL}.get(kind, kind)
    return kind if kind_of(element_type(work)) in REDUCTIONS[kind].kinds else None


def _work(node: Node) -> np.dtype[Any]:
    """What it accumulates in."""
    source, target = dtype_of(node.inputs[0]), dtype_of(node.outputs[0])
    scalar = node.op.scalar_op
    if isinstance(scalar, ps.Maximum | ps.Minimum):
        return source
    if isinstance(scalar, ps.AND | ps.OR | ps.XOR):
        return target
    return np.dtype(node.op._acc_dtype(source.name))


def _axes(node: Node) -> list[int]:
    rank = len(static_shape(node.inputs[0]))
    axis = node.op.axis
    return list(range(rank)) if axis is None else sorted(k % rank for k in axis)


@lowers(CAReduce, when=lambda node: _kind(node) is not None)
def reduce(low: Lowering, node: Node) -> SSAValue:
    kind, work = _kind(node), _work(node)
    assert kind is not None
    value = low.cast(low.value(node.inputs[0]), work)
    if isinstance(node.op.scalar_op, MulWithoutZeros):
        zero, one = (low.session.splat(n, work, shape_of(value)) for n in (0, 1))
        value = low.session.apply("select", low.session.apply("eq", value, zero), one, value)
    axes = _axes(node)
    reduction = REDUCTIONS[kind]
    if axes and not reduction.empty and not _has_elements(low, value, axes):
        if not getattr(node.op, "initial", False):
            raise ValueError(f"zero-size array to reduction operation {node.op} which has no identity")
        kept = tuple(n for k, n in enumerate(shape_of(value)) if k not in axes)
        return low.session.splat(reduction.identity(element_type(work)), work, kept)
    return low.session.emit(reduction.of(value, axes)) if axes else value


def _has_elements(low: Lowering, value: SSAValue, axes: list[int]) -> bool:
    return all(low.symbols.positive(shape_of(value)[k]) for k in axes)


@lowers(Argmax)
def argmax(low: Lowering, node: Node) -> SSAValue:
    value, axes = low.value(node.inputs[0]), _axes(node)
    if not axes:
        return low.session.splat(0, np.dtype(np.int64), shape_of(value))
    if not _has_elements(low, value, axes):
        raise ValueError("attempt to get argmax of an empty sequence")
    return low.session.emit(REDUCTIONS["argmax"].of(value, axes))
