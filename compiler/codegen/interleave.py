"""Elements a few apart as LLVM text: whole registers from memory, whose lanes are picked or put in turn."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .writer import FunctionText


def as_integer(scalar: str) -> str:
    """A type of as many bits whose lanes LLVM moves without a conversion, also on machines that have no half floats."""
    return "i16" if scalar in ("half", "bfloat") else scalar


def strided_text(w: FunctionText, scalar: str, lanes: int, step: int, load: Callable[[int], str]) -> str:
    """Every `step`-th element from the first lane's on, backwards where it is negative: `load` gives `lanes`
    consecutive elements from a number of elements behind the first lane's. Nothing is read that does not lie between
    the elements of two lanes."""
    width = abs(step)
    last = (width - 1) * (lanes - 1)
    starts = [min(k * lanes, last) for k in range(width)]
    low = min(step * (lanes - 1), 0)
    registers = [load(low + start) for start in starts]
    wanted = [step * k - low for k in range(lanes)]
    where = [min(at // lanes, width - 1) for at in wanted]
    return picked(w, scalar, registers, [(r, at - starts[r]) for r, at in zip(where, wanted, strict=True)])


def interleaved_text(w: FunctionText, scalar: str, lanes: int, registers: Sequence[str]) -> list[str]:
    """The registers' lanes in turn, in as many registers."""
    count, bits = len(registers), as_integer(scalar)
    given, moved = f"<{lanes} x {scalar}>", f"<{lanes} x {bits}>"
    if bits != scalar:
        registers = [w.emit(f"bitcast {given} {register} to {moved}") for register in registers]
    turns = [(k % count, k // count) for k in range(count * lanes)]
    found = [picked(w, bits, registers, turns[start : start + lanes]) for start in range(0, count * lanes, lanes)]
    return found if bits == scalar else [w.emit(f"bitcast {moved} {register} to {given}") for register in found]


def picked(w: FunctionText, scalar: str, registers: Sequence[str], lanes: Sequence[tuple[int, int]]) -> str:
    """A register with these lanes, each given by the number of a register and a lane of it."""
    kind, total = f"<{len(lanes)} x {scalar}>", len(lanes)
    used = sorted({r for r, _ in lanes})
    if len(used) == 1:
        used = [*used, *used]
    found = registers[used[0]]
    for number, register in enumerate(used[1:]):
        order: list[str] = []
        for k, (r, lane) in enumerate(lanes):
            if r == register:
                order.append(f"i32 {total + lane}")
            elif r in used[: number + 1]:
                order.append(f"i32 {lane if number == 0 else k}")
            else:
                order.append("i32 poison")
        found = w.emit(
            f"shufflevector {kind} {found}, {kind} {registers[register]}, <{total} x i32> <{', '.join(order)}>"
        )
    return found
