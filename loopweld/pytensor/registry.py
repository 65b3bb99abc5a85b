"""Which PyTensor ops have a lowering: a function from a node to weld ops, by the op's class.

    @lowers(Sum, when=lambda node: ...)
    def sum_(low: Lowering, node: Node) -> SSAValue: ...

`sizes` says which inputs give shapes, not elements: their values must be known before the program is made. A rule that
is `batched` is for `Blockwise` of the op too, in which case the node's op is the `Blockwise`: `core_of` gives both's.
`calls` says of which nodes the lowering makes library calls, which have no place in the steps of a `Scan`.
"""

# PyTensor is there with `loopweld[pytensor]` only.
# pyright: reportMissingImports=false

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from pytensor.graph.basic import Apply, Variable
from pytensor.scalar.basic import ScalarType
from pytensor.tensor.blockwise import Blockwise
from pytensor.tensor.type import TensorType
from xdsl.ir import SSAValue

from loopweld.dialects.weld.types import element_of

if TYPE_CHECKING:
    from loopweld.pytensor.lowering import Lowering


@dataclass(eq=False)
class Node:
    """An `Apply` of the function's graph or of an inner graph that was opened; `inputs` are those after opening."""

    apply: Apply
    inputs: list[Variable]
    outputs: list[Variable]
    body: Body | None = None
    """What a `Scan` does in a step."""

    @property
    def op(self) -> Any:
        return self.apply.op


@dataclass(eq=False)
class Body:
    """The inner graph of a `Scan`, opened. `inputs` are what differs from step to step; its nodes take what does not
    from the graph around it."""

    inputs: list[Variable]
    nodes: list[Node]
    outputs: list[Variable]


Lower = Callable[["Lowering", Node], SSAValue | Sequence[SSAValue]]


@dataclass(frozen=True)
class Rule:
    """How the nodes of one class of ops are lowered."""

    lower: Lower
    when: Callable[[Node], bool]
    sizes: Callable[[Node], Sequence[Variable]]
    calls: Callable[[Node], bool]


RULES: dict[type, Rule] = {}
BATCHED: dict[type, Rule] = {}
"""The rules for `Blockwise`, by the class of its core op."""


def always(node: Node) -> bool:
    return True


def lowers(
    *ops: type,
    when: Callable[[Node], bool] = lambda node: True,
    sizes: Callable[[Node], Sequence[Variable]] = lambda node: (),
    batched: bool = False,
    calls: Callable[[Node], bool] = lambda node: False,
) -> Callable[[Lower], Lower]:
    """Register the lowering of some classes of ops, for nodes that `when` holds of."""

    def register(lower: Lower) -> Lower:
        for op in ops:
            RULES[op] = Rule(lower, when, sizes, calls)
            if batched:
                BATCHED[op] = RULES[op]
        return lower

    return register


def rule_of(node: Node) -> Rule | None:
    """The rule of a node, None where it runs as PyTensor's own code."""
    if not all(is_held(v) for v in (*node.inputs, *node.outputs)):
        return None
    rules = BATCHED if isinstance(node.op, Blockwise) else RULES
    for kind in type(core_of(node)).__mro__:
        rule = rules.get(kind)
        if rule is not None:
            return rule if rule.when(node) else None
    return None


def core_of(node: Node) -> Any:
    """The op, or what a `Blockwise` does to each part of its batch."""
    return node.op.core_op if isinstance(node.op, Blockwise) else node.op


def is_held(variable: Variable) -> bool:
    """Whether the IR holds values of the variable's type."""
    return isinstance(variable.type, TensorType | ScalarType) and element_of(dtype_of(variable)) is not None


def dtype_of(variable: Variable) -> np.dtype[Any]:
    return np.dtype(variable.type.dtype)


def static_shape(variable: Variable) -> tuple[int | None, ...]:
    """The sizes that the variable's type states."""
    return tuple(variable.type.shape) if isinstance(variable.type, TensorType) else ()
