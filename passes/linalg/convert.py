"""`convert-linalg-to-weld`: upstream tensor programs as `weld` ops.

    %0 = tensor.empty() : tensor<4xf32>
    %1 = linalg.add ins(%x, %y : tensor<4xf32>, tensor<4xf32>) outs(%0 : tensor<4xf32>) -> tensor<4xf32>
->  %1 = weld.add %x, %y : tensor<4xf32>
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import FunctionType, ModuleOp, TensorType
from xdsl.dialects.func import CallOp, FuncOp, ReturnOp
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import Rewriter

from ...dialects.expr import Expr
from ...dialects.ir import complain, erase
from ...dialects.weld.recurrence import Recurrence
from ...dialects.weld.types import shape_of, tensor_type
from ..fusion.graph import check_is_straight
from . import named, tensors
from .bodies import compose_views, erase_unused
from .scalars import Unsupported, element_type
from .symbols import Symbols, declared_shape, settle
from .translation import Translation


@dataclass(frozen=True)
class ConvertLinalgToWeld(ModulePass):
    """Read `linalg`, `tensor`, `arith` and `math` on tensors.

    Scalars outside of bodies become 0-d tensors, `index` becomes i64, and calls are inlined. Functions that are in
    weld already stay as they are.
    """

    name = "convert-linalg-to-weld"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        functions: dict[str, FuncOp] = {}
        for function in op.ops:
            if not isinstance(function, FuncOp):
                complain(function, "is not supported at the top of a module; loopweld reads functions on tensors")
            functions[function.sym_name.data] = function
        converted = {
            function: _Reader(function, functions).read()
            for function in functions.values()
            if function.body.blocks and needs_conversion(function)
        }
        for old, new in converted.items():
            Rewriter.replace_op(old, new)
        for function in [f for f in op.ops if isinstance(f, FuncOp) and _is_leftover(f, op)]:
            erase(function)


def _is_leftover(function: FuncOp, module: ModuleOp) -> bool:
    """A private function whose calls have been inlined."""
    visibility = function.sym_visibility
    calls = [o.callee.root_reference.data for o in module.walk() if isinstance(o, CallOp)]
    calls += [o.step.root_reference.data for o in module.walk() if isinstance(o, Recurrence)]
    return visibility is not None and visibility.data == "private" and function.sym_name.data not in calls


def needs_conversion(function: FuncOp) -> bool:
    """Whether a function holds anything but weld."""
    kinds = [a.type for block in function.body.blocks for a in block.args]
    others = any(not op.name.startswith(("weld.", "func.return")) for b in function.body.blocks for op in b.ops)
    return others or any(not isinstance(kind, TensorType) for kind in kinds)


class _Reader:
    """Reads one function into a new one."""

    def __init__(self, function: FuncOp, functions: dict[str, FuncOp]):
        self.function = function
        self.functions = functions
        self.block = Block()
        self.t = Translation(self.block, Symbols.of_function(function))
        self.calls: list[FuncOp] = [function]

    def read(self) -> FuncOp:
        function = self.function
        with self.t.reading(function):
            check_is_straight(function)
            for k, argument in enumerate(function.body.block.args):
                kind = self._argument_type(argument.type)
                new = self.block.insert_arg(kind, k)
                new.name_hint = argument.name_hint
                self.t.values[argument] = new
        results = self._read_block(function)
        self.t.check_sizes(self._bound())
        self.block.add_op(returned := ReturnOp(*results))
        last = function.body.block.last_op
        assert last is not None
        returned.location = last.location
        made = self._function()
        settle(made, self.t.symbols)
        compose_views(made)
        erase_unused(self.block)
        return made

    def _argument_type(self, kind: Attribute) -> Attribute:
        element = element_type(kind)
        shape = tuple(self.t.symbols.fresh() if e is None else e for e in declared_shape(kind))
        return tensor_type(element, shape)

    def _bound(self) -> set[str]:
        """The symbols that the shapes of the arguments tell."""
        sizes = (e for a in self.block.args for e in self.t.shape(a))
        return {str(e) for e in sizes if e.value is None}

    def _function(self) -> FuncOp:
        old = self.function
        kind = FunctionType.from_lists([a.type for a in self.block.args], [])
        made = FuncOp(
            old.sym_name.data,
            kind,
            Region(self.block),
            old.sym_visibility,
            arg_attrs=old.arg_attrs,
            res_attrs=old.res_attrs,
        )
        made.attributes |= old.attributes
        made.location = old.location
        return made

    def _read_block(self, function: FuncOp) -> Sequence[SSAValue]:
        """The weld tensors that the function returns."""
        for op in function.body.block.ops:
            with self.t.reading(op):
                if isinstance(op, ReturnOp):
                    self._check_results(op, function)
                    return [self.t.tensor(v) for v in op.operands]
                for result, value in zip(op.results, self._read(op), strict=True):
                    self.t.define(result, value)
        complain(function, "does not end in func.return")

    def _check_results(self, op: ReturnOp, function: FuncOp) -> None:
        for value, kind in zip(op.operands, function.function_type.outputs.data, strict=True):
            self.t.agree(self.t.shape(self.t.tensor(value)), declared_shape(kind), "the declared result type")

    def _read(self, op: Operation) -> Sequence[SSAValue | Expr]:
        if isinstance(op, CallOp):
            return self._inline(op)
        rule = tensors.RULES.get(op.name)
        if rule is not None:
            return [rule(self.t, op)]
        dialect = op.name.partition(".")[0]
        if dialect == "linalg":
            return named.read_linalg(self.t, op)
        if dialect in ("arith", "math") and len(op.results) == 1:
            return [tensors.read_scalar(self.t, op)]
        if dialect == "weld":
            return self._copy(op)
        raise Unsupported("is not supported; loopweld reads linalg, tensor, arith and math on tensors")

    def _copy(self, op: Operation) -> Sequence[SSAValue]:
        """A weld op among the upstream ones stays."""
        mapping = {old: self.t.tensor(old) for inner in op.walk() for old in inner.operands if old in self.t.values}
        copied = op.clone(dict(mapping))
        copied.location = op.location
        for result in copied.results:
            if None in declared_shape(result.type):
                raise Unsupported("has a dynamic type without #weld.dims next to upstream ops; give it its sizes")
        self.t.b.insert(copied)
        return copied.results

    def _inline(self, op: CallOp) -> Sequence[SSAValue]:
        name = op.callee.root_reference.data
        callee = self.functions.get(name)
        if callee is None or len(callee.body.blocks) != 1:
            raise Unsupported(f"calls @{name}, whose body is not in this module")
        if callee in self.calls:
            raise Unsupported(f"calls @{name}, which is running already; recursion is not supported")
        self.calls.append(callee)
        outer = dict(self.t.values)
        for argument, operand in zip(callee.body.block.args, op.operands, strict=True):
            self.t.values[argument] = outer[operand]
            self.t.agree(shape_of(self.t.tensor(operand)), declared_shape(argument.type), "an argument's type")
        results = self._read_block(callee)
        self.t.values = outer
        self.calls.pop()
        return results
