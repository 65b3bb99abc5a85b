"""`loopweld explain FILE.mlir` and `loopweld explain module:function`: what is fused, and why."""

import argparse
import json
import os
import re
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from loopweld.compiler.targets import Target, as_target
from loopweld.file_command import InputError, Job, add_arguments, run_job

if TYPE_CHECKING:
    from loopweld.compiler.report import Report

SHORT = {"f16": "float16", "f32": "float32", "f64": "float64", "i32": "int32", "i64": "int64"}
_FUNCTION = re.compile(r"([A-Za-z_][\w.]*):([A-Za-z_]\w*)")
_ARRAY = re.compile(r"(\w+)\[([\d, ]*)\]")


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command with `argv` (else the process's arguments); returns the exit status."""
    parser = argparse.ArgumentParser(prog="loopweld explain", description=__doc__)
    add_arguments(parser)
    parser.add_argument("--target", type=_target, default="cpu", help="what to compile for (default: cpu)")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write the report as a page instead")
    parser.add_argument(
        "--args",
        nargs="+",
        type=_array,
        default=[],
        metavar="f32[4,5]",
        help="what module:function is called with: dtype and shape of each argument",
    )
    args = parser.parse_args(argv)
    found = _FUNCTION.fullmatch(args.file)
    file, _, entry = args.file.rpartition(":")
    if file.endswith(".mlir") and not os.path.exists(args.file):
        args.file, args.entry = file, entry
    elif found is not None and not os.path.exists(args.file):
        return _explain_function(found[1], found[2], args)
    return run_job("explain", args, lambda job: _show(_report_of_file(job, args), args))


def _report_of_file(job: Job, args: argparse.Namespace) -> "Report":
    from loopweld.api import compile as compile_module

    module, function = job.read(args.entry)
    return compile_module(module, function.sym_name.data, args.target).report


def _explain_function(module: str, name: str, args: argparse.Namespace) -> int:
    """Explains a Python function; what its own code raises is shown as Python shows it."""
    try:
        report = _report_of_function(module, name, args)
    except InputError as error:
        sys.stderr.write(f"loopweld explain: error: {error}\n")
        return 1
    _show(report, args)
    return 0


def _report_of_function(module: str, name: str, args: argparse.Namespace) -> "Report":
    from loopweld.api import Jitted, jit

    sys.path.insert(0, "")  # as `python -m` does
    try:
        function = getattr(import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise InputError(str(error)) from error
    jitted = function if isinstance(function, Jitted) else jit(function, target=args.target)
    try:
        return jitted.explain(*args.args)
    except TypeError as error:
        raise InputError(f"{error}; --args says what {name} is called with, such as --args f32[100,200]") from error


def _show(report: "Report", args: argparse.Namespace) -> None:
    if args.html is not None:
        report.to_html(args.html)
    elif args.json:
        sys.stdout.write(json.dumps(report.to_dict(), indent=1) + "\n")
    else:
        sys.stdout.write(f"{report}\n")


def _target(name: str) -> Target:
    try:
        return as_target(name)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _array(text: str) -> Any:
    """`f32[4,5]`: normal numbers, or small integers, of that dtype and shape."""
    import numpy as np

    found = _ARRAY.fullmatch(text)
    try:
        dtype = np.dtype(SHORT.get(found[1], found[1]) if found else "none")
    except TypeError as error:
        message = f"expected a dtype and a shape such as f32[4,5], found '{text}'"
        raise argparse.ArgumentTypeError(message) from error
    assert found is not None
    shape = tuple(int(size) for size in found[2].split(",") if size.strip())
    numbers = np.random.default_rng(0).standard_normal(shape)
    return numbers.astype(dtype) if dtype.kind in "fc" else (numbers > 0).astype(dtype)
