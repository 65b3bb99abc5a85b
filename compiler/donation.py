"""`donate=`: which arrays of a call a compiled function may overwrite."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any


def donated_names(function: Callable[..., Any], donate: Sequence[int | str]) -> tuple[str, ...]:
    """Positions and names of parameters as names, `x.0` and `x.key` for parts of one.

    Raises ValueError for what is no parameter of the function.
    """
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # written in C: its arguments are called arg0, arg1, ...
        return tuple(e if isinstance(e, str) else f"arg{e}" for e in donate)
    found: list[str] = []
    for entry in donate:
        name = _named(signature, entry) if isinstance(entry, str) else _positional(signature, entry)
        if name is None:
            own = getattr(function, "__name__", type(function).__name__)
            raise ValueError(f"donate= holds {entry!r}, which is no parameter of {own}{signature}")
        found.append(name)
    return tuple(found)


def _named(signature: inspect.Signature, entry: str) -> str | None:
    parameters = signature.parameters.values()
    known = entry.partition(".")[0] in signature.parameters or any(p.kind == p.VAR_KEYWORD for p in parameters)
    return entry if known else None


def _positional(signature: inspect.Signature, entry: int) -> str | None:
    parameters = signature.parameters.values()
    positional = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    rest = [p.name for p in parameters if p.kind == p.VAR_POSITIONAL]
    if 0 <= entry < len(positional):
        return positional[entry]
    return f"{rest[0]}.{entry - len(positional)}" if entry >= 0 and rest else None


def donated_arrays(donated: Sequence[str], names: Sequence[str]) -> set[int]:
    """The positions of the donated arrays among `names`, the arrays of a call: whole parameters or parts of them.

    Raises ValueError for a part that the call does not have.
    """
    found: set[int] = set()
    for entry in donated:
        here = {k for k, name in enumerate(names) if name == entry or name.startswith(f"{entry}.")}
        if not here and "." in entry:
            raise ValueError(f"donate= holds {entry!r}, but the arrays of this call are {', '.join(names)}")
        found |= here
    return found
