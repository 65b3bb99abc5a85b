"""What is wrong in a program is refused, and the message says what was found and what is expected."""

import re
from itertools import product
from typing import Any

import pytest
from weld_samples import ELEMENTS, Op, cases, for_each, label, operand_elements, parse, takes, tensor
from xdsl.dialects.builtin import IntegerType, Signedness, f128
from xdsl.dialects.test import TestOp as Source
from xdsl.ir import Attribute, Operation
from xdsl.utils.exceptions import ParseError, VerifyException

from loopweld.dialects.weld import ELEMENTWISE, Weld
from loopweld.dialects.weld.reductions import REDUCTIONS, Reduction
from loopweld.dialects.weld.types import BOOL, F32, F64, I64, INDEX, kind_of, with_element
from loopweld.dialects.weld.views import axes_attribute

NOT_ELEMENTS = [IntegerType(24), IntegerType(32, Signedness.SIGNED), f128]


def refuse(op: Operation, message: str) -> None:
    with pytest.raises(VerifyException, match=re.escape(message)):
        op.verify()


def build(op: Op, types: list[Attribute], result: Attribute) -> Operation:
    return op.create(operands=Source(result_types=types).results, result_types=[result])


@pytest.mark.parametrize("op", ELEMENTWISE.values(), ids=label)
def test_wrong_number_of_operands(op: Op) -> None:
    kind = tensor(next(e for e in ELEMENTS if takes(op, e)), 3)
    for count in {0, op.arity - 1, op.arity + 1}:
        refuse(build(op, [kind] * count, kind), f"{op.name} expects {op.arity} operands, found {count}")


@for_each(cases())
def test_mixed_types(op: Op, element: Attribute) -> None:
    if op.arity == 1:
        return
    types = [tensor(e, 3) for e in operand_elements(op, element)]
    other = F32 if element == F64 else F64
    for changed in (tensor(other, 3), tensor(element, 4), tensor(element), element, tensor(element, "n")):
        refuse(build(op, [*types[:-1], changed], op.infer([changed])), f"{op.name} expects operands of one")


@for_each(product([o for o in ELEMENTWISE.values() if o.name != "weld.cast"], [*ELEMENTS, *NOT_ELEMENTS]))
def test_wrong_elements(op: Op, element: Attribute) -> None:
    if element not in NOT_ELEMENTS and takes(op, element):
        return
    for kind in (tensor(element, 3), element):
        types = [with_element(kind, e) for e in operand_elements(op, element)]
        refuse(build(op, types, op.infer(types)), f"{op.name} does not take elements of type {element}")


def test_the_message_says_what_the_op_takes() -> None:
    refuse(
        build(ELEMENTWISE["sub"], [BOOL, BOOL], BOOL), "it takes float, signed integer, unsigned integer and complex"
    )
    refuse(build(ELEMENTWISE["signbit"], [I64], BOOL), "it takes float")


@for_each(cases(elements=[F32, I64, BOOL]))
def test_wrong_result(op: Op, element: Attribute) -> None:
    types = [tensor(e, 3) for e in operand_elements(op, element)]
    right = op.infer(types)
    for result in (tensor(F64, 3), with_element(tensor(element, 4), BOOL), element):
        refuse(build(op, types, result), f"{op.name} gives {right} here, but its result type is {result}")


def test_index_is_a_signed_integer() -> None:
    build(ELEMENTWISE["add"], [INDEX, INDEX], INDEX).verify()
    assert kind_of(INDEX) == "i"


@pytest.mark.parametrize("element", NOT_ELEMENTS, ids=label)
def test_casts_of_unknown_elements(element: Attribute) -> None:
    cast = ELEMENTWISE["cast"]
    refuse(build(cast, [tensor(element, 3)], tensor(F32, 3)), f"weld.cast does not take elements of type {element}")
    refuse(build(cast, [tensor(F32, 3)], tensor(element, 3)), f"weld.cast does not take elements of type {element}")
    refuse(build(cast, [tensor(F32, 3)], tensor(F64, 4)), "weld.cast changes the element type only")


@pytest.mark.parametrize("op", REDUCTIONS.values(), ids=label)
def test_reductions(op: type[Reduction]) -> None:
    element = BOOL if op.kinds == "b" else I64
    source = tensor(element, 3, 4)

    def make(types: list[Attribute], result: Attribute, axes: list[int]) -> Operation:
        operands = Source(result_types=types).results
        return op.create(operands=operands, result_types=[result], properties={"axes": axes_attribute(axes)})

    right = op.result_element(element)
    make([source], tensor(right, 3), [1]).verify()
    refuse(make([source, source], tensor(right, 3), [1]), f"{op.name} expects 1 operands, found 2")
    refuse(make([], tensor(right, 3), [1]), f"{op.name} expects 1 operands, found 0")
    refuse(make([source], tensor(right, 4), [1]), f"{op.name} gives {tensor(right, 3)} here, but its result type is")
    for axes in ([2], [-1], [1, 0], [1, 1]):
        refuse(make([source], tensor(right, 3), axes), f"{op.name} expects increasing axes below 2, found {axes}")
    for wrong in (e for e in (*ELEMENTS, *NOT_ELEMENTS) if e in NOT_ELEMENTS or kind_of(e) not in op.kinds):
        refuse(make([tensor(wrong, 3, 4)], tensor(wrong, 3), [1]), f"does not take elements of type {wrong}")
    empty = make([tensor(element, 3, 0)], tensor(right, 3), [1])
    if op.empty:
        empty.verify()
    else:
        refuse(empty, f"{op.name} over an empty axis has no value")


def test_sizes_without_symbols_are_not_checked_yet() -> None:
    module = parse("""
    func.func @main(%x : tensor<?x3xf32>) -> tensor<?xf32> {
      %y = "weld.sum"(%x) <{axes = array<i64: 1>}> : (tensor<?x3xf32>) -> tensor<?xf32>
      func.return %y : tensor<?xf32>
    }""")
    module.verify()


INVALID = {
    "broadcast to another size": (
        '"weld.broadcast"(%x) <{axes = array<i64: 0, 1>, shape = #weld.dims<"3, 5">}>'
        " : (tensor<3x4xf32>) -> tensor<3x5xf32>",
        "weld.broadcast cannot take size 4 to 5 (axis 1)",
    ),
    "broadcast axes": (
        '"weld.broadcast"(%x) <{axes = array<i64: 1, 0>, shape = #weld.dims<"4, 3">}>'
        " : (tensor<3x4xf32>) -> tensor<4x3xf32>",
        "weld.broadcast expects 2 increasing axes below 2, found [1, 0]",
    ),
    "axes that are no integers": (
        '"weld.sum"(%x) <{axes = array<f64: 0.5>}> : (tensor<3x4xf32>) -> tensor<4xf32>',
        "f64 should be of base attribute integer_type",
    ),
    "transpose": (
        '"weld.transpose"(%x) <{permutation = array<i64: 0, 0>}> : (tensor<3x4xf32>) -> tensor<3x3xf32>',
        "weld.transpose expects a permutation of 2 dims, found [0, 0]",
    ),
    "reshape": (
        '"weld.reshape"(%x) <{shape = #weld.dims<"13">}> : (tensor<3x4xf32>) -> tensor<13xf32>',
        "weld.reshape cannot take 12 elements to shape (13) of 13",
    ),
    "slice out of range": (
        '"weld.slice"(%x) <{start = #weld.dims<"0, 3">, size = #weld.dims<"3, 5">, step = #weld.dims<"1, -1">}>'
        " : (tensor<3x4xf32>) -> tensor<3x5xf32>",
        "weld.slice reads 3 to -1 of dim 1, which has size 4",
    ),
    "insert out of range": (
        '"weld.insert"(%x, %x) <{start = #weld.dims<"0, 1">, step = #weld.dims<"1, 2">}>'
        " : (tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>",
        "weld.insert writes 1 to 7 of dim 1, which has size 4",
    ),
    "insert rank": (
        '"weld.insert"(%x, %x) <{start = #weld.dims<"0">, step = #weld.dims<"1">}>'
        " : (tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>",
        "weld.insert expects an operand, start and step of 2 dims",
    ),
    "insert step": (
        '"weld.insert"(%x, %x) <{start = #weld.dims<"0, 0">, step = #weld.dims<"1, 0 - 1">}>'
        " : (tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>",
        "weld.insert expects constant positive steps, found -1 in dim 1",
    ),
    "slice rank": (
        '"weld.slice"(%x) <{start = #weld.dims<"0">, size = #weld.dims<"3">, step = #weld.dims<"1">}>'
        " : (tensor<3x4xf32>) -> tensor<3xf32>",
        "weld.slice expects start, size and step for 2 dims",
    ),
    "slice size": (
        '"weld.slice"(%x) <{start = #weld.dims<"0, 0">, size = #weld.dims<"3, 0 - 2">, step = #weld.dims<"1, 1">}>'
        " : (tensor<3x4xf32>) -> tensor<3x4xf32>",
        "weld.slice expects sizes of at least 0, found -2 in dim 1",
    ),
    "reverse": (
        '"weld.reverse"(%x) <{axes = array<i64: 2>}> : (tensor<3x4xf32>) -> tensor<3x4xf32>',
        "weld.reverse expects different axes below 2, found [2]",
    ),
    "pad value": (
        '"weld.pad"(%x, %x) <{low = #weld.dims<"0, 0">, high = #weld.dims<"0, 0">}>'
        " : (tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>",
        "weld.pad expects a fill value of type tensor<f32>",
    ),
    "pad rank": (
        '"weld.pad"(%x, %v) <{low = #weld.dims<"0">, high = #weld.dims<"0, 0">}>'
        " : (tensor<3x4xf32>, tensor<f32>) -> tensor<3x4xf32>",
        "weld.pad expects low and high for 2 dims",
    ),
    "pad cuts": (
        '"weld.pad"(%x, %v) <{low = #weld.dims<"0, 0 - 3">, high = #weld.dims<"0, 0 - 2">}>'
        " : (tensor<3x4xf32>, tensor<f32>) -> tensor<3x4xf32>",
        "weld.pad cuts more than there is: the result's shape is (3, -1)",
    ),
    "pad operands": (
        '"weld.pad"(%x) <{low = #weld.dims<"0, 0">, high = #weld.dims<"0, 0">}> : (tensor<3x4xf32>) -> tensor<3x4xf32>',
        "weld.pad expects 2 operands, found 1",
    ),
    "concat": (
        '"weld.concat"(%x, %w) <{axis = 0 : i64}> : (tensor<3x4xf32>, tensor<3x5xf32>) -> tensor<6x4xf32>',
        "weld.concat expects operands that agree outside axis 0, found tensor<3x4xf32> and tensor<3x5xf32>",
    ),
    "concat rank": (
        '"weld.concat"(%x, %v) <{axis = 1 : i64}> : (tensor<3x4xf32>, tensor<f32>) -> tensor<3x4xf32>',
        "weld.concat expects operands of 2 dims",
    ),
    "concat axis": (
        '"weld.concat"(%x) <{axis = 2 : i64}> : (tensor<3x4xf32>) -> tensor<3x4xf32>',
        "weld.concat expects an axis below 2, found 2",
    ),
    "concat of nothing": (
        '"weld.concat"() <{axis = 0 : i64}> : () -> tensor<3x4xf32>',
        "weld.concat expects at least one operand",
    ),
    "iota": (
        '"weld.iota"() <{axis = 1 : i64, shape = #weld.dims<"3">}> : () -> tensor<3xf32>',
        "weld.iota expects an axis below 1",
    ),
    "gather axes": (
        '"weld.gather"(%x, %i) <{axes = array<i64: 2>, at = 0 : i64}>'
        " : (tensor<3x4xf32>, tensor<7xi64>) -> tensor<7xf32>",
        "weld.gather expects one index for each of the axes [2] of tensor<3x4xf32>",
    ),
    "gather negative axis": (
        '"weld.gather"(%x, %i) <{axes = array<i64: -1>, at = 0 : i64}>'
        " : (tensor<3x4xf32>, tensor<7xi64>) -> tensor<7xf32>",
        "weld.gather expects one index for each of the axes [-1] of tensor<3x4xf32>",
    ),
    "gather indices": (
        '"weld.gather"(%x, %x) <{axes = array<i64: 0>, at = 0 : i64}>'
        " : (tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<7xf32>",
        "weld.gather expects int64 indices of one shape, found tensor<3x4xf32>",
    ),
    "gather position": (
        '"weld.gather"(%x, %i) <{axes = array<i64: 0>, at = 2 : i64}>'
        " : (tensor<3x4xf32>, tensor<7xi64>) -> tensor<4x7xf32>",
        "weld.gather expects at from 0 to 1, found 2",
    ),
    "gather without index": (
        '"weld.gather"(%x) <{axes = array<i64>, at = 0 : i64}> : (tensor<3x4xf32>) -> tensor<3x4xf32>',
        "weld.gather expects index operands",
    ),
    "scatter kind": (
        '"weld.scatter"(%x, %w, %i) <{axes = array<i64: 0>, at = 0 : i64, kind = "avg"}>'
        " : (tensor<3x4xf32>, tensor<3x5xf32>, tensor<7xi64>) -> tensor<3x4xf32>",
        "weld.scatter has no kind 'avg'; it has set, add, mul, max, min",
    ),
    "scatter updates": (
        '"weld.scatter"(%x, %w, %i) <{axes = array<i64: 0>, at = 0 : i64, kind = "add"}>'
        " : (tensor<3x4xf32>, tensor<3x5xf32>, tensor<7xi64>) -> tensor<3x4xf32>",
        "weld.scatter expects updates of type tensor<7x4xf32>, found tensor<3x5xf32>",
    ),
    "matmul": (
        '"weld.matmul"(%x, %w) : (tensor<3x4xf32>, tensor<3x5xf32>) -> tensor<3x5xf32>',
        "weld.matmul expects (..., n, k) and (..., k, m), found tensor<3x4xf32> and tensor<3x5xf32>",
    ),
    "cholesky": (
        '"weld.cholesky"(%x) : (tensor<3x4xf32>) -> tensor<3x4xf32>',
        "weld.cholesky expects square matrices of floats, found tensor<3x4xf32>",
    ),
    "triangular system": (
        '"weld.solve_triangular"(%s, %w) : (tensor<4x4xf32>, tensor<3x5xf32>) -> tensor<3x5xf32>',
        "weld.solve_triangular expects (..., n, n) and (..., n, k), found tensor<4x4xf32> and tensor<3x5xf32>",
    ),
    "lu": (
        '"weld.lu"(%s) : (tensor<4x4xf32>) -> tensor<4x4xf32>',
        "weld.lu gives tensor<4x4xf32> and tensor<4xi64> here, but its result types are tensor<4x4xf32>",
    ),
    "permutation": (
        '"weld.permutation"(%x) : (tensor<3x4xf32>) -> tensor<3x4xf32>',
        "weld.permutation expects int64 numbers of rows, found tensor<3x4xf32>",
    ),
    "cumsum": (
        '"weld.cumsum"(%x) <{axis = 2 : i64}> : (tensor<3x4xf32>) -> tensor<3x4xf32>',
        "weld.cumsum expects an axis below 2",
    ),
    "library": (
        'weld.library "os.system"(%x) "{}" : (tensor<3x4xf32>) -> tensor<3x4xf32>',
        "weld.library calls numpy and scipy functions only, found os.system",
    ),
    "check": ('weld.check %x "bad" "ValueError" : tensor<3x4xf32>', "weld.check expects a tensor<i1>"),
    "constant": (
        '"weld.constant"() <{value = 1 : i32}> : () -> tensor<3xf32>',
        "weld.constant holds a i32, but its type is tensor<3xf32>",
    ),
}


@pytest.mark.parametrize("name", INVALID)
def test_tensor_ops(name: str) -> None:
    text, message = INVALID[name]
    module = parse(f"""
    func.func @main(%x : tensor<3x4xf32>, %w : tensor<3x5xf32>, %v : tensor<f32>, %i : tensor<7xi64>,
                    %s : tensor<4x4xf32>) {{
      {text if text.startswith("weld.check") else "%r = " + text}
      func.return
    }}""")
    refuse(module, message)


UNREADABLE = {
    "a fraction for integers": ("weld.constant 0.5 : tensor<3xi32>", "0.5 is not a value of i32"),
    "an integer that does not fit": ("weld.constant 300 : tensor<3xi8>", "300 is not a value of i8"),
    "a negative unsigned": ("weld.constant -1 : tensor<3xui8>", "-1 is not a value of ui8"),
    "a complex number for floats": ("weld.constant (1.0, 2.0) : tensor<3xf32>", "is not a value of f32"),
    "an unknown element": ("weld.constant 1 : tensor<3xi24>", "1 is not a value of i24"),
    "a dense scalar": ("weld.constant dense<1> : tensor<2xi32> : i32", "a dense constant needs a tensor type"),
    "a size": ('weld.size "n +" : tensor<i64>', "not an integer expression: 'n +'"),
    "a result of a generic": ('weld.generic over "3" gives "write d0 +" {}', "not an integer expression: 'd0 +'"),
    "a cast without types": ("weld.cast %x : tensor<3xf32>", "weld.cast expects a function type"),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_unreadable(name: str) -> None:
    text, message = UNREADABLE[name]
    with pytest.raises(ParseError, match=re.escape(message)):
        parse(f"func.func @main(%x : tensor<3xf32>) {{\n  %r = {text}\n  func.return\n}}")


def test_every_tensor_op_refuses_wrong_counts() -> None:
    known = {"pad": 2, "insert": 2, "matmul": 2, "solve_triangular": 2, "iota": 0}
    for op in Weld.operations:
        short: Any = op.name.removeprefix("weld.")
        arity = getattr(op, "arity", None)
        if short not in ELEMENTWISE and arity is not None:
            assert arity == known.get(short, 1)
