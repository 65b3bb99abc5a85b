"""`--run-reproducer` and what writes reproducers, see `compiler/reproducer.py` for what is in them."""

import argparse
import json
import re
from dataclasses import replace
from pathlib import Path

from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass

from loopweld.compiler.reproducer import how_to_run, new_path, reproducer
from loopweld.diagnostics import Diagnostic, Severity
from loopweld.instruments import Instrument, module_text

_ENTRIES = r'\{(?:"(?:[^"\\]|\\.)*"|[^{}"])*\}'
_RESOURCE = re.compile(rf",?\s*external_resources:\s*\{{\s*mlir_reproducer:\s*({_ENTRIES})\s*\}}\s*,?")
_PIPELINE = re.compile(r'pipeline:\s*("(?:[^"\\]|\\.)*")')


def without_reproducer(text: str) -> tuple[str, str | None]:
    """A file's text without the resource (lines keep their numbers), and the pipeline in it, if there is one."""
    found = _RESOURCE.search(text)
    if found is None:
        return text, None
    pipeline = _PIPELINE.search(found[1])
    rest = text[: found.start()] + "\n" * found[0].count("\n") + text[found.end() :]
    return re.sub(r"\{-#(\s*)#-\}", r"\1", rest), None if pipeline is None else str(json.loads(pipeline[1]))


class Reproducers(Instrument):
    """Writes reproducers: one of every module where that is asked for, one of each failure of a pass."""

    def __init__(self, args: argparse.Namespace) -> None:
        self._always: Path | None = args.mlir_generate_reproducer
        self._crash: Path | None = args.mlir_pass_pipeline_crash_reproducer
        self._local: bool = args.mlir_pass_pipeline_local_reproducer
        self._verify_each: bool = args.verify_each
        self._text = ""
        self._passes: tuple[ModulePass, ...] = ()

    def begin(self, text: str, passes: tuple[ModulePass, ...]) -> None:
        """The passes are about to run on the module of `text`."""
        self._text, self._passes = text.rstrip("\n"), passes
        if self._always is not None:
            self._write(self._always)

    def before(self, pass_: ModulePass, module: ModuleOp) -> None:
        if self._local:
            self._text, self._passes = module_text(module), (pass_,)

    def attach(self, diagnostic: Diagnostic, *, is_internal: bool) -> Diagnostic:
        """The diagnostic of a failed pass, with a note that says how to see it again."""
        path = self._crash
        if path is None:
            if not is_internal:
                return diagnostic
            path = new_path()
        self._write(path)
        message = f"reproducer generated at `{path}`; {how_to_run(path)}"
        note = Diagnostic(Severity.NOTE, message, diagnostic.position)
        return replace(diagnostic, notes=(*diagnostic.notes, note))

    def _write(self, path: Path) -> None:
        path.write_text(reproducer(self._text, self._passes, verify_each=self._verify_each), encoding="utf-8")
