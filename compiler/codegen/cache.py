"""A folder of compiled objects by the hash of what they were made from.

Who can write the folder can run code in this process: it belongs to one user (mode 0700).
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

SUFFIX = ".obj"
_DIGEST = 32
"""Bytes of the checksum in front of each object."""


@dataclass(frozen=True)
class ObjectCache:
    """Object files in a folder. A damaged or unreadable entry is a miss, a folder that cannot be written to is no
    error: the program is compiled again."""

    folder: Path

    def key(self, *parts: str) -> str:
        """The name for an object made from these texts."""
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()

    def get(self, key: str) -> bytes | None:
        """The object, if it is here and whole."""
        try:
            data = (self.folder / (key + SUFFIX)).read_bytes()
        except OSError:
            return None
        image = data[_DIGEST:]
        return image if hashlib.sha256(image).digest() == data[:_DIGEST] else None

    def put(self, key: str, image: bytes) -> None:
        """Store an object: written aside, then renamed, so that readers see all of it or nothing."""
        with contextlib.suppress(OSError):
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=self.folder)
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(hashlib.sha256(image).digest() + image)
                os.replace(name, self.folder / (key + SUFFIX))
            except OSError:
                os.unlink(name)
                raise

    def entries(self) -> list[Path]:
        """The stored objects, oldest first."""
        try:
            return sorted(self.folder.glob("*" + SUFFIX), key=lambda p: p.stat().st_mtime)
        except OSError:
            return []

    def clear(self) -> int:
        """Delete all objects; returns how many."""
        entries = self.entries()
        for path in entries:
            path.unlink(missing_ok=True)
        return len(entries)
