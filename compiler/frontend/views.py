"""Arrays that share memory in NumPy: a view follows its base, and a change of the view changes the base.

Traced values never change, so each view remembers how it is made from its base's value and how the base's value
follows from a new value of the view.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from xdsl.ir import SSAValue

from .errors import trace_error

if TYPE_CHECKING:
    from .tracer import Tracer


@dataclass
class View:
    """`forward(base value)` is the view's value, `backward(base value, new value)` the base's after a change.

    Both are None where NumPy may or may not copy (reshape); then a change of either side is an error.
    """

    base: Tracer
    seen: SSAValue
    forward: Callable[[SSAValue], SSAValue] | None
    backward: Callable[[SSAValue, SSAValue], SSAValue] | None

    def refresh(self) -> SSAValue | None:
        """The view's value after a change of its base, None where the base has not changed."""
        current = self.base.value
        if current is self.seen:
            return None
        if self.forward is None:
            raise trace_error(
                "an array was changed in place after reshape() made a view or a copy of it",
                "reshape it again after the change, or call .copy() on the reshaped array",
            )
        self.seen = current
        return self.forward(current)

    def change(self, new: SSAValue) -> None:
        """Assign through the view."""
        if self.backward is None:
            raise trace_error(
                "this array is the reshape of another one, and NumPy decides by memory layout whether "
                "changing it in place changes the other",
                "call .copy() on it first, or assign before reshaping",
            )
        self.base.assign(self.backward(self.base.value, new))
        self.seen = self.base.value
