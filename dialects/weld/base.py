"""The base classes of tensor ops: what every op must state about itself.

An elementwise op works alike on tensors (of one shape), scalars (in the body of a `weld.generic`) and
vectors (in loops). It states facts; tracing, parsing, evaluation, folding, lowering and the tests over all
ops derive from them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Protocol, Self, TypeVar

import numpy as np
from xdsl.dialects.builtin import FunctionType, LocationAttr
from xdsl.ir import Attribute, Block, Operation, SSAValue
from xdsl.irdl import (
    result_def,
    traits_def,
    var_operand_def,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import Pure
from xdsl.utils.exceptions import VerifyException

from ..expr import Expr
from ..ir import Op
from .attributes import Where
from .facts import define_op
from .types import BOOL, as_element, is_element, is_resolved, kind_of, scalar_of, with_element

ANY_KIND = "fiubc"


class Builder:
    """Appends ops to a block; `b.add(x, y)` builds `weld.add` on tensors, scalars or vectors alike."""

    def __init__(self, block: Block, before: Operation | None = None, location: LocationAttr | None = None):
        self.block = block
        self.before = before
        self.location = location

    def insert(self, op: Operation) -> Operation:
        if self.location is not None:
            op.location = self.location
        if self.before is None:
            self.block.add_op(op)
        else:
            self.block.insert_op_before(op, self.before)
        return op

    def build(self, kind: type[Elementwise], *args: SSAValue) -> SSAValue:
        return self.insert(kind.of(*args)).results[0]

    def constant(self, value: Any, like: SSAValue | Attribute) -> SSAValue:
        """A constant of the type of `like`, the same value in each element."""
        from .constant import Constant

        kind = like.type if isinstance(like, SSAValue) else like
        return self.insert(Constant.splat(value, kind)).results[0]

    def cast(self, value: SSAValue, element: Attribute) -> SSAValue:
        """`value` with another element type; the value itself where it has it already."""
        from .cast import Cast

        if scalar_of(value) == element:
            return value
        return self.insert(Cast.to(value, element)).results[0]

    def __getattr__(self, name: str) -> Callable[..., SSAValue]:
        kind = ELEMENTWISE.get(name.removesuffix("_"))  # b.and_, b.or_, b.not_: Python keeps the plain words
        if kind is None:
            raise AttributeError(name)
        return lambda *args: self.build(kind, *args)


class WeldOp(Op, ABC):
    """Every op of the dialect: pure, with the location of the user's source line."""

    traits = traits_def(Pure())


ELEMENTWISE: dict[str, type[Elementwise]] = {}
"""Every elementwise op by its name without the dialect prefix; filled where the classes are defined."""


@define_op
class Elementwise(WeldOp, ABC):
    """One scalar function applied to each element. Operands have one shape; there is no implicit broadcast.

    Facts a subclass states:
      name     "weld.add"
      arity    number of operands
      numpy    the reference: a NumPy ufunc, or a function of NumPy arrays
      ufuncs   further NumPy ufuncs that trace to this op; `scipy`: name in scipy.special, if any
      kinds    operand kinds it takes ("f" float, "i" signed, "u" unsigned, "b" bool, "c" complex)
      result   "same" element type as the last operand, or "bool"
      llvm     per operand kind, how codegen writes it: an LLVM instruction ("fadd", "icmp slt"), an
               intrinsic ("@llvm.sqrt"), inline vector math ("math exp"), a C function ("libm tgamma")
               or one of SciPy's ("scipy gammainc")
      cost     rough number of vector instructions (fusion's measure of recomputation)
    An op without an `llvm` entry for a kind either defines `expand` (in terms of other ops) or becomes a
    library call.

    Identities, by operand kind, that hold bit for bit for all values, NaN and -0.0 among them (see `folding`);
    a value may be "least" or "greatest", that of the element type:
      neutral     e with op(x, e) = x; for a commutative op also op(e, x) = x
      absorbing   a with op(x, a) = a; for a commutative op also op(a, x) = a
      equal       v with op(x, x) = v
      always      v with op(x) = v
      idempotent  kinds with op(x, x) = x
      stable      kinds with op(op(x)) = op(x)
      involution  kinds with op(op(x)) = x
    """

    name = "weld.elementwise"
    args = var_operand_def()
    res = result_def()

    arity: ClassVar[int]
    numpy: ClassVar[Callable[..., Any]]
    ufuncs: ClassVar[tuple[Any, ...]] = ()
    scipy: ClassVar[str | None] = None
    kinds: ClassVar[str] = ANY_KIND
    result: ClassVar[str] = "same"
    llvm: ClassVar[dict[str, str]] = {}
    cost: ClassVar[int] = 1
    commutative: ClassVar[bool] = False
    neutral: ClassVar[Mapping[str, Any]] = {}
    absorbing: ClassVar[Mapping[str, Any]] = {}
    equal: ClassVar[Mapping[str, Any]] = {}
    always: ClassVar[Mapping[str, Any]] = {}
    idempotent: ClassVar[str] = ""
    stable: ClassVar[str] = ""
    involution: ClassVar[str] = ""

    @classmethod
    def of(cls, *args: SSAValue) -> Self:
        """The op with its result type derived; the operands' types must already agree."""
        return cls.create(operands=args, result_types=[cls.infer([a.type for a in args])])

    def with_operands(self, operands: Sequence[SSAValue]) -> Self:
        """The op on other operands of the same types, not inserted yet."""
        return type(self).create(operands=operands, result_types=[self.res.type], properties=self.properties)

    @classmethod
    def infer(cls, types: Sequence[Attribute]) -> Attribute:
        return with_element(types[-1], BOOL) if cls.result == "bool" else types[-1]

    @classmethod
    def expand(cls, b: Builder, *args: SSAValue) -> SSAValue | None:
        """The same value in simpler ops, or None when there is no such form for these types."""
        return None

    def reference(self, *arrays: Any) -> Any:
        """The value on NumPy arrays, with NumPy's warnings silenced and the result's dtype exact."""
        with quiet():
            value = type(self).numpy(*arrays)
            return as_element(value, scalar_of(self.res))

    def same_as(self) -> SSAValue | None:
        """A value that the result always equals, where the op knows one that the identities above do not say."""
        return None

    def verify_(self) -> None:
        if len(self.operands) != self.arity:
            raise VerifyException(f"{self.name} expects {self.arity} operands, found {len(self.operands)}")
        types = [a.type for a in self.operands]
        self.verify_operands(types)
        expected = self.infer(types)
        if self.res.type != expected:
            raise VerifyException(f"{self.name} gives {expected} here, but its result type is {self.res.type}")

    def verify_operands(self, types: Sequence[Attribute]) -> None:
        if any(t != types[0] for t in types):
            raise VerifyException(
                f"{self.name} expects operands of one type, found {' and '.join(str(t) for t in types)};"
                " broadcast and cast explicitly"
            )
        element = scalar_of(types[0])
        if not is_element(element) or kind_of(element) not in self.kinds:
            raise VerifyException(
                f"{self.name} does not take elements of type {element}; it takes {kinds_text(self.kinds)}"
            )

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        operands = parser.parse_comma_separated_list(parser.Delimiter.NONE, parser.parse_unresolved_operand)
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        kind = parser.parse_type()
        if isinstance(kind, FunctionType):
            types, result = kind.inputs.data, kind.outputs.data[0]
        else:
            types = (kind,) * len(operands)
            result = cls.infer(types)
        values = parser.resolve_operands(operands, types, parser.pos)
        op = cls.create(operands=values, result_types=[result])
        op.attributes |= attributes
        return op

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_list(self.operands, printer.print_ssa_value)
        printer.print_op_attributes(self.attributes)
        printer.print_string(" : ")
        types = [a.type for a in self.operands]
        if types and all(t == types[0] for t in types) and self.res.type == self.infer(types):
            printer.print_attribute(types[0])
        else:
            printer.print_operation_type(self)


ElementwiseOp = TypeVar("ElementwiseOp", bound=Elementwise)


def elementwise(cls: type[ElementwiseOp]) -> type[ElementwiseOp]:
    """Register an elementwise op class: `@elementwise class Add(Elementwise): ...`.

    All of them have the operands and results of `Elementwise`, so xDSL's definition is made once, there: a
    definition for each would be a third of the time of `import loopweld`.
    """
    ELEMENTWISE[cls.name.removeprefix("weld.")] = cls
    return cls


class Points(Protocol):
    """What `TensorOp.point` may use to say the value of one result element (see passes/generalize)."""

    @property
    def b(self) -> Builder: ...

    @property
    def dims(self) -> tuple[Expr, ...]:
        """The index of the element: one expression for each result dim."""
        ...

    def load(
        self, tensor: SSAValue, where: Where, indices: Sequence[SSAValue] = (), guard: SSAValue | None = None
    ) -> SSAValue: ...

    def position(self, tensor: SSAValue, where: Where) -> Expr | None:
        """What the element of an i64 tensor is in terms of dims and sizes; None where that depends on data."""
        ...

    def index(self, expr: Expr) -> SSAValue:
        """The expression as an i64 scalar."""
        ...

    def test(self, guards: tuple[Expr, ...]) -> SSAValue:
        """Whether all expressions are >= 0, as an i1 scalar."""
        ...


class TensorOp(WeldOp, ABC):
    """An op on whole tensors with one result.

    `reference` is the NumPy meaning. `point`, where a subclass has it, is the same by element: that is what
    makes the op fusible. `infer` gives the result type from the operands' types and is used by the verifier,
    the builders and `resolve-shapes`.
    """

    args = var_operand_def()
    res = result_def()

    arity: ClassVar[int | None] = 1
    """Number of operands, None where it varies."""

    is_view: ClassVar[bool] = False
    """The result only renames elements of the first operand (transpose, slice, broadcast, ...)."""

    @abstractmethod
    def infer_type(self) -> Attribute:
        """The result type that operands and properties imply; raises VerifyException when they are wrong."""

    @abstractmethod
    def reference(self, *arrays: Any, size: Callable[[Expr], int]) -> Any:
        """The result on NumPy arrays; `size` gives the value of a symbolic integer."""

    def point(self, p: Points) -> SSAValue | None:
        """The value of the result at `p.dims`, or None where the op has no pointwise form."""
        return None

    def verify_(self) -> None:
        """The result type is the inferred one; sizes without a symbol are checked once `resolve-shapes` ran."""
        if self.arity is not None and len(self.operands) != self.arity:
            raise VerifyException(f"{self.name} expects {self.arity} operands, found {len(self.operands)}")
        if not all(is_resolved(v) for v in (*self.operands, self.res)):
            return
        expected = self.infer_type()
        if self.res.type != expected:
            raise VerifyException(f"{self.name} gives {expected} here, but its result type is {self.res.type}")


def kinds_text(kinds: str) -> str:
    """ "float and bool" for "fb"."""
    words = {"f": "float", "i": "signed integer", "u": "unsigned integer", "b": "bool", "c": "complex"}
    *rest, last = [words[k] for k in kinds]
    return f"{', '.join(rest)} and {last}" if rest else last


def quiet() -> Any:
    """NumPy without warnings: our functions follow IEEE and never warn."""
    return np.errstate(all="ignore")
