"""Upstream text -> weld -> the NumPy evaluator."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.utils.exceptions import VerifyException

from loopweld import registry
from loopweld.passes.evaluate import evaluate
from loopweld.passes.generalize import Generalize
from loopweld.passes.linalg.convert import ConvertLinalgToWeld
from loopweld.source_parser import SourceParser


def context() -> Context:
    ctx = Context()
    for name, factory in registry.dialects().items():
        ctx.register_dialect(name, factory)
    return ctx


def parse(text: str) -> ModuleOp:
    """The module, verified."""
    module = SourceParser(context(), text, "test.mlir").parse_module()
    module.verify()
    return module


def convert(text: str) -> ModuleOp:
    """The module in weld, verified; nothing but weld and func is left."""
    module = parse(text)
    ConvertLinalgToWeld().apply(Context(), module)
    module.verify()
    for op in module.walk():
        assert op.name.partition(".")[0] in ("builtin", "weld", "func"), op.name
    return module


def run(text: str, *inputs: Any, entry: str = "main") -> list[Any]:
    """The results of the program, the same before and after its ops became generics."""
    module = convert(text)
    results = evaluate(module, inputs, entry)
    Generalize().apply(Context(), module)
    module.verify()
    for result, again in zip(results, evaluate(module, inputs, entry), strict=True):
        np.testing.assert_allclose(again, result, rtol=1e-5, atol=1e-5)
    return results


def check(text: str, inputs: Sequence[Any], *expected: Any, rtol: float = 1e-6) -> ModuleOp:
    """Compare with NumPy's results: values, shapes and dtypes. Returns the module in weld."""
    results = run(text, *inputs)
    assert len(results) == len(expected)
    for result, wanted in zip(results, expected, strict=True):
        wanted = np.asarray(wanted)
        assert result.shape == wanted.shape
        assert result.dtype == wanted.dtype
        np.testing.assert_allclose(result, wanted, rtol=rtol, atol=rtol if wanted.dtype.kind == "f" else 0)
    return convert(text)


def ops(module: ModuleOp) -> list[str]:
    """The names of the ops of the first function, without the dialect."""
    function = next(op for op in module.ops if isinstance(op, FuncOp))
    return [op.name.partition(".")[2] for op in function.body.block.ops]


def error(text: str) -> str:
    """The message of the diagnostic that the conversion ends in."""
    module = parse(text)
    with pytest.raises(VerifyException) as caught:
        ConvertLinalgToWeld().apply(Context(), module)
    return str(caught.value)


def array(shape: Sequence[int], dtype: Any = np.float32, seed: int = 0) -> Any:
    """Numbers around zero: floats in (-2, 2), integers in [-50, 50), unsigned bit patterns in signed ones."""
    random = np.random.default_rng(seed)
    if np.dtype(dtype).kind == "b":
        return random.integers(0, 2, shape).astype(bool)
    if np.dtype(dtype).kind == "f":
        return random.uniform(-2, 2, shape).astype(dtype)
    return random.integers(-50, 50, shape).astype(dtype)
