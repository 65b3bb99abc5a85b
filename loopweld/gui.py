"""`loopweld gui [FILE.mlir]`: xDSL's textual viewer with our dialects and passes."""

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from loopweld import registry


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command with `argv` (else the process's arguments); returns the exit status."""
    parser = argparse.ArgumentParser(prog="loopweld gui", description=__doc__)
    parser.add_argument("file", nargs="?", type=Path, help="what to look at (default: a small example)")
    args = parser.parse_args(argv)
    try:
        app = import_module("xdsl.interactive.app")
    except ModuleNotFoundError as error:
        sys.stderr.write(f"loopweld gui: error: {error}; install it with `pip install 'loopweld[gui]'`\n")
        return 1
    try:
        text = None if args.file is None else args.file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        sys.stderr.write(f"loopweld gui: error: cannot read '{args.file}': {error}\n")
        return 1
    passes = tuple((name, load()) for name, load in sorted(registry.passes().items()))
    app.InputApp(tuple(registry.dialects().items()), passes, args.file and str(args.file), text).run()
    return 0
