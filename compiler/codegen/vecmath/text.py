"""A tiny emitter of straight-line LLVM IR over one vector type, with values that carry Python's operators."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from .coefficients import CONSTANTS, TABLES
from .formats import FORMATS, Format, hexadecimal


@dataclass
class Output:
    """What is emitted so far: instructions, intrinsics to declare, helper definitions."""

    lines: list[str] = field(default_factory=list[str])
    declarations: set[str] = field(default_factory=set[str])
    helpers: list[str] = field(default_factory=list[str])
    values: int = 0

    def assign(self, expression: str) -> str:
        """Adds `%vN = expression` and returns the name."""
        name = f"%v{self.values}"
        self.values += 1
        self.lines.append(f"  {name} = {expression}")
        return name


@dataclass(frozen=True)
class Body:
    """Emits into `output` on vectors of `lanes` elements of the format; lanes == 1 is the scalar type."""

    symbol: str
    elem: str
    lanes: int
    output: Output
    avx512: bool = False
    """The target has AVX-512."""
    avx2: bool = False
    """The target has AVX2."""

    @property
    def format(self) -> Format:
        return FORMATS[self.elem]

    def vector(self, scalar: str) -> str:
        """The type of `lanes` values of the LLVM type."""
        return scalar if self.lanes == 1 else f"<{self.lanes} x {scalar}>"

    @property
    def float_type(self) -> str:
        return self.vector(self.format.llvm)

    @property
    def int_type(self) -> str:
        return self.vector(f"i{self.format.bits}")

    @property
    def mask_type(self) -> str:
        return self.vector("i1")

    @property
    def suffix(self) -> str:
        """The type in the name of an intrinsic: `v16f32`, or `f32`."""
        return self.elem if self.lanes == 1 else f"v{self.lanes}{self.elem}"

    def splat(self, scalar_type: str, literal: str) -> str:
        """A constant in all lanes."""
        return literal if self.lanes == 1 else f"splat ({scalar_type} {literal})"

    def const(self, value: float) -> "Vec":
        """`value`, rounded to the format, in all lanes."""
        return Vec(self, self.splat(self.format.llvm, hexadecimal(value, self.elem)))

    def int_const(self, value: int) -> "Int":
        """`value` in all lanes; taken modulo 2^bits."""
        value &= (1 << self.format.bits) - 1
        return Int(self, self.splat(f"i{self.format.bits}", str(value)))

    def table(self, name: str) -> tuple[float, ...]:
        """Coefficients of the polynomial for this format."""
        return TABLES[f"{name}.{self.elem}"]

    def parts(self, name: str) -> tuple[float, ...]:
        """A constant as an unevaluated sum of numbers of this format."""
        return CONSTANTS[f"{name}.{self.elem}"]

    def intrinsic(self, name: str, *operands: "Vec") -> "Vec":
        """A call of `llvm.NAME`, whose operands and result have the vector type."""
        function = f"@llvm.{name}.{self.suffix}"
        self.output.declarations.add(
            f"declare {self.float_type} {function}({', '.join([self.float_type] * len(operands))})"
        )
        arguments = ", ".join(f"{self.float_type} {o.name}" for o in operands)
        return Vec(self, self.output.assign(f"call {self.float_type} {function}({arguments})"))

    def poly(self, x: "Vec", coefficients: "Sequence[Vec | float]") -> "Vec":
        """Horner's rule with fma; coefficients lowest first. Parallelism comes from the many elements."""
        last = coefficients[-1]
        value = last if isinstance(last, Vec) else self.const(last)
        for c in reversed(coefficients[:-1]):
            value = value.fma(x, c)
        return value

    def double(self) -> "Body":
        """The same output, on f64 elements."""
        return Body(self.symbol, "f64", self.lanes, self.output, self.avx512, self.avx2)


def _float_operand(body: Body, value: "Vec | float") -> str:
    return value.name if isinstance(value, Vec) else body.const(value).name


def _int_operand(body: Body, value: "Int | int") -> str:
    return value.name if isinstance(value, Int) else body.int_const(value).name


@dataclass(frozen=True)
class Vec:
    """A vector of floats. Each operator is one instruction without fast-math flags."""

    body: Body
    name: str

    def _binary(self, op: str, left: "Vec | float", right: "Vec | float") -> "Vec":
        b = self.body
        operands = f"{_float_operand(b, left)}, {_float_operand(b, right)}"
        return Vec(b, b.output.assign(f"{op} {b.float_type} {operands}"))

    def __add__(self, other: "Vec | float") -> "Vec":
        return self._binary("fadd", self, other)

    def __radd__(self, other: float) -> "Vec":
        return self._binary("fadd", self, other)

    def __sub__(self, other: "Vec | float") -> "Vec":
        return self._binary("fsub", self, other)

    def __rsub__(self, other: float) -> "Vec":
        return self._binary("fsub", other, self)

    def __mul__(self, other: "Vec | float") -> "Vec":
        return self._binary("fmul", self, other)

    def __rmul__(self, other: float) -> "Vec":
        return self._binary("fmul", self, other)

    def __truediv__(self, other: "Vec | float") -> "Vec":
        return self._binary("fdiv", self, other)

    def __rtruediv__(self, other: float) -> "Vec":
        return self._binary("fdiv", other, self)

    def __neg__(self) -> "Vec":
        return Vec(self.body, self.body.output.assign(f"fneg {self.body.float_type} {self.name}"))

    def __abs__(self) -> "Vec":
        return self.body.intrinsic("fabs", self)

    def fma(self, factor: "Vec | float", addend: "Vec | float") -> "Vec":
        """self * factor + addend, rounded once."""
        b = self.body
        return b.intrinsic(
            "fma",
            self,
            Vec(b, _float_operand(b, factor)),
            Vec(b, _float_operand(b, addend)),
        )

    def sqrt(self) -> "Vec":
        """The correctly rounded square root."""
        return self.body.intrinsic("sqrt", self)

    def rint(self) -> "Vec":
        """The nearest integer, ties to even."""
        return self.body.intrinsic("roundeven", self)

    def copysign(self, sign: "Vec") -> "Vec":
        """This magnitude with the sign of `sign`."""
        return self.body.intrinsic("copysign", self, sign)

    def compare(self, predicate: str, other: "Vec | float") -> "Mask":
        """`fcmp predicate`: the predicates with `o` are false on NaN, those with `u` true."""
        b = self.body
        operands = f"{b.float_type} {self.name}, {_float_operand(b, other)}"
        return Mask(b, b.output.assign(f"fcmp {predicate} {operands}"))

    def __lt__(self, other: "Vec | float") -> "Mask":
        return self.compare("olt", other)

    def __le__(self, other: "Vec | float") -> "Mask":
        return self.compare("ole", other)

    def __gt__(self, other: "Vec | float") -> "Mask":
        return self.compare("ogt", other)

    def __ge__(self, other: "Vec | float") -> "Mask":
        return self.compare("oge", other)

    def equals(self, other: "Vec | float") -> "Mask":
        """True where both are numbers and equal."""
        return self.compare("oeq", other)

    def is_nan(self) -> "Mask":
        """True on NaN."""
        return self.compare("uno", self)

    def at_most(self, bound: "Vec | float") -> "Vec":
        """min(self, bound), NaN kept: the form that x86's minps has."""
        return (self > bound).select(bound, self)

    def at_least(self, bound: "Vec | float") -> "Vec":
        """max(self, bound), NaN kept: the form that x86's maxps has."""
        return (self < bound).select(bound, self)

    def as_int(self) -> "Int":
        """The bits."""
        b = self.body
        return Int(b, b.output.assign(f"bitcast {b.float_type} {self.name} to {b.int_type}"))

    def widen(self) -> "Vec":
        """f32 to f64, exact."""
        b = self.body.double()
        return Vec(b, b.output.assign(f"fpext {self.body.float_type} {self.name} to {b.float_type}"))

    def narrow(self, body: Body) -> "Vec":
        """f64 to the f32 of `body`."""
        return Vec(body, body.output.assign(f"fptrunc {self.body.float_type} {self.name} to {body.float_type}"))


@dataclass(frozen=True)
class Int:
    """A vector of integers as wide as the float elements."""

    body: Body
    name: str

    def _binary(self, op: str, other: "Int | int") -> "Int":
        b = self.body
        return Int(b, b.output.assign(f"{op} {b.int_type} {self.name}, {_int_operand(b, other)}"))

    def __add__(self, other: "Int | int") -> "Int":
        return self._binary("add", other)

    def __sub__(self, other: "Int | int") -> "Int":
        return self._binary("sub", other)

    def __and__(self, other: "Int | int") -> "Int":
        return self._binary("and", other)

    def __or__(self, other: "Int | int") -> "Int":
        return self._binary("or", other)

    def __xor__(self, other: "Int | int") -> "Int":
        return self._binary("xor", other)

    def __lshift__(self, count: int) -> "Int":
        return self._binary("shl", count)

    def __rshift__(self, count: int) -> "Int":
        """Logical: zeros come in."""
        return self._binary("lshr", count)

    def equals(self, other: "Int | int") -> "Mask":
        """True where equal."""
        b = self.body
        return Mask(b, b.output.assign(f"icmp eq {b.int_type} {self.name}, {_int_operand(b, other)}"))

    def as_float(self) -> Vec:
        """The float with these bits."""
        b = self.body
        return Vec(b, b.output.assign(f"bitcast {b.int_type} {self.name} to {b.float_type}"))


@dataclass(frozen=True)
class Mask:
    """A vector of truth values."""

    body: Body
    name: str

    def _binary(self, op: str, other: "Mask") -> "Mask":
        b = self.body
        return Mask(b, b.output.assign(f"{op} {b.mask_type} {self.name}, {other.name}"))

    def __and__(self, other: "Mask") -> "Mask":
        return self._binary("and", other)

    def __or__(self, other: "Mask") -> "Mask":
        return self._binary("or", other)

    def __xor__(self, other: "Mask") -> "Mask":
        return self._binary("xor", other)

    def __invert__(self) -> "Mask":
        return self._binary("xor", Mask(self.body, self.body.splat("i1", "true")))

    def select(self, yes: "Vec | float", no: "Vec | float") -> Vec:
        """`yes` where true, else `no`, lane by lane."""
        b = self.body
        operands = f"{b.float_type} {_float_operand(b, yes)}, {b.float_type} {_float_operand(b, no)}"
        return Vec(b, b.output.assign(f"select {b.mask_type} {self.name}, {operands}"))

    def select_int(self, yes: "Int | int", no: "Int | int") -> Int:
        """`yes` where true, else `no`, lane by lane."""
        b = self.body
        operands = f"{b.int_type} {_int_operand(b, yes)}, {b.int_type} {_int_operand(b, no)}"
        return Int(b, b.output.assign(f"select {b.mask_type} {self.name}, {operands}"))
