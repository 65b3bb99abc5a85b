"""One kernel as a function of explicit loops."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from xdsl.dialects.builtin import FunctionType, IntegerAttr, i64
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Attribute, Block, Region, SSAValue

from ...dialects.expr import Expr, product_of
from ...dialects.loop.ops import Buffer, Copy, Fill, For, Yield
from ...dialects.weld.constant import Constant
from ...dialects.weld.generic import Generic, Index, Inside, Load
from ...dialects.weld.kernel import Kernel
from ...dialects.weld.reductions import REDUCTIONS
from ...dialects.weld.types import I64, scalar_of, shape_of
from .nest import Nest
from .schedule import Member, lanes_for, plan_member, score, strides_of
from .scopes import Frame, Scope
from .values import Home


@dataclass
class Scratch:
    """Memory that a kernel needs while it runs."""

    element: Attribute
    count: Expr


@dataclass
class KernelFunction:
    """The function of a kernel and what its arguments are, in order."""

    function: FuncOp
    tensors: list[SSAValue]
    """Tensors from outside: inputs, constants, results of other kernels."""
    results: list[SSAValue]
    """The kernel's results."""
    scratch: list[Scratch]
    symbols: list[str]


def lower_kernel(kernel: Kernel, layouts: Mapping[SSAValue, tuple[Expr, ...]], bits: int) -> KernelFunction:
    """`layouts` gives the strides in elements of every tensor from outside; `bits` is the vector register size."""
    return _Lowering(kernel, layouts, bits).run()


class _Lowering:
    def __init__(self, kernel: Kernel, layouts: Mapping[SSAValue, tuple[Expr, ...]], bits: int):
        self.kernel = kernel
        self.bits = bits
        self.outer = kernel.outer_count
        self.looped = kernel.looped
        self.block = Block()
        self.homes: dict[SSAValue, Home] = {}
        self.scratch: list[Scratch] = []
        self.filled: set[SSAValue] = set()
        self.inside = {out for m in kernel.members for out in m.outs}
        self.results = list(kernel.terminator.operands)
        self.tensors = self._outside(kernel)
        for tensor in self.tensors:
            self.homes[tensor] = Home(self._argument(tensor), layouts[tensor])
        for inner in self.results:
            strides = strides_of(shape_of(inner))
            self.homes[inner] = Home(self._argument(inner), strides, level=self.outer)

    def run(self) -> KernelFunction:
        self.vector = self._outer_vector()
        self.lanes = self._outer_lanes()
        for member in self.kernel.members:
            for position, out in enumerate(member.outs):
                if out not in self.homes:
                    self.homes[out] = self._internal(member, position, out)
        self._best_values()
        symbols = sorted(self._symbols())
        values: dict[str, SSAValue] = {}
        for name in symbols:
            argument = self.block.insert_arg(I64, len(self.block.args))
            argument.name_hint = name
            values[name] = argument
        self.frame = Frame([Scope(self.block)], {}, {}, values, self.lanes)
        self._start()
        self._outer_loops(self.frame, self._outer_order())
        for member in self.kernel.epilogue:
            self._member(member, self.frame, 0)
        self.block.add_op(ReturnOp())
        types = [a.type for a in self.block.args]
        function = FuncOp(
            self.kernel.sym_name.data, FunctionType.from_lists(types, []), Region(self.block), visibility="private"
        )
        function.location = self.kernel.location
        if self.vector is not None:
            function.attributes["loop.outer_lanes"] = IntegerAttr(self.lanes, i64)
        outs = list[SSAValue](self.kernel.outs)
        return KernelFunction(function, self.tensors, outs, self.scratch, symbols)

    # ---- what the kernel touches ---------------------------------------------------
    def _outside(self, kernel: Kernel) -> list[SSAValue]:
        found: dict[SSAValue, None] = {}
        for member in kernel.members:
            for load in member.loads():
                if load.tensor not in self.inside:
                    found[load.tensor] = None
            for init in member.inits:
                if not _is_splat(init):
                    found[init] = None
        return list(found)

    def _argument(self, tensor: SSAValue) -> SSAValue:
        argument = self.block.insert_arg(Buffer(scalar_of(tensor)), len(self.block.args))
        argument.name_hint = tensor.name_hint
        return argument

    def _symbols(self) -> set[str]:
        names: set[str] = set()
        for member in self.kernel.members:
            exprs = [*member.sizes]
            for op in member.block.ops:
                if isinstance(op, Load):
                    exprs += [*op.where.indices, *op.where.guards]
                elif isinstance(op, Index):
                    exprs.append(op.value)
                elif isinstance(op, Inside):
                    exprs += op.guards.data
            for result in member.results_given:
                exprs += result.indices
            names |= {n for e in exprs for n in e.names}
        for home in self.homes.values():
            names |= {n for e in home.strides for n in e.names}
        for tensor in self.results:
            names |= {n for e in shape_of(tensor) for n in e.names}
        for need in self.scratch:
            names |= need.count.names
        return {n for n in names if not (n[0] in "di" and n[1:].isdigit())}

    def _internal(self, member: Generic, position: int, out: SSAValue) -> Home:
        """A result that stays in the kernel: a register of the outer loops, a row of scratch, or full scratch."""
        result = member.results_given[position]
        outer = set(member.dims[: self.outer]) if member in self.looped else set[str]()
        shape = shape_of(out)
        readers = {load.parent_op() for load in self._loads_of(out)}
        late = any(r not in self.looped for r in readers)
        names = [str(e) for e in result.indices]
        if not late and outer and not result.is_scatter:
            inner = [k for k, n in enumerate(names) if n not in outer and shape[k].value != 1]
            if not inner:
                return Home(level=self.outer)
            lanes = self.lanes if self.vector is not None else 1
            strides = [Expr.constant(0)] * len(shape)
            step = Expr.constant(lanes)
            for axis in reversed(inner):
                strides[axis] = step
                step = step * shape[axis]
            return Home(self._scratch(out, step), tuple(strides), self.vector is not None, level=self.outer)
        if late and not shape and not self.outer and not result.is_scatter:
            return Home(level=0)
        return Home(self._scratch(out, product_of(shape)), strides_of(shape), level=self.outer)

    def _loads_of(self, out: SSAValue) -> list[Load]:
        return [use.operation for use in out.uses if isinstance(use.operation, Load)]

    def _scratch(self, out: SSAValue, count: Expr, element: Attribute | None = None) -> SSAValue:
        element = element or scalar_of(out)
        self.scratch.append(Scratch(element, count))
        argument = self.block.insert_arg(Buffer(element), len(self.block.args))
        argument.name_hint = out.name_hint
        return argument

    def _best_values(self) -> None:
        """argmax and argmin that combine in memory keep their best values in scratch beside the positions."""
        for member in self.kernel.members:
            for out, result, yielded in zip(member.outs, member.results_given, member.yielded(), strict=True):
                home = self.homes[out]
                if result.values == 2 and result.is_reduction and home.buffer is not None:
                    row = member in self.looped and self._is_row(home, self.outer)
                    count = self._row_count(home, out) if row else product_of(shape_of(out))
                    home.best = self._scratch(out, count, scalar_of(yielded[0]))

    # ---- loops ---------------------------------------------------------------------
    def _plan(self, member: Generic, outer: int) -> Member:
        strides = {
            load.tensor: self.homes[load.tensor].strides
            for load in member.loads()
            if load.tensor in self.homes and self.homes[load.tensor].buffer is not None
        }
        strides |= {o: self.homes[o].strides for o in member.outs if o in self.homes and self.homes[o].strides}
        return plan_member(member, strides, outer)

    def _outer_vector(self) -> str | None:
        """The outer dim across the lanes, where that suits the members better than their inner dims."""
        if not self.outer:
            return None
        plans = [self._plan(m, self.outer) for m in self.looped]
        best = max(range(self.outer), key=lambda k: (sum(score(p, f"d{k}", innermost=False) for p in plans), k))
        across = sum(score(p, f"d{best}", innermost=False) for p in plans)
        inner = sum(max((score(p, d) for d in p.order[self.outer :]), default=0) for p in plans)
        has_inner = any(len(p.order) > self.outer for p in plans)
        return f"d{best}" if across > inner or not has_inner else None

    def _outer_lanes(self) -> int:
        if self.vector is None:
            return 1
        size = self.looped[0].sizes[int(self.vector[1:])]
        return lanes_for(self.looped, self.bits, size)

    def _outer_order(self) -> list[str]:
        dims = [f"d{k}" for k in range(self.outer)]
        if self.vector is not None:
            dims.remove(self.vector)
            dims.append(self.vector)
        return dims

    def _outer_loops(self, frame: Frame, rest: list[str]) -> None:
        if not rest:
            for member in self.looped:
                self._member(member, frame, self.outer)
            return
        dim = rest[0]
        size = self.looped[0].sizes[int(dim[1:])]
        frame.levels = {d: k + 1 for k, d in enumerate(self._outer_order())}
        if dim != self.vector or self.lanes == 1:
            self._outer_loop(frame, rest, Expr.constant(0), size, 1, False)
            return
        whole = size - size % self.lanes
        if whole.value != 0:
            self._outer_loop(frame, rest, Expr.constant(0), whole, self.lanes, False)
        if (size % self.lanes).value != 0:
            self._outer_loop(frame, rest, whole, size, self.lanes, True)

    def _outer_loop(self, frame: Frame, rest: list[str], start: Expr, stop: Expr, step: int, masked: bool) -> None:
        dim = rest[0]
        label = f"{dim} rest" if masked else dim
        loop = For.of(frame.index(start), frame.index(stop), step, [], label)
        frame.top.add(loop)
        frame.top.anchor = loop
        inner = frame.with_scopes([*frame.scopes, Scope(loop.block)])
        inner.counters = frame.counters | {dim: loop.counter}
        if dim == self.vector and self.lanes > 1:
            inner.vector_dim = dim
            if masked:
                size = self.looped[0].sizes[int(dim[1:])]
                inner.mask = inner.holds(size - 1 - Expr.symbol(dim))
        self._outer_loops(inner, rest[1:])
        loop.block.add_op(Yield.create())
        frame.top.anchor = None

    def _member(self, op: Generic, frame: Frame, outer: int) -> None:
        """One member's own loops at the end of the frame."""
        plan = self._plan(op, outer)
        vector = self.vector if outer else None
        frame = frame.with_scopes(list(frame.scopes))
        if outer:
            plan.order = self._outer_order() + plan.order[outer:]
        if vector is None:
            inner = plan.order[outer:]
            frame.lanes = 1
            if inner:
                ordered = any(r.is_scatter for r in plan.results)
                vector = inner[-1] if ordered else max(inner, key=lambda d: (score(plan, d), inner.index(d)))
                plan.order.remove(vector)
                plan.order.append(vector)
                frame.lanes = lanes_for([op], self.bits, plan.sizes[vector])
                if frame.lanes == 1:
                    vector = None
        nest = Nest(plan, self.homes, frame, outer, vector if frame.lanes > 1 else None)
        self._fill(nest, frame)
        nest.emit(frame)

    # ---- first values --------------------------------------------------------------
    def _start(self) -> None:
        """Scatter results start from their init tensors."""
        for member in self.kernel.members:
            inits = iter(member.inits)
            for out, result in zip(member.outs, member.results_given, strict=True):
                if result.is_scatter:
                    self._init(next(inits), out, self.homes[out])

    @staticmethod
    def _is_row(home: Home, outer: int) -> bool:
        """Scratch that each outer iteration uses anew."""
        return outer > 0 and any(not s.terms for s in home.strides)

    def _init(self, init: SSAValue, out: SSAValue, home: Home) -> None:
        assert home.buffer is not None
        count = self.frame.index(product_of(shape_of(out)))
        if isinstance(init.owner, Constant) and init.owner.is_splat:
            number = self.frame.constant(init.owner.number, scalar_of(out), 1)
            self.frame.top.add(Fill.create(operands=[number, home.buffer, count]))
            return
        source = self.homes[init].buffer
        assert source is not None
        self.frame.top.add(Copy.create(operands=[source, home.buffer, count]))

    def _fill(self, nest: Nest, frame: Frame) -> None:
        """Reductions that combine in memory start from the identity: once, or in each outer iteration."""
        for reduction in nest.reductions:
            out = nest.op.outs[reduction.position]
            home = self.homes[out]
            if reduction.complete or home.buffer is None:
                continue
            if self._is_row(home, nest.outer):
                self._identity(nest.op, reduction.position, home, frame)
            elif out not in self.filled:
                self.filled.add(out)
                self._identity(nest.op, reduction.position, home, frame.at(0))

    def _identity(self, member: Generic, position: int, home: Home, frame: Frame) -> None:
        result = member.results_given[position]
        out = member.outs[position]
        assert home.buffer is not None
        row = member in self.looped and self._is_row(home, self.outer)
        count = self._row_count(home, out) if row else product_of(shape_of(out))
        element = scalar_of(member.yielded()[position][0])
        identity = REDUCTIONS[result.kind].identity(element)
        values = [(home.buffer, identity, element)]
        if result.values == 2:
            assert home.best is not None
            values = [(home.buffer, 0, I64), (home.best, identity, element)]
        for buffer, number, kind in values:
            value = frame.constant(number, kind, 1)
            frame.top.add(Fill.create(operands=[value, buffer, frame.index(count)]))

    def _row_count(self, home: Home, out: SSAValue) -> Expr:
        sizes = zip(shape_of(out), home.strides, strict=True)
        lanes = self.lanes if home.per_lane else 1
        return product_of(size for size, stride in sizes if stride.terms) * lanes


def _is_splat(value: SSAValue) -> bool:
    return isinstance(value.owner, Constant) and value.owner.is_splat
