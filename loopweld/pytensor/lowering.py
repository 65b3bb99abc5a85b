"""One part of a graph on its way into a module of weld ops: the SSA value of each variable, and the sizes."""

# PyTensor is there with `loopweld[pytensor]` only.
# pyright: reportMissingImports=false

from __future__ import annotations

import re
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from pytensor.graph.basic import Constant, Variable
from xdsl.dialects.builtin import ArrayAttr, ModuleOp, StringAttr
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Block, Region, SSAValue

from loopweld.compiler.frontend.session import Session
from loopweld.dialects.expr import Expr
from loopweld.dialects.weld import Transpose
from loopweld.dialects.weld.types import Shape, shape_of, tensor_of
from loopweld.pytensor.guards import GuardedSymbols
from loopweld.pytensor.known import Known
from loopweld.pytensor.registry import Node, dtype_of, rule_of, static_shape

ONE = Expr.constant(1)
SHORT_ROW = 32
"""Up to so many elements a row is short."""


@dataclass
class Lowered:
    """A lowered part of a graph, and for which calls it is right."""

    module: ModuleOp
    names: list[str]
    constants: list[np.ndarray[Any, Any]]
    """The arrays of the trailing arguments."""
    guards: list[Expr]
    """Expressions that must be at least 0."""
    values: dict[int, Any]
    """What the inputs at these positions must hold, element by element."""


@dataclass
class Lowering:
    """The state: rules take values and sizes from here. `examples` are the arrays of the call that it is made for."""

    examples: Sequence[Any]
    inputs: Sequence[Variable]
    nodes: Sequence[Node]
    session: Session = field(init=False)

    def __post_init__(self) -> None:
        self.session = Session(GuardedSymbols, self._line)
        self.symbols = self.session.symbols
        self.node: Node | None = None
        self.values: dict[Variable, SSAValue] = {}
        self.known = Known(self)
        self.steps: list[tuple[str, Block]] = []
        """The functions of steps, by name."""
        self._constants: dict[object, SSAValue] = {}
        for k, (variable, example) in enumerate(zip(self.inputs, self.examples, strict=True)):
            self.values[variable] = self._argument(variable, example, _name(variable, k))

    def _argument(self, variable: Variable, example: Any, name: str) -> SSAValue:
        sizes = zip(static_shape(variable), np.shape(example), strict=True)
        shape = [self.symbols.new(n) if size is None else Expr.constant(size) for size, n in sizes]
        block = self.session.entry
        value = block.insert_arg(tensor_of(dtype_of(variable), shape), len(block.args))
        self.session.names[value] = name
        return value

    def _line(self) -> tuple[str, int]:
        """Where the user made the variable, as far as PyTensor knows."""
        node = self.node
        for output in node.outputs if node is not None else ():
            for trace in getattr(output.tag, "trace", ()):
                if trace:
                    return trace[-1][0], trace[-1][1]
        return "<graph>", 0

    def run(self, outputs: Sequence[Variable]) -> Lowered:
        """Lower all nodes; `outputs` are the results."""
        self.lower(self.nodes)
        block = self.session.block
        block.add_op(ReturnOp(*[self.value(v) for v in outputs]))
        for value in block.args:
            value.name_hint = self.session.names[value]
        names = [self.session.names[v] for v in block.args]
        function = _function("main", block)
        function.attributes["weld.arg_names"] = ArrayAttr([StringAttr(n) for n in names])
        steps = [_function(name, step, "private") for name, step in self.steps]
        assert isinstance(self.symbols, GuardedSymbols)
        return Lowered(
            ModuleOp([*steps, function]), names, self.session.constants, self.symbols.guards, dict(self.known.pinned)
        )

    def lower(self, nodes: Sequence[Node]) -> None:
        """Lower nodes in their order."""
        before = self.node
        for node in nodes:
            rule = rule_of(node)
            assert rule is not None, f"{node.op} has no lowering"
            self.node = node
            found = rule.lower(self, node)
            results = [found] if isinstance(found, SSAValue) else found
            for variable, value in zip(node.outputs, results, strict=True):
                self._define(variable, value)
        self.node = before

    @contextmanager
    def step(self) -> Generator[Block]:
        """A block for the function of a step, into which what is lowered inside goes. It may use values from outside;
        constants that are made inside stay there."""
        session, block = self.session, Block()
        outside, constants, values, checked = session.block, self._constants, self.values, session.checked
        session.block = block
        self.symbols.blocks.append(block)
        self._constants, self.values, session.checked = dict(constants), dict(values), set(checked)
        try:
            yield block
        finally:
            session.block = outside
            self._constants, self.values, session.checked = constants, values, checked

    @property
    def in_step(self) -> bool:
        """Whether what is lowered is a part of a step."""
        return self.session.block is not self.session.entry

    def _define(self, variable: Variable, value: SSAValue) -> None:
        """Note a result; sizes that its type states are what they are."""
        for size, declared in zip(shape_of(value), static_shape(variable), strict=True):
            if declared is not None:
                self.same_size(
                    size, Expr.constant(declared), f"{self._op_name()}: a dim of the result has another size"
                )
        self.values[variable] = self.session.cast(value, dtype_of(variable))

    def _op_name(self) -> str:
        return str(self.node.op) if self.node is not None else ""

    # What rules use.

    def value(self, variable: Variable) -> SSAValue:
        """The variable's SSA value, a tensor; constants are made where they are first used."""
        found = self.values.get(variable)
        if found is None:
            assert isinstance(variable, Constant), f"{variable} is not computed yet"
            found = self.values[variable] = self._constant(np.asarray(variable.data, dtype_of(variable)))
        return found

    def _constant(self, array: np.ndarray[Any, Any]) -> SSAValue:
        """A constant, once for all that are equal. Of a tall matrix each column is put in one piece: loops over its
        rows are long, and those along them short."""
        tall = array.ndim == 2 and 1 < array.shape[1] <= SHORT_ROW and array.shape[0] > 4 * array.shape[1]
        kept = np.asarray(array.T if tall else array, order="C")
        key = (kept.dtype, kept.shape, kept.tobytes())
        if key not in self._constants:
            self._constants[key] = self.session.array(kept)
        value = self._constants[key]
        return self.session.emit(Transpose.of(value, [1, 0])) if tall else value

    def cast(self, value: SSAValue, dtype: Any) -> SSAValue:
        return self.session.cast(value, np.dtype(dtype))

    def shape(self, variable: Variable) -> Shape:
        """The variable's sizes, as far as they are known."""
        return tuple(self.symbols.canonical(e) for e in shape_of(self.value(variable)))

    def same_size(self, a: Expr, b: Expr, what: str) -> Expr:
        """The size that two dims must share; ValueError saying `what` where they differ."""
        found = self.symbols.unify(a, b)
        if found is None:
            raise ValueError(f"{what}: {self.symbols.example(a)} and {self.symbols.example(b)}")
        return found

    def common_shape(self, variables: Sequence[Variable], repeats: bool = False) -> Shape:
        """What variables broadcast to, their dims the last ones. Only dims that the types say to be 1 repeat: raises
        ValueError where a dim of another size is 1 in this call, unless all of size 1 `repeats`."""
        return self.common_batch(variables, [0] * len(variables), repeats)

    def common_batch(self, variables: Sequence[Variable], core: Sequence[int], repeats: bool = False) -> Shape:
        """What the variables broadcast to without their last dims, `core` gives how many."""
        leading = [static_shape(v)[: len(static_shape(v)) - n] for v, n in zip(variables, core, strict=True)]
        rank = max(map(len, leading), default=0)
        shape: list[Expr | None] = [None] * rank
        for number, (variable, declared) in enumerate(zip(variables, leading, strict=True)):
            for own, axis in enumerate(range(rank - len(declared), rank)):
                if declared[own] == 1:
                    continue
                known, size = shape[axis], self.shape(variable)[own]
                shape[axis] = size if known is None else self._joined(known, size, axis, number, repeats)
        return tuple(ONE if e is None else self.symbols.canonical(e) for e in shape)

    def _joined(self, a: Expr, b: Expr, axis: int, number: int, repeats: bool = False) -> Expr:
        found = self.symbols.unify(a, b)
        if found is not None:
            return found
        if repeats and self._repeats(a, b):
            return b
        if repeats and self._repeats(b, a):
            return a
        sizes = self.symbols.example(a), self.symbols.example(b)
        if 1 in sizes:
            raise ValueError(
                f"Runtime broadcasting not allowed. Dimension {axis} of input {number} of {self._op_name()} meets size "
                f"{max(sizes)} with size 1, but was not marked as broadcastable. If broadcasting was intended, use "
                "`specify_broadcastable` on the relevant input."
            )
        raise ValueError(
            f"Input dimension mismatch in {self._op_name()}: along axis {axis} sizes {sizes[0]} and {sizes[1]}"
        )

    def _repeats(self, size: Expr, target: Expr) -> bool:
        """Whether the size is 1 in this call and the target is not; it is then taken to be 1."""
        if self.symbols.example(size) != 1 or self.symbols.example(target) == 1:
            return False
        self.symbols.pin(size)
        return True

    def broadcast(self, value: SSAValue, shape: Shape) -> SSAValue:
        """`value` repeated to `shape`; its dims are the last ones."""
        return self.session.broadcast(value, tuple(self.symbols.canonical(e) for e in shape))

    def fill(self, variable: Variable, shape: Shape, repeats: bool = False) -> SSAValue:
        """The variable repeated to `shape`, which its own must broadcast to; ValueError where it does not."""
        declared = static_shape(variable)
        first = len(shape) - len(declared)
        if first < 0:
            raise ValueError(f"{self._op_name()}: a value of {len(declared)} dims is given to {len(shape)} dims")
        for own, axis in enumerate(range(first, len(shape))):
            target, size = self.symbols.canonical(shape[axis]), self.shape(variable)[own]
            if declared[own] != 1 and not (repeats and self._repeats(size, target)):
                self._joined(target, size, own, 0)
        return self.broadcast(self.value(variable), shape)

    def sizes(self, variable: Variable) -> list[Expr]:
        """The elements of an integer scalar or vector that gives shapes."""
        return list(self.known.array(variable).reshape(-1))

    def size(self, variable: Variable) -> Expr:
        (found,) = self.sizes(variable)
        return found


def _function(name: str, block: Block, visibility: str | None = None) -> FuncOp:
    returned = block.last_op
    assert isinstance(returned, ReturnOp)
    types = [a.type for a in block.args], [v.type for v in returned.operands]
    return FuncOp(name, types, Region(block), visibility)


def _name(variable: Variable, number: int) -> str:
    """A name that the IR takes."""
    return re.sub(r"[^A-Za-z0-9_$.-]", "_", f"{variable.name or 'in'}_{number}")
