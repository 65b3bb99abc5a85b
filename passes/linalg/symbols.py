"""Size symbols while a function's shapes are being found: fresh ones, and which of them are equal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from xdsl.dialects.builtin import DYNAMIC_INDEX, ArrayAttr, FunctionType, TensorType
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Attribute, Operation, SSAValue

from ...dialects.expr import Expr
from ...dialects.ir import complain, set_type, walk
from ...dialects.ranges import is_size
from ...dialects.weld.attributes import Access, Dims, Out
from ...dialects.weld.types import Shape, is_tensor, tensor_type

PartialShape = Sequence[Expr | None]
"""A shape whose unknown sizes are None."""


def declared_shape(kind: Attribute) -> tuple[Expr | None, ...]:
    """What a type says about its sizes: None for a `?` without a symbol; () for a scalar."""
    if not is_tensor(kind):
        return ()
    if isinstance(kind.encoding, Dims):
        return kind.encoding.data
    return tuple(None if n == DYNAMIC_INDEX else Expr.constant(n) for n in kind.get_shape())


class Symbols:
    """Equations between sizes, solved as they come: a symbol that is found equal to something is replaced by it.

    A symbol of the user's stays rather than a fresh one, and an earlier one rather than a later one.
    """

    def __init__(self, taken: Iterable[str] = ()):
        self._order: dict[str, int] = {}
        self._fresh: set[str] = set()
        self._values: dict[str, Expr] = {}
        self._taken = set(taken)
        self._next = 0

    @staticmethod
    def of_function(function: FuncOp) -> Symbols:
        """No equations yet; the names that the function uses are taken."""
        symbols = Symbols()
        for kind in _types(function):
            symbols._taken |= {n for e in declared_shape(kind) if e is not None for n in e.names}
        for op in walk(function):
            for attribute in (*op.properties.values(), *op.attributes.values()):
                symbols._taken |= {n for e in _exprs(attribute) for n in e.names}
        return symbols

    def fresh(self) -> Expr:
        while (name := f"s{self._next}") in self._taken:
            self._next += 1
        self._next += 1
        self._taken.add(name)
        self._fresh.add(name)
        self._rank(name)
        return Expr.symbol(name)

    def is_fresh(self, size: Expr) -> bool:
        """Whether `size` is a symbol that nobody has written."""
        return str(size) in self._fresh

    def resolve(self, size: Expr) -> Expr:
        return size.substitute(self._values)

    def resolve_shape(self, shape: Shape) -> Shape:
        return tuple(self.resolve(e) for e in shape)

    def unify(self, a: Expr, b: Expr) -> bool:
        """Make two sizes equal; False where they are not, or where no symbol's value follows from that."""
        difference = self.resolve(a) - self.resolve(b)
        if difference.value is not None:
            return difference.value == 0
        for name in sorted(difference.names, key=self._rank, reverse=True):
            factor = difference.coefficient(name)
            if factor is None or factor.value not in (1, -1):
                continue
            value = Expr.symbol(name) - difference * factor
            self._values = {n: e.substitute({name: value}) for n, e in self._values.items()} | {name: value}
            return True
        return False

    def equate(self, op: Operation, a: Expr, b: Expr, what: str = "sizes that are equal") -> None:
        if not self.unify(a, b):
            complain(op, f"expects {what}, found {self.resolve(a)} and {self.resolve(b)}")

    def agree(self, op: Operation, a: PartialShape, b: PartialShape, what: str) -> None:
        """Make two shapes equal as far as both are known; `what` tells what the op expects."""
        if len(a) != len(b):
            complain(op, f"expects {what} to have {len(a)} dims, found {len(b)}")
        for axis, (left, right) in enumerate(zip(a, b, strict=True)):
            if left is not None and right is not None and not self.unify(left, right):
                found = f"{self.resolve(left)} and {self.resolve(right)}"
                complain(op, f"expects {what}, found sizes {found} along axis {axis}")

    def resolve_attribute(self, attribute: Attribute) -> Attribute:
        """The attribute or type with every symbol replaced by what it is equal to."""
        match attribute:
            case TensorType() if isinstance(attribute.encoding, Dims):
                return tensor_type(attribute.element_type, self.resolve_shape(attribute.encoding.data))
            case Dims():
                return Dims(self.resolve_shape(attribute.data))
            case Access():
                return Access(attribute.data.substitute(self._values))
            case Out():
                return Out(attribute.data.substitute(self._values))
            case ArrayAttr():
                return ArrayAttr([self.resolve_attribute(a) for a in attribute])
            case _:
                return attribute

    def _rank(self, name: str) -> tuple[bool, int]:
        """What is eliminated first has the highest rank."""
        return name in self._fresh, self._order.setdefault(name, len(self._order))


def settle(function: FuncOp, symbols: Symbols) -> None:
    """Write what was found about the sizes into every type and attribute of the function.

    Raises VerifyException where a symbol is left that is the size of no argument.
    """
    for value in _values(function):
        set_type(value, symbols.resolve_attribute(value.type))
    for op in walk(function):
        if op is function:
            continue
        op.properties = {n: symbols.resolve_attribute(a) for n, a in op.properties.items()}
        op.attributes = {n: symbols.resolve_attribute(a) for n, a in op.attributes.items()}
    block = function.body.block
    returned = block.last_op
    outputs = returned.operand_types if isinstance(returned, ReturnOp) else function.function_type.outputs.data
    function.function_type = FunctionType.from_lists([a.type for a in block.args], list(outputs))
    if function.sym_visibility is None or function.sym_visibility.data != "private":  # one may have its caller's
        _check_bound(function)


def _check_bound(function: FuncOp) -> None:
    bound = {str(e) for a in function.body.block.args for e in declared_shape(a.type) if e is not None}
    for op in walk(function):
        if op is function:
            continue
        kinds = [r.type for r in op.results]
        sizes = [e for k in kinds for e in declared_shape(k) if e is not None]
        sizes += [e for a in op.properties.values() if isinstance(a, Dims) for e in a.data]
        for name in sorted({n for e in sizes for n in e.names} - bound):
            if is_size(name):
                complain(op, f"has a size '{name}' that no argument's shape tells")


def _values(function: FuncOp) -> Iterable[SSAValue]:
    for op in walk(function):
        yield from op.results
        for region in op.regions:
            for block in region.blocks:
                yield from block.args


def _types(function: FuncOp) -> Iterable[Attribute]:
    yield from (value.type for value in _values(function))
    yield from function.function_type.outputs


def _exprs(attribute: Attribute) -> Iterable[Expr]:
    match attribute:
        case Dims():
            yield from attribute.data
        case Access():
            yield from (*attribute.data.indices, *attribute.data.guards)
        case ArrayAttr():
            for part in attribute:
                yield from _exprs(part)
        case _:
            return
