"""Recurrences: one native loop whose steps are kernels, with the evaluator's results whatever rows a step shares."""

import numpy as np
import pytest

import loopweld as lw
from loopweld.compiler.compiled import Compiled


def compiled(step: str, arguments: str, call: str, results: str) -> Compiled:
    """`@main(arguments)` that gives what `call` gives; checked against the evaluator at each call."""
    return lw.compile(
        f"func.func private @step{step}\n"
        f"func.func @main({arguments}) -> ({results}) {{\n  {call}\n  func.return %y : {results}\n}}\n",
        check=True,
    )


def tensor(shape: str) -> str:
    return f'tensor<{"?x" * len(shape.split(","))}f64, #weld.dims<"{shape}">>'


VECTOR = 'tensor<?xf64, #weld.dims<"m">>'

PRODUCT = f"""(%h: {VECTOR}, %w: {tensor("m, m")}) -> {VECTOR} {{
  %a = "weld.broadcast"(%h) <{{axes = array<i64: 1>, shape = #weld.dims<"m, m">}}> : ({VECTOR}) -> {tensor("m, m")}
  %b = weld.mul %a, %w : {tensor("m, m")}
  %c = "weld.sum"(%b) <{{axes = array<i64: 1>}}> : ({tensor("m, m")}) -> {VECTOR}
  %d = weld.tanh %c : {VECTOR}
  func.return %d : {VECTOR}
}}"""
"""A step that reads all of its row for each element of the next one."""


@pytest.mark.parametrize(
    ("length", "read", "write"),
    [
        ("n + 1", "d0", "d0 + 1"),
        ("1", "0", "0"),
        ("2", "d0 mod 2", "(d0 + 1) mod 2"),
        ("k", "d0 mod k", "(d0 + 1) mod k"),
    ],
)
def test_rows(length: str, read: str, write: str) -> None:
    """A row that is, or may be, the one that the step reads is overwritten only once all of it was read."""
    start = tensor(f"{length}, m").replace("?x?", "1x?" if length == "1" else "2x?" if length == "2" else "?x?")
    whole = tensor("1, m, m").replace("?x?x?", "1x?x?")
    program = compiled(
        PRODUCT,
        f"%count: {tensor('n')}, %size: {tensor('k')}, %start: {start}, %w: {whole}",
        f'%y = weld.recurrence @step(%start, %w) {{count = #weld.dims<"n">, starts = array<i64: 0>,'
        f' reads = array<i64: 0, 2>, writes = array<i64: 0>, rows = #weld.dims<"{read}, 0, {write}">}}'
        f" : ({start}, {whole}) -> {start}",
        start,
    )
    rng = np.random.default_rng(0)
    for count, size, m in ((5, 1, 3), (4, 3, 9), (1, 1, 1), (0, 2, 2)):
        rows = {"n + 1": count + 1, "k": size}.get(length) or int(length)
        program(np.zeros(count), np.zeros(size), rng.normal(size=(rows, m)), rng.normal(size=(1, m, m)))
    assert not program.report.library_calls
    kept = "loop.copy" in program.as_text("loops").rpartition("loop.for")[2]
    assert kept == (length in ("1", "k"))


def test_elements_overwrite_their_row() -> None:
    """A step that reads each element where it writes it needs no memory of its own."""
    row = 'tensor<1x?xf64, #weld.dims<"1, m">>'
    program = compiled(
        f"(%h: {VECTOR}) -> {VECTOR} {{\n  %a = weld.cos %h : {VECTOR}\n  func.return %a : {VECTOR}\n}}",
        f"%start: {row}",
        '%y = weld.recurrence @step(%start) {count = #weld.dims<"9">, starts = array<i64: 0>, reads = array<i64: 0>,'
        f' writes = array<i64: 0>, rows = #weld.dims<"0, 0">}} : ({row}) -> {row}',
        row,
    )
    for size in (1, 7, 33):
        program(np.random.default_rng(0).normal(size=(1, size)))
    (entry,) = program.report.kernels
    assert (entry.name, entry.ops, entry.flops) == ("repeat.step", ("cos",), 9 * 33)
    assert program.report.bytes_moved == 2 * 8 * 33 and program.report.temporary_bytes == 0


def test_steps_with_library_calls() -> None:
    """They have no native loop: the whole recurrence is a library call."""
    row = "tensor<1x2x2xf64>"
    inner = "tensor<2x2xf64>"
    program = compiled(
        f'(%h: {inner}) -> {inner} {{\n  %a = "weld.matmul"(%h, %h) : ({inner}, {inner}) -> {inner}\n'
        f"  func.return %a : {inner}\n}}",
        f"%start: {row}",
        '%y = weld.recurrence @step(%start) {count = #weld.dims<"3">, starts = array<i64: 0>, reads = array<i64: 0>,'
        f' writes = array<i64: 0>, rows = #weld.dims<"0, 0">}} : ({row}) -> {row}',
        row,
    )
    program(np.random.default_rng(0).normal(size=(1, 2, 2)))
    assert len(program.report.library_calls) == 1


@pytest.mark.parametrize("start", [[], [0.3], [5.0, 1e6, 0.1, 77.0, 2.0], [np.nan, 3.0]])
def test_steps_end_when_one_says_so(start: list[float]) -> None:
    """Halved until all are small: NaN never is, and the count ends it."""
    row, flag = 'tensor<1x?xf64, #weld.dims<"1, m">>', "tensor<1xi1>"
    step = f"""(%h: {VECTOR}) -> ({VECTOR}, tensor<i1>) {{
  %half = weld.constant 0.5 : tensor<f64>
  %halves = "weld.broadcast"(%half) <{{axes = array<i64>, shape = #weld.dims<"m">}}> : (tensor<f64>) -> {VECTOR}
  %a = weld.mul %h, %halves : {VECTOR}
  %small = weld.lt %a, %halves : {VECTOR}
  %all = "weld.all"(%small) <{{axes = array<i64: 0>}}> : (tensor<?xi1, #weld.dims<"m">>) -> tensor<i1>
  func.return %a, %all : {VECTOR}, tensor<i1>
}}"""
    program = compiled(
        step,
        f"%start: {row}, %no: {flag}",
        '%y, %last = weld.recurrence @step(%start, %no) {count = #weld.dims<"50">, starts = array<i64: 0, 1>,'
        " reads = array<i64: 0>, writes = array<i64: 0, 1>,"
        f' rows = #weld.dims<"0, 0, 0">, until = 1 : i64}} : ({row}, {flag}) -> ({row}, {flag})',
        row,
    )
    found = program(np.array([start]), np.zeros(1, bool))
    steps = 50 if np.isnan(start).any() else max(1, *(int(np.floor(np.log2(x))) + 2 for x in [0.25, *start]))
    np.testing.assert_array_equal(found, np.array([start]) * 0.5**steps)
