"""`Direct`: callable objects that CPython calls without Python in between, where a native entry fits the arguments.

The type of an instance is made by `PyType_FromSpecWithBases`: a subclass that adds a vectorcall, which reads the
entries (`entry_text.py`) and calls the class's own `__call__` where none fits. Until there is an entry the vectorcall
is null, and CPython calls `__call__` itself; so it does on interpreters that lay out objects otherwise.
"""

from __future__ import annotations

import ctypes
import sys
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np

from .entry import Entry

_MOST = 8
"""Entries that an object keeps: each call tries one after the other."""
_HAVE_VECTORCALL, _MEMBERS = 1 << 11, 72
"""Py_TPFLAGS_HAVE_VECTORCALL and Py_tp_members."""
_SSIZE, _READ_ONLY = 19, 1
"""Py_T_PYSSIZET and Py_READONLY."""


def is_supported() -> bool:
    """Whether this interpreter lays out objects as the entries expect: CPython with its global lock, 64 bits."""
    return (
        sys.implementation.name == "cpython"
        and sys.maxsize > 2**32
        and getattr(sys, "_is_gil_enabled", lambda: True)()
        and object.__basicsize__ == 16
    )


def imports() -> dict[str, int]:
    """The addresses that `entry_text.TEXT` leaves open."""
    functions = ("Py_IncRef", "Py_DecRef", "PyTuple_New", "PyObject_CallFunctionObjArgs", "PyObject_Vectorcall")
    functions += ("PyErr_SetObject", "PyLong_AsLongLongAndOverflow", "PyDict_Size", "PyDict_Next")
    functions += ("PyEval_SaveThread", "PyEval_RestoreThread")
    found = {name: ctypes.cast(ctypes.pythonapi[name], ctypes.c_void_p).value or 0 for name in functions}
    found |= {"array_type": id(np.ndarray), "dict_type": id(dict), "true_object": id(True), "none_object": id(None)}
    found["out_name"] = id(sys.intern("out"))
    pointer = ctypes.pythonapi.PyCapsule_GetPointer
    pointer.restype, pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    core: Any = getattr(np, "_core", None) or np.core
    table = (ctypes.c_void_p * 300).from_address(pointer(core.multiarray._ARRAY_API, None))
    numbers = {"PyArray_NewFromDescr": 94, "PyArray_Scalar": 60, "PyArray_SetBaseObject": 282}
    return found | {name: table[number] or 0 for name, number in numbers.items()}


class Direct:
    """Base of classes whose instances are called natively where an entry fits; see the module."""

    _vectorcall: int
    _first: int
    """The address of the entry that is tried first."""
    _python: int
    _direct_calls: int = 0
    """How often an entry ran."""

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        return object.__new__(_native(cls) if is_supported() else cls)

    def add_entry(self, entry: Entry, vectorcall: int) -> None:
        """Let calls try this entry first; of many, the oldest is forgotten. `vectorcall` is the address of
        `loopweld_call`."""
        own: list[Entry] = self.__dict__.setdefault("_own_entries", [])
        others = [e for e in own if e is not entry]
        own[:] = [entry, *others[: _MOST - 1], *(e for e in others[_MOST - 1 :] if e.is_busy)]
        for this, following in zip(own, [*own[1:], None], strict=True):
            this.then(following)
        self._python = id(type(self).__call__)
        self._first = entry.address
        self._vectorcall = vectorcall


class _Member(ctypes.Structure):
    _fields_: ClassVar = [
        ("name", ctypes.c_char_p),
        ("type", ctypes.c_int),
        ("offset", ctypes.c_ssize_t),
        ("flags", ctypes.c_int),
        ("doc", ctypes.c_char_p),
    ]


class _Slot(ctypes.Structure):
    _fields_: ClassVar = [("slot", ctypes.c_int), ("function", ctypes.c_void_p)]


class _Spec(ctypes.Structure):
    _fields_: ClassVar = [
        ("name", ctypes.c_char_p),
        ("basicsize", ctypes.c_int),
        ("itemsize", ctypes.c_int),
        ("flags", ctypes.c_uint),
        ("slots", ctypes.c_void_p),
    ]


@lru_cache
def _native(cls: type[Any]) -> type[Any]:
    """The subclass of `cls` whose instances hold a `%Callable` of `entry_text.py` behind what those of `cls` hold."""
    if "_vectorcall" in vars(cls):
        return cls
    start = cls.__basicsize__
    fields = ("_vectorcall", "_first", "_python", "_direct_calls")
    members = [(name.encode(), _SSIZE, start + 8 * k, 0, None) for k, name in enumerate(fields)]
    members += [(b"__vectorcalloffset__", _SSIZE, start, _READ_ONLY, None), (None, 0, 0, 0, None)]
    table = (_Member * len(members))(*members)
    slots = (_Slot * 2)((_MEMBERS, ctypes.addressof(table)), (0, None))
    name = f"{cls.__module__}.{cls.__qualname__}".encode()
    spec = _Spec(name, start + 8 * len(fields), 0, _HAVE_VECTORCALL, ctypes.addressof(slots))
    make = ctypes.pythonapi.PyType_FromSpecWithBases
    make.restype, make.argtypes = ctypes.py_object, [ctypes.c_void_p, ctypes.py_object]
    _KEPT.append((table, slots, name, spec))
    return make(ctypes.addressof(spec), (cls,))


_KEPT: list[Any] = []
"""What types of `_native` point to."""
