"""`weld.recurrence`: steps one after the other, of which each takes what earlier ones gave."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

from xdsl.dialects.builtin import IntegerAttr, ModuleOp, SymbolRefAttr, i64
from xdsl.dialects.func import FuncOp
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import ParsePropInAttrDict, opt_prop_def, prop_def, var_operand_def, var_result_def
from xdsl.utils.exceptions import VerifyException

from ..expr import Expr, product_of
from .attributes import Dims
from .base import WeldOp
from .facts import define_op
from .types import BOOL, scalar_of, shape_of
from .views import Axes, axes_attribute

STEP = "d0"
"""What the number of the step is called in `rows`, as the first dim of a loop nest is."""


@define_op
class Recurrence(WeldOp):
    """`count` calls of the function `step`, which takes and gives rows of tensors.

        %sums = weld.recurrence @add(%start, %x) {count = #weld.dims<"n">, starts = array<i64: 0>,
          reads = array<i64: 0, 2>, writes = array<i64: 0>, rows = #weld.dims<"d0, d0, d0 + 1">}
          : (tensor<?xf64, ...>, tensor<?xf64, ...>) -> tensor<?xf64, ...>

    Tensors are numbered: the results, then the operands. `starts` gives for each result which operand (the
    first one is 0) it is before the first step; -1 where every row is written. Argument k of `step` is the row
    `rows[k]` of tensor `reads[k]`; its results are put, once all are computed, into the results `writes`, at the rows
    that follow in `rows`. Here `add(a, b)` gives `a + b`: row `d0 + 1` of the result is its row `d0` plus `x[d0]`. A
    tensor that is the same in each step is row 0 of a tensor of one row.

    `until` is the number of a result, one bool: the step that makes it true is the last one.

    The symbols of `step` are those of the function that the op stands in. `step` holds no checks.
    """

    name = "weld.recurrence"
    args = var_operand_def()
    step = prop_def(SymbolRefAttr)
    count = prop_def(Dims)
    starts = prop_def(Axes)
    reads = prop_def(Axes)
    writes = prop_def(Axes)
    rows = prop_def(Dims)
    until = opt_prop_def(IntegerAttr)
    outs = var_result_def()
    irdl_options = (ParsePropInAttrDict(),)
    assembly_format = "$step `(` $args `)` attr-dict `:` functional-type($args, $outs)"

    @classmethod
    def of(
        cls,
        step: str,
        count: Expr,
        args: Sequence[SSAValue],
        types: Sequence[Attribute],
        starts: Sequence[int],
        reads: Sequence[tuple[int, Expr]],
        writes: Sequence[tuple[int, Expr]],
        until: int | None = None,
    ) -> Self:
        """`reads` and `writes` are numbers of tensors with their rows."""
        op = cls.create(
            operands=args,
            result_types=types,
            properties={
                "step": SymbolRefAttr(step),
                "count": Dims((count,)),
                "starts": axes_attribute(starts),
                "reads": axes_attribute([k for k, _ in reads]),
                "writes": axes_attribute([k for k, _ in writes]),
                "rows": Dims(tuple(row for _, row in (*reads, *writes))),
            },
        )
        if until is not None:
            op.until = IntegerAttr(until, i64)
        return op

    @property
    def steps(self) -> Expr:
        """How many steps there are, at most where there is an end."""
        return self.count.data[0]

    @property
    def end(self) -> SSAValue | None:
        """The result that says whether a step was the last one."""
        return self.outs[self.until.value.data] if self.until is not None else None

    @property
    def tensors(self) -> list[SSAValue]:
        return [*self.outs, *self.args]

    @property
    def inits(self) -> list[SSAValue | None]:
        """What each result is before the first step."""
        return [self.args[k] if k >= 0 else None for k in self.starts.get_values()]

    @property
    def rows_read(self) -> list[tuple[int, Expr]]:
        """The tensor, by its number, and the row of each argument of a step."""
        numbers = self.reads.get_values()
        return list(zip(numbers, self.rows.data[: len(numbers)], strict=True))

    @property
    def rows_written(self) -> list[tuple[int, Expr]]:
        """The result, by its number, and the row of each result of a step."""
        numbers = self.writes.get_values()
        return list(zip(numbers, self.rows.data[len(self.rows.data) - len(numbers) :], strict=True))

    def function(self) -> FuncOp:
        """The function of one step; VerifyException where the module has none."""
        module = self.parent_op()
        while module is not None and not isinstance(module, ModuleOp):
            module = module.parent_op()
        for op in module.ops if module is not None else ():
            if isinstance(op, FuncOp) and op.sym_name.data == self.step.string_value():
                return op
        raise VerifyException(f"weld.recurrence calls {self.step}, which the module does not have")

    def verify_(self) -> None:
        results, tensors = len(self.outs), self.tensors
        reads, writes = self.reads.get_values(), self.writes.get_values()
        if len(self.count.data) != 1 or len(self.rows.data) != len(reads) + len(writes):
            raise VerifyException("weld.recurrence needs one count, and a row for each of reads and writes")
        if not all(0 <= k < len(tensors) for k in reads) or not all(0 <= k < results for k in writes):
            raise VerifyException("weld.recurrence reads tensors 0 to n, results first, and writes results")
        if any(not shape_of(tensors[k]) for k in (*reads, *writes)):
            raise VerifyException("weld.recurrence reads and writes rows of tensors of at least one dim")
        if len(self.starts.get_values()) != results or any(k >= len(self.args) for k in self.starts.get_values()):
            raise VerifyException("weld.recurrence needs an operand, or -1, for each result to start from")
        written = self.rows_written
        if self.until is not None and not 0 <= self.until.value.data < results:
            raise VerifyException("weld.recurrence needs the number of a result as `until`")
        if self.end is not None and (scalar_of(self.end) != BOOL or product_of(shape_of(self.end)).value != 1):
            raise VerifyException(f"weld.recurrence ends by one bool, not by {self.end.type}")
        for number, (out, init) in enumerate(zip(self.outs, self.inits, strict=True)):
            if init is None and not ((number, Expr.symbol(STEP)) in written and shape_of(out)[0] == self.steps):
                raise VerifyException(f"weld.recurrence does not write each row of result {number}")
            if init is not None and (scalar_of(init), shape_of(init)) != (scalar_of(out), shape_of(out)):
                raise VerifyException(f"weld.recurrence gives {out.type} where it starts from {init.type}")
