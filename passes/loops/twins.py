"""Kernels that are equal but for the tensors, sizes, rows and numbers that they take: one function does for all."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import cast

from xdsl.dialects.builtin import ArrayAttr
from xdsl.ir import Attribute, Operation, SSAValue

from ...dialects.expr import Expr
from ...dialects.ranges import is_size
from ...dialects.weld.attributes import Access, Dims, Out
from ...dialects.weld.base import Elementwise
from ...dialects.weld.constant import Constant
from ...dialects.weld.generic import Load
from ...dialects.weld.kernel import Kernel
from ...dialects.weld.types import F32, F64, is_tensor, scalar_of, shape_of
from .plan import Plan

FEWEST = 4
"""So many kernels that differ in rows or numbers have one function: in a few the numbers are better in the code."""

MOST = 8
"""So many numbers find a register each."""


class Form:
    """What a kernel is apart from names: kernels whose `key` is equal can have one function.

    The key holds the kernel's operations and which of them take the same values, the types and layouts of the tensors
    that it reads and gives, which of these may lie in the same memory, and how large its sizes are expected to be. It
    has numbers for values, and `s0`, `s1`, ... for sizes, in the order of their first use. Source lines do not count.
    """

    def __init__(self, kernel: Kernel, plan: Plan, expected: Mapping[str, int]):
        self.kernel = kernel
        self.tensors: list[SSAValue] = []
        """Those from outside."""
        self.sizes: dict[str, Expr] = {}
        """What each size is in the key."""
        self.numbers: list[Constant] = []
        """The constants that the key leaves open."""
        self._rows = _rows(kernel, plan)
        self._exprs: dict[Expr, Expr] = {}
        self._values: dict[SSAValue, int] = {}
        ops = [self._op(op) for op in kernel.block.walk()]
        outer = (kernel.outer, kernel.before, kernel.after)
        layouts = [self._renamed(plan.layouts.get(v, ())) for v in (*self.tensors, *kernel.outs)]
        tensors = [self._tensor(tensor, plan) for tensor in self.tensors]
        shared = [
            (k, j) for k, t in enumerate(self.tensors) for j, out in enumerate(kernel.outs) if _may_share(plan, t, out)
        ]
        large = [expected.get(name) for name in self.sizes]
        self.key: Hashable = tuple(map(tuple, (ops, outer, layouts, tensors, shared, large)))
        self.rows = [self._rows.get(tensor, ()) for tensor in self.tensors]
        """For each tensor the index along each axis, where that is the same number in all loads; left open, too."""
        self.open: Hashable = (tuple([number.value for number in self.numbers]), tuple(self.rows))
        """What the key leaves open."""

    def _op(self, op: Operation) -> Hashable:
        for value in op.operands:
            if value not in self._values:
                self._values[value] = len(self._values)
                self.tensors.append(value)
        operands = tuple([self._values[value] for value in op.operands])
        for result in op.results:
            self._values[result] = len(self._values)
        kinds = tuple([self._attribute(result.type) for result in op.results])
        if isinstance(op, Constant) and is_open(op):
            self.numbers.append(op)
            return op.name, operands, kinds
        if isinstance(op, Load):
            rows = self._rows.get(op.tensor) or [None] * len(op.where.indices)
            moving = self._renamed([e for e, row in zip(op.where.indices, rows, strict=True) if row is None])
            return op.name, operands, moving, self._renamed(op.where.guards), kinds
        facts = tuple([(name, self._attribute(given)) for name, given in op.properties.items()])
        return op.name, operands, facts, kinds

    def _tensor(self, tensor: SSAValue, plan: Plan) -> Hashable:
        owner = tensor.owner
        start = owner.value if isinstance(owner, Constant) and owner.is_splat else None
        rows = [row is not None for row in self._rows.get(tensor, ())]
        return self._attribute(tensor.type), start, tensor in plan.places, tuple(rows)

    def _attribute(self, attribute: Attribute) -> Hashable:
        if is_tensor(attribute):
            return scalar_of(attribute), self._renamed(shape_of(attribute))
        if isinstance(attribute, Dims):
            return self._renamed(attribute.data)
        if isinstance(attribute, Access):
            return self._renamed(attribute.data.indices), self._renamed(attribute.data.guards)
        if isinstance(attribute, Out):
            return attribute.data.kind, self._renamed(attribute.data.indices)
        if isinstance(attribute, ArrayAttr):
            return tuple(map(self._attribute, cast("ArrayAttr[Attribute]", attribute).data))
        return attribute

    def _renamed(self, exprs: Iterable[Expr]) -> tuple[Expr, ...]:
        exprs = tuple(exprs)
        for expr in exprs:
            if expr not in self._exprs:
                for name in sorted(filter(is_size, expr.names - self.sizes.keys())):
                    self.sizes[name] = Expr.symbol(f"s{len(self.sizes)}")
                self._exprs[expr] = expr.substitute(self.sizes)
        return tuple([self._exprs[expr] for expr in exprs])


def is_open(op: Constant) -> bool:
    """Whether code is as good with the number in a register: nothing is known of one that is not zero, and operations
    of one instruction take it."""
    if op.res.type not in (F32, F64) or op.number == 0:
        return False
    return all(isinstance(use.operation, Elementwise) and use.operation.cost == 1 for use in op.res.uses)


def _rows(kernel: Kernel, plan: Plan) -> dict[SSAValue, tuple[int | None, ...]]:
    """For each tensor that is only read, its index along each axis where all loads have the same number there."""
    loads: dict[SSAValue, list[Load]] = {}
    inside, starts = set[SSAValue](), set[SSAValue]()
    for member in kernel.members:
        inside.update(member.outs)
        starts.update(member.inits)
        for load in member.loads():
            loads.setdefault(load.tensor, []).append(load)
    found: dict[SSAValue, tuple[int | None, ...]] = {}
    for tensor, own in loads.items():
        if tensor in inside or tensor in starts or any(_may_share(plan, tensor, out) for out in kernel.outs):
            continue
        axes = [set(indices) for indices in zip(*[load.where.indices for load in own], strict=True)]
        rows = tuple([next(iter(axis)).value if len(axis) == 1 else None for axis in axes])
        if any(row is not None for row in rows):
            found[tensor] = rows
    return found


def _may_share(plan: Plan, tensor: SSAValue, out: SSAValue) -> bool:
    return tensor in plan.places and plan.may_share(tensor, out)


def families(forms: Sequence[Form], opens: bool) -> list[list[Form]]:
    """The forms by the function that they can have; `opens` says whether it may take rows and numbers."""
    found: dict[Hashable, list[Form]] = {}
    for form in forms:
        found.setdefault(form.key, []).append(form)
    result: list[list[Form]] = []
    for family in found.values():
        equal: dict[Hashable, list[Form]] = {}
        for form in family:
            equal.setdefault(form.open, []).append(form)
        one = opens and len(equal) >= FEWEST and _numbers(family) <= MOST
        result += [family] if one else equal.values()
    return result


def _numbers(family: Sequence[Form]) -> int:
    """In how many numbers the kernels differ."""
    values = zip(*[[number.value for number in form.numbers] for form in family], strict=True)
    return sum(len(set(each)) > 1 for each in values)
