"""`elide-rounding`: chains of 16-bit floats stay in float32.

%1 = weld.cast %0 : (f32) -> f16
%2 = weld.cast %1 : (f16) -> f32      ->   uses of %2 use %0
"""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation
from xdsl.passes import ModulePass

from ..dialects.weld.cast import Cast
from ..dialects.weld.generic import Generic
from ..dialects.weld.types import BF16, F16, F32, scalar_of
from .fusion.merge import simplify_body


@dataclass(frozen=True)
class ElideRounding(ModulePass):
    """Inside a generic a value is not rounded to 16 bits and widened again. Numerics "strict" leaves this out."""

    name = "elide-rounding"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for generic in op.walk():
            if isinstance(generic, Generic):
                elided = [_elide(inner) for inner in generic.block.ops]
                if any(elided):
                    simplify_body(generic)


def _elide(op: Operation) -> bool:
    """Replace a widening cast of a rounding one; whether it was one."""
    if not isinstance(op, Cast) or scalar_of(op.res) != F32:
        return False
    rounded = op.args[0].owner
    if not isinstance(rounded, Cast) or scalar_of(rounded.res) not in (F16, BF16) or scalar_of(rounded.args[0]) != F32:
        return False
    op.res.replace_all_uses_with(rounded.args[0])
    return True
