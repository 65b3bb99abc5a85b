"""The LLVM text of one function while it is written: names, blocks, and what the module must declare."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from . import vecmath

INLINE_COST = 60
"""Math functions of more instructions are called: a call is cheap beside them, and their code is made once. Around a
call no vector stays in a register, and what functions of one value have in common, such as the reduction of an angle,
is computed by each."""

AS_WRITTEN = "noinline optnone"
"""Attributes of functions that LLVM turns into code as they stand, which takes it half as long: their loops are vector
code already, and the constants in them stand before them."""
MOST_HELD = 10
"""Constants that a function which is `AS_WRITTEN` keeps in the 32 registers of AVX-512."""


@dataclass
class ModuleText:
    """What functions need from the module: declarations, inline math and alias metadata."""

    avx512: bool = False
    """The target has AVX-512."""
    avx2: bool = False
    """The target has AVX2."""
    is_narrow: bool = False
    """A function that is inlined has elements of less than 32 bits."""
    declarations: dict[str, str] = field(default_factory=dict[str, str])
    definitions: dict[str, str] = field(default_factory=dict[str, str])
    functions: list[str] = field(default_factory=list[str])
    metadata: list[str] = field(default_factory=list[str])

    def declare(self, line: str) -> None:
        """Declare a function or a global once, whatever its later declarations say of its arguments' alignment."""
        self.declarations.setdefault(line[line.index("@") :].split("(")[0].split(" ")[0], line)

    def math(self, name: str, elem: str, lanes: int) -> tuple[str, tuple[tuple[str, str], ...]]:
        """The symbol of a math function, defined in this module, and the constants that it takes as its last
        arguments."""
        symbol, inline = vecmath.symbol(name, elem, lanes), vecmath.COST[name] <= INLINE_COST
        found = vecmath.definition(name, elem, lanes, self.avx512, self.avx2, hoisted=inline)
        if symbol not in self.definitions:
            self.definitions[symbol] = found.text if inline else found.text.replace("alwaysinline", "noinline", 1)
            for line in found.declarations:
                self.declare(line)
        return symbol, found.constants

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
    """Allocas, which must stand in the entry block."""
    constants: dict[tuple[str, str], str] = field(default_factory=dict[tuple[str, str], str])
    """The registers that hold vector constants of loops from before, by type and text."""
    loops: int = 0
    """How many loops are around what is written."""
    is_narrow: bool = False
    """There are elements of less than 32 bits."""
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

    def alloca(self, kind: str) -> str:
        name = f"%{self.fresh('a')}"
        self.entry.append(f"  {name} = alloca {kind}, align 64")
        return name

    def constant(self, kind: str, text: str) -> str:
        """A vector constant as an operand."""
        if not self.loops:
            return text
        name = self.constants.get((kind, text))
        if name is None:
            name = self.constants[kind, text] = f"%{self.fresh('c')}"
        return name

    def definition(self, head: str, inline: bool = False) -> str:
        """The text of the function. It is `AS_WRITTEN`, unless registers are few or hold many constants: then LLVM puts
        the code in order, and finds the constants in it. Nor are functions of narrow elements, or that kernels of them
        are inlined in: LLVM 22 then chooses blends of 16-bit words (vpblendw) that its X86FixupInstTuning fails at."""
        body = "\n".join(self.lines)
        self.module.is_narrow |= inline and self.is_narrow
        few = len({text for _, text in self.constants}) <= MOST_HELD
        if self.module.avx512 and few and not self.is_narrow and not self.module.is_narrow:
            held = [f"  {name} = bitcast {kind} {text} to {kind}" for (kind, text), name in self.constants.items()]
            attributes = "alwaysinline" if inline else AS_WRITTEN
        else:
            held, attributes = [], "alwaysinline" if inline else ""
            texts = {name: text for (_, text), name in self.constants.items()}
            body = re.sub(r"%c\d+\b", lambda name: texts[name[0]], body) if texts else body
        return "\n".join([f"{head} {attributes}".rstrip() + " {", "entry:", *self.entry, *held, body, "}"])

    def call(self, result: str, symbol: str, args: list[tuple[str, str]], tail: str = "") -> str:
        """A call of an intrinsic or function, declared on the way; returns the result's name ("" for void)."""
        types = ", ".join(t for t, _ in args)
        self.module.declare(f"declare {result} @{symbol}({types})")
        text = f"call {result} @{symbol}({', '.join(f'{t} {v}' for t, v in args)}){tail}"
        if result == "void":
            self.line(text)
            return ""
        return self.emit(text)
