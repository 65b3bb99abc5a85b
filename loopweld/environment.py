"""The environment variables, read here and nowhere else."""

import os
from functools import cache
from pathlib import Path

from loopweld.compiler.codegen.cache import LIMIT, ObjectCache
from loopweld.compiler.runtime.pool import Pool
from loopweld.watching import TOPICS, Watch


def object_cache() -> ObjectCache | None:
    """`LOOPWELD_CACHE_DIR`: the folder of compiled programs, or "off"; by default the user's cache folder.
    `LOOPWELD_CACHE_BYTES`: how many bytes it may hold, by default 256 MiB.

    Raises ValueError for anything but a number.
    """
    value = os.environ.get("LOOPWELD_CACHE_DIR")
    limit = _bytes("LOOPWELD_CACHE_BYTES")
    limit = LIMIT if limit is None else limit
    if value == "off":
        return None
    if value:
        return ObjectCache(Path(value), limit)
    from platformdirs import user_cache_path

    return ObjectCache(user_cache_path("loopweld"), limit)


def _bytes(name: str) -> int | None:
    """A variable that holds a number of bytes; None where it is not set."""
    value = os.environ.get(name)
    if value is None:
        return None
    if not value.isdecimal():
        raise ValueError(f"{name} must be a number of bytes, found {value!r}")
    return int(value)


def pool() -> Pool:
    """`LOOPWELD_POOL_BYTES`: how many bytes of freed results and temporaries are kept for the next ones, 0 for none;
    by default 1 GiB, or an eighth of the machine's memory if that is less. `LOOPWELD_POISON=1`: results and temporaries
    are NaN until they are written. Programs with the same settings share a pool.

    Raises ValueError for anything but a number of bytes, and for anything but 0 and 1.
    """
    limit, poisons = _bytes("LOOPWELD_POOL_BYTES"), os.environ.get("LOOPWELD_POISON", "0")
    if poisons not in ("0", "1"):
        raise ValueError(f"LOOPWELD_POISON must be 0 or 1, found {poisons!r}")
    return _pool(_default_limit() if limit is None else limit, poisons == "1")


@cache
def _default_limit() -> int:
    if not hasattr(os, "sysconf"):
        return 1 << 30
    return min(1 << 30, os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 8)


@cache
def _pool(limit: int, poisons: bool) -> Pool:
    return Pool(limit, poisons)


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


def watch() -> Watch | None:
    """What is told of each compiled program; None where nothing is asked for.

    `LOOPWELD_DUMP` is a folder that gets the IR of each program at each stage; `LOOPWELD_LOG` names topics to report
    on the standard error, separated by commas. Raises ValueError for an unknown topic.
    """
    folder = os.environ.get("LOOPWELD_DUMP")
    topics = [t.strip() for t in os.environ.get("LOOPWELD_LOG", "").split(",") if t.strip()]
    for topic in topics:
        if topic not in TOPICS:
            raise ValueError(f"LOOPWELD_LOG knows {', '.join(TOPICS)}, found {topic!r}")
    return Watch(Path(folder) if folder else None, frozenset(topics)) if folder or topics else None
