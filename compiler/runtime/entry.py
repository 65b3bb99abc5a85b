"""The short way into a program: one native call that checks the arrays, finds their memory and runs.

A bound program (fixed shapes, strides and dtypes) gets a CPython function of the METH_FASTCALL kind, built by the
JIT, that takes its input and output arrays. It compares what the array headers say with a table and answers False,
having done nothing, where anything differs; the caller then goes the long way, which knows why. It holds the GIL, so
it is used for small programs only. Array headers are read as CPython lays them out; free-threaded builds and
other interpreters have no such entry.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

TEXT = """
@array_type = external global i8
@true_object = external global i64
@false_object = external global i64
define ptr @loopweld_invoke(ptr %self, ptr %args, i64 %count) {
entry:
  %table.at = getelementptr i8, ptr %self, i64 16
  %table = load ptr, ptr %table.at
  %expected = load i64, ptr %table
  %inputs.at = getelementptr i64, ptr %table, i64 1
  %inputs = load i64, ptr %inputs.at
  %places.at = getelementptr i64, ptr %table, i64 2
  %places = load ptr, ptr %places.at
  %symbols.at = getelementptr i64, ptr %table, i64 3
  %symbols = load ptr, ptr %symbols.at
  %function.at = getelementptr i64, ptr %table, i64 4
  %function = load ptr, ptr %function.at
  %first = getelementptr i64, ptr %table, i64 5
  %same.count = icmp eq i64 %count, %expected
  br i1 %same.count, label %array, label %no
array:
  %k = phi i64 [ 0, %entry ], [ %k.next, %stored ]
  %row = phi ptr [ %first, %entry ], [ %row.next, %stored ]
  %more = icmp slt i64 %k, %count
  br i1 %more, label %header, label %run
header:
  %object.at = getelementptr ptr, ptr %args, i64 %k
  %object = load ptr, ptr %object.at
  %type.at = getelementptr i8, ptr %object, i64 8
  %type = load ptr, ptr %type.at
  %is.array = icmp eq ptr %type, @array_type
  br i1 %is.array, label %fields, label %no
fields:
  %data.at = getelementptr i8, ptr %object, i64 16
  %data = load i64, ptr %data.at
  %rank.at = getelementptr i8, ptr %object, i64 24
  %rank32 = load i32, ptr %rank.at
  %rank = sext i32 %rank32 to i64
  %dims.at = getelementptr i8, ptr %object, i64 32
  %dims = load ptr, ptr %dims.at
  %strides.at = getelementptr i8, ptr %object, i64 40
  %strides = load ptr, ptr %strides.at
  %descr.at = getelementptr i8, ptr %object, i64 56
  %descr = load i64, ptr %descr.at
  %flags.at = getelementptr i8, ptr %object, i64 64
  %flags = load i32, ptr %flags.at
  %want.descr = load i64, ptr %row
  %want.flags.at = getelementptr i64, ptr %row, i64 1
  %want.flags = load i64, ptr %want.flags.at
  %bytes.at = getelementptr i64, ptr %row, i64 2
  %bytes = load i64, ptr %bytes.at
  %place.at = getelementptr i64, ptr %row, i64 3
  %place = load i64, ptr %place.at
  %want.rank.at = getelementptr i64, ptr %row, i64 4
  %want.rank = load i64, ptr %want.rank.at
  %donor.at = getelementptr i64, ptr %row, i64 5
  %donor = load i64, ptr %donor.at
  %sizes = getelementptr i64, ptr %row, i64 6
  %same.descr = icmp eq i64 %descr, %want.descr
  %same.rank = icmp eq i64 %rank, %want.rank
  %flags64 = zext i32 %flags to i64
  %has.flags = and i64 %flags64, %want.flags
  %same.flags = icmp eq i64 %has.flags, %want.flags
  %ok1 = and i1 %same.descr, %same.rank
  %ok2 = and i1 %ok1, %same.flags
  br i1 %ok2, label %axis, label %no
axis:
  %a = phi i64 [ 0, %fields ], [ %a.next, %axis.same ]
  %axes = icmp slt i64 %a, %rank
  br i1 %axes, label %compare, label %overlap
compare:
  %n.at = getelementptr i64, ptr %dims, i64 %a
  %n = load i64, ptr %n.at
  %s.at = getelementptr i64, ptr %strides, i64 %a
  %s = load i64, ptr %s.at
  %want.n.at = getelementptr i64, ptr %sizes, i64 %a
  %want.n = load i64, ptr %want.n.at
  %past = getelementptr i64, ptr %sizes, i64 %rank
  %want.s.at = getelementptr i64, ptr %past, i64 %a
  %want.s = load i64, ptr %want.s.at
  %same.n = icmp eq i64 %n, %want.n
  %same.s = icmp eq i64 %s, %want.s
  %ok3 = and i1 %same.n, %same.s
  br i1 %ok3, label %axis.same, label %no
axis.same:
  %a.next = add i64 %a, 1
  br label %axis
overlap:
  %is.output = icmp sge i64 %k, %inputs
  %j.first = select i1 %is.output, i64 0, i64 %k
  %end = add i64 %data, %bytes
  br label %other
other:
  %j = phi i64 [ %j.first, %overlap ], [ %j.next, %other.apart ]
  %other.row = phi ptr [ %first, %overlap ], [ %other.row.next, %other.apart ]
  %others = icmp slt i64 %j, %k
  br i1 %others, label %other.test, label %stored
other.test:
  %other.bytes.at = getelementptr i64, ptr %other.row, i64 2
  %other.bytes = load i64, ptr %other.bytes.at
  %other.place.at = getelementptr i64, ptr %other.row, i64 3
  %other.place = load i64, ptr %other.place.at
  %other.rank.at = getelementptr i64, ptr %other.row, i64 4
  %other.rank = load i64, ptr %other.rank.at
  %other.data.at = getelementptr i64, ptr %places, i64 %other.place
  %other.data = load i64, ptr %other.data.at
  %other.end = add i64 %other.data, %other.bytes
  %before = icmp ule i64 %end, %other.data
  %behind = icmp uge i64 %data, %other.end
  %apart = or i1 %before, %behind
  %is.donor = icmp eq i64 %j, %donor
  %is.there = icmp eq i64 %data, %other.data
  %taken = and i1 %is.donor, %is.there
  %ok4 = or i1 %apart, %taken
  br i1 %ok4, label %other.apart, label %no
other.apart:
  %j.next = add i64 %j, 1
  %other.double = shl i64 %other.rank, 1
  %other.words = add i64 %other.double, 6
  %other.row.next = getelementptr i64, ptr %other.row, i64 %other.words
  br label %other
stored:
  %slot = getelementptr i64, ptr %places, i64 %place
  store i64 %data, ptr %slot
  %k.next = add i64 %k, 1
  %double = shl i64 %rank, 1
  %words = add i64 %double, 6
  %row.next = getelementptr i64, ptr %row, i64 %words
  br label %array
run:
  call void %function(ptr %places, ptr %symbols)
  br label %yes
yes:
  %up = call ptr @loopweld_new_reference(ptr @true_object)
  ret ptr %up
no:
  %down = call ptr @loopweld_new_reference(ptr @false_object)
  ret ptr %down
}
define internal ptr @loopweld_new_reference(ptr %object) alwaysinline {
  %references = load i32, ptr %object
  %more = add i32 %references, 1
  %immortal = icmp eq i32 %more, 0
  %kept = select i1 %immortal, i32 %references, i32 %more
  store i32 %kept, ptr %object
  ret ptr %object
}
"""
"""`loopweld_invoke(self, args, count)`. `self` is an int64 array whose data is the table: how many arrays, how many of
them inputs, the addresses of the places, of the symbols and of the program; then for each array its dtype object, the
flags it must have, its bytes, its place, its rank, the input whose memory it may have (or -1), its sizes and its
strides. An output must lie apart from all other arrays, or exactly on that input."""

_ALIGNED, _WRITEABLE = 0x0100, 0x0400


class _MethodDefinition(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_char_p),
        ("function", ctypes.c_void_p),
        ("flags", ctypes.c_int),
        ("doc", ctypes.c_char_p),
    )


_FASTCALL = 0x0080


def is_supported() -> bool:
    """Whether this interpreter lays out objects as the entry expects: CPython with its global lock, 64 bits."""
    return (
        sys.implementation.name == "cpython"
        and sys.maxsize > 2**32
        and getattr(sys, "_is_gil_enabled", lambda: True)()
        and object.__basicsize__ == 16
    )


def symbols() -> dict[str, int]:
    """The addresses that the text's external names stand for."""
    return {"array_type": id(np.ndarray), "true_object": id(True), "false_object": id(False)}


@dataclass(frozen=True)
class Flag:
    """A byte of the arena that a failed check sets."""

    byte: Any
    exception: type[Exception]
    message: str


@dataclass
class Entry:
    """A bound program's entry: `call(*inputs, *outputs)` is True when it ran."""

    call: Callable[..., bool]
    keep: tuple[Any, ...]
    """What the table points to."""
    flags: tuple[Flag, ...] = ()
    """To look at after the call; with flags, outputs must be fresh arrays."""


def make_entry(
    invoke: int,
    function: int,
    arrays: Sequence[tuple[np.dtype[Any], tuple[int, ...], tuple[int, ...], int, int]],
    inputs: int,
    places: Any,
    symbol_table: Any,
) -> Entry:
    """The entry of a program at the address `function`, for arrays of (dtype, shape, strides, place, donor), inputs
    first.

    `places` is an int64 array with the addresses of everything that is no argument. Strided inputs must not come
    with outputs that callers choose: overlap is tested for dense arrays.
    """
    rows: list[int] = [len(arrays), inputs, places.ctypes.data, ctypes.addressof(symbol_table), function]
    for k, (dtype, shape, strides, place, donor) in enumerate(arrays):
        size = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
        flags = _ALIGNED if k < inputs else _ALIGNED | _WRITEABLE
        rows += [id(dtype), flags, size, place, len(shape), donor, *shape, *strides]
    table = np.array(rows, np.int64)
    definition = _MethodDefinition(b"program", invoke, _FASTCALL, b"Run a compiled program; False if it did not.")
    new: Any = ctypes.pythonapi.PyCFunction_NewEx
    new.restype = ctypes.py_object
    new.argtypes = [ctypes.c_void_p, ctypes.py_object, ctypes.c_void_p]
    call = new(ctypes.addressof(definition), table, None)
    return Entry(call, (table, definition, places, symbol_table, [a[0] for a in arrays]))
