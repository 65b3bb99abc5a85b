"""The two element formats: LLVM types, bit layout, exact constants."""

import struct
from dataclasses import dataclass


@dataclass(frozen=True)
class Format:
    """A binary floating-point format: its LLVM type and the layout of its bits."""

    name: str
    llvm: str
    bits: int
    mantissa: int
    bias: int


FORMATS = {"f32": Format("f32", "float", 32, 23, 127), "f64": Format("f64", "double", 64, 52, 1023)}


def hexadecimal(value: float, elem: str) -> str:
    """LLVM's exact notation: the bits of the double; for f32 the value is rounded to f32 first."""
    if elem == "f32":
        (value,) = struct.unpack("<f", struct.pack("<f", value))
    return f"0x{struct.unpack('<Q', struct.pack('<d', value))[0]:016X}"


def bits_of(value: float, elem: str) -> int:
    """The bit pattern of the value in the format, rounded to it."""
    if elem == "f32":
        (single,) = struct.unpack("<I", struct.pack("<f", value))
        return single
    (double,) = struct.unpack("<Q", struct.pack("<d", value))
    return double
