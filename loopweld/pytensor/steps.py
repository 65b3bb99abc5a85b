"""The inner graph of a `Scan` as a function of one step, and the recurrence that calls it."""

# PyTensor is there with `loopweld[pytensor]` only.
# pyright: reportMissingImports=false

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from pytensor.graph.basic import Variable
from xdsl.dialects.func import ReturnOp
from xdsl.ir import Attribute, Block, SSAValue

from loopweld.dialects.expr import Expr
from loopweld.dialects.weld import Check, Constant, Size
from loopweld.dialects.weld.recurrence import Recurrence
from loopweld.dialects.weld.types import scalar_of, shape_of, tensor_type
from loopweld.pytensor.lowering import ONE, Lowering
from loopweld.pytensor.registry import Body

FIRST = Expr.constant(0)
ENDLESS = Expr.constant(2**62)
"""More steps than there will ever be."""


@dataclass
class Rows:
    """A tensor and the rows of it that each step takes and gives. One that steps give rows of starts as `value`, or
    without one as a new tensor of `length` rows."""

    value: SSAValue | None
    takes: list[Expr] = field(default_factory=list[Expr])
    gives: list[Expr] = field(default_factory=list[Expr])
    length: Expr = ONE


def recurrence(low: Lowering, body: Body, count: Expr, given: Sequence[Rows]) -> list[SSAValue]:
    """What the tensors that steps give rows of are after `count` steps. The inputs of the body are the rows that steps
    take, its outputs those that they give, in the order of the tensors."""
    given = list(given)
    with low.step() as block:
        for variable, kind in zip(body.inputs, _row_types(given), strict=True):
            low.values[variable] = block.insert_arg(kind, len(block.args))
        low.known.producers |= {v: node for node in body.nodes for v in node.outputs}
        low.lower(body.nodes)
        written = [rows for rows in given for _ in rows.gives]
        results = [_result(low, v, rows) for v, rows in zip(body.outputs, written, strict=True)]
        checks = [op for op in block.ops if isinstance(op, Check)]
        bad = _flags(low, block, checks)
        block.add_op(ReturnOp(*results, *bad))
        outer = _close(block)
    given += [Rows(low.session.splat(False, np.dtype(bool), (ONE,)), [FIRST], [FIRST]) for _ in bad]
    given += [Rows(as_row(low, v), [FIRST]) for v in outer]
    kinds = _types(low, count, given, [*results, *bad])
    found = _emit(low, count, given, kinds, block)
    own = len(found) - len(bad)
    for check, flag in zip(checks, found[own:], strict=True):
        check.operands = [low.session.reshape(flag, ())]
        low.session.block.add_op(check)
    return found[:own]


def repeat(
    low: Lowering,
    starts: Sequence[SSAValue],
    step: Callable[[Sequence[SSAValue]], tuple[Sequence[SSAValue], SSAValue]],
) -> list[SSAValue]:
    """What tensors are after so many steps as it takes: `step` gives the next ones, and whether these are the last."""
    given = [Rows(as_row(low, v), [FIRST], [FIRST]) for v in starts]
    with low.step() as block:
        results, last = step([block.insert_arg(v.type, len(block.args)) for v in starts])
        block.add_op(ReturnOp(*results, last))
        outer = _close(block)
    given += [Rows(None, [], [FIRST]), *(Rows(as_row(low, v), [FIRST]) for v in outer)]
    kinds = _types(low, ENDLESS, given, [*results, last])
    found = _emit(low, ENDLESS, given, kinds, block, until=len(starts))
    return [low.session.reshape(v, shape_of(v)[1:]) for v in found[:-1]]


def as_row(low: Lowering, value: SSAValue) -> SSAValue:
    """The value as the only row of a tensor."""
    return low.session.reshape(value, (ONE, *shape_of(value)))


def _row_types(given: Sequence[Rows]) -> list[Attribute]:
    return [
        tensor_type(scalar_of(rows.value), shape_of(rows.value)[1:])
        for rows in given
        if rows.value is not None
        for _ in rows.takes
    ]


def _result(low: Lowering, variable: Variable, rows: Rows) -> SSAValue:
    """What a step gives, as the row that it becomes."""
    value = low.value(variable)
    if rows.value is None:
        return value
    for size, expected in zip(shape_of(value), shape_of(rows.value)[1:], strict=True):
        low.same_size(size, expected, "an output of the Scan does not have the shape of its initial value")
    return low.cast(low.value(variable), low.session.dtype(rows.value))


def _flags(low: Lowering, block: Block, checks: Sequence[Check]) -> list[SSAValue]:
    """An argument and a result for each check, which leaves the block: whether it has failed so far."""
    bad: list[SSAValue] = []
    for check in checks:
        before = block.insert_arg(check.bad.type, len(block.args))
        bad.append(low.session.apply("or", before, check.bad))
        check.detach()
        check.operands = []
    return bad


def _close(block: Block) -> list[SSAValue]:
    """Arguments for the values from outside that a block uses: gives these. Constants and sizes come along."""
    used = dict.fromkeys(v for op in block.ops for v in op.operands if not _is_inside(v, block))
    outer: list[SSAValue] = []
    first = block.first_op
    assert first is not None
    for value in used:
        if isinstance(value.owner, Constant | Size):
            copy = value.owner.clone()
            block.insert_op_before(copy, first)
            inside: SSAValue = copy.results[0]
        else:
            outer.append(value)
            inside = block.insert_arg(value.type, len(block.args))
        value.replace_uses_with_if(inside, lambda use: use.operation.parent is block)
    return outer


def _is_inside(value: SSAValue, block: Block) -> bool:
    return value.owner is block or (not isinstance(value.owner, Block) and value.owner.parent is block)


def _types(low: Lowering, count: Expr, given: Sequence[Rows], results: Sequence[SSAValue]) -> list[Attribute]:
    """The types of the tensors that steps give rows of. A new one that has not a row for each step starts as zeros."""
    kinds: list[Attribute] = []
    remaining = iter(results)
    for rows in (rows for rows in given if rows.gives):
        value, *_ = [next(remaining) for _ in rows.gives]
        if rows.value is None:
            shape = tuple(low.symbols.canonical(e) for e in (rows.length, *shape_of(value)))
            kinds.append(tensor_type(scalar_of(value), shape))
            if shape[0] != low.symbols.canonical(count):
                rows.value = low.session.splat(0, low.session.dtype(value), shape)
        else:
            kinds.append(rows.value.type)
    return kinds


def _emit(
    low: Lowering,
    count: Expr,
    given: Sequence[Rows],
    kinds: Sequence[Attribute],
    block: Block,
    until: int | None = None,
) -> list[SSAValue]:
    """The op: results are the tensors with rows that steps give, operands those that have a value."""
    name = f"step{len(low.steps)}"
    low.steps.append((name, block))
    changed = [rows for rows in given if rows.gives]
    operands = [rows for rows in given if rows.value is not None]
    values = [rows.value for rows in operands if rows.value is not None]
    numbers = {id(rows): len(changed) + k for k, rows in enumerate(operands)}
    starts = [numbers[id(rows)] - len(changed) if id(rows) in numbers else -1 for rows in changed]
    numbers |= {id(rows): k for k, rows in enumerate(changed)}
    op = Recurrence.of(
        name,
        low.symbols.canonical(count),
        values,
        kinds,
        starts,
        [(numbers[id(rows)], low.symbols.canonical(e)) for rows in given for e in rows.takes],
        [(numbers[id(rows)], low.symbols.canonical(e)) for rows in given for e in rows.gives],
        until,
    )
    low.session.emit(op)
    return list(op.results)
