"""Upstream MLIR takes what we write, reads our dialect, and writes what we read. Skipped where it cannot be had."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import test_round_trip
from upstream import ROOT, mlir_opt, run_upstream
from weld_samples import ELEMENTS, cases, function, one_op, parse, tensor
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.utils.exceptions import PassFailedException

import loopweld as lw
from loopweld import opt
from loopweld.dialects.weld import REDUCTIONS
from loopweld.dialects.weld.cast import Cast
from loopweld.dialects.weld.types import kind_of
from loopweld.instruments import module_text
from loopweld.passes.evaluate import evaluate
from loopweld.passes.linalg import ConvertWeldToLinalg
from loopweld.reading import read

UNBOUND = {"broadcast", "pad", "iota"}
"""Samples with a size that no argument has."""


def samples() -> Iterator[tuple[str, ModuleOp]]:
    """Every op of the tensor stage, with every element type that it takes."""
    for op, element in cases():
        yield f"{op.name} of {element}", one_op(op, element, 3, "n")
    for source in ELEMENTS:
        for target in ELEMENTS:
            made = function([tensor(source, 4, "n")], lambda b, x, t=target: b.insert(Cast.to(x, t)).results[0])
            yield f"cast of {source} to {target}", made
    for op in REDUCTIONS.values():
        for element in (e for e in ELEMENTS if kind_of(e) in op.kinds):
            for axes in ([0], [1], [0, 1]):
                made = function([tensor(element, 3, "n")], lambda b, x, o=op, a=axes: b.insert(o.of(x, a)).results[0])
                yield f"{op.name} of {element} along {axes}", made
    for name, (inputs, build) in test_round_trip.TENSOR_OPS.items():
        if name not in UNBOUND:
            yield name, function(inputs, lambda b, *args, f=build: b.insert(f(*args)).results)
    for name, text in test_round_trip.GENERICS.items():
        yield name, parse(text)


def written(module: ModuleOp) -> str:
    ConvertWeldToLinalg().apply(Context(), module)
    module.verify()
    assert not [op.name for op in module.walk() if op.name.startswith("weld.")]
    return module_text(module, generic=True)


def test_every_op_verifies_upstream():
    """All of them in one run; the message of one that does not names it by its comment."""
    texts = [f"// {name}\n{written(module)}" for name, module in samples()]
    assert len(texts) > 1000
    mlir_opt("\n// -----\n".join(texts), "--split-input-file", "-o", "/dev/null")


def test_a_size_that_no_argument_has():
    for name in UNBOUND:
        inputs, build = test_round_trip.TENSOR_OPS[name]
        module = function(inputs, lambda b, *args, f=build: b.insert(f(*args)).results)
        with pytest.raises(PassFailedException, match="is no dim of an argument"):
            written(module)


@pytest.mark.parametrize("stage", ["tensor", "kernels"])
@pytest.mark.parametrize("name", ["softmax", "normalise", "pads", "cross_entropy", "positions", "counts"])
def test_upstream_computes_the_same(name: str, stage: str):
    """What upstream's own lowering makes of a stage has the values that NumPy has."""
    inputs = INPUTS.get(name, (np.linspace(-2, 3, 35, dtype=np.float32).reshape(5, 7),))
    with np.errstate(all="ignore"):
        expected = PROGRAMS[name](*inputs)
    expected = expected if isinstance(expected, tuple) else (expected,)
    text = lw.jit(PROGRAMS[name]).lower(*inputs).compile().as_text(stage)
    module = parse(text)
    for found, wanted in zip(run_upstream(written(module), inputs, expected), expected, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=2e-5, atol=2e-5)


def softmax(x: Any) -> Any:
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def normalise(x: Any) -> Any:
    centred = x - x.mean(axis=0)
    return centred / np.sqrt((centred * centred).mean(axis=0) + 1e-5), np.tanh(x).T


def pads(x: Any) -> Any:
    return np.cos(np.pad(x, ((1, 0), (2, 3)))), np.concatenate([x, x[::-1] * 2]), x.reshape(7, 5) + 1


def cross_entropy(x: Any, y: Any) -> Any:
    m = x.max(axis=1, keepdims=True)
    return (np.log(np.exp(x - m).sum(axis=1)) + m[:, 0]) - x[np.arange(len(x)), y]


def positions(x: Any) -> Any:
    return np.argmax(x, axis=1).astype(np.float32), np.argmin(x).astype(np.float32), (x > 0).any(axis=0) * x


def counts(x: Any, i: Any) -> Any:
    total = np.zeros_like(x)
    np.add.at(total, i, x)
    return total


PROGRAMS: dict[str, Any] = {f.__name__: f for f in (softmax, normalise, pads, cross_entropy, positions, counts)}
INPUTS: dict[str, tuple[Any, ...]] = {
    "cross_entropy": (np.linspace(-2, 3, 35, dtype=np.float32).reshape(5, 7), np.array([0, 6, 3, 3, 1])),
    "positions": (np.array([[1, np.nan, 2], [3, 3, -1], [-np.inf, -np.inf, -np.inf]], np.float32),),
    "counts": (np.arange(10, dtype=np.float32).reshape(5, 2), np.array([1, 1, 0, 4, 1])),
}


# ---- the other way -----------------------------------------------------------------
def test_our_dialect_is_read_by_way_of_irdl(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert opt.main(["--emit-irdl=weld"]) == 0
    irdl = tmp_path / "weld.irdl.mlir"
    irdl.write_text(capsys.readouterr().out)
    program = tmp_path / "program.mlir"
    program.write_text(
        "func.func @main(%x: tensor<?x8xf32>) -> tensor<?xf32> {\n  %0 = weld.exp %x : tensor<?x8xf32>\n"
        '  %1 = "weld.sum"(%0) <{axes = array<i64: 1>}> : (tensor<?x8xf32>) -> tensor<?xf32>\n'
        "  func.return %1 : tensor<?xf32>\n}\n"
    )
    assert opt.main([str(program), "-p", "resolve-shapes", "--print-op-generic", "--print-no-properties"]) == 0
    printed = mlir_opt(capsys.readouterr().out, f"--irdl-file={irdl}")
    assert '"weld.sum"' in printed and '#weld.dims<"s0, 8">' in printed


FILES = [Path(__file__).with_name("upstream.mlir"), *sorted((ROOT / "examples").glob("*.mlir"))]
FORMS = {
    "as it is": [],
    "canonical": ["--canonicalize", "--cse"],
    "generic form": ["--mlir-print-op-generic"],
    "generics for named ops": ["--linalg-generalize-named-ops"],
    "fused by upstream": ["--linalg-generalize-named-ops", "--linalg-fuse-elementwise-ops", "--canonicalize", "--cse"],
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_what_upstream_prints_is_read(path: Path, form: str):
    """Whatever upstream makes of a file, it has the results of the file."""
    text = path.read_text()
    x = np.linspace(-3, 3, 6 * 8, dtype=np.float32).reshape(6, 8)
    (expected,) = evaluate_text(text, x)
    printed = mlir_opt(text, *FORMS[form])
    np.testing.assert_allclose(lw.compile(printed, entry=entry_of(text))(x), expected, rtol=1e-5, atol=1e-6)


def entry_of(text: str) -> str:
    found = re.search(r"func\.func @(\w+)", text)
    assert found is not None
    return found[1]


def evaluate_text(text: str, *inputs: Any) -> list[Any]:
    return evaluate(read(text), inputs, entry_of(text))
