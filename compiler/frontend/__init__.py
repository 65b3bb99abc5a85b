"""The NumPy frontend: `trace` runs a Python function on stand-ins and gives its module of `weld` ops."""

from __future__ import annotations

from .errors import TraceError, UnsupportedError
from .spec import ArgSpec
from .symint import SymInt
from .trace import ResultSpec, Traced, trace
from .tracer import Tracer
from .trees import take_leaves

__all__ = [
    "ArgSpec",
    "ResultSpec",
    "SymInt",
    "TraceError",
    "Traced",
    "Tracer",
    "UnsupportedError",
    "take_leaves",
    "trace",
]
