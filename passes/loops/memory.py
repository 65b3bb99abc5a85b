"""What a kernel touches: the arguments of its function, its scratch, and where each tensor lives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from xdsl.ir import Attribute, Block, SSAValue

from ...dialects.expr import Expr, product_of
from ...dialects.ir import ops_of
from ...dialects.loop.ops import Buffer
from ...dialects.ranges import is_size
from ...dialects.weld.attributes import Result, Where
from ...dialects.weld.constant import Constant
from ...dialects.weld.generic import Generic, Index, Inside, Load
from ...dialects.weld.kernel import Kernel
from ...dialects.weld.types import I64, byte_width, bytes_of, scalar_of, shape_of
from .schedule import Member, plan_member, strides_of
from .values import Home, Homes

LONG_BYTES = 1 << 16
"""A row that the first-level cache does not hold."""
SMALL_BYTES = 1 << 14
"""A table that stays in the first-level cache, whatever else goes through it."""


@dataclass
class Scratch:
    """Memory that a kernel needs while it runs."""

    element: Attribute
    count: Expr


class KernelMemory:
    """The homes of a kernel's tensors; `layouts` gives the strides in elements of every tensor from outside, `results`
    those of the results."""

    def __init__(
        self,
        kernel: Kernel,
        layouts: Mapping[SSAValue, tuple[Expr, ...]],
        results: Sequence[tuple[Expr, ...]],
        expected: Mapping[str, int],
        apart: Sequence[bool],
    ):
        self.kernel = kernel
        self.outer = kernel.outer_count
        self.looped = kernel.looped
        self.lanes, self.per_lane = 1, False
        """Lanes across the outer dims, and whether rows of scratch hold an element for each."""
        self.block = Block()
        """The function's, whose arguments are tensors, scratch and symbols."""
        self.homes: Homes = {}
        self.scratch: list[Scratch] = []
        self.row_scratch: dict[SSAValue, Expr] = {}
        """Scratch of one outer iteration and its elements: each thread has its own."""
        self.symbol_count = 0
        """The last arguments are symbols."""
        self.inside = {out for m in kernel.members for out in m.outs}
        self.expected = expected
        self.results = list(kernel.terminator.operands)
        self.tensors = self._outside(kernel)
        for tensor in self.tensors:
            self.homes[tensor] = Home(self.argument(tensor), layouts[tensor], is_small=self._is_small(tensor))
        self.result_strides = results
        self.early = {out for member in kernel.prologue for out in member.outs}
        for inner, strides in zip(self.results, results, strict=True):
            self.homes[inner] = Home(self.argument(inner), strides, level=self.level(inner))
        self._start_in_place()
        self.roomy = [out for out, is_apart in zip(self.results, apart, strict=True) if is_apart]
        """Results whose memory the kernel reads nothing else from."""

    def place_inside(self, lanes: int, per_lane: bool) -> None:
        """Homes for the results that do not leave the kernel."""
        self.lanes, self.per_lane = lanes, per_lane
        for member in reversed(self.kernel.members):
            for position, out in enumerate(member.outs):
                if out not in self.homes:
                    self.homes[out] = self._internal(member, position, out)
            self._start_in_place()

    def add_symbols(self) -> dict[str, SSAValue]:
        """Arguments for the symbols that the kernel uses, by name; scratch that comes later goes before them."""
        found: dict[str, SSAValue] = {}
        for name in sorted(self.symbols()):
            argument = self.block.insert_arg(I64, len(self.block.args))
            argument.name_hint = name
            found[name] = argument
        self.symbol_count = len(found)
        return found

    def _outside(self, kernel: Kernel) -> list[SSAValue]:
        found: dict[SSAValue, None] = {}
        for member in kernel.members:
            for load in member.loads():
                if load.tensor not in self.inside:
                    found[load.tensor] = None
            for init in member.inits:
                if not is_splat(init) and init not in self.inside:
                    found[init] = None
        return list(found)

    def argument(self, tensor: SSAValue) -> SSAValue:
        argument = self.block.insert_arg(Buffer(scalar_of(tensor)), len(self.block.args))
        argument.name_hint = tensor.name_hint
        return argument

    def _internal(self, member: Generic, position: int, out: SSAValue) -> Home:
        """A result that stays in the kernel: a register of the outer loops, a row of scratch, or full scratch."""
        result = member.results_given[position]
        outer = set(member.dims[: self.outer]) if member in self.looped else set[str]()
        shape = shape_of(out)
        readers = {load.parent_op() for load in loads_of(out)}
        late = any(r not in self.looped for r in readers)
        names = [str(e) for e in result.indices]
        if not late and outer and not result.is_scatter:
            inner = [k for k, n in enumerate(names) if n not in outer and shape[k].value != 1]
            if not inner:
                return Home(level=self.outer)
            lanes = self.lanes if self.per_lane else 1
            strides = [Expr.constant(0)] * len(shape)
            step = Expr.constant(lanes)
            for axis in reversed(inner):
                strides[axis] = step
                step = step * shape[axis]
            room = self._room(member, out, step) if lanes == 1 else None
            if room is not None:
                return replace(self.homes[room], level=self.outer)
            buffer = self.add_scratch(out, step)
            self.row_scratch[buffer] = step
            return Home(buffer, tuple(strides), self.per_lane, level=self.outer)
        if late and not shape and not self.outer and not result.is_scatter and out not in self.early:
            return Home(level=0)
        return Home(self.add_scratch(out, product_of(shape)), strides_of(shape), level=self.level(out))

    def _room(self, member: Generic, out: SSAValue, count: Expr) -> SSAValue | None:
        """The result in whose memory a long row can wait: the last member that reads the row writes it there, each
        element where it has read it."""
        loads = loads_of(out)
        last = max((self.looped.index(op) for load in loads if isinstance(op := load.parent_op(), Generic)), default=0)
        writer, given = self.looped[last], member.given(out)
        if not self._is_long(count * byte_width(scalar_of(out))) or writer.guards or member.guards:
            return None
        own = [load for load in loads if load.parent_op() is writer]
        if writer is member or not given.is_write or writer.sizes != member.sizes:
            return None
        if any(load.where != Where(given.indices) or load.indices for load in own):
            return None
        for result in writer.outs:
            if result in self.roomy and writer.given(result) == given and result.type == out.type:
                self.roomy.remove(result)
                return result
        return None

    def _is_long(self, size: Expr) -> bool:
        """Whether what one iteration keeps of a row is known, or expected, to need more than the first-level cache."""
        found = self.expected_size(size)
        return found is not None and found > LONG_BYTES

    def _is_small(self, tensor: SSAValue) -> bool:
        """Whether a tensor is known, or expected, to leave half of the first-level cache to others."""
        found = self.expected_size(bytes_of(tensor))
        return found is not None and found <= SMALL_BYTES

    def expected_size(self, size: Expr) -> int | None:
        """What a number is, or is expected to be."""
        if not size.names <= self.expected.keys():
            return None
        return size.evaluate(self.expected.__getitem__)

    def keep_best_values(self) -> None:
        """argmax and argmin that combine in memory keep their best values in scratch beside the positions."""
        for member in self.kernel.members:
            for out, result, yielded in zip(member.outs, member.results_given, member.yielded(), strict=True):
                home = self.homes[out]
                if result.values == 2 and result.is_reduction and home.buffer is not None:
                    row = member in self.looped and is_row(home, self.outer)
                    count = self._row_count(home, out) if row else product_of(shape_of(out))
                    home.best = self.add_scratch(out, count, scalar_of(yielded[0]))
                    self.row_scratch |= {home.best: count} if row else {}

    def add_scratch(self, out: SSAValue, count: Expr, element: Attribute | None = None) -> SSAValue:
        element = element or scalar_of(out)
        self.scratch.append(Scratch(element, count))
        argument = self.block.insert_arg(Buffer(element), len(self.block.args) - self.symbol_count)
        argument.name_hint = out.name_hint
        return argument

    def symbols(self) -> set[str]:
        names: set[str] = set()
        for member in self.kernel.members:
            exprs = [*member.sizes]
            for op in ops_of(member.block):
                if isinstance(op, Load):
                    exprs += [*op.where.indices, *op.where.guards]
                elif isinstance(op, Index):
                    exprs.append(op.value)
                elif isinstance(op, Inside):
                    exprs += op.guards.data
            for result in member.results_given:
                exprs += result.indices
            names |= {n for e in exprs for n in e.names}
        for strides in (*self.result_strides, *(home.strides for home in self.homes.values())):
            names |= {n for e in strides for n in e.names}
        for tensor in self.results:
            names |= {n for e in shape_of(tensor) for n in e.names}
        for need in self.scratch:
            names |= need.count.names
        return set(filter(is_size, names))

    def plan(self, member: Generic, outer: int) -> Member:
        strides = {
            load.tensor: self.homes[load.tensor].strides
            for load in member.loads()
            if load.tensor in self.homes and self.homes[load.tensor].buffer is not None
        }
        strides |= {o: self.homes[o].strides for o in member.outs if o in self.homes and self.homes[o].strides}
        plan = plan_member(member, strides, outer)
        if member.is_gate:
            plan.results = tuple(Result("write", r.indices) for r in plan.results)
        return plan

    def level(self, out: SSAValue) -> int:
        """From which loop on memory holds a result of the kernel."""
        return 0 if out in self.early else self.outer

    def starts(self) -> Iterator[tuple[SSAValue, SSAValue]]:
        """What each scatter result starts from, and the result."""
        for member in self.kernel.members:
            yield from zip(member.inits, member.scatters, strict=True)

    def _start_in_place(self) -> None:
        """What is computed only to be overwritten by a gate, or to start a scatter once the members before the loops
        are done, is computed in the result's memory."""
        for init, out in reversed(list(self.starts())):
            if out in self.homes and self.is_only_start(init, out):
                self.homes[init] = replace(self.homes[out], level=self.level(init))

    def is_only_start(self, init: SSAValue, out: SSAValue) -> bool:
        if init not in self.inside or init in self.results or not init.has_one_use():
            return False
        writer = out.owner
        return init in self.early or (isinstance(writer, Generic) and writer.is_gate)

    def _row_count(self, home: Home, out: SSAValue) -> Expr:
        sizes = zip(shape_of(out), home.strides, strict=True)
        lanes = self.lanes if home.per_lane else 1
        return product_of(size for size, stride in sizes if stride.terms) * lanes

    def count_of(self, member: Generic, out: SSAValue) -> Expr:
        """How many elements are kept of a result."""
        home = self.homes[out]
        row = member in self.looped and is_row(home, self.outer)
        return self._row_count(home, out) if row else product_of(shape_of(out))


def is_row(home: Home, outer: int) -> bool:
    """Whether it is scratch that each outer iteration uses anew."""
    return outer > 0 and any(not s.terms for s in home.strides)


def loads_of(out: SSAValue) -> list[Load]:
    return [use.operation for use in out.uses if isinstance(use.operation, Load)]


def is_splat(value: SSAValue) -> bool:
    return isinstance(value.owner, Constant) and value.owner.is_splat
