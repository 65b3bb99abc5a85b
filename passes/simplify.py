"""`simplify`: constant folding, exact algebra, slices of joins, common subexpressions, dead code, on tensor ops."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Block, Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.traits import Pure

from ..dialects.ir import erase, ops_of
from ..dialects.weld.base import Builder, Elementwise
from ..dialects.weld.folding import fold_constant, fold_identity
from ..dialects.weld.reductions import Reduction
from ..dialects.weld.slicing import fold_slice
from ..dialects.weld.strength import strength_reduce
from ..dialects.weld.views import Slice, View
from .fusion.graph import functions


@dataclass(frozen=True)
class Simplify(ModulePass):
    """One forward walk folds and merges equal ops, one backward walk drops unused ones."""

    name = "simplify"
    strict: bool = False
    """Only rewrites that keep every bit: no powers by multiplication."""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in functions(op):
            simplify_block(function.body.block, self.strict)


def simplify_block(block: Block, strict: bool) -> None:
    seen: dict[object, Operation] = {}
    for op in ops_of(block):
        if isinstance(op, Elementwise | Reduction | View):
            op = _folded(op, block, strict)
            if op is None:
                continue
        if op.has_trait(Pure) and not op.regions:
            _merge(op, seen)
    for op in reversed(ops_of(block)):
        if op.has_trait(Pure) and op.results and all(r.first_use is None for r in op.results):
            erase(op)


def _folded(op: Elementwise | Reduction | View, block: Block, strict: bool) -> Operation | None:
    """The op itself, the op that stands for it now, or None where a value that exists replaced it."""
    constant = fold_constant(op)
    if constant is not None:
        block.insert_op_before(constant, op)
        constant.location = op.location
        _replace(op, constant.results[0])
        return constant
    if isinstance(op, Slice):
        return _sliced(op, block)
    same = fold_identity(op)
    if same is None and not strict and isinstance(op, Elementwise | Reduction):
        same = strength_reduce(op, Builder(block, op, op.location))
    if same is not None:
        _replace(op, same)
        return None
    return op


def _sliced(op: Slice, block: Block) -> Slice | None:
    """The slice itself, the one that stands for it now, or None where a value that exists replaced it."""
    found = fold_slice(op)
    if found is None:
        return op
    if isinstance(found, SSAValue):
        _replace(op, found)
        return None
    block.insert_op_before(found, op)
    found.location = op.location
    _replace(op, found.res)
    return found


def _replace(op: Operation, value: SSAValue) -> None:
    op.results[0].replace_all_uses_with(value)
    erase(op)


def _merge(op: Operation, seen: dict[object, Operation]) -> None:
    operands = tuple(op.operands)
    if getattr(op, "commutative", False):
        operands = tuple(sorted(operands, key=id))
    key = (type(op), operands, tuple(op.properties.items()), tuple(r.type for r in op.results))
    same = seen.setdefault(key, op)
    if same is not op:
        for old, new in zip(op.results, same.results, strict=True):
            old.replace_all_uses_with(new)
        erase(op)
