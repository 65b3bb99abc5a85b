"""LLVM's own test files of `linalg` are read, and what they compile to has the values that their ops have.

They are in an LLVM checkout: `LOOPWELD_LLVM=folder` names it (or an unpacked source package), and the tests are skipped
without it. Functions with ops that loopweld does not read (packing, convolutions, buffers, loops) must be refused with
a location, and nothing else may happen to them.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from upstream import mlir_opt
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.utils.exceptions import DiagnosticException, ParseError

import loopweld as lw
from loopweld import registry
from loopweld.dialects.weld.types import BF16, scalar_of, shape_of
from loopweld.passes.evaluate import evaluate
from loopweld.reading import read, to_weld
from loopweld.run import random_inputs, size_symbols
from loopweld.source_parser import SourceParser

FOLDERS = ("mlir/test/Dialect/Linalg", "mlir/test/Integration/Dialect/Linalg/CPU")
LARGEST = 200_000
"""Elements of an argument of a function that is run."""

AT_LEAST = 400
"""Modules of LLVM 22 that are read."""


def modules() -> Iterator[tuple[str, str]]:
    """Each part of each file that has functions on tensors, without the script that transforms them."""
    root = os.environ.get("LOOPWELD_LLVM")
    if root is None:
        pytest.skip("LOOPWELD_LLVM does not name an LLVM checkout")
    files = [path for folder in FOLDERS for path in sorted((Path(root) / folder).rglob("*.mlir"))]
    assert files, f"{root} has no {FOLDERS[0]}"
    for path in files:
        for k, part in enumerate(re.split(r"^// -----.*\n", path.read_text(), flags=re.MULTILINE)):
            text = re.split(r"^ *(?:module attributes \{ ?transform|transform\.named)", part, flags=re.MULTILINE)[0]
            if "func.func" in text and "tensor<" in text and "expected-error" not in part:
                yield f"{path.relative_to(root)}#{k}", text


def parsed(text: str, name: str) -> ModuleOp | None:
    """The module in weld; None where it is refused, which must be with a location."""
    ctx = Context()
    for dialect, factory in registry.dialects().items():
        ctx.register_dialect(dialect, factory)
    try:
        return to_weld(SourceParser(ctx, text, name).parse_module(), ctx)
    except ParseError as error:
        assert error.span is not None
        assert "Error:" not in error.msg, f"{name}: {error.msg}"
    except DiagnosticException:
        pass
    return None


def results(function: FuncOp, call: Any, inputs: list[Any]) -> list[Any] | str:
    """What a call gives; a text where it says that the inputs are wrong."""
    try:
        with np.errstate(all="ignore"):
            found = call(inputs)
    except (IndexError, ValueError):
        return "an error"
    return list(found) if isinstance(found, tuple | list) else [found]


def small_functions(module: ModuleOp) -> Iterator[tuple[FuncOp, list[Any]]]:
    """The functions that a test can call, with inputs."""
    for function in module.ops:
        if not isinstance(function, FuncOp) or not function.body.blocks or not function.function_type.outputs.data:
            continue
        sizes = dict.fromkeys(size_symbols(function), 7)
        shapes = [[e.evaluate(sizes.__getitem__) for e in shape_of(a)] for a in function.body.block.args]
        elements = [scalar_of(kind) for kind in (*function.function_type.inputs, *function.function_type.outputs)]
        if BF16 not in elements and all(np.prod(shape) <= LARGEST and min(shape, default=1) >= 0 for shape in shapes):
            yield function, random_inputs(function, 0, sizes)


def same(found: list[Any] | str, wanted: list[Any] | str, name: str) -> None:
    if isinstance(found, str) or isinstance(wanted, str):
        assert found == wanted, name
        return
    for a, b in zip(found, wanted, strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-2 if b.dtype == np.float16 else 1e-4, atol=1e-3, err_msg=name)


@pytest.mark.slow
def test_they_compile_and_agree():
    count = 0
    for name, text in modules():
        module = parsed(text, name)
        if module is None:
            continue
        count += 1
        for function, inputs in small_functions(module):
            entry = function.sym_name.data
            wanted = results(function, lambda x, m=module, e=entry: evaluate(m, x, e), inputs)
            compiled = lw.compile(module, entry=entry)
            same(results(function, lambda x, c=compiled: c(*x), inputs), wanted, f"{name} @{entry}")
    assert count >= AT_LEAST


@pytest.mark.slow
def test_named_ops_are_what_upstream_generalizes_them_to():
    count = 0
    for name, text in modules():
        module = parsed(text, name)
        if module is None or not re.search(r"linalg\.(?!generic|yield|index|fill)", text):
            continue
        generic = read(mlir_opt(text, "--linalg-generalize-named-ops", "--allow-unregistered-dialect"))
        for function, inputs in small_functions(module):
            entry = function.sym_name.data
            wanted = results(function, lambda x, m=generic, e=entry: evaluate(m, x, e), inputs)
            found = results(function, lambda x, m=module, e=entry: evaluate(m, x, e), inputs)
            same(found, wanted, f"{name} @{entry}")
            count += 1
    assert count >= 100
