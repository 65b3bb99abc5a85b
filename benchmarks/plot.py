"""A plot of one size: a line for each case, the floor, and a mark for everybody's time as a multiple of it; as SVG."""

from collections.abc import Mapping
from math import ceil, log10
from typing import Any
from xml.sax.saxutils import escape

from peers import OURS
from tables import chosen, peers

LEFT, RIGHT, TOP, STEP = 170, 20, 54, 18
WIDTH = 860
COLOURS = ("#888888", "#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#b0a000", "#7f3c8d")
OWN = "#d62728"
INK, LINES, PAPER = "#222222", "#dddddd", "#ffffff"


def plot(found: dict[str, Any], size: str, threads: int) -> str:
    """Cases from top to bottom, times from left to right on a logarithmic scale; the floor is at 1."""
    rows = chosen(found, size, threads)
    most = max((seconds / row["floor"] for row in rows for seconds in row["times"].values()), default=10.0)
    decades = max(ceil(log10(min(most, 1000.0))), 1)
    height, low = TOP + STEP * len(rows) + 34, -0.2

    def x(multiple: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * (min(log10(multiple), decades) - low) / (decades - low)

    names = {OURS[0]: "loopweld", OURS[1]: "loopweld, into arrays"} | peers(found)
    colours = dict(zip(names, (OWN, OWN, *COLOURS), strict=False))
    bottom = height - 30
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        f'font-family="sans-serif" font-size="12" fill="{INK}">',
        f'<rect width="{WIDTH}" height="{height}" fill="{PAPER}"/>',
    ]
    for decade in range(decades + 1):
        for digit in range(1, 10 if decade < decades else 2):
            at, is_floor = x(digit * 10**decade), decade == 0 and digit == 1
            colour, width = (INK, 2) if is_floor else (LINES, 1)
            parts.append(f'<path d="M{at:.1f} {TOP}V{bottom}" stroke="{colour}" stroke-width="{width}"/>')
            if digit in (1, 2, 5):
                label = "floor" if is_floor else f"{digit * 10**decade}x"
                parts.append(f'<text x="{at:.1f}" y="{bottom + 18}" text-anchor="middle">{label}</text>')
    for k, row in enumerate(rows):
        y = TOP + STEP * (k + 0.5)
        parts.append(f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke="{LINES}" stroke-width="1"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{escape(row["case"])}</text>')
        for name in reversed(names):
            if name in row["times"]:
                parts.append(_mark(name, x(row["times"][name] / row["floor"]), y, colours[name]))
    return "\n".join([*parts, *_legend(names, colours), "</svg>", ""])


def _mark(name: str, x: float, y: float, colour: str) -> str:
    """A disc; a ring for results into arrays that exist."""
    fill, radius = PAPER if name == OURS[1] else colour, 5 if name in OURS else 4
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}" fill="{fill}" stroke="{colour}" stroke-width="1.5"/>'


def _legend(names: Mapping[str, str], colours: Mapping[str, str]) -> list[str]:
    parts, x = ['<text x="8" y="18" font-weight="bold">time as a multiple of the floor</text>'], 14.0
    for name, title in names.items():
        parts.append(_mark(name, x, 38, colours[name]) + f'<text x="{x + 9:.0f}" y="42">{escape(title)}</text>')
        x += 30 + 6.6 * len(title)
    return parts
