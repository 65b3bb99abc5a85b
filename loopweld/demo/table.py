"""Results as a table of at most 100 columns."""

from collections.abc import Callable, Sequence

from .measure import Result


def size(count: float) -> str:
    """`6.3 MB`: three digits and a decimal unit."""
    for unit in ("B", "kB", "MB"):
        if count < 999.5:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} GB"


def duration(seconds: float) -> str:
    """`35.1 us`: three digits and a unit."""
    for factor, unit in ((1e9, "ns"), (1e6, "us"), (1e3, "ms")):
        if seconds * factor < 999.5:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds:.3g} s"


COLUMNS: dict[str, Callable[[Result], str]] = {
    "program": lambda r: r.name,
    "kernels": lambda r: str(r.kernels),
    "sweeps": lambda r: str(r.sweeps),
    "moved": lambda r: size(r.moved),
    "least": lambda r: size(r.least),
    "between": lambda r: size(r.between),
    "NumPy": lambda r: duration(r.numpy_seconds),
    "loopweld": lambda r: duration(r.seconds),
    "faster": lambda r: f"{r.numpy_seconds / r.seconds:.1f}x",
    "error": lambda r: f"{r.error:.0e}",
}
"""Heading and text of each column."""


def lines(results: Sequence[Result]) -> list[str]:
    """A heading, a rule and a line for each result."""
    rows = [list(COLUMNS), *([text(result) for text in COLUMNS.values()] for result in results)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    shown = [_line(row, widths) for row in rows]
    return [shown[0], "-" * len(shown[0]), *shown[1:]]


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    """The name to the left, numbers to the right."""
    first, *rest = zip(cells, widths, strict=True)
    return "  ".join([first[0].ljust(first[1]), *(text.rjust(width) for text, width in rest)])
