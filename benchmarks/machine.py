"""What is measured on: a description, and the cores of a process."""

import os
import platform
from datetime import date
from pathlib import Path

import numpy as np

import loopweld


def pin(threads: int) -> None:
    """Keeps this process on as many cores, where the system can."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])


def describe() -> dict[str, str | int | None]:
    """The machine and the versions, for people."""
    return {
        "date": date.today().isoformat(),
        "processor": processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "platform": f"{platform.system()} on {platform.machine()}",
        "python": platform.python_version(),
        "numpy": np.__version__,
        "loopweld": loopweld.__version__,
        "load": f"{os.getloadavg()[0]:.1f}",
    }


def processor() -> str:
    """The CPU's name, where Linux tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()
