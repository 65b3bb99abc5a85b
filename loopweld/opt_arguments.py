"""The options that `loopweld-opt` adds to xDSL's: those that users of `mlir-opt` look for."""

import argparse
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from difflib import get_close_matches
from pathlib import Path

OPTIONAL_VALUES = {
    "--verify-diagnostics": "all",
    "--split-input-file": "// -----",
    "--view-graph": "-",
}
"""Options that may stand alone or with `=value`, and what they mean alone."""


ALIASES = {"--mlir-print-op-generic": "--print-op-generic", "--mlir-print-debuginfo": "--print-debuginfo"}
"""Options of mlir-opt that xDSL has under another name."""

ALWAYS = ("--mlir-disable-threading", "--mlir-print-ir-module-scope")
"""Options of mlir-opt for what is always so here."""


class ArgumentError(Exception):
    """The arguments are wrong."""


def normalised(argv: Sequence[str], options: Collection[str], passes: Collection[str]) -> Iterator[str]:
    """The arguments in the form that the parser knows: options with one dash get two, those of `OPTIONAL_VALUES` their
    value, and passes that are given as options (`--cse --fuse-producers="max-streams=8"`) become the pipeline.

    Raises ArgumentError for what is neither an option nor a pass.
    """
    pipeline: list[str] = []
    for argument in argv:
        name, equals, value = argument.partition("=")
        if name.startswith("-") and (f"-{name}" in options or name[1:] in passes):
            name = f"-{name}"
        name = ALIASES.get(name, name)
        if name[2:] in passes and name.startswith("--"):
            pipeline.append(name[2:] + (f"{{{value}}}" if value else ""))
        elif name in ALWAYS:
            continue
        elif name in OPTIONAL_VALUES and not equals:
            yield f"{name}={OPTIONAL_VALUES[name]}"
        elif name.startswith("--") and name != "--" and not any(option.startswith(name) for option in options):
            raise ArgumentError(_unknown(name, [*options, *(f"--{each}" for each in passes)]))
        else:
            yield f"{name}{equals}{value}"
    if pipeline and any(
        argument.partition("=")[0].lstrip("-") in ("p", "passes", "pass-pipeline") for argument in argv
    ):
        raise ArgumentError("passes are given as options and as a pipeline; give them in one way")
    if pipeline:
        yield f"--pass-pipeline={','.join(pipeline)}"


def _unknown(name: str, known: Collection[str]) -> str:
    close = get_close_matches(name, known, n=1)
    hint = f"; did you mean '{close[0]}'?" if close else ""
    return f"unknown argument '{name}'{hint} (--help lists the options, --list-passes the passes)"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options; some replace xDSL's of the same name, which mean less."""
    parser.prog, parser.usage = "loopweld-opt", "loopweld-opt [options] [FILE]"
    groups = {
        "pipeline and input": _add_pipeline,
        "checks": _add_checks,
        "printing the IR": _add_printing,
        "reports": _add_reports,
        "reproducers": _add_reproducers,
    }
    for title, add in groups.items():
        add(parser.add_argument_group(title, conflict_handler="resolve").add_argument)


def _add_pipeline(add: Callable[..., object]) -> None:
    add(
        "-p",
        "--passes",
        default="",
        help="the passes to run, 'a,b{x=1}'; loopweld-pipeline is all that compile a program. Passes may be options,"
        " too: --cse --fuse-producers=max-streams=8",
    )
    add(
        "--pass-pipeline",
        dest="passes",
        metavar="PIPELINE",
        help="the passes as mlir-opt takes them: 'builtin.module(a,b{x=1})'",
    )
    add("--dump-pass-pipeline", action="store_true", help="print the pipeline that will run to the standard error")
    add("--list-passes", action="store_true", help="list the passes with their options, and stop")
    add("--show-dialects", action="store_true", help="list the dialects, and stop")
    add("--emit-irdl", choices=("weld", "loop"), help="print the dialect in IRDL, for `mlir-opt --irdl-file`, and stop")
    add(
        "--split-input-file",
        metavar="[=MARKER]",
        help="process the parts of the file between lines that begin with MARKER (default: '// -----')",
    )
    add("--output-split-marker", default="// -----", metavar="MARKER", help="what to print between the parts")


def _add_checks(add: Callable[..., object]) -> None:
    add("--verify-each", action="store_true", help="after each pass check dominance and what its stage promises, too")
    add("--verify-roundtrip", action="store_true", help="check that the input, printed and read again, is the same")
    add(
        "--verify-diagnostics",
        choices=("all", "only-expected"),
        metavar="[=all|only-expected]",
        help="check the diagnostics against the `// expected-error {{...}}` comments",
    )
    add("--parsing-diagnostics", action="store_true", help="print parse errors to the standard output and go on")
    add("--debug", action="store_true", help="print the Python traceback of an error as well")


def _add_printing(add: Callable[..., object]) -> None:
    named = {"action": "append", "default": [], "metavar": "PASS[,PASS]"}
    add("--mlir-print-ir-before", **named, help="print the IR to the standard error before these passes")
    add("--mlir-print-ir-after", **named, help="print the IR to the standard error after these passes")
    add("--mlir-print-ir-before-all", action="store_true", help="print the IR to the standard error before each pass")
    add("--mlir-print-ir-after-all", action="store_true", help="print the IR to the standard error after each pass")
    add("--mlir-print-ir-after-change", action="store_true", help="print the IR after a pass only if it changed")
    add("--mlir-print-ir-after-failure", action="store_true", help="print the IR after the pass that fails")
    add(
        "--mlir-print-ir-tree-dir",
        type=Path,
        metavar="DIR",
        help="write the IR to DIR/builtin_module_NAME/0_first-pass.mlir, 1_second-pass.mlir, ... instead",
    )
    add(
        "--view-graph",
        metavar="[=FILE]",
        help="draw the result: FILE.svg as a picture, other files in Graphviz's language (default: the standard error)",
    )


def _add_reports(add: Callable[..., object]) -> None:
    add("--mlir-timing", action="store_true", help="print how long each step took to the standard error")
    add("--mlir-timing-display", choices=("list", "tree"), default="tree", help="by time, or in the order of the steps")
    add("--mlir-output-format", choices=("text", "json"), default="text", help="how times are printed")
    add("--mlir-pass-statistics", action="store_true", help="print what each pass did to the standard error")
    add(
        "--mlir-pass-statistics-display",
        choices=("list", "pipeline"),
        default="pipeline",
        help="by name, or in the order of the pipeline",
    )
    what = {"": "decisions and kernels", "-passed": "fusions", "-missed": "refusals to fuse", "-analyse": "kernels"}
    what |= {"-failed": "failures, of which there are none"}
    for kind, found in what.items():
        add(
            f"--remarks-filter{kind}",
            type=_regex,
            metavar="REGEX",
            help=f"print remarks: the {found} in whose text the expression is found ('.' for all)",
        )
    add("--remark-format", choices=("emitRemark", "yaml"), default="emitRemark", help="as remarks, or in a YAML file")
    add("--remark-policy", choices=("all", "final"), default="all", help="final: of remarks on one pair only the last")
    add("--remarks-output-file", type=Path, default=Path("mlir-remarks.yaml"), metavar="FILE", help="that file")


def _add_reproducers(add: Callable[..., object]) -> None:
    add(
        "--mlir-generate-reproducer",
        type=Path,
        metavar="FILE",
        help="write the input with its pipeline to FILE, for --run-reproducer",
    )
    add(
        "--mlir-pass-pipeline-crash-reproducer",
        type=Path,
        metavar="FILE",
        help="the same, if a pass fails (an internal error writes one in any case)",
    )
    add(
        "--mlir-pass-pipeline-local-reproducer",
        action="store_true",
        help="the module before the pass that fails, with that pass alone",
    )
    add("--run-reproducer", action="store_true", help="run the pipeline that the input file holds")


def _regex(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise argparse.ArgumentTypeError(f"'{text}' is not a regular expression: {error}") from error
    return text
