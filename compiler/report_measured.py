"""The parts of a report's page that show measurements: the roofline, and the time of one call."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from math import floor, log10

from .drawing import colour
from .profile import Profile, Span
from .profile_text import duration
from .report_text import plural, quantity, scaled

WIDTH, HEIGHT, LEFT, BOTTOM = 720, 360, 70, 40
"""Pixels of the roofline, and of the room for its scales."""


def roofline(profile: Profile) -> str:
    """Operations a second against operations a byte: where each kernel is, and where the limits are."""
    limits = profile.machine
    kernels = [s for s in profile.spans if s.kind == "kernel" and s.bytes and s.flops and s.seconds]
    if not kernels:
        return '<p class="soft">No kernel both moves and computes.</p>'
    ridge = limits.flops / limits.bandwidth
    ratios = [s.flops / s.bytes for s in kernels]
    rates = [s.flops / s.seconds for s in kernels]
    x = _Scale(min(*ratios, ridge / 30), max(*ratios, ridge * 4), LEFT, WIDTH - 10)
    y = _Scale(min(*rates, limits.bandwidth * x.low), limits.flops * 2, HEIGHT - BOTTOM, 10)
    roof = (
        f"M{x(x.low):.1f} {y(limits.bandwidth * x.low):.1f}L{x(ridge):.1f} {y(limits.flops):.1f}"
        f"L{x(x.high):.1f} {y(limits.flops):.1f}"
    )
    points = "".join(_point(s, x, y, profile) for s in kernels) + "".join(_labels(kernels, x, y))
    label = escape(f"Roofline of {plural(len(kernels), 'kernel')}")
    most = f"{quantity(round(limits.bandwidth))}/s and {scaled(round(limits.flops), 'flop')}/s"
    words = (
        f'<p class="soft small">{escape(limits.cpu)}, {plural(limits.threads, "thread")}: at most {most}, measured. A '
        "ring is what the limits allow, a disc what was measured; arrays that are in a cache may be above the line.</p>"
    )
    return (
        f'{words}<div class="panel scroll"><svg class="plot" role="img" aria-label="{label}" '
        f'viewBox="0 0 {WIDTH} {HEIGHT}">{_axes(x, y)}<path class="roof" d="{roof}"></path>{points}</svg></div>'
    )


class _Scale:
    """A logarithmic scale from values to pixels."""

    def __init__(self, low: float, high: float, first: float, last: float) -> None:
        self.low, self.high = low / 1.3, high * 1.3
        self._first, self._last = first, last

    def __call__(self, value: float) -> float:
        share = (log10(max(value, self.low)) - log10(self.low)) / (log10(self.high) - log10(self.low))
        return self._first + share * (self._last - self._first)

    def ticks(self) -> list[float]:
        return [10.0**k for k in range(floor(log10(self.low)) + 1, floor(log10(self.high)) + 1)]


def _axes(x: _Scale, y: _Scale) -> str:
    parts: list[str] = []
    for tick in x.ticks():
        place = f'x="{x(tick):.1f}" y="{HEIGHT - BOTTOM + 16}"'
        parts.append(f'<path class="grid" d="M{x(tick):.1f} 10V{HEIGHT - BOTTOM}"></path>')
        parts.append(f'<text class="tick" text-anchor="middle" {place}>{tick:g}</text>')
    for tick in y.ticks():
        parts.append(f'<path class="grid" d="M{LEFT} {y(tick):.1f}H{WIDTH - 10}"></path>')
        text = scaled(round(tick), "").strip()
        parts.append(f'<text class="tick" text-anchor="end" x="{LEFT - 6}" y="{y(tick) + 4:.1f}">{text}</text>')
    parts.append(f'<text class="tick" text-anchor="end" x="{WIDTH - 10}" y="{HEIGHT - 6}">flop per byte</text>')
    parts.append('<text class="tick" x="2" y="10">flop/s</text>')
    return "".join(parts)


def _point(span: Span, x: _Scale, y: _Scale, profile: Profile) -> str:
    ratio = span.flops / span.bytes
    allowed = span.flops / profile.machine.seconds(span.bytes, span.flops)
    words = f"{span.name}: {duration(span.seconds)}, {100 * span.share:.0f} % of the limit"
    at, top, here = x(ratio), y(allowed), y(span.flops / span.seconds)
    return (
        f'<g class="point" style="--hue: {colour(span.name)}"><title>{escape(words)}</title>'
        f'<path class="grid" d="M{at:.1f} {top:.1f}V{here:.1f}"></path>'
        f'<circle class="ring" cx="{at:.1f}" cy="{top:.1f}" r="5"></circle>'
        f'<circle class="disc" cx="{at:.1f}" cy="{here:.1f}" r="5"></circle></g>'
    )


def _labels(spans: Sequence[Span], x: _Scale, y: _Scale) -> Iterable[str]:
    """The names beside the discs; one that would lie on another moves down, joined to its disc by a line."""
    taken: list[tuple[float, float, float]] = []
    for span in sorted(spans, key=lambda s: -s.flops / s.seconds):
        at, here = x(span.flops / span.bytes), y(span.flops / span.seconds)
        name, right = span.name[:28], at > WIDTH / 2
        width = 7.5 * len(name)
        start = at - 12 - width if right else at + 12
        level = here
        while any(abs(level - other) < 15 and start < last and first < start + width for first, last, other in taken):
            level += 5
        taken.append((start, start + width, level))
        end = at - 9 if right else at + 9
        yield f'<path class="grid" d="M{at:.1f} {here:.1f}L{end:.1f} {level:.1f}"></path>' if level > here else ""
        side = "end" if right else "start"
        yield f'<text class="label" x="{end:.1f}" y="{level + 4:.1f}" text-anchor="{side}">{escape(name)}</text>'


def timeline(profile: Profile) -> str:
    """One call from its start to its end: a row for each kernel and library call."""
    end = max((s.start + s.seconds for s in profile.spans), default=0.0) or 1.0
    rows = "".join(_row(s, end) for s in profile.spans)
    total = f'<p class="soft">{duration(profile.seconds)} a call, {plural(len(profile.spans), "step")}</p>'
    return f'{total}<div class="panel"><table class="timeline"><tbody>{rows}</tbody></table></div>'


def _row(span: Span, end: float) -> str:
    width = max(100 * span.seconds / end, 0.3)
    left = min(100 * span.start / end, 100 - width)
    kind = "" if span.kind == "kernel" else ' <span class="soft small">library call</span>'
    facts = duration(span.seconds)
    if span.kind == "kernel" and span.bytes:
        facts += f", {quantity(round(span.bandwidth))}/s, {100 * span.share:.0f} % of the limit"
    place = f"margin-left: {left:.2f}%; width: {width:.2f}%"
    bar = f'<div class="bar" style="--hue: {colour(span.name)}; {place}"></div>'
    return f'<tr><td><span class="name">{escape(span.name)}</span>{kind}{bar}</td><td class="number">{facts}</td></tr>'
