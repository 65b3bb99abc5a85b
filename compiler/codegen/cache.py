"""A folder of compiled programs by the hash of what they were made from.

Who can write the folder can run code in this process: it belongs to one user (mode 0700).
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

SUFFIX = ".obj"
LIMIT = 256 << 20
"""Bytes of all entries together, if nothing else is said."""
_DIGEST = 32
"""Bytes of the checksum in front of each entry."""
_WRITTEN: Counter[Path] = Counter()
"""Bytes that this process has put into a folder since it last looked how much there is."""


class Entry(NamedTuple):
    """A stored program: when it was used last (seconds since 1970), its bytes, its file."""

    used: float
    bytes: int
    path: Path


@dataclass(frozen=True)
class ObjectCache:
    """Entries in a folder, of at most about `limit` bytes: those that were not used for longest go first.

    A damaged or unreadable entry is a miss, a folder that cannot be written to is no error: the program is compiled
    again. Any number of processes may use one folder at the same time.
    """

    folder: Path
    limit: int = LIMIT

    def key(self, *parts: str) -> str:
        """The name for an entry made from these texts."""
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()

    def get(self, key: str) -> bytes | None:
        """The entry, if it is here and whole; from now on it is the one used last."""
        path = self._path(key)
        try:
            data = path.read_bytes()
        except OSError:
            return None
        image = data[_DIGEST:]
        if hashlib.sha256(image).digest() != data[:_DIGEST]:
            return None
        with contextlib.suppress(OSError):
            os.utime(path)
        return image

    def put(self, key: str, image: bytes) -> None:
        """Store an entry: written aside, then renamed, so that readers see all of it or nothing."""
        if len(image) + _DIGEST > self.limit:
            return
        with contextlib.suppress(OSError):
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=self.folder)
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(hashlib.sha256(image).digest() + image)
                os.replace(name, self._path(key))
            except OSError:
                os.unlink(name)
                raise
            self._make_room(len(image) + _DIGEST)

    def entries(self) -> list[Entry]:
        """What is stored, the entry that was used last at the end."""
        found: list[Entry] = []
        with contextlib.suppress(OSError), os.scandir(self.folder) as listing:
            for each in listing:
                if each.name.endswith(SUFFIX):
                    with contextlib.suppress(OSError):  # another process may have deleted it
                        status = each.stat()
                        found.append(Entry(status.st_mtime, status.st_size, Path(each.path)))
        return sorted(found)

    def clear(self) -> int:
        """Delete all entries; returns how many."""
        entries = self.entries()
        for entry in entries:
            entry.path.unlink(missing_ok=True)
        return len(entries)

    def _path(self, key: str) -> Path:
        return self.folder / (key + SUFFIX)

    def _make_room(self, written: int) -> None:
        """Delete entries down to nine tenths of the limit if there are too many. Looking is slow in a large folder, so
        it is done at a process's first entry and then after each sixteenth of the limit."""
        first = self.folder not in _WRITTEN
        _WRITTEN[self.folder] += written
        if not first and _WRITTEN[self.folder] < self.limit // 16:
            return
        _WRITTEN[self.folder] = 0
        entries = self.entries()
        total = sum(entry.bytes for entry in entries)
        if total <= self.limit:
            return
        for entry in entries:
            if total <= self.limit - self.limit // 10:
                return
            with contextlib.suppress(OSError):
                entry.path.unlink(missing_ok=True)
                total -= entry.bytes
