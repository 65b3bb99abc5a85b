"""What is known of size symbols beyond their shapes: attributes of a function that a frontend may give."""

from __future__ import annotations

from xdsl.dialects.builtin import DictionaryAttr, IntegerAttr
from xdsl.dialects.func import FuncOp


def expected_sizes(function: FuncOp) -> dict[str, int]:
    """`weld.expected = {s1 = 32}`: the values of symbols in the call that the function is compiled for."""
    found = function.attributes.get("weld.expected")
    if not isinstance(found, DictionaryAttr):
        return {}
    return {name: size.value.data for name, size in found.data.items() if isinstance(size, IntegerAttr)}


def least_size(function: FuncOp) -> int:
    """`weld.least = 17`: what every symbol is at the least."""
    found = function.attributes.get("weld.least")
    return found.value.data if isinstance(found, IntegerAttr) else 0
