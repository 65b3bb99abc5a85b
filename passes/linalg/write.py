"""`convert-weld-to-linalg`: tensor ops and generics of weld as upstream `linalg`, `tensor`, `arith`, `math`, `scf`.

    %y = weld.generic over "n, 8" gives "sum d0" {...} : tensor<?xf32, #weld.dims<"n">>
->  %0 = linalg.fill ins(%zero) outs(%empty)
    %y = linalg.generic {maps, iterator_types = ["parallel", "reduction"]} ins(%x) outs(%0) {...} -> tensor<?xf32>

What weld runs as a library call becomes a call of a private function without a body.
"""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects import arith, cf, tensor
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.dialects.linalg.ops import FillOp
from xdsl.ir import Block, Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.utils.exceptions import PassFailedException

from ...dialects.expr import Expr
from ...dialects.weld.attributes import Result
from ...dialects.weld.constant import Constant
from ...dialects.weld.generic import Generic, Load, Yield, dim_exprs
from ...dialects.weld.indexing import Check
from ...dialects.weld.kernel import Kernel
from ...dialects.weld.library import Library
from ...dialects.weld.recurrence import Recurrence
from ...dialects.weld.types import BOOL, I64, scalar_of, shape_of
from ...dialects.weld.views import View
from ..generalize import Generalize
from .upstream import Declarations, Writer, dense, number, signless
from .write_generic import write_generic


@dataclass(frozen=True)
class ConvertWeldToLinalg(ModulePass):
    """Write weld ops on tensors as upstream ones, which `mlir-opt` reads; sizes must have their symbols."""

    name = "convert-weld-to-linalg"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        Generalize().apply(ctx, op)
        declared = Declarations()
        for function in list(op.ops):
            if isinstance(function, FuncOp) and function.body.blocks:
                written = _Function(function, declared).write()
                op.body.block.insert_op_before(written, function)
                function.detach()
        for function in declared.functions.values():
            op.body.block.add_op(function)


class _Function:
    """One function: upstream ops for its ops, one by one."""

    def __init__(self, function: FuncOp, declared: Declarations) -> None:
        self.old = function
        inputs = [signless(a.type) for a in function.body.block.args]
        outputs = [signless(t) for t in function.function_type.outputs]
        self.new = FuncOp(function.sym_name.data, (inputs, outputs), visibility=function.sym_visibility)
        self.new.location = function.location
        block = self.new.body.block
        self.w = Writer(block, dict(zip(function.body.block.args, block.args, strict=True)), {}, declared)

    def write(self) -> FuncOp:
        for old, new in zip(self.old.body.block.args, self.new.body.block.args, strict=True):
            new.name_hint = old.name_hint
            for axis, size in enumerate(shape_of(old)):
                if str(size) in size.names and str(size) not in self.w.names:
                    self.w.names[str(size)] = self._dim(new, axis)
        for op in list(self.old.body.block.ops):
            try:
                self._write(op)
            except PassFailedException as error:
                op.emit_error(str(error), error)
        return self.new

    def _dim(self, value: SSAValue, axis: int) -> SSAValue:
        return self.w.add(tensor.DimOp(value, self.w.constant(axis)))

    def _write(self, op: Operation) -> None:
        self.w.location = op.location
        match op:
            case Generic():
                self._generic(op)
            case Kernel():
                for member in op.members:
                    self._generic(member)
                for out, value in zip(op.outs, op.terminator.operands, strict=True):
                    self.w.values[out] = self.w.values[value]
            case Constant():
                self.w.values[op.res] = self._constant(op)
            case View():
                self._view(op)
            case Check():
                self._check(op)
            case ReturnOp():
                self.w.add(ReturnOp(*(self.w.values[v] for v in op.operands)))
            case _:
                self._call(op)

    def _generic(self, op: Generic) -> None:
        missing = {n for size in op.sizes for n in size.names} - set(self.w.names)
        if missing:
            raise PassFailedException(
                f"the size '{min(missing)}' is no dim of an argument, so upstream IR cannot name it"
            )
        for old, new in zip(op.outs, write_generic(self.w, op), strict=True):
            self.w.values[old] = new

    def _constant(self, op: Constant) -> SSAValue:
        kind = signless(op.res.type)
        if not op.is_splat:
            return self.w.add(arith.ConstantOp(dense(op.value), kind))
        value = self.w.add(arith.ConstantOp(number(op.number, scalar_of(op.res))))
        sizes = [self.w.size(size) for size in shape_of(op.res) if size.value is None]
        empty = self.w.add(tensor.EmptyOp(sizes, kind))
        return self.w.add(FillOp([value], [empty], [kind]))

    def _view(self, op: View) -> None:
        """A view that no access looks through: its elements, copied."""
        shape = shape_of(op.results[0])
        block = Block()
        load = Load.of(op.args[0], op.where(dim_exprs(len(shape))))
        block.add_ops([load, Yield.create(operands=[load.res])])
        copy = Generic.of(shape, [Result("write", dim_exprs(len(shape)))], [op.results[0].type], block)
        self._generic(copy)
        self.w.values[op.results[0]] = self.w.values[copy.outs[0]]

    def _check(self, op: Check) -> None:
        bad = self.w.add(tensor.ExtractOp(self.w.values[op.bad], [], BOOL))
        yes = self.w.add(arith.ConstantOp(number(True, BOOL)))
        good = self.w.make("arith.xori", [bad, yes], BOOL)
        self.w.add(cf.AssertOp(good, op.message))

    def _call(self, op: Operation) -> None:
        """What weld leaves to a library. Sizes that its results have, and its operands have not, are arguments too."""
        if isinstance(op, Recurrence) or not op.name.startswith("weld."):
            raise PassFailedException(f"{op.name} is no op that convert-weld-to-linalg writes")
        name = op.function.data if isinstance(op, Library) else op.name
        known = {n for v in op.operands for size in shape_of(v) for n in size.names}
        new = [s for r in op.results for s in shape_of(r) if s.value is None and not s.names <= known]
        args = [self.w.values[v] for v in op.operands] + [self._as_i64(size) for size in new]
        call = self.w.declared.call(name, args, [signless(r.type) for r in op.results])
        self.w.add(call)
        self.w.values.update(zip(op.results, call.results, strict=True))

    def _as_i64(self, size: Expr) -> SSAValue:
        return self.w.make("arith.index_cast", [self.w.size(size)], I64)
