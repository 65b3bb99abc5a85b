"""Upstream `linalg`, `tensor`, `arith` and `math` on tensors, read into the `weld` dialect.

The pass loads on first use: `symbols` serves other passes, which need none of the upstream dialects.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .convert import ConvertLinalgToWeld

__all__ = ["ConvertLinalgToWeld"]


def __getattr__(name: str) -> Any:
    if name != "ConvertLinalgToWeld":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from .convert import ConvertLinalgToWeld

    return ConvertLinalgToWeld
