"""`form-kernels`: generics that share their outer dims run as one loop nest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Block, Operation, SSAValue
from xdsl.passes import ModulePass

from ...dialects.expr import Expr, product_of
from ...dialects.ir import block_of, erase
from ...dialects.weld.generic import Generic, Load, Yield
from ...dialects.weld.kernel import Kernel
from ...dialects.weld.types import bit_width, scalar_of
from ..remarks import Reason, describe, note
from .graph import functions, reaches, sort_block, users
from .merge import copy_ops
from .profit import bytes_of


@dataclass(frozen=True)
class FormKernels(ModulePass):
    """Group generics into kernels: row reductions with what follows them in the same row, small epilogues.

    %m = generic over "n, 8" gives "max d0" {...}      %y = weld.kernel outer 1 after 0 {
    %y = generic over "n, 8" gives "write d0, d1" ->     %m = generic ... ; %y = generic ...
         { load %m "d0" ... }                            yield %y }
    """

    name = "form-kernels"
    row_bytes: int = 1 << 20
    """Largest static scratch of one outer iteration (the second-level cache)."""
    fuse: bool = True
    """False puts each generic into a kernel of its own."""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in functions(op):
            form_kernels(function.body.block, self)
            sort_block(function.body.block)


@dataclass
class Group:
    """A kernel in the making: members with their outer dims in one common order."""

    rows: list[Generic]
    outer: list[dict[Generic, str]]
    """For each shared outer dim its name in each row member."""
    after: list[Generic] = field(default_factory=list[Generic])

    @property
    def ops(self) -> set[Operation]:
        return {*self.rows, *self.after}


def form_kernels(block: Block, options: FormKernels) -> None:
    groups: list[Group] = []
    owner: dict[Operation, Group] = {}
    for op in list(block.ops):
        if not isinstance(op, Generic):
            continue
        group = _join_producers(op, owner, options) if options.fuse else None
        if group is None:
            group = Group([op], [{op: d} for d in op.dims])
            groups.append(group)
        owner[op] = group
    for number, group in enumerate(groups):
        _emit(group, number)


def _join_producers(op: Generic, owner: dict[Operation, Group], options: FormKernels) -> Group | None:
    """Add `op` to the group of one of its producers, the latest one that takes it."""
    found: list[Group] = []
    for load in op.loads():
        group = owner.get(load.tensor.owner) if isinstance(load.tensor.owner, Operation) else None
        if group is not None and group not in found:
            found.append(group)
    for init in op.inits:
        if init.owner in owner:
            return None
    for group in reversed(found):
        reason = _try_join(op, group, options)
        fused = reason in (Reason.ROW_RESULT, Reason.SMALL_EPILOGUE)
        for load in op.loads():
            if load.tensor.owner in group.ops and isinstance(load.tensor.owner, Operation):
                note(load.tensor.owner, op, fused, reason, str(bytes_of(load.tensor) * 2))
        if fused:
            return group
    return None


def _try_join(op: Generic, group: Group, options: FormKernels) -> Reason:
    """Join where that is right and worth it; the reason says which."""
    outside = {u for member in group.ops for u in users(member)} - group.ops - {op}
    if reaches(outside, op, group.ops):
        return Reason.DEPENDENCY_CYCLE
    internal = [load for load in op.loads() if load.tensor.owner in group.ops]
    from_after = any(load.tensor.owner in group.after for load in internal)
    outer = [] if from_after else _shared_outer(op, group, internal)
    if outer:
        if _scratch_too_large(op, group, outer, options.row_bytes):
            return Reason.ROW_TOO_LARGE
        group.rows.append(op)
        group.outer = outer
        return Reason.ROW_RESULT
    if _is_minor(op, group):
        group.after.append(op)
        return Reason.SMALL_EPILOGUE
    return Reason.NO_SHARED_OUTER_DIM


def _shared_outer(op: Generic, group: Group, loads: Sequence[Load]) -> list[dict[Generic, str]]:
    """The group's outer dims along which `op` needs only the same iteration of every member it reads."""
    shared: list[dict[Generic, str]] = []
    sizes = dict(zip(op.dims, op.sizes, strict=True))
    for slot in group.outer:
        targets = {_aligned(load, slot) for load in loads}
        target = targets.pop() if len(targets) == 1 else None
        taken = {s[op] for s in shared}
        size = _size(group.rows[0], slot[group.rows[0]])
        if target is not None and target not in taken and sizes.get(target) == size:
            shared.append({**slot, op: target})
    return shared


def _aligned(load: Load, slot: dict[Generic, str]) -> str | None:
    """The consumer's dim that reads the producer along this outer dim only at its own iteration."""
    producer = load.tensor.owner
    if not isinstance(producer, Generic) or producer not in slot:
        return None
    result = producer.given(load.tensor)
    if result.is_scatter or load.indices or load.where.guards or load.guard is not None:
        return None
    for index, expr in zip(result.indices, load.where.indices, strict=True):
        if str(index) == slot[producer]:
            return str(expr)
    return None


def _size(generic: Generic, dim: str) -> Expr:
    return generic.sizes[generic.dims.index(dim)]


def _scratch_too_large(op: Generic, group: Group, outer: list[dict[Generic, str]], limit: int) -> bool:
    """Whether the values that one outer iteration keeps for `op` are known not to fit the cache."""
    total = 0
    for load in op.loads():
        producer = load.tensor.owner
        if isinstance(producer, Generic) and producer in group.rows:
            kept = {slot[producer] for slot in outer}
            result = producer.given(load.tensor)
            inner = product_of(_size(producer, str(e)) for e in result.indices if str(e) in set(producer.dims) - kept)
            total += (inner.value or 0) * bit_width(scalar_of(load.tensor)) // 8
    return total > limit


def _is_minor(op: Generic, group: Group) -> bool:
    """Whether the domain is a small part of the group's loops: some of their dims, or a few elements."""
    if op.inits:
        return False
    mine = product_of(op.sizes)
    if mine.value is not None and mine.value <= 64:
        return True
    largest = max((g.sizes for g in group.rows), key=len)
    rest = list(largest)
    for size in op.sizes:
        if size not in rest:
            return False
        rest.remove(size)
    return any(s.value is None or s.value > 1 for s in rest)


def _emit(group: Group, number: int) -> None:
    """Replace the group's generics by one kernel op in front of the last of them."""
    last = group.rows[0]
    block = block_of(last)
    outer = group.outer if len(group.rows) > 1 else []
    body = Block()
    results: list[SSAValue] = []
    members: list[Generic] = []
    anchor = max(group.ops, key=lambda o: block.get_operation_index(o)) if len(group.ops) > 1 else last
    marker = anchor.next_op
    location = anchor.location
    for op in [*group.rows, *group.after]:
        member = permuted(op, [slot[op] for slot in outer] if op in group.rows else [])
        member.detach()
        body.add_op(member)
        members.append(member)
    inside = set(members)
    for member in members:
        for out in member.outs:
            if any(_outer_member(use.operation, body) not in inside for use in out.uses):
                results.append(out)
    body.add_op(Yield.create(operands=results))
    kernel = Kernel.of(_name(number, members), len(outer), len(group.after), body, [r.type for r in results])
    kernel.location = location
    if marker is None:
        block.add_op(kernel)
    else:
        block.insert_op_before(kernel, marker)
    for inner, result in zip(results, kernel.outs, strict=True):
        result.name_hint = inner.name_hint
        inner.replace_uses_with_if(result, lambda use: _outer_member(use.operation, body) is None)


def _outer_member(op: Operation, body: Block) -> Operation | None:
    """The op of `body` that holds `op`; None when `op` is not inside it."""
    current: Operation | None = op
    while current is not None and current.parent is not body:
        current = current.parent_op()
    return current


def _name(number: int, members: list[Generic]) -> str:
    text = describe(max(members, key=lambda m: len(list(m.block.ops))))
    return f"k{number}_" + "".join(c if c.isalnum() else "_" for c in text.replace("...", "")).strip("_")


def permuted(op: Generic, first: list[str]) -> Generic:
    """The generic with the dims named in `first` moved to the front (all dims renamed in order)."""
    order = first + [d for d in op.dims if d not in first]
    if tuple(order) == op.dims:
        return op
    names = {old: Expr.symbol(new) for old, new in zip(order, op.dims, strict=True)}
    sizes = dict(zip(op.dims, op.sizes, strict=True))
    body = Block()
    end = Yield.create()
    body.add_op(end)
    copies = copy_ops([o for o in op.block.ops if not isinstance(o, Yield)], names, end)
    end.operands = [copies.get(v, v) for v in op.terminator.operands]
    moved = Generic.of(
        tuple(sizes[d] for d in order),
        [g.substitute(names) for g in op.results_given],
        [o.type for o in op.outs],
        body,
        tuple(op.inits),
    )
    moved.location = op.location
    block_of(op).insert_op_before(moved, op)
    for old, new in zip(op.outs, moved.outs, strict=True):
        new.name_hint = old.name_hint
        old.replace_all_uses_with(new)
    erase(op)
    return moved
