"""Progress of long work: a line on the terminal that overwrites itself; nothing where nobody watches."""

import sys
import time


class Progress:
    """Shows texts on the standard error if it is a terminal, from the second second on; gone when the block ends."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._began = time.monotonic()
        self._width = 0

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *error: object) -> None:
        if self._width:
            sys.stderr.write("\r" + " " * self._width + "\r")
            sys.stderr.flush()

    def show(self, text: str) -> None:
        if not sys.stderr.isatty() or time.monotonic() - self._began < 1:
            return
        line = f"{self._what}: {text}"
        sys.stderr.write("\r" + line.ljust(self._width))
        sys.stderr.flush()
        self._width = max(self._width, len(line))
