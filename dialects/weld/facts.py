"""Op classes that carry plain facts next to their xDSL definition."""

from __future__ import annotations

from typing import Any, TypeVar

from xdsl.irdl import IRDLOperation, irdl_op_definition

Op = TypeVar("Op", bound=IRDLOperation)

FACTS = frozenset(
    [
        "arity",
        "numpy",
        "ufuncs",
        "scipy",
        "kinds",
        "result",
        "llvm",
        "cost",
        "commutative",
        "neutral",
        "absorbing",
        "equal",
        "always",
        "idempotent",
        "stable",
        "involution",
        "is_view",
        "kind",
        "combine",
        "empty",
        "first_index",
    ]
)
"""Class variables that xDSL must not take for operands or attributes."""


def define_op(cls: type[Op]) -> type[Op]:
    """`irdl_op_definition` for classes with facts: it accepts upper-case class variables only, so the facts
    step aside while it collects the fields."""
    hidden: list[tuple[type, dict[str, Any], dict[str, Any]]] = []
    for owner in cls.mro():
        if issubclass(owner, IRDLOperation) and owner is not IRDLOperation:
            notes = dict(owner.__annotations__)
            values = {k: v for k, v in vars(owner).items() if k in FACTS and not _is_field(v)}
            owner.__annotations__ = {k: v for k, v in notes.items() if k not in FACTS}
            for name in values:
                delattr(owner, name)
            hidden.append((owner, notes, values))
    try:
        return irdl_op_definition(cls)
    finally:
        for owner, notes, values in hidden:
            owner.__annotations__ = notes
            for name, value in values.items():
                setattr(owner, name, value)


def _is_field(value: Any) -> bool:
    """Whether it is one of xDSL's field definitions: an op may have a property with the name of a fact."""
    return type(value).__module__.startswith("xdsl.irdl")
