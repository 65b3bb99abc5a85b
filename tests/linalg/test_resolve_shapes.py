"""`resolve-shapes`: weld text with plain `?` sizes."""

from typing import Any

import numpy as np
import pytest
from linalg.running import array, context
from xdsl.dialects.builtin import ModuleOp
from xdsl.utils.exceptions import VerifyException

from loopweld.passes.evaluate import evaluate
from loopweld.passes.resolve_shapes import ResolveShapes
from loopweld.source_parser import SourceParser


def resolve(arguments: str, result: str, body: str) -> ModuleOp:
    text = f"func.func @main({arguments}) -> {result} {{\n{body}\nfunc.return %r : {result}\n}}"
    module = SourceParser(context(), text, "test.mlir").parse_module()
    ResolveShapes().apply(context(), module)
    module.verify()
    return module


def check(module: ModuleOp, inputs: list[Any], expected: Any) -> str:
    np.testing.assert_allclose(evaluate(module, inputs)[0], expected, rtol=1e-5)
    return str(module)


def test_each_size_gets_a_symbol_and_results_follow():
    x = array((3, 8))
    module = resolve("%x: tensor<?x8xf32>", "tensor<?x8xf32>", "%r = weld.exp %x : tensor<?x8xf32>")
    text = check(module, [x], np.exp(x))
    assert text.count('tensor<?x8xf32, #weld.dims<"s0, 8">>') == 4


def test_symbols_that_must_be_equal_are_merged_into_the_first():
    x, y = array((3, 4)), array((3, 4), seed=1)
    module = resolve(
        "%x: tensor<?x?xf32>, %y: tensor<?x?xf32>", "tensor<?x?xf32>", "%r = weld.add %x, %y : tensor<?x?xf32>"
    )
    text = check(module, [x, y], x + y)
    assert '%y: tensor<?x?xf32, #weld.dims<"s0, s1">>' in text
    assert "s2" not in text


def test_a_static_result_type_makes_the_argument_static():
    body = (
        '%0 = weld.exp %x : tensor<?xf32>\n%r = "weld.concat"(%0) {axis = 0 : i64} : (tensor<?xf32>) -> tensor<5xf32>'
    )
    module = resolve("%x: tensor<?xf32>", "tensor<5xf32>", body)
    x = array((5,))
    assert "%x: tensor<5xf32>" in check(module, [x], np.exp(x))


def test_names_of_the_user_stay():
    named = 'tensor<?xf32, #weld.dims<"n">>'
    body = f"""
    %b = "weld.broadcast"(%x) <{{axes = array<i64: 1>, shape = #weld.dims<"4, n">}}>
        : (tensor<?xf32>) -> tensor<4x?xf32>
    %s = "weld.sum"(%b) <{{axes = array<i64: 0>}}> : (tensor<4x?xf32>) -> tensor<?xf32>
    %r = "weld.concat"(%s, %y) <{{axis = 0 : i64}}> : (tensor<?xf32>, {named}) -> tensor<?xf32>
    """
    x, y = array((3,)), array((3,), seed=1)
    module = resolve(f"%x: tensor<?xf32>, %y: {named}", "tensor<?xf32>", body)
    text = check(module, [x, y], np.concatenate([4 * x, y]))
    assert f"%x: {named}, %y: {named}" in text
    assert '-> tensor<?xf32, #weld.dims<"2 * n">>' in text


def test_matmul_and_constants_take_their_sizes_from_their_use():
    body = """
    %k = weld.constant 0.5 : tensor<?x?xf32>
    %m = "weld.matmul"(%x, %y) : (tensor<?x4xf32>, tensor<?x?xf32>) -> tensor<?x?xf32>
    %r = weld.mul %m, %k : tensor<?x?xf32>
    """
    x, y = array((3, 4)), array((4, 5), seed=1)
    module = resolve("%x: tensor<?x4xf32>, %y: tensor<?x?xf32>", "tensor<?x?xf32>", body)
    text = check(module, [x, y], x @ y / 2)
    assert 'weld.constant 0.5 : tensor<?x?xf32, #weld.dims<"s0, s2">>' in text


def test_generics_tie_their_domain_to_what_they_read():
    body = """
    %r = weld.generic over "n, 8" gives "sum d0" {
      %0 = weld.load %x "d0, d1" : tensor<?x8xf32>
      weld.yield %0 : f32
    } : tensor<?xf32>
    """
    x = array((3, 8))
    text = check(resolve("%x: tensor<?x8xf32>", "tensor<?xf32>", body), [x], x.sum(axis=1))
    assert '%x: tensor<?x8xf32, #weld.dims<"n, 8">>' in text


def test_encoded_types_stay():
    kind = 'tensor<?xf32, #weld.dims<"2 * n">>'
    other = 'tensor<?xf32, #weld.dims<"n">>'
    module = resolve(f"%x: {kind}, %y: {other}", kind, f"%r = weld.exp %x : {kind}")
    assert str(module).count(kind) == 4


@pytest.mark.parametrize(
    "arguments, body, message",
    [
        (
            "%x: tensor<?xf32>, %y: tensor<4xf32>, %z: tensor<5xf32>",
            """
            %a = "weld.add"(%x, %y) : (tensor<?xf32>, tensor<4xf32>) -> tensor<?xf32>
            %r = "weld.add"(%a, %z) : (tensor<?xf32>, tensor<5xf32>) -> tensor<?xf32>
            """,
            "found sizes 4 and 5 along axis 0",
        ),
        (
            "%x: tensor<?xf32>",
            '%r = "weld.iota"() <{axis = 0 : i64, shape = #weld.dims<"m">}> : () -> tensor<?xf32>',
            "has a size 'm' that no argument's shape tells",
        ),
        (
            "%x: tensor<?xf32>, %y: tensor<?x?xf32>",
            '%r = "weld.add"(%x, %y) : (tensor<?xf32>, tensor<?x?xf32>) -> tensor<?xf32>',
            "to have 1 dims, found 2",
        ),
        ("%x: tensor<?xf32>", "%r = arith.addf %x, %x : tensor<?xf32>", "run convert-linalg-to-weld first"),
    ],
)
def test_errors(arguments: str, body: str, message: str):
    with pytest.raises(VerifyException, match=message.replace("(", r"\(")):
        resolve(arguments, "tensor<?xf32>", body)
