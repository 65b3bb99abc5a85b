"""Kernels that are equal but for the tensors and sizes that they take: one function does for all of them."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import replace
from typing import cast

from xdsl.dialects.builtin import ArrayAttr
from xdsl.ir import Attribute, Operation, SSAValue

from ...dialects.expr import Expr
from ...dialects.ranges import is_size
from ...dialects.weld.attributes import Access, Dims, Out
from ...dialects.weld.constant import Constant
from ...dialects.weld.kernel import Kernel
from ...dialects.weld.types import is_tensor, scalar_of, shape_of
from .kernel import KernelFunction
from .plan import Plan


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
        self._exprs: dict[Expr, Expr] = {}
        self._numbers: dict[SSAValue, int] = {}
        ops = [self._op(op) for op in kernel.block.walk()]
        outer = (kernel.outer, kernel.before, kernel.after)
        layouts = [self._renamed(plan.layouts.get(v, ())) for v in (*self.tensors, *kernel.outs)]
        tensors = [self._tensor(tensor, plan) for tensor in self.tensors]
        shared = [
            (k, j)
            for k, tensor in enumerate(self.tensors)
            for j, out in enumerate(kernel.outs)
            if tensor in plan.places and plan.may_share(tensor, out)
        ]
        large = [expected.get(name) for name in self.sizes]
        self.key: Hashable = tuple(map(tuple, (ops, outer, layouts, tensors, shared, large)))

    def like(self, other: Form, function: KernelFunction) -> KernelFunction:
        """The function of another kernel of this form, as it is called for this one."""
        tensors = dict(zip(other.tensors, self.tensors, strict=True))
        names = dict(zip(other.sizes, self.sizes, strict=True))
        sizes = {name: Expr.symbol(own) for name, own in names.items()}
        return KernelFunction(
            self.kernel.sym_name.data,
            function.function,
            [tensors[tensor] for tensor in function.tensors],
            list(self.kernel.outs),
            [replace(need, count=need.count.substitute(sizes)) for need in function.scratch],
            [names[name] for name in function.symbols],
        )

    def _op(self, op: Operation) -> Hashable:
        for value in op.operands:
            if value not in self._numbers:
                self._numbers[value] = len(self._numbers)
                self.tensors.append(value)
        operands = tuple([self._numbers[value] for value in op.operands])
        for result in op.results:
            self._numbers[result] = len(self._numbers)
        facts = tuple([(name, self._attribute(given)) for name, given in op.properties.items()])
        return op.name, operands, facts, tuple([self._attribute(result.type) for result in op.results])

    def _tensor(self, tensor: SSAValue, plan: Plan) -> Hashable:
        owner = tensor.owner
        start = owner.value if isinstance(owner, Constant) and owner.is_splat else None
        return self._attribute(tensor.type), start, tensor in plan.places

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
        for expr in exprs:
            if expr not in self._exprs:
                for name in sorted(filter(is_size, expr.names - self.sizes.keys())):
                    self.sizes[name] = Expr.symbol(f"s{len(self.sizes)}")
                self._exprs[expr] = expr.substitute(self.sizes)
        return tuple([self._exprs[expr] for expr in exprs])
