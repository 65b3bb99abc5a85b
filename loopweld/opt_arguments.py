"""The options that `loopweld-opt` adds to xDSL's: those that users of `mlir-opt` look for."""

import argparse
import re
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.prog = "loopweld-opt"
    _change_help(parser, "verify_diagnostics", "check the diagnostics against the `// expected-error {{...}}` comments")
    _change_help(parser, "parsing_diagnostics", "print parse errors to the standard output and go on")
    add = parser.add_argument
    add(
        "--pass-pipeline",
        dest="passes",
        metavar="PIPELINE",
        help="the passes as mlir-opt takes them: 'builtin.module(a,b{x=1})'",
    )
    add("--list-passes", action="store_true", help="list the passes with their options, and stop")
    add("--show-dialects", action="store_true", help="list the dialects, and stop")
    add("--verify-each", action="store_true", help="after each pass check dominance and what its stage promises, too")
    add("--mlir-print-ir-before-all", action="store_true", help="print the IR to the standard error before each pass")
    add("--mlir-print-ir-after-all", action="store_true", help="print the IR to the standard error after each pass")
    add(
        "--mlir-print-ir-tree-dir",
        type=Path,
        metavar="DIR",
        help="write the IR after each pass to DIR/0_first-pass.mlir, DIR/1_second-pass.mlir, ...",
    )
    add("--mlir-timing", action="store_true", help="print how long each step took to the standard error")
    add(
        "--remarks-filter",
        type=_regex,
        metavar="REGEX",
        help="print the fusion decisions whose text the expression is found in ('.' for all, 'Missed', ...)",
    )
    add("--debug", action="store_true", help="print the Python traceback of an error as well")


def _regex(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise argparse.ArgumentTypeError(f"'{text}' is not a regular expression: {error}") from error
    return text


def _change_help(parser: argparse.ArgumentParser, option: str, text: str) -> None:
    """Describes an option of xDSL that means something more useful here."""
    for action in parser._actions:  # pyright: ignore[reportPrivateUsage]
        if action.dest == option:
            action.help = text
