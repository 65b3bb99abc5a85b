"""`generalize`: every tensor op with a pointwise form becomes a `weld.generic`; views become accesses.

    %y = weld.exp %x : tensor<4xf32>
->  %y = weld.generic over "4" gives "write d0" {
       %0 = weld.load %x "d0" : tensor<4xf32>
       %1 = weld.exp %0 : f32
       weld.yield %1 : f32
     } : tensor<4xf32>
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Block, Operation, SSAValue
from xdsl.passes import ModulePass

from ..dialects.expr import Expr
from ..dialects.ir import block_of, erase, ops_of
from ..dialects.weld.attributes import Result, Where
from ..dialects.weld.base import Elementwise, TensorOp
from ..dialects.weld.constant import Constant, Size
from ..dialects.weld.generic import Generic, Yield, dim_exprs
from ..dialects.weld.indexing import SCATTER_KINDS, Scatter
from ..dialects.weld.library import Call
from ..dialects.weld.recurrence import Recurrence
from ..dialects.weld.reductions import Reduction
from ..dialects.weld.types import BOOL, Shape, kind_of, scalar_of, shape_of, with_element
from ..dialects.weld.views import Reshape, Transpose, View
from .fusion.graph import functions, strided_results
from .loops.plan import is_table
from .own_results import library_copy, own_results
from .points import NotLowerable, PointBuilder, compute_element


@dataclass(frozen=True)
class Generalize(ModulePass):
    """Turn tensor ops into generics; what has no pointwise form stays and will be a library call."""

    name = "generalize"
    lacks: tuple[str, ...] = ()
    """Ops that the target has no code for: they stay, and so does what would need them."""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in functions(op):
            _generalize(function, frozenset(self.lacks))


def _generalize(function: FuncOp, lacks: frozenset[str]) -> None:
    block = function.body.block
    for op in ops_of(block):
        if op.name not in lacks:
            generalize_op(op, lacks)
    for op in ops_of(block):
        if isinstance(op, ReturnOp):
            own_results(op, copy_of, strided_results(function))
    _erase_unused(block)
    _materialise_views(function)
    _erase_unused(block)


def _erase_unused(block: Block) -> None:
    for op in reversed(ops_of(block)):
        if isinstance(op, View | Constant | Size | Generic) and not any(r.uses for r in op.results):
            erase(op)


def generalize_op(op: Operation, lacks: frozenset[str] = frozenset()) -> None:
    """Replace one tensor op by its generic form, where it has one that needs none of the ops in `lacks`."""
    try:
        if isinstance(op, Elementwise):
            _replace(op, _without(lacks, _elementwise(op)))
        elif isinstance(op, Reduction):
            _reduction(op)
        elif isinstance(op, Scatter):
            _replace(op, _scatter(op))
        elif isinstance(op, Size):
            _replace(op, _write(op, (), lambda p: p.b.cast(p.index(op.expr.data[0]), scalar_of(op.res))))
        elif isinstance(op, TensorOp) and not isinstance(op, View):
            _replace(op, _without(lacks, _pointwise(op)))
    except NotLowerable:
        return


def _without(lacks: frozenset[str], generic: Generic | None) -> Generic | None:
    if generic is not None and any(op.name in lacks for op in ops_of(generic.block)):
        raise NotLowerable(generic.name)
    return generic


def _replace(op: Operation, generic: Generic | None) -> None:
    if generic is None:
        return
    generic.location = op.location
    block_of(op).insert_op_before(generic, op)
    generic.results[0].name_hint = op.results[0].name_hint
    op.results[0].replace_all_uses_with(generic.results[0])
    erase(op)


def _write(op: Operation, shape: Shape, value: Callable[[PointBuilder], SSAValue | None]) -> Generic | None:
    """A generic that writes `value` at each point of `shape`."""
    block = Block()
    points = PointBuilder(block, dim_exprs(len(shape)), op.location)
    found = value(points)
    if found is None:
        return None
    stored = points.b.cast(found, scalar_of(op.results[0]))
    block.add_op(Yield.create(operands=[stored]))
    return Generic.of(shape, [Result("write", points.dims)], [op.results[0].type], block)


def _elementwise(op: Elementwise) -> Generic | None:
    def value(p: PointBuilder) -> SSAValue:
        args = [p.load(a, Where(p.dims)) for a in op.operands]
        if op.name == "weld.cast":
            return p.b.cast(args[0], scalar_of(op.res))
        return p.b.build(type(op), *args)

    return _write(op, shape_of(op.res), value)


def _pointwise(op: TensorOp) -> Generic | None:
    return _write(op, shape_of(op.res), op.point)


def _reduction(op: Reduction) -> None:
    """A reduction of a 16-bit float gives a float32 tensor, which a second generic rounds."""
    shape = shape_of(op.args[0])
    block = Block()
    points = PointBuilder(block, dim_exprs(len(shape)), op.location)
    value = points.load(op.args[0], Where(points.dims))
    values = [value]
    if op.kind in ("argmax", "argmin"):
        position = Expr.constant(0)
        for axis in op.reduced:
            position = position * shape[axis] + points.dims[axis]
        values.append(points.index(position))
    block.add_op(Yield.create(operands=values))
    kept = tuple(d for k, d in enumerate(points.dims) if k not in op.reduced)
    wide = with_element(op.res.type, compute_element(scalar_of(op.res)))
    generic = Generic.of(shape, [Result(op.kind, kept)], [wide], block)
    if wide == op.res.type:
        _replace(op, generic)
        return
    generic.location = op.location
    block_of(op).insert_op_before(generic, op)
    sums = generic.results[0]
    rounded = _write(op, shape_of(op.res), lambda p: p.load(sums, Where(p.dims)))
    _replace(op, rounded)


def _scatter(op: Scatter) -> Generic:
    if op.kind.data not in SCATTER_KINDS:
        raise NotLowerable(op.name)
    shape = shape_of(op.args[1])
    block = Block()
    points = PointBuilder(block, dim_exprs(len(shape)), op.location)
    where, indices, inside = op.element(points, points.dims)
    value = points.b.cast(points.load(op.args[1], Where(points.dims)), scalar_of(op.res))
    keep = points.b.constant(True, BOOL) if inside is None else inside
    block.add_op(Yield.create(operands=[value, keep, *indices]))
    result = Result(f"scatter_{op.kind.data}", where.indices)
    return Generic.of(shape, [result], [op.res.type], block, [op.args[0]])


def _materialise_views(function: FuncOp) -> None:
    """A reshape that stays must be another shape of row-major memory, and so must what a scatter or a recurrence takes:
    views and strided arguments are copied. So are the views that library calls take, but for the ones that memory can
    hold as they are."""
    strided = strided_arguments(function)
    for op in ops_of(function.body.block):
        if isinstance(op, Reshape) and op.res.uses:
            if _is_not_dense(op.args[0], strided):
                op.operands[0] = copy_of(op.args[0], op)
        elif isinstance(op, Generic):
            for k, init in enumerate(op.inits):
                if _is_not_dense(init, strided):
                    op.operands[k] = copy_of(init, op)
        elif isinstance(op, Recurrence):
            for k, operand in enumerate(op.operands):
                if _is_not_dense(operand, strided) or _is_long_splat(operand):
                    op.operands[k] = copy_of(operand, op)
        elif isinstance(op, TensorOp | Elementwise | Call) and not isinstance(op, View):
            for k, operand in enumerate(op.operands):
                if isinstance(operand.owner, View) and not isinstance(operand.owner, Reshape | Transpose):
                    op.operands[k] = copy_of(operand, op)


def _is_long_splat(value: SSAValue) -> bool:
    return isinstance(value.owner, Constant) and not is_table(value.owner)


def _is_not_dense(value: SSAValue, strided: set[SSAValue]) -> bool:
    return value in strided or (isinstance(value.owner, View) and not isinstance(value.owner, Reshape))


def strided_arguments(function: FuncOp) -> set[SSAValue]:
    """The arguments that carry `weld.strides`: they are not row-major."""
    if function.arg_attrs is None:
        return set()
    pairs = zip(function.body.block.args, function.arg_attrs.data, strict=True)
    return {argument for argument, attributes in pairs if "weld.strides" in attributes.data}


def copy_of(value: SSAValue, before: Operation) -> SSAValue:
    """A copy of a tensor, made before an op."""
    if kind_of(scalar_of(value)) == "c":  # no loop of ours holds complex numbers
        return library_copy(value, before)
    block = Block()
    points = PointBuilder(block, dim_exprs(len(shape_of(value))), before.location)
    stored = points.b.cast(points.load(value, Where(points.dims)), scalar_of(value))
    block.add_op(Yield.create(operands=[stored]))
    generic = Generic.of(shape_of(value), [Result("write", points.dims)], [value.type], block)
    block_of(before).insert_op_before(generic, before)
    return generic.results[0]
