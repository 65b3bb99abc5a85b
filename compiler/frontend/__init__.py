"""The NumPy frontend: `trace` runs a Python function on stand-ins and gives its module of `weld` ops."""

from __future__ import annotations

from .errors import TraceError, UnsupportedError
from .spec import ArgSpec
from .trace import ResultSpec, Traced, trace

__all__ = ["ArgSpec", "ResultSpec", "TraceError", "Traced", "UnsupportedError", "trace"]
