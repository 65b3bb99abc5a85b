"""`Pool`: memory for large results and for temporaries, used again once the last array in it is gone.

The first touch of a page costs more than all that a fused loop does with it, so pages that are mapped already are
worth keeping. A block is a private mapping with the alignment of huge pages, which it asks for; its size is one of a
few classes, so that results of similar sizes share blocks.
"""

from __future__ import annotations

import ctypes
import itertools
import mmap
import os
import threading
import weakref
from collections import deque
from contextlib import suppress
from functools import lru_cache
from math import prod
from typing import Any, NamedTuple

import numpy as np

HUGE_PAGE = 1 << 21
"""Bytes of a huge page, to which larger blocks are aligned."""
SMALLEST = HUGE_PAGE
"""Bytes from which a result comes from a pool: `malloc` keeps the pages of smaller ones, at less cost."""
PAGE = 1 << 12
POISON = b"\xff"


class MemoryStats(NamedTuple):
    """Bytes and counts of a pool.

    `used`: bytes of blocks that arrays or running calls hold. `idle`: bytes kept for later ones, at most `limit`.
    `requests`: how many blocks were asked for; `reused`: how many of these were there already.
    """

    used: int
    idle: int
    limit: int
    requests: int
    reused: int


class Block:
    """A piece of memory at `address`, which is a multiple of 64."""

    __slots__ = ("address", "memory", "shelf", "since")

    def __init__(self, shelf: Shelf):
        spare = HUGE_PAGE if shelf.size >= HUGE_PAGE else 0
        self.shelf = shelf
        self.memory = _map(shelf.size + spare)
        start = ctypes.addressof(ctypes.c_char.from_buffer(self.memory))
        self.address = -(-start // HUGE_PAGE) * HUGE_PAGE if spare else start
        self.since = 0
        """When it became idle: blocks are numbered as they come back."""


def _map(size: int) -> mmap.mmap:
    """Zeroed memory of this process alone, in huge pages where the system has them for who asks."""
    if not hasattr(mmap, "MAP_ANONYMOUS"):
        return mmap.mmap(-1, size)
    memory = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    if hasattr(mmap, "MADV_HUGEPAGE") and size >= HUGE_PAGE:
        with suppress(OSError):  # a kernel that was built without them
            memory.madvise(mmap.MADV_HUGEPAGE)
    return memory


@lru_cache(maxsize=1024)
def size_class(size: int) -> int:
    """The bytes of the block that holds `size` bytes: whole pages, and at most an eighth more."""
    step = max(PAGE, 1 << max(size.bit_length() - 4, 0))
    return -(-size // step) * step


class Shelf:
    """The idle blocks of one size, longest idle first."""

    def __init__(self, pool: Pool, size: int):
        class Lease(ctypes.c_char * size):
            """What an array has as its base: memory that goes back when nobody refers to it."""

            __slots__ = ("block",)
            block: Block

            def __del__(self) -> None:
                pool.give(self.block)

        self.size = size
        self.lease: type[Any] = Lease
        self.idle: deque[Block] = deque()


class Pool:
    """Blocks that nobody uses are kept up to `limit` bytes in all; the one that was idle longest goes first.

    Safe when several threads use it, when a garbage collection in the middle of a call gives blocks back, and after a
    fork: the child starts without idle blocks.
    """

    def __init__(self, limit: int, poisons: bool = False):
        """`poisons`: what it hands out is NaN, for tests: a program must not read what it has not written."""
        self.limit = limit
        self.poisons = poisons
        self._mapped = self._idle = self._created = self._reused = 0
        self._start()
        if hasattr(os, "register_at_fork"):
            pool: weakref.ref[Pool] = weakref.ref(self)
            os.register_at_fork(after_in_child=lambda: _restart(pool))

    def _start(self) -> None:
        """Nothing idle. After a fork the lock may be another thread's, and the idle blocks are left to the parent."""
        self._lock = threading.Lock()
        self._shelves: dict[int, Shelf] = {}
        self._late: deque[Block] = deque()
        """Blocks that came back while somebody had the lock."""
        self._clock = itertools.count()
        self._mapped -= self._idle
        self._idle = 0

    def holds(self, size: int) -> bool:
        """Whether arrays of `size` bytes live in blocks of the pool."""
        return size >= SMALLEST and self.limit > 0

    def empty(self, shape: tuple[int, ...], dtype: np.dtype[Any], strides: tuple[int, ...] | None = None) -> Any:
        """A dense array with any contents: row-major, or with these strides. A large one does not own its memory."""
        size = prod(shape) * dtype.itemsize
        if not self.holds(size):
            array = np.ndarray(shape, dtype, strides=strides)
            self.poison(array)
            return array
        block = self.take(size)
        lease = block.shelf.lease.from_address(block.address)
        lease.block = block
        return np.ndarray(shape, dtype, lease, strides=strides)

    def poison(self, array: Any) -> None:
        """Set all bits of an array, if the pool does: NaN in each float."""
        if self.poisons:
            array[...] = np.frombuffer(POISON * array.itemsize, array.dtype)[0]

    def take(self, size: int) -> Block:
        """A block of at least `size` bytes, to be given back with `give`."""
        block = self._block(size_class(size))
        if self.poisons:
            ctypes.memset(block.address, POISON[0], block.shelf.size)
        return block

    def _block(self, size: int) -> Block:
        """An idle block of a class, or a new one."""
        with self._lock:
            if self._late:
                self._collect()
            shelf = self._shelves.get(size)
            if shelf is None:
                shelf = self._shelves[size] = Shelf(self, size)
            if shelf.idle:
                self._reused += 1
                self._idle -= size
                return shelf.idle.pop()
        try:
            block = Block(shelf)
        except OSError as error:
            raise MemoryError(f"the system has no {size} bytes of memory left") from error
        with self._lock:
            self._created += 1
            self._mapped += size
        return block

    def give(self, block: Block) -> None:
        """Take a block back. It never waits: a finaliser may call it at any point, also inside `take`."""
        if not self._lock.acquire(False):
            self._late.append(block)
            return
        try:
            self._put(block)
        finally:
            self._lock.release()

    def stats(self) -> MemoryStats:
        """What the pool holds now."""
        with self._lock:
            self._collect()
            used, requests = self._mapped - self._idle, self._created + self._reused
            return MemoryStats(used, self._idle, self.limit, requests, self._reused)

    def _collect(self) -> None:
        while self._late:
            self._put(self._late.popleft())

    def _put(self, block: Block) -> None:
        """Make a block idle, and unmap what is too much; the caller has the lock."""
        shelf = self._shelves.setdefault(block.shelf.size, block.shelf)  # it may be from before a fork
        block.since = next(self._clock)
        shelf.idle.append(block)
        self._idle += shelf.size
        while self._idle > self.limit:
            oldest = min((s for s in self._shelves.values() if s.idle), key=lambda s: s.idle[0].since)
            self._idle -= oldest.size
            self._mapped -= oldest.size
            oldest.idle.popleft()


def _restart(pool: weakref.ref[Pool]) -> None:
    found = pool()
    if found is not None:
        found._start()  # pyright: ignore[reportPrivateUsage]
