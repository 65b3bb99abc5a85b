"""Calls of NumPy between native code: one op of a program, apart from the program."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from xdsl.dialects.builtin import FunctionType, ModuleOp
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Block, Operation, Region, SSAValue

from ..dialects.expr import Expr
from ..dialects.weld.recurrence import Recurrence
from ..passes.evaluate import evaluate_op, find_function
from .context import context


class LibraryCall:
    """`call(arrays, size)` gives an op's results for the tensors that it uses, by its NumPy meaning.

    It is kept on disk as the text of a function of that op, which is read when it is first called.
    """

    def __init__(self, function: ModuleOp | str):
        self._function = function

    @classmethod
    def of(cls, op: Operation, used: Sequence[SSAValue]) -> LibraryCall:
        """The call of an op that uses these tensors."""
        block = Block(arg_types=[value.type for value in used])
        copy = op.clone(dict(zip(used, block.args, strict=True)))
        block.add_ops([copy, ReturnOp(*copy.results)])
        types = FunctionType.from_lists([a.type for a in block.args], [r.type for r in copy.results])
        steps: dict[str, FuncOp] = {}
        _add_steps(op, steps)
        return cls(ModuleOp([*(f.clone() for f in steps.values()), FuncOp("main", types, Region(block))]))

    def _block(self) -> Block:
        if isinstance(self._function, str):
            from xdsl.parser import Parser

            self._function = Parser(context(), self._function).parse_module()
        return find_function(self._function).body.block

    def __call__(self, arrays: Sequence[Any], size: Callable[[Expr], int]) -> Sequence[Any]:
        block = self._block()
        values: dict[SSAValue, Any] = dict(zip(block.args, arrays, strict=True))
        op = block.first_op
        assert op is not None
        evaluate_op(op, values, size)
        return [values[result] for result in op.results]

    def __reduce__(self) -> tuple[type[LibraryCall], tuple[str]]:
        return LibraryCall, (str(self._function),)


def _add_steps(op: Operation, found: dict[str, FuncOp]) -> None:
    """Note the functions that recurrences in an op call, and those which these call."""
    for inner in op.walk():
        if isinstance(inner, Recurrence) and inner.step.string_value() not in found:
            function = found[inner.step.string_value()] = inner.function()
            _add_steps(function, found)
