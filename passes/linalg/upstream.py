"""Writing upstream ops: weld's scalar ops, casts and index expressions as `arith` and `math`.

Which upstream op a weld op is follows from the LLVM instruction that the op states for its operands' kind.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from xdsl.dialects import arith, math
from xdsl.dialects.builtin import (
    DenseIntOrFPElementsAttr,
    FloatAttr,
    IndexType,
    IntegerAttr,
    IntegerType,
    LocationAttr,
    TensorType,
)
from xdsl.dialects.func import CallOp, FuncOp
from xdsl.ir import Attribute, Block, Operation, SSAValue
from xdsl.utils.exceptions import PassFailedException

from ...dialects.expr import Expr, split_quotient
from ...dialects.weld.base import Elementwise
from ...dialects.weld.cast import Cast
from ...dialects.weld.constant import Constant, number_attribute
from ...dialects.weld.types import BOOL, F32, INDEX, bit_width, is_element, is_tensor, kind_of, scalar_of

_BINARY = {
    **{f"f{n}": f"arith.{n}f" for n in ("add", "sub", "mul", "div", "neg")},
    **{n: f"arith.{n}i" for n in ("add", "sub", "mul", "and", "or", "xor")},
    "sdiv": "arith.divsi",
    "udiv": "arith.divui",
    "srem": "arith.remsi",
    "urem": "arith.remui",
    "frem": "arith.remf",
    "shl": "arith.shli",
    "ashr": "arith.shrsi",
    "lshr": "arith.shrui",
    "@llvm.smax": "arith.maxsi",
    "@llvm.smin": "arith.minsi",
    "@llvm.umax": "arith.maxui",
    "@llvm.umin": "arith.minui",
    "@llvm.fmuladd": "math.fma",
    "@llvm.sqrt": "math.sqrt",
    "@llvm.fabs": "math.absf",
    "@llvm.rint": "math.roundeven",
    "@llvm.copysign": "math.copysign",
    **{f"@llvm.{n}": f"math.{n}" for n in ("floor", "ceil", "trunc")},
    "math pow": "math.powf",
    "select": "arith.select",
}
_MATH = {op.name: op for op in math.Math.operations}
_ARITH = {op.name: op for op in arith.Arith.operations}
_CMPI = ("eq", "ne", "slt", "sle", "sgt", "sge", "ult", "ule", "ugt", "uge")
_CMPF = (
    *("false", "oeq", "ogt", "oge", "olt", "ole", "one", "ord"),
    *("ueq", "ugt", "uge", "ult", "ule", "une", "uno", "true"),
)


def signless(kind: Attribute) -> Attribute:
    """The upstream type: no shape encoding, integers without a sign."""
    element = scalar_of(kind)
    if is_element(element) and kind_of(element) == "u":
        element = IntegerType(bit_width(element))
    return TensorType(element, kind.get_shape()) if is_tensor(kind) else element


class Declarations:
    """The functions from outside that a module calls."""

    def __init__(self) -> None:
        self.functions: dict[str, FuncOp] = {}

    def call(self, name: str, args: Sequence[SSAValue], results: Sequence[Attribute]) -> CallOp:
        """A call of the private function `name`, which is told apart by its types."""
        types = [a.type for a in args]
        function = next((f for f in self.functions.values() if _is(f, name, types, results)), None)
        if function is None:
            symbol = name if name not in self.functions else f"{name}_{len(self.functions)}"
            function = FuncOp.external(symbol, types, results)
            self.functions[symbol] = function
        return CallOp(function.sym_name.data, list(args), list(results))


def _is(function: FuncOp, name: str, inputs: Sequence[Attribute], outputs: Sequence[Attribute]) -> bool:
    kind = function.function_type
    own = function.sym_name.data
    return (own == name or own.startswith(f"{name}_")) and [*kind.inputs, *kind.outputs] == [*inputs, *outputs]


class Writer:
    """Appends upstream ops to a block; `values` has the upstream value of each weld value, `names` those of sizes,
    dims and indices in expressions, as `index`."""

    def __init__(
        self, block: Block, values: Mapping[SSAValue, SSAValue], names: Mapping[str, SSAValue], declared: Declarations
    ) -> None:
        self.block = block
        self.values = dict(values)
        self.names = dict(names)
        self.declared = declared
        self.location: LocationAttr | None = None

    def nested(self, block: Block) -> Writer:
        inner = Writer(block, self.values, self.names, self.declared)
        inner.location = self.location
        return inner

    def add(self, op: Operation) -> Any:
        """The op's first result, if it has any."""
        if self.location is not None:
            op.location = self.location
        self.block.add_op(op)
        return op.results[0] if op.results else None

    def make(self, name: str, args: Sequence[SSAValue], result: Attribute, **properties: Attribute) -> SSAValue:
        """The op `name` of `arith` or `math`."""
        kind = _ARITH.get(name) or _MATH.get(name)
        if kind is None:
            raise PassFailedException(f"{name} has no place in the modules that are written")
        known = kind.get_irdl_definition().properties  # pyright: ignore
        if "fastmath" in known:
            properties["fastmath"] = arith.FastMathFlagsAttr("none")
        if "overflowFlags" in known or "overflow_flags" in known:
            properties["overflowFlags"] = arith.IntegerOverflowAttr("none")
        return self.add(kind.create(operands=args, result_types=[result], properties=properties))

    def drop_unused(self) -> None:
        """Erases what nothing in the block uses."""
        for op in reversed(list(self.block.ops)):
            if op.results and not any(result.uses for result in op.results):
                op.detach()
                op.erase()

    # ---- scalars -------------------------------------------------------------------
    def translate(self, op: Operation) -> None:
        """A scalar constant, cast or other elementwise op."""
        if isinstance(op, Constant):
            self.values[op.res] = self.add(arith.ConstantOp(_number(op.value)))
            return
        assert isinstance(op, Elementwise), op.name
        args = [self.values[a] for a in op.operands]
        self.values[op.res] = self._cast(op, args[0]) if isinstance(op, Cast) else self._elementwise(op, args)

    def _elementwise(self, op: Elementwise, args: list[SSAValue]) -> SSAValue:
        result = signless(op.res.type)
        fact = op.llvm[kind_of(scalar_of(op.operands[-1]))]
        if fact.startswith("icmp"):
            return self.compare(fact.removeprefix("icmp "), *args)
        if fact.startswith("fcmp"):
            predicate = IntegerAttr(_CMPF.index(fact.removeprefix("fcmp ")), 64)
            return self.make("arith.cmpf", args * 2 if len(args) == 1 else args, BOOL, predicate=predicate)
        name = _BINARY.get(fact) or f"math.{fact.removeprefix('math ')}"
        if name in _MATH or name in _ARITH:
            return self.make(name, args, result)
        # Upstream has no such op, or xDSL has it not: a function from outside.
        return self.add(self.declared.call(f"{op.name}_{result}", args, [result]))

    def _cast(self, op: Cast, value: SSAValue) -> SSAValue:
        """NumPy's cast. Float to integer goes through the width that NumPy goes through; out of range it is poison."""
        source, target = scalar_of(op.args[0]), scalar_of(op.res)
        a, b, kind = kind_of(source), kind_of(target), signless(target)
        if source == target:
            return value
        if b == "b":
            zero = self.add(arith.ConstantOp(_number(number_attribute(0, source))))
            if a != "f":
                return self.compare("ne", value, zero)
            return self.make("arith.cmpf", [value, zero], BOOL, predicate=IntegerAttr(_CMPF.index("une"), 64))
        if a == "f" and b == "f":
            return self._float(value, kind)
        if b == "f":
            return self.make("arith.sitofp" if a == "i" else "arith.uitofp", [value], kind)
        if a == "f":
            bits = _bits(kind)
            wide = IntegerType(32 if bits < 32 or (bits == 32 and b == "i") else 64)
            name = "arith.fptoui" if b == "u" and bits == 64 else "arith.fptosi"
            return self._resize(self.make(name, [value], wide), kind, signed=True)
        return self._resize(value, kind, signed=a == "i")

    def _float(self, value: SSAValue, kind: Attribute) -> SSAValue:
        narrower = _bits(kind) < _bits(value.type)
        if _bits(kind) == _bits(value.type):  # float16 and bfloat16
            value, narrower = self.make("arith.extf", [value], F32), True
        return self.make("arith.truncf" if narrower else "arith.extf", [value], kind)

    def _resize(self, value: SSAValue, kind: Attribute, *, signed: bool) -> SSAValue:
        if _bits(kind) == _bits(value.type):
            return value
        wider = "arith.extsi" if signed else "arith.extui"
        return self.make("arith.trunci" if _bits(kind) < _bits(value.type) else wider, [value], kind)

    def compare(self, predicate: str, a: SSAValue, b: SSAValue) -> SSAValue:
        return self.make("arith.cmpi", [a, b], BOOL, predicate=IntegerAttr(_CMPI.index(predicate), 64))

    # ---- integers ------------------------------------------------------------------
    def size(self, expr: Expr) -> SSAValue:
        """An integer expression over `names`, as an `index`."""
        if expr.value is not None:
            return self.constant(expr.value)
        total: SSAValue | None = None
        for monomial, factor in expr.terms:
            term = None if factor == 1 and monomial else self.constant(factor)
            for atom in monomial:
                found = self._atom(atom)
                term = found if term is None else self.make("arith.muli", [term, found], INDEX)
            assert term is not None
            total = term if total is None else self.make("arith.addi", [total, term], INDEX)
        assert total is not None
        return total

    def _atom(self, atom: str) -> SSAValue:
        quotient = split_quotient(atom)
        if quotient is None:
            return self.names[atom]
        operator, top, bottom = quotient
        a, b = self.size(top), self.size(bottom)
        whole = self.make("arith.floordivsi", [a, b], INDEX)
        if operator == "floordiv":
            return whole
        return self.make("arith.subi", [a, self.make("arith.muli", [whole, b], INDEX)], INDEX)

    def constant(self, value: int) -> SSAValue:
        return self.add(arith.ConstantOp(IntegerAttr(value, IndexType())))

    def as_index(self, value: SSAValue) -> SSAValue:
        return self.make("arith.index_cast", [value], INDEX)

    def inside(self, guards: Sequence[Expr]) -> SSAValue:
        """Whether none of the expressions is negative."""
        found: SSAValue | None = None
        for guard in guards:
            holds = self.compare("sge", self.size(guard), self.constant(0))
            found = holds if found is None else self.make("arith.andi", [found, holds], BOOL)
        return found if found is not None else self.add(arith.ConstantOp(IntegerAttr(1, BOOL)))


def _bits(kind: Attribute) -> int:
    return bit_width(scalar_of(kind))


def _number(value: Attribute) -> IntegerAttr[Any] | FloatAttr[Any]:
    """A splat's number with its upstream type."""
    if isinstance(value, FloatAttr):
        return cast("FloatAttr[Any]", value)
    if not isinstance(value, IntegerAttr):
        raise PassFailedException(f"a constant {value} cannot be written: only real numbers are")
    return IntegerAttr(value.value.data, signless(value.type))  # pyright: ignore


def number(value: Any, element: Attribute) -> IntegerAttr[Any] | FloatAttr[Any]:
    """`value` rounded to a weld element type, with the upstream type."""
    return _number(number_attribute(value, element))


def dense(value: Attribute) -> DenseIntOrFPElementsAttr:
    """A tensor's elements, with the upstream type."""
    assert isinstance(value, DenseIntOrFPElementsAttr)
    return DenseIntOrFPElementsAttr(signless(value.type), value.data)  # pyright: ignore
