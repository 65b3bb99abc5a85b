"""Sizes and offsets that arguments give: held to what the tensors say when the program runs."""

import numpy as np
import pytest
from linalg.running import array, error
from xdsl.utils.exceptions import VerifyException

import loopweld as lw

GIVEN = """
func.func @main(%n: index, %x: tensor<?xf32>) -> tensor<?xf32> {
  %e = tensor.empty(%n) : tensor<?xf32>
  %r = linalg.exp ins(%x : tensor<?xf32>) outs(%e : tensor<?xf32>) -> tensor<?xf32>
  return %r : tensor<?xf32>
}
"""
SLICE = """
func.func @main(%x: tensor<?xf32>) -> tensor<4xf32> {
  %s = tensor.extract_slice %x[3] [4] [2] : tensor<?xf32> to tensor<4xf32>
  %r = math.exp %s : tensor<4xf32>
  return %r : tensor<4xf32>
}
"""


def test_a_size_that_an_argument_gives():
    program, x = lw.compile(GIVEN), array((5,))
    np.testing.assert_allclose(program(np.int64(5), x), np.exp(x), rtol=1e-6)
    with pytest.raises(ValueError, match=r"tensor.empty: a size is not that of the tensors it is used with"):
        program(np.int64(6), x)


def test_a_slice_stays_inside():
    program, x = lw.compile(SLICE), array((10,))
    np.testing.assert_allclose(program(x), np.exp(x[3:10:2]), rtol=1e-6)
    with pytest.raises(ValueError, match=r"tensor.extract_slice: expects a slice within the tensor"):
        program(x[:9].copy())
    static = SLICE.replace("?", "9")
    assert error(static) == "expects a slice within the tensor"


def test_what_is_known_is_not_checked():
    shifted = SLICE.replace("[3] [4] [2]", "[3] [4] [1]").replace("?", "9")
    assert "weld.check" not in lw.compile(shifted).as_text("tensor")


def test_bf16_is_no_type_of_arrays():
    text = "func.func @main(%x: tensor<4xbf16>) -> tensor<4xbf16> {\n  return %x : tensor<4xbf16>\n}"
    with pytest.raises(VerifyException, match=r"has tensor<4xbf16.*> in its type, and NumPy has no bf16"):
        lw.compile(text)


def test_a_tensor_beyond_any_memory():
    kind = "tensor<1000000x1000000x1000000xf32>"
    text = f"func.func @main(%x: {kind}) -> {kind} {{\n  return %x : {kind}\n}}"
    with pytest.raises(VerifyException, match="which is more than 281474976710656 bytes"):
        lw.compile(text)
