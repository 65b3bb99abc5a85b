"""What every rewrite does to ops and values: find the block, take an op out, refine a type."""

from __future__ import annotations

from xdsl.ir import Attribute, Block, Operation, SSAValue


def block_of(op: Operation) -> Block:
    """The block that the op stands in."""
    assert op.parent is not None, f"{op.name} stands in no block"
    return op.parent


def erase(op: Operation) -> None:
    """Take an op whose results nobody uses out of its block, for good."""
    op.detach()
    op.erase()


def set_type(value: SSAValue, kind: Attribute) -> None:
    """Give the value itself another type: its uses stay as they are."""
    value._type = kind  # pyright: ignore[reportPrivateUsage]  (xDSL's own way makes a new value)
