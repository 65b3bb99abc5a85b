"""Integers that are known while a graph is lowered: constants, shapes, arithmetic on them, and values of inputs.

PyTensor computes shapes in the graph: `Alloc(0, Shape_i{0}(x) + 1)`. What comes from shapes stays symbolic; what comes
from the values of an input is taken from the call that the program is made for, and it is made again for other values.
"""

# PyTensor is there with `loopweld[pytensor]` only.
# pyright: reportMissingImports=false

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pytensor.scalar as ps
from pytensor.graph.basic import Constant, Variable
from pytensor.raise_op import CheckAndRaise
from pytensor.scalar.basic import ScalarOp
from pytensor.tensor.basic import Join, MakeVector, ScalarFromTensor, TensorFromScalar
from pytensor.tensor.elemwise import DimShuffle, Elemwise
from pytensor.tensor.shape import Shape, Shape_i
from pytensor.tensor.subtensor import Subtensor, unflatten_index_variables

from loopweld.dialects.expr import Expr
from loopweld.pytensor.registry import Node

if TYPE_CHECKING:
    from loopweld.pytensor.lowering import Lowering

Producers = dict[Variable, Node]
FROM_SHAPES = (Shape, Shape_i)
KEEPS_ELEMENTS = (ScalarFromTensor, TensorFromScalar, DimShuffle, MakeVector, Join, Subtensor, CheckAndRaise)


def needs_data(variable: Variable, producers: Producers) -> list[Variable]:
    """The computed variables whose values must be known for this one to be."""
    return [v for v in sources(variable, producers) if v in producers]


def sources(variable: Variable, producers: Producers) -> list[Variable]:
    """The variables, computed or not, whose values must be known for this one to be."""
    if isinstance(variable, Constant):
        return []
    if variable not in producers:
        return [variable]
    node = producers[variable]
    if isinstance(node.op, FROM_SHAPES):
        return []
    if _is_integer(variable) and isinstance(node.op, (Elemwise, ScalarOp, *KEEPS_ELEMENTS)) and _is_small(variable):
        return [v for source in _values_of(node) for v in sources(source, producers)]
    return [variable]


def _values_of(node: Node) -> Sequence[Variable]:
    """The inputs that the node's values come from: what a check tests is left to the check."""
    return node.inputs[:1] if isinstance(node.op, CheckAndRaise) else node.inputs


def _is_integer(variable: Variable) -> bool:
    return getattr(variable.type, "dtype", "").startswith(("int", "uint", "bool"))


def _is_small(variable: Variable) -> bool:
    return getattr(variable.type, "ndim", 0) <= 1


class Known:
    """What is known in one lowering. `pinned`: the inputs whose values the program is for, by position."""

    def __init__(self, lowering: Lowering):
        self.low = lowering
        self.producers = {v: node for node in lowering.nodes for v in node.outputs}
        self.positions = {v: k for k, v in enumerate(lowering.inputs)}
        self.pinned: dict[int, Any] = {}
        self._found: dict[Variable, Any] = {}

    def array(self, variable: Variable) -> Any:
        """The elements as an array of expressions."""
        found = self._found.get(variable)
        if found is None:
            found = self._found[variable] = self._compute(variable)
        return _objects([self.low.symbols.canonical(e) for e in found.reshape(-1)]).reshape(found.shape)

    def is_free(self, variable: Variable) -> bool:
        """Whether it is known for all calls: constants and what comes from shapes."""
        if isinstance(variable, Constant):
            return True
        node = self.producers.get(variable)
        if node is None or needs_data(variable, self.producers):
            return False
        return isinstance(node.op, FROM_SHAPES) or all(map(self.is_free, _values_of(node)))

    def _compute(self, variable: Variable) -> Any:
        if isinstance(variable, Constant):
            return _constants(variable.data)
        if variable in self.positions:
            position = self.positions[variable]
            self.pinned[position] = np.array(self.low.examples[position])
            return _constants(self.pinned[position])
        node = self.producers[variable]
        if isinstance(node.op, Shape):
            return _objects(self.low.shape(node.inputs[0]))
        if isinstance(node.op, Shape_i):
            return _objects([self.low.shape(node.inputs[0])[node.op.i]]).reshape(())
        inputs = [self.array(v) for v in _values_of(node)]
        if isinstance(node.op, KEEPS_ELEMENTS):
            return self._moved(node, inputs)
        return self._arithmetic(node, inputs)

    def _moved(self, node: Node, inputs: list[Any]) -> Any:
        if isinstance(node.op, MakeVector):
            return _objects([a.reshape(-1)[0] for a in inputs])
        if isinstance(node.op, Join):
            return np.concatenate(inputs)
        if isinstance(node.op, DimShuffle):
            return inputs[0].reshape([n for n, k in _dims(node.op.new_order, inputs[0].shape)])
        if isinstance(node.op, Subtensor):
            key = unflatten_index_variables([self._number(a) for a in inputs[1:]], node.op.idx_list)
            return np.asarray(inputs[0][tuple(key)], object)
        return inputs[0]

    def _number(self, element: Any) -> Any:
        return self.low.symbols.pin(element.reshape(-1)[0])

    def _arithmetic(self, node: Node, inputs: list[Any]) -> Any:
        """An elementwise op: on expressions where there is such arithmetic, else on the numbers of this call."""
        scalar = node.op.scalar_op if isinstance(node.op, Elemwise) else node.op
        if isinstance(scalar, ps.Cast) and node.outputs[0].type.dtype != "bool":
            return inputs[0]
        function = _FUNCTIONS.get(type(scalar))
        if function is not None:
            arrays = np.broadcast_arrays(*inputs) if len(inputs) > 1 else inputs
            columns = zip(*(a.reshape(-1) for a in arrays), strict=True)
            flat = [function(self.low.symbols, list(elements)) for elements in columns]
            if all(e is not None for e in flat):
                return _objects(flat).reshape(arrays[0].shape)
        pinned = [np.array([self.low.symbols.pin(e) for e in a.reshape(-1)], np.int64) for a in inputs]
        shaped = zip(pinned, inputs, node.inputs, strict=True)
        numbers = [n.reshape(a.shape).astype(v.type.dtype) for n, a, v in shaped]
        storage = [[None] for _ in node.outputs]
        node.op.perform(node.apply, numbers, storage)
        return _constants(storage[0][0])


def _objects(elements: Sequence[Any]) -> Any:
    found = np.empty(len(elements), object)
    found[:] = list(elements)
    return found


def _constants(array: Any) -> Any:
    array = np.asarray(array)
    return _objects([Expr.constant(int(n)) for n in array.reshape(-1)]).reshape(array.shape)


def _dims(order: Sequence[Any], shape: tuple[int, ...]) -> list[tuple[int, Any]]:
    return [(1 if k == "x" else shape[k], k) for k in order]


Function = Callable[[Any, list[Expr]], Expr | None]


def _fold(combine: Callable[[Expr, Expr], Expr]) -> Function:
    def function(symbols: Any, values: list[Expr]) -> Expr:
        total = values[0]
        for value in values[1:]:
            total = combine(total, value)
        return total

    return function


def _quotient(combine: Callable[[Expr, Expr], Expr]) -> Function:
    def function(symbols: Any, values: list[Expr]) -> Expr | None:
        return combine(*values) if symbols.positive(values[1]) else None

    return function


def _extreme(first_is_it: Callable[[Expr, Expr], Expr]) -> Function:
    def function(symbols: Any, values: list[Expr]) -> Expr:
        a, b = values
        return a if symbols.nonnegative(first_is_it(a, b)) else b

    return function


def _test(holds: Callable[[Any, Expr, Expr], bool]) -> Function:
    """A comparison: 1 or 0, decided for all sizes that the program is for."""
    return lambda symbols, values: Expr.constant(int(holds(symbols, values[0], values[1])))


def _chosen(symbols: Any, values: list[Expr]) -> Expr | None:
    condition, a, b = values
    return None if condition.value is None else a if condition.value else b


def _same(symbols: Any, values: list[Expr]) -> Expr:
    return values[-1]


def _equal(symbols: Any, a: Expr, b: Expr) -> bool:
    """Equal sizes are unified; different ones stay different under an assumption."""
    if symbols.example(a - b) == 0:
        return symbols.unify(a, b) is not None
    return not (symbols.nonnegative(a - b - 1) or symbols.nonnegative(b - a - 1))


_FUNCTIONS: dict[type, Function] = {
    ps.Add: _fold(operator.add),
    ps.Mul: _fold(operator.mul),
    ps.Sub: _fold(operator.sub),
    ps.IntDiv: _quotient(operator.floordiv),
    ps.Mod: _quotient(operator.mod),
    ps.Maximum: _extreme(lambda a, b: a - b),
    ps.Minimum: _extreme(lambda a, b: b - a),
    ps.LT: _test(lambda s, a, b: s.nonnegative(b - a - 1)),
    ps.LE: _test(lambda s, a, b: s.nonnegative(b - a)),
    ps.GT: _test(lambda s, a, b: s.nonnegative(a - b - 1)),
    ps.GE: _test(lambda s, a, b: s.nonnegative(a - b)),
    ps.EQ: _test(_equal),
    ps.NEQ: _test(lambda s, a, b: not _equal(s, a, b)),
    ps.Switch: _chosen,
    ps.Identity: _same,
    ps.Second: _same,
    ps.Neg: lambda symbols, values: -values[0],
}
