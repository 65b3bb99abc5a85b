"""The parts of a report's page that show the program: its graphs, and each kernel's texts beside the source."""

from __future__ import annotations

from html import escape

from .drawing import colour, drawn
from .report_details import Details, KernelDetails

SHOWN = {"kernels": "Kernel", "loops": "Loops", "llvm": "LLVM IR", "assembly": "Assembly"}
"""The texts of a kernel, and what their tabs are called."""

LARGEST = 400
"""Nodes of the largest graph that is drawn."""


def graphs(details: Details) -> str:
    """The program before and after fusion; a kernel has one colour in both."""
    parts = [
        _figure("What was written", drawn(details.before), len(details.before.nodes)),
        _figure("What runs", drawn(details.after), len(details.after.nodes)),
    ]
    hint = '<p class="soft small">A colour is a kernel. Dashed: a library call. Click on a kernel for its code.</p>'
    return f'{hint}\n<div class="graphs">{"".join(parts)}</div>'


def _figure(title: str, picture: str, nodes: int) -> str:
    drawn = picture if nodes <= LARGEST else f'<p class="soft">{nodes} nodes are too many to draw.</p>'
    return f'<figure class="panel"><figcaption>{title}</figcaption><div class="scroll">{drawn}</div></figure>'


def code(details: Details) -> str:
    """A block for each kernel, and one for the whole program at the first stages."""
    blocks = [_kernel(k, kernel) for k, kernel in enumerate(details.kernels)]
    whole = [_text(f"The program at the stage “{stage}”", text) for stage, text in details.texts.items()]
    return "\n".join([*blocks, *(f'<div class="panel">{text}</div>' for text in whole)])


def _kernel(number: int, kernel: KernelDetails) -> str:
    """The source on the left, one text at a time on the right: the tabs are radio buttons, no script is needed."""
    texts = [(key, title, kernel.texts.get(key, "")) for key, title in SHOWN.items()]
    tabs = "".join(
        f'<input type="radio" name="k{number}" id="k{number}-{key}"{" checked" if k == 0 else ""}>'
        f'<label for="k{number}-{key}">{title}</label>'
        for k, (key, title, _) in enumerate(texts)
    )
    panes = "".join(f'<pre class="pane">{escape(text)}</pre>' for _, _, text in texts)
    source = "".join(_line(place, text) for place, text in kernel.lines) or '<p class="soft">not known</p>'
    return (
        f'<details class="panel kernel" style="--hue: {colour(kernel.name)}">'
        f'<summary><span class="swatch"></span> <span class="name">{escape(kernel.name)}</span></summary>'
        f'<div class="sides" id="kernel-{escape(kernel.name)}">'  # what a link leads to opens what it is in
        f'<div class="source"><h3>Source</h3>{source}</div><div class="tabs">{tabs}{panes}</div></div></details>'
    )


def _line(place: str, text: str) -> str:
    short = place.replace("\\", "/").rsplit("/", 1)[-1]
    return (
        f'<div title="{escape(place)}"><span class="soft small">{escape(short)}</span><pre>{escape(text)}</pre></div>'
    )


def _text(title: str, text: str) -> str:
    return f'<details><summary>{escape(title)}</summary><pre class="pane">{escape(text)}</pre></details>'
