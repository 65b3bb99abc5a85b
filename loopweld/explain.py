"""`loopweld explain FILE.mlir`: what is fused, and why."""

import argparse
import sys
from collections.abc import Sequence

from xdsl.utils.exceptions import ParseError, VerifyException


def main(argv: Sequence[str]) -> int:
    """Runs the command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="loopweld explain", description=__doc__)
    parser.add_argument("file", help="an .mlir file of weld, or linalg, tensor, arith and math ops")
    parser.add_argument("--entry", default="main", help="the function (default: main)")
    parser.add_argument("--target", default="cpu", help="what to compile for (default: cpu)")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    options = parser.parse_args(argv)
    from loopweld.api import compile as compile_file

    try:
        report = compile_file(options.file, options.entry, options.target).report
    except (OSError, ValueError, ParseError, VerifyException) as error:
        print(f"{options.file}: error: {error}", file=sys.stderr)
        return 1
    if options.json:
        import json

        print(json.dumps(report.to_dict(), indent=1))
    else:
        print(report)
    return 0
