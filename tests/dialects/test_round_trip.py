"""Text of every op reads back as the same op."""

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pytest
from weld_samples import (
    ELEMENTS,
    cases,
    check_round_trip,
    for_each,
    function,
    label,
    one_op,
    parse,
    same_bits,
    specials,
    tensor,
    text_of,
)
from xdsl.ir import Attribute

from loopweld.dialects.expr import Expr
from loopweld.dialects.weld import (
    Broadcast,
    Cholesky,
    Concat,
    Constant,
    Cumprod,
    Cumsum,
    Gather,
    Insert,
    Iota,
    Library,
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
from loopweld.dialects.weld.base import Elementwise
from loopweld.dialects.weld.cast import Cast
from loopweld.dialects.weld.reductions import REDUCTIONS, Reduction
from loopweld.dialects.weld.types import F32, I64, dtype_of, kind_of

N, M = Expr.symbol("n"), Expr.symbol("m")


def exprs(*values: Expr | int) -> tuple[Expr, ...]:
    return tuple(Expr.of(v) for v in values)


@for_each(cases())
def test_elementwise(op: type[Elementwise], element: Attribute) -> None:
    check_round_trip(one_op(op, element, 3, 5))
    check_round_trip(one_op(op, element, "n", 4))
    check_round_trip(one_op(op, element))


@pytest.mark.parametrize("source", ELEMENTS, ids=label)
def test_cast(source: Attribute) -> None:
    for target in ELEMENTS:
        check_round_trip(function([tensor(source, 4, "n")], lambda b, x, t=target: b.insert(Cast.to(x, t)).results[0]))


@for_each(product(REDUCTIONS.values(), ELEMENTS))
def test_reductions(op: type[Reduction], element: Attribute) -> None:
    if kind_of(element) not in op.kinds:
        return
    for axes in ([0], [1], [0, 1], []):
        check_round_trip(
            function([tensor(element, 3, "n")], lambda b, x, axes=axes: b.insert(op.of(x, axes)).results[0])
        )


TENSOR_OPS: dict[str, tuple[list[Attribute], Callable[..., Any]]] = {
    "broadcast": ([tensor(F32, 1, 4)], lambda x: Broadcast.to(x, exprs(N, 3, 4))),
    "transpose": ([tensor(F32, 3, "n", 4)], lambda x: Transpose.of(x, [2, 0, 1])),
    "reshape": ([tensor(F32, "n", 4)], lambda x: Reshape.to(x, exprs(N * 2, 2))),
    "slice": ([tensor(F32, "n", 9)], lambda x: Slice.of(x, exprs(1, 8), exprs(N - 1, 5), exprs(1, -2))),
    "reverse": ([tensor(F32, "n", 9)], lambda x: Reverse.of(x, [1])),
    "pad": ([tensor(F32, "n", 9), tensor(F32)], lambda x, v: Pad.of(x, v, exprs(M, -1), exprs(0, 2))),
    "insert": ([tensor(F32, "n", 9), tensor(F32, "n", 4)], lambda x, y: Insert.of(x, y, exprs(0, 1), exprs(1, 2))),
    "concat": ([tensor(F32, "n", 2), tensor(F32, "m", 2)], lambda x, y: Concat.of([x, y], 0)),
    "iota": ([], lambda: Iota.of(F32, exprs(N, 3), 0)),
    "gather": ([tensor(F32, 5, "n"), tensor(I64, 7)], lambda x, i: Gather.of(x, [i], [1], 1)),
    "scatter": (
        [tensor(F32, 5, 4), tensor(F32, 7), tensor(I64, 7), tensor(I64, 7)],
        lambda x, u, i, j: Scatter.of(x, u, [i, j], [0, 1], 0, "add"),
    ),
    "matmul": ([tensor(F32, 2, "n", 4), tensor(F32, 2, 4, 5)], Matmul.of),
    "cholesky": ([tensor(F32, "n", 4, 4)], Cholesky.of),
    "triangular system": (
        [tensor(F32, "n", 4, 4), tensor(F32, "n", 4, "m")],
        lambda a, b: SolveTriangular.of(a, b, lower=True, unit_diagonal=True),
    ),
    "lu": ([tensor(F32, "n", 4, 4)], Lu.of),
    "permutation": ([tensor(I64, "n", 4)], Permutation.of),
    "cumsum": ([tensor(F32, "n", 4)], lambda x: Cumsum.of(x, 1)),
    "cumprod": ([tensor(F32, "n", 4)], lambda x: Cumprod.of(x, 0)),
    "size": ([tensor(F32, "n", "m")], lambda x: Size.of(N * M + 1, tensor(I64))),
    "library": (
        [tensor(F32, 4, 4)],
        lambda x: Library.of("numpy.linalg.inv", [x], [tensor(F32, 4, 4)], {"x": [1, 'a"b']}),
    ),
}


@pytest.mark.parametrize("name", TENSOR_OPS)
def test_tensor_ops(name: str) -> None:
    inputs, build = TENSOR_OPS[name]
    check_round_trip(function(inputs, lambda b, *args: b.insert(build(*args)).results))


@pytest.mark.parametrize("element", ELEMENTS, ids=label)
def test_constants_keep_their_bits(element: Attribute) -> None:
    numbers = list(specials(element))
    if kind_of(element) == "f":
        numbers += [dtype_of(element).type(v) for v in (1e-3, 1e4, 1 / 3, 1234.567, 1e-7, 6e4)]
    for number in numbers:
        module = function([], lambda b, n=number: b.constant(n, tensor(element, 3)))
        check_round_trip(module)
        (again,) = (op for op in parse(text_of(module)).walk() if isinstance(op, Constant))
        held = Constant.splat(number, tensor(element, 3)).number
        assert again.number.dtype == held.dtype
        assert again.number.tobytes() == held.tobytes() or (number != number and again.number != again.number)


@pytest.mark.parametrize("element", [e for e in ELEMENTS if str(e) != "bf16"], ids=label)
def test_dense_constants_keep_their_bits(element: Attribute) -> None:
    array = specials(element).reshape(1, -1)
    module = function([], lambda b: b.insert(Constant.of(array)).results[0])
    check_round_trip(module)
    (again,) = (op for op in parse(text_of(module)).walk() if isinstance(op, Constant))
    assert same_bits(again.array(lambda e: e.value or 0), array)


def test_empty_constant() -> None:
    for element in ELEMENTS[2:]:
        empty = np.zeros((0, 3), dtype_of(element))
        check_round_trip(function([], lambda b, a=empty: b.insert(Constant.of(a)).results[0]))


GENERICS = {
    "reduce and write": """
func.func @main(%x : tensor<?x8xf32, #weld.dims<"n, 8">>) -> tensor<?xf32, #weld.dims<"n">> {
  %m, %y = weld.generic over "n, 8" gives "max d0", "write d0, d1" {
    %0 = weld.load %x "d0, d1" : tensor<?x8xf32, #weld.dims<"n, 8">>
    %1 = weld.exp %0 : f32
    weld.yield %1, %1 : f32, f32
  } : tensor<?xf32, #weld.dims<"n">>, tensor<?x8xf32, #weld.dims<"n, 8">>
  func.return %m : tensor<?xf32, #weld.dims<"n">>
}""",
    "guards, indices and a scatter": """
func.func @main(%x : tensor<9xf32>, %i : tensor<4xi64>) -> tensor<9xf32> {
  %y = weld.generic over "4" gives "scatter_add i0" from %x {
    %0 = weld.load %i "d0" : tensor<4xi64>
    %1 = weld.inside "d0 - 1 >= 0 and 3 - d0 >= 0"
    %2 = weld.load %x, %0, %1 "i0" : tensor<9xf32>
    %3 = weld.load %x "d0 - 1 if d0 - 1 >= 0" : tensor<9xf32>
    %4 = weld.add %2, %3 : f32
    %5 = weld.index "d0 * 2 + 1"
    weld.yield %4, %1, %5 : f32, i1, i64
  } : tensor<9xf32>
  func.return %y : tensor<9xf32>
}""",
    "a scalar": """
func.func @main() -> tensor<f32> {
  %y = weld.generic over "" gives "write" {
    %0 = weld.constant 0.5 : f32
    weld.yield %0 : f32
  } : tensor<f32>
  func.return %y : tensor<f32>
}""",
}


@pytest.mark.parametrize("name", GENERICS)
def test_generic(name: str) -> None:
    check_round_trip(parse(GENERICS[name]))


def test_attributes_of_elementwise_ops_are_kept() -> None:
    text = """
    func.func @main(%x : tensor<3xf32>) -> tensor<3xf32> {
      %y = weld.exp %x {note = "kept"} : tensor<3xf32>
      func.return %y : tensor<3xf32>
    }"""
    module = parse(text)
    check_round_trip(module)
    assert '{note = "kept"}' in text_of(module)
