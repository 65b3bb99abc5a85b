"""Errors of tracing: what is wrong in the user's program, where, and what to do instead."""

from __future__ import annotations

from textwrap import TextWrapper
from typing import Any

from .locations import place_and_code


class TraceError(TypeError):
    """The function does something that a traced array cannot do."""


class UnsupportedError(TraceError):
    """The function uses a NumPy function, or a form of one, that tracing does not know."""


def message(what: str, remedy: str = "") -> str:
    """`what`, the user's source line, and what to do."""
    return "\n".join([*_wrapped(what), f"  at {place_and_code()}", *_wrapped(remedy, "  ")])


def _wrapped(text: str, indent: str = "") -> list[str]:
    """Lines of at most 100 columns."""
    wrapper = TextWrapper(100, indent, indent, break_long_words=False, break_on_hyphens=False)
    return [line for paragraph in text.splitlines() for line in wrapper.wrap(paragraph)]


def trace_error(what: str, remedy: str) -> TraceError:
    return TraceError(message(what, remedy))


def unsupported(name: str, remedy: str = "") -> UnsupportedError:
    """The error for a function (or a form of it) that has no traced meaning."""
    remedy = remedy or "compute it outside the compiled function, or write it with functions that are supported"
    return UnsupportedError(message(f"{name} is not supported in a compiled function", remedy))


def needs_value(what: str) -> TraceError:
    """The error for Python code that asks a traced array for its numbers."""
    return trace_error(
        f"{what} needs the values of an array, which are known only when the compiled function runs",
        "use np.where(condition, a, b) instead of a branch, and array operations instead of Python numbers; "
        "arrays to fill come from np.zeros_like(x); values that only configure the function can be closed over",
    )


def value_error(what: str) -> ValueError:
    """NumPy's own ValueError, with the user's source line."""
    return ValueError(message(what))


def index_error(what: str) -> IndexError:
    return IndexError(message(what))


def shapes_text(*shapes: Any) -> str:
    return " ".join("(" + ",".join(str(e) for e in s) + ("," if len(s) == 1 else "") + ")" for s in shapes)
