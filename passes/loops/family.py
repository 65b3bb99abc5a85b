"""The one function of kernels that are alike: what each of them gives it, and what is a number or a row there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from xdsl.ir import Block, SSAValue

from ...dialects.expr import Expr, sum_of
from ...dialects.ir import block_of, erase
from ...dialects.weld.attributes import Access, Where
from ...dialects.weld.constant import Constant
from ...dialects.weld.generic import Load
from ...dialects.weld.types import scalar_of, shape_of, tensor_type
from .kernel import KernelFunction
from .plan import Place, Plan
from .twins import Form, is_open


@dataclass
class Argument:
    """A tensor that the function takes: for each kernel one from outside, from an element on."""

    tensors: list[SSAValue]
    offsets: list[Expr]


class Family:
    """Kernels whose forms have one key. Numbers and rows in which they differ are arguments:

    weld.load %x "3, d0"    ->    weld.load %row "d0"
    weld.constant 1.5       ->    weld.load %number ""
    """

    def __init__(self, forms: Sequence[Form], plan: Plan):
        self.forms, self.plan, self.first = forms, plan, forms[0]
        self.kernel = self.first.kernel
        """The one that the function is made from: the first one, or a copy of it with such arguments."""
        self.layouts = plan.layouts
        self.position = {form: k for k, form in enumerate(forms)}
        self.made: KernelFunction | None = None
        self.arguments: dict[SSAValue, Argument] = {}
        for k, tensor in enumerate(self.first.tensors):
            self.arguments[tensor] = Argument([form.tensors[k] for form in forms], [Expr.constant(0)] * len(forms))
        numbers = [k for k in range(len(self.first.numbers)) if len({form.numbers[k].value for form in forms}) > 1]
        rows = [k for k in range(len(self.first.tensors)) if len({form.rows[k] for form in forms}) > 1]
        if numbers or rows:
            self.kernel = self.first.kernel.clone()
            self.layouts = plan.layouts | dict(
                zip(self.kernel.outs, [plan.layouts[out] for out in self.first.kernel.outs], strict=True)
            )
            self.block = Block()
            self._open_numbers(numbers)
            for k in rows:
                self._open_row(k)

    def called(self, form: Form, function: KernelFunction) -> KernelFunction:
        """The function as it is called for the kernel of one of the forms."""
        k = self.position[form]
        taken = [self.arguments[tensor] for tensor in function.tensors]
        names = dict(zip(self.first.sizes, form.sizes, strict=True))
        sizes = {name: Expr.symbol(own) for name, own in names.items()}
        return KernelFunction(
            form.kernel.sym_name.data,
            function.function,
            [argument.tensors[k] for argument in taken],
            list(form.kernel.outs),
            [replace(need, count=need.count.substitute(sizes)) for need in function.scratch],
            [names[name] for name in function.symbols],
            [argument.offsets[k] for argument in taken],
        )

    def close(self) -> None:
        """The function is made, and a copy of the kernel no longer needed."""
        if self.kernel is not self.first.kernel:
            self.kernel.erase()

    def _open_numbers(self, numbers: Sequence[int]) -> None:
        """Each number is an element of a table, which has those of all kernels."""
        constants = [op for op in self.kernel.walk() if isinstance(op, Constant) and is_open(op)]
        for k in numbers:
            values: list[Any] = [form.numbers[k].number for form in self.forms]
            table = Constant.of(np.array(values))
            self.plan.places[table.res] = Place("constant", len(self.plan.constants))
            self.plan.constants.append(table)
            steps = [Expr.constant(position) for position in range(len(values))]
            own = self._argument(tensor_type(constants[k].res.type, ()), (), Argument([table.res] * len(values), steps))
            _replace(constants[k], Load.of(own, Where(())))

    def _open_row(self, k: int) -> None:
        """The tensor without the axes along which its index is a number."""
        tensor = self.first.tensors[k]
        axes = [axis for axis, row in enumerate(self.first.rows[k]) if row is None]
        shape, strides = shape_of(tensor), self.plan.layouts[tensor]
        offsets = [
            sum_of(
                stride * row
                for row, stride in zip(form.rows[k], self.plan.layouts[form.tensors[k]], strict=True)
                if row is not None
            )
            for form in self.forms
        ]
        own = self._argument(
            tensor_type(scalar_of(tensor), tuple([shape[axis] for axis in axes])),
            tuple([strides[axis] for axis in axes]),
            Argument(self.arguments.pop(tensor).tensors, offsets),
        )
        own.name_hint = tensor.name_hint
        for load in [op for op in self.kernel.walk() if isinstance(op, Load) and op.tensor is tensor]:
            where = Where(tuple([load.where.indices[axis] for axis in axes]), load.where.guards)
            other = Load.create(
                operands=[own, *load.operands[1:]], result_types=[load.res.type], properties={"access": Access(where)}
            )
            _replace(load, other)

    def _argument(self, kind: Any, strides: tuple[Expr, ...], argument: Argument) -> SSAValue:
        own = self.block.insert_arg(kind, len(self.block.args))
        self.layouts[own] = strides
        self.arguments[own] = argument
        return own


def _replace(op: Constant | Load, other: Load) -> None:
    block_of(op).insert_op_before(other, op)
    other.location = op.location
    op.res.replace_all_uses_with(other.res)
    erase(op)
