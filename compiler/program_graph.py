"""The graph of a program: which op, generic or kernel takes what from which, at any stage."""

from __future__ import annotations

from collections.abc import Iterable
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


@dataclass
class Parts:
    """Which ops of the tensor stage ended in which kernel, and which are library calls, by what ops have in common
    with the scalar ops that they become: name and source line."""

    kernels: dict[str, str] = field(default_factory=dict[str, str])
    calls: set[str] = field(default_factory=set[str])

    def kernel_of(self, op: Operation) -> str:
        """The kernel's name, or empty. An op that became another one is found by its line alone."""
        if _key(op) in self.calls:
            return ""
        return self.kernels.get(_key(op)) or self.kernels.get(place_of(op), "")


def parts_of(module: ModuleOp) -> Parts:
    """The parts of a module at the kernels stage."""
    parts = Parts()
    for function in functions(module):
        for op in function.body.block.ops:
            if not isinstance(op, Kernel):
                parts.calls.add(_key(op))
                continue
            for inner in op.walk():
                found = [_key(inner), place_of(inner)]
                if isinstance(inner, Generic):
                    found += [_key(inner, f"weld.{result.kind}") for result in inner.results_given]
                for key in found:
                    parts.kernels.setdefault(key, op.sym_name.data)
    return parts


def graph_of(module: ModuleOp, parts: Parts | None = None) -> Graph:
    """The graph of the module's functions. Views and constants are left out: they are no work. `parts` says what
    became of the ops of a module that is not fused yet."""
    graph = Graph()
    for function in functions(module):
        _add_function(graph, function, parts)
    return graph


def _add_function(graph: Graph, function: FuncOp, parts: Parts | None) -> None:
    made: dict[SSAValue, int] = {}
    is_fused = any(isinstance(op, Generic | Kernel) for op in function.body.block.ops)
    for argument in function.body.block.args:
        made[argument] = graph.add(Node((argument.name_hint or f"arg{argument.index}",), "input"))
    for op in function.body.block.ops:
        sources = [made[value] for value in tensors_used(op) if value in made]
        if isinstance(op, ReturnOp):
            for k, value in enumerate(op.operands):
                graph.add(Node((f"out{k}",), "output"), [made[value]] if value in made else [])
        elif isinstance(op, Constant):
            continue
        elif isinstance(op, TensorOp) and op.is_view:
            made.update((op.results[0], source) for source in sources)
        else:
            is_call = is_fused or (parts is not None and _key(op) in parts.calls)
            position = graph.add(_node(op, parts.kernel_of(op) if parts is not None else "", is_call), sources)
            made.update(dict.fromkeys(op.results, position))


def _node(op: Operation, group: str, is_call: bool) -> Node:
    if isinstance(op, Kernel):
        lines = (op.sym_name.data, *(describe(member) for member in op.members))
        return Node(lines, "kernel", op.sym_name.data, place_of(op))
    kind = "call" if is_call and not isinstance(op, Generic) else "op"
    return Node((describe(op),), kind, group, place_of(op))


def _key(op: Operation, name: str = "") -> str:
    return f"{(name or op.name).replace('weld.reduce_', 'weld.')} {place_of(op)}"


def place_of(op: Operation) -> str:
    """`file:line` of an op; empty where it is not known."""
    at = op.location
    return f"{at.filename.data}:{at.line.data}" if isinstance(at, FileLineColLoc) else ""
