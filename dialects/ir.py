"""What every rewrite does to ops and values: find the block, take an op out, refine a type."""

from __future__ import annotations

from abc import ABCMeta
from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import attrgetter
from types import MappingProxyType
from typing import Any, NoReturn, Self, TypeVar

from xdsl.dialects.builtin import UNKNOWN_LOC, LocationAttr
from xdsl.ir import Attribute, Block, Operation, OpOperands, OpResult, Region, SSAValue, SSAValues, Use
from xdsl.irdl import IRDLOperation
from xdsl.irdl.operations import (
    BaseAccessor,
    BaseAttrAccessor,
    BeforeVariadicSingleAccessor,
    UniqueVariadicAccessor,
    VarIRConstruct,
)
from xdsl.traits import Pure
from xdsl.utils.exceptions import VerifyException

from .segments import segment

OpT = TypeVar("OpT", bound=Operation)
Class = TypeVar("Class", bound=type)


def _reads(**fields: str) -> Callable[[Class], Class]:
    """Let properties of a class read these fields, without a call of Python: passes do that very often."""

    def change(cls: Class) -> Class:
        for name, field in fields.items():
            setattr(cls, name, property(attrgetter(field)))
        return cls

    return change


@_reads(type="_type", owner="op")
class Result(OpResult[Attribute]):
    """A result of an op of ours."""

    __eq__ = object.__eq__  # pyright: ignore[reportAssignmentType]
    __hash__ = object.__hash__


class Values(SSAValues[Any]):
    """Operands or results of an op of ours."""

    __slots__ = ()
    __getitem__ = tuple[Any, ...].__getitem__  # pyright: ignore[reportAssignmentType, reportIncompatibleMethodOverride]


class _Operands(OpOperands):
    """The operands of an op of ours, to change one of them."""

    _op: Any

    def __getitem__(self, idx: Any) -> Any:
        found = self._op._operands[idx]
        return Values(found) if idx.__class__ is slice else found

    def __setitem__(self, idx: int, operand: SSAValue) -> None:
        super().__setitem__(idx, operand)
        self._op._operands = Values(self._op._operands)


def _direct(member: Any) -> Any:
    """For xDSL's access to operands or results one that takes them from the op itself, as for regions; other
    members as they are."""
    if not isinstance(member, BaseAccessor | BaseAttrAccessor) or member.construct not in _FIELDS:
        return member
    field, k = _FIELDS[member.construct], member.idx
    read = attrgetter(field)
    if isinstance(member, BaseAttrAccessor):
        return segment(member, read) if member.option.as_property else member
    if isinstance(member, BeforeVariadicSingleAccessor):
        return property(lambda op: read(op)[k])
    if not isinstance(member, UniqueVariadicAccessor):
        return member
    end = k - member.num_defs + 1 or None
    return property(read) if not k and end is None else property(lambda op: Values(read(op)[k:end]))


_FIELDS = {
    VarIRConstruct.OPERAND: "_operands",
    VarIRConstruct.RESULT: "results",
    VarIRConstruct.REGION: "regions",
}


class _OpClass(ABCMeta):
    """Makes what passes do very often fast."""

    __instancecheck__ = type.__instancecheck__  # without asking the registry of abstract classes
    __subclasscheck__ = type.__subclasscheck__

    def __setattr__(cls, name: str, value: Any) -> None:  # so xDSL defines the access to operands and results
        super().__setattr__(name, _direct(value))


@_reads(next_op="_next_op", prev_op="_prev_op")
class Op(IRDLOperation, metaclass=_OpClass):
    """What every op of our dialects is."""

    __eq__ = object.__eq__  # pyright: ignore[reportAssignmentType]
    __hash__ = object.__hash__

    def _set_operands(self, new: Sequence[SSAValue]) -> None:
        for value, use in zip(self._operands, self._operand_uses, strict=True):
            value.remove_use(use)
        self._operands = Values(new)
        self._operand_uses = tuple([Use(self, k) for k in range(len(self._operands))])
        for value, use in zip(self._operands, self._operand_uses, strict=True):
            value.add_use(use)
        self._view = _Operands(self)

    operands = property(attrgetter("_view"), _set_operands)  # pyright: ignore[reportIncompatibleMethodOverride]

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
        op.results = Values([Result(kind, op, k) for k, kind in enumerate(result_types)])
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


def ops_of(block: Block) -> list[Operation]:
    """The ops of a block as they are now, in order: xDSL's `block.ops` in less time."""
    found: list[Operation] = []
    op = block.first_op
    while op is not None:
        found.append(op)
        op = op.next_op
    return found


def walk(op: Operation) -> list[Operation]:
    """The op and all ops in it as they are now, outer ones first: xDSL's `op.walk()` in less time."""
    found = [op]
    for region in op.regions:
        for block in region.blocks:
            for inner in ops_of(block):
                if inner.regions:
                    found += walk(inner)
                else:
                    found.append(inner)
    return found


def erase(op: Operation) -> None:
    """Take an op whose results nobody uses out of its block, for good."""
    assert all(result.first_use is None for result in op.results), f"a result of {op.name} is used"
    op.detach()
    op.drop_all_references()


def erase_dead(values: Iterable[SSAValue]) -> None:
    """Take out the pure ops without regions of which nobody uses a result, starting with those of `values`."""
    stack = [v.owner for v in values]
    while stack:
        op = stack.pop()
        if not isinstance(op, Operation) or op.parent is None or op.regions or not op.has_trait(Pure):
            continue
        if all(r.first_use is None for r in op.results):
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
    for op in ops_of(block):
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
