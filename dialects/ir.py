"""What every rewrite does to ops and values: find the block, take an op out, refine a type."""

from __future__ import annotations

from abc import ABCMeta
from collections.abc import Iterable, Mapping, Sequence
from operator import attrgetter
from types import MappingProxyType
from typing import Any, NoReturn, Self, TypeVar

from xdsl.dialects.builtin import UNKNOWN_LOC, LocationAttr
from xdsl.ir import Attribute, Block, Operation, OpResult, Region, SSAValue, SSAValues
from xdsl.irdl import IRDLOperation
from xdsl.irdl.operations import BaseAccessor, BeforeVariadicSingleAccessor, UniqueVariadicAccessor, VarIRConstruct
from xdsl.traits import Pure
from xdsl.utils.exceptions import VerifyException

OpT = TypeVar("OpT", bound=Operation)


def _direct(member: Any) -> Any:
    """For xDSL's access to operands or results one that takes them from the op itself; other members as they are."""
    if not isinstance(member, BaseAccessor) or member.construct not in _FIELDS:
        return member
    field, k = _FIELDS[member.construct], member.idx
    if isinstance(member, UniqueVariadicAccessor) and member.num_defs == 1:
        return property(attrgetter(field))
    if isinstance(member, BeforeVariadicSingleAccessor):
        return property(lambda op: getattr(op, field)[k])
    return member


_FIELDS = {VarIRConstruct.OPERAND: "_operands", VarIRConstruct.RESULT: "results"}


class _OpClass(ABCMeta):
    """Makes what passes do very often fast."""

    __instancecheck__ = type.__instancecheck__  # without asking the registry of abstract classes

    def __new__(cls, name: str, bases: tuple[type, ...], members: dict[str, Any]) -> _OpClass:
        return super().__new__(cls, name, bases, {key: _direct(member) for key, member in members.items()})


class Op(IRDLOperation, metaclass=_OpClass):
    """What every op of our dialects is."""

    @classmethod
    def create(
        cls,
        *,
        operands: Sequence[SSAValue] = (),
        result_types: Sequence[Attribute] = (),
        properties: Mapping[str, Attribute] = MappingProxyType({}),
        attributes: Mapping[str, Attribute] = MappingProxyType({}),
        location: LocationAttr | None = None,
        successors: Sequence[Block] = (),
        regions: Sequence[Region] = (),
    ) -> Self:
        """What xDSL's does, in less time: none of our ops has successors or default values."""
        assert not successors, f"{cls.name} has no successors"
        op = cls.__new__(cls)
        op.operands = operands
        op.results = SSAValues([OpResult(kind, op, k) for k, kind in enumerate(result_types)])
        op.properties, op.attributes = dict(properties), dict(attributes)
        op.location = UNKNOWN_LOC if location is None else location
        op.regions = tuple(regions)
        for region in op.regions:
            assert region.parent is None, "the region is another op's"
            region.parent = op
        return op


class OneBlock(Op):
    """An op whose first region is one block."""

    @property
    def block(self) -> Block:
        block = self.regions[0].first_block
        assert block is not None
        return block


def block_of(op: Operation) -> Block:
    """The block that the op stands in."""
    assert op.parent is not None, f"{op.name} stands in no block"
    return op.parent


def erase(op: Operation) -> None:
    """Take an op whose results nobody uses out of its block, for good."""
    op.detach()
    op.erase()


def erase_dead(values: Iterable[SSAValue]) -> None:
    """Take out the pure ops without regions of which nobody uses a result, starting with those of `values`."""
    stack = [v.owner for v in values]
    while stack:
        op = stack.pop()
        if not isinstance(op, Operation) or op.parent is None or op.regions or not op.has_trait(Pure):
            continue
        if not any(r.uses for r in op.results):
            stack += [v.owner for v in op.operands]
            erase(op)


def copy(op: OpT, values: dict[SSAValue, SSAValue] | None = None) -> OpT:
    """An op and what is in it, where definitions come before uses: xDSL's `clone` in less time. `values` gives the new
    values for old ones from outside."""
    values = {} if values is None else values
    regions: list[Region] = []
    for region in op.regions:
        if len(region.blocks) > 1:
            return op.clone(values)
        regions.append(Region([_copy_block(block, values) for block in region.blocks]))
    made = op.create(
        operands=[values.get(value, value) for value in op.operands],
        result_types=[result.type for result in op.results],
        properties=op.properties,
        attributes=op.attributes,
        location=op.location,
        successors=op.successors,
        regions=regions,
    )
    for old, new in zip(op.results, made.results, strict=True):
        _take_over(old, new, values)
    return made


def _copy_block(block: Block, values: dict[SSAValue, SSAValue]) -> Block:
    made = Block(arg_types=[argument.type for argument in block.args])
    for old, new in zip(block.args, made.args, strict=True):
        _take_over(old, new, values)
    for op in block.ops:
        made.add_op(copy(op, values))
    return made


def _take_over(old: SSAValue, new: SSAValue, values: dict[SSAValue, SSAValue]) -> None:
    values[old] = new
    if old.name_hint is not None:
        new.name_hint = old.name_hint


def set_type(value: SSAValue, kind: Attribute) -> None:
    """Give the value itself another type: its uses stay as they are."""
    value._type = kind  # pyright: ignore[reportPrivateUsage]  (xDSL's own way makes a new value)


def complain(op: Operation, text: str) -> NoReturn:
    """Raise a VerifyException that tools report at `op`."""
    op.emit_error(text, VerifyException(text))
