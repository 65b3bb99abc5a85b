"""A PyTensor function as a program: native segments, and nodes that run as PyTensor's own code between them."""

# PyTensor is there with `loopweld[pytensor]` only.
# pyright: reportMissingImports=false

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from typing import Any

import numpy as np
from pytensor.compile.inner_function import link_only_mode
from pytensor.graph.basic import Apply, Constant, Variable
from pytensor.graph.fg import FunctionGraph
from pytensor.scan.op import Scan
from pytensor.tensor.type import TensorType

from loopweld.pytensor.ops.looping import has_fixed_sizes
from loopweld.pytensor.options import Options
from loopweld.pytensor.partition import Part, open_graphs, partition
from loopweld.pytensor.registry import Node
from loopweld.pytensor.segment import Segment


class Fallback:
    """A node that PyTensor runs: its thunk, made when it is first called."""

    def __init__(self, node: Node):
        self.node = node
        self._inputs = [[None] for _ in node.inputs]
        self._outputs = [[None] for _ in node.outputs]
        self._thunk: Callable[[], Any] | None = None
        destroyed = [k for sources in getattr(node.op, "destroy_map", {}).values() for k in sources]
        self._copied = [k for k in destroyed if isinstance(node.inputs[k].type, TensorType)]

    def __call__(self, *values: Any) -> list[Any]:
        """The results. Arrays that the node would overwrite are copied: what made them may still use them."""
        if self._thunk is None:
            self._thunk = self._make()
        for cell, value in zip(self._inputs, values, strict=True):
            cell[0] = value
        for k in self._copied:
            self._inputs[k][0] = np.array(self._inputs[k][0])
        self._thunk()
        found = [
            np.asarray(cell[0]) if isinstance(v.type, TensorType) else cell[0]
            for cell, v in zip(self._outputs, self.node.outputs, strict=True)
        ]
        for cell in (*self._inputs, *self._outputs):
            cell[0] = None
        return found

    def _make(self) -> Callable[[], Any]:
        apply = self.node.apply
        storage: dict[Variable, list[Any]] = dict(zip(apply.inputs, self._inputs, strict=False))
        self._inputs = [storage[v] for v in apply.inputs]
        storage |= dict(zip(apply.outputs, self._outputs, strict=True))
        computed = {v: [True] for v in apply.inputs} | {v: [False] for v in apply.outputs}
        return self._thunk_of(storage, computed)

    def _thunk_of(self, storage: dict[Variable, list[Any]], computed: dict[Variable, list[bool]]) -> Callable[[], Any]:
        return self.node.op.make_thunk(self.node.apply, storage, computed, [], impl="py")


class Loop(Fallback):
    """A `Scan` whose loop PyTensor runs, in compiled code where it has it: a step is a program of ours."""

    steps: Program | None = None
    """The program of a step, once there is one."""

    @staticmethod
    def takes(node: Node) -> bool:
        """Whether the node is a scan of which one program does all steps."""
        return isinstance(node.op, Scan) and node.op.mode is None and has_fixed_sizes(node)

    def _thunk_of(self, storage: dict[Variable, list[Any]], computed: dict[Variable, list[bool]]) -> Callable[[], Any]:
        """The op is PyTensor's, and may be in functions of other modes too: a copy gets the program, which gives new
        arrays where PyTensor's own steps would write into those of the loop."""
        op = copy(self.node.op)
        op.mitmots_preallocated = (False,) * len(op.mitmots_preallocated)
        op._fn = op.link_fgraph(op.fgraph.unfreeze(), link_only_mode("loopweld"))
        self.steps = op.fn.vm.jit_fn
        return op.make_thunk(self.node.apply, storage, computed, [])


def _step(part: Part | Node, options: Options) -> Segment | Fallback:
    if isinstance(part, Part):
        return Segment(part, options)
    return Loop(part) if Loop.takes(part) else Fallback(part)


class Program:
    """The function's steps. Call it with the values of the graph's inputs; it gives those of its outputs."""

    def __init__(self, graph: FunctionGraph, order: Sequence[Apply], options: Options):
        replaced: dict[Variable, Variable] = {}
        nodes = open_graphs(order, replaced)
        inputs = list(graph.inputs)
        outputs = [replaced.get(v, v) for v in graph.outputs]
        parts = partition(nodes, inputs, outputs)
        self.steps = [_step(part, options) for part in parts]
        used = [v for part in parts for v in part.inputs] + outputs
        constants = dict.fromkeys(v for v in used if isinstance(v, Constant))
        self._constants = [v.data for v in constants]
        made = [v for part in parts for v in part.outputs]
        numbers = {v: k for k, v in enumerate([*inputs, *constants, *made])}
        self._made = len(made)
        self._takes = [[numbers[v] for v in part.inputs] for part in parts]
        self._gives = [slice(numbers[part.outputs[0]], numbers[part.outputs[-1]] + 1) for part in parts]
        self._results = [numbers[v] for v in outputs]
        self._copied = [k for k, v in enumerate(outputs) if isinstance(v, Constant)]
        self.alone = self._single(inputs, outputs)
        """The only step, where it takes what the function takes and gives what it gives."""

    def _single(self, inputs: list[Variable], outputs: list[Variable]) -> Segment | None:
        first = self.steps[0] if len(self.steps) == 1 else None
        if isinstance(first, Segment) and first.part.inputs == inputs and first.part.outputs == outputs:
            return first
        return None

    def __call__(self, *values: Any) -> list[Any]:
        held = [*values, *self._constants, *[None] * self._made]
        for step, takes, gives in zip(self.steps, self._takes, self._gives, strict=True):
            held[gives] = step(*[held[k] for k in takes])
        results = [held[k] for k in self._results]
        for k in self._copied:
            results[k] = np.array(results[k])
        return results

    @property
    def segments(self) -> list[Segment]:
        return [step for step in self.steps if isinstance(step, Segment)]

    @property
    def fallbacks(self) -> list[Fallback]:
        return [step for step in self.steps if isinstance(step, Fallback)]
