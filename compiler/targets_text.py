"""Text targets of the opt tool: LLVM IR and assembly of a module at the loops stage."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import IO

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.utils.target import Target

from .codegen.functions import module_text


@dataclass(frozen=True)
class LLVMTarget(Target):
    """`--target=llvm`: LLVM IR text."""

    name = "llvm"

    def emit(self, ctx: Context, module: ModuleOp, output: IO[str]) -> None:
        output.write(module_text(module))


@dataclass(frozen=True)
class AssemblyTarget(Target):
    """`--target=asm`: the host's assembly."""

    name = "asm"

    def emit(self, ctx: Context, module: ModuleOp, output: IO[str]) -> None:
        from .codegen import jit

        output.write(jit.assembly(module_text(module, features=jit.host().features), jit.host()))


def targets() -> dict[str, Callable[[], type[Target]]]:
    return {"llvm": lambda: LLVMTarget, "asm": lambda: AssemblyTarget}
