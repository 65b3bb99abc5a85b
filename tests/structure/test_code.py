"""The LLVM text of programs: how many loops and calls there are."""

import re
import subprocess
import sys

import numpy as np
import pytest
from xdsl.ir import Block

import loopweld as lw
from loopweld.compiler.codegen import jit
from loopweld.dialects.expr import Expr
from loopweld.dialects.loop.ops import Affine, For
from loopweld.dialects.weld.constant import Constant
from loopweld.dialects.weld.types import I64


def llvm(function, *arrays, **options):
    return lw.jit(function, **options).lower(*arrays).as_text("llvm")


def loops(text: str) -> int:
    return len(re.findall(r"= phi i64 ", text))


def test_the_rest_of_a_loop_takes_one_register_at_a_time():
    text = llvm(lambda x: x + 1, np.ones(100, np.float32))
    assert loops(text) == 2
    (whole,) = set(re.findall(r"store <(\d+) x float> %\w+, ptr %\w+, align 4,", text))
    (rest,) = set(re.findall(r"call void @llvm.masked.store.v(\d+)f32", text))
    assert int(whole) == 4 * int(rest)


def test_a_rest_that_is_known_to_fit_a_register_is_no_loop():
    text = llvm(lambda x: np.pad(x, (0, 1)), np.ones(100, np.float32))
    assert "llvm.masked.store" in text
    assert loops(text) == 2


def test_what_is_known_to_be_shorter_than_a_step_is_no_loop():
    text = llvm(lambda x: x + 1, np.ones(13, np.float32))
    assert loops(text) == 0
    assert "llvm.masked.store" in text


def test_one_known_step_is_no_loop_and_no_branch():
    text = llvm(lambda x: x + 1, np.ones(8))
    assert loops(text) == 0
    assert " br " not in text


@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 63, 64, 65, 127, 128, 129])
def test_sizes_around_a_step(size: int):
    x = np.arange(size, dtype=np.float32)
    twice, total = lw.jit(lambda x: (x * 2, x.sum()))(x)
    np.testing.assert_array_equal(twice, x * 2)
    assert total == x.sum()


def test_kernels_without_loops_of_their_own_are_inlined():
    """All that is left of a kernel is what hands its blocks to threads."""
    text = llvm(lambda x: x + 1, np.ones(100, np.float32))
    (kernel,) = re.findall(r"^define internal void @k\w+\(.*", text, re.MULTILINE)
    assert kernel.endswith(" alwaysinline {")
    assert text.count("call void @loopweld_blocks(") == 1


def loop(lower: int | Expr, upper: int, step: int) -> For:
    """Between constants, or from an expression of `e` to `e`."""
    block = Block(arg_types=[I64])
    if isinstance(lower, Expr):
        begin = Affine.of(lower, {"e": block.args[0]})
        return For.of(begin.res, block.args[0], step, [], "d0")
    ends = [Constant.splat(number, I64).res for number in (lower, upper)]
    return For.of(ends[0], ends[1], step, [], "d0")


E = Expr.symbol("e")


@pytest.mark.parametrize(
    ("found", "runs", "once"),
    [
        (loop(0, 16, 16), True, True),
        (loop(16, 16, 16), False, True),
        (loop(0, 17, 16), True, False),
        (loop(E - E % 16, 0, 16), False, True),
        (loop(E - E % 32, 0, 16), False, False),
        (loop(E - E % 8, 0, 16), False, True),
        (loop(E - 8, 0, 16), False, False),
        (loop(Expr.constant(0) * E, 0, 16), False, False),
    ],
)
def test_how_often_a_loop_runs(found: For, runs: bool, once: bool):
    assert (found.runs, found.runs_at_most_once) == (runs, once)


def test_threads_that_start_the_linker_get_the_same_one():
    program = """
import threading
from loopweld.compiler.codegen import jit
jit.machine(jit.host())
barrier, found = threading.Barrier(8), []
def ask():
    barrier.wait()
    found.append(jit._linker())
threads = [threading.Thread(target=ask) for _ in range(8)]
[t.start() for t in threads]
[t.join() for t in threads]
assert len({id(linker) for linker in found}) == 1
"""
    subprocess.run([sys.executable, "-c", program], check=True)


def test_gathers_beside_updates_go_lane_by_lane():
    """At offsets that come from memory, or from a register where they are computed; other gathers of tables that the
    first-level cache does not hold are instructions."""

    def scatter(table, index, x):
        out = np.zeros_like(table)
        np.add.at(out, index, x * table[index])
        return out

    def gathered(function):
        found = re.search(r"^gather\d+\.all:$(.*?)^gather\d+\.end:$", llvm(function, table, index, x), re.M | re.S)
        return found[1] if found else ""

    table, index, x = np.ones(5000), np.arange(40), np.ones(40)
    plain, computed = gathered(scatter), gathered(lambda table, index, x: scatter(table, index // 2, x))
    assert plain.count("load i64") == plain.count("load double") > 1 and "extractelement" not in plain
    assert computed.count("extractelement") == computed.count("load double") > 1 and "load i64" not in computed
    assert not gathered(lambda table, index, x: x * table[index])
    table = table[:50]
    small = gathered(lambda table, index, x: x * table[index])
    assert small.count("load i64") == small.count("load double") > 1
    for dtype, bits in ((np.int32, "i32"), (np.uint16, "i16")):
        index = index.astype(dtype)
        narrow = gathered(scatter)
        assert narrow.count(f"load {bits}") == narrow.count("load double") > 1 and "extractelement" not in narrow


@pytest.mark.parametrize(("size", "dtype"), [(10, "f4"), (12, "f4"), (5, "f8"), (7, "f8")])
def test_lanes_behind_a_short_row_are_not_left_out_by_a_shuffle(size, dtype):
    """A masked store waits 20 cycles for the `vexpandpd` that LLVM makes of one."""
    text = llvm(lambda x: x - x.sum(axis=1, keepdims=True), np.ones((50, size), dtype), target="x86-64-v4")
    assembly = jit.assembly(text, jit.NativeTarget("x86-64-v4", ""))
    assert "{%k" in assembly and "expand" not in assembly
    assert f"@mask.{64 // int(dtype[1])}.{2**size - 1} = " in text


def test_masks_of_whole_registers_are_known():
    """Halves of rows come from their registers as they are; where they end within one, AVX-512 has masks for it."""

    def turned(x):
        half = x.shape[2] // 2
        return x * np.concatenate([-x[:, :, half:], x[:, :, :half]], axis=2)

    def masks(half, target):
        return llvm(turned, np.ones((3, 5, 2 * half), np.float32), target=target).count("internal global i")

    assert masks(32, "x86-64-v4") == masks(8, "x86-64-v3") == 0
    assert masks(8, "x86-64-v4") == 1


def test_sine_and_cosine_share_the_reduction_of_their_angle():
    x = np.ones(1000)
    one, other, both = (
        len(lw.jit(f, target="x86-64-v3").lower(x).compile().assembly().splitlines())
        for f in (lambda x: np.sin(x) * 2, lambda x: np.cos(x) * 2, lambda x: np.sin(x) + np.cos(x))
    )
    assert both < 0.85 * (one + other)
