"""Reports: as text within 100 columns, as JSON-able data, and as a page that stands alone."""

import json
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import loopweld as lw
from loopweld.compiler.report import DecisionReport, KernelReport, Report, Traffic
from loopweld.compiler.report_html import report_html
from loopweld.compiler.report_reasons import EXPLANATIONS
from loopweld.compiler.report_text import counts_of, quantity, report_text, scaled, settled
from loopweld.passes.remarks import Reason

ROOT = Path(__file__).parents[2]
HOSTILE = '</style><script>alert("x")</script>&\'`${1}'
VOID = {"meta", "br", "img", "input", "hr", "link"}


def softmax(x: Any) -> Any:
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def gelu(x: Any, w: Any) -> Any:
    z = x @ w
    return 0.5 * z * (1 + np.tanh(0.7978845608 * (z + 0.044715 * z**3)))


def histogram(idx: Any, w: Any) -> Any:
    z = np.exp(w)[idx]
    return np.bincount(idx, weights=z, minlength=64), z.sum()


EMPTY = Report((), (), 0, 0, 0, 0, (), {}, {}, False)


def decision(producer: str, consumer: str, reason: Reason, saved: int = 8, line: str = "f.py:1") -> DecisionReport:
    fused = reason in (Reason.ROW_RESULT, Reason.SHARED_DOMAIN, Reason.ELEMENTWISE_PRODUCER)
    return DecisionReport(producer, consumer, fused, reason.value, saved, line)


@pytest.fixture(scope="module")
def reports() -> dict[str, Report]:
    numbers = np.ones((40, 30), np.float32)
    return {
        "softmax": lw.jit(softmax).explain(numbers),
        "gelu": lw.jit(gelu).explain(numbers, numbers.T.copy()),
        "histogram": lw.jit(histogram).explain(np.arange(100) % 64, np.ones(64)),
        "file": lw.compile(ROOT / "examples" / "linalg_softmax.mlir").report,
        "empty": EMPTY,
        "hostile": hostile(),
        "crowded": crowded(),
    }


def hostile() -> Report:
    traffic = (Traffic(HOSTILE, 2, 5),)
    kernel = KernelReport(HOSTILE, (HOSTILE,), 1, traffic, traffic, 3, 8, False)
    verdict = DecisionReport(HOSTILE, HOSTILE, False, HOSTILE, 7, HOSTILE)
    return Report((kernel,), (HOSTILE,), 1, 2, 3, 4, (verdict,), {HOSTILE: 1.0}, {HOSTILE: 9}, True)


def crowded() -> Report:
    """Far more of everything, and longer, than fits a line."""
    traffic = tuple(Traffic(f"params.layer{k}.weight_of_the_attention", 2, 10**k) for k in range(12))
    name = "k0_" + "_".join(["multiply"] * 20)
    kernel = KernelReport(name, ("mul",) * 99, 3, traffic, traffic[:1], 10**12, 16, False)
    verdicts = [
        DecisionReport(
            "mul+" * 9 + str(k), "add+" * 12 + str(k), True, Reason.SHARED_DOMAIN.value, 10**9 - k, f"{'d' * 70}.py:{k}"
        )
        for k in range(30)
    ]
    sizes = {f"stride{k}_{k}": 10**6 for k in range(12)}
    calls = ("scipy.special.something_long",) * 3 + ("matmul",) * 12
    return Report((kernel,) * 2, calls, 1, 2, 3, 4, tuple(verdicts), {"generalize": 1.0}, sizes, False)


NAMES = ["softmax", "gelu", "histogram", "file", "empty", "hostile", "crowded"]


# ---- text --------------------------------------------------------------------------
@pytest.mark.parametrize("name", NAMES)
def test_text_fits_100_columns(reports: dict[str, Report], name: str) -> None:
    lines = report_text(reports[name]).split("\n")
    assert max(len(line) for line in lines) <= 100
    assert not any(line != line.rstrip() for line in lines)


def test_text_of_softmax_says_what_matters(reports: dict[str, Report]) -> None:
    text = str(reports["softmax"])
    assert text.startswith("1 kernel, 9.6 KB moved (the minimum is 9.6 KB), 0 B temporaries")
    assert "1 sweep," in text and "x 4.8 KB" in text and "out0 4.8 KB" in text  # rows of 30 stay in registers
    assert "row-result" in text and "test_report.py:" in text
    assert "kept apart" not in text


def test_text_names_what_is_assumed(reports: dict[str, Report]) -> None:
    assert "(assumed: no call yet)" in str(reports["file"])
    assert "assumed" not in str(reports["softmax"])


def test_text_lists_library_calls_and_times_the_minimum(reports: dict[str, Report]) -> None:
    text = str(reports["gelu"])
    assert "library calls matmul" in text
    assert "times the minimum" in text


def test_text_of_a_report_without_kernels() -> None:
    assert report_text(EMPTY) == "0 kernels, 0 B moved (the minimum is 0 B), 0 B temporaries, 0 B scratch"


def test_text_counts_the_decisions_that_it_leaves_out(reports: dict[str, Report]) -> None:
    assert "and 10 smaller ones, 10.0 GB in all" in str(reports["crowded"])


def test_quantities() -> None:
    found = [quantity(n) for n in (0, 999, 1000, 999_949, 999_950, 12_345_678, 10**13)]
    assert found == ["0 B", "999 B", "1.0 KB", "999.9 KB", "1.0 MB", "12.3 MB", "10000.0 GB"]
    assert scaled(2500, "flop") == "2.5 Kflop"


# ---- which verdicts stand ----------------------------------------------------------
def test_a_refusal_that_a_later_pass_overturns_is_an_earlier_one() -> None:
    first = decision("exp", "div", Reason.RECOMPUTES_EXPENSIVE)
    last = decision("exp", "div", Reason.ROW_RESULT)
    assert settled([first, last]) == ([last], [first])


def test_a_refusal_that_was_repeated_for_the_grown_consumer_is_an_earlier_one() -> None:
    """max -> sub; then sub is fused into exp, and the question is max -> sub+exp."""
    before = decision("max", "sub", Reason.REDUCTION_RESULT)
    grows = decision("sub", "exp", Reason.ELEMENTWISE_PRODUCER)
    after = decision("max", "sub+exp", Reason.NO_SHARED_OUTER_DIM)
    assert settled([before, grows, after]) == ([grows, after], [before])


def test_a_refusal_that_nothing_replaces_stands() -> None:
    refused = decision("max", "sub", Reason.REDUCTION_RESULT)
    other = decision("sub", "exp", Reason.ELEMENTWISE_PRODUCER)
    assert settled([refused, other]) == ([refused, other], [])


def test_equal_decisions_are_counted_and_the_largest_come_first() -> None:
    small, large = decision("a", "b", Reason.SHARED_DOMAIN, 1), decision("c", "d", Reason.SHARED_DOMAIN, 2)
    assert counts_of([small, large, small]) == [(large, 1), (small, 2)]


# ---- data --------------------------------------------------------------------------
@pytest.mark.parametrize("name", NAMES)
def test_dict_is_json(reports: dict[str, Report], name: str) -> None:
    report = reports[name]
    data = json.loads(json.dumps(report.to_dict()))
    assert len(data["kernels"]) == len(report.kernels)
    assert len(data["decisions"]) == len(report.decisions)
    for entry, kernel in zip(data["kernels"], report.kernels, strict=True):
        assert entry["bytes_read"] == kernel.bytes_read
        assert entry["bytes_written"] == kernel.bytes_written


# ---- HTML --------------------------------------------------------------------------
class Page(HTMLParser):
    """Parses a page; fails where tags do not match. Keeps its text and the elements seen."""

    def __init__(self, text: str):
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open.pop() == tag, f"</{tag}> closes nothing"

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


@pytest.mark.parametrize("name", NAMES)
def test_page_stands_alone(reports: dict[str, Report], name: str) -> None:
    text = report_html(reports[name])
    page = Page(text)
    assert "http://" not in text and "https://" not in text and "@import" not in text and "url(" not in text
    tags = {tag for tag, _ in page.seen}
    assert not tags & {"script", "link", "img", "iframe", "object", "embed"}
    assert not any("src" in attributes for _, attributes in page.seen)
    assert all(str(attributes.get("href", "#")).startswith("#") for _, attributes in page.seen)
    assert not any(key.startswith("on") for _, attributes in page.seen for key in attributes)


def test_page_escapes_names(reports: dict[str, Report]) -> None:
    page = Page(report_html(reports["hostile"]))
    shown = page.text
    assert shown.count(HOSTILE) >= 8, "kernel, op, read, write, call, size, decision, stage"
    assert any(attributes.get("title") == HOSTILE for _, attributes in page.seen)


def test_page_shows_the_numbers(reports: dict[str, Report]) -> None:
    text = Page(report_html(reports["gelu"])).text
    report = reports["gelu"]
    for number in (report.bytes_moved, report.bytes_minimum, report.temporary_bytes):
        assert quantity(number) in text
    assert report.kernels[0].name in text
    assert "library calls: matmul" in text
    assert all(stage in text for stage in report.timings)


def test_page_shows_every_decision_with_its_badge_and_line(reports: dict[str, Report]) -> None:
    report = reports["softmax"]
    page = Page(report_html(report))
    for each in report.decisions:
        assert f"{each.producer} → {each.consumer}" in page.text
        assert each.reason in page.text and EXPLANATIONS[each.reason] in page.text
    lines = {attributes.get("title") for _, attributes in page.seen}
    assert {d.location for d in report.decisions} <= lines


def test_bars_stay_inside(reports: dict[str, Report]) -> None:
    """The minimum can exceed what is moved: an input that is needed may have been folded away."""
    less = replace(reports["softmax"], bytes_moved=10, bytes_minimum=40)
    page = Page(report_html(less))
    widths = [float(w[:-1]) for tag, a in page.seen if tag == "rect" and (w := str(a["width"])).endswith("%")]
    assert widths and all(0 <= w <= 100 for w in widths)


def test_to_html_writes_the_page(reports: dict[str, Report], tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    reports["softmax"].to_html(path)
    assert path.read_text(encoding="utf-8") == report_html(reports["softmax"])


# ---- reasons -----------------------------------------------------------------------
def test_every_reason_is_explained() -> None:
    assert set(EXPLANATIONS) == {reason.value for reason in Reason}
    assert all(text.endswith(".") for text in EXPLANATIONS.values())


def test_every_reason_is_documented() -> None:
    text = ROOT.joinpath("docs", "reason-codes.md").read_text(encoding="utf-8")
    for code, explanation in EXPLANATIONS.items():
        assert f"`{code}`" in text
        assert " ".join(explanation.split()).split(". ")[0] in text, code
