"""A program as one C function, which takes the addresses of arrays and the values of sizes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...dialects.expr import Expr
from .affine import expr_text
from .writer import FunctionText, ModuleText

NAME = "loopweld_program"
ALIGNMENT = 64


@dataclass(frozen=True)
class Segment:
    """A native step: its address, the numbers of its places, and of the sizes that it takes, or a table of its own."""

    address: int
    places: tuple[int, ...]
    sizes: tuple[int, ...] = ()
    table: tuple[int, ...] = ()


def program_text(
    sizes: Sequence[str],
    places: Sequence[int | Expr | None],
    segments: Sequence[Segment],
    checks: Sequence[int],
) -> str:
    """`int64_t loopweld_program(void *const *arrays, const int64_t *sizes)`.

    A place is the next array (None), at a fixed address, or a temporary of so many bytes. The function gives 0, the
    number of the first check (a place) that failed counted from 1, or -1 where there is no memory for temporaries.
    """
    module = ModuleText()
    w = FunctionText(module)
    values = {name: _word(w, "i64", "%sizes", k) for k, name in enumerate(sizes)}
    names: list[str] = []
    arrays, total = 0, "0"
    offsets: dict[int, str] = {}
    for k, place in enumerate(places):
        if place is None:
            names.append(_word(w, "ptr", "%arrays", arrays))
            arrays += 1
        elif isinstance(place, int):
            names.append(f"inttoptr (i64 {place} to ptr)")
        else:
            names.append("")
            offsets[k] = total
            whole = w.emit(f"add i64 {expr_text(w, place, values)}, {ALIGNMENT - 1}")
            total = w.emit(f"add i64 {total}, {w.emit(f'and i64 {whole}, {-ALIGNMENT}')}")
    if offsets:
        _allocate(w, total)
        for k, offset in offsets.items():
            names[k] = w.emit(f"getelementptr i8, ptr %arena, i64 {offset}")
    for segment in segments:
        table = _table(w, "ptr", [names[p] for p in segment.places])
        numbers = _table(w, "i64", [values[sizes[s]] for s in segment.sizes] or [*map(str, segment.table)])
        w.line(f"call void inttoptr (i64 {segment.address} to ptr)(ptr {table}, ptr {numbers})")
    result = "0"
    for number, place in reversed(list(enumerate(checks, 1))):
        failed = w.emit(f"icmp ne i8 {w.emit(f'load i8, ptr {names[place]}')}, 0")
        result = w.emit(f"select i1 {failed}, i64 {number}, i64 {result}")
    if offsets:
        w.line("call void @free(ptr %memory)")
    w.line(f"ret i64 {result}")
    head = f"define i64 @{NAME}(ptr %arrays, ptr %sizes) {{"
    module.functions.append("\n".join([head, "entry:", *w.entry, *w.lines, "}"]))
    return module.text()


def _word(w: FunctionText, kind: str, table: str, k: int) -> str:
    return w.emit(f"load {kind}, ptr {w.emit(f'getelementptr {kind}, ptr {table}, i64 {k}')}")


def _allocate(w: FunctionText, total: str) -> None:
    """`%memory` from `malloc`, and `%arena`, where it is aligned."""
    w.module.declare("declare ptr @malloc(i64)")
    w.module.declare("declare void @free(ptr)")
    more = w.emit(f"add i64 {total}, {ALIGNMENT}")
    w.line(f"%memory = call ptr @malloc(i64 {more})")
    w.line("%none = icmp eq ptr %memory, null")
    w.line("br i1 %none, label %fails, label %runs")
    w.start_block("fails")
    w.line("ret i64 -1")
    w.start_block("runs")
    address = w.emit("ptrtoint ptr %memory to i64")
    up = w.emit(f"add i64 {address}, {ALIGNMENT - 1}")
    whole = w.emit(f"and i64 {up}, {-ALIGNMENT}")
    w.line(f"%arena = inttoptr i64 {whole} to ptr")


def _table(w: FunctionText, kind: str, words: Sequence[str]) -> str:
    table = w.alloca(f"[{max(len(words), 1)} x {kind}]")
    for k, word in enumerate(words):
        place = w.emit(f"getelementptr {kind}, ptr {table}, i64 {k}")
        w.line(f"store {kind} {word}, ptr {place}")
    return table


SIGNATURES = {
    "double (int, double *)": "define double @loopweld_as(i32 %n, ptr %x)",
    "double (int, double *, void *)": "define double @loopweld_as(i32 %n, ptr %x, ptr %data)",
    "int (double *, intptr_t, double *, void *)": "define i32 @loopweld_as(ptr %x, i64 %n, ptr %y, ptr %data)",
}
"""C functions of a vector that other libraries call, by their signature."""


def vector_text(signature: str, program: int, size: int | None) -> str:
    """A function of a vector of float64 as a C function of another signature, over a program at an address that takes
    any size, or only `size`. Where the program fails, or the size is another one, a `double` result is NaN and an `int`
    result 0."""
    head = SIGNATURES[signature]
    wide = "%n" if "i64 %n" in head else "%wide"
    lines = [head + " {", "entry:"]
    if wide == "%wide":
        lines.append("  %wide = sext i32 %n to i64")
    lines += [
        "  %arrays = alloca [2 x ptr]",
        "  %sizes = alloca [1 x i64]",
        "  %result = alloca double",
        "  store double 0x7FF8000000000000, ptr %result",
        f"  %fits = icmp eq i64 {wide}, {wide if size is None else size}",
        "  br i1 %fits, label %run, label %wrong",
        "run:",
        "  %second = getelementptr ptr, ptr %arrays, i64 1",
        "  store ptr %x, ptr %arrays",
        "  store ptr %result, ptr %second",
        f"  store i64 {wide}, ptr %sizes",
        f"  %status = call i64 inttoptr (i64 {program} to ptr)(ptr %arrays, ptr %sizes)",
        "  %good = icmp eq i64 %status, 0",
        "  br i1 %good, label %done, label %wrong",
        "done:",
        "  %value = load double, ptr %result",
    ]
    if "ptr %y" in head:
        lines += ["  store double %value, ptr %y", "  ret i32 1", "wrong:", "  ret i32 0", "}"]
    else:
        lines += ["  ret double %value", "wrong:", "  ret double 0x7FF8000000000000", "}"]
    return "\n".join(lines)
