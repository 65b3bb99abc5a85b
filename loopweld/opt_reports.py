"""What `loopweld-opt` shows of a run beside its output: IR, times, statistics, remarks, drawings."""

import argparse
import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass

from loopweld.diagnostics import Diagnostic, Position
from loopweld.instruments import ALL, Instrument, IRTree, PrintIR, Statistics, XdslReports
from loopweld.passes.remarks import Decision
from loopweld.remarks import Remark, decision_remark, final, kernel_remarks, selected
from loopweld.timing import Timing


def instruments(args: argparse.Namespace, timing: Timing, last: ModulePass | None) -> Iterator[Instrument]:
    """Those that print the IR, as the options ask for; `last` is the pipeline's last pass."""
    folder = args.mlir_print_ir_tree_dir
    before = ALL if args.mlir_print_ir_before_all else _names(args.mlir_print_ir_before)
    after = ALL if args.mlir_print_ir_after_all or args.mlir_print_ir_after_change else _names(args.mlir_print_ir_after)
    if folder is not None:
        yield IRTree(folder, before, after or (() if before else ALL), args.print_op_generic)
    elif before or after or args.mlir_print_ir_after_failure:
        changed, failed = args.mlir_print_ir_after_change, args.mlir_print_ir_after_failure
        # With only `-after-failure`, the pass that fails is all there is to see; so it is in mlir-opt.
        yield PrintIR(sys.stderr, before, () if failed else after, changed, failed, args.print_op_generic)
    if args.time_passes or args.print_between_passes:
        yield XdslReports(timing, args.time_passes, args.print_between_passes, last)


def named_passes(args: argparse.Namespace) -> frozenset[str]:
    """The passes that `--mlir-print-ir-before=` and `-after=` name."""
    return _names(args.mlir_print_ir_before) | _names(args.mlir_print_ir_after)


def _names(given: list[str]) -> frozenset[str]:
    return frozenset(chain.from_iterable(text.split(",") for text in given))


class Reports(Instrument):
    """Statistics, remarks, times and drawings of a run over one or more modules."""

    def __init__(self, args: argparse.Namespace) -> None:
        self._args = args
        self._filters = {
            "": args.remarks_filter,
            "Passed": args.remarks_filter_passed,
            "Missed": args.remarks_filter_missed,
            "Analysis": args.remarks_filter_analyse,
            "Failure": args.remarks_filter_failed,
        }
        self._decisions: list[Decision] = []
        self._statistics = Statistics(self._decisions)
        self._kernels: list[Remark] = []
        self._all_remarks: list[Remark] = []
        self._start = Position("")

    @property
    def instruments(self) -> tuple[Instrument, ...]:
        return (self, *([self._statistics] if self._args.mlir_pass_statistics else []))

    def begin(self, decisions: list[Decision], start: Position) -> None:
        """The passes are about to run on a module that begins at `start`; they will add to `decisions`."""
        self._decisions = self._statistics.decisions = decisions
        self._kernels = []
        self._start = start

    def after(self, pass_: ModulePass, module: ModuleOp) -> None:
        if pass_.name == "form-kernels" and any(self._filters.values()):
            self._kernels = list(kernel_remarks(module, self._start))

    def remarks(self) -> list[Diagnostic]:
        """The remarks about the module that are to be printed."""
        found = [*(decision_remark(d, self._start) for d in self._decisions), *self._kernels]
        chosen = selected(final(found) if self._args.remark_policy == "final" else found, self._filters)
        self._all_remarks += chosen
        return [] if self._args.remark_format == "yaml" else [remark.diagnostic for remark in chosen]

    def draw(self, module: ModuleOp) -> None:
        """`--view-graph`."""
        if self._args.view_graph is None:
            return
        from loopweld.compiler.drawing import dot, svg
        from loopweld.compiler.program_graph import graph_of

        graph = graph_of(module)
        if self._args.view_graph == "-":
            sys.stderr.write(dot(graph))
        else:
            path = Path(self._args.view_graph)
            path.write_text(svg(graph) if path.suffix == ".svg" else dot(graph), encoding="utf-8")

    def finish(self, timing: Timing) -> None:
        """What is printed once, after all modules."""
        if self._args.remark_format == "yaml" and any(self._filters.values()):
            text = "".join(remark.yaml() for remark in self._all_remarks)
            self._args.remarks_output_file.write_text(text, encoding="utf-8")
        if self._args.mlir_pass_statistics:
            sys.stderr.write(self._statistics.report(self._args.mlir_pass_statistics_display) + "\n")
        if self._args.mlir_timing:
            display, form = self._args.mlir_timing_display, self._args.mlir_output_format
            sys.stderr.write(timing.report(display, form) + "\n")
