"""Upstream's dialects as MLIR 22 writes them: xDSL's, with the ops and the syntax that xDSL lacks."""

from __future__ import annotations

from collections.abc import Callable

from xdsl.ir import Dialect


def dialects() -> dict[str, Callable[[], Dialect]]:
    """The dialects that take the place of xDSL's, each loaded on first use."""

    def arith() -> Dialect:
        from .arith import Arith

        return Arith

    def linalg() -> Dialect:
        from .linalg import Linalg

        return Linalg

    def tensor() -> Dialect:
        from .tensor import Tensor

        return Tensor

    return {"arith": arith, "linalg": linalg, "tensor": tensor}
