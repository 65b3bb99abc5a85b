"""np.einsum of one or two operands (more are contracted from the left), as products of matrices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .contractions import contract
from .errors import message, unsupported, value_error
from .promote import operand, result_dtype, same_size, session_of, traced
from .registry import FUNCTIONS, call_ufunc, implements
from .session import Session
from .shaping import transposed
from .tracer import Tracer


@implements(np.einsum)
def einsum(*operands: Any, out: Any = None, optimize: Any = False, dtype: Any = None, **options: Any) -> Any:
    if not operands or not isinstance(operands[0], str):
        raise unsupported("np.einsum with lists of subscripts", "write the subscripts as a string")
    session = session_of(operands[1:])
    arrays = [operand(session, x) for x in operands[1:]]
    kind = result_dtype(*arrays) if dtype is None else np.dtype(dtype)
    tracers = [traced(session, x).astype(kind) for x in arrays]
    inputs, output = _subscripts(operands[0], [t.ndim for t in tracers])
    terms = [_prepare(session, t, s) for t, s in zip(tracers, inputs, strict=True)]
    _unify(session, terms)
    left, names = terms[0]
    for k, (right, others) in enumerate(terms[1:], 2):
        needed = set(output).union(*(s for _, s in terms[k:]))
        left, names = _contract(session, (left, names), (right, others), needed)
    left, names = _sum_out(left, names, set(output))
    result = transposed(left, [names.index(c) for c in output])
    result = Tracer(session, result.value, "array" if output else "scalar")
    if out is None:
        return result
    from .ufuncs import store

    return store(out, result)


def _subscripts(text: str, ranks: Sequence[int]) -> tuple[list[str], str]:
    """Each operand's letters and the result's; an ellipsis becomes capital letters not used otherwise."""
    text = text.replace(" ", "")
    left, arrow, output = text.partition("->")
    inputs = left.split(",")
    if len(inputs) != len(ranks):
        raise ValueError(message(f"einsum has {len(inputs)} subscripts for {len(ranks)} operands"))
    spare = [c for c in "ABCDEFGHIJKLMNOPQRSTUVWXYZ" if c not in text]
    widths = [rank - len(s.replace("...", "")) if "..." in s else 0 for s, rank in zip(inputs, ranks, strict=True)]
    dots = spare[: max(widths)]
    if not arrow:
        letters = sorted(set(left) - set(",."))
        output = ("..." if "..." in left else "") + "".join(c for c in letters if left.count(c) == 1)
    expanded = [s.replace("...", "".join(dots[len(dots) - w :])) for s, w in zip(inputs, widths, strict=True)]
    for s, rank in zip(expanded, ranks, strict=True):
        if len(s) != rank:
            raise value_error(f"einsum subscripts {s!r} do not fit an operand with {rank} dims")
    return expanded, output.replace("...", "".join(dots))


def _prepare(session: Session, x: Tracer, names: str) -> tuple[Tracer, str]:
    """Repeated letters of one operand take its diagonal."""
    for letter in sorted(set(names)):
        while names.count(letter) > 1:
            first = names.index(letter)
            second = names.index(letter, first + 1)
            same_size(session, x.dims[first], x.dims[second], f"einsum: dims of index {letter!r} differ")
            x = FUNCTIONS[np.diagonal](x, 0, first, second)
            names = "".join(c for k, c in enumerate(names) if k not in (first, second)) + letter
    return x, names


def _unify(session: Session, terms: list[tuple[Tracer, str]]) -> None:
    """Dims with one letter have one size; size 1 repeats."""
    sizes: dict[str, Any] = {}
    for x, names in terms:
        for letter, size in zip(names, x.dims, strict=True):
            if size.value == 1:
                continue
            if letter in sizes:
                same_size(session, sizes[letter], size, f"einsum: dims of index {letter!r} differ")
            sizes[letter] = size


def _sum_out(x: Tracer, names: str, needed: set[str]) -> tuple[Tracer, str]:
    axes = tuple(k for k, c in enumerate(names) if c not in needed)
    if not axes:
        return x, names
    return FUNCTIONS[np.sum](x, axis=axes, dtype=x.dtype), "".join(c for c in names if c in needed)


def _contract(session: Session, a: tuple[Tracer, str], b: tuple[Tracer, str], needed: set[str]) -> tuple[Tracer, str]:
    """Both operands as one: letters of both that are needed are batch dims, the others are summed."""
    x, left = _sum_out(*a, needed | set(b[1]))
    y, right = _sum_out(*b, needed | set(left))
    shared = [c for c in left if c in right]
    if any(x.dims[left.index(c)].value != y.dims[right.index(c)].value for c in shared) or all(
        c in needed for c in shared
    ):
        return _elementwise(x, left, y, right, needed)
    summed = [c for c in shared if c not in needed]
    batch = [c for c in shared if c in needed]
    names = batch + [c for c in left if c not in shared] + [c for c in right if c not in shared]
    places = ([s.index(c) for c in letters] for letters in (summed, batch) for s in (left, right))
    return contract(session, x, y, *places), "".join(names)


def _elementwise(x: Tracer, left: str, y: Tracer, right: str, needed: set[str]) -> tuple[Tracer, str]:
    """A product without a sum (or with dims of size 1): multiply with broadcast, then sum."""
    names = left + "".join(c for c in right if c not in left)
    wide_x = x[(Ellipsis,) + (None,) * (len(names) - len(left))]
    order = sorted(range(len(right)), key=lambda k: names.index(right[k]))
    moved = transposed(y, order)
    wide_y = moved[tuple(slice(None) if c in right else None for c in names)]
    return _sum_out(call_ufunc(np.multiply, (wide_x, wide_y)), names, needed)
