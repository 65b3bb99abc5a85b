"""Ops without a pointwise form: contractions, scans, and calls of NumPy functions. They run as library calls."""

from __future__ import annotations

import importlib
import json
from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Self

import numpy as np
from xdsl.dialects.builtin import IntegerAttr, StringAttr, i64
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import prop_def, var_operand_def, var_result_def
from xdsl.utils.exceptions import VerifyException

from ..expr import Expr
from .base import TensorOp, WeldOp
from .facts import define_op
from .types import dtype_of, is_resolved, scalar_of, shape_of, tensor_type


@define_op
class Matmul(TensorOp):
    """`weld.matmul %a, %b`: matrices in the last two dims, equal leading (batch) dims: (..., n, k), (..., k, m)."""

    name = "weld.matmul"
    arity = 2

    @classmethod
    def of(cls, a: SSAValue, b: SSAValue) -> Self:
        shape = shape_of(a)[:-1] + shape_of(b)[-1:]
        return cls.create(operands=[a, b], result_types=[tensor_type(scalar_of(a), shape)])

    def infer_type(self) -> Attribute:
        a, b = shape_of(self.args[0]), shape_of(self.args[1])
        agree = len(a) == len(b) >= 2 and a[:-2] == b[:-2] and a[-1] == b[-2]
        if not agree or scalar_of(self.args[0]) != scalar_of(self.args[1]):
            raise VerifyException(
                f"weld.matmul expects (..., n, k) and (..., k, m), found {self.args[0].type} and {self.args[1].type}"
            )
        return tensor_type(scalar_of(self.args[0]), a[:-1] + b[-1:])

    def reference(self, *arrays: Any, size: Callable[[Expr], int]) -> Any:
        return np.matmul(*arrays)


class Scan(TensorOp):
    """A running reduction along one axis, of the operand's type and shape."""

    axis = prop_def(IntegerAttr)
    numpy: ClassVar[Any]

    @classmethod
    def of(cls, value: SSAValue, axis: int) -> Self:
        return cls.create(operands=[value], result_types=[value.type], properties={"axis": IntegerAttr(axis, i64)})

    def infer_type(self) -> Attribute:
        if not 0 <= int(self.axis.value.data) < len(shape_of(self.args[0])):
            raise VerifyException(f"{self.name} expects an axis below {len(shape_of(self.args[0]))}")
        return self.args[0].type

    def reference(self, *arrays: Any, size: Callable[[Expr], int]) -> Any:
        return self.numpy.accumulate(arrays[0], axis=int(self.axis.value.data), dtype=arrays[0].dtype)


@define_op
class Cumsum(Scan):
    """`weld.cumsum %x {axis = 0 : i64}`: running sums."""

    name = "weld.cumsum"
    numpy = np.add


@define_op
class Cumprod(Scan):
    """`weld.cumprod %x {axis = 0 : i64}`: running products."""

    name = "weld.cumprod"
    numpy = np.multiply


class Call(WeldOp):
    """An op on whole tensors with several results, which runs as a library call."""

    args = var_operand_def()
    outs = var_result_def()

    @abstractmethod
    def infer_types(self) -> Sequence[Attribute] | None:
        """The result types that the operands imply, None where they imply none; VerifyException for wrong operands."""

    @abstractmethod
    def reference(self, *arrays: Any, size: Callable[[Expr], int]) -> Sequence[Any]:
        """The results on NumPy arrays."""

    def verify_(self) -> None:
        if not all(is_resolved(v) for v in (*self.operands, *self.outs)):
            return
        expected, found = self.infer_types(), [out.type for out in self.outs]
        if expected is not None and list(expected) != found:
            raise VerifyException(
                f"{self.name} gives {' and '.join(map(str, expected))} here, but its result types are "
                + " and ".join(map(str, found))
            )


@define_op
class Library(Call):
    """`weld.library "numpy.linalg.inv"(%x) {options = "{}"}`: a call of a NumPy or SciPy function.

    `options` is the JSON object of its keyword arguments. Results are cast to the result types, whose shapes
    must be the ones that the function gives.
    """

    name = "weld.library"
    function = prop_def(StringAttr)
    options = prop_def(StringAttr)
    assembly_format = "$function `(` $args `)` $options attr-dict `:` functional-type($args, $outs)"

    @classmethod
    def of(cls, function: str, args: Sequence[SSAValue], types: Sequence[Attribute], options: dict[str, Any]) -> Self:
        return cls.create(
            operands=args,
            result_types=types,
            properties={"function": StringAttr(function), "options": StringAttr(json.dumps(options))},
        )

    def infer_types(self) -> None:
        return None

    def verify_(self) -> None:
        if self.function.data.split(".")[0] not in ("numpy", "scipy"):
            raise VerifyException(f"weld.library calls numpy and scipy functions only, found {self.function.data}")

    def reference(self, *arrays: Any, size: Callable[[Expr], int]) -> Sequence[Any]:
        module, _, name = self.function.data.rpartition(".")
        found = getattr(importlib.import_module(module), name)(*arrays, **json.loads(self.options.data))
        several = found if len(self.outs) > 1 else (found,)
        return [np.asarray(r).astype(dtype_of(scalar_of(o))) for r, o in zip(several, self.outs, strict=True)]
