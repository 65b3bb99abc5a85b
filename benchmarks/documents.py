"""Puts measured numbers where they are shown: RESULTS.md, its plots, and marked blocks of other documents."""

import json
import re
from pathlib import Path
from typing import Any

import tables
from plot import plot

HERE = Path(__file__).parent
ROOT = HERE.parent
NUMBERS = HERE / "results.json"
BLOCK = re.compile(r"(<!-- benchmarks: ([\w-]+) -->\n).*?(<!-- /benchmarks -->)", re.DOTALL)
SHOWN_IN = ("README.md", "docs/faq.md")
SIZES = {
    "S": "S: 4,096 elements, in the first-level cache; the call itself counts",
    "M": "M: about a million elements, in the last-level cache",
    "L": "L: 64 MiB in the largest array, in memory",
}


def write(found: dict[str, Any]) -> None:
    """The numbers, RESULTS.md, the plots, and the blocks."""
    NUMBERS.write_text(json.dumps(found).replace('{"case"', '\n{"case"') + "\n", encoding="utf-8")
    for path, text in rendered(found).items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")


def rendered(found: dict[str, Any]) -> dict[Path, str]:
    """Every file that shows the numbers, and its text."""
    files = {HERE / "RESULTS.md": results(found)}
    for threads, size in measured(found):
        if size != "S":
            files[HERE / "plots" / f"{size}-{threads}.svg"] = plot(found, size, threads)
    return files | {ROOT / name: refreshed((ROOT / name).read_text(encoding="utf-8"), found) for name in SHOWN_IN}


def refreshed(text: str, found: dict[str, Any]) -> str:
    """The text with its blocks `<!-- benchmarks: NAME -->` made anew."""
    blocks = {"kinds": kinds, "peers": peers}
    return BLOCK.sub(lambda match: f"{match[1]}{blocks[match[2]](found)}\n{match[3]}", text)


def kinds(found: dict[str, Any]) -> str:
    sizes = "; ".join(SIZES[size].removeprefix(f"{size}: ") for size in "ML" if tables.chosen(found, size))
    return f"{tables.kinds(found)}\n\nSizes: {sizes}. {tables.behind(found)}\n\n{where(found)}"


def peers(found: dict[str, Any]) -> str:
    return f"{tables.each_peer(found)}\n\n{where(found)}"


def where(found: dict[str, Any]) -> str:
    machine, threads = found["machine"], found["rows"][0]["threads"]
    count = "one thread" if threads == 1 else f"{threads} threads"
    return f"Measured on {machine['date']}: {machine['processor']}, {count}; {tables.noise(found)}.{busy(found)}"


def busy(found: dict[str, Any]) -> str:
    """A warning where the machine had other work."""
    load = found["machine"]["load"]
    return f" The machine was busy (load {load}): take these numbers for rough ones." if float(load) > 0.7 else ""


def measured(found: dict[str, Any]) -> list[tuple[int, str]]:
    """The threads and sizes that there are rows of."""
    there = {(row["threads"], row["size"]) for row in found["rows"]}
    return [(threads, size) for threads in found["threads"] for size in "SML" if (threads, size) in there]


def results(found: dict[str, Any]) -> str:
    """The text of RESULTS.md."""
    machine, versions = found["machine"], {a["title"]: a["version"] for a in found["peers"].values()}
    versions.pop("into arrays", None)
    parts = [
        "# Results",
        f"Written by `{found['command']}`; do not edit. [How it is measured](README.md).",
        f"{machine['processor']}, {machine['cores']} cores, {machine['platform']}, Python {machine['python']}; "
        + ", ".join(f"{title} {version}" for title, version in versions.items())
        + f". {machine['date']}. Noise: {tables.noise(found)}.{busy(found)}",
        "Times are the least of all turns. *of best peer* and *of floor*: loopweld's time divided by the other. "
        "*into arrays*: loopweld with `out=`. Means are geometric.",
        "## Summary",
        tables.summary(found),
        tables.behind(found, "SML"),
        "## Kinds of programs",
        "Each peer's time divided by loopweld's; the last column is of M and L alone.",
        tables.kinds(found, "SML"),
    ]
    if tables.chosen(found, "S"):
        parts += ["## First calls", "Size S: tracing, compiling or loading, and one call.", tables.first_calls(found)]
    if found["limits"]:
        parts += ["## The machine's limits", limits(found)]
    for threads, size in measured(found):
        parts.append(f"## {SIZES[size]}; {threads} thread{'s'[: threads > 1]}")
        if size != "S":
            parts.append(f"![times as multiples of the floor](plots/{size}-{threads}.svg)")
        parts.append(tables.size_table(found, size, threads))
    missing = skipped(found)
    return "\n\n".join([*parts, *(["## What peers could not do", missing] if missing else [])]) + "\n"


def limits(found: dict[str, Any]) -> str:
    heads = ["threads", "in the second-level cache", "in the last one", "memory", "arithmetic, float32"]
    rows = [
        [threads, *(f"{rate / 1e9:.0f} GB/s" for rate in limit["bandwidth"]), f"{limit['flops'] / 1e9:.0f} Gflop/s"]
        for threads, limit in found["limits"].items()
    ]
    return tables.table(heads, rows)


def skipped(found: dict[str, Any]) -> str:
    reasons: dict[tuple[str, str], set[str]] = {}
    for row in found["rows"]:
        for name, reason in row["skipped"].items():
            reasons.setdefault((found["peers"][name]["title"], reason), set()).add(f"`{row['case']}` {row['size']}")
    return "\n".join(f"- {title}: {', '.join(sorted(cases))}: {reason}" for (title, reason), cases in reasons.items())
