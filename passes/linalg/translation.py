"""What every rule needs while one function is read: values so far, sizes, and a builder for the weld ops."""

from __future__ import annotations

from collections.abc import Sequence, Set
from contextlib import contextmanager
from typing import Any, NoReturn

from xdsl.dialects.builtin import DYNAMIC_INDEX, DenseArrayBase, IntegerAttr, TensorType
from xdsl.ir import Attribute, Block, Operation, SSAValue

from ...dialects.expr import Expr
from ...dialects.ir import complain
from ...dialects.ranges import is_nonnegative
from ...dialects.weld import Broadcast, Check, Reshape, Size
from ...dialects.weld.base import Builder
from ...dialects.weld.constant import splat_of
from ...dialects.weld.types import I64, Shape, scalar_of, shape_of, tensor_type
from .scalars import Unsupported, element_type
from .symbols import PartialShape, Symbols, declared_shape


class Translation:
    """The state of one function's translation.

    A tensor is a weld tensor, a scalar outside of bodies a 0-d tensor, and an integer that follows from constants and
    sizes an expression.
    """

    def __init__(self, block: Block, symbols: Symbols):
        self.b = Builder(block)
        self.symbols = symbols
        self.values: dict[SSAValue, SSAValue | Expr] = {}
        self.op: Operation | None = None
        """The op that is being read, where errors are reported."""
        self._given: dict[SSAValue, tuple[Expr, Operation]] = {}
        """The sizes that only values tell, as symbols, and the ops that they are sizes of."""
        self._required: list[tuple[Expr, str, Operation]] = []

    @contextmanager
    def reading(self, op: Operation):
        """Errors and new ops belong to `op` inside the block."""
        outer, outer_location = self.op, self.b.location
        self.op, self.b.location = op, op.location
        try:
            yield
        except Unsupported as error:
            complain(op, str(error))
        finally:
            self.op, self.b.location = outer, outer_location

    def fail(self, text: str) -> NoReturn:
        assert self.op is not None
        complain(self.op, text)

    # Values

    def tensor(self, value: SSAValue) -> SSAValue:
        """The weld tensor of a value, 0-d for a scalar."""
        found = self.values.get(value)
        if found is None:
            self.fail("uses a value that is not defined before it")
        if isinstance(found, SSAValue):
            return found
        return self.integer(found, element_type(value.type))

    def integer(self, value: Expr, element: Attribute) -> SSAValue:
        kind = tensor_type(element, ())
        if value.value is not None:
            return self.b.constant(value.value, kind)
        return self.b.insert(Size.of(value, kind)).results[0]

    def expr(self, value: SSAValue) -> Expr | None:
        """The integer that a scalar is, where it follows from constants and sizes."""
        found = self.values.get(value)
        if isinstance(found, Expr):
            return self.symbols.resolve(found)
        number = None if found is None or shape_of(found) else splat_of(found)
        if number is not None:
            return Expr.constant(int(number)) if number.dtype.kind in "iub" else None
        return None

    def size(self, value: SSAValue) -> Expr:
        """The integer that a size or an offset is; an error where only running the program tells it."""
        found = self.expr(value)
        if found is None:
            self.fail("needs sizes, offsets and strides that follow from constants and tensor.dim of arguments")
        return found

    def mixed(self, static: DenseArrayBase[Any], dynamic: Sequence[SSAValue]) -> Shape:
        """A list of integers in MLIR's split form: constants, and operands where the constant is the marker."""
        rest = iter(dynamic)
        return tuple(
            self.size(next(rest)) if n == DYNAMIC_INDEX else Expr.constant(int(n)) for n in static.get_values()
        )

    def sizes(self, kind: TensorType[Attribute], dynamic: Sequence[SSAValue]) -> Shape:
        """The shape of a type whose `?` are given by operands. One that only a value tells, such as an argument, is a
        symbol: it must turn out to be the size of a tensor, which `check_sizes` holds the value to."""
        rest = iter(dynamic)
        return tuple(self._given_size(next(rest)) if n == DYNAMIC_INDEX else Expr.constant(n) for n in kind.get_shape())

    def _given_size(self, value: SSAValue) -> Expr:
        found = self.expr(value)
        if found is not None:
            return found
        assert self.op is not None
        tensor = self.tensor(value)
        symbol, _ = self._given.setdefault(tensor, (self.symbols.fresh(), self.op))
        return self.symbols.resolve(symbol)

    def require(self, number: Expr, what: str) -> None:
        """An integer of sizes must not be negative; `what` says what holds if it is not."""
        assert self.op is not None
        self._required.append((number, what, self.op))

    def check_sizes(self, bound: Set[str]) -> None:
        """Check what was required of the sizes: now where it follows from what is known of them, and else at run time.
        `bound` are the symbols that the arguments' shapes tell."""
        for value, (symbol, op) in self._given.items():
            size = self.symbols.resolve(symbol)
            if not size.names <= bound:
                complain(op, "has a size that neither constants nor the shapes of arguments tell")
            bad = self.b.ne(value, self.integer(size, scalar_of(value)))
            self._check(op, bad, f"{op.name}: a size is not that of the tensors it is used with")
        for number, what, op in self._required:
            number = self.symbols.resolve(number)
            if number.value is not None and number.value < 0:
                complain(op, f"expects {what}")
            if not is_nonnegative(number):
                value = self.integer(number, I64)
                self._check(op, self.b.lt(value, self.b.constant(0, value)), f"{op.name}: expects {what}")

    def _check(self, op: Operation, bad: SSAValue, text: str) -> None:
        self.b.location = op.location
        self.b.insert(Check.of(bad, text, "ValueError"))

    def define(self, result: SSAValue, value: SSAValue | Expr) -> None:
        """`result` is `value`; what the type of `result` says about its shape must hold for `value`."""
        if isinstance(value, SSAValue):
            self.agree(self.shape(value), declared_shape(result.type), "the result type")
            if not isinstance(value.owner, Block) and value.name_hint is None:
                value.name_hint = result.name_hint
        self.values[result] = value

    # Shapes

    def shape(self, value: SSAValue) -> Shape:
        return self.symbols.resolve_shape(shape_of(value))

    def agree(self, a: PartialShape, b: PartialShape, what: str) -> None:
        assert self.op is not None
        self.symbols.agree(self.op, a, b, what)

    def equate(self, a: Expr, b: Expr, what: str) -> None:
        assert self.op is not None
        self.symbols.equate(self.op, a, b, what)

    # Tensor ops

    def broadcast(self, value: SSAValue, shape: Shape, axes: Sequence[int] | None = None) -> SSAValue:
        """`value` at `shape`; a splat constant stays one."""
        number = splat_of(value)
        if number is not None:
            return self.b.constant(number, tensor_type(scalar_of(value), shape))
        if self.shape(value) == shape:
            return value
        return self.b.insert(Broadcast.to(value, shape, axes)).results[0]

    def reshape(self, value: SSAValue, shape: Shape) -> SSAValue:
        if self.shape(value) == shape:
            return value
        return self.b.insert(Reshape.to(value, shape)).results[0]

    def elementwise(self, args: Sequence[SSAValue]) -> list[SSAValue]:
        """The operands of an elementwise op in one shape: 0-d ones are broadcast, sizes are made equal."""
        shapes = [self.shape(a) for a in args]
        widest = max(shapes, key=len, default=())
        for shape in shapes:
            if shape:
                self.agree(widest, shape, "operands of one shape")
        widest = self.symbols.resolve_shape(widest)
        return [self.broadcast(a, widest, []) if not s and widest else a for a, s in zip(args, shapes, strict=True)]


def integers(attribute: Attribute) -> list[int]:
    """The values of an array attribute of integers or of a dense array."""
    if isinstance(attribute, DenseArrayBase):
        return [int(n) for n in attribute.get_values()]
    data: Any = attribute
    return [int(n.value.data) if isinstance(n, IntegerAttr) else int(n) for n in data]
