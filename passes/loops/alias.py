"""`annotate-alias-scopes`: tells LLVM which accesses of a kernel cannot overlap."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ArrayAttr, IntegerAttr, ModuleOp, StringAttr
from xdsl.dialects.func import CallOp, FuncOp
from xdsl.ir import SSAValue
from xdsl.passes import ModulePass

from ...dialects.ir import walk
from ...dialects.loop.ops import Access, Buffer, Copy, Fill, Store
from ...dialects.loop.parallel import Part
from ...dialects.loop.transpose import Transpose
from ..fusion.graph import functions


@dataclass(frozen=True)
class AnnotateAliasScopes(ModulePass):
    """One scope for all buffers that the kernel only reads, one for each buffer that it writes.

    The runtime guarantees it: results never share memory with each other or with inputs, but for an input that may
    be overwritten in place. Such an argument carries `loop.shares`, the number of the written one, and has its scope.

        loop.load %x[%o]  ->  loop.load %x[%o] {scope = "inputs", noalias = ["y"]}
        loop.store %v to %y[%o]  ->  ... {scope = "y", noalias = ["inputs"]}
    """

    name = "annotate-alias-scopes"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in functions(op):
            if not any(isinstance(inner, CallOp) for inner in walk(function)):  # kernels call nothing
                annotate(function)


def annotate(function: FuncOp) -> None:
    """Give every access of one kernel function its scope and the scopes it cannot overlap."""
    written: dict[SSAValue, str] = {}
    ops = walk(function)
    parts = {op.parts: op.buffer for op in ops if isinstance(op, Part)}

    def whole(buffer: SSAValue) -> SSAValue:
        """The result that a block's part belongs to: the first block's is in the result itself."""
        while isinstance(buffer.owner, Part):
            buffer = buffer.owner.buffer
        return parts.get(buffer, buffer)

    for op in ops:
        target = op.buffer if isinstance(op, Store | Fill) else op.target if isinstance(op, Copy | Transpose) else None
        target = whole(target) if target is not None else None
        if target is not None and target not in written:
            written[target] = f"{target.name_hint or 'buffer'}{len(written)}"
    scopes = ["inputs", *written.values()]
    written |= {read: written[target] for read, target in shared_arguments(function) if target in written}
    others = {name: ArrayAttr([StringAttr(s) for s in scopes if s != name]) for name in scopes}
    names = {name: StringAttr(name) for name in scopes}
    for op in ops:
        if isinstance(op, Access):
            assert isinstance(op.buffer.type, Buffer)
            name = written.get(whole(op.buffer), "inputs")
            op.properties["scope"] = names[name]
            op.properties["noalias"] = others[name]
        elif isinstance(op, Fill):
            op.properties["scope"] = names[written[whole(op.buffer)]]
            op.properties["noalias"] = others[written[whole(op.buffer)]]
        elif isinstance(op, Copy):
            target, source = written[whole(op.target)], written.get(whole(op.source), "inputs")
            op.properties["scope"] = names[target]
            op.properties["noalias"] = ArrayAttr([s for s in others[target].data if s.data != source])


def shared_arguments(function: FuncOp) -> list[tuple[SSAValue, SSAValue]]:
    """The arguments that may be at the address of one that the kernel writes, each with that one."""
    args = function.body.block.args
    found: list[tuple[SSAValue, SSAValue]] = []
    for argument, attributes in zip(args, function.arg_attrs.data if function.arg_attrs else (), strict=False):
        other = attributes.data.get("loop.shares")
        if isinstance(other, IntegerAttr):
            found.append((argument, args[int(other.value.data)]))
    return found
