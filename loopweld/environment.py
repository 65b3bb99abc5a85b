"""The environment variables, read here and nowhere else."""

import os
from pathlib import Path

from loopweld.compiler.codegen.cache import ObjectCache


def object_cache() -> ObjectCache | None:
    """`LOOPWELD_CACHE_DIR`: the folder of compiled objects, or "off"; by default the user's cache folder."""
    value = os.environ.get("LOOPWELD_CACHE_DIR")
    if value == "off":
        return None
    if value:
        return ObjectCache(Path(value))
    from platformdirs import user_cache_path

    return ObjectCache(user_cache_path("loopweld"))


def thread_count() -> int | None:
    """`LOOPWELD_NUM_THREADS`: the most threads a program may use; None where it is not set.

    Raises ValueError for anything but a positive number.
    """
    value = os.environ.get("LOOPWELD_NUM_THREADS")
    if value is None:
        return None
    if not value.isdigit() or int(value) < 1:
        raise ValueError(f"LOOPWELD_NUM_THREADS must be a positive number, found {value!r}")
    return int(value)


def dump_folder() -> Path | None:
    """`LOOPWELD_DUMP`: a folder that gets the IR of each compiled program at each stage."""
    value = os.environ.get("LOOPWELD_DUMP")
    return Path(value) if value else None


def log_topics() -> frozenset[str]:
    """`LOOPWELD_LOG`: topics ("fusion", "passes", "cache") to report on standard error."""
    return frozenset(t for t in os.environ.get("LOOPWELD_LOG", "").split(",") if t)
