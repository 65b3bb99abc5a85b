"""`loopweld explain FILE.mlir`: what is fused, and why."""

import argparse
import json
from collections.abc import Sequence

from loopweld.compiler.targets import Target, as_target
from loopweld.file_command import Job, add_arguments, run_job


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command with `argv` (else the process's arguments); returns the exit status."""
    parser = argparse.ArgumentParser(prog="loopweld explain", description=__doc__)
    add_arguments(parser)
    parser.add_argument("--target", type=_target, default="cpu", help="what to compile for (default: cpu)")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    args = parser.parse_args(argv)
    return run_job("explain", args, lambda job: _explain(job, args))


def _explain(job: Job, args: argparse.Namespace) -> None:
    from loopweld.api import compile as compile_module

    module, function = job.read(args.entry)
    report = compile_module(module, function.sym_name.data, args.target).report
    print(json.dumps(report.to_dict(), indent=1) if args.json else report)


def _target(name: str) -> Target:
    try:
        return as_target(name)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
