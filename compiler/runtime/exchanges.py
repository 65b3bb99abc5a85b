"""Which row is where after the exchanges of a factorisation, as LLVM text."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from .layout import DType, Layout, NativeForm, Options, step_of
from .shim_text import batch

TYPES = ("i8",)
TEXT = batch(
    "loopweld_permutation_i8",
    ("pivots", "found"),
    ("rows", "along"),
    """  br label %number
number:
  %i = phi i64 [ 0, %start ], [ %i.next, %one ]
  %i.left = icmp slt i64 %i, %rows
  br i1 %i.left, label %one, label %exchange
one:
  %slot = getelementptr i64, ptr %found, i64 %i
  store i64 %i, ptr %slot
  %i.next = add i64 %i, 1
  br label %number
exchange:
  %k = phi i64 [ 0, %number ], [ %k.next, %both ]
  %k.left = icmp slt i64 %k, %rows
  br i1 %k.left, label %both, label %after
both:
  %k.along = mul i64 %k, %along
  %pivot.at = getelementptr i64, ptr %pivots, i64 %k.along
  %pivot = load i64, ptr %pivot.at
  %is.row = icmp ult i64 %pivot, %rows
  %other = select i1 %is.row, i64 %pivot, i64 %k
  %first = getelementptr i64, ptr %found, i64 %k
  %second = getelementptr i64, ptr %found, i64 %other
  %a = load i64, ptr %first
  %b = load i64, ptr %second
  store i64 %b, ptr %first
  store i64 %a, ptr %second
  %k.next = add i64 %k, 1
  br label %exchange
""",
)


def permutation(dtype: DType, layouts: Sequence[Layout], options: Options) -> NativeForm | None:
    pivots, _ = layouts
    step = step_of(pivots.shape[:-1], pivots.strides[:-1])
    if step is None:
        return None
    rows, itemsize = pivots.shape[-1], dtype.itemsize
    table = (prod(pivots.shape[:-1]), step * itemsize, rows * itemsize, rows, pivots.strides[-1])
    return NativeForm("loopweld_permutation_i8", table, (0, 1), 0)
