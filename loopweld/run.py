"""`loopweld run`: compiles a function of an `.mlir` file and calls it on arrays."""

import argparse
import sys
import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp

from loopweld.dialects.weld.types import dtype_of, scalar_of, shape_of
from loopweld.file_command import InputError, Job, add_arguments, run_job
from loopweld.passes.evaluate import evaluate

DEFAULT_SIZE = 1000

Program = Callable[[Sequence[Any]], Sequence[Any]]


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command with `argv` (else the process's arguments); returns the exit status."""
    args = _arguments().parse_args(argv)
    return run_job("run", args, _Run(args).run)


@dataclass(frozen=True)
class _Run:
    """One run of the command."""

    args: argparse.Namespace

    def run(self, job: Job) -> None:
        module, function = job.read(self.args.entry)
        inputs = self._inputs(function)
        started = time.perf_counter()
        program, report = self._program(module, function)
        compile_time = time.perf_counter() - started
        job.doing = f"running @{function.sym_name.data}"
        for k, result in enumerate(program(inputs)):
            sys.stdout.write(describe_array(f"out{k}", np.asarray(result)) + "\n")
        if self.args.time:
            best = _best_time(lambda: program(inputs))
            sys.stdout.write(f"time: {_seconds(best)} a call (best), {_seconds(compile_time)} to compile\n")
        if self.args.explain:
            sys.stdout.write(f"{report()}\n")

    def _inputs(self, function: FuncOp) -> list[Any]:
        if self.args.input:
            inputs = load_inputs(self.args.input)
        else:
            inputs = random_inputs(function, self.args.random, self.args.size)
        check_inputs(function, inputs)
        return inputs

    def _program(self, module: ModuleOp, function: FuncOp) -> tuple[Program, Callable[[], object]]:
        """What calls the function, and what tells how it was compiled (with the sizes of the last call)."""
        entry = function.sym_name.data
        if self.args.target == "numpy":
            return lambda inputs: evaluate(module, inputs, entry), lambda: "the target numpy runs each op by itself"
        compiled = import_module("loopweld.api").compile(module, entry=entry, target=self.args.target)

        def call(inputs: Sequence[Any]) -> Sequence[Any]:
            results = compiled(*inputs)
            return results if isinstance(results, tuple | list) else (results,)

        return call, lambda: compiled.report


def parse_sizes(text: str) -> Mapping[str, int]:
    """`s0=1000,n=20` as a mapping."""
    sizes: dict[str, int] = {}
    for part in text.split(","):
        name, sign, number = part.partition("=")
        if not sign or not number.strip().isdigit():
            raise InputError(f"expected sizes such as 's0=1000,s1=20', found '{part}'")
        sizes[name.strip()] = int(number)
    return sizes


def load_inputs(files: Sequence[str]) -> list[Any]:
    try:
        return [np.load(file, allow_pickle=False) for file in files]
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read the inputs: {error}") from error


def size_symbols(function: FuncOp) -> list[str]:
    """The symbols of the arguments' shapes, in order."""
    names = [n for a in function.body.block.args for e in shape_of(a) for n in sorted(e.names)]
    return list(dict.fromkeys(names))


def random_inputs(function: FuncOp, seed: int, sizes: Mapping[str, int]) -> list[Any]:
    """Normal floats, and integers that are valid indices of every argument's dims."""
    symbols = size_symbols(function)
    unknown = sorted(set(sizes) - set(symbols))
    if unknown:
        raise InputError(f"@{function.sym_name.data} has no size '{unknown[0]}'; it has {', '.join(symbols) or 'none'}")
    values = {name: sizes.get(name, DEFAULT_SIZE) for name in symbols}
    shapes = [[e.evaluate(values.__getitem__) for e in shape_of(a)] for a in function.body.block.args]
    if any(size < 0 for shape in shapes for size in shape):
        raise InputError(f"the sizes {values} make a dim negative; give others with --size")
    limit = max(1, min([size for shape in shapes for size in shape] + [100]))
    random = np.random.default_rng(seed)
    kinds = [dtype_of(scalar_of(a)) for a in function.body.block.args]
    return [_random_array(random, shape, kind, limit) for shape, kind in zip(shapes, kinds, strict=True)]


def _random_array(random: np.random.Generator, shape: Sequence[int], dtype: np.dtype[Any], limit: int) -> Any:
    if dtype.kind == "b":
        return random.integers(0, 2, shape).astype(dtype)
    if dtype.kind in "iu":
        return random.integers(0, limit, shape).astype(dtype)
    return np.asarray(random.standard_normal(shape)).astype(dtype)


def check_inputs(function: FuncOp, inputs: Sequence[Any]) -> None:
    """Raises InputError unless the arrays have the arguments' number, dtypes and ranks."""
    arguments = function.body.block.args
    name = function.sym_name.data
    if len(inputs) != len(arguments):
        raise InputError(f"@{name} takes {len(arguments)} inputs, found {len(inputs)}")
    for k, (argument, array) in enumerate(zip(arguments, inputs, strict=True)):
        dtype, rank = dtype_of(scalar_of(argument)), len(shape_of(argument))
        if array.dtype != dtype or array.ndim != rank:
            raise InputError(
                f"input {k} of @{name} is {array.dtype} with {array.ndim} dims, expected {dtype} with {rank} dims"
                f" ({argument.type})"
            )


def describe_array(name: str, array: Any) -> str:
    """`out0: float32 (2, 3) [1, 2, 3, 4, ...] sum 21 crc32 0x1b2f...`; the sum leaves out what is not finite."""
    flat = array.reshape(-1)
    values = ", ".join(f"{v:.6g}" if array.dtype.kind in "fc" else str(v) for v in flat[:4].tolist())
    values += ", ..." if flat.size > 4 else ""
    finite = flat[np.isfinite(flat)] if array.dtype.kind in "fc" else flat
    wide = finite.astype(complex if array.dtype.kind == "c" else np.float64 if array.dtype.kind == "f" else object)
    total = wide.sum() if wide.size else 0
    shown = f"{total:.9g}" if array.dtype.kind in "fc" else str(int(total))
    check = zlib.crc32(np.ascontiguousarray(array).tobytes())
    return f"{name}: {array.dtype} {array.shape} [{values}] sum {shown} crc32 {check:#010x}"


def _best_time(call: Callable[[], object]) -> float:
    """The shortest of the calls that fit in a fifth of a second, at least three."""
    times: list[float] = []
    while len(times) < 3 or (sum(times) < 0.2 and len(times) < 10_000):
        started = time.perf_counter()
        call()
        times.append(time.perf_counter() - started)
    return min(times)


def _seconds(value: float) -> str:
    for unit, factor in (("s", 1.0), ("ms", 1e3), ("us", 1e6)):
        if value * factor >= 1:
            return f"{value * factor:.3g} {unit}"
    return f"{value * 1e9:.3g} ns"


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="loopweld run", description="Compiles a function of an .mlir file and calls it."
    )
    add_arguments(parser)
    add = parser.add_argument
    given = parser.add_mutually_exclusive_group()
    given.add_argument("--input", nargs="+", metavar="FILE.npy", help="one array for each argument")
    given.add_argument("--random", type=int, default=0, metavar="SEED", help="make inputs up (default, with seed 0)")
    add("--size", type=_sizes, default={}, metavar="s0=1000,...", help="sizes of dynamic dims (default 1000)")
    add("--target", choices=("cpu", "numpy"), default="cpu", help="numpy: the reference, op by op (default: cpu)")
    add("--explain", action="store_true", help="print what was fused and why, and the bytes moved")
    add("--time", action="store_true", help="measure a call")
    return parser


def _sizes(text: str) -> Mapping[str, int]:
    try:
        return parse_sizes(text)
    except InputError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


if __name__ == "__main__":
    raise SystemExit(main())
