"""`check(f, *args)`: the compiled function gives what NumPy gives, at a tolerance that rounding explains."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

import loopweld as lw


def leaves_of(value: Any) -> list[Any]:
    """The leaves of nested tuples, lists and dicts."""
    if isinstance(value, dict):
        return [leaf for item in value.values() for leaf in leaves_of(item)]
    if isinstance(value, tuple | list):
        return [leaf for item in value for leaf in leaves_of(item)]
    return [value]


def magnitude(*arrays: Any) -> float:
    """The largest finite absolute value in the arrays."""
    largest = 0.0
    for array in arrays:
        values = np.asarray(array)
        if values.dtype.kind in "fiu" and values.size:
            sizes = np.abs(values.astype(np.float64))
            largest = max(largest, float(np.max(sizes, where=np.isfinite(sizes), initial=0.0)))
    return largest


def agree(
    found: Any,
    wanted: Any,
    *,
    terms: int = 1,
    scale: float = 0.0,
    ulps: float = 16,
    coarsest: Any = None,
    what: str = "",
) -> None:
    """Equal structure, types, dtypes, shapes and values.

    Integers and bools agree exactly. A float may be off by `ulps` of itself, and where `terms` numbers of size
    `scale` were added up by some ulps of those, ulps of `coarsest` where that dtype is the less precise; NaN and the
    infinities stand where they do in NumPy's result.
    """
    assert type(found) is type(wanted), f"{type(found)} for {type(wanted)} {what}"
    if isinstance(wanted, dict):
        assert list(found) == list(wanted), what
    ours, theirs = leaves_of(found), leaves_of(wanted)
    assert len(ours) == len(theirs), what
    for number, (a, b) in enumerate(zip(ours, theirs, strict=True)):
        where = f"{what} result {number}"
        assert type(a) is type(b), f"{type(a)} for {type(b)} {where}"
        x, y = np.asarray(a), np.asarray(b)
        assert x.dtype == y.dtype, f"{x.dtype} for {y.dtype} {where}"
        assert x.shape == y.shape, f"{x.shape} for {y.shape} {where}"
        if y.dtype.kind not in "fc":
            np.testing.assert_array_equal(x, y, err_msg=where)
            continue
        eps = max(float(np.finfo(d).eps) for d in (y.dtype, coarsest or y.dtype))
        size = max(scale, magnitude(y)) if terms > 1 else 0.0
        tiny = float(np.finfo(y.dtype).smallest_subnormal)
        absolute = max(eps * 4 * np.sqrt(terms) * size, tiny) if terms > 1 else 2 * tiny
        np.testing.assert_allclose(x, y, rtol=ulps * eps, atol=absolute, equal_nan=True, err_msg=where, strict=True)


def identical(found: Any, wanted: Any, what: str = "") -> None:
    """The same dtypes, shapes and bits; any NaN equals any NaN."""
    for number, (a, b) in enumerate(zip(leaves_of(found), leaves_of(wanted), strict=True)):
        x, y = np.asarray(a), np.asarray(b)
        where = f"{what} result {number}"
        assert (x.dtype, x.shape) == (y.dtype, y.shape), f"{x.dtype} {x.shape} for {y.dtype} {y.shape} {where}"
        np.testing.assert_array_equal(x, y, err_msg=where)
        if y.dtype.kind == "f":
            numbers = ~np.isnan(y)
            np.testing.assert_array_equal(np.signbit(x)[numbers], np.signbit(y)[numbers], err_msg=f"signs, {where}")


def reference(f: Any, *args: Any) -> Any:
    """What plain NumPy gives, on copies of the arguments."""
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of empty slices
        return f(*copy.deepcopy(args))


def terms_of(*args: Any) -> int:
    """How many numbers one result could have added up."""
    return max([np.size(a) for a in leaves_of(args)], default=1)


def check(
    f: Any,
    *args: Any,
    terms: int | None = None,
    ulps: float = 16,
    target: Any = "cpu",
    numerics: str = "fast",
    exact: bool = False,
    coarsest: Any = None,
    scale: float | None = None,
) -> Any:
    """Compile `f` for the arguments, call it twice, compare with NumPy; the report of what was compiled.

    The arguments must be left as they were, and both calls must give the same bits. `terms` is how many numbers a
    result adds up (the size of the largest argument where it is None) and `scale` how large they are (the largest
    number in the arguments); `coarsest` is the least precise dtype on the way; `exact` asks for NumPy's bits.
    """
    __tracebackhide__ = True
    compiled = _jitted(f, target, numerics, tuple(map(_layout, leaves_of(args))))
    call_twice(compiled, args, reference(f, *args), terms, ulps, exact, coarsest, scale)
    return compiled.explain(*args)


@lru_cache(maxsize=4)
def _jitted(f: Any, target: Any, numerics: str, layouts: tuple[Any, ...]) -> Any:
    """One for all data of the same layout: the sizes of its first call are what a program is made for."""
    return lw.jit(f, target=target, numerics=numerics)


def _layout(leaf: Any) -> tuple[Any, ...]:
    return (leaf.shape, leaf.strides, leaf.dtype) if isinstance(leaf, np.ndarray) else (type(leaf),)


def call_twice(
    compiled: Any,
    args: tuple[Any, ...],
    wanted: Any,
    terms: int | None,
    ulps: float,
    exact: bool,
    coarsest: Any,
    scale: float | None,
) -> None:
    """What `check` says of calls, for a compiled function and the results that it should give."""
    __tracebackhide__ = True
    before = copy.deepcopy(args)
    found = compiled(*args)
    identical(compiled(*args), found, "second call:")
    identical(args, before, "arguments after the call:")
    if exact:
        identical(found, wanted)
    else:
        count = terms_of(args) if terms is None else terms
        size = magnitude(*leaves_of(args)) if scale is None else scale
        agree(found, wanted, terms=count, scale=size, ulps=ulps, coarsest=coarsest)


def check_out(f: Any, *args: Any, rng: Any, calls: int = 1, target: Any = "cpu", **loose: Any) -> None:
    """`out=` arrays that lie in memory as chance has it get what the call gives without them, and nothing around them
    changes; `loose` is for `agree`."""
    __tracebackhide__ = True
    compiled = lw.jit(f, target=target)
    wanted = compiled(*args)
    pairs: list[tuple[Any, Any]] = []
    out = _like(wanted, lambda leaf: _laid_out(leaf, rng, pairs))
    for _ in range(calls):
        assert compiled(*args, out=out) is out
    found = iter([view.copy() for _, view in pairs])
    agree(_like(wanted, lambda leaf: type(leaf)(next(found)) if np.isscalar(leaf) else next(found)), wanted, **loose)
    for memory, view in pairs:
        view[...] = 1
        assert (memory == 1).all(), "elements around a result were written"


def _like(wanted: Any, make: Callable[[Any], Any]) -> Any:
    """The structure of `wanted` with other leaves."""
    if isinstance(wanted, dict):
        return {key: _like(value, make) for key, value in wanted.items()}
    if isinstance(wanted, tuple | list):
        return type(wanted)(_like(value, make) for value in wanted)
    return make(wanted)


def _laid_out(leaf: Any, rng: Any, pairs: list[tuple[Any, Any]]) -> Any:
    """An array for a result: a part of one that is larger, with other axes and directions; both go to `pairs`."""
    shape, rank = np.shape(leaf), np.ndim(leaf)
    order = rng.permutation(rank) if rng.integers(2) else np.arange(rank)
    steps, left, right = (rng.choice([1, 1, 2], rank), rng.choice([0, 0, 1], rank), rng.choice([0, 0, 3], rank))
    if rng.integers(4) == 0:
        steps, left, right = steps * 0 + 1, left * 0, right * 0
    memory = np.ones([int(shape[k] * steps[k] + left[k] + right[k]) for k in order], np.asarray(leaf).dtype)
    view = memory[..., *(slice(int(left[k]), int(left[k] + shape[k] * steps[k]), int(steps[k])) for k in order)]
    view = view.transpose(np.argsort(order))[..., *(slice(None, None, int(rng.choice([1, 1, 1, -1]))) for _ in order)]
    pairs.append((memory, view))
    return view
