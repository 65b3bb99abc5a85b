"""`fuse-siblings`: independent generics over one domain that read the same tensors become one loop nest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Block, SSAValue
from xdsl.passes import ModulePass

from ...dialects.expr import Expr
from ...dialects.weld.generic import Generic
from ...dialects.weld.types import shape_of
from ..remarks import Reason, note
from .graph import functions, reaches, sort_block
from .legality import join_forbidden
from .merge import join, simplify_body
from .profit import bytes_of, streams


@dataclass(frozen=True)
class FuseSiblings(ModulePass):
    """Join generics that share an input of the size of their domain, or an index of a gather or scatter.

        %a = generic over "n, m" gives "sum d0" { load %x "d0, d1" }
        %b = generic over "n, m" gives "sum d1" { load %x "d0, d1" }
    ->  %a, %b = generic over "n, m" gives "sum d0", "sum d1" { load %x "d0, d1" }
    """

    name = "fuse-siblings"
    max_streams: int = 24
    """Loops with more tensors than this are not grown."""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in functions(op):
            fuse_block(function.body.block, self.max_streams)
            sort_block(function.body.block)


def fuse_block(block: Block, max_streams: int) -> None:
    changed = True
    while changed:
        changed = False
        for first, second, tensor in _pairs(block):
            dims = _alignment(first, second, tensor)
            if dims is None:
                continue
            reason = join_forbidden(first, second)
            if reason is None and reaches({second}, first):
                reason = Reason.DEPENDENCY_CYCLE
            if reason is None and streams(first, second) > max_streams:
                reason = Reason.TOO_MANY_STREAMS
            note(first, second, reason is None, reason or Reason.SHARED_INPUT, str(bytes_of(tensor)))
            if reason is None:
                simplify_body(join(first, second, dims))
                changed = True
                break


def _pairs(block: Block) -> Iterator[tuple[Generic, Generic, SSAValue]]:
    """Pairs of generics over equally large domains that load one tensor, in block order."""
    readers: dict[SSAValue, list[Generic]] = {}
    for op in block.ops:
        if isinstance(op, Generic):
            for tensor in {load.tensor for load in op.loads()}:
                readers.setdefault(tensor, []).append(op)
    for tensor, ops in readers.items():
        if not shape_of(tensor):
            continue
        for k, first in enumerate(ops):
            for second in ops[k + 1 :]:
                if sorted(map(str, first.sizes)) == sorted(map(str, second.sizes)):
                    yield first, second, tensor


def _alignment(first: Generic, second: Generic, tensor: SSAValue) -> dict[str, Expr] | None:
    """The dims of `first` as dims of `second`, so that both read `tensor` at the same element; None if there is
    no such permutation."""
    for a in first.loads():
        for b in second.loads():
            if a.tensor is tensor and b.tensor is tensor:
                found = _match(a.where.indices, b.where.indices, first, second)
                if found is not None:
                    return found
    return None


def _match(left: tuple[Expr, ...], right: tuple[Expr, ...], first: Generic, second: Generic) -> dict[str, Expr] | None:
    dims: dict[str, Expr] = {}
    for a, b in zip(left, right, strict=True):
        if str(a) in first.dims and str(b) in second.dims:
            dims[str(a)] = b
    sizes = dict(zip(second.dims, second.sizes, strict=True))
    rest = [d for d in second.dims if Expr.symbol(d) not in dims.values()]
    for dim, size in zip(first.dims, first.sizes, strict=True):
        if dim not in dims:
            match = next((r for r in rest if sizes[r] == size), None)
            if match is None:
                return None
            rest.remove(match)
            dims[dim] = Expr.symbol(match)
        elif sizes[str(dims[dim])] != size:
            return None
    same = tuple(e.substitute(dims) for e in left) == right
    return dims if same and not rest else None
