"""Factors with exchanged rows, and what is computed from them: systems, inverses, determinants."""

# PyTensor is there with `loopweld[pytensor]` only.
# pyright: reportMissingImports=false

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pytensor.graph.basic import Variable
from pytensor.tensor.linalg.decomposition.lu import LUFactor, PivotToPermutations
from pytensor.tensor.linalg.inverse import MatrixInverse
from pytensor.tensor.linalg.solvers.general import Solve
from pytensor.tensor.linalg.summary import Det, SLogDet
from pytensor.tensor.sort import ArgSortOp
from xdsl.ir import SSAValue

from loopweld.compiler.frontend import factors
from loopweld.compiler.frontend.bounds import emit_check_of
from loopweld.dialects import weld
from loopweld.dialects.weld import Iota, Permutation, Scatter
from loopweld.dialects.weld.types import I64, shape_of
from loopweld.pytensor.lowering import Lowering
from loopweld.pytensor.ops.solving import in_columns, is_real, matrix, triangular, turned
from loopweld.pytensor.registry import Node, always, core_of, lowers

INT64 = np.dtype(np.int64)


def _nan_where(low: Lowering, failed: SSAValue, value: SSAValue) -> SSAValue:
    """NaN in all of a matrix where its condition holds."""
    shape = shape_of(value)
    nan = low.session.splat(np.nan, low.session.dtype(value), shape)
    spread = low.session.broadcast(failed, shape, range(len(shape) - 2))
    return low.session.apply("select", spread, nan, value)


@lowers(LUFactor, when=is_real, calls=always, batched=True)
def lu_factor(low: Lowering, node: Node) -> Sequence[SSAValue]:
    """Both triangles in one matrix, NaN where it is singular, and the exchanges of rows."""
    found, pivots = factors.factorise(low.session, matrix(low, node))
    return _nan_where(low, factors.is_singular(low.session, found), found), pivots


def _inverted(low: Lowering, order: SSAValue) -> SSAValue:
    """The positions of 0, 1, ... in a vector that holds each of them once."""
    index = low.session.emit(Iota.of(I64, shape_of(order), 0))
    return low.session.emit(Scatter.of(index, index, [order], [0], 0, "set", in_range=True))


@lowers(PivotToPermutations, calls=always)
def pivots_to_permutation(low: Lowering, node: Node) -> SSAValue:
    order = low.session.emit(Permutation.of(low.cast(low.value(node.inputs[0]), INT64)))
    return order if node.op.inverse else _inverted(low, order)


def _is_permutation(variable: Variable) -> bool:
    return variable.owner is not None and isinstance(variable.owner.op, PivotToPermutations)


@lowers(ArgSortOp, when=lambda node: _is_permutation(node.inputs[0]))
def sorted_permutation(low: Lowering, node: Node) -> SSAValue:
    return _inverted(low, low.value(node.inputs[0]))


@lowers(MatrixInverse, when=is_real, calls=always, batched=True)
def matrix_inverse(low: Lowering, node: Node) -> SSAValue:
    found, singular = factors.inverse(low.session, matrix(low, node))
    emit_check_of(low.session, singular, "Singular matrix", "LinAlgError")
    return found


@lowers(Det, when=is_real, calls=always, batched=True)
def determinant(low: Lowering, node: Node) -> SSAValue:
    sign, size = factors.sign_and_determinant(low.session, matrix(low, node), logarithm=False)
    return low.session.apply("mul", sign, size)


@lowers(SLogDet, when=is_real, calls=always, batched=True)
def log_determinant(low: Lowering, node: Node) -> Sequence[SSAValue]:
    return factors.sign_and_determinant(low.session, matrix(low, node), logarithm=True)


def _is_known(node: Node) -> bool:
    return is_real(node) and core_of(node).assume_a in ("gen", "pos")


@lowers(Solve, when=_is_known, calls=always, batched=True)
def solve(low: Lowering, node: Node) -> SSAValue:
    """A system of any matrix, or of a positive definite one, of which one triangle is read; NaN where it fails."""
    op = core_of(node)

    def general(a: SSAValue, b: SSAValue) -> SSAValue:
        return factors.solve(low.session, a, b)[0]

    def positive(a: SSAValue, b: SSAValue) -> SSAValue:
        factor = low.session.emit(weld.Cholesky.of(a if op.lower else turned(low, a)))
        return triangular(low, turned(low, factor), triangular(low, factor, b, True), False)

    return in_columns(low, node, general if op.assume_a == "gen" else positive)
