"""Named ops, `linalg.map`, `linalg.reduce` and `linalg.elementwise` in the forms that upstream prints and takes."""

from typing import Any

import numpy as np
import pytest
import scipy.special
from linalg.running import array, check, error, ops, parse
from xdsl.utils.exceptions import ParseError

T = "tensor<5x7xf32>"


def function(body: str, args: str, result: str) -> str:
    return f"func.func @main({args}) -> {result} {{\n  {body}\n  return %r : {result}\n}}\n"


def one_op(name: str, kinds: list[str], result: str) -> str:
    """A function that is one named op over its arguments; what is in `outs` does not count."""
    args = [f"%x{k}: {kind}" for k, kind in enumerate(kinds)]
    ins = f"{', '.join(f'%x{k}' for k in range(len(kinds)))} : {', '.join(kinds)}"
    return function(
        f"%r = {name} ins({ins}) outs(%o : {result}) -> {result}", ", ".join([*args, f"%o: {result}"]), result
    )


FLOATS: dict[str, Any] = {
    "exp": np.exp,
    "log": np.log,
    "abs": np.abs,
    "ceil": np.ceil,
    "floor": np.floor,
    "negf": np.negative,
    "reciprocal": np.reciprocal,
    "round": lambda x: np.copysign(np.floor(np.abs(x) + np.float32(0.5)), x),
    "sqrt": np.sqrt,
    "rsqrt": lambda x: 1 / np.sqrt(x),
    "square": np.square,
    "tanh": np.tanh,
    "erf": scipy.special.erf,
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": np.divide,
    "max": np.maximum,
    "min": np.minimum,
    "powf": np.power,
}
INTEGERS: dict[str, Any] = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": lambda x, y: np.trunc(x / y).astype(np.int32),
    "div_unsigned": lambda x, y: (x.view(np.uint32) // y.view(np.uint32)).view(np.int32),
    "max": np.maximum,
    "min": np.minimum,
}
BOOLS: dict[str, Any] = {"add": np.logical_or, "mul": np.logical_and}


@pytest.mark.parametrize(
    "name, reference, dtype, kind",
    [
        *((name, f, np.float32, "f32") for name, f in FLOATS.items()),
        *((name, f, np.int32, "i32") for name, f in INTEGERS.items()),
        *((name, f, np.bool_, "i1") for name, f in BOOLS.items()),
    ],
)
def test_elementwise(name: str, reference: Any, dtype: Any, kind: str):
    arity = 2 if name in INTEGERS or name in ("powf",) else 1
    inputs = [array((5, 7), dtype, seed) for seed in range(arity)]
    inputs = [np.abs(x) + dtype(1) if name in ("log", "sqrt", "rsqrt", "powf") else x for x in inputs]
    if dtype is np.int32:
        inputs[-1] = np.where(inputs[-1] == 0, dtype(3), inputs[-1])
    text = one_op(f"linalg.{name}", [f"tensor<5x7x{kind}>"] * arity, f"tensor<5x7x{kind}>")
    found = check(text, [*inputs, np.zeros((5, 7), dtype)], reference(*inputs), rtol=1e-5)
    assert "generic" not in ops(found)


def test_what_has_no_meaning_is_refused():
    for name, kind in (("sub", "i1"), ("exp", "i32"), ("div_unsigned", "f32")):
        arity = 1 if name == "exp" else 2
        with pytest.raises(ParseError, match=f"'linalg.{name}' op has no meaning on elements of type {kind}"):
            parse(one_op(f"linalg.{name}", [f"tensor<4x{kind}>"] * arity, f"tensor<4x{kind}>"))


def test_elementwise_with_maps():
    maps = "[affine_map<(d0, d1) -> (d1, d0)>, affine_map<(d0, d1) -> (d1)>, affine_map<(d0, d1) -> (d0, d1)>]"
    op = f"linalg.elementwise kind=#linalg.elementwise_kind<max_signed> indexing_maps = {maps}"
    x, y = array((7, 5)), array((7,), seed=1)
    check(one_op(op, ["tensor<7x5xf32>", "tensor<7xf32>"], T), [x, y, array((5, 7))], np.maximum(x.T, y))
    plain = one_op("linalg.elementwise kind=#linalg.elementwise_kind<select>", ["tensor<5x7xi1>", T, T], T)
    p, a, b = array((5, 7), np.bool_), array((5, 7)), array((5, 7), seed=1)
    found = check(plain, [p, a, b, a], np.where(p, a, b))
    assert ops(found) == ["select", "return"]


@pytest.mark.parametrize(
    "op",
    [
        "linalg.map { arith.subf } ins(%x, %y : {T}, {T}) outs(%o : {T})",
        "linalg.map { arith.subf {fastmath = #arith.fastmath<fast>} } ins(%x, %y : {T}, {T}) outs(%o : {T})",
        "linalg.map ins(%x, %y : {T}, {T}) outs(%o : {T})\n    (%a: f32, %b: f32, %c: f32) {\n"
        "      %0 = arith.subf %a, %b : f32\n      linalg.yield %0 : f32\n    }",
    ],
)
def test_map(op: str):
    x, y = array((5, 7)), array((5, 7), seed=1)
    text = function(f"%r = {op.replace('{T}', T)}", f"%x: {T}, %y: {T}, %o: {T}", T)
    check(text, [x, y, x], x - y)


def test_map_of_no_inputs():
    body = (
        "%r = linalg.map outs(%o : tensor<4xf32>) (%c: f32) {\n"
        "    %0 = arith.constant 2.5 : f32\n    linalg.yield %0 : f32\n  }"
    )
    check(function(body, "%o: tensor<4xf32>", "tensor<4xf32>"), [array((4,))], np.full(4, 2.5, np.float32))


def test_reduce_in_short_form():
    body = f"%r = linalg.reduce {{ arith.maximumf }} ins(%x : {T}) outs(%o : tensor<5xf32>) dimensions = [1]"
    x, o = array((5, 7)), array((5,), seed=1)
    check(function(body, f"%x: {T}, %o: tensor<5xf32>", "tensor<5xf32>"), [x, o], np.maximum(x.max(axis=1), o))


def test_reduce_of_several_tensors():
    text = f"""
    func.func @main(%x: {T}, %y: tensor<5x7xi64>, %a: tensor<7xf32>, %b: tensor<7xi64>)
        -> (tensor<7xf32>, tensor<7xi64>) {{
      %r:2 = linalg.reduce ins(%x, %y : {T}, tensor<5x7xi64>) outs(%a, %b : tensor<7xf32>, tensor<7xi64>)
        dimensions = [0]
        (%i: f32, %j: i64, %s: f32, %t: i64) {{
          %0 = arith.addf %i, %s : f32
          %1 = arith.maxsi %j, %t : i64
          linalg.yield %0, %1 : f32, i64
        }}
      return %r#0, %r#1 : tensor<7xf32>, tensor<7xi64>
    }}
    """
    x, y, a, b = array((5, 7)), array((5, 7), np.int64), array((7,)), array((7,), np.int64, 1)
    found = check(text, [x, y, a, b], a + x.sum(axis=0), np.maximum(y.max(axis=0), b), rtol=1e-5)
    assert ops(found).count("generic") == 1, "both in one loop nest"


def test_generic_with_several_results_and_an_alias_for_its_attributes():
    text = f"""
    #maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (j, i)>, affine_map<(i, j) -> (i)>]
    #trait = {{indexing_maps = #maps, iterator_types = ["parallel", "reduction"], doc = "a doc"}}
    func.func @main(%x: {T}, %t: tensor<7x5xf32>, %o: tensor<5xf32>) -> (tensor<7x5xf32>, tensor<5xf32>) {{
      %r:2 = linalg.generic #trait ins(%x : {T}) outs(%t, %o : tensor<7x5xf32>, tensor<5xf32>) {{
      ^bb0(%a: f32, %b: f32, %s: f32):
        %0 = arith.addf %s, %a : f32
        linalg.yield %a, %0 : f32, f32
      }} -> (tensor<7x5xf32>, tensor<5xf32>)
      return %r#0, %r#1 : tensor<7x5xf32>, tensor<5xf32>
    }}
    """
    x = array((5, 7))
    check(text, [x, x.T.copy(), np.zeros(5, np.float32)], x.T, x.sum(axis=1), rtol=1e-5)


@pytest.mark.parametrize(
    "name, subscripts",
    [
        ("dot", "k,k->"),
        ("matvec", "mk,k->m"),
        ("vecmat", "k,kn->n"),
        ("matmul", "mk,kn->mn"),
        ("batch_matvec", "bmk,bk->bm"),
        ("batch_vecmat", "bk,bkn->bn"),
        ("batch_matmul", "bmk,bkn->bmn"),
        ("batch_reduce_matmul", "bmk,bkn->mn"),
        ("mmt4d", "mkac,nkbc->mnab"),
        (
            "matmul indexing_maps = [affine_map<(m, n, k) -> (k, m)>, affine_map<(m, n, k) -> (k, n)>,"
            " affine_map<(m, n, k) -> (m, n)>]",
            "km,kn->mn",
        ),
    ],
)
def test_contractions(name: str, subscripts: str):
    sizes = dict(zip("abckmn", (2, 3, 4, 5, 6, 7), strict=True))
    inputs, _, output = subscripts.partition("->")
    shapes = [[sizes[d] for d in part] for part in (*inputs.split(","), output)]
    kinds = [f"tensor<{''.join(f'{n}x' for n in shape)}f32>" for shape in shapes]
    x, y, o = (array(shape, seed=k) for k, shape in enumerate(shapes))
    check(one_op(f"linalg.{name}", kinds[:2], kinds[2]), [x, y, o], np.einsum(subscripts, x, y) + o, rtol=1e-4)


def test_factors_are_cast_to_the_type_of_the_sum():
    x, y, o = array((3, 4), np.int8), array((4, 2), np.int8, 1), np.zeros((3, 2), np.int32)
    kinds = ["tensor<3x4xi8>", "tensor<4x2xi8>"]
    check(one_op("linalg.matmul", kinds, "tensor<3x2xi32>"), [x, y, o], x.astype(np.int32) @ y.astype(np.int32))
    unsigned = one_op("linalg.matmul {cast = #linalg.type_fn<cast_unsigned>}", kinds, "tensor<3x2xi32>")
    wide = [a.view(np.uint8).astype(np.int32) for a in (x, y)]
    check(unsigned, [x, y, o], wide[0] @ wide[1])


def test_comparisons_and_selections_of_tensors():
    body = f"%c = arith.cmpf olt, %x, %y : {T}\n  %r = arith.select %c, %x, %y : tensor<5x7xi1>, {T}"
    x, y = array((5, 7)), array((5, 7), seed=1)
    check(function(body, f"%x: {T}, %y: {T}", T), [x, y], np.minimum(x, y))


def test_buffers_are_refused():
    text = "func.func @main(%x: memref<4xf32>, %y: tensor<4xf32>) -> tensor<4xf32> {\n  return %y : tensor<4xf32>\n}"
    assert "works on buffers; loopweld reads functions on tensors" in error(text)


def test_a_large_splat_is_one_number():
    kind = "tensor<100000x100000xf32>"
    module = parse(function(f"%r = arith.constant dense<1.5> : {kind}", "", kind))
    assert f"dense<1.500000e+00> : {kind}" in str(module)
