"""`LOOPWELD_LOG=perf`: `/tmp/perf-PID.map`, by which `perf report` names the kernels of compiled programs."""

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from loopweld.compiler.codegen import jit
from loopweld.compiler.driver import Compilation

FUNCTION = 2
"""The type of a function's symbol in an ELF file."""


@dataclass(frozen=True)
class Symbol:
    """A function in an object file: its offset in its section, and its bytes."""

    name: str
    offset: int
    size: int


def functions(image: bytes) -> Iterator[Symbol]:
    """The functions of a 64-bit little-endian ELF file; none for another kind of file."""
    if image[:6] != b"\x7fELF\x02\x01":
        return
    (table,) = struct.unpack_from("<Q", image, 40)
    size, count = struct.unpack_from("<HH", image, 58)
    sections = [struct.unpack_from("<IIQQQQIIQQ", image, table + k * size) for k in range(count)]
    for _, kind, _, _, offset, length, link, _, _, entry in sections:
        if kind != 2:  # a table of symbols
            continue
        names = sections[link][4]
        for place in range(offset, offset + length, entry):
            name, info, _, _, value, extent = struct.unpack_from("<IBBHQQ", image, place)
            if info & 15 == FUNCTION:
                end = image.index(b"\0", names + name)
                yield Symbol(image[names + name : end].decode(), value, extent)


def entries(compilation: Compilation) -> Iterator[str]:
    """The lines of a perf map for a program: address, size and name of each of its functions."""
    addresses = compilation.executable.addresses
    if not addresses:
        return
    target = compilation.target
    image = jit.compile_object(compilation.llvm, jit.native(target.name, target.features))
    found = list(functions(image))
    anchor = next((s for s in found if s.name in addresses), None)
    if anchor is None:
        return
    start = addresses[anchor.name] - anchor.offset
    for symbol in found:
        yield f"{start + symbol.offset:x} {symbol.size:x} loopweld::{symbol.name}"


def append(compilation: Compilation) -> Path:
    """Adds a program to this process's map; returns its path."""
    path = Path(f"/tmp/perf-{os.getpid()}.map")
    with path.open("a", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in entries(compilation))
    return path
