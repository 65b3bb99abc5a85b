"""What identifies a compilation: the program, and the compiler itself."""

from __future__ import annotations

import hashlib
import os
from functools import lru_cache
from pathlib import Path

from xdsl.dialects.builtin import DenseIntOrFPElementsAttr
from xdsl.ir import Attribute, Block, Operation, SSAValue


def fingerprint(op: Operation) -> str:
    """A text that is the same for equal programs only, far faster than printing: source lines are left out."""
    parts: list[str] = []
    numbers: dict[SSAValue, int] = {}
    _describe(op, parts, numbers)
    return "\n".join(parts)


def _describe(op: Operation, parts: list[str], numbers: dict[SSAValue, int]) -> None:
    operands = " ".join([str(numbers[v]) for v in op.operands])
    parts.append(f"{op.name} {operands} : {' '.join([_text(r.type) for r in op.results])}")
    for given in (op.properties, op.attributes):
        parts += [f"{name}={_text(value)}" for name, value in sorted(given.items())]
    for result in op.results:
        numbers[result] = len(numbers)
    for region in op.regions:
        for block in region.blocks:
            _describe_block(block, parts, numbers)


def _describe_block(block: Block, parts: list[str], numbers: dict[SSAValue, int]) -> None:
    parts.append(f"{{ {' '.join([_text(a.type) for a in block.args])}")
    for argument in block.args:
        numbers[argument] = len(numbers)
    for op in block.ops:
        _describe(op, parts, numbers)
    parts.append("}")


def _text(attribute: Attribute) -> str:
    if isinstance(attribute, DenseIntOrFPElementsAttr):
        kind = attribute.parameters[0]
        return f"{_printed(kind)} {hashlib.sha256(attribute.data.data).hexdigest()}"
    return _printed(attribute)


@lru_cache(maxsize=4096)
def _printed(attribute: Attribute) -> str:
    return str(attribute)


@lru_cache
def compiler_version() -> str:
    """Another one for every change of the compiler's files: what an older one made is not used."""
    root = Path(__file__).parents[1]
    found: list[str] = []
    for folder in ("compiler", "dialects", "passes"):
        for path, _, names in os.walk(root / folder):
            for name in sorted(names):
                if name.endswith(".py"):
                    status = os.stat(os.path.join(path, name))
                    found.append(f"{path}/{name} {status.st_size} {status.st_mtime_ns}")
    return hashlib.sha256("\n".join(sorted(found)).encode()).hexdigest()
