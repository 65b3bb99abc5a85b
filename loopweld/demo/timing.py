"""How long functions take, side by side: medians of interleaved samples."""

from collections.abc import Callable, Sequence
from statistics import median
from time import perf_counter
from typing import Any

SAMPLE = 2e-4
"""Seconds that one sample lasts at least, so that the clock's own cost does not show."""

LEAST = 5
"""Samples that a median is taken of at least."""

HEAP = 31 << 20
"""Bytes of a block whose release makes glibc serve smaller ones from memory that it keeps (its limit is 32 MiB)."""

Call = Callable[[], Any]


def interleaved(calls: Sequence[Call], seconds: float) -> list[float]:
    """Seconds that each call takes: the medians of samples taken in turn for about `seconds` altogether."""
    return [median(found) for found in samples(calls, seconds)]


def samples(calls: Sequence[Call], seconds: float) -> list[list[float]]:
    """Seconds that each call takes, again and again, in turn for about `seconds` altogether.

    Taking turns spreads what the machine does meanwhile evenly over the calls. Each call runs beforehand, unmeasured,
    and the allocator is settled first: else new results cost page faults that come and go with a process's history.
    """
    bytearray(HEAP)
    repeats = [_repeats(call) for call in calls]
    found: list[list[float]] = [[] for _ in calls]
    end = perf_counter() + seconds
    while len(found[0]) < LEAST or perf_counter() < end:
        for call, times, own in zip(calls, repeats, found, strict=True):
            own.append(sample(call, times))
    return found


def sample(call: Call, times: int) -> float:
    """Seconds a call, over `times` calls."""
    start = perf_counter()
    for _ in range(times):
        call()
    return (perf_counter() - start) / times


def _repeats(call: Call) -> int:
    """How many calls make a sample."""
    call()
    times = 1
    while sample(call, times) * times < SAMPLE:
        times *= 2
    return times
