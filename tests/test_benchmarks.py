"""The benchmarks run on what is installed, and the documents show what was measured last."""

import json
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "benchmarks"


def test_programs_are_measured(tmp_path: Path):
    """A small case, and one whose loops are long, against NumPy; what is not installed is named."""
    file = tmp_path / "numbers.json"
    command = ["--sizes", "S", "--only", "tiny", "softmax_32", "--peers", "numpy", "--rounds", "2", "--json", str(file)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, str(FOLDER / "run.py"), *command], capture_output=True, text=True, env=environment
    )
    assert done.returncode == 0, done.stdout + done.stderr
    rows = json.loads(file.read_text(encoding="utf-8"))["rows"]
    assert [row["case"] for row in rows] == ["tiny", "softmax_32"]
    for row in rows:
        assert row["times"].keys() == {"loopweld", "loopweld-out", "numpy"} and not row["skipped"], row
        assert all(0 < seconds < 1 for seconds in row["times"].values())
        assert 0 < row["from_disk"] < row["first"]["loopweld"]


def test_floor_takes_from_each_cache_what_it_can_hold(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(str(FOLDER))
    limits = import_module("limits").Limits([8.0, 4.0, 2.0], 100.0, [16, 40])
    assert [limits.seconds(moved, {}, False) for moved in (8, 16, 24, 60)] == [1, 2, 2 + 2, 2 + 6 + 10]
    assert limits.seconds(8, {"flop": 200.0}, False) == 2 and limits.seconds(8, {"flop": 200.0}, True) == 4


@pytest.fixture
def documents(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(FOLDER))
    return import_module("documents")


def test_documents_show_what_was_measured(documents: Any):
    """After a change of a table: `python benchmarks/run.py --read benchmarks/results.json --write-results`."""
    found = json.loads(documents.NUMBERS.read_text(encoding="utf-8"))
    for path, text in documents.rendered(found).items():
        assert path.read_text(encoding="utf-8") == text, path.name


def test_means_are_geometric_and_the_least_time_is_bold(documents: Any):
    peers = {name: {"title": name, "version": "1", "start": 1.0} for name in ("loopweld", "loopweld-out", "numpy")}
    rows = [
        {"case": "a", "kind": "k", "size": "M", "threads": 1, "floor": 1.0, "spread": {}, "skipped": {}, "bytes": 8}
        | {"times": {"loopweld": 2.0, "numpy": seconds}}
        for seconds in (1.0, 16.0)
    ]
    rows += [row | {"threads": 2, "one_thread": one} for row, one in zip(rows, (1.0, 4.0), strict=True)]
    found = {"peers": peers, "threads": [1, 2], "limits": {}, "rows": rows}
    lines = documents.tables.summary(found).splitlines()
    assert lines[2] == "| M | 1 | 2 | 1 | 0.50 | 2.00 | 2.00 | - | - |"
    assert lines[3] == "| M | 2 | 2 | 1 | 0.50 | 2.00 | 2.00 | - | 1.00, 0.50 |"
    assert "| `a` | 2 s | - | **1 s** | 1 s | 2.00 | 0.50 | 2.00 |" in documents.tables.size_table(found, "M", 1)
    assert "A peer is faster in `a` M (numpy, 2.00)" in documents.tables.behind(found)
    assert documents.plot(found, "M", 1).count("<circle") == 4 + 3  # the marks and the legend
