"""`--split-input-file`: one file, several modules between lines of `// -----`."""

import re
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Chunk:
    """A part of the input that is a module of its own, and the number of its first line."""

    text: str
    first_line: int

    @property
    def padded(self) -> bytes:
        """The text behind so many empty lines that every position in it is one in the whole input."""
        return ("\n" * (self.first_line - 1) + self.text).encode()


def split(text: str, marker: str = "// -----") -> Iterator[Chunk]:
    """The parts between lines that begin with `marker`."""
    start = 0
    for separator in re.finditer(rf"^{re.escape(marker)}.*(?:\n|\Z)", text, re.MULTILINE):
        yield Chunk(text[start : separator.start()], text.count("\n", 0, start) + 1)
        start = separator.end()
    yield Chunk(text[start:], text.count("\n", 0, start) + 1)
