"""arith and math ops, in bodies and directly on tensors."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from linalg.running import array, check, error


def in_body(op: str, arity: int, kind: str, result: str) -> str:
    """`op` in the body of a generic."""
    names = [f"%a{k}" for k in range(arity)]
    args = ", ".join(f"%x{k}: tensor<64x{kind}>" for k in range(arity))
    inputs = ", ".join(f"%x{k}" for k in range(arity))
    maps = ", ".join(["affine_map<(d0) -> (d0)>"] * (arity + 1))
    return f"""
    func.func @main({args}) -> tensor<64x{result}> {{
      %e = tensor.empty() : tensor<64x{result}>
      %r = linalg.generic {{indexing_maps = [{maps}], iterator_types = ["parallel"]}}
          ins({inputs} : {", ".join([f"tensor<64x{kind}>"] * arity)}) outs(%e : tensor<64x{result}>) {{
      ^bb0({", ".join(f"{n}: {kind}" for n in names)}, %o: {result}):
        %0 = {op.format(", ".join(names), type=kind, result=result)}
        linalg.yield %0 : {result}
      }} -> tensor<64x{result}>
      func.return %r : tensor<64x{result}>
    }}
    """


def on_tensors(op: str, arity: int, kind: str, result: str) -> str:
    """`op` on whole tensors."""
    args = ", ".join(f"%x{k}: tensor<64x{kind}>" for k in range(arity))
    text = op.format(
        ", ".join(f"%x{k}" for k in range(arity)), type=f"tensor<64x{kind}>", result=f"tensor<64x{result}>"
    )
    return f"""
    func.func @main({args}) -> tensor<64x{result}> {{
      %0 = {text}
      func.return %0 : tensor<64x{result}>
    }}
    """


FORMS = pytest.mark.parametrize("form", [in_body, on_tensors])


def unsigned(f: Callable[..., Any]) -> Callable[..., Any]:
    """`f` on the operands' bits taken as unsigned integers, the result taken as signed."""

    def call(*arrays: Any) -> Any:
        result = f(*(a.view(f"u{a.dtype.itemsize}") for a in arrays))
        return result if result.dtype == bool else result.view(result.dtype.str.replace("u", "i"))

    return call


def toward_zero(x: Any, y: Any) -> Any:
    return np.trunc(x.astype(float) / y).astype(x.dtype)


INTEGER_OPS = {
    "addi": np.add,
    "subi": np.subtract,
    "muli": np.multiply,
    "maxsi": np.maximum,
    "minsi": np.minimum,
    "maxui": unsigned(np.maximum),
    "minui": unsigned(np.minimum),
    "andi": np.bitwise_and,
    "ori": np.bitwise_or,
    "xori": np.bitwise_xor,
    "divsi": toward_zero,
    "remsi": np.fmod,
    "floordivsi": np.floor_divide,
    "ceildivsi": lambda x, y: -(-x // y),
    "divui": unsigned(np.floor_divide),
    "remui": unsigned(np.remainder),
    "ceildivui": unsigned(lambda x, y: x // y + (x % y != 0).astype(x.dtype)),
}


@FORMS
@pytest.mark.parametrize("name", INTEGER_OPS)
@pytest.mark.parametrize("kind", ["i8", "i32", "i64"])
def test_integers(name: str, kind: str, form: Any):
    x, y = array((64,), f"i{int(kind[1:]) // 8}"), array((64,), f"i{int(kind[1:]) // 8}", seed=1)
    y[y == 0] = 7
    check(form(f"arith.{name} {{}} : {{type}}", 2, kind, kind), [x, y], INTEGER_OPS[name](x, y))


@FORMS
@pytest.mark.parametrize(
    "name, f", [("shli", np.left_shift), ("shrsi", np.right_shift), ("shrui", unsigned(np.right_shift))]
)
def test_shifts(name: str, f: Any, form: Any):
    x, count = array((64,), np.int32), np.arange(64, dtype=np.int32) % 32
    check(form(f"arith.{name} {{}} : {{type}}", 2, "i32", "i32"), [x, count], f(x, count))


BOOL_OPS = {
    "addi": np.not_equal,
    "subi": np.not_equal,
    "muli": np.logical_and,
    "maxsi": np.logical_and,
    "minsi": np.logical_or,
    "maxui": np.logical_or,
    "minui": np.logical_and,
    "andi": np.logical_and,
    "ori": np.logical_or,
    "xori": np.not_equal,
}


@FORMS
@pytest.mark.parametrize("name", BOOL_OPS)
def test_bools(name: str, form: Any):
    """A signed true is -1."""
    x, y = array((64,), bool), array((64,), bool, seed=1)
    check(form(f"arith.{name} {{}} : {{type}}", 2, "i1", "i1"), [x, y], BOOL_OPS[name](x, y))


COMPARISONS = {
    "eq": np.equal,
    "ne": np.not_equal,
    "slt": np.less,
    "sle": np.less_equal,
    "sgt": np.greater,
    "sge": np.greater_equal,
    "ult": unsigned(np.less),
    "ule": unsigned(np.less_equal),
    "ugt": unsigned(np.greater),
    "uge": unsigned(np.greater_equal),
}


@pytest.mark.parametrize("predicate", COMPARISONS)
def test_integer_comparisons(predicate: str):
    x, y = array((64,), np.int16), array((64,), np.int16, seed=1)
    y[::4] = x[::4]
    check(in_body(f"arith.cmpi {predicate}, {{}} : {{type}}", 2, "i16", "i1"), [x, y], COMPARISONS[predicate](x, y))


@pytest.mark.parametrize("predicate", COMPARISONS)
def test_bool_comparisons(predicate: str):
    x, y = array((64,), bool), array((64,), bool, seed=1)
    name = predicate[1:] if predicate[0] in "su" else predicate
    f = {"eq": np.equal, "ne": np.not_equal, "lt": np.less, "le": np.less_equal}
    f |= {"gt": np.greater, "ge": np.greater_equal}
    expected = f[name](-x.astype(int), -y.astype(int)) if predicate[0] == "s" else f[name](x, y)
    check(in_body(f"arith.cmpi {predicate}, {{}} : {{type}}", 2, "i1", "i1"), [x, y], expected)


FLOAT_COMPARISONS = {"eq": np.equal, "gt": np.greater, "ge": np.greater_equal, "lt": np.less, "le": np.less_equal}


@pytest.mark.parametrize("order", ["oeq", "ogt", "oge", "olt", "ole", "one", "ord", "ueq", "ugt", "uge", "ult", "ule"])
def test_float_comparisons(order: str):
    x, y = array((64,)), array((64,), seed=1)
    y[::4] = x[::4]
    x[::5], y[::7] = np.nan, np.nan
    nan = np.isnan(x) | np.isnan(y)
    if order == "ord":
        expected = ~nan
    else:
        plain = ~np.equal(x, y) if order[1:] == "ne" else FLOAT_COMPARISONS[order[1:]](x, y)
        expected = np.where(nan, order[0] == "u", plain)
    check(in_body(f"arith.cmpf {order}, {{}} : {{type}}", 2, "f32", "i1"), [x, y], expected)


@pytest.mark.parametrize("order, value", [("une", None), ("uno", None), ("true", True), ("false", False)])
def test_other_float_comparisons(order: str, value: bool | None):
    x, y = array((64,)), array((64,), seed=1)
    y[::4] = x[::4]
    x[::5] = np.nan
    expected = np.full(64, value) if value is not None else np.isnan(x) if order == "uno" else x != y
    check(in_body(f"arith.cmpf {order}, {{}} : {{type}}", 2, "f32", "i1"), [x, y], expected)


FLOAT_OPS: dict[str, tuple[int, Any]] = {
    "arith.addf": (2, np.add),
    "arith.subf": (2, np.subtract),
    "arith.mulf": (2, np.multiply),
    "arith.divf": (2, np.divide),
    "arith.negf": (1, np.negative),
    "arith.maximumf": (2, np.maximum),
    "arith.minimumf": (2, np.minimum),
    "arith.maxnumf": (2, np.fmax),
    "arith.minnumf": (2, np.fmin),
    "math.absf": (1, np.abs),
    "math.atan2": (2, np.arctan2),
    "math.copysign": (2, np.copysign),
    "math.erf": (1, np.vectorize(math.erf)),
    "math.fma": (3, lambda x, y, z: x * y + z),
    "math.exp": (1, np.exp),
    "math.exp2": (1, np.exp2),
    "math.expm1": (1, np.expm1),
    "math.sin": (1, np.sin),
    "math.cos": (1, np.cos),
    "math.tan": (1, np.tan),
    "math.atan": (1, np.arctan),
    "math.sinh": (1, np.sinh),
    "math.cosh": (1, np.cosh),
    "math.tanh": (1, np.tanh),
    "math.asinh": (1, np.arcsinh),
    "math.cbrt": (1, np.cbrt),
    "math.ceil": (1, np.ceil),
    "math.floor": (1, np.floor),
    "math.trunc": (1, np.trunc),
    "math.roundeven": (1, np.rint),
    "math.round": (1, lambda x: np.trunc(x) + np.where(np.abs(x - np.trunc(x)) >= 0.5, np.sign(x), 0)),
}


@FORMS
@pytest.mark.parametrize("name", FLOAT_OPS)
def test_floats(name: str, form: Any):
    arity, f = FLOAT_OPS[name]
    inputs = [array((64,), np.float64, seed=k) for k in range(arity)]
    inputs[0][:4] = 0.5, 1.5, -0.5, -1.5
    if arity == 2:
        inputs[0][::7], inputs[1][::5] = np.nan, np.nan
    check(form(f"{name} {{}} : {{type}}", arity, "f64", "f64"), inputs, f(*inputs), rtol=1e-12)


@FORMS
@pytest.mark.parametrize("name", ["log", "log2", "log10", "log1p", "sqrt", "rsqrt", "powf"])
def test_floats_of_positive_numbers(name: str, form: Any):
    x = np.abs(array((64,), np.float64)) + 0.1
    functions = {"rsqrt": lambda v: 1 / np.sqrt(v), "powf": lambda v: v**v}
    f = functions.get(name) or getattr(np, name)
    arity = 2 if name == "powf" else 1
    check(form(f"math.{name} {{}} : {{type}}", arity, "f64", "f64"), [x] * arity, f(x), rtol=1e-12)


CASTS: list[tuple[str, str, str, Callable[[Any], Any]]] = [
    ("extf", "f32", "f64", lambda x: x.astype(np.float64)),
    ("extf", "f16", "f32", lambda x: x.astype(np.float32)),
    ("truncf", "f64", "f32", lambda x: x.astype(np.float32)),
    ("truncf", "f32", "f16", lambda x: x.astype(np.float16)),
    ("sitofp", "i8", "f32", lambda x: x.astype(np.float32)),
    ("sitofp", "i1", "f32", lambda x: -x.astype(np.float32)),
    ("uitofp", "i8", "f32", lambda x: x.view(np.uint8).astype(np.float32)),
    ("uitofp", "i1", "f32", lambda x: x.astype(np.float32)),
    ("fptosi", "f32", "i32", lambda x: np.trunc(x).astype(np.int32)),
    ("fptoui", "f32", "i8", lambda x: np.trunc(x).astype(np.uint8).view(np.int8)),
    ("extsi", "i8", "i32", lambda x: x.astype(np.int32)),
    ("extsi", "i1", "i32", lambda x: -x.astype(np.int32)),
    ("extui", "i8", "i32", lambda x: x.view(np.uint8).astype(np.int32)),
    ("extui", "i1", "i32", lambda x: x.astype(np.int32)),
    ("trunci", "i32", "i8", lambda x: x.astype(np.int8)),
    ("trunci", "i32", "i1", lambda x: x % 2 == 1),
]
DTYPES = {"f16": np.float16, "f32": np.float32, "f64": np.float64, "i1": bool, "i8": np.int8, "i32": np.int32}


@FORMS
@pytest.mark.parametrize("name, source, target, f", CASTS)
def test_casts(name: str, source: str, target: str, f: Callable[[Any], Any], form: Any):
    if form is on_tensors and name not in ("extf", "truncf"):
        return  # xDSL takes the other casts on scalars only
    x = array((64,), DTYPES[source])
    if name == "fptoui":
        x = np.abs(x) * 100
    check(form(f"arith.{name} {{}} : {{type}} to {{result}}", 1, source, target), [x], f(x))


def test_select_and_scalars_of_a_function():
    """A scalar argument is a 0-d array, and combines with tensors in bodies and by splat."""
    x, k = array((64,)), np.float32(0.5)
    check(
        """
        func.func @main(%x: tensor<64xf32>, %k: f32, %flag: i1) -> (tensor<64xf32>, f32) {
          %two = arith.constant 2.0 : f32
          %s = arith.mulf %k, %two : f32
          %t = tensor.splat %s : tensor<64xf32>
          %y = arith.addf %x, %t : tensor<64xf32>
          %z = arith.select %flag, %x, %y : tensor<64xf32>
          func.return %z, %s : tensor<64xf32>, f32
        }
        """,
        [x, k, np.bool_(False)],
        x + np.float32(1),
        np.float32(1),
    )


def test_half_precision_body_computes_in_float32():
    x = array((64,), np.float16)
    text = in_body("math.exp {} : {type}", 1, "f16", "f16")
    module = check(text, [x], np.exp(x.astype(np.float32)).astype(np.float16), rtol=1e-3)
    assert "weld.exp %1 : f32" in str(module)


def test_errors():
    assert "has no meaning on i1" in error(in_body("arith.divsi {} : {type}", 2, "i1", "i1"))
    assert "elements of type i4" in error(in_body("arith.addi {} : {type}", 2, "i4", "i4"))
    assert "has no weld form" in error(on_tensors("arith.bitcast {} : {type} to {result}", 1, "f32", "i32"))
