"""The addresses of SciPy's special functions, for programs that call them element by element."""

# SciPy is optional, and its Cython interface has no stubs:
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

import ctypes
import importlib
import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from .codegen.elementwise import SCIPY

_USED = re.compile(rf"@{SCIPY}(\w+)\(")


def used(text: str) -> tuple[str, ...]:
    """The functions of SciPy that a program's LLVM text calls."""
    return tuple(sorted(set(_USED.findall(text)))) if SCIPY in text else ()


def imports(names: Iterable[str]) -> dict[str, int]:
    """What LLVM text calls these functions, and their addresses."""
    return {SCIPY + name: _address(name) for name in names}


@lru_cache
def _address(name: str) -> int:
    """The C function of doubles behind `scipy.special.NAME`. Cython gives each function with several types one entry
    a type, with numbered prefixes; its signature is the name of the capsule."""
    table: dict[str, Any] = importlib.import_module("scipy.special.cython_special").__pyx_capi__
    for prefix in ("", "__pyx_fuse_1", "__pyx_fuse_0"):
        capsule = table.get(prefix + name)
        signature = _capsule_name(capsule) if capsule is not None else b""
        result, _, arguments = signature.decode().partition(" (")
        *types, last = arguments.rstrip(")").split(", ")
        if result == "double" and set(types) == {"double"} and last == "int __pyx_skip_dispatch":
            return _capsule_pointer(capsule, signature)
    raise RuntimeError(f"this version of SciPy has no C function of doubles for scipy.special.{name}")


def _capsule_name(capsule: Any) -> bytes:
    function: Any = ctypes.pythonapi.PyCapsule_GetName
    function.restype, function.argtypes = ctypes.c_char_p, [ctypes.py_object]
    return function(capsule)


def _capsule_pointer(capsule: Any, name: bytes) -> int:
    function: Any = ctypes.pythonapi.PyCapsule_GetPointer
    function.restype, function.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    return function(capsule, name)
