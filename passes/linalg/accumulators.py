"""How a body uses an output block argument: which monoid it accumulates with, and what it adds."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.dialects.builtin import IntegerType
from xdsl.ir import BlockArgument, Operation, SSAValue


@dataclass(frozen=True)
class Monoid:
    """A way to accumulate, found by the name of the combining op."""

    kind: str
    """The kind of a reduction of weld."""
    op: str
    """The op that combines two values."""
    unsigned: bool = False
    ignores_nan: bool = False


_SUM, _PROD = Monoid("sum", "arith.addf"), Monoid("prod", "arith.mulf")
_XOR, _AND, _OR = Monoid("xor", "arith.xori"), Monoid("and", "arith.andi"), Monoid("or", "arith.ori")

MONOIDS: dict[str, Monoid] = {
    "arith.addf": _SUM,
    "arith.subf": _SUM,
    "math.fma": _SUM,
    "arith.mulf": _PROD,
    "arith.addi": Monoid("sum", "arith.addi"),
    "arith.subi": Monoid("sum", "arith.addi"),
    "arith.muli": Monoid("prod", "arith.muli"),
    "arith.maximumf": Monoid("max", "arith.maximumf"),
    "arith.minimumf": Monoid("min", "arith.minimumf"),
    "arith.maxnumf": Monoid("max", "arith.maxnumf", ignores_nan=True),
    "arith.minnumf": Monoid("min", "arith.minnumf", ignores_nan=True),
    "arith.maxsi": Monoid("max", "arith.maxsi"),
    "arith.minsi": Monoid("min", "arith.minsi"),
    "arith.maxui": Monoid("max", "arith.maxui", unsigned=True),
    "arith.minui": Monoid("min", "arith.minui", unsigned=True),
    "arith.andi": _AND,
    "arith.ori": _OR,
    "arith.xori": _XOR,
}

BOOL_MONOIDS: dict[str, Monoid] = {
    "arith.addi": _XOR,
    "arith.subi": _XOR,
    "arith.muli": _AND,
    "arith.maxsi": _AND,
    "arith.minsi": _OR,
    "arith.maxui": _OR,
    "arith.minui": _AND,
    "arith.andi": Monoid("all", "arith.andi"),
    "arith.ori": Monoid("any", "arith.ori"),
}
"""The same on i1, where a signed true is -1."""


@dataclass(frozen=True)
class Term:
    """A value that the body combines with the accumulator: `factors` multiplied, subtracted where `negative`."""

    factors: tuple[SSAValue, ...]
    negative: bool = False


@dataclass(frozen=True)
class Accumulation:
    """`accumulator combine term combine term ...`"""

    monoid: Monoid
    terms: tuple[Term, ...]
    combining: frozenset[Operation]
    """The ops that the reduction itself takes over."""


def find_accumulation(accumulator: BlockArgument, result: SSAValue) -> Accumulation | None:
    """Follow the chain of combining ops from what is yielded up to the accumulator; None where it is no chain of
    one monoid, or where the accumulator or a partial value is used elsewhere."""
    if len(list(accumulator.uses)) != 1:
        return None
    monoids = MONOIDS | BOOL_MONOIDS if accumulator.type == IntegerType(1) else MONOIDS
    terms: list[Term] = []
    combining: set[Operation] = set()
    found: Monoid | None = None
    dependents = _dependents(accumulator)
    value = result
    while value is not accumulator:
        op = value.owner
        monoid = monoids.get(op.name) if isinstance(op, Operation) else None
        if monoid is None or found not in (None, monoid) or len(list(value.uses)) != 1:
            return None
        assert isinstance(op, Operation)
        found = monoid
        inner = [k for k, operand in enumerate(op.operands) if operand in dependents]
        if len(inner) != 1 or inner[0] not in _positions(op):
            return None
        rest = tuple(operand for k, operand in enumerate(op.operands) if k != inner[0])
        terms.append(Term(rest, op.name in ("arith.subf", "arith.subi") and found is not _XOR))
        combining.add(op)
        value = op.operands[inner[0]]
    return None if found is None else Accumulation(found, tuple(terms), frozenset(combining))


def _positions(op: Operation) -> tuple[int, ...]:
    """Where the accumulator may stand among the op's operands."""
    if op.name in ("arith.subf", "arith.subi"):
        return (0,)
    return (2,) if op.name == "math.fma" else (0, 1)


def _dependents(source: BlockArgument) -> set[SSAValue]:
    """The values of the body that are computed from `source`, and `source`."""
    found: set[SSAValue] = {source}
    for op in source.block.ops:
        if not found.isdisjoint(op.operands):
            found |= set(op.results)
    return found
