"""`loopweld reduce FILE --test SCRIPT`: shrinks a module while a script says that it still shows what is wrong."""

import argparse
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from xdsl.context import Context
from xdsl.dialects.builtin import FunctionType, ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation, SSAValue
from xdsl.traits import IsTerminator
from xdsl.utils.exceptions import DiagnosticException

from loopweld import registry
from loopweld.diagnostics import Position
from loopweld.failures import diagnose
from loopweld.instruments import module_text
from loopweld.progress import Progress
from loopweld.source_parser import SourceParser

Cut = Callable[[ModuleOp], bool]
"""Takes something out of a module, in place; False where there was nothing to take."""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command with `argv` (else the process's arguments); returns the exit status."""
    parser = argparse.ArgumentParser(prog="loopweld reduce", description=__doc__)
    parser.add_argument("file", help="a module of any dialect that loopweld-opt reads")
    parser.add_argument(
        "--test",
        required=True,
        metavar="SCRIPT",
        help="called with a file; exits with 0 if the file still fails as it should (as for llvm-reduce)",
    )
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="where the result goes (default: stdout)")
    args = parser.parse_args(argv)
    try:
        text = Path(args.file).read_text(encoding="utf-8")
        module = SourceParser(_context(), text, args.file).parse_module()
        reduced = _reduce(module, args.test)
    except (OSError, UnicodeDecodeError) as error:
        return _complain(f"loopweld reduce: error: {error}")
    except Exception as error:
        return _complain(diagnose(error, "reducing", Position(args.file), show_operation=False).render({}))
    if reduced is None:
        return _complain(f"loopweld reduce: error: {args.test} does not exit with 0 for the file as it is")
    shrunk = module_text(reduced) + "\n"
    sys.stderr.write(f"{_size(module)} ops became {_size(reduced)}\n")
    if args.output is None:
        sys.stdout.write(shrunk)
    else:
        args.output.write_text(shrunk, encoding="utf-8")
    return 0


def _complain(message: str) -> int:
    sys.stderr.write(message + "\n")
    return 1


def _context() -> Context:
    found = Context(allow_unregistered=True)
    for name, factory in registry.dialects().items():
        found.register_dialect(name, factory)
    return found


def _reduce(module: ModuleOp, script: str) -> ModuleOp | None:
    """The smallest module found; None where the script does not want the one given."""
    command = os.path.abspath(script) if os.path.exists(script) else script
    with TemporaryDirectory(prefix="loopweld-reduce-") as folder, Progress("reducing") as progress:
        path = Path(folder) / "module.mlir"

        def is_wanted(candidate: ModuleOp) -> bool:
            path.write_text(module_text(candidate) + "\n", encoding="utf-8")
            run = [command, str(path)]
            return (
                subprocess.run(run, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode == 0
            )

        if not is_wanted(module):
            return None
        return shrink(module, is_wanted, lambda best: progress.show(f"{_size(best)} ops"))


def shrink(
    module: ModuleOp, is_wanted: Callable[[ModuleOp], bool], tell: Callable[[ModuleOp], None] = lambda _: None
) -> ModuleOp:
    """The module after all cuts that leave it valid and wanted, until none does."""
    best, again = module.clone(), True
    while again:
        again = False
        for cut in _cuts(best):
            candidate = best.clone()
            if cut(candidate) and _is_valid(candidate) and is_wanted(candidate):
                best, again = candidate, True
                tell(best)
    return best


def _is_valid(module: ModuleOp) -> bool:
    try:
        module.verify()
    except DiagnosticException:
        return False
    return True


def _cuts(module: ModuleOp) -> Iterator[Cut]:
    """Whole functions; runs of ops, long ones first; results and arguments of functions."""
    functions = sum(isinstance(op, FuncOp) for op in module.ops)
    yield from (_without_function(k) for k in reversed(range(functions if functions > 1 else 0)))
    count = len(_ops(module))
    size = count
    while size >= 1:
        yield from (_without_ops(start, start + size) for start in range(0, count, size))
        size //= 2
    for k, function in enumerate(op for op in module.ops if isinstance(op, FuncOp)):
        yield from (_without_result(k, r) for r in reversed(range(len(function.function_type.outputs))))
        yield from (_without_argument(k, a) for a in reversed(range(len(function.function_type.inputs))))


def _ops(module: ModuleOp) -> list[Operation]:
    """What `_without_ops` counts: the ops in functions that end no block."""
    return [op for op in module.walk() if op.parent_op() not in (None, module) and not op.has_trait(IsTerminator)]


def _size(module: ModuleOp) -> int:
    return sum(1 for _ in module.walk()) - 1


def _function(module: ModuleOp, position: int) -> FuncOp | None:
    functions = [op for op in module.ops if isinstance(op, FuncOp)]
    return functions[position] if position < len(functions) else None


def _without_function(position: int) -> Cut:
    def cut(module: ModuleOp) -> bool:
        function = _function(module, position)
        if function is None:
            return False
        function.detach()
        function.erase()
        return True

    return cut


def _without_ops(start: int, stop: int) -> Cut:
    """The ops of a run give way to their operands, or to new arguments of their function, of the same types."""

    def cut(module: ModuleOp) -> bool:
        chosen = [op for op in _ops(module)[start:stop] if op.parent is not None]
        for op in reversed(chosen):
            if op.parent is None:
                continue  # it stood in one that has gone
            for result in op.results:
                if result.first_use is not None:
                    replacement = _instead_of(result, op)
                    if replacement is None:
                        return False
                    result.replace_all_uses_with(replacement)
            op.detach()
            op.erase(safe_erase=False)
        return bool(chosen)

    return cut


def _instead_of(result: SSAValue, op: Operation) -> SSAValue | None:
    same = next((operand for operand in op.operands if operand.type == result.type), None)
    if same is not None:
        return same
    function = op.parent_op()
    if not isinstance(function, FuncOp):
        return None
    argument = function.body.block.insert_arg(result.type, len(function.body.block.args))
    _retype(function)
    return argument


def _without_result(position: int, result: int) -> Cut:
    def cut(module: ModuleOp) -> bool:
        function = _function(module, position)
        end = None if function is None or not function.body.blocks else function.body.block.last_op
        if function is None or end is None or result >= len(end.operands):
            return False
        end.operands = [value for k, value in enumerate(end.operands) if k != result]
        _retype(function)
        return True

    return cut


def _without_argument(position: int, argument: int) -> Cut:
    def cut(module: ModuleOp) -> bool:
        function = _function(module, position)
        if function is None or not function.body.blocks or argument >= len(function.body.block.args):
            return False
        value = function.body.block.args[argument]
        if value.first_use is not None or function.arg_attrs is not None:
            return False
        function.body.block.erase_arg(value)
        _retype(function)
        return True

    return cut


def _retype(function: FuncOp) -> None:
    """The function's type after its arguments or what it returns."""
    end = function.body.block.last_op
    inputs = [argument.type for argument in function.body.block.args]
    function.function_type = FunctionType.from_lists(inputs, [v.type for v in end.operands] if end is not None else [])
