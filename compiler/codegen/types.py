"""LLVM spellings of types and constants."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
from xdsl.ir import Attribute

from ...dialects.loop.ops import Buffer, lanes_of
from ...dialects.weld.types import BF16, BOOL, F16, F32, F64, bit_width, kind_of, scalar_of

_FLOATS: dict[Attribute, str] = {F16: "half", BF16: "bfloat", F32: "float", F64: "double"}
_SUFFIXES = {"half": "f16", "bfloat": "bf16", "float": "f32", "double": "f64"}


def scalar_text(element: Attribute) -> str:
    """`float`, `i64`, ...: an element in a register."""
    return _FLOATS.get(element) or f"i{bit_width(element)}"


def memory_text(element: Attribute) -> str:
    """An element in memory: a bool is a byte."""
    return "i8" if element == BOOL else scalar_text(element)


def vector_text(scalar: str, lanes: int) -> str:
    return scalar if lanes == 1 else f"<{lanes} x {scalar}>"


def type_text(kind: Attribute) -> str:
    """A scalar or vector type, or the pointer of a buffer."""
    if isinstance(kind, Buffer):
        return "ptr"
    return vector_text(scalar_text(scalar_of(kind)), lanes_of(kind))


def suffix(scalar: str, lanes: int) -> str:
    """The mangling of a type in an intrinsic's name: `v16f32`, `i64`."""
    name = _SUFFIXES.get(scalar, scalar)
    return name if lanes == 1 else f"v{lanes}{name}"


def number_text(value: Any, element: Attribute) -> str:
    """A constant of a scalar type."""
    kind = kind_of(element)
    if kind == "b":
        return "true" if value else "false"
    if kind != "f":
        return str(int(value))
    if element == F16:
        return f"0xH{np.float16(value).view(np.uint16):04X}"
    if element == BF16:
        return f"0xR{np.float32(value).view(np.uint32) >> 16:04X}"
    exact = float(np.float32(value)) if element == F32 else float(value)
    return "0x" + struct.pack(">d", exact).hex().upper()


def constant_text(value: Any, kind: Attribute) -> str:
    """A constant operand: the number, or a splat of it."""
    element = scalar_of(kind)
    number = number_text(value, element)
    return number if lanes_of(kind) == 1 else f"splat ({scalar_text(element)} {number})"
