"""The promises about whole programs: one kernel, each byte once, no temporaries; any size, one compilation."""

import re
from functools import lru_cache
from typing import Any

import numpy as np
import pytest
from structure.programs import PROGRAMS, array, softmax_columns, softmax_rows
from structure.walks import accesses, kernels, label, loads, parse, read_from_outside, walks
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp

import loopweld as lw
from loopweld.dialects.loop.ops import For, Store, lanes_of
from loopweld.passes.verify import verify_module

N, M = 100, 210
"""Rows and columns: more than a step, and no multiple of one."""


@pytest.fixture(scope="module", params=PROGRAMS)
def program(request: pytest.FixtureRequest) -> Any:
    """The table's entry with the compiled program and its report."""
    entry = PROGRAMS[request.param]
    arguments = entry.arguments(N, M)
    compiled = lw.jit(entry.function).lower(*arguments).compile()
    return entry, arguments, compiled, compiled.report_at_sizes()


@lru_cache(maxsize=2)
def loops_of(compiled: Any) -> ModuleOp:
    """Reading the text takes longer than to compile it."""
    return parse(compiled.as_text("loops"))


def results(value: Any) -> list[Any]:
    return [np.asarray(v) for v in (value if isinstance(value, tuple) else (value,))]


# ---- what the report promises ------------------------------------------------------
def test_one_kernel(program: Any):
    _, _, _, report = program
    assert len(report.kernels) == 1
    assert report.library_calls == ()


def test_each_byte_once(program: Any):
    """Every array of these programs is needed as a whole, so the least is known here too."""
    entry, arguments, _, report = program
    least = sum(a.nbytes for a in [*arguments, *results(entry.function(*arguments))])
    assert report.bytes_minimum == least
    assert least <= report.bytes_moved <= 1.05 * least
    assert report.bytes_moved == sum(k.bytes_read + k.bytes_written for k in report.kernels)


def test_no_temporaries(program: Any):
    _, _, _, report = program
    assert report.temporary_bytes == 0


# ---- whether it is true of the code --------------------------------------------------
def pairs(compiled: Any, report: Any) -> list[tuple[Any, FuncOp]]:
    """What the report says of each kernel, with its loops."""
    functions = kernels(loops_of(compiled))
    assert sorted(functions) == sorted(k.name for k in report.kernels)
    return [(k, functions[k.name]) for k in report.kernels]


def test_sweeps_are_walks(program: Any):
    entry, _, compiled, report = program
    for kernel, function in pairs(compiled, report):
        found = walks(function.body.block)
        assert len(found) == kernel.sweeps, [[label(loop) for loop in walk] for walk in found]
    assert max(k.sweeps for k in report.kernels) >= entry.sweeps


def test_reads_are_loads(program: Any):
    """What the report says is read is loaded from outside, and nothing else is."""
    _, _, compiled, report = program
    for kernel, function in pairs(compiled, report):
        assert {t.tensor for t in kernel.reads} == read_from_outside(function)


def test_one_load_a_walk(program: Any):
    """A walk fetches an element once: its body has one load of each buffer (rope: one for each place it reads)."""
    entry, _, compiled, report = program
    most = 3 if entry is PROGRAMS["rope"] else 1
    for _, function in pairs(compiled, report):
        for walk in walks(function.body.block):
            for counts in loads(walk):
                assert all(count <= most for count in counts.values()), counts


def test_a_row_in_the_cache_is_fetched_once(program: Any):
    """However often it is walked."""
    _, _, _, report = program
    assert all(t.times == 1 for k in report.kernels for t in k.reads)


def test_vector_width_is_the_widest_access(program: Any):
    _, _, compiled, report = program
    for kernel, function in pairs(compiled, report):
        widths = [lanes_of(a.value if isinstance(a, Store) else a.res) for a in accesses(function)]
        assert kernel.vector_width == max(widths, default=1)
    assert max(k.vector_width for k in report.kernels) > 1


def test_a_row_beyond_the_cache_is_fetched_twice():
    """Once for its greatest element and the sum, chunk by chunk, and once for the quotients; nothing of it is kept."""
    target = lw.Target("cpu", last_cache_share=1 << 20)
    report = lw.jit(softmax_rows, target=target).explain(np.empty((4, 1 << 20), np.float32))
    (kernel,) = report.kernels
    assert kernel.sweeps == 3
    assert [(t.tensor, t.times) for t in kernel.reads] == [("x", 2)]
    assert report.scratch_bytes == 2 * 4 * (1 << 20) // 4096


def test_a_block_of_columns_beyond_the_cache_is_fetched_by_each_walk():
    """Along the first axis the working set of an iteration is the lanes times the column; with more columns than lanes
    memory is walked row by row instead."""
    x = np.empty((50_000, 64), np.float32)
    jitted = lw.jit(softmax_columns)
    lanes = int(re.findall(r"vector<(\d+)xf32>", jitted.lower(x).as_text("loops"))[0])
    (kernel,) = jitted.explain(x).kernels
    assert lanes * 50_000 * 4 > 8 << 20
    assert [(t.tensor, t.times) for t in kernel.reads] == [("x", 2)]


# ---- the code itself ---------------------------------------------------------------
def test_every_access_has_a_scope(program: Any):
    _, _, compiled, _ = program
    found = list(accesses(loops_of(compiled)))
    assert found
    for access in found:
        assert access.scope is not None and access.noalias is not None
        assert access.scope not in access.noalias.data


def is_passed(line: str, body: str) -> bool:
    """Whether a line reads or writes what a kernel hands to its blocks."""
    passed = re.findall(r"(%\w+) = getelementptr \{", body)
    return line.rsplit(" ", 1)[-1] in passed


def test_every_llvm_access_has_a_scope(program: Any):
    _, _, compiled, _ = program
    text = compiled.as_text("llvm")
    bodies = re.findall(r"^define internal void @k\d.*?^}", text, re.MULTILINE | re.DOTALL)
    memory = re.compile(r"= load |^ *store |call .*@llvm\.masked\.")
    lines = [line for body in bodies for line in body.splitlines() if memory.search(line) and not is_passed(line, body)]
    assert lines
    assert [line for line in lines if "!alias.scope" not in line or "!noalias" not in line] == []
    assert re.search(r"^!\d+ = ", text, re.MULTILINE)


def test_vectors_in_llvm(program: Any):
    _, _, compiled, _ = program
    assert re.search(r"<(\d+) x float>", compiled.as_text("llvm"))


def test_stages_verify(program: Any):
    """Every stage prints, parses back and satisfies the invariants of its stage."""
    _, _, compiled, _ = program
    for stage in ("tensor", "fused", "kernels", "loops"):
        text = compiled.as_text(stage)
        module = parse(text)
        verify_module(module)
        assert str(module) == text.rstrip("\n")


def test_any_size_has_a_masked_rest(program: Any):
    _, _, compiled, _ = program
    module = loops_of(compiled)
    rests = [op for op in module.walk() if isinstance(op, For) and label(op).endswith(" rest")]
    inside = [a for loop in rests for a in accesses(loop)]
    vectors = [a for a in inside if lanes_of(a.value if isinstance(a, Store) else a.res) > 1]
    assert vectors and all(a.mask is not None for a in vectors)


SOFTMAX = """
func.func @main(%x: !nm) -> !nm {
  %max = "weld.reduce_max"(%x) <{axes = array<i64: AXIS>}> : (!nm) -> !k
  %max_all = "weld.broadcast"(%max) <{axes = array<i64: KEPT>, shape = #weld.dims<"N, M">}> : (!k) -> !nm
  %shifted = weld.sub %x, %max_all : !nm
  %e = weld.exp %shifted : !nm
  %sum = "weld.sum"(%e) <{axes = array<i64: AXIS>}> : (!nm) -> !k
  %sum_all = "weld.broadcast"(%sum) <{axes = array<i64: KEPT>, shape = #weld.dims<"N, M">}> : (!k) -> !nm
  %y = weld.div %e, %sum_all : !nm
  func.return %y : !nm
}
"""


def softmax(n: int, m: int, axis: int) -> str:
    """Softmax of an n x m matrix, as a module of static shapes."""
    types = {"!nm": f"tensor<{n}x{m}xf32>", "!k": f"tensor<{(n, m)[1 - axis]}xf32>"}
    names = {**types, "AXIS": str(axis), "KEPT": str(1 - axis), "N": str(n), "M": str(m)}
    return re.sub("|".join(names), lambda match: names[match[0]], SOFTMAX)


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize(("n", "m"), [(64, 256), (128, 512), (3, 1024)])
def test_no_masks_in_whole_steps(axis: int, n: int, m: int):
    compiled = lw.compile(softmax(n, m, axis))
    module = loops_of(compiled)
    assert all(access.mask is None for access in accesses(module))
    assert not any(label(op).endswith(" rest") for op in module.walk() if isinstance(op, For))
    assert "llvm.masked" not in compiled.as_text("llvm")
    x = array(n, m)
    expected = (softmax_columns, softmax_rows)[axis](x)
    np.testing.assert_allclose(compiled(x), expected, rtol=2e-6)


def test_a_static_size_that_is_no_multiple_has_one_masked_step():
    compiled = lw.compile(softmax(4, 257, 1))
    rests = [op for op in loops_of(compiled).walk() if isinstance(op, For) and label(op) == "d1 rest"]
    assert len(rests) == 3
    x = array(4, 257)
    np.testing.assert_allclose(compiled(x), softmax_rows(x), rtol=2e-6)


# ---- sizes ---------------------------------------------------------------------------
def sizes(pinned: bool) -> list[tuple[int, int]]:
    """50 sizes, all of them more than 16 (smaller ones are programs of their own), columns even."""
    return [(17 + 3 * k, M if pinned else 18 + 2 * (k * 7 % 50)) for k in range(50)]


@pytest.mark.parametrize("name", PROGRAMS)
def test_one_compilation_for_all_sizes(name: str):
    entry = PROGRAMS[name]
    jitted = lw.jit(entry.function)
    for n, m in sizes(entry.pinned):
        arguments = entry.arguments(n, m)
        for found, wanted in zip(results(jitted(*arguments)), results(entry.function(*arguments)), strict=True):
            scale = max(float(np.max(np.abs(wanted[np.isfinite(wanted)]), initial=0.0)), 1.0)
            np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=2e-5 * scale, err_msg=f"{name} {n} x {m}")
    info = jitted.cache_info()
    assert (info.calls, info.compilations, info.entries) == (50, 1, 1)


# ---- what went wrong before ------------------------------------------------------------
def test_no_kernel_without_results():
    """A view of a view that is only read through must not be copied by the way."""

    def function(x):
        return -np.broadcast_to(x.T[5:6, ::-1].reshape(4)[:, None], (4, 3))

    x = array(4, 8)
    jitted = lw.jit(function)
    (kernel,) = jitted.explain(x).kernels
    assert kernel.writes
    np.testing.assert_array_equal(jitted(x), function(x))


def test_pad_needs_only_what_it_reads():
    """One element of `a` is read, whatever its length."""

    def function(a):
        return np.exp2(np.pad(np.cos(a[:1]), (0, 19)))

    a = array(50)
    jitted = lw.jit(function)
    report = jitted.explain(a)
    assert report.bytes_minimum == report.bytes_moved == 4 + 80
    np.testing.assert_allclose(jitted(a), function(a), rtol=1e-6)


def test_scatters_start_in_their_results():
    """The zeros that scatters add to are nowhere but in the results."""

    def function(r, county, a):
        da, db = np.zeros_like(a), np.zeros_like(a)
        np.add.at(da, county, r)
        np.add.at(db, county, r * r)
        return r.sum(), da, db

    arguments = array(919), np.arange(919) * 7 % 85, array(85)
    jitted = lw.jit(function)
    report = jitted.explain(*arguments)
    assert len(report.kernels) == 1
    assert report.temporary_bytes == report.scratch_bytes == 0
    for found, wanted in zip(jitted(*arguments), function(*arguments), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-5)


def test_numpy_target_runs_generics():
    text = """
    func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
      %y = weld.generic over "4" gives "write d0" {
        %0 = weld.load %x "3 - d0" : tensor<4xf32>
        %1 = weld.exp %0 : f32
        weld.yield %1 : f32
      } : tensor<4xf32>
      func.return %y : tensor<4xf32>
    }
    """
    x = array(4)
    for target in ("cpu", "numpy"):
        np.testing.assert_allclose(lw.compile(text, target=target)(x), np.exp(x[::-1]), rtol=1e-6)
