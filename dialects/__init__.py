"""The dialects of loopweld: `weld` (tensor programs, fused or not) and `loop` (explicit loops and vectors)."""

from __future__ import annotations

from collections.abc import Callable

from xdsl.ir import Dialect


def dialects() -> dict[str, Callable[[], Dialect]]:
    """Our dialects by name, each loaded on first use."""

    def weld() -> Dialect:
        from .weld import Weld

        return Weld

    def loop() -> Dialect:
        from .loop import Loop

        return Loop

    return {"weld": weld, "loop": loop}
