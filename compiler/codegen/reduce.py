"""The lanes of a vector combined to a scalar, or to fewer lanes."""

from __future__ import annotations

from collections.abc import Callable

from xdsl.ir import Attribute

from ...dialects.loop.ops import Reduce, lanes_of
from ...dialects.weld.types import bit_width, kind_of, scalar_of
from .types import scalar_text, suffix, vector_text
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
    """The result of a reduction kind; value and position for argmax and argmin."""
    kind, element, lanes = op.kind.data, scalar_of(op.args[0]), lanes_of(op.args[0])
    scalar, what, left = scalar_text(element), kind_of(element), lanes_of(op.outs[0])
    if kind in ("argmax", "argmin"):
        return _best_lane(w, kind, what, scalar, lanes, left, args)
    if left == 1 and what != "f":
        vector, mangled = vector_text(scalar, lanes), suffix(scalar, lanes)
        return [w.call(scalar, f"llvm.vector.reduce.{_integer(kind, what)}.{mangled}", [(vector, args[0])])]
    if left == 1 and kind in ("max", "min"):
        return [_extreme(w, kind, element, lanes, args[0])]
    return [_halved(w, scalar, lanes, left, args[0], lambda half, x, y: _combined(w, kind, what, scalar, half, x, y))]


def _halved(
    w: FunctionText, scalar: str, lanes: int, left: int, value: str, combine: Callable[[int, str, str], str]
) -> str:
    """The lower half combined with the upper one until so many lanes are left: always in the same order, and a short
    one."""
    while lanes > left:
        low, high = _halves(w, scalar, lanes, value)
        lanes //= 2
        value = combine(lanes, low, high)
    return value


def _integer(kind: str, what: str) -> str:
    """The instruction, or the end of the name of the intrinsic, that combines integers."""
    return {"i": "s", "u": "u", "b": "u"}[what] + kind if kind in ("max", "min") else _INTEGER[kind]


def _combined(w: FunctionText, kind: str, what: str, scalar: str, lanes: int, a: str, b: str) -> str:
    """Two halves of some lanes as one; of numbers the greater (or less), NaN where one is NaN."""
    vector, mask = vector_text(scalar, lanes), vector_text("i1", lanes)
    if kind in ("max", "min") and what == "f":
        best = _better_number(w, kind, scalar, lanes, a, b)
        nan = w.emit(f"fcmp uno {vector} {a}, {a}")
        return w.emit(f"select {mask} {nan}, {vector} {a}, {vector} {best}")
    if kind in ("max", "min"):
        return w.call(vector, f"llvm.{_integer(kind, what)}.{suffix(scalar, lanes)}", [(vector, a), (vector, b)])
    word = {"sum": "fadd", "prod": "fmul"}[kind] if what == "f" else _integer(kind, what)
    return w.emit(f"{word} {vector} {a}, {b}")


def _better_number(w: FunctionText, kind: str, scalar: str, lanes: int, a: str, b: str) -> str:
    """The greater (or less), `b` where one is NaN: the comparison and its select are one instruction."""
    vector, mask = vector_text(scalar, lanes), vector_text("i1", lanes)
    beats = w.emit(f"fcmp {'ogt' if kind == 'max' else 'olt'} {vector} {a}, {b}")
    return w.emit(f"select {mask} {beats}, {vector} {a}, {vector} {b}")


def _extreme(w: FunctionText, kind: str, element: Attribute, lanes: int, value: str) -> str:
    """The greatest (or least) of the lanes, NaN where one is NaN: whether there are any is asked once, of both halves
    at the same time. A number with all its bits set is one; a select would wait for a mask register."""
    if lanes == 1:
        return value
    scalar, count = scalar_text(element), lanes // 2
    low, high = _halves(w, scalar, lanes, value)
    unordered = w.emit(f"fcmp uno {vector_text(scalar, count)} {low}, {high}")
    if count > 1:
        mask = w.emit(f"bitcast <{count} x i1> {unordered} to i{count}")
        unordered = w.emit(f"icmp ne i{count} {mask}, 0")

    def better(half: int, a: str, b: str) -> str:
        return _better_number(w, kind, scalar, half, a, b)

    best = _halved(w, scalar, count, 1, better(count, low, high), better)
    word = f"i{bit_width(element)}"
    nan = w.emit(f"sext i1 {unordered} to {word}")
    number = w.emit(f"bitcast {scalar} {best} to {word}")
    joined = w.emit(f"or {word} {nan}, {number}")
    return w.emit(f"bitcast {word} {joined} to {scalar}")


def _halves(w: FunctionText, scalar: str, lanes: int, value: str) -> tuple[str, str]:
    half, kind = lanes // 2, f"<{lanes} x {scalar}>"
    if half == 1:
        return w.emit(f"extractelement {kind} {value}, i64 0"), w.emit(f"extractelement {kind} {value}, i64 1")
    parts: list[str] = []
    for start in (0, half):
        order = ", ".join(f"i32 {start + k}" for k in range(half))
        parts.append(w.emit(f"shufflevector {kind} {value}, {kind} poison, <{half} x i32> <{order}>"))
    return parts[0], parts[1]


def _best_lane(w: FunctionText, kind: str, what: str, scalar: str, lanes: int, left: int, args: list[str]) -> list[str]:
    """Halve the vector, keeping the better of each pair: greater (or less), the first NaN, the first of equals."""
    value, position = args
    while lanes > left:
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
