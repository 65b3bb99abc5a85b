"""Factors of matrices and triangular systems, in the last two dims; leading dims are a batch. Library calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

import numpy as np
from xdsl.dialects.builtin import UnitAttr
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import opt_prop_def
from xdsl.utils.exceptions import VerifyException

from ..expr import Expr
from .base import TensorOp
from .facts import define_op
from .types import kind_of, scalar_of, shape_of


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


def _verify_square(op: TensorOp, a: SSAValue) -> None:
    shape = shape_of(a)
    if len(shape) < 2 or shape[-1] != shape[-2] or kind_of(scalar_of(a)) != "f":
        raise VerifyException(f"{op.name} expects square matrices of floats, found {a.type}")
