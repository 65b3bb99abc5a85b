"""Every module that gives NumPy functions their traced meaning; importing this one fills the tables."""

from __future__ import annotations

from . import (
    assignment,
    composites,
    contractions,
    creating,
    einsum,
    indexing,
    joining,
    padding,
    reducing,
    scanning,
    selecting,
    shaping,
    statistics,
)
from .libcalls import register_library

register_library()  # last: it fills only what the others leave

__all__ = """assignment composites contractions creating einsum indexing joining padding reducing scanning selecting
shaping statistics""".split()
