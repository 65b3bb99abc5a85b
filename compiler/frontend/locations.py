"""Where in the user's source an operation was written: the innermost frame outside our package, NumPy and SciPy."""

from __future__ import annotations

import linecache
import sys
from functools import lru_cache
from pathlib import Path

import numpy as np
from xdsl.dialects.builtin import FileLineColLoc, IntAttr, StringAttr

_PACKAGES = Path(np.__file__).parents[1]
_OURS = (str(Path(__file__).parent), str(_PACKAGES / "numpy"), str(_PACKAGES / "scipy"), "<__array_function__")


@lru_cache(maxsize=4096)
def _is_ours(filename: str) -> bool:
    return filename.startswith(_OURS)


def user_line() -> tuple[str, int]:
    """File name and line number of the user's statement that runs now."""
    frame = sys._getframe(1)  # pyright: ignore[reportPrivateUsage]
    while _is_ours(frame.f_code.co_filename) and frame.f_back is not None:
        frame = frame.f_back
    return frame.f_code.co_filename, frame.f_lineno


@lru_cache(maxsize=16384)
def location_of(line: tuple[str, int]) -> FileLineColLoc:
    return FileLineColLoc(StringAttr(line[0]), IntAttr(line[1]), IntAttr(1))


def place(line: tuple[str, int] | None = None) -> str:
    """`file:line`, as messages show it."""
    filename, number = line or user_line()
    return f"{filename}:{number}"


def place_and_code() -> str:
    """`file:line: code text` of the user's statement that runs now."""
    line = user_line()
    code = linecache.getline(*line).strip()
    return f"{place(line)}: {code}" if code else place(line)
