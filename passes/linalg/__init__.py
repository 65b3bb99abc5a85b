"""Upstream `linalg`, `tensor`, `arith` and `math` on tensors, read into the `weld` dialect, and written from it.

The passes load on first use: `symbols` serves other passes, which need none of the upstream dialects.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .convert import ConvertLinalgToWeld
    from .write import ConvertWeldToLinalg

__all__ = ["ConvertLinalgToWeld", "ConvertWeldToLinalg"]


def __getattr__(name: str) -> Any:
    match name:
        case "ConvertLinalgToWeld":
            from .convert import ConvertLinalgToWeld

            return ConvertLinalgToWeld
        case "ConvertWeldToLinalg":
            from .write import ConvertWeldToLinalg

            return ConvertWeldToLinalg
        case _:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
