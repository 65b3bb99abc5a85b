"""What the loops stage says: how often a kernel walks its domain, and what it loads on each walk."""

from collections import Counter
from collections.abc import Iterator

from xdsl.context import Context
from xdsl.dialects.builtin import Builtin, ModuleOp
from xdsl.dialects.func import Func, FuncOp
from xdsl.ir import Block, BlockArgument, Operation, SSAValue
from xdsl.parser import Parser

from loopweld.dialects import dialects
from loopweld.dialects.loop.ops import Copy, Fill, For, Load, Store
from loopweld.dialects.loop.parallel import Parallel, Part
from loopweld.dialects.loop.transpose import Transpose
from loopweld.dialects.weld.constant import Constant


def parse(text: str) -> ModuleOp:
    ctx = Context()
    for dialect in (Builtin, Func, *(load() for load in dialects().values())):
        ctx.load_dialect(dialect)
    return Parser(ctx, text).parse_module()


def kernels(module: ModuleOp) -> dict[str, FuncOp]:
    """The kernel functions by name; the others only call them."""
    return {
        op.sym_name.data: op for op in module.ops if isinstance(op, FuncOp) and not op.sym_name.data.startswith("main")
    }


def label(loop: For) -> str:
    assert loop.label is not None
    return loop.label.data


def is_single(loop: For) -> bool:
    """Whether the loop is known to make one trip: a dim of size 1, which is no walk."""
    bounds = [v.owner for v in (loop.lower, loop.upper)]
    low, high = [int(o.number) if isinstance(o, Constant) else None for o in bounds]
    return low is not None and high is not None and high - low == 1


def walks(block: Block) -> list[list[For]]:
    """The innermost loops of a block, those of one walk together: whole steps, the masked rest, later stretches.

    A loop over chunks is the loop that it contains, and blocks are what each of them does. An outer loop and its rest
    hold the same walks, and so do the loops for short rows and those for long ones. Combining the blocks' results is
    no walk.
    """
    found: list[list[For]] = []
    last = ""
    for loop in block.ops:
        if isinstance(loop, Parallel):
            found += walks(loop.body.block)
        if not isinstance(loop, For):
            continue
        dim, *words = label(loop).split()
        if "short" in words or dim in ("combine", "blocks"):
            continue
        inner = walks(loop.block)
        if dim == last and words and words != ["chunks"]:
            for walk, more in zip(found[-max(len(inner), 1) :], inner or [[loop]], strict=True):
                walk += more
        elif inner or not is_single(loop):
            found += inner or [[loop]]
        last = dim
    return found


def loads(walk: list[For]) -> list[Counter[SSAValue]]:
    """For each loop of a walk, how many loads of each buffer its body has."""
    return [Counter(op.buffer for op in loop.block.ops if isinstance(op, Load)) for loop in walk]


def accesses(module: Operation) -> Iterator[Load | Store]:
    return (op for op in module.walk() if isinstance(op, Load | Store))


def read_from_outside(function: FuncOp) -> set[str]:
    """The names of the buffers that a kernel loads and never writes."""
    written: set[SSAValue] = set()
    loaded: set[SSAValue] = set()
    for op in function.walk():
        if isinstance(op, Load):
            loaded.add(whole(op.buffer))
        elif isinstance(op, Store | Fill):
            written.add(whole(op.buffer))
        elif isinstance(op, Copy | Transpose):
            loaded |= {whole(op.source)} if isinstance(op, Transpose) else set()
            written.add(whole(op.target))
        elif isinstance(op, Part):
            written.add(op.parts)
    return {v.name_hint or "" for v in loaded - written}


def whole(buffer: SSAValue) -> SSAValue:
    """The buffer of the kernel that this one is a block's part of."""
    while isinstance(buffer.owner, Part):
        buffer = buffer.owner.buffer
    if isinstance(buffer, BlockArgument) and isinstance(loop := buffer.block.parent_op(), Parallel):
        return loop.privates[buffer.index - 1]
    return buffer
