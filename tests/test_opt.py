"""`loopweld-opt`: what lit does not reach. The rest is in `lit_tests/tools/`."""

import io
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest
from xdsl.context import Context
from xdsl.dialects.builtin import (
    CallSiteLoc,
    FileLineColLoc,
    FusedLoc,
    IntAttr,
    ModuleOp,
    NameLoc,
    NoneAttr,
    StringAttr,
    UnknownLoc,
)
from xdsl.ir import Attribute
from xdsl.passes import ModulePass
from xdsl.utils.exceptions import PassFailedException, VerifyException

from loopweld import opt, registry, roundtrip
from loopweld.diagnostics import Diagnostic, Position, Severity
from loopweld.passes.remarks import Reason, note
from loopweld.pipeline_text import PipelineError, parse_passes

TEXT = """func.func @f(%a: i32) -> i32 {
  %zero = arith.constant 0 : i32
  func.return %zero : i32
}
"""


@dataclass(frozen=True)
class Options(ModulePass):
    """Takes options.

    And does nothing.
    """

    name = "options"

    tile_sizes: tuple[int, ...] = (1,)
    mode: str = "none"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        pass


class Fails(ModulePass):
    name = "fails"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        raise PassFailedException("there is no reason")


class Rejects(ModulePass):
    name = "rejects"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        function = next(iter(op.ops))
        error = VerifyException("not this one")
        function.emit_error(str(error), error)


class Crashes(ModulePass):
    name = "crashes"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        raise KeyError("a bug")


class Decides(ModulePass):
    name = "decides"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        _, constant, end = (inner for inner in op.walk() if inner is not op)
        note(constant, end, True, Reason.SHARED_DOMAIN, "4*n")
        note(end, constant, False, Reason.LIBRARY_CALL, "8")


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A file that verifies, while the passes of this module are registered."""
    known = {name: lambda pass_=pass_: pass_ for name, pass_ in PASSES.items()}
    monkeypatch.setattr(registry, "passes", lambda: known)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))  # where reproducers go
    path = tmp_path / "f.mlir"
    path.write_text(TEXT)
    return str(path)


PASSES: dict[str, type[ModulePass]] = {pass_.name: pass_ for pass_ in (Options, Fails, Rejects, Crashes, Decides)}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("  ", []),
        ("fails", ["fails"]),
        (" fails , rejects ", ["fails", "rejects"]),
        ("builtin.module()", []),
        ("builtin.module(fails,func.func(rejects,any(fails)),rejects)", ["fails", "rejects", "fails", "rejects"]),
        ("options{tile-sizes=1,2 mode=fast}", ['options{tile_sizes=1,2 mode="fast"}']),
        ('options{mode="a,b)("},fails', ['options{mode="a,b)("}', "fails"]),
    ],
)
def test_pipelines(text: str, expected: list[str]):
    passes = parse_passes(text, {name: lambda pass_=pass_: pass_ for name, pass_ in PASSES.items()})
    assert [str(pass_) for pass_ in passes] == expected


@pytest.mark.parametrize(
    ("text", "offset", "message"),
    [
        ("fails,,rejects", 6, "expected a pass name"),
        ("fails,", 6, "expected a pass name"),
        ("any(fails", 3, "'(' is never closed"),
        ("fails)", 5, "unbalanced ')'"),
        ("fails{a=(}", 9, "unbalanced '}'"),
        ("fails,option", 6, "'option' does not refer to a registered pass; did you mean 'options'?"),
        ("fails,unlike", 6, "'unlike' does not refer to a registered pass"),
        ("gpu.module(fails)", 0, "cannot nest a pipeline in 'gpu.module', only in builtin.module, func.func, any"),
        ("fails,options{tile-sizes=x}", 6, "'options': Incompatible types: given ('x',), expected tuple[int, ...]"),
        ("fails,options{mode=}", 19, "Unknown argument value, wrap argument in quotes to pass arbitrary string values"),
    ],
)
def test_wrong_pipelines(text: str, offset: int, message: str):
    with pytest.raises(PipelineError) as caught:
        parse_passes(text, {name: lambda pass_=pass_: pass_ for name, pass_ in PASSES.items()})
    assert (caught.value.offset, caught.value.message) == (offset, message)
    assert caught.value.render().splitlines()[1:] == [text, " " * offset + "^"]


def test_a_pass_that_fails(file: str, capsys: pytest.CaptureFixture[str]):
    assert opt.main([file, "-p", "fails"]) == 1
    assert capsys.readouterr().err == (
        f"{file}:1:1: error: there is no reason (while running 'fails')\nfunc.func @f(%a: i32) -> i32 {{\n^\n"
    )


def test_a_pass_that_rejects_an_operation(file: str, capsys: pytest.CaptureFixture[str]):
    assert opt.main([file, "-p", "rejects"]) == 1
    head, line, caret, note, *_ = capsys.readouterr().err.splitlines()
    assert head == f"{file}:1:1: error: 'func.func' op not this one"
    assert (line, caret) == ("func.func @f(%a: i32) -> i32 {", "^")
    assert note.startswith(f'{file}:1:1: note: see current operation: "func.func"()')


def test_a_crash_shows_a_traceback_only_with_debug(file: str, capsys: pytest.CaptureFixture[str]):
    assert opt.main([file, "-p", "crashes"]) == 1
    quiet = capsys.readouterr().err
    assert "internal error while running 'crashes': KeyError: 'a bug' (--debug shows the traceback)" in quiet
    assert "Traceback" not in quiet
    assert opt.main([file, "-p", "crashes", "--debug"]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_list_passes_shows_the_first_paragraph_and_the_options(file: str, capsys: pytest.CaptureFixture[str]):
    assert opt.main(["--list-passes"]) == 0
    listed = capsys.readouterr().out
    assert "options: Takes options.\n    tile-sizes (default (1,))\n    mode (default none)\n" in listed
    assert "\nfails\n" in listed


def test_output_file_is_written_only_on_success(file: str, tmp_path: Path):
    output = tmp_path / "out.mlir"
    output.write_text("kept")
    assert opt.main([file, "-p", "fails", "-o", str(output)]) == 1
    assert output.read_text() == "kept"
    assert opt.main([file, "-o", str(output)]) == 0
    assert output.read_text().startswith("builtin.module {\n  func.func @f")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["no-such-file.mlir"], "loopweld-opt: error: cannot open 'no-such-file.mlir': No such file or directory\n"),
        (["-t", "mlir{"], "loopweld-opt: error: Error parsing pass pipeline specification"),
    ],
)
def test_what_stops_the_tool_before_it_starts(
    arguments: list[str], message: str, file: str, capsys: pytest.CaptureFixture[str]
):
    assert opt.main(arguments) == 1
    assert capsys.readouterr().err.startswith(message)


def test_a_pass_that_cannot_be_loaded(file: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    def load() -> type[ModulePass]:
        raise ImportError("no such thing")

    monkeypatch.setattr(registry, "passes", lambda: {"broken": load})
    assert opt.main([file, "-p", "broken"]) == 1
    message = "loopweld-opt: internal error: ImportError: no such thing (--debug shows the traceback)\n"
    assert capsys.readouterr().err == message


def test_an_input_that_is_not_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    path = tmp_path / "binary.mlir"
    path.write_bytes(b"\xff\xfe")
    assert opt.main([str(path)]) == 1
    assert capsys.readouterr().err.startswith("loopweld-opt: error: the input is not UTF-8 text")


def test_standard_input_has_a_name_and_lines(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"\nfunc.func\n")))
    assert opt.main([]) == 1
    assert capsys.readouterr().err.startswith("<stdin>:2:10: error: ")


def test_an_operation_whose_parser_fails_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    path = tmp_path / "f.mlir"
    path.write_text("func.func @f() {\n  linalg.fill\n  func.return\n}\n")
    assert opt.main([str(path)]) == 1
    assert capsys.readouterr().err.startswith(f"{path}:2:3: error: 'linalg.fill' op cannot be parsed (IndexError: ")


@pytest.mark.parametrize("text", ["", "// only a comment\n"])
def test_an_empty_input_is_an_empty_module(text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    path = tmp_path / "empty.mlir"
    path.write_text(text)
    assert opt.main([str(path)]) == 0
    assert capsys.readouterr().out == "builtin.module {\n}\n\n"


def test_locations_of_the_source_are_kept_and_given(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    path = tmp_path / "f.mlir"
    path.write_text('func.func private @f() loc("f.py":3:5)\nfunc.func private @g()\n')
    assert opt.main([str(path), "--print-debuginfo"]) == 0
    printed = capsys.readouterr().out
    assert 'loc("f.py":3:5)' in printed
    assert f'loc("{path}":2:1)' in printed


@pytest.mark.parametrize(
    ("arguments", "times"),
    [
        ([], 1),  # the input, always
        (["-p", "options,options"], 1),
        (["-p", "options,options", "--verify-each"], 3),
        (["-p", "options,options", "--verify-each", "--disable-verify"], 0),
    ],
)
def test_the_full_verifier_runs(arguments: list[str], times: int, file: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Attribute, "__post_init__", Attribute.__post_init__)
    seen: list[ModuleOp] = []
    provide(monkeypatch, "loopweld.passes.verify", verify_module=seen.append)
    assert opt.main([file, *arguments]) == 0
    assert len(seen) == times


def test_a_module_that_fails_to_import_is_not_taken_for_absent(monkeypatch: pytest.MonkeyPatch):
    def fails(name: str) -> ModuleType:
        raise ModuleNotFoundError("No module named 'scipi'", name="scipi")

    monkeypatch.setattr(registry, "import_module", fails)
    with pytest.raises(ModuleNotFoundError, match="scipi"):
        registry.verifier()


def test_remarks(file: str, capsys: pytest.CaptureFixture[str]):
    """Decisions that passes note down come out as remarks, those that the filter finds."""
    assert opt.main([file, "-p", "decides", "--remarks-filter=Passed"]) == 0
    assert capsys.readouterr().err == (
        f"{file}:3:3: remark: [Passed] fuse: arith.constant -> func.return | Category:fusion | BytesSaved=4*n,"
        " Reason=shared-domain\n"
        "  func.return %zero : i32\n  ^\n"
    )
    assert opt.main([file, "-p", "decides", "--remarks-filter=."]) == 0
    missed = "f.mlir:2:11: remark: [Missed] fuse: func.return -> arith.constant | Category:fusion | BytesAtStake=8"
    assert missed in capsys.readouterr().err


def test_of_remarks_on_one_pair_the_last_is_final(file: str, capsys: pytest.CaptureFixture[str]):
    assert opt.main([file, "-p", "decides,decides", "--remarks-filter=fusion"]) == 0
    assert capsys.readouterr().err.count("[Passed]") == 2
    assert opt.main([file, "-p", "decides,decides", "--remarks-filter=fusion", "--remark-policy=final"]) == 0
    assert capsys.readouterr().err.count("[Passed]") == 1


def test_remarks_can_be_expected(file: str, capsys: pytest.CaptureFixture[str]):
    Path(file).write_text(TEXT + "// expected-remark@-2 {{Reason=shared-domain}}\n")
    assert opt.main([file, "-p", "decides", "--remarks-filter=Passed", "--verify-diagnostics"]) == 0
    assert opt.main([file, "-p", "decides", "--remarks-filter=.", "--verify-diagnostics"]) == 1
    assert "error: unexpected remark: [Missed] fuse: func.return -> arith.constant" in capsys.readouterr().err


def provide(monkeypatch: pytest.MonkeyPatch, name: str, **members: Callable[..., object]) -> None:
    """A module `name` with `members` for the length of a test."""
    module = ModuleType(name)
    vars(module).update(members)
    monkeypatch.setitem(sys.modules, name, module)


def test_the_position_of_a_location():
    at = FileLineColLoc(StringAttr("f.py"), IntAttr(3), IntAttr(5))
    expected = Position("f.py", 3, 5)
    assert Position.of_location(at) == expected
    assert Position.of_location(NameLoc(StringAttr("x"), at)) == expected
    assert Position.of_location(CallSiteLoc(at, UnknownLoc())) == expected
    assert Position.of_location(FusedLoc((UnknownLoc(), at), NoneAttr())) == expected
    assert Position.of_location(UnknownLoc()) is None


def test_a_tab_keeps_the_caret_in_place():
    diagnostic = Diagnostic(Severity.WARNING, "here", Position("f", 1, 4))
    assert diagnostic.render({"f": "\ta b"}) == "f:1:4: warning: here\n\ta b\n\t  ^"


def test_a_position_outside_the_text_prints_no_line():
    assert Diagnostic(Severity.NOTE, "here", Position("f", 9, 1)).render({"f": "x"}) == "f:9:1: note: here"


def test_an_internal_error_leaves_a_reproducer(file: str, capsys: pytest.CaptureFixture[str]):
    assert opt.main([file, "-p", "crashes"]) == 1
    path = capsys.readouterr().err.split("--run-reproducer ")[1].split()[0]
    text = Path(path).read_text()
    assert text.startswith(TEXT)
    assert 'pipeline: "builtin.module(crashes)"' in text
    assert opt.main([path, "--run-reproducer"]) == 1
    assert "internal error while running 'crashes'" in capsys.readouterr().err
    Path(path).unlink()


def test_only_expected_diagnostics_are_checked(file: str, capsys: pytest.CaptureFixture[str]):
    assert opt.main([file, "-p", "fails", "--verify-diagnostics"]) == 1
    assert opt.main([file, "-p", "fails", "--verify-diagnostics=only-expected"]) == 0
    Path(file).write_text(f"// expected-error@below {{{{there is a reason}}}}\n{TEXT}")
    assert opt.main([file, "-p", "fails", "--verify-diagnostics=only-expected"]) == 1
    assert 'expected error "there is a reason" was not produced' in capsys.readouterr().err


def test_an_option_with_an_optional_value_leaves_the_file_alone(file: str, capsys: pytest.CaptureFixture[str]):
    Path(file).write_text(f"{TEXT}// ----- one\n{TEXT}")
    assert opt.main(["--split-input-file", file, "--output-split-marker=// next"]) == 0
    printed = capsys.readouterr().out
    assert (printed.count("func.func @f"), printed.count("\n// next\n")) == (2, 1)
    Path(file).write_text(f"{TEXT}// ====\n{TEXT}")
    assert opt.main(["--split-input-file=// ====", file]) == 0
    assert capsys.readouterr().out.count("func.func @f") == 2


def test_operands_are_named_where_they_are_defined(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    path = tmp_path / "f.mlir"
    path.write_text(
        "func.func @f(%a: tensor<4xf32>) {\n"
        "  %0 = weld.exp %a : tensor<4xf32>\n"
        '  %1 = "weld.add"(%0, %a) : (tensor<4xf32>, tensor<4xf32>) -> tensor<5xf32>\n'
        "  func.return\n}\n"
    )
    assert opt.main([str(path)]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert lines[3:6] == [
        f"{path}:2:8: note: operand #0 defined here: tensor<4xf32>",
        "  %0 = weld.exp %a : tensor<4xf32>",
        "       ^",
    ]
    assert lines[6] == f"{path}:1:1: note: operand #1 defined here: tensor<4xf32>"


def test_object_code(tmp_path: Path):
    path, output = tmp_path / "f.mlir", tmp_path / "f.o"
    path.write_text(
        "func.func @main(%x: tensor<?xf32>) -> tensor<?xf32> {\n"
        "  %0 = math.exp %x : tensor<?xf32>\n  func.return %0 : tensor<?xf32>\n}\n"
    )
    assert opt.main([str(path), "-p", "loopweld-pipeline", "--target=obj", "-o", str(output)]) == 0
    assert output.read_bytes()[1:4] == b"ELF"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("loopweld-pipeline{size=4}", "'loopweld-pipeline' has the options target, numerics, entry, found 'size'"),
        ("loopweld-pipeline{target=gpu}", "'loopweld-pipeline': "),
    ],
)
def test_wrong_options_of_the_whole_pipeline(text: str, message: str):
    with pytest.raises(PipelineError) as caught:
        parse_passes(text, registry.passes())
    assert caught.value.message.startswith(message)


def test_a_module_that_does_not_read_back(
    file: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    def forgets(module: ModuleOp, *, generic: bool = False) -> str:
        return TEXT.replace("0 : i32", "1 : i32")

    monkeypatch.setattr(roundtrip, "module_text", forgets)
    assert opt.main([file, "--verify-roundtrip"]) == 1
    assert "error: the custom syntax reads back as another module:" in capsys.readouterr().err

    monkeypatch.setattr(roundtrip, "module_text", lambda module, generic=False: "func.func")
    assert opt.main([file, "--verify-roundtrip"]) == 1
    assert "error: the custom syntax does not read back: " in capsys.readouterr().err


def test_ctrl_c(file: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    def interrupted(self: opt.OptMain) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(opt.OptMain, "run", interrupted)
    assert opt.main([file]) == 130
    assert capsys.readouterr().err == ""


def test_a_very_long_line_is_cut_around_the_caret():
    line = "x" * 1000 + "y" + "x" * 1000
    _, shown, caret = Diagnostic(Severity.ERROR, "here", Position("f", 1, 1001)).render({"f": line}).splitlines()
    assert len(shown) < 300
    assert shown[caret.index("^")] == "y"
    assert shown.startswith("...x") and shown.endswith("x...")


@pytest.mark.parametrize("name", ["weld", "loop"])
def test_irdl_names_every_operation(name: str, capsys: pytest.CaptureFixture[str]):
    assert opt.main([f"--emit-irdl={name}"]) == 0
    printed = capsys.readouterr().out
    dialect = registry.dialects()[name]()
    for op in dialect.operations:
        assert f"irdl.operation @{op.name.partition('.')[2]} {{" in printed
    for attribute in dialect.attributes:
        assert f"@{attribute.name.partition('.')[2]} {{" in printed


def test_passes_to_print_after_must_exist(file: str, capsys: pytest.CaptureFixture[str]):
    assert opt.main([file, "-p", "fails", "--mlir-print-ir-after=fails,fials"]) == 1
    assert "error: 'fials' does not refer to a registered pass" in capsys.readouterr().err


def test_the_function_to_lower(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """The only one needs no name, several do."""
    function = "func.func @{}(%x: tensor<4xf32>) -> tensor<4xf32> {{\n  %0 = weld.exp %x : tensor<4xf32>\n"
    function += "  func.return %0 : tensor<4xf32>\n}}\n"
    path = tmp_path / "f.mlir"
    path.write_text(function.format("softmax"))
    assert opt.main([str(path), "-p", "loopweld-pipeline"]) == 0
    path.write_text(function.format("one") + function.format("other"))
    assert opt.main([str(path), "-p", "loopweld-pipeline"]) == 1
    expected = "error: the module has no function @main; choose one of @one, @other with entry=NAME"
    assert expected in capsys.readouterr().err
    assert opt.main([str(path), "-p", "loopweld-pipeline{entry=other}", "--target=llvm"]) == 0
    assert "define void @main(" in capsys.readouterr().out
