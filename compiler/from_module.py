"""Compiling a module of weld ops that was read, rather than traced."""

from __future__ import annotations

from math import prod
from typing import Any

from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp

from ..dialects.ir import complain
from ..dialects.weld.types import BF16, dtype_of, scalar_of, shape_of
from ..passes.evaluate import find_function
from .codegen.cache import ObjectCache
from .compiled import Compiled
from .driver import Watch, compile_module
from .frontend.trees import Leaf, Node
from .runtime.pool import Pool
from .targets import Target


def compile_read(
    module: ModuleOp,
    entry: str,
    target: Target,
    numerics: str,
    check: bool,
    cache: ObjectCache | None = None,
    watch: Watch | None = None,
    pool: Pool | None = None,
    threads: int = 1,
) -> Compiled:
    """Compile function `entry` of a verified module of weld ops with symbolic sizes (which is consumed)."""
    function = find_function(module, entry)
    _check_types(function)
    names = [a.name_hint or f"arg{k}" for k, a in enumerate(function.body.block.args)]
    source = module.clone() if check else None
    compilation = compile_module(
        module, names, target, entry, numerics, cache=cache, watch=watch, pool=pool, threads=threads
    )

    def flatten(*args: Any) -> list[Any]:
        return list(args)

    leaves = tuple(Leaf(k) for k in range(len(compilation.executable.spec.outputs)))
    tree = leaves[0] if len(leaves) == 1 else Node(tuple, leaves)
    return Compiled(compilation, flatten, tree, check, source)


LARGEST = 2**48
"""Bytes that a processor can address."""


def _check_types(function: FuncOp) -> None:
    """Raises VerifyException for arguments and results that no NumPy array can be, and tensors beyond any memory."""
    kinds = function.function_type
    for kind in (*kinds.inputs, *kinds.outputs):
        if scalar_of(kind) == BF16:
            complain(function, f"has {kind} in its type, and NumPy has no bf16; use f32 there and cast inside")
    for op in (function, *function.body.block.ops):
        for value in (*op.results, *(function.body.block.args if op is function else ())):
            sizes = [e.value for e in shape_of(value) if e.value is not None]
            if prod(sizes) * dtype_of(scalar_of(value)).itemsize > LARGEST:
                complain(op, f"has {value.type} in its type, which is more than {LARGEST} bytes")
