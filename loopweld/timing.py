"""`--mlir-timing`: how long each step of a run took."""

import json
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Timing:
    """Seconds of wall time of each step, in their order. Steps of the same name that follow each other are one."""

    steps: list[tuple[str, float]] = field(default_factory=list[tuple[str, float]])
    began: float = field(default_factory=time.perf_counter)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            self.steps.append((name, time.perf_counter() - start))

    @property
    def last(self) -> float:
        """Seconds of the last step."""
        return self.steps[-1][1]

    def report(self, display: str = "tree", form: str = "text") -> str:
        """What `mlir-opt --mlir-timing` prints: `display` is "tree" (in order) or "list" (longest first), `form` is
        "text" or "json"."""
        total = time.perf_counter() - self.began
        rows = self._by_time() if display == "list" else self._in_order()
        rest = ("Rest", max(total - sum(seconds for _, seconds in rows), 0.0))
        rows += [rest, ("Total", total)]
        return _json(rows, total, nested=display == "tree") if form == "json" else _text(rows, total)

    def _by_time(self) -> list[tuple[str, float]]:
        found: Counter[str] = Counter()
        for name, seconds in self.steps:
            found[name] += seconds  # pyright: ignore[reportArgumentType]
        return sorted(((name, float(seconds)) for name, seconds in found.items()), key=lambda row: -row[1])

    def _in_order(self) -> list[tuple[str, float]]:
        """Each pass at its place; what is verified before and after it is one row."""
        verified = sum(seconds for name, seconds in self.steps if name == VERIFYING)
        rows = [step for step in self.steps if step[0] != VERIFYING]
        return [*rows, (VERIFYING, verified)] if verified else rows


VERIFYING = "(V) verification"


def _text(rows: list[tuple[str, float]], total: float) -> str:
    return "\n".join(
        (
            *heading("Execution time report"),
            f"  Total Execution Time: {total:.4f} seconds",
            "",
            "  ----Wall Time----  ----Name----",
            *(f"  {taken:8.4f} ({_share(taken, total):5.1f}%)  {name}" for name, taken in rows),
        )
    )


def _json(rows: list[tuple[str, float]], total: float, nested: bool) -> str:
    """As MLIR writes it, where an entry of a tree ends its list of inner passes (ours have none) with an empty one."""
    entries: list[dict[str, object]] = []
    for name, taken in rows:
        wall = {"duration": round(taken, 6), "percentage": round(_share(taken, total), 1)}
        inner: dict[str, object] = {"passes": [{}]} if nested and name not in ("Rest", "Total") else {}
        entries.append({"wall": wall, "name": name} | inner)
    return json.dumps(entries, indent=1)


def _share(part: float, total: float) -> float:
    return 100 * part / (total or 1)


def heading(title: str) -> tuple[str, str, str]:
    """The box around the title of a report, as MLIR draws it."""
    rule = f"==={'-' * 73}==="
    return rule, f"... {title} ...".center(len(rule)).rstrip(), rule
