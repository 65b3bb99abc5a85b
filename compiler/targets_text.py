"""Targets of the opt tool: LLVM IR, assembly and object code of a module at the loops stage."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import IO

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp, TensorType
from xdsl.utils.exceptions import PassFailedException
from xdsl.utils.hints import isa
from xdsl.utils.target import Target

from .codegen.functions import module_text


@dataclass(frozen=True)
class LLVMTarget(Target):
    """`--target=llvm`: LLVM IR text."""

    name = "llvm"

    def emit(self, ctx: Context, module: ModuleOp, output: IO[str]) -> None:
        output.write(llvm_text(module))


@dataclass(frozen=True)
class AssemblyTarget(Target):
    """`--target=asm`: the host's assembly."""

    name = "asm"

    def emit(self, ctx: Context, module: ModuleOp, output: IO[str]) -> None:
        from .codegen import jit

        output.write(jit.assembly(llvm_text(module, jit.host().features), jit.host()))


def object_code(module: ModuleOp) -> bytes:
    """`--target=obj`: an object file for the host."""
    from .codegen import jit

    return jit.compile_object(llvm_text(module, jit.host().features), jit.host())


def llvm_text(module: ModuleOp, features: str = "") -> str:
    """The LLVM IR of a module. PassFailedException where it is not at the loops stage."""
    for op in module.walk():
        types = (value.type for value in (*op.operands, *op.results))
        if not op.name.startswith(("builtin.", "func.", "weld.", "loop.")) or any(isa(t, TensorType) for t in types):
            message = f"no native code for '{op.name}': run -p loopweld-pipeline first, or its like"
            op.emit_error(message, PassFailedException(message))
    return module_text(module, features=features)


def targets() -> dict[str, Callable[[], type[Target]]]:
    return {"llvm": lambda: LLVMTarget, "asm": lambda: AssemblyTarget}
