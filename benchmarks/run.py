"""loopweld and its peers on the programs of cases/: interleaved, verified, beside what the machine could do.

python benchmarks/run.py [--sizes S M L] [--threads 1 2] [--peers NAME ...] [--only CASE ...] [--write-results]

Each peer has a process of its own on the same cores. For each case all of them get the same arrays, are compared with
NumPy in float64, and then take turns; the least time counts. Peers that are not installed are left out.
`--write-results` puts tables and plots where they are shown: in benchmarks/RESULTS.md, README.md and docs/faq.md.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any

import documents
import numpy as np
from cases import CASES, Case
from limits import Limits, measure_limits
from machine import describe
from peers import OURS, PEERS, numpy_words
from process import Process
from tables import amount

DEFAULT = ("numpy", "numba", "jax", "iree")
BURST = {"S": 0.01, "M": 0.02, "L": 0.04}
"""Seconds that a peer is timed for when it is its turn."""
SLOW = 1.0
"""Seconds of a call from which one turn is enough."""

Row = dict[str, Any]


def main() -> None:
    options = arguments()
    if options.read:
        found = json.loads(Path(options.read).read_text(encoding="utf-8"))
    else:
        found: dict[str, Any] = {"machine": describe(), "command": command(options), "threads": options.threads}
        found |= {"peers": {}, "limits": {}, "rows": []}
        for threads in options.threads:
            measure(options, threads, found)
    if options.json:
        Path(options.json).write_text(json.dumps(found), encoding="utf-8")
    if options.write_results:
        documents.write(found)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", nargs="+", choices="SML", default=["S", "M", "L"])
    parser.add_argument("--threads", nargs="+", type=int, default=[1], metavar="N")
    parser.add_argument("--peers", nargs="+", choices=[*PEERS, "all"], default=DEFAULT, metavar="NAME",
                        help=f"of {', '.join(PEERS)}; or all (default {' '.join(DEFAULT)})")  # fmt: skip
    parser.add_argument("--only", nargs="+", choices=list(CASES), metavar="CASE", help="these cases")
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="turns of each peer (default 5)")
    parser.add_argument("--python", nargs="+", default=[], metavar="PEER=PATH", help="a peer's own interpreter")
    parser.add_argument("--json", metavar="FILE", help="write the numbers there")
    parser.add_argument("--read", metavar="FILE", help="do not measure; take the numbers that --json wrote")
    parser.add_argument("--write-results", action="store_true", help="refresh the documents")
    return parser.parse_args()


def command(options: argparse.Namespace) -> str:
    """What to type for these measurements."""
    words: list[Any] = ["--sizes", *options.sizes, "--threads", *options.threads, "--peers", *options.peers]
    words += ["--only", *options.only] if options.only else []
    return " ".join(map(str, ["python benchmarks/run.py", *words, "--rounds", options.rounds, "--write-results"]))


def measure(options: argparse.Namespace, threads: int, found: dict[str, Any]) -> None:
    """Adds the rows of all cases with a number of threads."""
    names = [name for name in PEERS if name in (*OURS, *options.peers) or "all" in options.peers]
    with ExitStack() as stack:
        cache = stack.enter_context(tempfile.TemporaryDirectory())
        shared = "/dev/shm" if os.path.isdir("/dev/shm") else None
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=shared)))
        python = dict(text.split("=", 1) for text in options.python)
        # what several threads gain is told by one thread on the same cores, in the same turns
        wanted = [*((name, threads) for name in names), *[(OURS[0], 1)] * (threads > 1)]
        peers = [
            stack.enter_context(Process(name, own, threads, cache, python.get(name, sys.executable)))
            for name, own in wanted
        ]
        for peer in [peer for peer in peers if "skip" in peer.about]:
            print(f"{peer.name}: {peer.about['skip']}", flush=True)
            peers.remove(peer)
        for peer in peers:
            found["peers"].setdefault(peer.name, {"title": PEERS[peer.name].title} | peer.about)
        limits = measure_limits(threads) if options.sizes != ["S"] else None
        rows = [
            measure_case(CASES[name], size, peers, folder, options.rounds) | {"threads": threads}
            for name in options.only or CASES
            for size in options.sizes
            if size in CASES[name].sizes
        ]
        if limits is not None:
            limits = limits.better(measure_limits(threads))
            found["limits"][str(threads)] = vars(limits)
    found["rows"] += [with_floor(row, limits) for row in rows]


def with_floor(row: Row, limits: Limits | None) -> Row:
    """The row with the least time of a call; at size S that is the call itself, not its bytes."""
    operations = row.pop("operations")
    if row["size"] == "S" or limits is None:
        return row
    is_double = CASES[row["case"]].dtype == "float64"
    return row | {"floor": amount(limits.seconds(row["bytes"], operations, is_double))}


def measure_case(case: Case, size: str, peers: list[Process], folder: Path, rounds: int) -> Row:
    start = time.perf_counter()
    row, task = prepare(case, size, folder)
    # what a first call takes is asked at the smallest size only, where nothing runs beside it
    with ThreadPoolExecutor(1 if size == "S" else len(os.sched_getaffinity(0))) as pool:
        built = dict(zip(peers, pool.map(lambda peer: peer.ask("build", **task), peers), strict=True))
    able = [peer for peer, about in built.items() if "skip" not in about]
    times: dict[Process, list[float]] = {peer: [] for peer in able}
    for turn in range(rounds):
        for peer in able if turn % 2 == 0 else able[::-1]:
            if turn == 0 or built[peer]["seconds"] < SLOW:
                times[peer].append(peer.ask("time", seconds=BURST[size])["seconds"])
    for peer in peers:
        peer.ask("free")
    for peer in [peer for peer in able if peer.threads < peers[0].threads]:
        able.remove(peer)
        row["one_thread"] = amount(min(times.pop(peer)))
    row["times"] = {p.name: amount(min(t)) for p, t in times.items()}
    row["spread"] = {p.name: round(median(t) / min(t) - 1, 3) for p, t in times.items()}
    row["skipped"] = {p.name: about["skip"] for p, about in built.items() if "skip" in about}
    if size == "S":
        row["first"] = {p.name: amount(built[p]["first"]) for p in able}
        row["from_disk"] = amount(built[able[0]].get("from_disk", 0)) if able else 0
    shown = "  ".join(f"{name} {seconds * 1e6:.4g}" for name, seconds in row["times"].items())
    print(f"{case.name} {size} [{time.perf_counter() - start:.0f} s], in us: {shown}", flush=True)
    for name, reason in row["skipped"].items():
        print(f"  {name}: {reason}", flush=True)
    return row


def prepare(case: Case, size: str, folder: Path) -> tuple[Row, dict[str, Any]]:
    """The row with what a call has to do; and what a worker needs, with inputs and exact results in files."""
    inputs = case.inputs(size, np.random.default_rng(7))
    wide = [a.astype(np.float64) if a.dtype.kind == "f" else a for a in inputs]
    exact = case.function(numpy_words(), *wide)
    exact = [np.asarray(a) for a in (exact if isinstance(exact, tuple) else (exact,))]
    dtypes = [case.dtype if a.dtype.kind == "f" else str(a.dtype) for a in exact]
    expected = [a.astype(dtype) for a, dtype in zip(exact, dtypes, strict=True)]
    moved = case.bytes_read(inputs) + sum(a.nbytes for a in expected)
    row = {"case": case.name, "kind": case.kind, "size": size, "bytes": moved}
    task = {
        "case": case.name,
        "inputs": saved(inputs, folder / "input"),
        "expected": saved(expected, folder / "result"),
    }
    return row | {"operations": case.count(inputs)}, task


def saved(arrays: list[Any], prefix: Path) -> list[str]:
    paths = [f"{prefix}{k}.npy" for k in range(len(arrays))]
    for path, array in zip(paths, arrays, strict=True):
        np.save(path, array)
    return paths


if __name__ == "__main__":
    main()
