"""A report as one self-contained HTML page: no scripts, nothing from the network."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

from .report import DecisionReport, KernelReport, Report, Traffic
from .report_measured import roofline, timeline
from .report_program import code, graphs
from .report_reasons import EXPLANATIONS
from .report_text import counts_of, place, plural, quantity, ratio, scaled, settled

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Loopweld report</title>
<style>
{style}</style>
</head>
<body>
<main>
{body}
</main>
</body>
</html>
"""


def report_html(report: Report) -> str:
    """The page; every text from the program is escaped."""
    details = report.details() if report.details is not None else None
    profile = report.profile
    parts = [
        _head(report),
        _cards(report),
        _section("Program", graphs(details) if details is not None else ""),
        _section("Kernels", _kernels(report.kernels)),
        _section("Time of a call", timeline(profile) if profile is not None else ""),
        _section("Roofline", roofline(profile) if profile is not None else ""),
        _section("Decisions", _decisions(report.decisions)),
        _section("Code", code(details) if details is not None else ""),
        _section("Time to compile", _timings(report)),
    ]
    style = Path(__file__).with_name("report.css").read_text(encoding="utf-8")
    return PAGE.format(style=style, body="\n".join(p for p in parts if p))


def _section(title: str, content: str) -> str:
    return f"<section>\n<h2>{title}</h2>\n{content}\n</section>" if content else ""


def _head(report: Report) -> str:
    sizes = ", ".join(f"{escape(n)} = {v}" for n, v in report.sizes.items())
    assumed = " (assumed: there was no call yet)" if report.assumed else ""
    line = f'<p class="soft">at sizes <span class="name">{sizes}</span>{assumed}</p>' if sizes else ""
    return f"<header>\n<h1>Loopweld report</h1>\n{line}\n</header>"


# ---- headline numbers --------------------------------------------------------------
def _cards(report: Report) -> str:
    calls = ", ".join(dict.fromkeys(report.library_calls)) or "none"
    cards = [
        _card(str(len(report.kernels)), "kernel" if len(report.kernels) == 1 else "kernels"),
        _moved(report),
        _card(quantity(report.temporary_bytes), "temporaries between kernels"),
        _card(quantity(report.scratch_bytes), "scratch inside kernels"),
        _card(str(len(report.library_calls)), f"library calls: {calls}"),
    ]
    return '<div class="cards">\n' + "\n".join(cards) + "\n</div>"


def _card(number: str, what: str, rest: str = "", kind: str = "") -> str:
    return f'<div class="card{kind}"><b>{escape(number)}</b><span class="soft small">{escape(what)}</span>{rest}</div>'


def _moved(report: Report) -> str:
    """Bytes moved, with a bar for them and one for the minimum."""
    top = max(report.bytes_moved, report.bytes_minimum, 1)
    rows = [
        ("moved", quantity(report.bytes_moved), report.bytes_moved / top, ""),
        ("minimum", quantity(report.bytes_minimum), report.bytes_minimum / top, "least"),
    ]
    return _card(quantity(report.bytes_moved), f"moved; {ratio(report)}", _bars(rows), " wide")


def _bars(rows: Sequence[tuple[str, str, float, str]]) -> str:
    """Horizontal bars in SVG: label, value, share of the width, class. Percentages let it fit any width."""
    parts: list[str] = []
    for k, (label, value, share, kind) in enumerate(rows):
        y = 30 * k
        parts += [
            f'<text x="0" y="{y + 14}">{escape(label)}</text>',
            f'<text class="value" x="100%" y="{y + 14}">{escape(value)}</text>',
            f'<rect class="track" x="0" y="{y + 19}" width="100%" height="6" rx="3"></rect>',
            f'<rect class="{kind}" x="0" y="{y + 19}" width="{100 * share:.2f}%" height="6" rx="3"></rect>',
        ]
    label = escape(", ".join(f"{label} {value}" for label, value, _, _ in rows))
    return f'<svg role="img" aria-label="{label}" height="{30 * len(rows)}">{"".join(parts)}</svg>'


# ---- kernels -----------------------------------------------------------------------
def _kernels(kernels: Sequence[KernelReport]) -> str:
    if not kernels:
        return '<p class="soft">None: the program is library calls, or nothing at all.</p>'
    heads = [
        ("Kernel", ""),
        ("Sweeps", "number"),
        ("Reads", ""),
        ("Writes", ""),
        ("Arithmetic", "number"),
        ("Lanes", "number"),
    ]
    return _table(heads, [_kernel(k) for k in kernels])


def _table(heads: Iterable[tuple[str, str]], rows: Iterable[str]) -> str:
    head = "".join(f'<th scope="col" class="{kind}">{text}</th>' for text, kind in heads)
    body = "\n".join(rows)
    return f'<div class="panel"><table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table></div>'


def _kernel(kernel: KernelReport) -> str:
    names = ": " + ", ".join(_counted(kernel.ops)) if kernel.ops else ", it copies"
    ops = f'<p class="small soft">{plural(len(kernel.ops), "op")}{escape(names)}</p>'
    cells = [
        f'<td><span class="name">{escape(kernel.name)}</span>{ops}</td>',
        f'<td class="number" data-label="Sweeps">{kernel.sweeps}</td>',
        f'<td data-label="Reads">{_traffic(kernel.reads)}</td>',
        f'<td data-label="Writes">{_traffic(kernel.writes)}</td>',
        f'<td class="number" data-label="Arithmetic">{scaled(kernel.flops, "flop")}</td>',
        f'<td class="number" data-label="Lanes">{kernel.vector_width}</td>',
    ]
    return f"<tr>{''.join(cells)}</tr>"


def _counted(names: Sequence[str]) -> list[str]:
    return [f"{name}{_times(count)}" for name, count in Counter(names).items()]


def _times(count: int) -> str:
    return f" ×{count}" if count > 1 else ""


def _traffic(items: Sequence[Traffic]) -> str:
    rows = [
        f'<li><span class="name">{escape(t.tensor)}</span> {quantity(t.bytes)}{_times(t.times)}</li>' for t in items
    ]
    return f"<ul>{''.join(rows)}</ul>" if rows else '<span class="soft">nothing</span>'


# ---- decisions ---------------------------------------------------------------------
def _decisions(decisions: Sequence[DecisionReport]) -> str:
    """The verdicts by reason, what was kept apart first; refusals that a later verdict replaced come last, closed."""
    if not decisions:
        return '<p class="soft">None: there was no pair of loops to decide about.</p>'
    final, earlier = settled(decisions)
    fused = sum(d.fused for d in final)
    counts = f'<p class="soft">{fused} fused, {len(final) - fused} kept apart</p>'
    groups = [_groups([d for d in final if not d.fused], True), _groups([d for d in final if d.fused], True)]
    panels = "\n".join(f'<div class="panel">\n{g}\n</div>' for g in groups if g)
    if not earlier:
        return f"{counts}\n{panels}"
    title = f"{plural(len(earlier), 'earlier refusal')}, of pairs that came up again later"
    again = f'<div class="panel"><details><summary>{title}</summary>\n{_groups(earlier, False)}\n</details></div>'
    return f"{counts}\n{panels}\n{again}"


def _groups(decisions: Sequence[DecisionReport], opened: bool) -> str:
    """One block a reason, those with most bytes first."""
    by_reason: dict[str, list[DecisionReport]] = {}
    for decision in decisions:
        by_reason.setdefault(decision.reason, []).append(decision)
    order = sorted(by_reason.items(), key=lambda item: -sum(d.bytes_saved for d in item[1]))
    return "\n".join(_group(reason, items, opened) for reason, items in order)


def _group(reason: str, decisions: list[DecisionReport], opened: bool) -> str:
    badge = '<span class="badge fused">fused</span>' if decisions[0].fused else '<span class="badge kept">kept</span>'
    total = quantity(sum(d.bytes_saved for d in decisions))
    what = "saved" if decisions[0].fused else "at stake"
    title = f"{badge} <code>{escape(reason)}</code> {len(decisions)}, {total} {what}"
    explanation = escape(EXPLANATIONS.get(reason, ""))
    rows = "\n".join(_decision(d, count) for d, count in counts_of(decisions))
    state = " open" if opened else ""
    return (
        f'<details{state}><summary>{title}</summary>\n<p class="soft small">{explanation}</p>\n'
        f'<table class="pairs"><tbody>\n{rows}\n</tbody></table></details>'
    )


def _decision(decision: DecisionReport, count: int) -> str:
    pair = f'<span class="name">{escape(decision.producer)} → {escape(decision.consumer)}</span>{_times(count)}'
    where = f'<td class="number soft" title="{escape(decision.location)}">{escape(place(decision))}</td>'
    return f'<tr><td>{pair}</td><td class="number">{quantity(decision.bytes_saved)}</td>{where}</tr>'


# ---- timings -----------------------------------------------------------------------
def _timings(report: Report) -> str:
    if not report.timings:
        return ""
    top = max(*report.timings.values(), 1e-9)
    rows = [(name, f"{value:.2f} ms", value / top, "") for name, value in report.timings.items()]
    total = f'<p class="soft">{sum(report.timings.values()):.1f} ms in all</p>'
    return f'{total}\n<div class="panel">{_bars(rows)}</div>'
