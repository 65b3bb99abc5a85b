"""What the commands on an `.mlir` file share: reading it, choosing a function, telling what is wrong with either."""

import argparse
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp

from loopweld.diagnostics import Diagnostic, Position, Severity
from loopweld.failures import diagnose
from loopweld.passes.evaluate import find_function
from loopweld.reading import read_module


class InputError(Exception):
    """What the user gave does not fit the file; the text says what was found and what is expected."""


@dataclass
class Job:
    """A file that a command works on; `doing` and `position` tell where an error happened."""

    file: str
    text: str
    doing: str = "parsing"
    position: Position | None = None

    def read(self, entry: str | None) -> tuple[ModuleOp, FuncOp]:
        """The module, and its function `entry`: by default the only public one, or `main`."""
        module = read_module(self.text, self.file)
        function = choose_function(module, entry)
        self.position = Position.of_operation(function)
        self.doing = f"compiling @{function.sym_name.data}"
        return module, function

    def describe(self, error: Exception) -> Diagnostic:
        """What the user can do about the error; the program's own errors are no internal ones."""
        fallback = self.position or Position(self.file)
        if self.doing.startswith("running") and isinstance(error, IndexError | ValueError):
            return Diagnostic(Severity.ERROR, f"{type(error).__name__}: {error}", fallback)
        return diagnose(error, self.doing, fallback, show_operation=False)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments `file`, `--entry` and `--debug`."""
    add = parser.add_argument
    add("file", help="upstream linalg/tensor/arith/math on tensors, or the weld dialect; '-' for the standard input")
    add("--entry", metavar="NAME", help="the function to compile (default: the only public one, or main)")
    add("--debug", action="store_true", help="print the Python traceback of an error as well")


def run_job(command: str, args: argparse.Namespace, work: Callable[[Job], None]) -> int:
    """Calls `work` with the file that `args` names, prints what is wrong with it; returns the exit status."""
    try:
        text = sys.stdin.read() if args.file == "-" else Path(args.file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        return _complain(command, f"cannot read '{args.file}': {getattr(error, 'strerror', None) or error}")
    job = Job("<stdin>" if args.file == "-" else args.file, text)
    try:
        work(job)
    except InputError as error:
        return _complain(command, str(error))
    except MemoryError as error:
        return _complain(command, f"not enough memory: {error}")
    except BrokenPipeError:
        raise  # no error of the file's; see `cli.main`
    except Exception as error:
        if args.debug:
            traceback.print_exception(error)
        sys.stderr.write(job.describe(error).render({job.file: text}) + "\n")
        return 1
    return 0


def choose_function(module: ModuleOp, entry: str | None) -> FuncOp:
    """The function `entry`; without a name the only public one, or `main`. Raises InputError."""
    functions = [op for op in module.ops if isinstance(op, FuncOp) and op.body.blocks]
    public = [f for f in functions if f.sym_visibility is None or f.sym_visibility.data != "private"]
    if entry is None and len(public) == 1:
        return public[0]
    try:
        return find_function(module, entry or "main")
    except ValueError as error:
        raise InputError(f"{error}; choose one with --entry") from error


def _complain(command: str, message: str) -> int:
    sys.stderr.write(f"loopweld {command}: error: {message}\n")
    return 1
