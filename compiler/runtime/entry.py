"""The short way into a program: one native call that checks the arguments, finds their memory, runs, and makes results.

An entry is for exact types, dtypes, shapes and strides. It is a table that the code in `entry_text.py` reads, which a
compiled function keeps a few of; where none fits, the function goes the long way, which knows why.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np

from .program import ArraySpec

_ALIGNED, _WRITEABLE = 0x0100, 0x0400
_ARRAY, _SEQUENCE, _DICT, _CONSTANT, _SCALAR = 0, 1, 2, 3, 9
_NUMBERS = {(float, "f8"): 4, (float, "f4"): 5, (int, "i8"): 6, (int, "f8"): 7, (bool, "b1"): 8}
"""Node kinds of Python numbers, by the dtype that the program takes them in."""
_BUSY = 18
"""The word of a table that says whether a call is under way."""
_CELL = 16
"""Bytes for a number: those of the largest element."""
_NEW, _NUMBER, _DONATED, _VIEW, _ASKED = range(5)


class Unsuited(Exception):
    """The arguments or results are of a kind that has no entry."""


@dataclass(frozen=True)
class Run:
    """A native function `void f(ptr places, ptr symbols)`, by addresses."""

    function: int
    places: tuple[int, ...]
    """Addresses; those of arguments and results are filled in at the call."""
    arrays: tuple[tuple[int, int], ...]
    """(position among the places, number of the argument or, after all arguments, of the result)."""
    symbols: int


@dataclass(frozen=True)
class Check:
    """A byte that says whether to raise."""

    flag: int
    exception: type[Exception]
    message: str


@dataclass(frozen=True)
class Result:
    """A result. `is_number`: callers get a NumPy scalar."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    is_rows: bool
    is_number: bool
    donor: int | None = None
    """The argument whose memory it takes."""
    is_donor: bool = False
    """Whether it is that argument, and not another view of the memory."""
    allocate: Callable[[], Any] | None = None
    """Makes it, where NumPy's own memory will not do."""

    @property
    def given_strides(self) -> tuple[int, ...]:
        """The strides that an array given as `out=` has."""
        return np.empty(self.shape, self.dtype).strides if 0 in self.shape else self.strides

    @property
    def bytes(self) -> int:
        return int(np.prod(self.shape, dtype=np.int64)) * self.dtype.itemsize


@dataclass
class Entry:
    """The table of an entry, at `address`. Its first word is the address of the entry to try after it."""

    table: Any
    keep: list[Any] = field(default_factory=list[Any])
    """What the table points to."""

    @property
    def address(self) -> int:
        return int(self.table.ctypes.data)

    @property
    def is_busy(self) -> bool:
        """Whether a call is under way."""
        return bool(self.table[_BUSY])

    def then(self, following: Entry | None) -> None:
        """Which entry to try where this one does not fit."""
        self.table[0] = following.address if following is not None else 0


class _Builder:
    """Tables under construction, and what they keep alive."""

    def __init__(self, leaves: int):
        self.keep: list[Any] = []
        self.leaves = self.words([0] * 4 * leaves)
        self.taken = 0

    def words(self, values: Sequence[int]) -> Any:
        found = np.array([*values, 0], np.int64)
        self.keep.append(found)
        return found

    def address(self, values: Sequence[int]) -> int:
        return int(self.words(values).ctypes.data)

    def cell(self) -> int:
        return self.address([0] * (_CELL // 8))

    def leaf(self, k: int) -> int:
        return int(self.leaves.ctypes.data) + 32 * k

    def id(self, value: object) -> int:
        self.keep.append(value)
        return id(value)

    def array(self, dtype: np.dtype[Any], shape: Sequence[int], strides: Sequence[int], flags: int) -> list[int]:
        """The node of an array, which is the next leaf."""
        steps = [s * (n - 1) for s, n in zip(strides, shape, strict=True)]
        low = sum(s for s in steps if s < 0)
        high = sum(s for s in steps if s > 0) + dtype.itemsize
        if 0 in shape:
            low = high = 0
        leaf = self.leaf(self.taken)
        self.taken += 1
        return [_ARRAY, leaf, self.id(dtype), flags, len(shape), low, high, *shape, *strides]

    def number(self, kind: int, type_: type, dtype: np.dtype[Any]) -> list[int]:
        """The node of a number, which is the next leaf."""
        cell = self.cell()
        self.leaves[4 * self.taken] = cell
        self.taken += 1
        return [kind, self.id(type_), cell, dtype.itemsize]

    def container(self, value: Any, children: Callable[[Any], list[int]]) -> list[int]:
        """The node of a tuple, list or dict, with those of its elements."""
        kind: type[Any] = value.__class__
        if isinstance(value, dict):
            if kind is not dict:
                raise Unsuited
            entries = cast("dict[Any, Any]", value)
            return [_DICT, len(entries), *(w for k, v in entries.items() for w in (self.id(k), *children(v)))]
        parts = cast("Sequence[Any]", value)
        return [_SEQUENCE, self.id(kind), self.id(kind), len(parts), *(w for v in parts for w in children(v))]

    def argument(self, value: Any, specs: Sequence[ArraySpec], donated: frozenset[int]) -> list[int]:
        """The nodes of an argument of a call."""
        kind: type[Any] = value.__class__
        if isinstance(value, tuple | list | dict):
            return self.container(value, lambda v: self.argument(v, specs, donated))
        if isinstance(value, np.ndarray | np.generic | bool | int | float | complex):
            spec = specs[self.taken]
            if kind is np.ndarray:
                array = cast("Any", value)
                if array.dtype != spec.dtype or (spec.strides is None and not spec.is_met(array)):
                    raise Unsuited
                flags = _ALIGNED | (_WRITEABLE if self.taken in donated else 0)
                return self.array(array.dtype, array.shape, array.strides, flags)
            if isinstance(value, np.generic):
                if cast("Any", value).dtype != spec.dtype or spec.dtype.kind not in "biuf" or spec.dtype.itemsize > 8:
                    raise Unsuited
                return self.number(_SCALAR, kind, spec.dtype)
            if (kind, spec.dtype.str[1:]) not in _NUMBERS:
                raise Unsuited
            return self.number(_NUMBERS[kind, spec.dtype.str[1:]], kind, spec.dtype)
        return [_CONSTANT, self.id(value)]


def make_entry(
    args: Sequence[Any],
    named: Mapping[str, Any],
    specs: Sequence[ArraySpec],
    results: Sequence[Result],
    steps: Sequence[Run | Check],
    rebuild: Callable[[Sequence[Any]], Any] | None,
    is_tuple: bool,
    out: str,
    shared: bool,
) -> Entry:
    """The entry for calls with arguments such as these.

    The call's result is the only result, their tuple (`is_tuple`), or what `rebuild` makes of the tuple. `out` says
    how arrays given as `out=` get the results: "direct"ly, "later" (a check may fail after results were written), or
    "not" on the short way; and "only" such arrays get them, directly. `shared`: other threads run meanwhile (the global
    lock is let go). Raises Unsuited for what has no entry.
    """
    count = len(specs)
    b = _Builder(count + len(results))
    donors = frozenset(r.donor for r in results if r.donor is not None)
    nodes = [w for v in [*args, *named.values()] for w in b.argument(v, specs, donors)]
    assert b.taken == count, "the leaves of a call are the program's inputs"
    outs = 0
    if out != "not":
        targets = [b.array(r.dtype, r.shape, r.given_strides, _ALIGNED | _WRITEABLE) for r in results]
        head = [_SEQUENCE, b.id(tuple), b.id(list), len(results)] if is_tuple else []
        outs = b.address([*head, *(w for t in targets for w in t)])
    made = b.address([w for r in results for w in _result(b, r)]) if out != "only" else 0
    made_by = b.id(rebuild) if rebuild is not None else int(is_tuple)
    fills, rows = _steps(b, steps)
    shadows = b.address([w for r in results for w in (_shadow(b, r), r.bytes)]) if out == "later" else 0
    words = [0, len(args), len(named), b.address([b.id(name) for name in named]), b.address(nodes), outs]
    words += [count, len(results), b.leaf(0), made]
    words += [len(donors), b.address(sorted(donors)), len(fills) // 2, b.address(fills), len(rows) // 4]
    words += [b.address(rows), made_by, shadows, 0, int(shared)]
    return Entry(b.words(words), b.keep)


def _shadow(b: _Builder, result: Result) -> int:
    memory = np.empty(result.bytes + 64, np.uint8)
    b.keep.append(memory)
    return -(-memory.ctypes.data // 64) * 64


def _result(b: _Builder, r: Result) -> list[int]:
    head = [b.id(r.dtype), len(r.shape), b.address(r.shape)]
    if r.donor is not None:
        return [_DONATED if r.is_donor else _VIEW, *head, b.address(r.strides), b.leaf(r.donor)]
    if r.is_number:
        return [_NUMBER, *head, 0, b.cell()]
    if r.allocate is not None:
        return [_ASKED, *head, 0, b.id(r.allocate)]
    return [_NEW, *head, 0 if r.is_rows else b.address(r.strides), 0]


def _steps(b: _Builder, steps: Sequence[Run | Check]) -> tuple[list[int], list[int]]:
    """(slot, leaf) pairs of the places that differ from call to call, and the rows of the steps."""
    fills: list[int] = []
    rows: list[int] = []
    for step in steps:
        if isinstance(step, Check):
            rows += [1, step.flag, b.id(step.exception), b.id(step.message)]
            continue
        places = b.address(step.places)
        for position, array in step.arrays:
            fills += [places + 8 * position, b.leaf(array)]
        rows += [0, step.function, places, step.symbols]
    return fills, rows
