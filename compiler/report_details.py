"""What the page of a report shows of the program itself: its graphs, and each kernel's text at every stage."""

from __future__ import annotations

import linecache
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from xdsl.dialects.builtin import FileLineColLoc
from xdsl.ir import Operation

from ..dialects.weld.kernel import Kernel
from ..passes.evaluate import find_function
from .codegen import jit
from .program_graph import Graph, graph_of, parts_of

if TYPE_CHECKING:
    from .driver import Compilation


@dataclass(frozen=True)
class KernelDetails:
    """A kernel's text by stage ("kernels", "loops", "llvm", "assembly"), and the user's lines that it computes."""

    name: str
    texts: dict[str, str]
    lines: tuple[tuple[str, str], ...]
    """`file:line` and the line's text."""


@dataclass(frozen=True)
class Details:
    """The program's graph before and after fusion, its text at the first stages, and its kernels."""

    before: Graph
    after: Graph
    texts: dict[str, str]
    kernels: tuple[KernelDetails, ...]


def details_of(compilation: Compilation) -> Details:
    """The details of a compilation; the assembly is made anew."""
    kernels = compilation.modules.get("kernels", compilation.kernels)
    tensor = compilation.modules["tensor"]
    texts = {stage: str(compilation.modules[stage]) for stage in ("tensor", "fused") if stage in compilation.modules}
    return Details(graph_of(tensor, parts_of(kernels)), graph_of(kernels), texts, tuple(_kernels(compilation)))


def _kernels(compilation: Compilation) -> Sequence[KernelDetails]:
    function = find_function(compilation.kernels, compilation.entry)
    kernels = [op for op in function.body.block.ops if isinstance(op, Kernel)]
    if not kernels:
        return ()
    target, llvm = compilation.target, compilation.llvm
    here = jit.native(target.name, target.features)
    assembly = jit.assembly(llvm, here)
    found: list[KernelDetails] = []
    for kernel in kernels:
        function = compilation.program.functions[kernel.sym_name.data]
        name = function.sym_name.data  # that of another kernel, where the two are equal
        texts = {
            "kernels": str(kernel),
            "loops": str(function),
            "llvm": "\n".join(functions_of(llvm, name)),
            "assembly": "\n".join(assembly_of(assembly, name) or _inlined(llvm, name, here)),
        }
        found.append(KernelDetails(kernel.sym_name.data, texts, tuple(_source_lines(kernel))))
    return found


def _inlined(llvm: str, kernel: str, target: jit.NativeTarget) -> list[str]:
    """The assembly of a kernel that is part of the code of its caller, compiled once more by itself."""
    alone = re.sub(
        rf"^(define [^\n]*@{re.escape(kernel)}\([^\n]*\) )alwaysinline", r"\1noinline", llvm, flags=re.MULTILINE
    )
    return [
        "# part of the function that calls it; this is the same code as a function of its own",
        *assembly_of(jit.assembly(alone, target), kernel),
    ]


def functions_of(llvm: str, kernel: str) -> list[str]:
    """The LLVM functions of a kernel: its own, and that of its blocks."""
    pattern = rf"^define [^\n]*@{re.escape(kernel)}(?:\.\w+)?\(.*?^}}"
    return re.findall(pattern, llvm, re.MULTILINE | re.DOTALL)


def assembly_of(assembly: str, kernel: str) -> list[str]:
    """The assembly of these functions, without the lines that only describe it; none of one that was inlined."""
    pattern = rf"^\"?{re.escape(kernel)}(?:\.\w+)?\"?:.*?^\.Lfunc_end"
    found = re.findall(pattern, assembly, re.MULTILINE | re.DOTALL)
    return ["\n".join(line for line in text.split("\n")[:-1] if not _describes(line)) for text in found]


def _describes(line: str) -> bool:
    return line.startswith(("\t.cfi", "\t.p2align", "# %bb", ".Lfunc")) or not line.strip()


def _source_lines(op: Operation) -> Sequence[tuple[str, str]]:
    """The lines that the op and what is in it come from, in order."""
    places: set[tuple[str, int]] = set()
    for inner in op.walk():
        at = inner.location
        if isinstance(at, FileLineColLoc):
            places.add((at.filename.data, at.line.data))
    return [(f"{file}:{line}", linecache.getline(file, line).rstrip()) for file, line in sorted(places)]
