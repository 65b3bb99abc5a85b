"""A profile as a table of at most 100 columns."""

from __future__ import annotations

from .profile import Profile, Span
from .report_text import cut, plural, quantity, scaled


def profile_text(profile: Profile) -> str:
    """What `print(profile)` shows."""
    limits = profile.machine
    bandwidth, flops = quantity(round(limits.bandwidth)), scaled(round(limits.flops), "flop")
    lines = [
        f"{duration(profile.seconds)} a call on {plural(limits.threads, 'thread')}; "
        f"the machine moves {bandwidth}/s and computes {flops}/s at most",
        "",
        f"  {'time':>8} {'share':>6} {'moved':>9} {'bytes/s':>11} {'flop/s':>13}  of the limit  what",
    ]
    total = sum(span.seconds for span in profile.spans) or 1.0
    return "\n".join([*lines, *(_line(span, span.seconds / total) for span in profile.spans)])


def _line(span: Span, share: float) -> str:
    start, name = f"  {duration(span.seconds):>8} {100 * share:4.0f} % ", cut(span.name, 32)
    if span.kind == "call":
        return f"{start}{'':>49}  {cut(name, 24)} (library)"
    rate = scaled(round(span.flops / max(span.seconds, 1e-12)), "flop")
    rates = f"{quantity(span.bytes):>9} {quantity(round(span.bandwidth)):>9}/s {rate:>11}/s"
    return f"{start}{rates} {100 * span.share:11.0f} %  {name}"


def duration(seconds: float) -> str:
    """12.3 us, 4.56 ms: three digits."""
    for unit, factor in (("s", 1.0), ("ms", 1e3), ("us", 1e6)):
        if seconds * factor >= 1:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"
