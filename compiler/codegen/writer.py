"""The LLVM text of one function while it is written: names, blocks, and what the module must declare."""

from __future__ import annotations

from dataclasses import dataclass, field

from . import vecmath

INLINE_COST = 60
"""Math functions of more instructions are called: a call is cheap beside them, and their code is made once. Around a
call no vector stays in a register, and what functions of one value have in common, such as the reduction of an angle,
is computed by each."""


@dataclass
class ModuleText:
    """What functions need from the module: declarations, inline math and alias metadata."""

    avx512: bool = False
    """The target has AVX-512."""
    avx2: bool = False
    """The target has AVX2."""
    declarations: dict[str, str] = field(default_factory=dict[str, str])
    definitions: dict[str, str] = field(default_factory=dict[str, str])
    functions: list[str] = field(default_factory=list[str])
    metadata: list[str] = field(default_factory=list[str])

    def declare(self, line: str) -> None:
        """Declare a function or a global once, whatever its later declarations say of its arguments' alignment."""
        self.declarations.setdefault(line[line.index("@") :].split("(")[0].split(" ")[0], line)

    def math(self, name: str, elem: str, lanes: int) -> str:
        """The symbol of an inline math function, defined in this module."""
        symbol = vecmath.symbol(name, elem, lanes)
        if symbol not in self.definitions:
            text = vecmath.define(name, elem, lanes, self.avx512, self.avx2)
            if vecmath.COST[name] > INLINE_COST:
                text = text.replace("alwaysinline", "noinline", 1)
            self.definitions[symbol] = text
            for line in vecmath.requires(name, elem, lanes, self.avx512, self.avx2):
                self.declare(line)
        return symbol

    def node(self, text: str) -> str:
        """A metadata node; `{self}` in the text is its own number."""
        name = f"!{len(self.metadata)}"
        self.metadata.append(f"{name} = {text.replace('{self}', name)}")
        return name

    def one(self) -> str:
        """The metadata node of the number 1, which `!nontemporal` takes."""
        return next((m.partition(" ")[0] for m in self.metadata if m.endswith("= !{i32 1}")), "") or self.node(
            "!{i32 1}"
        )

    def text(self) -> str:
        parts = [*self.declarations.values(), *self.definitions.values(), *self.functions, *self.metadata]
        return "\n".join(parts) + "\n"


@dataclass
class FunctionText:
    """Lines of a function body; SSA names are numbered."""

    module: ModuleText
    lines: list[str] = field(default_factory=list[str])
    entry: list[str] = field(default_factory=list[str])
    """Allocas, which must stand in the entry block, and what is the same in all of the function."""
    block: str = "entry"
    count: int = 0

    def fresh(self, prefix: str = "v") -> str:
        self.count += 1
        return f"{prefix}{self.count}"

    def line(self, text: str) -> None:
        self.lines.append(f"  {text}")

    def emit(self, text: str) -> str:
        """An instruction with a result, which is returned."""
        name = f"%{self.fresh()}"
        self.lines.append(f"  {name} = {text}")
        return name

    def start_block(self, label: str) -> None:
        self.lines.append(f"{label}:")
        self.block = label

    def at_entry(self, text: str) -> str:
        """An instruction in the entry block."""
        name = f"%{self.fresh('a')}"
        self.entry.append(f"  {name} = {text}")
        return name

    def alloca(self, kind: str) -> str:
        return self.at_entry(f"alloca {kind}, align 64")

    def call(self, result: str, symbol: str, args: list[tuple[str, str]], tail: str = "") -> str:
        """A call of an intrinsic or function, declared on the way; returns the result's name ("" for void)."""
        types = ", ".join(t for t, _ in args)
        self.module.declare(f"declare {result} @{symbol}({types})")
        text = f"call {result} @{symbol}({', '.join(f'{t} {v}' for t, v in args)}){tail}"
        if result == "void":
            self.line(text)
            return ""
        return self.emit(text)
