"""What the named ops of `linalg` compute on scalars, as bodies of `arith` and `math` ops."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects import arith, math
from xdsl.dialects.builtin import AnyFloat, FloatAttr, IntegerType, MemRefType, TensorType, i1
from xdsl.dialects.linalg.ops import YieldOp
from xdsl.ir import Attribute, Block, Region, SSAValue
from xdsl.irdl import IRDLOperation
from xdsl.utils.exceptions import VerifyException
from xdsl.utils.hints import isa

FLOAT: dict[str, type[IRDLOperation]] = {
    "exp": math.ExpOp,
    "log": math.LogOp,
    "abs": math.AbsFOp,
    "ceil": math.CeilOp,
    "floor": math.FloorOp,
    "negf": arith.NegfOp,
    "reciprocal": arith.DivfOp,
    "round": math.RoundOp,
    "sqrt": math.SqrtOp,
    "rsqrt": math.RsqrtOp,
    "square": arith.MulfOp,
    "tanh": math.TanhOp,
    "erf": math.ErfOp,
    "add": arith.AddfOp,
    "sub": arith.SubfOp,
    "mul": arith.MulfOp,
    "div": arith.DivfOp,
    "max_signed": arith.MaximumfOp,
    "min_signed": arith.MinimumfOp,
    "powf": math.PowFOp,
    "select": arith.SelectOp,
}
INTEGER: dict[str, type[IRDLOperation]] = {
    "add": arith.AddiOp,
    "sub": arith.SubiOp,
    "mul": arith.MuliOp,
    "div": arith.DivSIOp,
    "div_unsigned": arith.DivUIOp,
    "max_signed": arith.MaxSIOp,
    "min_signed": arith.MinSIOp,
    "max_unsigned": arith.MaxUIOp,
    "min_unsigned": arith.MinUIOp,
    "select": arith.SelectOp,
}
BOOL: dict[str, type[IRDLOperation]] = {
    "add": arith.OrIOp,
    "mul": arith.AndIOp,
    "max_signed": arith.MaxSIOp,
    "min_signed": arith.MinSIOp,
    "select": arith.SelectOp,
}
KINDS = tuple(dict.fromkeys((*FLOAT, *INTEGER)))


def element_types(operands: Sequence[SSAValue]) -> list[Attribute]:
    shaped = TensorType | MemRefType
    return [v.type.get_element_type() if isa(v.type, shaped) else v.type for v in operands]


def elementwise(kind: str, operands: Sequence[SSAValue]) -> Region:
    """The body that applies `kind` to the inputs; it has an argument for each input and each output."""
    block = Block(arg_types=element_types(operands))
    block.add_op(YieldOp(_apply(block, kind, block.args[: len(operands) - 1])))
    return Region(block)


def multiply_add(operands: Sequence[SSAValue], unsigned: bool = False) -> Region:
    """The body `out + a * b`, with `a` and `b` cast to the type of `out`."""
    if len(operands) != 3:
        raise VerifyException("expects two operands in ins and one in outs")
    block = Block(arg_types=element_types(operands))
    a, b, out = block.args
    factors = [_cast(block, value, out.type, unsigned) for value in (a, b)]
    block.add_op(YieldOp(_apply(block, "add", [out, _apply(block, "mul", factors)])))
    return Region(block)


def _apply(block: Block, kind: str, args: Sequence[SSAValue]) -> SSAValue:
    if not args:
        raise VerifyException("needs inputs")
    element = args[-1].type
    table = FLOAT if isinstance(element, AnyFloat) else BOOL if element == i1 else INTEGER
    if kind not in table:
        raise VerifyException(f"has no meaning on elements of type {element}")
    arity = 1 if kind in ("reciprocal", "square") else len(table[kind].get_irdl_definition().operands)
    if len(args) != arity:
        raise VerifyException(f"expects {arity} operands in ins, found {len(args)}")
    if kind == "reciprocal":
        assert isinstance(element, AnyFloat)
        one = arith.ConstantOp(FloatAttr(1.0, element))
        block.add_op(one)
        args = [one.result, *args]
    if kind == "square":
        args = [*args, *args]
    made = table[kind].build(operands=args, result_types=[element])
    block.add_op(made)
    return made.results[0]


def _cast(block: Block, value: SSAValue, target: Attribute, unsigned: bool) -> SSAValue:
    if value.type == target:
        return value
    made = _cast_op(value.type, target, unsigned).build(operands=[value], result_types=[target])
    block.add_op(made)
    return made.results[0]


def _cast_op(source: Attribute, target: Attribute, unsigned: bool) -> type[IRDLOperation]:
    if isinstance(source, IntegerType) and isinstance(target, IntegerType):
        wider = arith.ExtUIOp if unsigned else arith.ExtSIOp
        return arith.TruncIOp if source.bitwidth > target.bitwidth else wider
    if isinstance(source, IntegerType) and isinstance(target, AnyFloat):
        return arith.UIToFPOp if unsigned else arith.SIToFPOp
    if isinstance(source, AnyFloat) and isinstance(target, IntegerType):
        return arith.FPToUIOp if unsigned else arith.FPToSIOp
    if isinstance(source, AnyFloat) and isinstance(target, AnyFloat):
        return arith.TruncFOp if source.bitwidth > target.bitwidth else arith.ExtFOp
    raise VerifyException(f"has no cast from {source} to {target}")
