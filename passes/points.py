"""Building the body of a generic: scalars at one point of the domain."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import add, mul, sub

from xdsl.dialects.builtin import LocationAttr
from xdsl.ir import Attribute, Block, SSAValue

from ..dialects.expr import Expr, exact_quotient, product_of, split_quotient
from ..dialects.ir import ops_of
from ..dialects.ranges import divides_an_index, within
from ..dialects.weld.arithmetic import Add, Mul, Sub
from ..dialects.weld.attributes import Where
from ..dialects.weld.base import Builder, Elementwise
from ..dialects.weld.cast import Cast
from ..dialects.weld.constant import Constant
from ..dialects.weld.generic import Generic, Index, Inside, Load, dim_exprs
from ..dialects.weld.types import BF16, F16, F32, I64, kind_of, scalar_of, shape_of
from ..dialects.weld.views import View


class NotLowerable(Exception):
    """The op has no scalar form for this element type: it becomes a library call."""


def compute_element(element: Attribute) -> Attribute:
    """The type that values of `element` are computed in: float32 for the 16-bit floats."""
    return F32 if element in (F16, BF16) else element


def is_native(kind: type[Elementwise], element: Attribute) -> bool:
    """Whether codegen writes the op itself for this operand element."""
    if kind is Cast:
        return kind_of(element) != "c"
    return kind_of(element) in kind.llvm and element not in (F16, BF16)


class ScalarBuilder(Builder):
    """Builds scalar ops, expanding the ones that codegen does not write itself.

    Raises NotLowerable for an op without any scalar form.
    """

    def build(self, kind: type[Elementwise], *args: SSAValue) -> SSAValue:
        element = scalar_of(args[-1])
        if is_native(kind, element):
            return super().build(kind, *args)
        expanded = kind.expand(self, *args)
        if expanded is None:
            raise NotLowerable(kind.name)
        return expanded

    def cast(self, value: SSAValue, element: Attribute) -> SSAValue:
        """A cast; NotLowerable for complex elements."""
        if kind_of(scalar_of(value)) == "c" or kind_of(element) == "c":
            raise NotLowerable("weld.cast")
        return super().cast(value, element)


class PointBuilder:
    """Implements `Points` over a block: loads look through views and splat constants."""

    def __init__(self, block: Block, dims: tuple[Expr, ...], location: LocationAttr | None = None):
        self.b = ScalarBuilder(block, location=location)
        self._dims = dims

    @property
    def dims(self) -> tuple[Expr, ...]:
        return self._dims

    def load(
        self, tensor: SSAValue, where: Where, indices: Sequence[SSAValue] = (), guard: SSAValue | None = None
    ) -> SSAValue:
        """The element of `tensor` in its compute type; a splat constant is loaded as a scalar constant only
        where no guard could make it 0."""
        tensor, where = look_through(tensor, where)
        owner = tensor.owner
        if isinstance(owner, Constant) and owner.is_splat and guard is None:
            element = compute_element(scalar_of(tensor))
            return self.b.constant(owner.number, element)
        value = self.b.insert(Load.of(tensor, where, indices, guard)).results[0]
        return self.b.cast(value, compute_element(scalar_of(value)))

    def position(self, tensor: SSAValue, where: Where) -> Expr | None:
        tensor, where = look_through(tensor, where)
        return None if where.guards else position_of(tensor, where)

    def index(self, expr: Expr) -> SSAValue:
        return self.b.insert(Index.of(expr)).results[0]

    def test(self, guards: tuple[Expr, ...]) -> SSAValue:
        return self.b.insert(Inside.of(guards)).results[0]


def position_of(tensor: SSAValue, where: Where) -> Expr | None:
    """The element of an i64 tensor as an expression of dims and sizes, where that is how it is computed."""
    owner = tensor.owner
    if isinstance(owner, Constant) and owner.is_splat and scalar_of(tensor) == I64:
        return Expr.constant(int(owner.number))
    if not isinstance(owner, Generic) or len(owner.outs) != 1 or not owner.given(tensor).is_write:
        return None
    dims = {str(own): at for own, at in zip(owner.given(tensor).indices, where.indices, strict=True)}
    found: dict[SSAValue, Expr | None] = {}
    for op in ops_of(owner.block):
        if isinstance(op, Index):
            found[op.res] = op.value.substitute(dims)
        elif isinstance(op, Constant) and op.res.type == I64:
            found[op.res] = Expr.constant(int(op.number))
        elif isinstance(op, Load) and len(op.operands) == 1 and not op.where.guards:
            found[op.res] = position_of(op.tensor, op.where.substitute(dims))
        elif isinstance(op, Add | Sub | Mul):
            a, b = (found.get(v) for v in op.operands)
            found[op.res] = None if a is None or b is None else _ARITHMETIC[type(op)](a, b)
    return found.get(owner.yielded_for(tensor)[0])


_ARITHMETIC: dict[type[Elementwise], Callable[[Expr, Expr], Expr]] = {Add: add, Sub: sub, Mul: mul}


def look_through(tensor: SSAValue, where: Where) -> tuple[SSAValue, Where]:
    """The tensor behind a chain of views, with the access composed.

    A reshape that mixes dims stops the chain, unless the views behind it undo that: it is free as another shape of a
    contiguous buffer, and costs divisions as an access. They cost less than to store what a broadcast repeats.
    """
    if not isinstance(tensor.owner, View):
        return tensor, where
    names = dim_exprs(len(where.indices))
    inner = Where(names)
    found, at = tensor, inner
    source = tensor
    while isinstance(view := source.owner, View):
        dims = dim_exprs(len(inner.indices))
        values = {str(n): e for n, e in zip(dims, inner.indices, strict=True)}
        composed = view.where(dims).substitute(values)
        inner = Where(tuple(within(e, {}) for e in composed.indices), inner.guards + composed.guards)
        source = view.args[0]
        if not divides_an_index(inner.indices):
            found, at = source, inner
    if _is_repeated(source, found, inner):
        found, at = source, inner
    values = {str(n): e for n, e in zip(names, where.indices, strict=True)}
    at = at.substitute(values)
    return found, Where(at.indices, where.guards + at.guards)


def _is_repeated(source: SSAValue, view: SSAValue, where: Where) -> bool:
    """Whether a view holds each element of its source several times, and only divides by numbers to find it."""
    times = exact_quotient(product_of(shape_of(view)), product_of(shape_of(source)))
    quotients = [split_quotient(a) for e in where.indices for a in e.atoms]
    return times not in (None, Expr.constant(1)) and all(q is None or q[2].value is not None for q in quotients)
