"""Sizes that are taken to be equal, because they are for the example and two loops over them read one tensor."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

from xdsl.ir import Block, SSAValue

from ...dialects.expr import Expr
from ...dialects.weld import Broadcast
from ...dialects.weld.base import Elementwise
from ...dialects.weld.types import shape_of
from ...dialects.weld.views import View
from .symbols import Shape, Symbols


def assume_equal_sizes(block: Block, symbols: Symbols) -> list[tuple[str, str]]:
    """Unify sizes of different arguments where one tensor is repeated along both; the pairs that were.

    A weight that three arrays of the same shape are multiplied by is broadcast to three shapes. If these are one, the
    arrays are walked in one loop, which reads the weight once. Sizes that are equal by chance, and would bring
    nothing, stay apart: every assumption costs another compilation where a later call breaks it. The sizes of one
    argument are never taken to be equal.
    """
    together = [{n for size in shape_of(argument) for n in size.names} for argument in block.args]
    found: list[tuple[str, str]] = []
    examples = [symbols.examples[name] for name in set[str]().union(*together)]
    if len(set(examples)) == len(examples):
        return found
    for shapes in _repeated(block).values():
        for first, second in combinations(shapes, 2):
            pairs = list(_differing(first, second, symbols))
            if all(_may_be_equal(str(a), str(b), symbols, together) for a, b in pairs):
                found += [(str(a), str(b)) for a, b in pairs]
                for a, b in pairs:
                    symbols.unify(a, b)
    return found


def _may_be_equal(a: str, b: str, symbols: Symbols, together: Sequence[set[str]]) -> bool:
    """Whether two names are symbols of different arguments whose examples are equal."""
    examples = symbols.examples
    return a in examples and examples[a] == examples.get(b) and not any({a, b} <= names for names in together)


def _differing(first: Shape, second: Shape, symbols: Symbols) -> Iterator[tuple[Expr, Expr]]:
    """The sizes, one of each shape, that differ; of shapes of different ranks, that they do."""
    if len(first) != len(second):
        yield Expr.constant(len(first)), Expr.constant(len(second))
        return
    for a, b in zip(map(symbols.canonical, first), map(symbols.canonical, second), strict=True):
        if a != b:
            yield a, b


def _repeated(block: Block) -> Mapping[SSAValue, Sequence[Shape]]:
    """The shapes that each tensor is broadcast to, itself or as what is computed from it element by element."""
    sources: dict[SSAValue, frozenset[SSAValue]] = {}
    found: dict[SSAValue, dict[Shape, None]] = {}
    for op in block.ops:
        if not isinstance(op, Elementwise | View):
            continue
        tensors = [v for v in op.operands if any(size.value != 1 for size in shape_of(v))]
        behind = frozenset[SSAValue]().union(*(sources.get(v, frozenset((v,))) for v in tensors))
        sources[op.results[0]] = behind
        if isinstance(op, Broadcast):
            for source in behind:
                found.setdefault(source, {})[shape_of(op.res)] = None
    return {source: list(shapes) for source, shapes in found.items() if len(shapes) > 1}
