"""Measured rows as Markdown tables: sizes, kinds of programs, peers, first calls, noise."""

from collections.abc import Callable, Iterable, Sequence
from math import exp, log
from statistics import median
from typing import Any

from peers import OURS

from loopweld.demo.table import duration

Found = dict[str, Any]
Row = dict[str, Any]

NEW, INTO = OURS
"""loopweld with new results, and into arrays that exist."""


def amount(value: float) -> float:
    """Four digits."""
    return float(f"{value:.4g}")


def mean(ratios: Iterable[float]) -> float | None:
    """The geometric mean."""
    logs = [log(ratio) for ratio in ratios]
    return exp(sum(logs) / len(logs)) if logs else None


def ratio(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    rule = ["---", *["---:"] * (len(heads) - 1)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (heads, rule, *rows))


def chosen(found: Found, sizes: str = "SML", threads: int | None = None) -> list[Row]:
    """The rows of sizes, with a number of threads or with the first that was measured."""
    threads = threads or found["rows"][0]["threads"]
    return [row for row in found["rows"] if row["size"] in sizes and row["threads"] == threads and NEW in row["times"]]


def peers(found: Found) -> dict[str, str]:
    """Names and titles of who is not us."""
    return {name: about["title"] for name, about in found["peers"].items() if name not in OURS}


def best(row: Row) -> float:
    """The least time of a peer."""
    return min(seconds for name, seconds in row["times"].items() if name not in OURS)


def against(rows: Iterable[Row], name: str) -> float | None:
    """A peer's time divided by loopweld's."""
    return mean(row["times"][name] / row["times"][NEW] for row in rows if name in row["times"])


# ---- one size --------------------------------------------------------------------------
def size_table(found: Found, size: str, threads: int) -> str:
    """Every case: times of all, with the least in bold, then ratios."""
    names = {NEW: "loopweld", INTO: "into arrays"} | peers(found)
    heads = ["case", *names.values(), "floor", "of best peer", "NumPy / loopweld", "of floor"]
    return table(heads, [_case(row, list(names)) for row in chosen(found, size, threads)])


def _case(row: Row, names: list[str]) -> list[str]:
    times, least = row["times"], min(row["times"].values())
    cells = [_time(times.get(name), least) for name in names]
    ours = times[NEW]
    numpy = ratio(times["numpy"] / ours) if "numpy" in times else "-"
    floor, of_floor = (duration(row["floor"]), ratio(ours / row["floor"])) if "floor" in row else ("-", "-")
    return [f"`{row['case']}`", *cells, floor, ratio(ours / best(row)), numpy, of_floor]


def _time(seconds: float | None, least: float) -> str:
    if seconds is None:
        return "-"
    return f"**{duration(seconds)}**" if seconds == least else duration(seconds)


# ---- all sizes -------------------------------------------------------------------------
def summary(found: Found) -> str:
    """Geometric means over the cases of each size and number of threads."""
    heads = ["size", "threads", "cases", "fastest of all", "of best peer", "NumPy / loopweld", "of floor"]
    heads += ["of floor, into arrays", "one thread / this, and the least"]
    rows: list[list[str]] = []
    for threads in found["threads"]:
        for size in "SML":
            cases = chosen(found, size, threads)
            if cases:
                ahead = sum(row["times"][NEW] <= best(row) for row in cases)
                means: list[float | None] = [mean(row["times"][NEW] / best(row) for row in cases)]
                means += [against(cases, "numpy"), *(_of_floor(cases, name) for name in OURS)]
                shown = [ratio(value) for value in means]
                rows.append([size, str(threads), str(len(cases)), str(ahead), *shown, _gain(found, size, threads)])
    return table(heads, rows)


def _gain(found: Found, size: str, threads: int) -> str:
    """How many times faster loopweld is than with one thread, in the same turns: the mean, and the least."""
    rows = [row for row in chosen(found, size, threads) if "one_thread" in row]
    gains = [row["one_thread"] / row["times"][NEW] for row in rows]
    return f"{ratio(mean(gains))}, {ratio(min(gains))}" if gains else "-"


def _of_floor(rows: Iterable[Row], name: str) -> float | None:
    return mean(row["times"][name] / row["floor"] for row in rows if name in row["times"] and "floor" in row)


def kinds(found: Found, sizes: str = "ML") -> str:
    """For each kind of program: how many times loopweld's time each peer takes, and how far from the floor."""
    rows, names = chosen(found, sizes), peers(found)
    groups = {kind: [row for row in rows if row["kind"] == kind] for kind in dict.fromkeys(row["kind"] for row in rows)}
    groups["**all**"] = rows
    lines = [
        [kind, *(ratio(against(group, name)) for name in names), ratio(_of_floor(group, NEW))]
        for kind, group in groups.items()
    ]
    return table(["programs", *names.values(), "loopweld / floor"], lines)


CLOSE = 0.95
"""A peer whose time divided by ours is above this is not called faster."""


def behind(found: Found, sizes: str = "ML") -> str:
    """On how many cases nobody is faster, and the cases where a peer is, and by how much."""
    rows, names = chosen(found, sizes), peers(found)
    lost = sorted((row for row in rows if _lead(row) < CLOSE), key=_lead)
    fastest = sum(_lead(row) >= 1 for row in rows)
    total = f"Of {len(rows)} measurements loopweld is the fastest in {fastest}, and at most 5 % behind in "
    total += f"{len(rows) - fastest - len(lost)}."
    shown = [f"`{row['case']}` {row['size']} ({_winner(row, names)}, {1 / _lead(row):.2f})" for row in lost]
    return f"{total} A peer is faster in {', '.join(shown)}: loopweld's time divided by its." if lost else total


def _lead(row: Row) -> float:
    """The best peer's time divided by ours."""
    return best(row) / row["times"][NEW]


def _winner(row: Row, names: dict[str, str]) -> str:
    return min((seconds, names[name]) for name, seconds in row["times"].items() if name in names)[1]


def each_peer(found: Found) -> str:
    """For each peer: how many times loopweld's time it takes, where it is faster, and its first call."""
    heads = ["peer", "version", *(f"{size}: its time / loopweld's" for size in "SML"), "it is faster on", "first call"]
    lines: list[list[str]] = []
    for name, title in peers(found).items():
        rows = [row for row in chosen(found) if name in row["times"]]
        ahead = sum(row["times"][name] < row["times"][NEW] for row in rows)
        means = [ratio(against(chosen(found, size), name)) for size in "SML"]
        first = _median(row["first"][name] for row in rows if name in row.get("first", {}))
        lines.append([title, found["peers"][name]["version"], *means, f"{ahead} of {len(rows)}", first])
    return table(heads, lines)


# ---- first calls and noise ---------------------------------------------------------------
def first_calls(found: Found) -> str:
    """What comes before a second call: of each program, and of the first one in a process."""
    rows = [row for row in chosen(found, "S") if "first" in row]

    def line(title: str, taken: Callable[[Row], float | None], start: str) -> list[str]:
        times = [seconds for row in rows if (seconds := taken(row)) is not None]
        return [title, _median(times), duration(max(times)) if times else "-", start]

    lines = [
        line(about["title"], lambda row, name=name: row["first"].get(name), duration(about["start"]))
        for name, about in found["peers"].items()
        if name != INTO
    ]
    lines.insert(1, line("loopweld, from its cache on disk", lambda row: row["from_disk"], "-"))
    return table(["", "median of the cases", "longest", "import and a first program"], lines)


def _median(values: Iterable[float]) -> str:
    times = list(values)
    return duration(median(times)) if times else "-"


def noise(found: Found) -> str:
    """How far the median turn is above the least: the middle of all measurements, and the worst tenth."""
    spreads = sorted(spread for row in found["rows"] for spread in row["spread"].values())
    middle, tenth = (f"{100 * spreads[int(len(spreads) * share)]:.0f} %" for share in (0.5, 0.9))
    return f"the median turn takes {middle} more than the least (half of the measurements), {tenth} in the worst tenth"
