"""Axes: which dims of loops and tensors are one, and into which parts reshapes cut them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..dialects.expr import Expr, exact_quotient


class Axis:
    """A dim that several loops and tensors may have in common. One with `parts` is a row-major run of smaller ones."""

    __slots__ = ("parts", "rigid", "same", "size")

    def __init__(self, size: Expr):
        self.size = size
        self.rigid = size.value == 0
        """Whether it may not be cut: something walks it as a whole, or it is empty."""
        self.same: Axis | None = None
        """Another axis that stands for this one."""
        self.parts: tuple[Axis, ...] = ()


def representative(axis: Axis) -> Axis:
    """The axis that stands for all that are one with this one."""
    while axis.same is not None:
        if axis.same.same is not None:
            axis.same = axis.same.same
        axis = axis.same
    return axis


def leaves(axes: Iterable[Axis]) -> list[Axis]:
    """The smallest parts of axes in a row; those of size 1 are nothing."""
    found: list[Axis] = []
    for axis in axes:
        axis = representative(axis)
        if axis.parts:
            found += leaves(axis.parts)
        elif axis.size.value != 1:
            found.append(axis)
    return found


def make_one(a: Axis, b: Axis) -> bool:
    """Make two axes one, as far as the parts of both allow."""
    a, b = representative(a), representative(b)
    if a is b:
        return True
    if a.size != b.size or (a.rigid and b.parts) or (b.rigid and a.parts):
        return False
    if a.parts and b.parts and not align(a.parts, b.parts):
        return False
    a.parts = a.parts or b.parts
    a.rigid |= b.rigid
    b.same, b.parts = a, ()
    return True


def align(left: Sequence[Axis], right: Sequence[Axis]) -> bool:
    """Cut two rows of axes, which have as many elements, so that they have the same parts.

    (4 * n, 6) and (4, n, 2, 3)   ->   both 4, n, 2, 3
    """
    xs, ys = leaves(left), leaves(right)
    if not _can_align(xs, ys):
        return False
    while xs and ys:
        x, y = representative(xs.pop()), representative(ys.pop())
        if x.parts or y.parts:  # cut further right in these rows
            xs += leaves([x])
            ys += leaves([y])
        elif x.size == y.size:
            make_one(x, y)
        elif (size := exact_quotient(y.size, x.size)) is not None:
            ys.append(_cut(y, size, x))
        elif (size := exact_quotient(x.size, y.size)) is not None:
            xs.append(_cut(x, size, y))
        else:
            return False
    return not xs and not ys


def _cut(axis: Axis, size: Expr, inner: Axis) -> Axis:
    """Cut an axis into `size` times `inner`; the outer part."""
    outer = Axis(size)
    axis.parts = (outer, inner)
    return outer


def _can_align(xs: Sequence[Axis], ys: Sequence[Axis]) -> bool:
    """Whether the cuts of each row are possible in the other one."""
    left, right = [(x.size, x.rigid) for x in xs], [(y.size, y.rigid) for y in ys]
    while left and right:
        (x, x_rigid), (y, y_rigid) = left.pop(), right.pop()
        if x == y:
            continue
        if (size := exact_quotient(y, x)) is not None and not y_rigid:
            right.append((size, False))
        elif (size := exact_quotient(x, y)) is not None and not x_rigid:
            left.append((size, False))
        else:
            return False
    return not left and not right
