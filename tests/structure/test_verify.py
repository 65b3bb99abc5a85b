"""`verify_module` on IR that no text can express; lit_tests/passes/verify.mlir holds the rest."""

from typing import Any

import pytest
from structure.walks import parse
from xdsl.ir import Operation
from xdsl.utils.exceptions import VerifyException

from loopweld.failures import failing_operation
from loopweld.passes.verify import verify_module

CHAIN = """
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  %a = weld.exp %x : tensor<4xf32>
  %b = weld.neg %a : tensor<4xf32>
  func.return %b : tensor<4xf32>
}
"""

NESTED = """
func.func private @k(%x: !loop.buffer<f32>, %n: i64) {
  %zero = weld.constant 0 : i64
  loop.for %i = %zero to %n step 1 "d0" {
    %v = loop.load %x[%i] : !loop.buffer<f32>, i64 -> f32
    loop.yield
  }
  %w = loop.load %x[%n] : !loop.buffer<f32>, i64 -> f32
  %y = weld.exp %w : f32
  func.return
}
"""


def find(module: Any, name: str, number: int = 0) -> Operation:
    return [op for op in module.walk() if op.name == name][number]


def refuse(module: Any, culprit: Operation, message: str) -> None:
    """The error says so, and the tools find the op it is about."""
    with pytest.raises(VerifyException, match=message) as caught:
        verify_module(module)
    assert failing_operation(caught.value) is culprit


def test_what_is_right_is_accepted():
    verify_module(parse(CHAIN))
    verify_module(parse(NESTED))


def test_an_operand_whose_op_left_the_module():
    module = parse(CHAIN)
    find(module, "weld.exp").detach()
    refuse(module, find(module, "weld.neg"), "operand #0 belongs to 'weld.exp' that is not in the module")


def test_an_operand_whose_op_was_erased():
    module = parse(CHAIN)
    op = find(module, "weld.exp")
    op.detach()
    op.erase(safe_erase=False)
    refuse(module, find(module, "weld.neg"), "operand #0 belongs to 'weld.exp' that is not in the module")


def test_an_argument_of_another_module():
    module, other = parse(CHAIN), parse(CHAIN)
    argument = find(other, "weld.exp").operands[0]
    find(other, "func.func").detach()
    op = find(module, "weld.neg")
    op.operands[0] = argument
    refuse(module, op, "operand #0 belongs to a block that is not in the module")


def test_a_value_of_a_region_that_is_left():
    module = parse(NESTED)
    op = find(module, "weld.exp")
    op.operands[0] = find(module, "loop.load", 0).results[0]
    refuse(module, op, "operand #0 is defined in a region that the operation is not in")


def test_an_op_moved_before_its_operand():
    module = parse(CHAIN)
    first, second = find(module, "weld.exp"), find(module, "weld.neg")
    block = second.parent
    assert block is not None
    second.detach()
    block.insert_op_before(second, first)
    refuse(module, second, "operand #0 does not dominate this use")
