"""Every module that gives NumPy functions their traced meaning; importing this one fills the tables."""

from __future__ import annotations

from . import (
    assignment,
    axes,
    composites,
    contractions,
    creating,
    einsum,
    indexing,
    joining,
    linalg,
    moments,
    padding,
    reducing,
    scanning,
    selecting,
    shaping,
    statistics,
)
from .libcalls import register_library

__all__ = [
    "assignment",
    "axes",
    "composites",
    "contractions",
    "creating",
    "einsum",
    "indexing",
    "joining",
    "linalg",
    "moments",
    "padding",
    "reducing",
    "scanning",
    "selecting",
    "shaping",
    "statistics",
]

register_library()  # last: it fills only what the others leave
