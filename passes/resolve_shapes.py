"""`resolve-shapes`: every dynamic tensor type gets its symbolic shape.

    func.func @f(%x: tensor<?x8xf32>) { %y = weld.exp %x : tensor<?x8xf32> ... }
->  func.func @f(%x: tensor<?x8xf32, #weld.dims<"s0, 8">>) {
      %y = weld.exp %x : tensor<?x8xf32, #weld.dims<"s0, 8">> ... }
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.utils.exceptions import VerifyException

from ..dialects.expr import Expr, product_of
from ..dialects.ir import complain, set_type
from ..dialects.weld import (
    Broadcast,
    Check,
    Cholesky,
    Concat,
    Constant,
    Gather,
    Generic,
    Kernel,
    Load,
    Lu,
    Matmul,
    Reshape,
    Scatter,
    Size,
    SolveTriangular,
    Yield,
)
from ..dialects.weld.base import Elementwise, TensorOp
from ..dialects.weld.library import Call
from ..dialects.weld.recurrence import Recurrence
from ..dialects.weld.types import Shape, is_tensor, shape_of, tensor_type
from .fusion.graph import functions
from .linalg.symbols import Symbols, declared_shape, settle


@dataclass(frozen=True)
class ResolveShapes(ModulePass):
    """Give every `?` its symbol: fresh ones for arguments, derived ones for everything else.

    Sizes that an op needs to be equal become one symbol. Types that carry an encoding keep it.
    """

    name = "resolve-shapes"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in functions(op):
            _Resolver(function).run()


Equalities = Iterator[tuple[Expr, Expr]]


def _broadcast(op: Broadcast, shapes: list[Shape]) -> Equalities:
    for size, axis in zip(shapes[0], op.axes.get_values(), strict=True):
        if size.value != 1:
            yield size, op.shape.data[axis]


def _reshape(op: Reshape, shapes: list[Shape]) -> Equalities:
    yield product_of(shapes[0]), product_of(op.shape.data)


def _matmul(op: Matmul, shapes: list[Shape]) -> Equalities:
    a, b = shapes
    if len(a) == len(b) >= 2:
        yield from zip(a[:-2], b[:-2], strict=True)
        yield a[-1], b[-2]


def _square(op: Cholesky | Lu, shapes: list[Shape]) -> Equalities:
    if len(shapes[0]) >= 2:
        yield shapes[0][-2], shapes[0][-1]


def _solve(op: SolveTriangular, shapes: list[Shape]) -> Equalities:
    a, b = shapes
    if len(a) == len(b) >= 2:
        yield a[-2], a[-1]
        yield from zip(a[:-1], b[:-1], strict=True)


def _concat(op: Concat, shapes: list[Shape]) -> Equalities:
    axis = int(op.axis.value.data)
    for other in shapes[1:]:
        yield from ((a, b) for k, (a, b) in enumerate(zip(shapes[0], other, strict=False)) if k != axis)


def _gather(op: Gather | Scatter, shapes: list[Shape]) -> Equalities:
    indices = shapes[op.first_index :]
    for other in indices[1:]:
        yield from zip(indices[0], other, strict=False)


def _scatter(op: Scatter, shapes: list[Shape]) -> Equalities:
    yield from _gather(op, shapes)
    kept = [size for k, size in enumerate(shapes[0]) if k not in op.indexed]
    gathered = (*kept[: op.position], *shapes[2], *kept[op.position :])
    yield from zip(shapes[1], gathered, strict=False)


EQUALITIES: dict[type[Operation], Callable[..., Equalities]] = {
    Broadcast: _broadcast,
    Reshape: _reshape,
    Matmul: _matmul,
    Cholesky: _square,
    Lu: _square,
    SolveTriangular: _solve,
    Concat: _concat,
    Gather: _gather,
    Scatter: _scatter,
}
"""Sizes that must be equal for the op to be valid, given its operands' shapes."""


class _Resolver:
    """Walks one function in order; an op's operands are resolved before its results."""

    def __init__(self, function: FuncOp):
        self.function = function
        self.symbols = Symbols.of_function(function)

    def run(self) -> None:
        for argument in self.function.body.block.args:
            self._complete(argument)
        for op in self.function.body.block.ops:
            self._resolve(op)
        settle(self.function, self.symbols)

    def _resolve(self, op: Operation) -> None:
        match op:
            case Elementwise():
                self._same_shapes(op)
            case TensorOp() | Call():
                self._derive(op)
            case Generic():
                self._generic(op)
            case Kernel():
                for member in op.block.ops:
                    self._resolve(member)
                for result, value in zip(op.outs, op.terminator.operands, strict=True):
                    self._define(op, result, self._shape(value))
            case ReturnOp():
                declared = self.function.function_type.outputs.data
                for value, kind in zip(op.operands, declared, strict=True):
                    self.symbols.agree(op, self._shape(value), declared_shape(kind), "the result")
            case Constant() | Size() | Check() | Recurrence():
                for result in op.results:
                    self._complete(result)
            case Yield():
                pass
            case _:
                complain(op, "has no symbolic shapes: resolve-shapes reads weld ops (run convert-linalg-to-weld first)")

    def _same_shapes(self, op: Elementwise) -> None:
        shapes = [self._shape(v) for v in op.operands]
        for other in shapes[1:]:
            self.symbols.agree(op, shapes[0], other, "operands of one shape")
        self._define(op, op.res, shapes[0])

    def _derive(self, op: TensorOp | Call) -> None:
        shapes = [self._shape(v) for v in op.operands]
        for a, b in EQUALITIES.get(type(op), lambda *_: iter(()))(op, shapes):
            self.symbols.equate(op, a, b)
        for operand in op.operands:
            self._refresh(operand)
        for name, attribute in list(op.properties.items()):
            op.properties[name] = self.symbols.resolve_attribute(attribute)
        try:
            inferred = [op.infer_type()] if isinstance(op, TensorOp) else op.infer_types()
        except VerifyException as error:
            complain(op, str(error))
        for k, result in enumerate(op.results):
            self._define(op, result, self._complete(result) if inferred is None else shape_of(inferred[k]))

    def _generic(self, op: Generic) -> None:
        sizes = dict(zip(op.dims, op.sizes, strict=True))
        for load in op.loads():
            shape = self._shape(load.tensor)
            if len(shape) != len(load.where.indices):
                complain(load, f"needs {len(shape)} indices for {load.tensor.type}, found '{load.where}'")
            self._match_domain(load, shape, sizes)
        for result, out in zip(op.results_given, op.outs, strict=True):
            if result.is_scatter:
                continue
            shape = tuple(sizes.get(str(e), Expr.constant(1)) for e in result.indices)
            self._define(op, out, shape)
        scattered = [o for r, o in zip(op.results_given, op.outs, strict=True) if r.is_scatter]
        for out, init in zip(scattered, op.inits, strict=True):
            self._define(op, out, self._shape(init))

    def _match_domain(self, load: Load, shape: Shape, sizes: dict[str, Expr]) -> None:
        """`n` of `over "n"` is the size of a dim that is read at `d0`, where nothing else says what it is."""
        for size, index in zip(shape, load.where.indices, strict=True):
            loop = sizes.get(str(index))
            size = self.symbols.resolve(size)
            if loop is not None and self.symbols.is_fresh(size):
                self.symbols.equate(load, size, loop)

    def _shape(self, value: SSAValue) -> Shape:
        return self.symbols.resolve_shape(self._complete(value))

    def _complete(self, value: SSAValue) -> Shape:
        """The shape of a value, after giving each `?` of its type a fresh symbol."""
        kind = value.type
        if not is_tensor(kind):
            return ()
        shape = tuple(self.symbols.fresh() if e is None else e for e in declared_shape(kind))
        set_type(value, tensor_type(kind.element_type, shape))
        return shape

    def _refresh(self, value: SSAValue) -> None:
        set_type(value, self.symbols.resolve_attribute(value.type))

    def _define(self, op: Operation, result: SSAValue, shape: Shape) -> None:
        """Give a result its shape; what its type says already must agree."""
        kind = result.type
        if is_tensor(kind):
            self.symbols.agree(op, shape, declared_shape(kind), "the result type")
            set_type(result, tensor_type(kind.element_type, self.symbols.resolve_shape(shape)))
