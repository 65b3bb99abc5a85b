"""Locks that a fork waits for: a child has only the thread that forked, and another's lock would stay closed in it."""

from __future__ import annotations

import os
import threading

from llvmlite.binding import ffi  # pyright: ignore[reportMissingTypeStubs]


def lock() -> threading.RLock:
    """A lock to be held by no other thread when this one forks.

    A fork takes the locks in the opposite order of their making. A module calls those that it imports while it holds
    a lock, and these made theirs before, so no two threads wait for each other.
    """
    made = threading.RLock()
    _hold(made)
    return made


def _hold(held: threading.RLock) -> None:
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(before=held.acquire, after_in_parent=held.release, after_in_child=held.release)


LLVM: threading.RLock = ffi.lib._lock._lock  # pyright: ignore
"""Every call of LLVM holds this one. A child must not find LLVM's work half done."""
_hold(LLVM)
