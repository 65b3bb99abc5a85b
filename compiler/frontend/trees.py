"""Nested tuples, lists and dicts of arrays: taken apart into named leaves, and put together again."""

# NumPy's arguments may be anything, so what isinstance tells about them is partial.
# pyright: reportUnknownArgumentType=false
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Leaf:
    """One array of the flat list. `kind`: "array", "scalar" (a NumPy scalar) or "python" (a Python number)."""

    index: int
    kind: str = "array"

    def build(self, leaves: Sequence[Any]) -> Any:
        value = leaves[self.index]
        if self.kind == "array":
            return value
        return np.asarray(value)[()] if self.kind == "scalar" else np.asarray(value).item()


@dataclass(frozen=True)
class Static:
    """A value that is no array: None, a string, ...; it is what it is."""

    value: Any

    def build(self, leaves: Sequence[Any]) -> Any:
        return self.value


@dataclass(frozen=True)
class Node:
    """A container; `keys` for a dict."""

    kind: type
    children: tuple[Tree, ...]
    keys: tuple[Any, ...] = ()

    def build(self, leaves: Sequence[Any]) -> Any:
        items = [c.build(leaves) for c in self.children]
        if issubclass(self.kind, dict):
            return dict(zip(self.keys, items, strict=True))
        return self.kind(*items) if hasattr(self.kind, "_fields") else self.kind(items)


Tree = Leaf | Static | Node


def take_apart(value: Any, name: str, leaf: Callable[[Any, str], Tree]) -> Tree:
    """The tree of `value`; `leaf(value, name)` makes the end nodes. Names are `x`, `x.0`, `x.key`."""
    if isinstance(value, dict):
        items: list[tuple[Any, Any]] = list(value.items())  # pyright: ignore[reportUnknownArgumentType,reportUnknownVariableType]
        return Node(dict, tuple(take_apart(v, f"{name}.{k}", leaf) for k, v in items), tuple(k for k, _ in items))
    if isinstance(value, tuple | list):
        kind: type = type(value)  # pyright: ignore[reportUnknownVariableType]
        children: list[Any] = list(value)  # pyright: ignore[reportUnknownArgumentType]
        return Node(kind, tuple(take_apart(v, f"{name}.{k}", leaf) for k, v in enumerate(children)))
    return leaf(value, name)


def flat_kinds(tree: Tree, count: int) -> list[str] | None:
    """The kinds of the leaves of a tree that is one array or number, or a tuple of `count` in their order; None for
    another tree."""
    if isinstance(tree, Node) and tree.kind is not tuple:
        return None
    leaves = tree.children if isinstance(tree, Node) else (tree,)
    found = [leaf.kind for k, leaf in enumerate(leaves) if isinstance(leaf, Leaf) and leaf.index == k]
    return found if len(found) == len(leaves) == count and "python" not in found else None


def take_leaves(tree: Tree, value: Any, count: int) -> list[Any]:
    """The arrays of `value`, which must have the structure of `tree`, in the order of the tree's leaves.

    Raises ValueError where the structure differs.
    """
    leaves: list[Any] = [None] * count
    _take(tree, value, "out", leaves)
    return leaves


def _take(tree: Tree, value: Any, name: str, leaves: list[Any]) -> None:
    if isinstance(tree, Leaf):
        leaves[tree.index] = value
    elif isinstance(tree, Node):
        keys: tuple[Any, ...] = tree.keys or tuple(range(len(tree.children)))
        is_dict = issubclass(tree.kind, dict)
        found: Any = value
        if isinstance(found, dict) != is_dict or not hasattr(found, "__len__") or len(found) != len(keys):
            size = f" of {len(found)}" if hasattr(found, "__len__") else ""
            raise ValueError(
                f"{name} must be a {tree.kind.__name__} of {len(keys)}, found {type(found).__name__}{size}"
            )
        for key, child in zip(keys, tree.children, strict=True):
            if is_dict and key not in found:
                raise ValueError(f"{name} has no entry {key!r}")
            _take(child, found[key], f"{name}.{key}", leaves)
