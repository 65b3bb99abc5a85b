"""NumPy references of tensor ops, and their pointwise forms, against the same thing written in plain NumPy."""

from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

import numpy as np
import pytest
from weld_samples import ELEMENTS, for_each, function, label, same_bits, tensor, values_for
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Attribute, Operation
from xdsl.utils.exceptions import VerifyException

from loopweld.dialects.expr import Expr
from loopweld.dialects.weld import (
    Broadcast,
    Cholesky,
    Concat,
    Cumprod,
    Cumsum,
    Gather,
    Insert,
    Iota,
    Lu,
    Matmul,
    Pad,
    Permutation,
    Reshape,
    Reverse,
    Scatter,
    Size,
    Slice,
    SolveTriangular,
    Transpose,
)
from loopweld.dialects.weld.base import TensorOp
from loopweld.dialects.weld.indexing import SCATTER_KINDS, scatter_ufunc
from loopweld.dialects.weld.reductions import REDUCTIONS, Reduction
from loopweld.dialects.weld.types import BF16, BOOL, F16, F32, I64, dtype_of, element_of, kind_of
from loopweld.passes.evaluate import evaluate
from loopweld.passes.generalize import Generalize

REAL = [e for e in ELEMENTS if kind_of(e) != "c" and e != BF16]
SOME = [F16, F32, I64, ELEMENTS[8], BOOL]


def exprs(*values: int) -> tuple[Expr, ...]:
    return tuple(Expr.of(v) for v in values)


def check(build: Callable[..., Operation], arrays: Sequence[Any], expected: Any) -> None:
    """The op on the arrays gives `expected`, by its reference and by its pointwise form."""
    kinds: list[Attribute] = []
    for array in arrays:
        element = element_of(np.asarray(array).dtype)
        assert element is not None
        kinds.append(tensor(element, *np.shape(array)))

    def module() -> ModuleOp:
        return function(kinds, lambda b, *args: b.insert(build(*args)).results)

    plain, general = module(), module()
    plain.verify()
    Generalize().apply(None, general)  # type: ignore[arg-type]
    general.verify()
    for form in (plain, general):
        (found,) = evaluate(form, arrays)
        assert same_bits(found, expected), f"{found}\n{expected}\n{form}"


@for_each(product(SOME, [(3, 5), (1, 7), (0, 3), (3, 0)]))
def test_views(element: Attribute, shape: tuple[int, int]) -> None:
    x = values_for(element, shape)
    check(lambda t: Transpose.of(t, [1, 0]), [x], x.T)
    check(lambda t: Transpose.of(t, [0, 1]), [x], x)
    check(lambda t: Reshape.to(t, exprs(x.size)), [x], x.reshape(-1))
    check(lambda t: Reshape.to(t, exprs(1, shape[0], 1, shape[1])), [x], x.reshape(1, shape[0], 1, shape[1]))
    for axes in ([], [0], [1], [0, 1], [1, 0]):
        check(lambda t, axes=axes: Reverse.of(t, axes), [x], np.flip(x, tuple(axes)))
    check(lambda t: Broadcast.to(t, exprs(2, *shape)), [x], np.broadcast_to(x, (2, *shape)))
    check(lambda t: Broadcast.to(t, exprs(shape[0], 4, shape[1]), [0, 2]), [x], np.repeat(x[:, None], 4, 1))


def test_broadcast_repeats_dims_of_size_1() -> None:
    x = values_for(F32, (1, 3, 1))
    check(lambda t: Broadcast.to(t, exprs(2, 4, 3, 5)), [x], np.broadcast_to(x, (2, 4, 3, 5)))
    check(lambda t: Broadcast.to(t, exprs(0, 3, 5)), [x], np.broadcast_to(x, (0, 3, 5)))
    check(lambda t: Broadcast.to(t, exprs(2, 3)), [np.float32(4)], np.full((2, 3), 4, np.float32))


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ((6, 4), (4, 6)),
        ((2, 3, 4), (6, 4)),
        ((2, 3, 4), (2, 12)),
        ((24,), (2, 3, 4)),
        ((2, 12), (4, 6)),
        ((3, 0, 2), (0, 5)),
        ((), (1, 1)),
        ((1, 1), ()),
        ((5, 1, 3), (1, 5, 3)),
        ((4, 9), (6, 6)),
        ((2, 3, 5, 7), (7, 5, 3, 2)),
    ],
)
def test_reshape(source: tuple[int, ...], target: tuple[int, ...]) -> None:
    x = np.arange(int(np.prod(source)), dtype=np.float32).reshape(source)
    check(lambda t: Reshape.to(t, exprs(*target)), [x], x.reshape(target))


SLICES = [
    slice(None),
    slice(1, 4),
    slice(None, None, 2),
    slice(None, None, -1),
    slice(5, 0, -2),
    slice(2, 2),
    slice(-1, None),
]


@for_each(product(SLICES, SLICES))
def test_slice(rows: slice, columns: slice) -> None:
    x = values_for(F32, (7, 6))
    parts = [s.indices(n) for s, n in zip((rows, columns), x.shape, strict=True)]
    start, step = exprs(*(p[0] for p in parts)), exprs(*(p[2] for p in parts))
    size = exprs(*(len(range(*p)) for p in parts))
    check(lambda t: Slice.of(t, start, size, step), [x], x[rows, columns])


def test_slice_with_step_0_repeats() -> None:
    x = np.arange(5.0)
    check(lambda t: Slice.of(t, exprs(2), exprs(3), exprs(0)), [x], np.full(3, 2.0))
    check(lambda t: Slice.of(t, (), (), ()), [np.float64(3)], np.float64(3))


@for_each(product(SOME, [-4, -1, 0, 2], [-3, -1, 0, 3, 6], [0, 1, 5]))
def test_pad(element: Attribute, low: int, high: int, size: int) -> None:
    if size + low + high < 0:
        return
    x, fill = values_for(element, (size,)), values_for(element, (), seed=1)
    expected = np.full(size + low + high, fill)
    for k in range(len(expected)):
        if 0 <= k - low < size:
            expected[k] = x[k - low]
    check(lambda t, v: Pad.of(t, v, exprs(low), exprs(high)), [x, fill], expected)


def test_pad_in_several_dims() -> None:
    x = values_for(F32, (3, 4, 5))
    expected = np.pad(x[:, 1:, :-2], ((2, 0), (0, 3), (1, 0)), constant_values=7)
    check(lambda t, v: Pad.of(t, v, exprs(2, -1, 1), exprs(0, 3, -2)), [x, np.float32(7)], expected)


@for_each(product(SOME, [(3,), (3, 4), (0, 3), (3, 0), (0, 0), (2, 0, 5, 1)], [0, 1]))
def test_concat(element: Attribute, sizes: tuple[int, ...], axis: int) -> None:
    arrays = [values_for(element, (n, 3) if axis == 0 else (3, n), seed=k) for k, n in enumerate(sizes)]
    check(lambda *args: Concat.of(args, axis), arrays, np.concatenate(arrays, axis))


@pytest.mark.parametrize("element", SOME, ids=label)
@pytest.mark.parametrize("size", [0, 1, 2, 7, 8])
def test_insert(element: Attribute, size: int) -> None:
    for start, step in product((0, 1, 2, 5), (1, 2, 3, 9)):
        base = values_for(element, (3, size))
        for count in range(len(base[0, start::step]) + 1):
            new, expected = values_for(element, (2, count), seed=1), base.copy()
            expected[1:, start : start + count * step : step] = new
            check(lambda x, y, a=start, s=step: Insert.of(x, y, exprs(1, a), exprs(1, s)), [base, new], expected)


@pytest.mark.parametrize("element", [e for e in REAL if e != BOOL], ids=label)
def test_iota(element: Attribute) -> None:
    for shape, axis in (((5,), 0), ((3, 4), 0), ((3, 4), 1), ((0,), 0), ((2, 0), 0)):
        expected = np.indices(shape)[axis].astype(dtype_of(element))
        check(lambda s=shape, a=axis: Iota.of(element, exprs(*s), a), [], expected)


@pytest.mark.parametrize("element", SOME, ids=label)
def test_gather(element: Attribute) -> None:
    x = values_for(element, (5, 4, 3))
    i, j = np.array([[0, -1, 4], [2, -5, 3]]), np.array([[3, 0, -4], [1, -1, 2]])
    check(lambda t, a: Gather.of(t, [a], [0], 0), [x, i], x[i])
    check(lambda t, a: Gather.of(t, [a], [1], 1), [x, j], x[:, j])
    check(lambda t, a: Gather.of(t, [a], [2], 2), [x, j % 3], x[:, :, j % 3])
    check(lambda t, a, b: Gather.of(t, [a, b], [0, 1], 0), [x, i, j], x[i, j])
    check(lambda t, a, b: Gather.of(t, [a, b], [1, 0], 0), [x, j, i], x[i, j])
    check(lambda t, a, b: Gather.of(t, [a, b], [0, 2], 0), [x, i, j % 3], x[i, :, j % 3])
    check(lambda t, a: Gather.of(t, [a], [0], 0), [x, np.int64(-2)], x[-2])
    check(lambda t, a: Gather.of(t, [a], [1], 1), [x, np.zeros((0, 2), np.int64)], x[:, np.zeros((0, 2), int)])
    check(lambda t, a: Gather.of(t, [a], [0], 2), [x, i], np.moveaxis(x[i], (0, 1), (2, 3)))


@pytest.mark.parametrize("element", SOME, ids=label)
def test_gather_out_of_range_is_0(element: Attribute) -> None:
    x = values_for(element, (5, 4)) + dtype_of(element).type(1)
    i = np.array([0, 5, -6, 4, 2**62, -(2**63)])
    expected = np.zeros((6, 4), x.dtype)
    expected[0], expected[3] = x[0], x[4]
    check(lambda t, a: Gather.of(t, [a], [0], 0), [x, i], expected)
    empty = np.zeros((0, 4), x.dtype)
    check(lambda t, a: Gather.of(t, [a], [0], 0), [empty, i], np.zeros((6, 4), x.dtype))


@for_each(product(SOME, [*SCATTER_KINDS, "subtract", "fmax", "gcd"]))
def test_scatter(element: Attribute, kind: str) -> None:
    if not _updates(element, kind):
        with pytest.raises(VerifyException, match=f"weld.scatter has no kind '{kind}' on elements of type"):
            x, i = values_for(element, (5,)), np.zeros(5, np.int64)
            check(lambda t, u, a: Scatter.of(t, u, [a], [0], 0, kind), [x, x, i], x)
        return
    x = values_for(element, (5, 4))
    i = np.array([0, -1, 4, 0, 2, 2, -5])
    rows, columns = values_for(element, (7, 4), seed=1), values_for(element, (5, 3, 2), seed=2)
    check(lambda t, u, a: Scatter.of(t, u, [a], [0], 0, kind), [x, rows, i], _scattered(x, (i,), rows, kind))
    j = np.array([[0, 3], [-1, 3], [2, -4]])
    expected = _scattered(x.T, (j,), np.moveaxis(columns, 0, -1), kind).T
    check(lambda t, u, a: Scatter.of(t, u, [a], [1], 1, kind), [x, columns, j], expected)
    k = np.array([3, 3, -1, 0, 2, 2, 0])
    points = values_for(element, (7,), seed=3)
    expected = _scattered(x, (i, k), points, kind)
    check(lambda t, u, a, b: Scatter.of(t, u, [a, b], [0, 1], 0, kind), [x, points, i, k], expected)


def _updates(element: Attribute, kind: str) -> bool:
    """Whether the kind of scatter has a meaning for elements of the type."""
    if kind in ("and", "or", "xor"):
        return kind_of(element) in "iub"
    return {"gcd": "iu", "subtract": "iuf"}.get(kind, "iufb").count(kind_of(element)) == 1


def _scattered(x: Any, indices: tuple[Any, ...], updates: Any, kind: str) -> Any:
    """One update after the other, in row-major order of the indices."""
    result, ufunc = x.copy(), scatter_ufunc(kind)
    for position in np.ndindex(indices[0].shape):
        where = tuple(int(i[position]) for i in indices)
        result[where] = updates[position] if ufunc is None else ufunc(result[where], updates[position])
    return result


def test_scatter_out_of_range_does_nothing() -> None:
    x, i = np.arange(5.0), np.array([5, -6, 1, 2**62])
    expected = np.array([0, 11, 2, 3, 4.0])
    check(lambda t, u, a: Scatter.of(t, u, [a], [0], 0, "add"), [x, np.full(4, 10.0), i], expected)


AXES = [(0,), (1,), (2,), (0, 1), (0, 2), (1, 2), (0, 1, 2), ()]


@for_each(product(REDUCTIONS.values(), REAL))
def test_reductions(op: type[Reduction], element: Attribute) -> None:
    if kind_of(element) not in op.kinds:
        return
    for shape, axes in product([(3, 5, 2), (1, 7, 1), (2, 0, 3)], AXES):
        if not op.empty and any(shape[a] == 0 for a in axes):
            continue
        x = values_for(element, shape)
        check(lambda t, axes=axes: op.of(t, axes), [x], _reduced(op, x, axes, element))


def _reduced(op: type[Reduction], x: Any, axes: tuple[int, ...], element: Attribute) -> Any:
    """Combine the elements one by one, in row-major order."""
    kept = [k for k in range(x.ndim) if k not in axes]
    sizes = [x.shape[k] for k in kept] + [int(np.prod([x.shape[a] for a in axes]))]
    rows = np.transpose(x, kept + list(axes)).reshape(sizes)
    is_argument = op.kind in ("argmax", "argmin")
    result = np.zeros(rows.shape[:-1], np.int64 if is_argument else x.dtype)
    for position in np.ndindex(result.shape):
        row = rows[position]
        if is_argument:
            best = max(row) if op.kind == "argmax" else min(row)
            result[position] = list(row).index(best)
            continue
        total = np.asarray(op.identity(element)).astype(x.dtype)
        for value in row:
            total = np.asarray(op.combine.numpy(total, value), x.dtype)
        result[position] = total
    return result


@pytest.mark.parametrize("element", [F16, F32], ids=label)
def test_reductions_of_nan_and_zeros(element: Attribute) -> None:
    dtype = dtype_of(element)
    x = np.array([[1, np.nan, 3, np.nan], [-np.inf, -1, np.inf, 0], [-np.inf] * 4], dtype)
    check(lambda t: REDUCTIONS["max"].of(t, [1]), [x], np.array([np.nan, np.inf, -np.inf], dtype))
    check(lambda t: REDUCTIONS["min"].of(t, [1]), [x], np.array([np.nan, -np.inf, -np.inf], dtype))
    check(lambda t: REDUCTIONS["argmax"].of(t, [1]), [x], np.array([1, 2, 0]))
    check(lambda t: REDUCTIONS["argmin"].of(t, [1]), [x], np.array([1, 0, 0]))
    check(lambda t: REDUCTIONS["sum"].of(t, [1]), [x], np.array([np.nan, np.nan, -np.inf], dtype))


def test_float16_sums_round_once() -> None:
    x = np.full(4096, 1 + 2**-10, np.float16)
    check(lambda t: REDUCTIONS["sum"].of(t, [0]), [x], np.float16(x.astype(np.float32).sum()))


@pytest.mark.parametrize("element", REAL, ids=label)
def test_integer_reductions_wrap_around(element: Attribute) -> None:
    if kind_of(element) in "iu":
        x = np.full(3, np.iinfo(dtype_of(element)).max, dtype_of(element))
        check(lambda t: REDUCTIONS["sum"].of(t, [0]), [x], np.add.reduce(x, dtype=x.dtype))
        check(lambda t: REDUCTIONS["prod"].of(t, [0]), [x], np.multiply.reduce(x, dtype=x.dtype))


@pytest.mark.parametrize("element", [e for e in REAL if e != BOOL], ids=label)
def test_scans_and_matmul(element: Attribute) -> None:
    x, y = values_for(element, (3, 4)), values_for(element, (4, 5), seed=1)
    for axis in (0, 1):
        check(lambda t, a=axis: Cumsum.of(t, a), [x], np.cumsum(x, axis, x.dtype))
        check(lambda t, a=axis: Cumprod.of(t, a), [x], np.cumprod(x, axis, x.dtype))
    check(Matmul.of, [x, y], x @ y)
    check(Matmul.of, [x[:, :0], y[:0]], np.zeros((3, 5), x.dtype))
    check(Matmul.of, [np.stack([x, x]), np.stack([y, y])], np.stack([x @ y, x @ y]))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_factors_and_triangular_systems(dtype: Any) -> None:
    a = np.asarray([[[4, np.nan, np.inf], [2, 5, np.nan], [2, 3, 6]], np.zeros((3, 3))], dtype)
    lower = np.asarray([[2, 0, 0], [1, 2, 0], [1, 1, 2]], dtype)
    failed = np.full((3, 3), np.nan, dtype)
    check(Cholesky.of, [a], np.stack([lower, failed]))
    check(Cholesky.of, [a[:, :0, :0]], a[:, :0, :0])
    b = np.asarray([[[2, 4], [5, 6], [10, 1]]] * 2, dtype)
    systems = np.stack([lower + np.triu(a[0], 1), np.triu(failed, 1)])
    found = np.stack([np.asarray([[1, 2], [2, 2], [3.5, -1.5]], dtype), failed[:, :2]])
    check(lambda a, b: SolveTriangular.of(a, b, lower=True), [systems, b], found)
    upper = systems[:, ::-1, ::-1]
    check(lambda a, b: SolveTriangular.of(a, b, lower=False), [upper, b[:, ::-1]], found[:, ::-1])
    unit = np.asarray([[[2, 4], [3, 2], [5, -5]]], dtype)
    check(lambda a, b: SolveTriangular.of(a, b, lower=True, unit_diagonal=True), [systems[:1], b[:1]], unit)


def test_exchanges_of_rows() -> None:
    a = np.asarray([[0, 1, 2], [4, 4, 4], [2, 4, 3]], np.float32)
    module = function([tensor(F32, 3, 3)], lambda b, x: b.insert(Lu.of(x)).results)
    factors, pivots = evaluate(module, [a])
    np.testing.assert_array_equal(factors.T, [[4, 4, 4], [0.5, 2, 1], [0, 0.5, 1.5]])
    np.testing.assert_array_equal(pivots, [1, 2, 2])
    check(Permutation.of, [pivots[None]], np.asarray([[1, 2, 0]]))
    check(Permutation.of, [np.asarray([5, -1, 0])], np.asarray([2, 1, 0]))


def test_size() -> None:
    n, m = Expr.symbol("n"), Expr.symbol("m")
    module = function([tensor(F32, "n", "m")], lambda b, x: b.insert(Size.of(n * m + 1, tensor(I64))).results)
    assert same_bits(evaluate(module, [np.zeros((3, 4), np.float32)])[0], np.asarray(13))


def test_symbolic_sizes() -> None:
    """Views of tensors whose sizes are symbols, at several sizes."""
    n = Expr.symbol("n")

    def build(x: Any) -> TensorOp:
        cut = Slice.of(x, exprs(0, 1), (n, n - 1), exprs(1, 1))
        return cut

    module = function([tensor(F32, "n", "n")], lambda b, x: b.insert(build(x)).results)
    module.verify()
    for size in (1, 2, 5):
        x = values_for(F32, (size, size))
        assert same_bits(evaluate(module, [x])[0], x[:, 1:])
