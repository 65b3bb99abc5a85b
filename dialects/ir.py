"""What every rewrite does to ops and values: find the block, take an op out, refine a type."""

from __future__ import annotations

from abc import ABCMeta
from collections.abc import Iterable
from typing import NoReturn

from xdsl.ir import Attribute, Block, Operation, SSAValue
from xdsl.irdl import IRDLOperation
from xdsl.traits import Pure
from xdsl.utils.exceptions import VerifyException


class _OpClass(ABCMeta):
    """`isinstance` asks the class itself, not the registry of abstract classes: passes ask it often."""

    __instancecheck__ = type.__instancecheck__


class Op(IRDLOperation, metaclass=_OpClass):
    """What every op of our dialects is."""


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


def set_type(value: SSAValue, kind: Attribute) -> None:
    """Give the value itself another type: its uses stay as they are."""
    value._type = kind  # pyright: ignore[reportPrivateUsage]  (xDSL's own way makes a new value)


def complain(op: Operation, text: str) -> NoReturn:
    """Raise a VerifyException that tools report at `op`."""
    op.emit_error(text, VerifyException(text))
