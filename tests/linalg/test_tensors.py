"""`tensor` ops, constants, and the named `linalg` ops."""

from typing import Any

import numpy as np
import pytest
from linalg.running import array, check, convert, error, ops


def function(arguments: str, result: str, body: str) -> str:
    """`@main` that returns %r."""
    return f"func.func @main({arguments}) -> {result} {{\n{body}\nfunc.return %r : {result}\n}}"


def test_dense_constants():
    check(
        """
        func.func @main() -> (tensor<2x3xf32>, tensor<2xi8>, tensor<3xi1>, tensor<2xf16>, tensor<2xindex>) {
          %0 = arith.constant dense<[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]> : tensor<2x3xf32>
          %1 = arith.constant dense<[-1, 2]> : tensor<2xi8>
          %2 = arith.constant dense<[true, false, true]> : tensor<3xi1>
          %3 = arith.constant dense<0.1> : tensor<2xf16>
          %4 = arith.constant dense<[7, 8]> : tensor<2xindex>
          func.return %0, %1, %2, %3, %4
            : tensor<2x3xf32>, tensor<2xi8>, tensor<3xi1>, tensor<2xf16>, tensor<2xindex>
        }
        """,
        [],
        np.arange(1, 7, dtype=np.float32).reshape(2, 3),
        np.array([-1, 2], np.int8),
        np.array([True, False, True]),
        np.array([0.1, 0.1], np.float16),
        np.array([7, 8]),
    )


@pytest.mark.parametrize(
    "slice_, result, key",
    [
        ("[1, 2] [3, 4] [1, 1]", "tensor<3x4xf32>", np.s_[1:4, 2:6]),
        ("[0, 1] [3, 3] [2, 2]", "tensor<3x3xf32>", np.s_[0:5:2, 1:6:2]),
        ("[2, 0] [1, 7] [1, 1]", "tensor<7xf32>", np.s_[2, :]),
        ("[0, 3] [5, 1] [1, 1]", "tensor<5xf32>", np.s_[:, 3]),
        ("[0, 3] [5, 1] [1, 1]", "tensor<5x1xf32>", np.s_[:, 3:4]),
        ("[4, 6] [1, 1] [1, 1]", "tensor<f32>", np.s_[4, 6]),
    ],
)
def test_slices(slice_: str, result: str, key: Any):
    x, y = array((5, 7)), array((5, 7), seed=1)
    text = function(
        "%x: tensor<5x7xf32>", result, f"%r = tensor.extract_slice %x{slice_} : tensor<5x7xf32> to {result}"
    )
    check(text, [x], x[key])
    expected = y.copy()
    expected[key] = x[key]
    text = function(
        f"%s: {result}, %y: tensor<5x7xf32>",
        "tensor<5x7xf32>",
        f"%r = tensor.insert_slice %s into %y{slice_} : {result} into tensor<5x7xf32>",
    )
    check(text, [np.array(x[key]), y], expected)


def test_dynamic_slice():
    x = array((9,))
    text = function(
        "%x: tensor<?xf32>",
        "tensor<?xf32>",
        """
        %0 = arith.constant 0 : index
        %2 = arith.constant 2 : index
        %n = tensor.dim %x, %0 : tensor<?xf32>
        %m = arith.subi %n, %2 : index
        %a = tensor.extract_slice %x[0] [%m] [1] : tensor<?xf32> to tensor<?xf32>
        %b = tensor.extract_slice %x[%2] [%m] [1] : tensor<?xf32> to tensor<?xf32>
        %r = arith.addf %a, %b : tensor<?xf32>
        """,
    )
    check(text, [x], x[:-2] + x[2:])


def test_pad():
    x = array((3, 4))
    text = function(
        "%x: tensor<3x4xf32>, %v: f32",
        "tensor<6x6xf32>",
        """
        %r = tensor.pad %x low[1, 0] high[2, 2] {
        ^bb0(%i: index, %j: index):
          tensor.yield %v : f32
        } : tensor<3x4xf32> to tensor<6x6xf32>
        """,
    )
    check(text, [x, np.float32(7)], np.pad(x, [(1, 2), (0, 2)], constant_values=7))


def test_concat_and_reshapes():
    x, y = array((2, 6)), array((3, 6), seed=1)
    text = function(
        "%x: tensor<2x6xf32>, %y: tensor<3x6xf32>",
        "tensor<15x2xf32>",
        """
        %c = tensor.concat dim(0) %x, %y : (tensor<2x6xf32>, tensor<3x6xf32>) -> tensor<5x6xf32>
        %e = tensor.expand_shape %c [[0], [1, 2]] output_shape [5, 3, 2] : tensor<5x6xf32> into tensor<5x3x2xf32>
        %r = tensor.collapse_shape %e [[0, 1], [2]] : tensor<5x3x2xf32> into tensor<15x2xf32>
        """,
    )
    check(text, [x, y], np.concatenate([x, y]).reshape(15, 2))


def test_reshape_to_a_static_shape():
    x = array((2, 6))
    text = function(
        "%x: tensor<2x6xf32>",
        "tensor<3x4xf32>",
        """
        %s = arith.constant dense<[3, 4]> : tensor<2xi32>
        %r = tensor.reshape %x(%s) : (tensor<2x6xf32>, tensor<2xi32>) -> tensor<3x4xf32>
        """,
    )
    check(text, [x], x.reshape(3, 4))


def test_elements():
    x, i = array((5,)), np.int32(3)
    check(
        """
        func.func @main(%x: tensor<5xf32>, %i: i32) -> (f32, f32, tensor<5xf32>, tensor<5xf32>, tensor<2x1xf32>) {
          %c1 = arith.constant 1 : index
          %p = arith.index_cast %i : i32 to index
          %a = tensor.extract %x[%c1] : tensor<5xf32>
          %b = tensor.extract %x[%p] : tensor<5xf32>
          %s = arith.addf %a, %b : f32
          %y = tensor.insert %s into %x[%c1] : tensor<5xf32>
          %z = tensor.insert %s into %x[%p] : tensor<5xf32>
          %w = tensor.from_elements %a, %b : tensor<2x1xf32>
          func.return %a, %b, %y, %z, %w : f32, f32, tensor<5xf32>, tensor<5xf32>, tensor<2x1xf32>
        }
        """,
        [x, i],
        x[1],
        x[3],
        np.concatenate([x[:1], [x[1] + x[3]], x[2:]]).astype(np.float32),
        np.concatenate([x[:3], [x[1] + x[3]], x[4:]]).astype(np.float32),
        np.array([[x[1]], [x[3]]]),
    )


BINARY = {"add": np.add, "sub": np.subtract, "mul": np.multiply, "max": np.maximum, "min": np.minimum}


@pytest.mark.parametrize("name", BINARY)
@pytest.mark.parametrize("element", ["f32", "i32"])
def test_named_binary(name: str, element: str):
    kind = f"tensor<5x7x{element}>"
    x, y = (array((5, 7), {"f32": np.float32, "i32": np.int32}[element], seed=k) for k in (0, 1))
    text = function(
        f"%x: {kind}, %y: {kind}",
        kind,
        f"%e = tensor.empty() : {kind}\n%r = linalg.{name} ins(%x, %y : {kind}, {kind}) outs(%e : {kind}) -> {kind}",
    )
    module = check(text, [x, y], BINARY[name](x, y))
    assert ops(module) == [name, "return"]


@pytest.mark.parametrize("name, f", [("exp", np.exp), ("log", np.log), ("sqrt", np.sqrt), ("copy", lambda x: x)])
def test_named_unary(name: str, f: Any):
    kind = "tensor<5x7xf32>"
    x = np.abs(array((5, 7))) + np.float32(0.1)
    text = function(
        f"%x: {kind}",
        kind,
        f"%e = tensor.empty() : {kind}\n%r = linalg.{name} ins(%x : {kind}) outs(%e : {kind}) -> {kind}",
    )
    check(text, [x], f(x))


def test_named_select_fill_transpose_broadcast_and_reduce():
    x, y, c = array((5, 7)), array((5, 7), seed=1), array((5, 7), bool)
    module = check(
        """
        func.func @main(%x: tensor<5x7xf32>, %y: tensor<5x7xf32>, %c: tensor<5x7xi1>) -> tensor<7x5xf32> {
          %e = tensor.empty() : tensor<5x7xf32>
          %s = linalg.select ins(%c, %x, %y : tensor<5x7xi1>, tensor<5x7xf32>, tensor<5x7xf32>)
              outs(%e : tensor<5x7xf32>) -> tensor<5x7xf32>
          %one = arith.constant 1.0 : f32
          %e5 = tensor.empty() : tensor<5xf32>
          %f = linalg.fill ins(%one : f32) outs(%e5 : tensor<5xf32>) -> tensor<5xf32>
          %sum = linalg.reduce ins(%s : tensor<5x7xf32>) outs(%f : tensor<5xf32>) dimensions = [1]
            (%a: f32, %acc: f32) {
              %0 = arith.addf %a, %acc : f32
              linalg.yield %0 : f32
            }
          %e75 = tensor.empty() : tensor<7x5xf32>
          %b = linalg.broadcast ins(%sum : tensor<5xf32>) outs(%e75 : tensor<7x5xf32>) dimensions = [0]
          %t = linalg.transpose ins(%s : tensor<5x7xf32>) outs(%e75 : tensor<7x5xf32>) permutation = [1, 0]
          %r = arith.mulf %t, %b : tensor<7x5xf32>
          func.return %r : tensor<7x5xf32>
        }
        """,
        [x, y, c],
        np.where(c, x, y).T * (1 + np.where(c, x, y).sum(axis=1)),
        rtol=1e-5,
    )
    assert set(ops(module)) == {"select", "generic", "constant", "add", "broadcast", "transpose", "mul", "return"}


@pytest.mark.parametrize(
    "start, found", [("0.0", ["matmul", "return"]), ("1.0", ["constant", "matmul", "add", "return"])]
)
def test_matmul(start: str, found: list[str]):
    a, b = array((4, 5)), array((5, 6), seed=1)
    text = function(
        "%a: tensor<4x5xf32>, %b: tensor<5x6xf32>",
        "tensor<4x6xf32>",
        f"""
        %c = arith.constant {start} : f32
        %e = tensor.empty() : tensor<4x6xf32>
        %f = linalg.fill ins(%c : f32) outs(%e : tensor<4x6xf32>) -> tensor<4x6xf32>
        %r = linalg.matmul ins(%a, %b : tensor<4x5xf32>, tensor<5x6xf32>) outs(%f : tensor<4x6xf32>)
            -> tensor<4x6xf32>
        """,
    )
    assert ops(check(text, [a, b], a @ b + np.float32(start), rtol=1e-5)) == found


def test_convolution_and_pooling():
    x, k = array((1, 2, 6, 6)), array((3, 2, 3, 3), seed=1)
    windows = np.lib.stride_tricks.sliding_window_view(x, (3, 3), axis=(2, 3))
    conv = np.einsum("nchwij,fcij->nfhw", windows, k)
    pooled = np.lib.stride_tricks.sliding_window_view(conv, (2, 2), axis=(2, 3))[:, :, ::2, ::2].max(axis=(4, 5))
    check(
        """
        func.func @main(%x: tensor<1x2x6x6xf32>, %k: tensor<3x2x3x3xf32>) -> tensor<1x3x2x2xf32> {
          %z = arith.constant dense<0.0> : tensor<1x3x4x4xf32>
          %c = linalg.conv_2d_nchw_fchw {dilations = dense<1> : tensor<2xi64>, strides = dense<1> : tensor<2xi64>}
              ins(%x, %k : tensor<1x2x6x6xf32>, tensor<3x2x3x3xf32>) outs(%z : tensor<1x3x4x4xf32>)
              -> tensor<1x3x4x4xf32>
          %w = tensor.empty() : tensor<2x2xf32>
          %inf = arith.constant 0xFF800000 : f32
          %i = tensor.splat %inf : tensor<1x3x2x2xf32>
          %r = linalg.pooling_nchw_max {dilations = dense<1> : tensor<2xi64>, strides = dense<2> : tensor<2xi64>}
              ins(%c, %w : tensor<1x3x4x4xf32>, tensor<2x2xf32>) outs(%i : tensor<1x3x2x2xf32>)
              -> tensor<1x3x2x2xf32>
          func.return %r : tensor<1x3x2x2xf32>
        }
        """,
        [x, k],
        pooled,
        rtol=1e-5,
    )


def test_calls_are_inlined():
    x = array((5,))
    module = check(
        """
        func.func private @twice(%x: tensor<5xf32>) -> tensor<5xf32> {
          %0 = arith.addf %x, %x : tensor<5xf32>
          func.return %0 : tensor<5xf32>
        }
        func.func @main(%x: tensor<5xf32>) -> tensor<5xf32> {
          %0 = func.call @twice(%x) : (tensor<5xf32>) -> tensor<5xf32>
          %1 = func.call @twice(%0) : (tensor<5xf32>) -> tensor<5xf32>
          func.return %1 : tensor<5xf32>
        }
        """,
        [x],
        4 * x,
    )
    assert len(list(module.ops)) == 1


SYMBOLIC = """
    func.func @main(%x: tensor<?x?xf32>, %y: tensor<?x8xf32>) -> tensor<?x?xf32> {
      %r = arith.addf %x, %z : tensor<?x?xf32>
      func.return %r : tensor<?x?xf32>
    }
"""


def test_sizes_that_must_be_equal_become_one_symbol():
    x, y = array((3, 8)), array((3, 8), seed=1)
    text = SYMBOLIC.replace("%r =", "%z = tensor.cast %y : tensor<?x8xf32> to tensor<?x?xf32>\n%r =")
    module = check(text, [x, y], x + y)
    assert str(module).count('tensor<?x8xf32, #weld.dims<"s0, 8">>') == 5
    assert "s1" not in str(module)


def test_dynamic_expand_and_collapse():
    x, y = array((12,)), array((4,), seed=1)
    text = function(
        "%x: tensor<?xf32>, %y: tensor<?xf32>",
        "tensor<?x3xf32>",
        """
        %0 = arith.constant 0 : index
        %n = tensor.dim %y, %0 : tensor<?xf32>
        %r = tensor.expand_shape %x [[0, 1]] output_shape [%n, 3] : tensor<?xf32> into tensor<?x3xf32>
        """,
    )
    module = check(text, [x, y], x.reshape(4, 3))
    assert '%x: tensor<?xf32, #weld.dims<"3 * s1">>' in str(module)


def test_weld_functions_stay():
    text = """
    func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
      %0 = weld.add %x, %x : tensor<4xf32>
      func.return %0 : tensor<4xf32>
    }
    """
    assert ops(convert(text)) == ["add", "return"]


def test_errors():
    dynamic = function("%n: index", "tensor<?xf32>", "%r = tensor.empty(%n) : tensor<?xf32>")
    assert "neither constants nor the shapes of arguments tell" in error(dynamic)
    different = function(
        "%x: tensor<4xf32>, %y: tensor<?xf32>",
        "tensor<?xf32>",
        """
        %a = tensor.cast %x : tensor<4xf32> to tensor<?xf32>
        %b = tensor.cast %y : tensor<?xf32> to tensor<5xf32>
        %c = tensor.cast %b : tensor<5xf32> to tensor<?xf32>
        %r = arith.addf %a, %c : tensor<?xf32>
        """,
    )
    assert "found sizes 4 and 5 along axis 0" in error(different)
    padded = function(
        "%x: tensor<3xindex>",
        "tensor<4xindex>",
        """
        %r = tensor.pad %x low[0] high[1] {
        ^bb0(%i: index):
          tensor.yield %i : index
        } : tensor<3xindex> to tensor<4xindex>
        """,
    )
    assert "depends on the index" in error(padded)
    buffers = """
    func.func @main(%x: memref<4xf32>) {
      func.return
    }
    """
    assert "works on buffers" in error(buffers)
    control = """
    func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
      cf.br ^next(%x : tensor<4xf32>)
    ^next(%y: tensor<4xf32>):
      func.return %y : tensor<4xf32>
    }
    """
    assert "several blocks" in error(control)
    recursion = """
    func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
      %0 = func.call @main(%x) : (tensor<4xf32>) -> tensor<4xf32>
      func.return %0 : tensor<4xf32>
    }
    """
    assert "recursion" in error(recursion)
