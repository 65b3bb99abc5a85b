"""`loopweld cache ls|stat|clear`: the compiled objects that later processes reuse."""

import argparse
import datetime
from collections.abc import Sequence

from loopweld.environment import object_cache


def main(argv: Sequence[str]) -> int:
    """Runs the command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="loopweld cache", description=__doc__)
    parser.add_argument("action", choices=("ls", "stat", "clear"))
    action = parser.parse_args(argv).action
    cache = object_cache()
    if cache is None:
        print("the cache is off (LOOPWELD_CACHE_DIR=off)")
        return 0
    if action == "clear":
        print(f"removed {cache.clear()} objects from {cache.folder}")
        return 0
    entries = cache.entries()
    if action == "ls":
        for path in entries:
            when = datetime.datetime.fromtimestamp(path.stat().st_mtime).isoformat(" ", "minutes")
            print(f"{when}  {path.stat().st_size:>9} bytes  {path.stem[:16]}")
    total = sum(path.stat().st_size for path in entries)
    print(f"{len(entries)} objects, {total} bytes, in {cache.folder}")
    return 0
