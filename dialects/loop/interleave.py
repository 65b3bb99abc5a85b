"""`loop.interleave`: the lanes of several vectors in turn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

from xdsl.ir import SSAValue
from xdsl.irdl import irdl_op_definition, traits_def, var_operand_def, var_result_def
from xdsl.traits import Pure
from xdsl.utils.exceptions import VerifyException

from ..ir import Op


@irdl_op_definition
class Interleave(Op):
    """`%p, %q = loop.interleave %a, %b : vector<8xf32>, vector<8xf32> -> vector<8xf32>, vector<8xf32>`: the first lane
    of each operand, then the second lane of each, and so on, in as many vectors."""

    name = "loop.interleave"
    args = var_operand_def()
    outs = var_result_def()
    traits = traits_def(Pure())
    assembly_format = "$args attr-dict `:` type($args) `->` type($outs)"

    @classmethod
    def of(cls, args: Sequence[SSAValue]) -> Self:
        return cls.create(operands=args, result_types=[a.type for a in args])

    def verify_(self) -> None:
        types = {v.type for v in (*self.args, *self.outs)}
        if len(types) != 1 or len(self.args) != len(self.outs):
            raise VerifyException("loop.interleave gives as many vectors as it takes, all of one type")
