"""`loopweld-opt`: runs passes over `.mlir` files, like `mlir-opt` and `xdsl-opt`."""

import argparse
import os
import re
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from io import BytesIO
from pathlib import Path
from typing import IO

from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import PassPipeline
from xdsl.utils.exceptions import ArgSpecParseError, ParseError, ShrinkException
from xdsl.xdsl_opt_main import xDSLOptMain

from loopweld import __version__, registry
from loopweld.chunks import Chunk, split
from loopweld.diagnostics import Diagnostic, Position, Severity
from loopweld.expectations import expectations, mismatches
from loopweld.failures import diagnose
from loopweld.instruments import Instrument, IRTree, PrintIR, Timing, XdslReports
from loopweld.listing import list_dialects, list_passes
from loopweld.opt_arguments import add_arguments
from loopweld.passes.remarks import collect
from loopweld.pipeline_text import PipelineError, parse_passes
from loopweld.remarks import remarks
from loopweld.source_parser import SourceParser


class OptMain(xDSLOptMain):
    """xDSL's driver with our dialects and passes, and with MLIR's options and diagnostics."""

    version_format = f"loopweld-opt {__version__}, xDSL {{xdsl_version}}"

    exit_status: int = 0
    """What the process should return, set by `run`."""

    def __init__(self, args: Sequence[str] | None = None) -> None:
        self.timing = Timing()
        self._sources: dict[str, str] = {}
        self._doing = "starting"
        self._passes_began = False
        self._diagnostics: list[Diagnostic] = []
        super().__init__("Runs passes over an .mlir file.", args)
        self._instruments = tuple(self._make_instruments())

    # What there is

    def register_all_dialects(self) -> None:
        for name, factory in registry.dialects().items():
            self.ctx.register_dialect(name, factory)

    def register_all_frontends(self) -> None:
        self.available_frontends["mlir"] = self._parse_mlir

    def register_all_passes(self) -> None:
        self.available_passes.update(registry.passes())

    def register_all_targets(self) -> None:
        self.available_targets.update(registry.targets())

    def register_all_arguments(self, arg_parser: argparse.ArgumentParser) -> None:
        super().register_all_arguments(arg_parser)
        add_arguments(arg_parser)

    def setup_pipeline(self) -> None:
        self.pipeline = PassPipeline(parse_passes(self.args.passes, self.available_passes))

    def get_input_name(self) -> str:
        return "<stdin>" if self.args.input_file in (None, "-") else self.args.input_file

    # The run

    def run(self) -> None:
        if self.args.show_dialects:
            sys.stdout.write(list_dialects(self.ctx.registered_dialect_names))
        if self.args.list_passes:
            sys.stdout.write(list_passes(self.available_passes))
        if self.args.show_dialects or self.args.list_passes:
            return
        text = self._read_input()
        self._sources[self.get_input_name()] = text
        outputs: list[str] = []
        for i, chunk in enumerate(split(text) if self.args.split_input_file else [Chunk(text, 1)]):
            output = ("// -----\n" if i else "") + self._run_chunk(chunk)
            outputs.append(output)
            if self.args.output_file is None:
                sys.stdout.write(output)
                sys.stdout.flush()
        if self.args.output_file is not None and self.exit_status == 0:
            Path(self.args.output_file).write_text("".join(outputs), encoding="utf-8")
        if self.args.mlir_timing:
            sys.stderr.write(self.timing.report() + "\n")
        if self.args.shrink:
            # Only a ShrinkException says that the input can shrink.
            sys.stdout.write("Failure, can't shrink\n")
            self.exit_status = 1

    def apply_passes(self, prog: ModuleOp) -> None:
        for pass_ in self.pipeline.passes:
            self._passes_began = True
            self._doing = f"running '{pass_.name}'"
            for instrument in self._instruments:
                instrument.before(pass_, prog)
            with self.timing.step(pass_.name):
                pass_.apply(self.ctx, prog)
            for instrument in self._instruments:
                instrument.after(pass_, prog)
            self._doing = f"verifying the result of '{pass_.name}'"
            self._verify(prog, fully=self.args.verify_each)

    def _run_chunk(self, chunk: Chunk) -> str:
        """The output for `chunk`, empty where it has an error. Its diagnostics are printed, or checked instead."""
        self._diagnostics = []
        try:
            output = self._process(chunk)
        except ShrinkException:
            raise
        except Exception as error:
            output = self._fail(error, chunk)
        if self.args.verify_diagnostics:
            expected = expectations(chunk.text, self.get_input_name(), chunk.first_line)
            self._diagnostics = list(mismatches(expected, self._diagnostics))
        for diagnostic in self._diagnostics:
            sys.stderr.write(diagnostic.render(self._sources) + "\n")
        sys.stderr.flush()
        if any(diagnostic.severity is Severity.ERROR for diagnostic in self._diagnostics):
            self.exit_status = 1
        return output

    def _process(self, chunk: Chunk) -> str:
        self._doing, self._passes_began = "parsing", False
        with self.timing.step("Parser"):
            module = self.available_frontends[self.args.frontend or "mlir"](BytesIO(chunk.padded))
        self._doing = "verifying the input"
        self._verify(module, fully=True)
        with ExitStack() as after_passes:
            if self.args.remarks_filter is not None:
                decisions = after_passes.enter_context(collect())
                after_passes.callback(
                    lambda: self._diagnostics.extend(remarks(decisions, self.args.remarks_filter, self._start(chunk)))
                )
            self.apply_passes(module)
        self._doing = f"writing the target '{self.args.target}'"
        with self.timing.step("Output"):
            return self.output_resulting_program(module)

    def _verify(self, module: ModuleOp, *, fully: bool) -> None:
        if self.args.disable_verify:
            return
        with self.timing.step("(V) verification"):
            (registry.verifier() if fully else ModuleOp.verify)(module)

    def _fail(self, error: Exception, chunk: Chunk) -> str:
        if self.args.debug:
            traceback.print_exception(error)
        show_operation = self._passes_began and not self.args.verify_diagnostics
        diagnostic = diagnose(error, self._doing, self._start(chunk), show_operation=show_operation)
        if isinstance(error, ParseError) and self.args.parsing_diagnostics:
            return diagnostic.render(self._sources) + "\n"
        self._diagnostics.append(diagnostic)
        return ""

    # The input

    def _read_input(self) -> str:
        if self.args.input_file in (None, "-"):
            return sys.stdin.buffer.read().decode()
        return Path(self.args.input_file).read_text(encoding="utf-8")

    def _start(self, chunk: Chunk) -> Position:
        return Position(self.get_input_name(), chunk.first_line)

    def _parse_mlir(self, stream: IO[bytes]) -> ModuleOp:
        text = stream.read().decode()
        if not re.sub("//.*", "", text).strip():
            return ModuleOp([])
        return SourceParser(self.ctx, text, self.get_input_name()).parse_module(not self.args.no_implicit_module)

    # What is shown

    def _make_instruments(self) -> Iterator[Instrument]:
        args = self.args
        folder = args.mlir_print_ir_tree_dir
        if args.mlir_print_ir_before_all or args.mlir_print_ir_after_all:
            is_after = args.mlir_print_ir_after_all and folder is None
            yield PrintIR(sys.stderr, args.mlir_print_ir_before_all, is_after, args.print_op_generic)
        if folder is not None:
            yield IRTree(folder, args.print_op_generic)
        if args.time_passes or args.print_between_passes:
            last = self.pipeline.passes[-1] if self.pipeline.passes else None
            yield XdslReports(self.timing, args.time_passes, args.print_between_passes, last)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the tool with `argv` (else the process's arguments); returns the exit status."""
    try:
        tool = OptMain(argv)
        tool.run()
        return tool.exit_status
    except ShrinkException:
        sys.stdout.write("Success, can shrink\n")
        return 0
    except BrokenPipeError:
        # The reader (`head`, say) has gone: nobody is left to tell, also not when Python closes the stream.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (Exception, ArgSpecParseError) as error:
        if "--debug" in (sys.argv if argv is None else argv):
            traceback.print_exception(error)
        sys.stderr.write(_complaint(error) + "\n")
        return 1


def _complaint(error: BaseException) -> str:
    """What stops the tool outside of any module."""
    match error:
        case PipelineError():
            return error.render()
        case ArgSpecParseError():
            return f"loopweld-opt: error: {error}"
        case UnicodeDecodeError():
            return f"loopweld-opt: error: the input is not UTF-8 text: {error}"
        case OSError():
            return f"loopweld-opt: error: cannot open '{error.filename}': {error.strerror}"
        case _:
            return f"loopweld-opt: internal error: {type(error).__name__}: {error} (--debug shows the traceback)"


if __name__ == "__main__":
    raise SystemExit(main())
