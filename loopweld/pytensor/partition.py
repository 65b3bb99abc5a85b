"""A graph cut into parts that compile and nodes that run as PyTensor's own code.

Inner graphs (`OpFromGraph`) are opened first. Each node then gets a level: nodes that compile have that of their
latest operand, or the next one where this operand comes from PyTensor's code, or where the node needs the value of a
computed integer for a shape. All nodes of a level that compile are one part.
"""

# PyTensor is there with `loopweld[pytensor]` only.
# pyright: reportMissingImports=false

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from pytensor.compile.builders import OpFromGraph
from pytensor.graph.basic import Apply, Constant, Variable
from pytensor.scan.op import Scan

from loopweld.pytensor.known import needs_data
from loopweld.pytensor.registry import Body, Node, rule_of


@dataclass
class Part:
    """Nodes that become one native program."""

    nodes: list[Node]
    inputs: list[Variable] = field(default_factory=list)
    outputs: list[Variable] = field(default_factory=list)


def open_graphs(order: Iterable[Apply], replaced: dict[Variable, Variable]) -> list[Node]:
    """The nodes in order, inner graphs in place of the nodes that hold them; `replaced` gets what their results
    are."""
    found: list[Node] = []
    for apply in order:
        inputs = [replaced.get(v, v) for v in apply.inputs]
        if not isinstance(apply.op, OpFromGraph):
            body = _open_scan(apply, inputs) if isinstance(apply.op, Scan) else None
            found.append(Node(apply, inputs, list(apply.outputs), body))
            continue
        inner = apply.op.fgraph.unfreeze()
        bound = dict(zip(inner.inputs, inputs, strict=True))
        found += open_graphs(inner.toposort(), bound)
        for outer, result in zip(apply.outputs, inner.outputs, strict=True):
            replaced[outer] = bound.get(result, result)
    return found


def _open_scan(apply: Apply, inputs: list[Variable]) -> Body:
    """The inner graph of a scan on these inputs; what is the same in each step are variables of the outer graph."""
    inner = apply.op.fgraph.unfreeze()
    count = len(inner.inputs) - apply.op.info.n_non_seqs
    bound = dict(zip(inner.inputs[count:], apply.op.outer_non_seqs(inputs), strict=True))
    nodes = open_graphs(inner.toposort(), bound)
    return Body(list(inner.inputs[:count]), nodes, [bound.get(v, v) for v in inner.outputs])


def partition(nodes: Sequence[Node], inputs: Sequence[Variable], outputs: Sequence[Variable]) -> list[Part | Node]:
    """The steps of the program, in order: parts, and nodes that PyTensor runs."""
    producers = {v: node for node in nodes for v in node.outputs}
    rules = {node: rule_of(node) for node in nodes}
    levels: dict[Node, int] = {}
    compiled: dict[int, list[Node]] = {}
    others: dict[int, list[Node]] = {}
    for node in nodes:
        rule = rules[node]
        level = 0
        for before in [producers[v] for v in node.inputs if v in producers]:
            level = max(level, levels[before] + (rule is not None and rules[before] is None))
        for size in rule.sizes(node) if rule is not None else ():
            for variable in needs_data(size, producers):
                level = max(level, levels[producers[variable]] + 1)
        levels[node] = level
        (others if rule is None else compiled).setdefault(level, []).append(node)
    steps: list[Part | Node] = []
    for level in range(max(levels.values(), default=0) + 1):
        if level in compiled:
            steps.append(Part(compiled[level]))
        steps += others.get(level, [])
    connect(steps, inputs, outputs)
    return steps


def connect(steps: Sequence[Part | Node], inputs: Sequence[Variable], outputs: Sequence[Variable]) -> None:
    """Give each part its inputs (what it uses and does not make) and its outputs (what others use), those
    of the graph first and in its order."""
    used_later: set[Variable] = set(outputs)
    for step in reversed(steps):
        if isinstance(step, Node):
            used_later.update(step.inputs)
            continue
        made = [v for node in step.nodes for v in node.outputs]
        inside = set(made)
        results = [v for v in outputs if v in inside]
        step.outputs = list(dict.fromkeys(results + [v for v in made if v in used_later]))
        used = {v for node in step.nodes for v in node.inputs if v not in inside and not isinstance(v, Constant)}
        first = [v for v in inputs if v in used]
        rest = dict.fromkeys(v for node in step.nodes for v in node.inputs if v in used)
        step.inputs = list(dict.fromkeys([*first, *rest]))
        used_later.update(step.inputs)
