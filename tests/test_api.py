"""The public face: targets, options, `out=`, the text of each stage, the caches."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from xdsl.dialects.builtin import ModuleOp
from xdsl.utils.exceptions import ParseError, VerifyException

import loopweld as lw
from loopweld import opt, registry
from loopweld.compiler import driver
from loopweld.compiler.pipeline import STAGES
from loopweld.source_parser import SourceParser

ROOT = Path(__file__).parents[1]
F32 = np.dtype(np.float32)

WELD = """func.func @main(%x: tensor<?xf32>) -> tensor<?xf32> {
  %0 = weld.add %x, %x : tensor<?xf32>
  func.return %0 : tensor<?xf32>
}
"""
UPSTREAM = """func.func @main(%x: tensor<?xf32>) -> tensor<?xf32> {
  %0 = arith.addf %x, %x : tensor<?xf32>
  func.return %0 : tensor<?xf32>
}
"""


@pytest.fixture(autouse=True)
def no_disk(monkeypatch: pytest.MonkeyPatch):
    """No test depends on what an earlier one left on disk."""
    monkeypatch.setenv("LOOPWELD_CACHE_DIR", "off")


def vector(size: int = 33, dtype: Any = np.float32) -> Any:
    return np.arange(1, size + 1).astype(dtype)


def double(x: Any) -> Any:
    return x + x


def pair(x: Any, y: Any) -> Any:
    return {"sum": x + y, "rest": (x * y, x.sum())}


# Targets


def test_the_host_is_the_default_target():
    host = lw.Target.host()
    assert host.name == "cpu"
    assert host.vector_bits in (128, 256, 512)
    assert lw.pipeline() == lw.pipeline(host)
    assert f"vector-bits={host.vector_bits}" in lw.pipeline()


def test_a_level_of_the_architecture():
    f = lw.jit(np.exp, target=lw.Target("x86-64-v3"))
    np.testing.assert_allclose(f(vector()), np.exp(vector()), rtol=1e-6)
    compiled = f.lower(vector()).compile()
    assert "ymm" in compiled.assembly()
    assert "zmm" not in compiled.assembly()


def test_the_numpy_target_never_fuses():
    f = lw.jit(lambda x: (x + x) * x, target="numpy")
    np.testing.assert_array_equal(f(vector()), (vector() + vector()) * vector())
    assert f.explain(vector()).kernels == ()
    assert f.lower(vector()).compile().assembly() == ""
    with pytest.raises(ValueError, match="the target 'numpy' has no stage 'fused'"):
        f.lower(vector()).as_text("fused")


@pytest.mark.parametrize(
    "use",
    [
        lambda target: lw.jit(double, target=target),
        lambda target: lw.compile(WELD, target=target),
        lambda target: lw.pipeline(target),
    ],
    ids=["jit", "compile", "pipeline"],
)
@pytest.mark.parametrize("target", ["x86-64-v9", lw.Target("x86-64-v9")], ids=["name", "object"])
def test_an_unknown_target(use: Callable[[Any], object], target: Any):
    with pytest.raises(ValueError, match=r"unknown target 'x86-64-v9'; known are cpu, numpy, x86-64, .*x86-64-v4"):
        use(target)


def test_the_pipeline_runs_in_the_opt_tool_and_so_does_each_prefix(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    path = tmp_path / "f.mlir"
    path.write_text(WELD)
    passes = lw.pipeline("x86-64-v3").split(",")
    for length in range(len(passes) + 1):
        assert opt.main([str(path), "-p", ",".join(passes[:length]), "--verify-each"]) == 0, passes[:length]
    assert "loop.store" in capsys.readouterr().out.rpartition("builtin.module")[2]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"numerics": "exact"}, "numerics must be one of fast, strict, found 'exact'"),
        ({"threads": 0}, "threads must be at least 1, found 0"),
    ],
)
def test_unknown_options(options: dict[str, Any], message: str):
    with pytest.raises(ValueError, match=message):
        lw.jit(double, **options)


def test_jit_with_options_is_a_decorator():
    @lw.jit(numerics="strict", threads=2)
    def f(x: Any) -> Any:
        return x + 1

    assert f.__name__ == "f"
    np.testing.assert_array_equal(f(vector()), vector() + 1)


# `out=`, through the first call and the short way of later ones


def test_out_takes_the_structure_of_the_results():
    x, y = vector(), vector()[::-1].copy()
    wanted = pair(x, y)
    f = lw.jit(pair)
    for _ in range(2):
        out = {"sum": np.zeros_like(x), "rest": (np.zeros_like(x), np.zeros((), F32))}
        assert f(x, y, out=out) is out
        np.testing.assert_array_equal(out["sum"], wanted["sum"])
        np.testing.assert_array_equal(out["rest"][0], wanted["rest"][0])
        np.testing.assert_allclose(out["rest"][1], wanted["rest"][1], rtol=1e-6)


def test_out_that_is_not_row_major():
    x = np.arange(35, dtype=F32).reshape(5, 7)
    f = lw.jit(double)
    for _ in range(2):
        out = np.zeros((7, 5), F32).T
        assert f(x, out=out) is out
        np.testing.assert_array_equal(out, x + x)


@pytest.mark.parametrize(
    ("out", "message"),
    [
        ({"sum": vector()}, "out must be a dict of 2, found dict of 1"),
        ([vector(), vector()], "out must be a dict of 2, found list of 2"),
        (vector(), "out must be a dict of 2, found ndarray of 33"),
        ({"sum": vector(), "other": ()}, "out has no entry 'rest'"),
        ({"sum": vector(), "rest": (vector(),)}, "out.rest must be a tuple of 2, found tuple of 1"),
    ],
)
def test_out_of_another_structure(out: Any, message: str):
    f = lw.jit(pair)
    f(vector(), vector())
    for _ in range(2):
        with pytest.raises(ValueError, match=message):
            f(vector(), vector(), out=out)


def read_only() -> Any:
    out = vector()
    out.flags.writeable = False
    return out


@pytest.mark.parametrize(
    ("out", "message"),
    [
        (vector(dtype=np.float64), r"out= for out0 must be float32 of shape \(33,\), found float64 of shape \(33,\)"),
        (vector(32), r"out= for out0 must be float32 of shape \(33,\), found float32 of shape \(32,\)"),
        (list(vector()), r"out= for out0 must be float32 of shape \(33,\), found list"),
        (read_only(), "out= for out0 is read-only"),
    ],
    ids=["dtype", "shape", "list", "read-only"],
)
def test_out_that_does_not_fit(out: Any, message: str):
    f = lw.jit(double)
    f(vector())
    before = np.array(out)
    for _ in range(2):
        with pytest.raises(ValueError, match=message):
            f(vector(), out=out)
    np.testing.assert_array_equal(np.array(out), before)


def test_out_may_overlap_the_arguments():
    f = lw.jit(lambda x: x[::-1] + x)
    for _ in range(2):
        x = vector()
        wanted = x[::-1] + x
        assert f(x, out=x) is x
        np.testing.assert_array_equal(x, wanted)
    for _ in range(2):
        memory = vector(34)
        wanted = memory[:-1][::-1] + memory[:-1]
        f(memory[:-1], out=memory[1:])
        np.testing.assert_array_equal(memory[1:], wanted)


def test_results_that_overlap_each_other_are_written_in_order():
    f = lw.jit(lambda x: (x + 1, x * 2))
    x = vector()
    for _ in range(2):
        memory = np.zeros(34, F32)
        f(x, out=(memory[:-1], memory[1:]))
        np.testing.assert_array_equal(memory[1:], x * 2)
        assert memory[0] == x[0] + 1


def test_out_is_untouched_by_a_call_that_raises():
    f = lw.jit(lambda x, i: np.take(x, i))
    x, out = vector(), np.zeros(2, F32)
    f(x, np.array([0, 1]), out=out)
    for _ in range(2):
        out = np.full(2, 7, F32)
        with pytest.raises(IndexError):
            f(x, np.array([1, 99]), out=out)
        assert out.tolist() == [7, 7]


# Compiled programs


def test_the_text_of_every_stage():
    lowered = lw.jit(lambda x: np.exp(x).sum()).lower(vector())
    texts = {stage: lowered.as_text(stage) for stage in STAGES}
    assert lowered.as_text() == texts["tensor"]
    parts = ("weld.exp", "weld.generic", "weld.kernel", "loop.for", "define void @main")
    for (stage, text), part in zip(texts.items(), parts, strict=True):
        assert part in text, stage
    with pytest.raises(ValueError, match="unknown stage 'asm'; stages are tensor, fused, kernels, loops, llvm"):
        lowered.as_text("asm")


def test_the_texts_of_a_module_parse():
    lowered = lw.jit(lambda x: np.exp(x).sum()).lower(vector())
    for stage in STAGES[:-1]:
        ctx = opt.OptMain(["-"]).ctx
        registry.verifier()(SourceParser(ctx, lowered.as_text(stage), stage).parse_module())


def test_assembly_is_the_targets():
    assert "main" in lw.jit(double).lower(vector()).compile().assembly()


def test_a_compiled_program_does_not_cast():
    compiled = lw.jit(lambda x, n: x * n).lower(vector(), 2.0).compile()
    np.testing.assert_array_equal(compiled(vector(), 3.0), vector() * 3)
    np.testing.assert_array_equal(compiled(vector(7), 3), vector(7) * 3)
    with pytest.raises(TypeError, match="'x' has dtype float64, this program was compiled for float32"):
        compiled(vector(dtype=np.float64), 3.0)
    with pytest.raises(ValueError, match="'x' has 2 dims, expected 1"):
        compiled(np.ones((3, 3), F32), 3.0)
    with pytest.raises(TypeError, match="expected 2 arrays, found 1"):
        compiled(vector())


def test_check_finds_a_wrong_program(monkeypatch: pytest.MonkeyPatch):
    emit = driver.module_text
    monkeypatch.setattr(driver, "module_text", lambda *args: emit(*args).replace("fadd", "fsub"))
    assert np.all(lw.jit(double)(vector()) == 0)
    f = lw.jit(double, check=True)
    for _ in range(2):
        with pytest.raises(AssertionError, match=r"result out0 differs from the NumPy evaluator at \(0,\)"):
            f(vector())
    with pytest.raises(AssertionError, match="result out0 differs"):
        lw.compile(WELD, check=True)(vector())


def test_check_lets_a_right_program_pass():
    f = lw.jit(lambda x: np.exp(x - x.max()).sum(), check=True)
    np.testing.assert_allclose(f(vector()), np.exp(vector() - 33).sum(), rtol=1e-6)


# Modules


@pytest.mark.parametrize("text", [WELD, UPSTREAM], ids=["weld", "upstream"])
@pytest.mark.parametrize("kind", ["text", "path", "string", "module"])
def test_what_compile_takes(text: str, kind: str, tmp_path: Path):
    path = tmp_path / "program.mlir"
    path.write_text(text)
    module = SourceParser(opt.OptMain(["-"]).ctx, text, "f").parse_module()
    source: dict[str, ModuleOp | str | Path] = {"text": text, "path": path, "string": str(path), "module": module}
    before = str(module)
    compiled = lw.compile(source[kind])
    np.testing.assert_array_equal(compiled(vector()), vector() * 2)
    assert str(module) == before


WRONG = [
    (("weld.add %x, %x", "weld.add %x, %y"), ParseError, ":2:21\n"),
    (("weld.add %x, %x : ", "weld.add : "), ParseError, ":2:"),
    (("weld.add", "weld.ad"), ParseError, ":2:8\n"),
    (
        ("weld.add %x, %x : tensor<?xf32>", "arith.bitcast %x : tensor<?xf32> to tensor<?xf32>"),
        Exception,
        ":2:8: error: ",
    ),
    (
        ("weld.add %x, %x : tensor<?xf32>", '"weld.add"(%x) : (tensor<?xf32>) -> tensor<?xf32>'),
        VerifyException,
        ":2:8: error: ",
    ),
]


@pytest.mark.parametrize(("change", "kind", "where"), WRONG)
def test_errors_in_a_module_have_a_position(
    change: tuple[str, str],
    kind: type[Exception],
    where: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
):
    text = WELD.replace(*change)
    path = tmp_path / "wrong.mlir"
    path.write_text(text)
    with pytest.raises(kind) as caught:
        lw.compile(text)
    assert str(caught.value).startswith(f"<text>{where}")
    with pytest.raises(kind) as caught:
        lw.compile(path)
    assert str(caught.value).startswith(f"{path}{where}")


def test_a_wrong_module_object():
    module = SourceParser(opt.OptMain(["-"]).ctx, WELD, "f.mlir").parse_module()
    add = next(op for op in module.walk() if op.name == "weld.add")
    add.operands = add.operands[:1]
    with pytest.raises(VerifyException, match=r"^f\.mlir:2:8: error: "):
        lw.compile(module)


def test_an_unknown_entry_and_a_missing_file():
    with pytest.raises(ValueError, match="the module has no function @other; it has @main"):
        lw.compile(WELD, entry="other")
    with pytest.raises(FileNotFoundError):
        lw.compile("gone.mlir")
    with pytest.raises(ValueError, match="numerics must be one of fast, strict, found 'exact'"):
        lw.compile(WELD, numerics="exact")


# Caches


def test_cache_info_counts():
    f = lw.jit(double)
    assert f.cache_info() == (0, 0, 0, 0)
    for size in (33, 34, 35):
        f(vector(size))
    assert f.cache_info() == (3, 1, 0, 1)
    f(vector(3))  # a tiny size is part of what a program is for
    f(vector(dtype=np.float64))
    assert f.cache_info() == (5, 3, 0, 3)


def test_a_damaged_object_is_a_miss(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    lw.jit(double)  # what all programs share is there already
    monkeypatch.setenv("LOOPWELD_CACHE_DIR", str(tmp_path))
    lw.jit(double)(vector())
    (path,) = tmp_path.glob("*.obj")
    whole = path.read_bytes()
    for damaged in (b"", whole[:-1], whole[:100] + bytes([whole[100] ^ 1]) + whole[101:]):
        path.write_bytes(damaged)
        f = lw.jit(double)
        np.testing.assert_array_equal(f(vector()), vector() * 2)
        assert f.cache_info().disk_hits == 0
        assert len(path.read_bytes()) == len(whole)
    f = lw.jit(double)
    np.testing.assert_array_equal(f(vector()), vector() * 2)
    assert f.cache_info().disk_hits == 1


def test_another_process_reuses_the_object(tmp_path: Path):
    program = (
        "import numpy as np, loopweld as lw\nf = lw.jit(lambda x: x + x)\nprint(f(np.ones(33)).sum(), f.cache_info())"
    )
    environment = {**os.environ, "LOOPWELD_CACHE_DIR": str(tmp_path), "PYTHONPATH": str(ROOT)}
    said = [
        subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=True
        ).stdout
        for _ in range(2)
    ]
    assert said == [f"66.0 CacheInfo(calls=1, compilations=1, disk_hits={hits}, entries=1)\n" for hits in (0, 1)]


def test_a_target_beyond_this_machine_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from loopweld.compiler.codegen import jit

    monkeypatch.setattr(jit, "host", lambda: jit.NativeTarget("x86-64", "+sse2"))
    with pytest.raises(ValueError, match=r"needs .*avx2.* which this machine does not have"):
        lw.jit(lambda x: x + 1, target="x86-64-v3")(np.ones(3))


def test_an_internal_error_says_how_to_reproduce_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The file holds the module before the pass that fails, and the passes from it on."""

    def fails(self: object, ctx: object, op: object) -> None:
        raise KeyError("a bug")

    monkeypatch.setattr("loopweld.passes.fusion.siblings.FuseSiblings.apply", fails)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(KeyError) as caught:
        lw.jit(lambda x: np.exp(x) + 1.5)(np.ones(33))
    (note,) = caught.value.__notes__
    assert note.startswith(
        "an internal error of loopweld in 'fuse-siblings'; to reproduce: loopweld-opt --run-reproducer "
    )
    path = Path(note.rpartition(" ")[2])
    text = path.read_text()
    assert "weld.generic" in text and 'pipeline: "builtin.module(fuse-siblings' in text
    assert opt.main([str(path), "--run-reproducer"]) == 1
    monkeypatch.undo()
    assert opt.main([str(path), "--run-reproducer", "--target=llvm"]) == 0
