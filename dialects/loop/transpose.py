"""`loop.transpose`: a tile of memory with its rows and columns exchanged."""

from __future__ import annotations

from typing import ClassVar, Self

from xdsl.dialects.builtin import IntegerAttr, i64
from xdsl.ir import SSAValue
from xdsl.irdl import VarConstraint, base, irdl_op_definition, operand_def, prop_def, traits_def
from xdsl.traits import MemoryReadEffect, MemoryWriteEffect
from xdsl.utils.exceptions import VerifyException

from ..ir import Op
from ..weld.types import I64
from .ops import Buffer


@irdl_op_definition
class Transpose(Op):
    """`loop.transpose %rows x %columns of %x[%o] by %s to %y[%p] by %t lanes 16`: element `c` of row `r` goes from
    `x[o + r * s + c]` to `y[p + c * t + r]`.

    It moves squares of `lanes` x `lanes` elements through registers. The two buffers do not overlap.
    """

    T: ClassVar = VarConstraint("T", base(Buffer))

    name = "loop.transpose"
    rows = operand_def(I64)
    columns = operand_def(I64)
    source = operand_def(T)
    source_offset = operand_def(I64)
    source_step = operand_def(I64)
    target = operand_def(T)
    target_offset = operand_def(I64)
    target_step = operand_def(I64)
    lanes = prop_def(IntegerAttr)
    traits = traits_def(MemoryReadEffect(), MemoryWriteEffect())
    assembly_format = (
        "$rows `x` $columns `of` $source `[` $source_offset `]` `by` $source_step"
        " `to` $target `[` $target_offset `]` `by` $target_step `lanes` $lanes attr-dict `:` type($source)"
    )

    @classmethod
    def of(
        cls,
        rows: SSAValue,
        columns: SSAValue,
        source: tuple[SSAValue, SSAValue, SSAValue],
        target: tuple[SSAValue, SSAValue, SSAValue],
        lanes: int,
    ) -> Self:
        """`source` and `target` are each a buffer, an offset and the elements from one row to the next."""
        return cls.create(operands=[rows, columns, *source, *target], properties={"lanes": IntegerAttr(lanes, i64)})

    def verify_(self) -> None:
        lanes = self.lanes.value.data
        if lanes < 2 or lanes & (lanes - 1):
            raise VerifyException(f"loop.transpose moves squares of 2, 4, 8, ... lanes, found {lanes}")
