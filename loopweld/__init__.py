"""Loopweld welds the loops of a tensor program together: the public names.

The repository's folders `compiler`, `dialects` and `passes` are the subpackages
`loopweld.compiler`, `loopweld.dialects` and `loopweld.passes`. The public names load on first use,
so that `import loopweld` costs next to nothing.
"""

from importlib import import_module
from os.path import dirname, exists, join
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from loopweld.api import Compiled, Report, Target, compile, jit, memory_stats, pipeline

if not exists(join(dirname(__file__), "dialects")):
    # A checkout: the subpackages stand next to this folder, not in it.
    __path__.append(dirname(dirname(__file__)))

__version__ = "0.1.0"

_HOME = {
    "jit": "loopweld.api",
    "compile": "loopweld.api",
    "memory_stats": "loopweld.api",
    "pipeline": "loopweld.api",
    "Target": "loopweld.api",
    "Report": "loopweld.api",
    "Compiled": "loopweld.api",
}
"""Each public name and the module that defines it."""

__all__ = ["Compiled", "Report", "Target", "compile", "jit", "memory_stats", "pipeline"]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'loopweld' has no attribute '{name}'")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})
