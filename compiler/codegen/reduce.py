"""The lanes of a vector combined to a scalar."""

from __future__ import annotations

import math
from collections.abc import Callable

from xdsl.ir import Attribute

from ...dialects.loop.ops import Reduce, lanes_of
from ...dialects.weld.types import kind_of, scalar_of
from .types import number_text, scalar_text, suffix, vector_text
from .writer import FunctionText

_INTEGER = {
    "sum": "add",
    "prod": "mul",
    "any": "or",
    "all": "and",
    "and": "and",
    "or": "or",
    "xor": "xor",
}


def reduce_text(w: FunctionText, op: Reduce, args: list[str]) -> list[str]:
    """The scalar of a reduction kind; value and position for argmax and argmin."""
    kind, element, lanes = op.kind.data, scalar_of(op.args[0]), lanes_of(op.args[0])
    scalar, what = scalar_text(element), kind_of(element)
    vector = vector_text(scalar, lanes)
    if kind in ("argmax", "argmin"):
        return _best_lane(w, kind, what, scalar, lanes, args)
    if kind in ("sum", "prod") and what == "f":
        word = "fadd" if kind == "sum" else "fmul"
        return [_halved(w, scalar, lanes, args[0], lambda half, a, b: w.emit(f"{word} {half} {a}, {b}"))]
    if what == "f":
        return [_extreme(w, kind, element, lanes, args[0])]
    mangled = suffix(scalar, lanes)
    if kind in ("max", "min"):
        name = {"i": "s", "u": "u", "b": "u"}[what] + kind
    else:
        name = _INTEGER[kind]
    return [w.call(scalar, f"llvm.vector.reduce.{name}.{mangled}", [(vector, args[0])])]


def _halved(w: FunctionText, scalar: str, lanes: int, value: str, combine: Callable[[str, str, str], str]) -> str:
    """The lower half combined with the upper one until a scalar is left: always the same order, and a short one."""
    while lanes > 1:
        low, high = _halves(w, scalar, lanes, value)
        lanes //= 2
        value = combine(vector_text(scalar, lanes), low, high)
    return value


def _extreme(w: FunctionText, kind: str, element: Attribute, lanes: int, value: str) -> str:
    """The greatest (or least) of the lanes, NaN where one is NaN. A comparison and its select are one instruction,
    which drops some NaNs: whether there are any is asked once, of both halves at the same time."""
    if lanes == 1:
        return value
    scalar, word = scalar_text(element), "ogt" if kind == "max" else "olt"

    def better(half: str, a: str, b: str) -> str:
        mask = vector_text("i1", int(half[1:].split(" ")[0]) if half[0] == "<" else 1)
        beats = w.emit(f"fcmp {word} {half} {a}, {b}")
        return w.emit(f"select {mask} {beats}, {half} {a}, {half} {b}")

    low, high = _halves(w, scalar, lanes, value)
    half = vector_text(scalar, lanes // 2)
    unordered = w.emit(f"fcmp uno {half} {low}, {high}")
    if lanes > 2:
        bits = w.emit(f"bitcast <{lanes // 2} x i1> {unordered} to i{lanes // 2}")
        unordered = w.emit(f"icmp ne i{lanes // 2} {bits}, 0")
    best = _halved(w, scalar, lanes // 2, better(half, low, high), better)
    return w.emit(f"select i1 {unordered}, {scalar} {number_text(math.nan, element)}, {scalar} {best}")


def _halves(w: FunctionText, scalar: str, lanes: int, value: str) -> tuple[str, str]:
    half, kind = lanes // 2, f"<{lanes} x {scalar}>"
    if half == 1:
        return w.emit(f"extractelement {kind} {value}, i64 0"), w.emit(f"extractelement {kind} {value}, i64 1")
    parts: list[str] = []
    for start in (0, half):
        order = ", ".join(f"i32 {start + k}" for k in range(half))
        parts.append(w.emit(f"shufflevector {kind} {value}, {kind} poison, <{half} x i32> <{order}>"))
    return parts[0], parts[1]


def _best_lane(w: FunctionText, kind: str, what: str, scalar: str, lanes: int, args: list[str]) -> list[str]:
    """Halve the vector, keeping the better of each pair: greater (or less), the first NaN, the first of equals."""
    value, position = args
    while lanes > 1:
        half = lanes // 2
        values, positions = _halves(w, scalar, lanes, value), _halves(w, "i64", lanes, position)
        sides = list(zip(values, positions, strict=True))
        value, position = _better(w, kind, what, scalar, half, sides[0], sides[1])
        lanes = half
    return [value, position]


def _better(
    w: FunctionText, kind: str, what: str, scalar: str, lanes: int, a: tuple[str, str], b: tuple[str, str]
) -> tuple[str, str]:
    values, mask, places = vector_text(scalar, lanes), vector_text("i1", lanes), vector_text("i64", lanes)
    sign = "gt" if kind == "argmax" else "lt"
    compare = {"f": f"fcmp o{sign}", "i": f"icmp s{sign}", "u": f"icmp u{sign}", "b": f"icmp u{sign}"}[what]
    equal = "fcmp oeq" if what == "f" else "icmp eq"
    wins = w.emit(f"{compare} {values} {b[0]}, {a[0]}")
    tie = w.emit(f"{equal} {values} {b[0]}, {a[0]}")
    if what == "f":
        nan_a = w.emit(f"fcmp uno {values} {a[0]}, {a[0]}")
        nan_b = w.emit(f"fcmp uno {values} {b[0]}, {b[0]}")
        wins = w.emit(f"or {mask} {wins}, {nan_b}")
        blank = "false" if lanes == 1 else "zeroinitializer"
        wins = w.emit(f"select {mask} {nan_a}, {mask} {blank}, {mask} {wins}")
        both = w.emit(f"and {mask} {nan_a}, {nan_b}")
        tie = w.emit(f"or {mask} {tie}, {both}")
    earlier = w.emit(f"icmp slt {places} {b[1]}, {a[1]}")
    first = w.emit(f"and {mask} {tie}, {earlier}")
    wins = w.emit(f"or {mask} {wins}, {first}")
    value = w.emit(f"select {mask} {wins}, {values} {b[0]}, {values} {a[0]}")
    place = w.emit(f"select {mask} {wins}, {places} {b[1]}, {places} {a[1]}")
    return value, place
