"""Targets: what a program is compiled for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from ..passes.fusion.profit import Choice

_LEVELS = {
    "x86-64": (128, "+sse2"),
    "x86-64-v2": (128, "+sse4.2,+popcnt"),
    "x86-64-v3": (256, "+avx2,+fma,+bmi2,+f16c"),
    "x86-64-v4": (512, "+avx512f,+avx512bw,+avx512cd,+avx512dq,+avx512vl,+avx2,+fma,+bmi2,+f16c"),
}

USUAL_CACHE = (32 << 20, 2 << 20)
"""A last-level cache, and what each thread has of it, where nothing is known of the machine."""

_CACHES = Path("/sys/devices/system/cpu/cpu0/cache")
"""Where Linux describes the caches of the first CPU."""


@dataclass(frozen=True)
class Target:
    """What a program is compiled for, and what the passes decide by.

    `Target("cpu")` is the machine this runs on, `Target("x86-64-v3")` a level of its architecture, `Target("numpy")`
    the reference evaluator, which never fuses.
    """

    name: str = "cpu"
    vector_bits: int = 0
    """Size of a vector register, in bits; 0 stands for the named machine's."""
    features: str = ""
    """LLVM's names of the features that code may use."""
    registers: int = 0
    """Vector registers that a loop may fill; 0 stands for the named machine's."""
    cache_bytes: int = 1 << 20
    """The second-level cache: what one outer iteration of a kernel may keep, in bytes."""
    last_cache_bytes: int = 0
    """The last-level cache: results larger than that are written past the caches; 0 stands for the named machine's."""
    last_cache_share: int = 0
    """What one thread has of the last-level cache; 0 stands for the named machine's."""
    bandwidth_ratio: int = 6
    """Vector instructions that take as long as storing and loading a vector: a value that costs no more is computed
    again instead of being kept in memory."""
    max_streams: int = 16
    """How many streams one loop may have: one for each tensor that it reads or reduces to, two for each that it
    writes."""
    fusion: str = "profit"
    """Which fusions are done: "profit" those that save bytes, "legal" all that give the right result, "never" none, and
    "random 7" those for which a coin falls that is thrown with seed 7."""
    lacks: frozenset[str] = frozenset()
    """Ops, such as "weld.erf", that the target has no code for: they become library calls."""

    @staticmethod
    def host() -> Target:
        """The machine this process runs on."""
        return Target().resolved()

    @property
    def kept_bytes(self) -> int:
        """How large a row with expensive values may be: with what is kept of it, and what is written, it is still in a
        cache when it is read again."""
        return max(self.cache_bytes, self.last_cache_share // 4)

    @property
    def is_numpy(self) -> bool:
        return self.name == "numpy"

    def resolved(self) -> Target:
        """The target with what is left open filled in from the named machine.

        Raises ValueError for a name that is neither "cpu", "numpy" nor a known level, for an unknown `fusion`, and for
        a name in `lacks` that no op has.
        """
        Choice(self.fusion)
        if self.lacks:
            _refuse_unknown(self.lacks)
        if self.name == "numpy":
            return self
        if self.name != "cpu" and self.name not in _LEVELS:
            known = ", ".join(["cpu", "numpy", *_LEVELS])
            raise ValueError(f"unknown target {self.name!r}; known are {known}")
        bits, features = _host() if self.name == "cpu" else _LEVELS[self.name]
        bits = self.vector_bits or bits
        registers = self.registers or (32 if bits == 512 else 16)
        whole, share = _last_cache() if self.name == "cpu" else USUAL_CACHE
        return replace(
            self,
            vector_bits=bits,
            features=self.features or features,
            registers=registers,
            last_cache_bytes=self.last_cache_bytes or whole,
            last_cache_share=self.last_cache_share or share,
        )


def _refuse_unknown(names: frozenset[str]) -> None:
    from ..dialects.weld import Weld

    unknown = sorted(names - {op.name for op in Weld.operations})
    if unknown:
        raise ValueError(f"a target cannot lack {unknown[0]!r}, which no op is called; names are such as 'weld.erf'")


def as_target(target: Target | str) -> Target:
    return (Target(target) if isinstance(target, str) else target).resolved()


@lru_cache
def _host() -> tuple[int, str]:
    """Vector bits and features of this machine."""
    from .codegen.jit import host

    features = host().features
    names = features.split(",")
    return 512 if "+avx512f" in names else 256 if "+avx2" in names else 128, features


@lru_cache
def _last_cache(folder: Path = _CACHES) -> tuple[int, int]:
    """This machine's last-level cache, and what each of the CPUs that share it has of it, in bytes."""
    try:
        levels = {int(_fact(cache / "level")): cache for cache in folder.glob("index*")}
        last = levels[max(levels)]
        size, shared = _fact(last / "size"), _fact(last / "shared_cpu_list")
        count = int(size[:-1]) << _UNITS[size[-1]]
        return count, count // sum(_cpus(span) for span in shared.split(","))
    except (OSError, ValueError, KeyError):
        return USUAL_CACHE


_UNITS = {"K": 10, "M": 20}


def _fact(file: Path) -> str:
    return file.read_text(encoding="utf-8").strip()


def _cpus(span: str) -> int:
    """How many CPUs "0-7" are, or "3"."""
    first, _, last = span.partition("-")
    return int(last or first) - int(first) + 1
