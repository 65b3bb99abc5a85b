"""`Scan`: loops whose steps are loops of ours. Others, and those that end when a condition holds, run in PyTensor."""

# PyTensor is there with `loopweld[pytensor]` only.
# pyright: reportMissingImports=false

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain

from pytensor.graph.basic import Variable
from pytensor.scan.op import Scan
from xdsl.ir import SSAValue

from loopweld.compiler.frontend.indexing import take_ranges
from loopweld.compiler.frontend.slices import Range, full_range
from loopweld.dialects.expr import Expr
from loopweld.dialects.weld import Concat
from loopweld.dialects.weld.recurrence import STEP
from loopweld.dialects.weld.types import shape_of
from loopweld.pytensor.known import sources
from loopweld.pytensor.lowering import ONE, Lowering
from loopweld.pytensor.registry import Node, lowers, rule_of
from loopweld.pytensor.steps import FIRST, Rows, as_row, recurrence

NUMBER = Expr.symbol(STEP)
"""The number of a step."""


def _is_compiled(node: Node) -> bool:
    """Whether each step is loops of our own, and all sizes in it are the same in each step."""
    body = node.body
    if node.op.info.as_while or body is None:
        return False
    for inner in body.nodes:
        rule = rule_of(inner)
        if rule is None or rule.calls(inner):
            return False
    return has_fixed_sizes(node)


def has_fixed_sizes(node: Node) -> bool:
    """Whether all sizes in a step are the same in each step."""
    body = node.body
    assert body is not None
    own = {*body.inputs, *(v for inner in body.nodes for v in inner.outputs)}
    return not any(v in own for v in _inner_sizes(node))


def _inner_sizes(node: Node) -> Iterator[Variable]:
    """The variables whose values give shapes in a step."""
    assert node.body is not None
    producers = {v: inner for inner in node.body.nodes for v in inner.outputs}
    for inner in node.body.nodes:
        rule = rule_of(inner)
        for size in rule.sizes(inner) if rule is not None else ():
            yield from sources(size, producers)


def _sizes(node: Node) -> list[Variable]:
    return [node.inputs[0], *node.op.outer_nitsot(node.inputs), *_inner_sizes(node)]


@lowers(Scan, when=_is_compiled, sizes=_sizes)
def scan(low: Lowering, node: Node) -> Sequence[SSAValue]:
    """Results are, after those of `mit_mot` states, the last rows of the others in their order."""
    op, info, body = node.op, node.op.info, node.body
    assert body is not None
    count = low.size(node.inputs[0])
    if not low.symbols.nonnegative(count):
        raise IndexError(f"Scan was asked to run for negative number of step {low.symbols.example(count)}")
    given = [_sequence(low, v, k, count) for k, v in enumerate(op.outer_seqs(node.inputs))]
    taps = chain(
        zip(op.outer_mitmot(node.inputs), info.mit_mot_in_slices, info.mit_mot_out_slices, strict=True),
        zip(op.outer_mitsot(node.inputs), info.mit_sot_in_slices, [(0,)] * info.n_mit_sot, strict=True),
        zip(op.outer_sitsot(node.inputs), info.sit_sot_in_slices, [(0,)] * info.n_sit_sot, strict=True),
    )
    behind: list[int] = []
    for number, (variable, ins, outs) in enumerate(taps):
        back = -min(0, *ins)
        given.append(_state(low, variable, [back + t for t in ins], [back + t for t in outs], count))
        behind += [back] if number >= info.n_mit_mot else []
    new = [_new(low, v, count) for v in op.outer_nitsot(node.inputs)]
    kept = [Rows(as_row(low, low.value(v)), [FIRST], [FIRST]) for v in op.outer_untraced_sit_sot(node.inputs)]
    found = recurrence(low, body, count, [*given, *new, *kept])
    own, backs = info.n_mit_mot, [*behind, *[0] * len(new)]
    whole = [_ordered(low, v, count + back) for v, back in zip(found[own:], backs, strict=False)]
    last = [low.session.reshape(v, shape_of(v)[1:]) for v in found[own + len(backs) :]]
    return [*found[:own], *whole, *last]


def _sequence(low: Lowering, variable: Variable, number: int, count: Expr) -> Rows:
    length = low.shape(variable)[0]
    if not low.symbols.nonnegative(length - count):
        sizes = tuple(low.symbols.example(n) for n in low.shape(variable))
        steps = low.symbols.example(count)
        raise ValueError(f"Sequence {number} has shape {sizes} but the Scan's required number of steps is {steps}")
    return Rows(low.value(variable), [NUMBER])


def _state(low: Lowering, variable: Variable, ins: list[int], outs: list[int], count: Expr) -> Rows:
    """A tensor of which step `k` takes rows `k + ins` and gives rows `k + outs`, around its end where it is short."""
    length = low.shape(variable)[0]
    is_long = low.symbols.nonnegative(length - count - max(*ins, *outs))
    if not is_long and not low.symbols.positive(length):
        raise ValueError(f"{low._op_name()}: a state has no rows")

    def row(offset: int) -> Expr:
        return NUMBER + offset if is_long else (NUMBER + offset) % low.symbols.canonical(length)

    return Rows(low.value(variable), [row(t) for t in ins], [row(t) for t in outs])


def _new(low: Lowering, length: Variable, count: Expr) -> Rows:
    """A tensor that starts with nothing."""
    size = low.size(length)
    is_long = low.symbols.nonnegative(size - count)
    return Rows(None, [], [NUMBER if is_long else NUMBER % low.symbols.canonical(size)], size)


def _ordered(low: Lowering, value: SSAValue, written: Expr) -> SSAValue:
    """The rows in the order of their steps: of `written` rows only the last ones are there, around the end; rows that
    there was no step for are zeros."""
    length, written = shape_of(value)[0], low.symbols.canonical(written)
    if length in (written, ONE):
        return value
    if low.symbols.nonnegative(length - written):
        if not low.symbols.positive(length - written):
            return value
        zeros = low.session.splat(0, low.session.dtype(value), (length - written, *shape_of(value)[1:]))
        return low.session.emit(Concat.of([_rows(low, value, FIRST, written), zeros], 0))
    first = written % length
    if first == FIRST:
        return value
    return low.session.emit(Concat.of([_rows(low, value, first, length - first), _rows(low, value, FIRST, first)], 0))


def _rows(low: Lowering, value: SSAValue, first: Expr, count: Expr) -> SSAValue:
    shape = shape_of(value)
    return take_ranges(low.session, value, [Range(first, count, ONE, shape[0]), *map(full_range, shape[1:])])
