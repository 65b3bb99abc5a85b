"""`fuse-siblings`: independent generics over one domain that read the same tensors become one loop nest."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Block, SSAValue
from xdsl.passes import ModulePass

from ...dialects.expr import Expr
from ...dialects.ir import ops_of
from ...dialects.weld.generic import Generic, Load
from ...dialects.weld.types import bytes_of, shape_of
from ..remarks import Reason, note
from .dependencies import Dependencies
from .graph import functions, sort_block
from .legality import join_forbidden
from .merge import join, simplify_body
from .profit import Choice, streams


@dataclass(frozen=True)
class FuseSiblings(ModulePass):
    """Join generics that share an input of the size of their domain, or an index of a gather or scatter.

        %a = generic over "n, m" gives "sum d0" { load %x "d0, d1" }
        %b = generic over "n, m" gives "sum d1" { load %x "d0, d1" }
    ->  %a, %b = generic over "n, m" gives "sum d0", "sum d1" { load %x "d0, d1" }
    """

    name = "fuse-siblings"
    max_streams: int = 16
    """Loops with more tensors than this are not grown."""
    choice: str = "profit"
    """Who decides about what is legal, see `Choice`."""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in functions(op):
            if fuse_block(function.body.block, self):
                sort_block(function.body.block)


def fuse_block(block: Block, options: FuseSiblings) -> bool:
    """Try each generic with the ones before it that read the same tensor; whether any were joined."""
    siblings = _Siblings(block, options)
    for tensor, readers in siblings.readers.items():
        for k, op in enumerate(readers):
            for other in siblings.choice.neighbours(readers, k):
                siblings.consider(other, op, tensor)
    for joined in dict.fromkeys(map(siblings.now, siblings.joined)):
        simplify_body(joined)
    return bool(siblings.joined)


class _Siblings:
    """The generics of a block while they are joined."""

    def __init__(self, block: Block, options: FuseSiblings):
        self.max_streams, self.choice = options.max_streams, Choice(options.choice)
        self.dependencies = Dependencies()
        self.readers: dict[SSAValue, list[Generic]] = {}
        """For each tensor with dims the generics that load it, in order."""
        self.loads: dict[Generic, dict[SSAValue, list[Load]]] = {}
        """The loads of each generic, by tensor."""
        self.joined: dict[Generic, Generic] = {}
        """The one that a generic has become a part of."""
        self.asked: set[tuple[Generic, Generic, int, int]] = set()
        """The pairs considered, with how many results each had."""
        for op in ops_of(block):
            self.dependencies.add(op)
            if isinstance(op, Generic) and not op.is_gate:  # with other results it would be none
                loads = self.loads[op] = dict[SSAValue, list[Load]]()
                for load in op.loads():
                    loads.setdefault(load.tensor, []).append(load)
                for tensor in filter(shape_of, loads):
                    self.readers.setdefault(tensor, []).append(op)

    def consider(self, a: Generic, b: Generic, tensor: SSAValue) -> None:
        """Join what two readers of a tensor have become, if they walk one domain and nothing forbids it."""
        first, second = self.now(a), self.now(b)
        pair = first, second, len(first.results), len(second.results)
        if first is second or pair in self.asked:
            return
        if sorted(map(str, first.sizes)) != sorted(map(str, second.sizes)):
            return
        dims = self._alignment(first, second, tensor)
        if dims is None:
            return
        self.asked.add(pair)
        reason = join_forbidden(first, second)
        if reason is None and self.dependencies.apart(a, b):
            reason = Reason.DEPENDENCY_CYCLE
        if reason is None:
            count = streams((first, second), {*self.loads[first], *self.loads[second]})
            reason = self.choice(Reason.TOO_MANY_STREAMS if count > self.max_streams else None)
        note(first, second, reason is None, reason or Reason.SHARED_INPUT, str(bytes_of(tensor)))
        if reason is None:
            self._join(a, b, dims)

    def _join(self, a: Generic, b: Generic, dims: dict[str, Expr]) -> None:
        first, second = self.now(a), self.now(b)
        join(first, second, dims)
        self.dependencies.merge(a, b)
        self.joined[first] = second
        for tensor, loads in self.loads.pop(first).items():
            self.loads[second][tensor] = loads + self.loads[second].get(tensor, [])

    def now(self, op: Generic) -> Generic:
        while op in self.joined:
            op = self.joined[op]
        return op

    def _alignment(self, first: Generic, second: Generic, tensor: SSAValue) -> dict[str, Expr] | None:
        """The dims of `first` as dims of `second`, so that both read `tensor` at the same element; None if there is
        no such permutation."""
        for a in self.loads[first][tensor]:
            for b in self.loads[second][tensor]:
                found = _match(a.where.indices, b.where.indices, first, second)
                if found is not None and tuple(g.substitute(found) for g in first.guards) == second.guards:
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
