"""The real `mlir-opt` and `mlir-runner` of MLIR 22: from PATH, or unpacked from Debian's archive into `build/`."""

import re
import shutil
import subprocess
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "build" / "mlir-22"

LOWER = (
    "one-shot-bufferize{bufferize-function-boundaries=1 function-boundary-type-conversion=identity-layout-map},"
    "convert-linalg-to-loops,convert-scf-to-cf,expand-strided-metadata,lower-affine,convert-math-to-llvm,"
    "convert-math-to-libm,finalize-memref-to-llvm,convert-func-to-llvm,convert-arith-to-llvm,convert-cf-to-llvm,"
    "convert-index-to-llvm,reconcile-unrealized-casts"
)


@cache
def _folder() -> Path | str:
    """Where the tools are, or why there are none."""
    found = shutil.which("mlir-opt-22")
    if found is not None:
        return Path(found).resolve().parent
    if (FOLDER / "bin" / "mlir-opt").exists():
        return FOLDER / "bin"
    if shutil.which("apt-get") is None or shutil.which("dpkg") is None:
        return "mlir-opt 22 is not installed, and there is no apt-get to fetch it with"
    script = ROOT / ".ci" / "get-mlir-opt"
    done = subprocess.run([script, FOLDER], capture_output=True, text=True, timeout=300)
    if done.returncode != 0:
        shutil.rmtree(FOLDER, ignore_errors=True)
        last = done.stderr.strip().splitlines()[-1:]
        return f"mlir-opt 22 is not installed, and Debian's archive did not give it: {' '.join(last)}"
    return FOLDER / "bin"


def tool(name: str) -> Path:
    """The path of a tool; skips the test, with the reason, where there is none."""
    folder = _folder()
    if isinstance(folder, str):
        pytest.skip(folder)
    return folder / name


def mlir_opt(text: str, *options: str) -> str:
    """What `mlir-opt` prints for a module; fails the test with what it complains about."""
    done = subprocess.run([tool("mlir-opt"), *options], input=text, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[:2000]
    return done.stdout


def run_upstream(text: str, inputs: Sequence[Any], outputs: Sequence[Any]) -> list[Any]:
    """The float32 results of `@main` for a module in generic form, computed by MLIR; `outputs` have their shapes."""
    end = "}) : () -> ()"
    assert text.rstrip().endswith(end)
    whole = text.rstrip().removesuffix(end) + _driver(text, inputs) + end
    lowered = mlir_opt(whole, f"--pass-pipeline=builtin.module({LOWER})")
    libraries = [path for name in ("c_runner", "runner") for path in _libraries(f"libmlir_{name}_utils.so*")]
    options = ["-e", "entry", "--entry-point-result=void", *(f"--shared-libs={path}" for path in libraries)]
    done = subprocess.run([tool("mlir-runner"), *options], input=lowered, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[:2000]
    printed = re.split(r"Unranked Memref.*data =", done.stdout)[1:]
    numbers = [np.array(re.findall(r"-?(?:inf|nan|[\d.]+(?:e[-+]?\d+)?)", text), np.float32) for text in printed]
    return [found.reshape(np.shape(output)) for found, output in zip(numbers, outputs, strict=True)]


def _libraries(pattern: str) -> list[Path]:
    folder = tool("mlir-opt").parent
    return sorted([*folder.parent.glob(f"lib/{pattern}"), *folder.parent.glob(f"usr/lib/llvm-22/lib/{pattern}")])[:1]


def _driver(text: str, inputs: Sequence[Any]) -> str:
    """A function that calls `@main` with constants and prints its results."""
    found = re.search(r'"func.func"\(\) <\{[^}]*sym_name = "main", function_type = \((.*?)\) -> (.*?)\}>', text)
    assert found is not None, text[:300]
    takes = re.findall(r"tensor<[^>]*>", found[1])
    gives = re.findall(r"tensor<[^>]*>", found[2])
    lines = ["func.func @entry() {"]
    for k, (array, kind) in enumerate(zip(inputs, takes, strict=True)):
        static = f"tensor<{''.join(f'{n}x' for n in array.shape)}{re.split('[x<]', kind)[-1]}"
        data = array.tobytes().hex().upper()
        lines += [f'  %c{k} = arith.constant dense<"0x{data}"> : {static}']
        lines += [f"  %a{k} = tensor.cast %c{k} : {static} to {kind}"]
    args, names = (", ".join(f"%{c}{k}" for k in range(len(n))) for c, n in (("a", takes), ("r", gives)))
    lines += [f"  {names} = func.call @main({args}) : ({', '.join(takes)}) -> ({', '.join(gives)})"]
    for k, kind in enumerate(gives):
        memref = kind.replace("tensor", "memref")
        lines += [f"  %b{k} = bufferization.to_buffer %r{k} : {kind} to {memref}"]
        lines += [f"  %u{k} = memref.cast %b{k} : {memref} to memref<*xf32>"]
        lines += [f"  func.call @printMemrefF32(%u{k}) : (memref<*xf32>) -> ()"]
    lines += ["  func.return", "}"]
    lines += ["func.func private @printMemrefF32(memref<*xf32>) attributes {llvm.emit_c_interface}"]
    return "\n".join(lines) + "\n"
