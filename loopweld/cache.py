"""`loopweld cache ls|stat|clear`: the compiled programs that later processes reuse, by their last use."""

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
        print(f"removed {cache.clear()} programs from {cache.folder}")
        return 0
    entries = cache.entries()
    if action == "ls":
        for entry in entries:
            when = datetime.datetime.fromtimestamp(entry.used).isoformat(" ", "minutes")
            print(f"{when}  {entry.bytes:>9} bytes  {entry.path.stem[:16]}")
    total = sum(entry.bytes for entry in entries)
    print(f"{len(entries)} programs, {total} of at most {cache.limit} bytes, in {cache.folder}")
    return 0
