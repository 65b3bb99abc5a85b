"""The xDSL context of programs."""

from __future__ import annotations

from functools import lru_cache

from xdsl.context import Context
from xdsl.dialects.builtin import Builtin
from xdsl.dialects.func import Func

from ..dialects import dialects


@lru_cache
def context() -> Context:
    """A context with the dialects that programs use."""
    found = Context()
    found.load_dialect(Builtin)
    found.load_dialect(Func)
    for factory in dialects().values():
        found.load_dialect(factory())
    return found
