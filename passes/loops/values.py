"""The body of a member: each value computed once, in the scope of the outermost loop where it can be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from xdsl.dialects.builtin import IntegerAttr, UnitAttr, i64
from xdsl.ir import Operation, SSAValue

from ...dialects.expr import Expr
from ...dialects.loop.ops import Affine, Load, lanes_of
from ...dialects.weld.base import Elementwise
from ...dialects.weld.cast import Cast
from ...dialects.weld.comparison import Select
from ...dialects.weld.constant import Constant, splat_of
from ...dialects.weld.generic import Index, Inside
from ...dialects.weld.generic import Load as PointLoad
from ...dialects.weld.types import BOOL, scalar_of
from ..points import compute_element
from .schedule import Member, offset_of
from .scopes import Frame
from .stretches import all_hold, inputs, needed


@dataclass
class Home:
    """Where a tensor lives while its kernel runs: memory with strides, or a register of the outer loops."""

    buffer: SSAValue | None = None
    strides: tuple[Expr, ...] = ()
    per_lane: bool = False
    """Scratch of one outer iteration whose innermost elements are the lanes of the vector dim."""
    value: SSAValue | None = None
    best: SSAValue | None = None
    """For argmax and argmin combined in memory: the best values, beside the positions in `buffer`."""
    partial: bool = False
    """Only what one block of the loops contributes; argmax and argmin need the best values too then."""
    level: int = 0
    """The scope that `value` belongs to, or from which on the memory holds the tensor."""
    in_step: bool = False
    """`value` holds a whole short row, in the lanes of its one step."""
    is_small: bool = False
    """Whether all of the memory is expected to stay in the first-level cache."""
    place: Expr | None = None
    """The offset of the element in terms of the dims, where that does not follow from strides."""


Homes: TypeAlias = dict[SSAValue | PointLoad, Home]
"""Where tensors live, and the tiles of the loads that read one."""


MOST_STEP = 4
"""From one lane's element to the next: further apart, loads lane by lane take fewer instructions than picking lanes out
of the registers that lie between them."""
AHEAD = 1024
"""Bytes from what is read to what is prefetched: a few steps, far less than a page."""


class Values:
    """Computes the body values of one member; `levels` gives the loop number of each dim."""

    def __init__(self, member: Member, homes: Homes, outer: int, levels: dict[str, int]):
        self.member = member
        self.homes = homes
        self.outer = outer
        self.levels = levels
        self._level_cache: dict[SSAValue, int] = {}

    def level_of(self, value: SSAValue) -> int:
        """The number of loops that must be open before a body value can be computed."""
        found = self._level_cache.get(value)
        if found is not None:
            return found
        op = value.owner
        assert isinstance(op, Operation)
        exprs: Sequence[Expr] = ()
        level = 0
        operands: Sequence[SSAValue] = op.operands
        if isinstance(op, PointLoad):
            home = self.home_of(op)
            level, operands = home.level if home.in_step else min(home.level, self.outer), op.operands[1:]
            exprs = op.where.guards if home.value is not None else (*op.where.indices, *op.where.guards)
        elif isinstance(op, Index):
            exprs = (op.value,)
        elif isinstance(op, Inside):
            exprs = op.guards.data
        for expr in exprs:
            for name in expr.substitute(self.member.merged).names:
                level = max(level, self.levels.get(name, 0))
        for operand in operands:
            level = max(level, self.level_of(operand))
        self._level_cache[value] = level
        return level

    def needed(self, frame: Frame) -> list[Operation]:
        """The body ops in order, without those that what is known here makes superfluous."""
        return needed(self.member, frame.known)

    def value(self, value: SSAValue, frame: Frame) -> SSAValue:
        """A body value, computed once in the scope of its level."""
        level = self.level_of(value)
        scope = frame.scopes[level]
        found = scope.values.get((self, value))
        if found is None:
            found = self._compute(value, frame.at(level))
            scope.values[(self, value)] = found
        return found

    def _compute(self, value: SSAValue, frame: Frame) -> SSAValue:
        op = value.owner
        if isinstance(op, PointLoad):
            return self._load(op, frame)
        if isinstance(op, Index):
            return frame.lanes_index(op.value.substitute(self.member.merged))
        if isinstance(op, Inside):
            return self._inside([g.substitute(self.member.merged) for g in op.guards.data], frame)
        if isinstance(op, Constant):
            return frame.constant(op.number, op.res.type, 1)
        assert isinstance(op, Elementwise)
        if isinstance(op, Select) and len(chosen := inputs(op, self.member, frame.known)) == 1:
            return self.value(chosen[0], frame)
        args = [self.value(v, frame) for v in op.operands]
        numbers = [splat_of(a) if lanes_of(a) == 1 else None for a in args]
        if all(n is not None for n in numbers):  # in a stretch where a guard holds nowhere
            return frame.constant(op.reference(*map(np.asarray, numbers))[()], scalar_of(op.res), 1)
        if any(lanes_of(a) > 1 for a in args):
            wide = [frame.widen(a, self.level_of(v)) for a, v in zip(args, op.operands, strict=True)]
            args = wide
        if isinstance(op, Cast):
            return frame.top.builder.cast(args[0], scalar_of(op.res))
        return frame.top.builder.build(type(op), *args)

    def _inside(self, guards: Sequence[Expr], frame: Frame) -> SSAValue:
        """Whether all guards are >= 0: per lane where one depends on the vector dim."""
        total: SSAValue | None = None
        if all_hold(guards, frame.known) is False:
            return frame.constant(False, BOOL, 1)
        for guard in guards:
            if frame.known.get(guard):
                continue
            fits = frame.holds(guard)
            total = fits if total is None else self._both(total, fits, frame)
        return frame.constant(True, BOOL, 1) if total is None else total

    @staticmethod
    def _both(a: SSAValue, b: SSAValue, frame: Frame) -> SSAValue:
        if lanes_of(a) != lanes_of(b):
            a, b = frame.widen(a), frame.widen(b)
        return frame.top.builder.and_(a, b)

    def _load(self, op: PointLoad, frame: Frame) -> SSAValue:
        home = self.home_of(op)
        guards = tuple(g.substitute(self.member.merged) for g in op.where.guards)
        if all_hold(guards, frame.known) is False:
            return frame.constant(0, op.res.type, 1)
        guards = tuple(g for g in guards if not frame.known.get(g))
        mask = self._inside(guards, frame) if guards else None
        if op.guard is not None:
            given = self.value(op.guard, frame)
            mask = given if mask is None else self._both(mask, given, frame)
        if home.value is not None:
            return home.value if mask is None else self._or_zero(mask, home.value, frame)
        assert home.buffer is not None
        extra = {f"i{k}": self.value(v, frame) for k, v in enumerate(op.indices)}
        offset = self.offset(op.where.indices, home)
        step = self._step(offset, extra, home, frame) if mask is None else 1
        if step != 1:
            return frame.top.insert(Load.of(home.buffer, frame.index(offset), None, frame.lanes, step))
        lanes, where = self._lanes_of_load(offset, extra, mask, home, frame)
        if lanes > 1:
            mask = frame.widen(mask) if mask is not None else None
            if frame.mask is not None:
                mask = frame.mask if mask is None else self._both(mask, frame.mask, frame)
        load = Load.of(home.buffer, where, mask, lanes)
        if home.is_small and op.indices and lanes_of(where) > 1:
            load.properties["singly"] = UnitAttr()
        if op in self.member.prefetched and frame.mask is None:
            load.properties["prefetch"] = IntegerAttr(AHEAD, i64)
        return frame.top.insert(load)

    @staticmethod
    def _or_zero(mask: SSAValue, value: SSAValue, frame: Frame) -> SSAValue:
        """What a guarded load gives of a value in a register."""
        if lanes_of(mask) != lanes_of(value):
            mask, value = frame.widen(mask), frame.widen(value)
        b, element = frame.top.builder, scalar_of(value)
        wide = b.cast(value, compute_element(element))
        zero = frame.constant(0, scalar_of(wide), lanes_of(wide))
        return b.cast(b.select(mask, wide, zero), element)

    @staticmethod
    def _step(offset: Expr, extra: dict[str, SSAValue], home: Home, frame: Frame) -> int:
        """How far the elements of two lanes are apart, where that is little; else 1."""
        if frame.vector_dim is None or frame.lanes == 1 or frame.mask is not None or home.per_lane or extra:
            return 1
        step = offset.coefficient(frame.vector_dim)
        known = step.value if step is not None and step.value is not None else 0
        return known if known == -1 or 1 < abs(known) <= MOST_STEP else 1

    def _lanes_of_load(
        self, offset: Expr, extra: dict[str, SSAValue], mask: SSAValue | None, home: Home, frame: Frame
    ) -> tuple[int, SSAValue]:
        """How a load is done: one scalar, consecutive lanes, or one offset a lane."""
        vector = frame.vector_dim
        if vector is None or frame.lanes == 1:
            return 1, frame.lanes_index(offset, extra) if extra else frame.index(offset)
        by_lane = any(lanes_of(v) > 1 and n in offset.names for n, v in extra.items())
        if home.per_lane and by_lane:
            values = frame.symbols | frame.counters | extra | {"lane": frame.iota()}
            return frame.lanes, frame.top.insert(Affine.of(offset + Expr.symbol("lane"), values))
        if home.per_lane:
            return frame.lanes, frame.first_lane(offset, extra) if extra else frame.index(offset)
        step = offset.coefficient(vector)
        if not by_lane and step is not None and step.value == 1:
            scalar = frame.index(offset) if not extra else frame.first_lane(offset, extra)
            return frame.lanes, scalar
        uniform = mask is None or lanes_of(mask) == 1
        if uniform and not by_lane and step is not None and not step.terms:
            return 1, frame.lanes_index(offset, extra) if extra else frame.index(offset)
        return frame.lanes, frame.widen(frame.lanes_index(offset, extra))

    def home_of(self, load: PointLoad) -> Home:
        """Where the load finds its element: its own tile, or where the tensor lives."""
        return self.homes.get(load) or self.homes[load.tensor]

    def offset(self, indices: tuple[Expr, ...], home: Home) -> Expr:
        if home.place is not None:
            return home.place
        return offset_of(indices, home.strides).substitute(self.member.merged)
