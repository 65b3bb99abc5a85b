"""`note-boundaries`: the pairs that no fusion rule is asked about, because one of the two is no loop of ours."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation
from xdsl.passes import ModulePass

from ..dialects.ir import ops_of
from ..dialects.weld.base import Elementwise, TensorOp
from ..dialects.weld.generic import Generic
from ..dialects.weld.library import Call
from ..dialects.weld.types import bytes_of
from ..dialects.weld.views import View
from .fusion.graph import functions, tensors_used
from .remarks import Reason, note


@dataclass(frozen=True)
class NoteBoundaries(ModulePass):
    """Change nothing; record a decision for each producer and consumer of which one is a library call."""

    name = "note-boundaries"
    never_fuses: bool = False
    """Each op runs by itself on this target, so that every pair is kept apart."""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        reason = Reason.TARGET_NEVER_FUSES if self.never_fuses else Reason.LIBRARY_CALL
        for function in functions(op):
            for consumer in ops_of(function.body.block):
                if _computes(consumer):
                    _note_producers(consumer, reason)


def _note_producers(consumer: Operation, reason: Reason) -> None:
    seen: set[Operation] = set()
    for value in tensors_used(consumer):
        while isinstance(value.owner, View):
            value = value.owner.args[0]
        producer = value.owner
        if not isinstance(producer, Operation) or producer in seen or not _computes(producer):
            continue
        seen.add(producer)
        if not (isinstance(producer, Generic) and isinstance(consumer, Generic)):
            note(producer, consumer, False, reason, str(bytes_of(value) * 2))


def _computes(op: Operation) -> bool:
    return isinstance(op, Elementwise | TensorOp | Call | Generic) and not isinstance(op, View)
