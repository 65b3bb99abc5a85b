"""What can be watched while passes run: the IR before and after each of them, and what they did."""

import re
import sys
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from io import StringIO
from itertools import count
from pathlib import Path
from typing import IO

from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass
from xdsl.printer import Printer

from loopweld.passes.remarks import Decision
from loopweld.timing import Timing, heading


class Instrument:
    """Something that is told of every pass. `failed` comes in place of `after` where the pass raised."""

    def before(self, pass_: ModulePass, module: ModuleOp) -> None:
        pass

    def after(self, pass_: ModulePass, module: ModuleOp) -> None:
        pass

    def failed(self, pass_: ModulePass, module: ModuleOp) -> None:
        pass


ALL: Collection[str] = ("*",)


@dataclass
class PrintIR(Instrument):
    """Writes the module to `stream` before or after passes, under MLIR's headings.

    `names_before`, `names_after`: the passes, or `ALL`. `on_change`: only after those that changed the module.
    `on_failure`: after the one that fails.
    """

    stream: IO[str]
    names_before: Collection[str] = ()
    names_after: Collection[str] = ()
    on_change: bool = False
    on_failure: bool = False
    generic: bool = False
    _previous: str = ""

    def before(self, pass_: ModulePass, module: ModuleOp) -> None:
        if self.on_change:
            self._previous = module_text(module, generic=self.generic)
        if _is_named(pass_, self.names_before):
            self._write(f"Before {_title(pass_)}", module)

    def after(self, pass_: ModulePass, module: ModuleOp) -> None:
        if not _is_named(pass_, self.names_after):
            return
        if not self.on_change or self._previous != module_text(module, generic=self.generic):
            self._write(f"After {_title(pass_)}", module)

    def failed(self, pass_: ModulePass, module: ModuleOp) -> None:
        if self.on_failure:
            self._write(f"After {_title(pass_, ' Failed')}", module)

    def _write(self, when: str, module: ModuleOp) -> None:
        self.stream.write(f"// -----// IR Dump {when} //----- //\n")
        self.stream.write(module_text(module, generic=self.generic) + "\n\n")


def _is_named(pass_: ModulePass, names: Collection[str]) -> bool:
    return names is ALL or pass_.name in names


def _title(pass_: ModulePass, verdict: str = "") -> str:
    return f"{type(pass_).__name__}{verdict} ({pass_})"


@dataclass(frozen=True)
class IRTree(Instrument):
    """Writes the module before or after passes to files: `builtin_module_no-symbol-name/0_canonicalize.mlir`, ..."""

    folder: Path
    names_before: Collection[str] = ()
    names_after: Collection[str] = ()
    generic: bool = False
    _numbers: Iterator[int] = field(default_factory=count)

    def before(self, pass_: ModulePass, module: ModuleOp) -> None:
        if _is_named(pass_, self.names_before):
            self._write(pass_, module)

    def after(self, pass_: ModulePass, module: ModuleOp) -> None:
        if _is_named(pass_, self.names_after):
            self._write(pass_, module)

    def _write(self, pass_: ModulePass, module: ModuleOp) -> None:
        name = module.sym_name.data if module.sym_name is not None else "no-symbol-name"
        folder = self.folder / ("builtin_module_" + re.sub(r"[/\\]", "_", name))
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{next(self._numbers)}_{pass_.name}.mlir"
        path.write_text(module_text(module, generic=self.generic) + "\n", encoding="utf-8")


@dataclass(frozen=True)
class XdslReports(Instrument):
    """xDSL's own `--time-passes` and `--print-between-passes`, as `xdsl-opt` prints them."""

    timing: Timing
    times: bool
    texts: bool
    last: ModulePass | None

    def after(self, pass_: ModulePass, module: ModuleOp) -> None:
        if self.times:
            sys.stdout.write(f"Pass {pass_.name} took {self.timing.last} seconds\n")
        if self.texts and pass_ is not self.last:
            sys.stdout.write(f"IR after {pass_.name}:\n{module_text(module)}\n\n\n\n")


@dataclass
class Statistics(Instrument):
    """`--mlir-pass-statistics`: how many ops a pass found and left, and what it decided, if anything came of it."""

    decisions: list[Decision]
    rows: list[tuple[str, int, int, int, int]] = field(default_factory=list[tuple[str, int, int, int, int]])
    _ops: int = 0
    _decided: int = 0

    def before(self, pass_: ModulePass, module: ModuleOp) -> None:
        self._ops, self._decided = _count(module), len(self.decisions)

    def after(self, pass_: ModulePass, module: ModuleOp) -> None:
        new, left = self.decisions[self._decided :], _count(module)
        fused = sum(decision.fused for decision in new)
        if new or left != self._ops:
            self.rows.append((type(pass_).__name__, self._ops, left, fused, len(new) - fused))

    def report(self, display: str) -> str:
        """As `mlir-opt` prints it; `display` is "pipeline" (in order) or "list" (by name)."""
        lines = list(heading("Pass statistics report"))
        for name, before, after, fused, refused in sorted(self.rows) if display == "list" else self.rows:
            lines += [name, f"  (S) {before:5} num-ops-before - Operations that the pass found"]
            lines += [f"  (S) {after:5} num-ops-after  - Operations that it left"]
            if fused or refused:
                lines += [f"  (S) {fused:5} num-fused      - Pairs that it fused"]
                lines += [f"  (S) {refused:5} num-refused    - Pairs that it kept apart"]
        return "\n".join(lines)


def _count(module: ModuleOp) -> int:
    return sum(1 for _ in module.walk()) - 1


def module_text(module: ModuleOp, *, generic: bool = False) -> str:
    stream = StringIO()
    Printer(stream, print_generic_format=generic).print_op(module)
    return stream.getvalue()
