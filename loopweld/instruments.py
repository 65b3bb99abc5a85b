"""What can be watched while passes run: the IR before and after each of them, and the time."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import StringIO
from itertools import count
from pathlib import Path
from typing import IO, Protocol

from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass
from xdsl.printer import Printer


class Instrument(Protocol):
    """Something that is told of every pass."""

    def before(self, pass_: ModulePass, module: ModuleOp) -> None: ...

    def after(self, pass_: ModulePass, module: ModuleOp) -> None: ...


@dataclass(frozen=True)
class PrintIR:
    """Writes the module to `stream` before or after each pass, under MLIR's headings."""

    stream: IO[str]
    is_before: bool = False
    is_after: bool = False
    generic: bool = False

    def before(self, pass_: ModulePass, module: ModuleOp) -> None:
        if self.is_before:
            self._write("Before", pass_, module)

    def after(self, pass_: ModulePass, module: ModuleOp) -> None:
        if self.is_after:
            self._write("After", pass_, module)

    def _write(self, when: str, pass_: ModulePass, module: ModuleOp) -> None:
        self.stream.write(f"// -----// IR Dump {when} {type(pass_).__name__} ({pass_}) //----- //\n")
        self.stream.write(module_text(module, generic=self.generic) + "\n\n")


@dataclass(frozen=True)
class IRTree:
    """Writes the module after each pass to a file of its own: `0_canonicalize.mlir`, `1_cse.mlir`, ..."""

    folder: Path
    generic: bool = False
    _numbers: Iterator[int] = field(default_factory=count)

    def before(self, pass_: ModulePass, module: ModuleOp) -> None:
        pass

    def after(self, pass_: ModulePass, module: ModuleOp) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"{next(self._numbers)}_{pass_.name}.mlir"
        path.write_text(module_text(module, generic=self.generic) + "\n", encoding="utf-8")


@dataclass
class Timing:
    """Seconds of wall time per named step, in the order of their first run; repeated steps add up."""

    seconds: dict[str, float] = field(default_factory=dict[str, float])

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - start

    def report(self) -> str:
        """A table as `mlir-opt --mlir-timing` prints it."""
        total = sum(self.seconds.values())
        rule = f"===-{'-' * 73}-==="
        rows = (*self.seconds.items(), ("Total", total))
        return "\n".join(
            (
                rule,
                "... Execution time report ...".center(len(rule)).rstrip(),
                rule,
                f"  Total Execution Time: {total:.4f} seconds",
                "",
                "  ----Wall Time----  ----Name----",
                *(f"  {taken:8.4f} ({100 * taken / (total or 1):5.1f}%)  {name}" for name, taken in rows),
            )
        )


@dataclass(frozen=True)
class XdslReports:
    """xDSL's own `--time-passes` and `--print-between-passes`, as `xdsl-opt` prints them."""

    timing: Timing
    times: bool
    texts: bool
    last: ModulePass | None

    def before(self, pass_: ModulePass, module: ModuleOp) -> None:
        pass

    def after(self, pass_: ModulePass, module: ModuleOp) -> None:
        if self.times:
            sys.stdout.write(f"Pass {pass_.name} took {self.timing.seconds[pass_.name]} seconds\n")
        if self.texts and pass_ is not self.last:
            sys.stdout.write(f"IR after {pass_.name}:\n{module_text(module)}\n\n\n\n")


def module_text(module: ModuleOp, *, generic: bool = False) -> str:
    stream = StringIO()
    Printer(stream, print_generic_format=generic).print_op(module)
    return stream.getvalue()
