"""Operands by name for ops with several variadic ones: a property of the op says how many each name stands for."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from itertools import accumulate
from struct import iter_unpack
from typing import Any

from xdsl.irdl.operations import BaseAttrAccessor, VariadicAttrAccessor


def segment(member: BaseAttrAccessor, read: Callable[[Any], Any]) -> property:
    """What xDSL's accessor does, in a tenth of the time: a value, an optional one (or None), or several; `read` gives
    all operands of an op."""
    k, name = member.idx, member.option.attribute_name

    def several(op: Any) -> Any:
        starts, values = _starts(op.properties[name].data.data), read(op)
        return values.__class__(values[starts[k] : starts[k + 1]])

    def single(op: Any) -> Any:
        starts = _starts(op.properties[name].data.data)
        return read(op)[starts[k]] if starts[k] < starts[k + 1] else None

    return property(several if isinstance(member, VariadicAttrAccessor) else single)


@lru_cache
def _starts(sizes: bytes) -> tuple[int, ...]:
    """Where segments of so many values (32-bit integers) begin, and the end of the last one."""
    return (0, *accumulate(size for (size,) in iter_unpack("<i", sizes)))
