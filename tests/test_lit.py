"""Runs the RUN lines of `lit_tests/` in this process: no subprocess, no second import, milliseconds a file.

It knows what those lines use: `loopweld-opt`, `filecheck`, `not`, pipes, `&&`, `2>&1`, `< file`, `> file`, `%s`, `%S`,
`%t` and `%%`. As with lit, every command of a pipe must succeed.
"""

import io
import re
import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pytest
from filecheck.matcher import Matcher
from filecheck.options import parse_argv_options
from xdsl.ir import Attribute
from xdsl.utils.diagnostic import Diagnostic

from loopweld import opt

ROOT = Path(__file__).parents[1] / "lit_tests"
FILES = sorted(ROOT.rglob("*.mlir"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_lit_file(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LOOPWELD_CACHE_DIR", "off")
    # What `--disable-verify` and `--syntax-highlight` change is the process's; it is undone after the file.
    monkeypatch.setattr(Attribute, "__post_init__", Attribute.__post_init__)
    monkeypatch.setattr(Diagnostic, "colored", Diagnostic.colored)
    lines = run_lines(path.read_text(encoding="utf-8"))
    assert lines, f"{path} has no RUN line"
    for line in lines:
        run(substitute(line, path, tmp_path))


def run_lines(text: str) -> list[str]:
    """The commands of the RUN lines; one that ends in a backslash goes on in the next."""
    joined = "\n".join(re.findall(r"RUN: *(.*?) *$", text, re.MULTILINE))
    return re.sub(r"\\\n", " ", joined).splitlines()


def substitute(line: str, path: Path, tmp_path: Path) -> str:
    values = {"s": str(path), "S": str(path.parent), "t": str(tmp_path / f"{path.name}.tmp"), "%": "%"}
    return re.sub(r"%([sSt%])", lambda match: values[match[1]], line)


def run(line: str) -> None:
    """Runs `a | b && c`; fails the test at the first command that fails."""
    for pipe in split(tokens(line), "&&"):
        piped = ""
        for words in split(pipe, "|"):
            command = Command.of(words)
            status, piped, errors = command.run(piped)
            if status != 0:
                pytest.fail(f"status {status} of `{shlex.join(words)}` in\n  {line}\n{errors}", pytrace=False)


def tokens(line: str) -> list[str]:
    lexer = shlex.shlex(line.replace("2>&1", " 2-to-1 "), posix=True, punctuation_chars="|&<>")
    lexer.whitespace_split = True
    lexer.commenters = ""
    return list(lexer)


def split(words: Sequence[str], separator: str) -> Iterator[list[str]]:
    part: list[str] = []
    for word in words:
        if word == separator:
            yield part
            part = []
        else:
            part.append(word)
    yield part


@dataclass(frozen=True)
class Command:
    """One program with its arguments and redirections."""

    words: Sequence[str]
    negated: bool
    merged: bool
    """Whether the standard error goes where the standard output goes."""
    source: Path | None
    """Where the standard input comes from, if not from the command before."""
    sink: Path | None
    """Where the standard output goes, if not to the next command."""

    @staticmethod
    def of(words: list[str]) -> "Command":
        merged = "2-to-1" in words
        words = [word for word in words if word != "2-to-1"]
        source, sink = redirection(words, "<"), redirection(words, ">")
        negated = words[0] == "not"
        return Command(words[negated:], negated, merged, source, sink)

    def run(self, piped: str) -> tuple[int, str, str]:
        """The status, what was written for the next command, and what was written to the standard error."""
        out = io.StringIO()
        err = out if self.merged else io.StringIO()
        given = piped.encode() if self.source is None else self.source.read_bytes()
        outer, sys.stdin = sys.stdin, io.TextIOWrapper(io.BytesIO(given), encoding="utf-8")
        try:
            with redirect_stdout(out), redirect_stderr(err):
                status = PROGRAMS[self.words[0]](self.words[1:])
        finally:
            sys.stdin = outer
        if self.negated:
            status = int(status == 0)
        if self.sink is None:
            return status, out.getvalue(), err.getvalue()
        self.sink.write_text(out.getvalue(), encoding="utf-8")
        return status, "", err.getvalue()


def redirection(words: list[str], sign: str) -> Path | None:
    """The file after `sign`; both are taken out of `words`."""
    if sign not in words:
        return None
    at = words.index(sign)
    _, file = words[at : at + 2]
    del words[at : at + 2]
    return Path(file)


def loopweld_opt(arguments: Sequence[str]) -> int:
    try:
        return opt.main(arguments)
    except SystemExit as exit:
        return int(exit.code or 0)


def filecheck(arguments: Sequence[str]) -> int:
    return Matcher.from_opts(parse_argv_options(["filecheck", *arguments])).run()


PROGRAMS = {"loopweld-opt": loopweld_opt, "filecheck": filecheck}


def test_run_lines_join_and_substitute(tmp_path: Path):
    text = "// RUN: loopweld-opt %s \\\n// RUN:   -p 'a,b' > %t\n// RUN: not x %%\n"
    assert run_lines(text) == ["loopweld-opt %s  -p 'a,b' > %t", "not x %%"]
    line = substitute(run_lines(text)[0], Path("/x/f.mlir"), tmp_path)
    assert tokens(line) == ["loopweld-opt", "/x/f.mlir", "-p", "a,b", ">", str(tmp_path / "f.mlir.tmp")]


def test_a_check_that_does_not_hold_fails(tmp_path: Path):
    path = tmp_path / "f.mlir"
    path.write_text("// CHECK: not there\nfunc.func private @f()\n")
    with pytest.raises(pytest.fail.Exception, match="status 1 of `filecheck"):
        run(f"loopweld-opt {path} | filecheck {path}")


def test_a_failing_command_before_a_pipe_fails(tmp_path: Path):
    path = tmp_path / "f.mlir"
    path.write_text("// CHECK: error\nx\n")
    with pytest.raises(pytest.fail.Exception, match="status 1 of `loopweld-opt"):
        run(f"loopweld-opt {path} 2>&1 | filecheck {path}")
    run(f"not loopweld-opt {path} 2>&1 | filecheck {path}")
