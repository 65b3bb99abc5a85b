"""The graph of a program: which op, generic or kernel takes what from which, at any stage."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from xdsl.dialects.builtin import FileLineColLoc, ModuleOp
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Operation, SSAValue

from ..dialects.weld.base import TensorOp
from ..dialects.weld.constant import Constant
from ..dialects.weld.generic import Generic
from ..dialects.weld.kernel import Kernel
from ..passes.fusion.graph import functions, tensors_used
from ..passes.remarks import describe


@dataclass
class Node:
    """A box. `kind` is "input", "output", "op", "call" or "kernel"; `group` is the kernel that it belongs to."""

    lines: tuple[str, ...]
    kind: str
    group: str = ""
    title: str = ""
    """Where it comes from, shown on demand."""


@dataclass
class Graph:
    """Nodes, and edges between their positions; a producer comes before its consumers."""

    nodes: list[Node] = field(default_factory=list[Node])
    edges: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])

    def add(self, node: Node, sources: Iterable[int] = ()) -> int:
        self.nodes.append(node)
        position = len(self.nodes) - 1
        self.edges += [(source, position) for source in sorted(set(sources))]
        return position


def graph_of(module: ModuleOp, groups: Mapping[str, str] | None = None) -> Graph:
    """The graph of the module's functions. Views and constants are left out: they are no work.

    `groups` says which kernel an op is part of, by its key (see `kernels_of`).
    """
    graph = Graph()
    for function in functions(module):
        _add_function(graph, function, groups or {})
    return graph


def _add_function(graph: Graph, function: FuncOp, groups: Mapping[str, str]) -> None:
    made: dict[SSAValue, int] = {}
    for argument in function.body.block.args:
        made[argument] = graph.add(Node((argument.name_hint or f"arg{argument.index}",), "input"))
    for op in function.body.block.ops:
        # In the order in which they appear, and without those that are left out.
        sources = [made[value] for value in tensors_used(op) if value in made]
        if isinstance(op, ReturnOp):
            for k, value in enumerate(op.operands):
                graph.add(Node((f"out{k}",), "output"), [made[value]] if value in made else [])
        elif isinstance(op, Constant):
            continue
        elif isinstance(op, TensorOp) and op.is_view:
            made.update((op.results[0], source) for source in sources)
        else:
            position = graph.add(_node(op, groups), sources)
            made.update(dict.fromkeys(op.results, position))


def _node(op: Operation, groups: Mapping[str, str]) -> Node:
    where = place_of(op)
    if isinstance(op, Kernel):
        lines = (op.sym_name.data, *(describe(member) for member in op.members))
        return Node(lines, "kernel", op.sym_name.data, where)
    kind = "call" if not isinstance(op, Generic) and groups and key_of(op) not in groups else "op"
    return Node((describe(op),), kind, groups.get(key_of(op), ""), where)


def kernels_of(module: ModuleOp) -> dict[str, str]:
    """For the keys of the ops that kernels hold, the first kernel's name; reductions count by their kind."""
    found: dict[str, str] = {}
    for function in functions(module):
        for kernel in function.body.block.ops:
            if not isinstance(kernel, Kernel):
                continue
            for op in kernel.walk():
                found.setdefault(key_of(op), kernel.sym_name.data)
                if isinstance(op, Generic):
                    found |= {_key(f"weld.{r.kind}", op): kernel.sym_name.data for r in op.results_given} | found
    return found


def key_of(op: Operation) -> str:
    """What an op and the scalar op that it becomes have in common: name and source line."""
    return _key(op.name.replace("weld.reduce_", "weld."), op)


def _key(name: str, op: Operation) -> str:
    return f"{name} {place_of(op)}"


def place_of(op: Operation) -> str:
    """`file:line` of an op; empty where it is not known."""
    at = op.location
    return f"{at.filename.data}:{at.line.data}" if isinstance(at, FileLineColLoc) else ""
