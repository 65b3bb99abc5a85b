"""Factors of matrices and triangular systems, in the last two dims; leading dims are a batch. Library calls."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Self

import numpy as np
from xdsl.dialects.builtin import UnitAttr
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import opt_prop_def
from xdsl.utils.exceptions import VerifyException

from ..expr import Expr
from .base import TensorOp, WeldOp
from .facts import define_op
from .library import Call
from .types import I64, kind_of, scalar_of, shape_of, tensor_type


@define_op
class Cholesky(TensorOp):
    """`weld.cholesky %a`: the lower triangle of which the product with its transpose is `%a`, zeros above.

    Only the lower triangle of `%a` is read. A matrix that is not positive definite gives NaN in every element.
    """

    name = "weld.cholesky"

    @classmethod
    def of(cls, a: SSAValue) -> Self:
        return cls.create(operands=[a], result_types=[a.type])

    def infer_type(self) -> Attribute:
        _verify_square(self, self.args[0])
        return self.args[0].type

    def reference(self, *arrays: Any, size: Callable[[Expr], int]) -> Any:
        found = np.full(arrays[0].shape, np.nan, arrays[0].dtype)
        for at in np.ndindex(found.shape[:-2]):
            try:
                found[at] = np.linalg.cholesky(arrays[0][at])
            except np.linalg.LinAlgError:
                continue
        return found


@define_op
class SolveTriangular(TensorOp):
    """`weld.solve_triangular %a, %b {lower, unit_diagonal}`: `%x` of `%a @ %x = %b`, for (..., n, n) and (..., n, k).

    Only the upper triangle of `%a` is read, or the lower one. With `unit_diagonal` its diagonal is taken to be 1 and
    not read; else a zero on it gives NaN in every element of `%x`.
    """

    name = "weld.solve_triangular"
    arity = 2
    lower = opt_prop_def(UnitAttr)
    unit_diagonal = opt_prop_def(UnitAttr)

    @classmethod
    def of(cls, a: SSAValue, b: SSAValue, lower: bool, unit_diagonal: bool = False) -> Self:
        flags = {"lower": lower, "unit_diagonal": unit_diagonal}
        return cls.create(
            operands=[a, b],
            result_types=[b.type],
            properties={name: UnitAttr() for name, is_set in flags.items() if is_set},
        )

    def infer_type(self) -> Attribute:
        a, b = self.args
        _verify_square(self, a)
        if shape_of(a)[:-1] != shape_of(b)[:-1] or scalar_of(a) != scalar_of(b):
            raise VerifyException(
                f"weld.solve_triangular expects (..., n, n) and (..., n, k), found {a.type} and {b.type}"
            )
        return b.type

    def reference(self, *arrays: Any, size: Callable[[Expr], int]) -> Any:
        """Row by row, by substitution."""
        a, b = arrays
        found, n = np.array(b), a.shape[-1]
        for i in range(n) if self.lower is not None else reversed(range(n)):
            solved = slice(0, i) if self.lower is not None else slice(i + 1, n)
            found[..., i, :] -= (a[..., i, None, solved] @ found[..., solved, :])[..., 0, :]
            if self.unit_diagonal is None:
                found[..., i, :] /= a[..., i, i, None]
        if self.unit_diagonal is None:
            singular = (np.diagonal(a, axis1=-2, axis2=-1) == 0).any(axis=-1)
            found[singular] = np.nan
        return found


@define_op
class Lu(Call):
    """`weld.lu %a`: `%a` with rows exchanged as a product of a lower triangle, whose diagonal is 1, and an upper one.

    The first result holds both triangles, transposed, as LAPACK has them. The second one (i64) tells the exchanges:
    row i was exchanged with row `pivots[i]`, one after the other. The pivot is the largest element of its column.
    """

    name = "weld.lu"

    @classmethod
    def of(cls, a: SSAValue) -> Self:
        return cls.create(operands=[a], result_types=[a.type, tensor_type(I64, shape_of(a)[:-1])])

    def infer_types(self) -> Sequence[Attribute]:
        if len(self.args) != 1:
            raise VerifyException(f"weld.lu expects 1 operand, found {len(self.args)}")
        _verify_square(self, self.args[0])
        return self.args[0].type, tensor_type(I64, shape_of(self.args[0])[:-1])

    def reference(self, *arrays: Any, size: Callable[[Expr], int]) -> Sequence[Any]:
        """Column by column; a column of zeros stays as it is."""
        found, n = np.array(arrays[0]), arrays[0].shape[-1]
        pivots = np.zeros(found.shape[:-1], np.int64)
        for at in np.ndindex(found.shape[:-2]):
            a = found[at]
            for k in range(n):
                p = k + int(np.argmax(np.abs(a[k:, k])))
                pivots[(*at, k)] = p
                a[[k, p]] = a[[p, k]]
                if a[k, k] != 0:
                    a[k + 1 :, k] /= a[k, k]
                a[k + 1 :, k + 1 :] -= np.outer(a[k + 1 :, k], a[k, k + 1 :])
        return np.swapaxes(found, -1, -2), pivots


@define_op
class Permutation(TensorOp):
    """`weld.permutation %pivots`: which row is where after the exchanges of `weld.lu`. Pivots that are no rows
    change nothing."""

    name = "weld.permutation"

    @classmethod
    def of(cls, pivots: SSAValue) -> Self:
        return cls.create(operands=[pivots], result_types=[pivots.type])

    def infer_type(self) -> Attribute:
        kind = self.args[0].type
        if not shape_of(self.args[0]) or scalar_of(self.args[0]) != I64:
            raise VerifyException(f"weld.permutation expects int64 numbers of rows, found {kind}")
        return kind

    def reference(self, *arrays: Any, size: Callable[[Expr], int]) -> Any:
        (pivots,) = arrays
        found = np.empty_like(pivots)
        for at in np.ndindex(pivots.shape[:-1]):
            rows = list(range(pivots.shape[-1]))
            for k, p in enumerate(pivots[at].tolist()):
                if 0 <= p < len(rows):
                    rows[k], rows[p] = rows[p], rows[k]
            found[at] = rows
        return found


def _verify_square(op: WeldOp, a: SSAValue) -> None:
    shape = shape_of(a)
    if len(shape) < 2 or shape[-1] != shape[-2] or kind_of(scalar_of(a)) != "f":
        raise VerifyException(f"{op.name} expects square matrices of floats, found {a.type}")
