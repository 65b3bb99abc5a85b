"""Graphs as pictures: layered top to bottom, as SVG, or in Graphviz's language."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from zlib import crc32

from .program_graph import Graph, Node

LINE, PAD, GAP, CHARACTER = 17, 8, 26, 7.2
"""Pixels: height of a line of text, space around it, space between boxes, width of a character."""
LONG, BEND = 2 * GAP, 48
"""An edge that is longer than the one goes aside by about the other."""
WIDEST = 34
"""Characters of the longest line in a box."""


@dataclass
class Box:
    """Where a node is drawn."""

    x: float
    y: float
    width: float
    height: float


def colour(group: str) -> str:
    """The hue of a kernel: the same one wherever it is drawn."""
    return f"{crc32(group.encode()) % 360}"


def lay_out(graph: Graph) -> list[Box]:
    """A box for each node: a consumer stands below its producers, near their middle."""
    layers = _layers(graph)
    boxes = [Box(0, 0, _width(node), PAD * 2 + LINE * len(node.lines)) for node in graph.nodes]
    sources: dict[int, list[int]] = defaultdict(list)
    for source, target in graph.edges:
        sources[target].append(source)
    y = 0.0
    for layer in layers:
        centres = {n: _centre([boxes[s] for s in sources[n]]) for n in layer}
        layer.sort(key=lambda n: centres[n])  # stable: the program's order where producers say nothing
        x = 0.0
        for n in layer:
            x = max(x, centres[n] - boxes[n].width / 2)
            boxes[n].x, boxes[n].y = x, y
            x += boxes[n].width + GAP
        y += max(boxes[n].height for n in layer) + GAP
    return boxes


def _layers(graph: Graph) -> list[list[int]]:
    """The nodes by the length of the longest path to them; inputs stand right above their first consumer."""
    depth = [0] * len(graph.nodes)
    for source, target in graph.edges:  # in the order of their targets, which come after their sources
        depth[target] = max(depth[target], depth[source] + 1)
    for n, node in enumerate(graph.nodes):
        below = [depth[target] for source, target in graph.edges if source == n]
        if node.kind == "input" and below:
            depth[n] = min(below) - 1
    layers: list[list[int]] = [[] for _ in range(max(depth, default=-1) + 1)]
    for n, level in enumerate(depth):
        layers[level].append(n)
    return layers


def _centre(boxes: Sequence[Box]) -> float:
    return sum(b.x + b.width / 2 for b in boxes) / len(boxes) if boxes else 0.0


def _width(node: Node) -> float:
    return 2 * PAD + CHARACTER * min(max(len(line) for line in node.lines), WIDEST)


def svg(graph: Graph) -> str:
    """The picture as a file of its own."""
    return drawn(graph).replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)


def drawn(graph: Graph) -> str:
    """The picture as part of a page. A kernel's nodes are links to `#kernel-NAME`; the page may colour by `--hue`."""
    boxes = lay_out(graph)
    width = max((b.x + b.width for b in boxes), default=0) + BEND / 2
    height = max((b.y + b.height for b in boxes), default=0) + 2
    edges = "\n".join(_edge(boxes[source], boxes[target]) for source, target in graph.edges)
    nodes = "\n".join(_node(node, box) for node, box in zip(graph.nodes, boxes, strict=True))
    return (
        f'<svg class="graph" role="img" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="-1 -1 {width:.0f} {height:.0f}" font-family="ui-monospace, monospace" font-size="12">\n'
        f"{edges}\n{nodes}\n</svg>\n"
    )


def _edge(source: Box, target: Box) -> str:
    x0, y0 = source.x + source.width / 2, source.y + source.height
    x1, y1 = target.x + target.width / 2, target.y
    middle = (y0 + y1) / 2
    path = f"M{x0:.0f} {y0:.0f}C{x0:.0f} {middle:.0f} {x1:.0f} {middle:.0f} {x1:.0f} {y1 - 5:.0f}"
    if y1 - y0 > LONG:  # past the boxes in between
        x = max(x0, x1) + BEND
        path = f"M{x0:.0f} {y0:.0f}C{x:.0f} {y0 + LONG:.0f} {x:.0f} {y1 - LONG:.0f} {x1:.0f} {y1 - 5:.0f}"
    tip = f"M{x1 - 3:.0f} {y1 - 6:.0f}h6l-3 6z"
    line = f'<path class="edge" d="{path}" fill="none" stroke="#888"></path>'
    return f'{line}<path class="tip" d="{tip}" fill="#888"></path>'


def _node(node: Node, box: Box) -> str:
    fill = f"hsl({colour(node.group)} 70% 82%)" if node.group else "#eee"
    words = "\n".join(part for part in ("; ".join(node.lines), node.title) if part)
    rows = "".join(
        f'<text x="{box.x + PAD:.0f}" y="{box.y + PAD + LINE * (k + 0.75):.0f}">{escape(_cut(line))}</text>'
        for k, line in enumerate(node.lines)
    )
    rounding = 12 if node.kind in ("input", "output") else 3
    dash = ' stroke-dasharray="4 3"' if node.kind == "call" else ""
    shape = (
        f'<title>{escape(words)}</title><rect x="{box.x:.0f}" y="{box.y:.0f}" width="{box.width:.0f}" '
        f'height="{box.height:.0f}" rx="{rounding}" fill="{fill}" stroke="#666"{dash}></rect>{rows}'
    )
    if not node.group:
        return f'<g class="node {node.kind}">{shape}</g>'
    return (
        f'<a class="node {node.kind} grouped" href="#kernel-{escape(node.group)}" '
        f'style="--hue: {colour(node.group)}">{shape}</a>'
    )


def _cut(text: str) -> str:
    return text if len(text) <= WIDEST else f"{text[: WIDEST - 1]}…"


def dot(graph: Graph) -> str:
    """The graph for Graphviz."""
    lines = ["digraph G {", '  node [shape = box, fontname = "monospace", style = filled, fillcolor = "#eeeeee"];']
    for n, node in enumerate(graph.nodes):
        fill = f', fillcolor = "{int(colour(node.group)) / 360:.3f} 0.25 0.95"' if node.group else ""
        shape = ", shape = ellipse" if node.kind in ("input", "output") else ""
        label = "\\n".join(line.replace("\\", "\\\\").replace('"', '\\"') for line in node.lines)
        lines.append(f'  v{n} [label = "{label}"{shape}{fill}];')
    lines += [f"  v{source} -> v{target};" for source, target in graph.edges]
    return "\n".join([*lines, "}\n"])
