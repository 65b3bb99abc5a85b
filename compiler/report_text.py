"""A report as a table of at most 100 columns."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Sequence

from .report import DecisionReport, KernelReport, Report, Traffic

WIDTH = 100
MOST = 20
"""How many decisions of one verdict are listed."""

ONE_NEST = ("row-result", "small-prologue", "small-epilogue")
"""Reasons of fusions that leave two loops in one kernel."""


def quantity(count: int) -> str:
    """Bytes in a few characters: 512 B, 4.0 KB, 12.3 MB."""
    return scaled(count, "B")


def scaled(count: int, unit: str) -> str:
    """A count with a decimal prefix: 512 B, 4.0 Kflop."""
    value = float(count)
    for prefix in ("", "K", "M", "G"):
        if value < 999.95 or prefix == "G":
            return f"{int(value)} {unit}" if not prefix else f"{value:.1f} {prefix}{unit}"
        value /= 1000
    raise AssertionError("the last prefix returns")


def ratio(report: Report) -> str:
    """How the bytes moved compare with the minimum."""
    if report.bytes_moved == report.bytes_minimum:
        return f"the minimum is {quantity(report.bytes_minimum)}"
    if report.bytes_minimum == 0:
        return "the minimum is 0 B"
    times = report.bytes_moved / report.bytes_minimum
    return f"{times:.2f} times the minimum, {quantity(report.bytes_minimum)}"


def plural(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}"


def place(decision: DecisionReport) -> str:
    """The source line without its folders."""
    return decision.location.replace("\\", "/").rsplit("/", 1)[-1]


def settled(decisions: Sequence[DecisionReport]) -> tuple[list[DecisionReport], list[DecisionReport]]:
    """The fusions and the last refusal of each pair; and the earlier refusals.

    A refused pair is asked about again by a later pass, and when a fusion has made one of the two a larger loop: then
    the producer's name comes up again, or the names of both within larger ones.
    """
    final: list[DecisionReport] = []
    earlier: list[DecisionReport] = []
    pairs: set[tuple[str, str, str, int]] = set()
    fused: list[tuple[set[str], set[str], str]] = []
    producers: set[str] = set()
    absorbed: set[str] = set()
    grown: set[tuple[str, str]] = set()
    for decision in reversed(decisions):
        made, used = set(decision.producer.split("+")) - {"..."}, set(decision.consumer.split("+")) - {"..."}
        pair = (decision.producer, decision.consumer, decision.location, decision.bytes_saved)
        larger = decision.consumer in absorbed or (decision.consumer, decision.location) in grown
        within = any(made <= a and used <= b and decision.location == line for a, b, line in fused)
        again = within or pair in pairs or (larger and decision.producer in producers)
        (earlier if again and not decision.fused else final).append(decision)
        pairs.add(pair)
        producers.add(decision.producer)
        if decision.fused:
            fused.append((made, used, decision.location))
        if decision.fused and decision.reason not in ONE_NEST:
            absorbed.add(decision.producer)
            grown.add((decision.consumer, decision.location))
    return final[::-1], earlier[::-1]


def counts_of(decisions: Sequence[DecisionReport]) -> list[tuple[DecisionReport, int]]:
    """Each decision once, with how often it was taken; those with most bytes first."""
    return sorted(Counter(decisions).items(), key=lambda item: -item[0].bytes_saved)


def report_text(report: Report) -> str:
    """What `print(report)` shows."""
    lines = [
        f"{plural(len(report.kernels), 'kernel')}, {quantity(report.bytes_moved)} moved ({ratio(report)}), "
        f"{quantity(report.temporary_bytes)} temporaries, {quantity(report.scratch_bytes)} scratch"
    ]
    if report.sizes:
        sizes = ", ".join(f"{n} = {v}" for n, v in report.sizes.items())
        lines += _wrapped("sizes ", sizes + (" (assumed: no call yet)" if report.assumed else ""))
    for kernel in report.kernels:
        lines += _kernel_lines(kernel)
    if report.library_calls:
        lines += _wrapped("library calls ", ", ".join(_counted(report.library_calls)))
    final, earlier = settled(report.decisions)
    lines += _decision_lines("kept apart", "at stake", [d for d in final if not d.fused])
    lines += _decision_lines("fused", "saved", [d for d in final if d.fused])
    if earlier:
        lines += ["", f"{plural(len(earlier), 'earlier refusal')} of the same pairs: see report.decisions"]
    return "\n".join(lines)


def _kernel_lines(kernel: KernelReport) -> list[str]:
    facts = (
        plural(kernel.sweeps, "sweep"),
        plural(len(kernel.ops), "op"),
        plural(kernel.vector_width, "lane"),
        scaled(kernel.flops, "flop"),
        *(["parallel"] if kernel.parallel else []),
    )
    name = cut(kernel.name, 50)
    return [f"  {name}: {', '.join(facts)}", *_traffic("reads  ", kernel.reads), *_traffic("writes ", kernel.writes)]


def _traffic(word: str, items: tuple[Traffic, ...]) -> list[str]:
    parts = [f"{cut(t.tensor, 40)} {quantity(t.bytes)}" + (f" (x{t.times})" if t.times > 1 else "") for t in items]
    return _wrapped(f"    {word}", ", ".join(parts) or "nothing")


def _wrapped(start: str, text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent=start, subsequent_indent=" " * len(start))


def _counted(names: Sequence[str]) -> list[str]:
    """The names in their order, each once, with how often it occurs."""
    return [name if count == 1 else f"{name} (x{count})" for name, count in Counter(names).items()]


def _decision_lines(verdict: str, what: str, decisions: list[DecisionReport]) -> list[str]:
    """The largest decisions, equal ones merged, under a heading."""
    if not decisions:
        return []
    rows = counts_of(decisions)
    where = min(max(len(place(d)) for d, _ in rows), 24)
    line = f"{'line':<{where}}  " if where else ""
    lines = ["", f"{verdict:<24}{what:>9}  {line}producer -> consumer"]
    for d, count in rows[:MOST]:
        times = f" (x{count})" if count > 1 else ""
        line = f"{place(d)[-where:]:<{where}}  " if where else ""
        start = f"  {d.reason:<22}{quantity(d.bytes_saved):>9}  {line}"
        room = WIDTH - len(start) - len(times) - 4
        left = cut(d.producer, max(room // 2, room - len(d.consumer)))
        lines.append(f"{start}{left} -> {cut(d.consumer, room - len(left))}{times}")
    if len(rows) > MOST:
        rest = sum(d.bytes_saved * count for d, count in rows[MOST:])
        lines.append(f"  and {len(rows) - MOST} smaller ones, {quantity(rest)} in all")
    return lines


def cut(text: str, width: int) -> str:
    """The text in at most `width` columns."""
    return text if len(text) <= width else text[: width - 3] + "..."
