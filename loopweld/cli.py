"""`loopweld`: the command line. Each sub-command is a module with `main(argv)`, imported when it is called."""

import os
import signal
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

from loopweld import __version__

COMMANDS = {
    "demo": "compile and run example programs, and compare with NumPy",
    "run": "compile a function of an .mlir file and call it on arrays",
    "explain": "print what is fused in an .mlir file or a Python function, and why",
    "reduce": "shrink a module that shows an error",
    "gui": "look at passes in xDSL's viewer",
    "completion": "print what completes arguments in a shell",
    "cache": "show or clear the cache of compiled programs",
}
"""The sub-commands: what `loopweld.<name>` does."""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command with `argv` (else the process's arguments); returns the exit status."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if not arguments or arguments[0] in ("-h", "--help"):
        print(usage())
        return 0 if arguments else 2
    if arguments[0] == "--version":
        print(f"loopweld {__version__}")
        return 0
    command, *rest = arguments
    if command not in COMMANDS:
        print(f"loopweld: error: no command '{command}'\n{usage()}", file=sys.stderr)
        return 2
    return _status(command, rest)


def opt(argv: Sequence[str] | None = None) -> int:
    """The command `loopweld-opt`: as `main`."""
    return _status("opt", argv)


def _status(module: str, argv: Sequence[str] | None) -> int:
    """The exit status of a command."""
    try:
        status = _loaded(f"loopweld.{module}").main(argv)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader (`head`, say) has gone: nobody is left to tell, also not when Python closes the stream.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return status


def _loaded(name: str) -> Any:
    """The module `name`. Ctrl-C ends the process while it is imported: importing may print or swallow exceptions."""
    before = signal.getsignal(signal.SIGINT)
    if before is not signal.default_int_handler:
        return import_module(name)
    signal.signal(signal.SIGINT, lambda *_: os._exit(130))
    try:
        return import_module(name)
    finally:
        signal.signal(signal.SIGINT, before)


def usage() -> str:
    width = max(map(len, COMMANDS))
    lines = [f"  {name:<{width}}  {what}" for name, what in COMMANDS.items()]
    return "\n".join(["usage: loopweld COMMAND [options]; `loopweld COMMAND --help` tells more", *lines])
