"""The checks of a program as a program of their own."""

from __future__ import annotations

from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import ReturnOp

from ..dialects.ir import copy
from ..dialects.weld.indexing import Check
from ..passes.evaluate import find_function
from ..passes.loops.plan import donated_arguments


def overwrites(module: ModuleOp, entry: str) -> bool:
    """Whether results may lie in an argument."""
    function = find_function(module, entry)
    return bool(donated_arguments(function)) and bool(list(function.body.block.ops)[-1].operands)


def has_checks(module: ModuleOp, entry: str) -> bool:
    """Whether a program has checks, and results."""
    ops = list(find_function(module, entry).body.block.ops)
    return bool(ops[-1].operands) and any(isinstance(op, Check) for op in ops)


def checks_alone(module: ModuleOp, entry: str) -> ModuleOp:
    """What has to hold before a program may write where its caller looks: a copy of a module of tensor ops that has
    no results, only checks."""
    found = copy(module)
    function = find_function(found, entry)
    for op in reversed(list(function.body.block.ops)):
        if isinstance(op, ReturnOp):
            op.operands = []
        elif not isinstance(op, Check) and not any(result.uses for result in op.results):
            op.detach()
            op.erase()
    function.update_function_type()
    function.properties.pop("res_attrs", None)
    return found


def arguments_read(module: ModuleOp, entry: str) -> tuple[int, ...]:
    """The numbers of the arguments whose elements a program reads."""
    return tuple(k for k, a in enumerate(find_function(module, entry).body.block.args) if a.uses)
