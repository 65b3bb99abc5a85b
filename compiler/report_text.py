"""A report as a table of at most 100 columns."""

from __future__ import annotations

from .report import KernelReport, Report, Traffic


def quantity(count: int) -> str:
    """Bytes in a few characters: 512 B, 4.0 KB, 12.3 MB."""
    value = float(count)
    for unit in ("B", "KB", "MB", "GB"):
        if value < 1000 or unit == "GB":
            return f"{int(value)} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    raise AssertionError("the last unit returns")


def report_text(report: Report) -> str:
    """What `print(report)` shows."""
    count = len(report.kernels)
    lines = [
        f"{count} kernel{'s' if count != 1 else ''}, "
        f"{quantity(report.bytes_moved)} moved (minimum {quantity(report.bytes_minimum)}), "
        f"{quantity(report.temporary_bytes)} temporaries, {quantity(report.scratch_bytes)} scratch"
    ]
    if report.assumed:
        sizes = ", ".join(f"{n} = {v}" for n, v in report.sizes.items())
        lines.append(f"no call yet: sizes assumed {sizes}")
    for kernel in report.kernels:
        lines += _kernel_lines(kernel)
    if report.library_calls:
        lines.append("library calls: " + ", ".join(report.library_calls))
    if report.decisions:
        lines.append("")
        lines.append(f"{'decision':<8} {'reason':<24} {'bytes':>9}  producer -> consumer")
        for d in report.decisions:
            verdict = "fused" if d.fused else "kept"
            pair = f"{d.producer} -> {d.consumer}"
            where = f"  {d.location.rsplit('/', 1)[-1]}" if d.location else ""
            lines.append(f"{verdict:<8} {d.reason:<24} {quantity(d.bytes_saved):>9}  {pair}{where}"[:100])
    return "\n".join(lines)


def _kernel_lines(kernel: KernelReport) -> list[str]:
    sweeps = f"{kernel.sweeps} sweep{'s' if kernel.sweeps != 1 else ''}"
    head = f"  {kernel.name}: {sweeps}, {len(kernel.ops)} ops, {kernel.vector_width} lanes"
    return [head[:100], _traffic("reads", kernel.reads), _traffic("writes", kernel.writes)]


def _traffic(word: str, items: tuple[Traffic, ...]) -> str:
    parts = [f"{t.tensor} {quantity(t.bytes)}" + (f" (x{t.times})" if t.times > 1 else "") for t in items]
    return f"    {word:<6} {', '.join(parts) or 'nothing'}"[:100]
