"""`loopweld-opt`: runs passes over `.mlir` files, like `mlir-opt` and `xdsl-opt`."""

if __name__ == "__main__":  # before what takes long to import, so that Ctrl-C ends it as it does `loopweld-opt`
    from loopweld.cli import opt

    raise SystemExit(opt())

import argparse
import os
import sys
import traceback
from collections.abc import Mapping, Sequence
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
from loopweld.failures import diagnose, is_internal
from loopweld.instruments import Instrument
from loopweld.listing import dialect_irdl, list_dialects, list_passes, list_pipeline
from loopweld.opt_arguments import ArgumentError, add_arguments, normalised
from loopweld.opt_reports import Reports, instruments, named_passes
from loopweld.passes.remarks import collect
from loopweld.pipeline_text import WHOLE, PipelineError, parse_passes
from loopweld.reproducer import Reproducers, without_reproducer
from loopweld.roundtrip import check_round_trip
from loopweld.source_parser import SourceParser
from loopweld.timing import VERIFYING, Timing


class OptMain(xDSLOptMain):
    """xDSL's driver with our dialects and passes, and with MLIR's options and diagnostics."""

    version_format = f"loopweld-opt {__version__}, xDSL {{xdsl_version}}"

    exit_status: int = 0
    """What the process should return, set by `run`."""

    options: Mapping[str, str]
    """What the tool's options say of themselves."""

    def __init__(self, args: Sequence[str] | None = None) -> None:
        self.timing = Timing()
        self._sources: dict[str, str] = {}
        self._doing = "starting"
        self._passes_began = False
        self._diagnostics: list[Diagnostic] = []
        self._given = list(sys.argv[1:] if args is None else args)
        super().__init__("Runs passes over an .mlir file.", self._given)
        for name in sorted(named_passes(self.args) - set(self.available_passes)):
            raise PipelineError(f"'{name}' does not refer to a registered pass", name, 0)
        if self.args.output_file == "-":
            self.args.output_file = None
        self._reports = Reports(self.args)
        self._reproducers = Reproducers(self.args)
        last = self.pipeline.passes[-1] if self.pipeline.passes else None
        self._instruments: tuple[Instrument, ...] = (
            *instruments(self.args, self.timing, last),
            *self._reports.instruments,
            self._reproducers,
        )

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
        actions = arg_parser._actions  # pyright: ignore[reportPrivateUsage]
        self.options = {name: action.help or "" for action in actions for name in action.option_strings}
        try:
            self._given[:] = normalised(self._given, self.options, (*self.available_passes, WHOLE))
        except ArgumentError as error:
            arg_parser.error(str(error))

    def setup_pipeline(self) -> None:
        self._set_pipeline(self.args.passes)

    def _set_pipeline(self, text: str) -> None:
        self.pipeline = PassPipeline(parse_passes(text, self.available_passes))

    def get_input_name(self) -> str:
        return "<stdin>" if self.args.input_file in (None, "-") else self.args.input_file

    # The run

    def run(self) -> None:
        if self.args.show_dialects:
            sys.stdout.write(list_dialects(self.ctx.registered_dialect_names))
        if self.args.list_passes:
            sys.stdout.write(list_passes(self.available_passes))
        if self.args.emit_irdl:
            sys.stdout.write(dialect_irdl(self.args.emit_irdl))
        if self.args.show_dialects or self.args.list_passes or self.args.emit_irdl:
            return
        text = self._read_input()
        self._sources[self.get_input_name()] = text
        if self.args.dump_pass_pipeline:
            sys.stderr.write(list_pipeline(self.pipeline.passes))
        outputs: list[str | bytes] = []
        marker = self.args.split_input_file
        for i, chunk in enumerate(split(text, marker) if marker else [Chunk(text, 1)]):
            if i:
                outputs.append(f"{self.args.output_split_marker}\n")
            outputs.append(self._run_chunk(chunk))
            if self.args.output_file is None:
                _print(outputs)
                outputs.clear()
        if self.args.output_file is not None and self.exit_status == 0:
            Path(self.args.output_file).write_bytes(b"".join(o.encode() if isinstance(o, str) else o for o in outputs))
        self._reports.finish(self.timing)
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
            try:
                with self.timing.step(pass_.name):
                    pass_.apply(self.ctx, prog)
                for instrument in self._instruments:
                    instrument.after(pass_, prog)
                self._doing = f"verifying the result of '{pass_.name}'"
                self._verify(prog, fully=self.args.verify_each)
            except ShrinkException:
                raise
            except Exception:
                for instrument in self._instruments:
                    instrument.failed(pass_, prog)
                raise

    def _run_chunk(self, chunk: Chunk) -> str | bytes:
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
            strict = self.args.verify_diagnostics == "all"
            self._diagnostics = list(mismatches(expected, self._diagnostics, unexpected=strict))
        for diagnostic in self._diagnostics:
            sys.stderr.write(diagnostic.render(self._sources) + "\n")
        sys.stderr.flush()
        if any(diagnostic.severity is Severity.ERROR for diagnostic in self._diagnostics):
            self.exit_status = 1
        return output

    def _process(self, chunk: Chunk) -> str | bytes:
        self._doing, self._passes_began = "parsing", False
        with self.timing.step("Parser"):
            module = self.available_frontends[self.args.frontend or "mlir"](BytesIO(chunk.padded))
        self._doing = "verifying the input"
        self._verify(module, fully=True)
        if self.args.verify_roundtrip:
            self._doing = "printing and reading the input"
            check_round_trip(module, self.ctx)
        self._reproducers.begin(chunk.text, self.pipeline.passes)
        with collect() as decisions:
            self._reports.begin(decisions, Position(self.get_input_name(), chunk.first_line))
            try:
                self.apply_passes(module)
            finally:
                self._diagnostics += self._reports.remarks()
        self._doing = f"writing the target '{self.args.target}'"
        self._reports.draw(module)
        with self.timing.step("Output"):
            if self.args.target == registry.BINARY_TARGET:
                return registry.object_code(module)
            return self.output_resulting_program(module)

    def _verify(self, module: ModuleOp, *, fully: bool) -> None:
        if self.args.disable_verify:
            return
        with self.timing.step(VERIFYING):
            (registry.verifier() if fully else ModuleOp.verify)(module)

    def _fail(self, error: Exception, chunk: Chunk) -> str:
        if self.args.debug:
            traceback.print_exception(error)
        explain = not self.args.verify_diagnostics
        start = Position(self.get_input_name(), chunk.first_line)
        diagnostic = diagnose(error, self._doing, start, show_operation=self._passes_began, explain=explain)
        if isinstance(error, ParseError) and self.args.parsing_diagnostics:
            return diagnostic.render(self._sources) + "\n"
        if explain and self._passes_began:
            diagnostic = self._reproducers.attach(diagnostic, is_internal=is_internal(error))
        self._diagnostics.append(diagnostic)
        return ""

    # The input

    def _read_input(self) -> str:
        """The input's text; of a reproducer, where it is to be run, without the pipeline, which is taken over."""
        if self.args.input_file in (None, "-"):
            text = sys.stdin.buffer.read().decode()
        else:
            text = Path(self.args.input_file).read_text(encoding="utf-8")
        text, pipeline = without_reproducer(text)
        if self.args.run_reproducer and pipeline is not None:
            self._set_pipeline(pipeline)
        return text

    def _parse_mlir(self, stream: IO[bytes]) -> ModuleOp:
        text = stream.read().decode()
        return SourceParser(self.ctx, text, self.get_input_name()).parse_module(not self.args.no_implicit_module)


def _print(outputs: Sequence[str | bytes]) -> None:
    for output in outputs:
        if isinstance(output, str):
            sys.stdout.write(output)
        else:
            sys.stdout.buffer.write(output)
    sys.stdout.flush()


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the tool with `argv` (else the process's arguments); returns the exit status."""
    try:
        tool = OptMain(argv)
        tool.run()
        return tool.exit_status
    except ShrinkException:
        sys.stdout.write("Success, can shrink\n")
        return 0
    except KeyboardInterrupt:
        return 130
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
