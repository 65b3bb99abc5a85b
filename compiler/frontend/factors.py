"""Systems, inverses and determinants by way of a factorisation with exchanged rows; leading dims are a batch."""

from __future__ import annotations

from xdsl.ir import SSAValue

from ...dialects.weld import Gather, Iota, Lu, Permutation, SolveTriangular, Transpose
from ...dialects.weld.reductions import Any_, Prod, Sum
from ...dialects.weld.types import I64, shape_of
from .session import Session


def factorise(session: Session, a: SSAValue) -> tuple[SSAValue, SSAValue]:
    """Both triangles of `weld.lu` in one matrix, and the exchanges."""
    op = Lu.of(a)
    session.emit(op)
    rank = len(shape_of(a))
    return session.emit(Transpose.of(op.outs[0], [*range(rank - 2), rank - 1, rank - 2])), op.outs[1]


def diagonal(session: Session, a: SSAValue) -> SSAValue:
    rank = len(shape_of(a))
    index = session.emit(Iota.of(I64, shape_of(a)[-1:], 0))
    return session.emit(Gather.of(a, [index, index], [rank - 2, rank - 1], rank - 2, in_range=True))


def is_singular(session: Session, factors: SSAValue) -> SSAValue:
    """Whether there is a zero on the diagonal of the upper triangle: one for each matrix."""
    found = diagonal(session, factors)
    zero = session.splat(0, session.dtype(found), shape_of(found))
    return session.emit(Any_.of(session.apply("eq", found, zero), [len(shape_of(found)) - 1]))


def solve(session: Session, a: SSAValue, b: SSAValue) -> tuple[SSAValue, SSAValue]:
    """`x` of `a @ x = b`, for (..., n, n) and (..., n, k) of one batch, and whether `a` is singular: then it is
    NaN."""
    factors, pivots = factorise(session, a)
    order, shape = session.emit(Permutation.of(pivots)), shape_of(b)
    batch = [session.emit(Iota.of(I64, shape[:-1], k)) for k in range(len(shape) - 2)]
    rows = session.emit(Gather.of(b, [*batch, order], list(range(len(shape) - 1)), 0, in_range=True))
    below = session.emit(SolveTriangular.of(factors, rows, lower=True, unit_diagonal=True))
    return session.emit(SolveTriangular.of(factors, below, lower=False)), is_singular(session, factors)


def inverse(session: Session, a: SSAValue) -> tuple[SSAValue, SSAValue]:
    """The inverse, and whether there is none; it is NaN there."""
    shape = shape_of(a)
    row, column = (session.emit(Iota.of(I64, shape, len(shape) - k)) for k in (2, 1))
    return solve(session, a, session.cast(session.apply("eq", row, column), session.dtype(a)))


def sign_and_determinant(session: Session, a: SSAValue, logarithm: bool) -> tuple[SSAValue, SSAValue]:
    """The determinant's sign (1, -1, 0, NaN), and its size or the logarithm of that."""
    factors, pivots = factorise(session, a)
    found, shape = diagonal(session, factors), shape_of(pivots)
    axis, dtype = len(shape) - 1, session.dtype(a)
    stays = session.apply("eq", pivots, session.emit(Iota.of(I64, shape, axis)))
    one, minus = (session.splat(number, dtype, shape) for number in (1, -1))
    exchanges = session.apply("select", stays, one, minus)
    sign = session.emit(Prod.of(session.apply("mul", exchanges, session.apply("sign", found)), [axis]))
    size = session.apply("abs", found)
    if logarithm:
        return sign, session.emit(Sum.of(session.apply("log", size), [axis]))
    return sign, session.emit(Prod.of(size, [axis]))
