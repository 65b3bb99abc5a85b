"""`annotate-alias-scopes`: tells LLVM which accesses of a kernel cannot overlap."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ArrayAttr, ModuleOp, StringAttr
from xdsl.dialects.func import FuncOp
from xdsl.ir import SSAValue
from xdsl.passes import ModulePass

from ...dialects.loop.ops import Access, Buffer, Copy, Fill, Store


@dataclass(frozen=True)
class AnnotateAliasScopes(ModulePass):
    """One scope for all buffers that the kernel only reads, one for each buffer that it writes.

    The runtime guarantees it: results never share memory with each other or, unless donated, with inputs.

        loop.load %x[%o]  ->  loop.load %x[%o] {scope = "inputs", noalias = ["y"]}
        loop.store %v to %y[%o]  ->  ... {scope = "y", noalias = ["inputs"]}
    """

    name = "annotate-alias-scopes"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in op.ops:
            if isinstance(function, FuncOp) and function.body.blocks:
                annotate(function)


def annotate(function: FuncOp) -> None:
    """Give every access of one kernel function its scope and the scopes it cannot overlap."""
    written: dict[SSAValue, str] = {}
    for op in function.walk():
        target = op.buffer if isinstance(op, Store | Fill) else op.target if isinstance(op, Copy) else None
        if target is not None and target not in written:
            written[target] = f"{target.name_hint or 'buffer'}{len(written)}"
    scopes = ["inputs", *written.values()]
    others = {name: ArrayAttr([StringAttr(s) for s in scopes if s != name]) for name in scopes}
    names = {name: StringAttr(name) for name in scopes}
    for op in function.walk():
        if isinstance(op, Access):
            assert isinstance(op.buffer.type, Buffer)
            name = written.get(op.buffer, "inputs")
            op.properties["scope"] = names[name]
            op.properties["noalias"] = others[name]
        elif isinstance(op, Fill):
            op.properties["scope"] = names[written[op.buffer]]
            op.properties["noalias"] = others[written[op.buffer]]
        elif isinstance(op, Copy):
            target, source = written[op.target], written.get(op.source, "inputs")
            op.properties["scope"] = names[target]
            op.properties["noalias"] = ArrayAttr([s for s in others[target].data if s.data != source])
