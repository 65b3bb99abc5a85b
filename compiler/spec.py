"""The runtime's description of a lowered program."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from xdsl.dialects.builtin import ArrayAttr, DenseArrayBase, DictionaryAttr, IntegerAttr
from xdsl.dialects.func import FuncOp
from xdsl.ir import Attribute, Operation, SSAValue

from ..dialects.expr import Expr
from ..dialects.weld.types import dtype_of, scalar_of, shape_of
from ..passes.fusion.graph import tensors_used
from ..passes.loops.lower import Program
from ..passes.loops.plan import Place, Plan, order_of
from ..passes.loops.schedule import strides_of
from ..passes.remarks import describe
from .library import LibraryCall
from .runtime.program import ArraySpec, CheckSpec, LibraryStep, NativeStep, ProgramSpec, Routine
from .runtime.routines import ROUTINES


def program_spec(function: FuncOp, program: Program, names: Sequence[str], constants: Sequence[Any]) -> ProgramSpec:
    """`names` are those of the arguments, `constants` are the arrays for the trailing ones."""
    plan = program.plan
    own = len(plan.inputs) - len(constants)
    inputs = tuple(_argument_spec(function, k, plan, name) for k, name in enumerate(names[:own]))
    outputs = tuple(_result_spec(function, k, plan) for k in range(len(plan.outputs)))
    arrays = [np.ascontiguousarray(c) for c in constants]
    arrays += [np.ascontiguousarray(c.array(lambda e: int(e.value or 0))) for c in plan.constants]

    def number(place: Place) -> int:
        starts = {"input": 0, "constant": len(plan.inputs), "output": own + len(arrays)}
        starts["slot"] = starts["output"] + len(outputs)
        return starts[place.kind] + place.index

    steps: list[NativeStep | LibraryStep] = []
    for position, step in enumerate(plan.steps):
        segment = program.segments.get(position)
        if segment is not None:
            places = tuple(number(p) for p in segment.places)
            steps.append(NativeStep(segment.name, places, tuple(segment.symbols)))
            continue
        op = step.library
        assert op is not None
        used = sorted(tensors_used(op), key=lambda v: number(plan.places[v]))
        views = {k: _spec(v, plan, v.name_hint or "") for k, v in enumerate([*used, *op.results])}
        steps.append(
            LibraryStep(
                describe(op),
                LibraryCall.of(op, used),
                tuple(number(plan.places[v]) for v in used),
                tuple(number(plan.places[v]) for v in op.results),
                views,
                _routine(op, used),
            )
        )
    checks = tuple(CheckSpec(number(plan.places[c.bad]), c.message.data, c.exception.data) for c in plan.checks)
    slots = tuple(s.bytes for s in plan.slots)
    return ProgramSpec(inputs, tuple(arrays), outputs, slots, tuple(steps), checks, tuple(plan.donations.items()))


def _routine(op: Operation, used: Sequence[SSAValue]) -> Routine | None:
    """The function that may do what an op does without Python."""
    name = op.name.removeprefix("weld.")
    if name not in ROUTINES:
        return None
    options = {key: _number(value) for key, value in op.properties.items()}
    return Routine(name, tuple(used.index(v) for v in op.operands), options)


def _number(value: Attribute) -> int:
    return value.value.data if isinstance(value, IntegerAttr) else 1


def _argument_spec(function: FuncOp, k: int, plan: Plan, name: str) -> ArraySpec:
    """An argument as callers have it; the function may have its axes in the order of memory (`weld.order`)."""
    return _in_own_order(_spec(plan.inputs[k], plan, name), function.arg_attrs, k)


def _result_spec(function: FuncOp, k: int, plan: Plan) -> ArraySpec:
    """A result as callers have it: laid out as they say, or in the order that the program has chosen."""
    value = plan.outputs[k]
    if function.res_attrs is not None and function.res_attrs.data[k].data.keys() & {"weld.order", "weld.strides"}:
        return _in_own_order(_spec(value, plan, f"out{k}"), function.res_attrs, k)
    order = order_of(value)
    rows = order == tuple(range(len(order)))
    return ArraySpec(f"out{k}", dtype_of(scalar_of(value)), shape_of(value), order=None if rows else order)


def _in_own_order(found: ArraySpec, attributes: ArrayAttr[DictionaryAttr] | None, k: int) -> ArraySpec:
    """What the function has with its axes in the order of memory, as its attributes say, with the axes as they are."""
    order = attributes.data[k].data.get("weld.order") if attributes is not None else None
    if not isinstance(order, DenseArrayBase):
        return found
    axes = tuple(int(axis) for axis in order.get_values())

    def own(exprs: tuple[Expr, ...]) -> tuple[Expr, ...]:
        return tuple(exprs[axes.index(axis)] for axis in range(len(axes)))

    strides = own(found.strides) if found.strides is not None else None
    return replace(found, shape=own(found.shape), strides=strides, order=axes)


def _spec(value: SSAValue, plan: Plan, name: str) -> ArraySpec:
    shape = shape_of(value)
    layout = plan.layouts[value]
    strides = None if layout == strides_of(shape) else layout
    return ArraySpec(name, dtype_of(scalar_of(value)), shape, strides)
