"""`linalg`, with the named ops and the syntax that xDSL lacks."""

from __future__ import annotations

from xdsl.dialects.linalg import Linalg as Known
from xdsl.ir import Dialect

from .named import CONTRACTIONS, ELEMENTWISE, TypeFnAttr
from .ops import ElementwiseKindAttr, ElementwiseOp, GenericOp, MapOp, ReduceOp

_OWN = {op.name: op for op in (GenericOp, MapOp, ReduceOp, ElementwiseOp, *ELEMENTWISE, *CONTRACTIONS)}

Linalg = Dialect(
    "linalg",
    [*(op for op in Known.operations if op.name not in _OWN), *_OWN.values()],
    [*Known.attributes, ElementwiseKindAttr, TypeFnAttr],
)
