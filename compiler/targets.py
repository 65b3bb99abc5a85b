"""Targets: what a program is compiled for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

_LEVELS = {
    "x86-64": (128, "+sse2"),
    "x86-64-v2": (128, "+sse4.2,+popcnt"),
    "x86-64-v3": (256, "+avx2,+fma,+bmi2,+f16c"),
    "x86-64-v4": (512, "+avx512f,+avx512bw,+avx512cd,+avx512dq,+avx512vl,+avx2,+fma,+bmi2,+f16c"),
}


@dataclass(frozen=True)
class Target:
    """`Target("cpu")`, the machine this runs on; `Target("x86-64-v3")`, a level of its architecture;
    `Target("numpy")`, the reference evaluator, which never fuses.

    `vector_bits` is the register size to vectorise for, `row_bytes` what one outer iteration of a kernel may
    keep in cache, `max_streams` how many tensors one loop may read and write.
    """

    name: str = "cpu"
    vector_bits: int = 0
    features: str = ""
    row_bytes: int = 1 << 20
    max_streams: int = 24

    @staticmethod
    def host() -> Target:
        """The machine this process runs on."""
        return _host()

    @property
    def is_numpy(self) -> bool:
        return self.name == "numpy"

    def resolved(self) -> Target:
        """The target with vector size and features filled in.

        Raises ValueError for a name that is neither "cpu", "numpy" nor a known level.
        """
        if self.name == "numpy" or self.vector_bits:
            return self
        if self.name == "cpu":
            return _host()
        if self.name in _LEVELS:
            bits, features = _LEVELS[self.name]
            return Target(self.name, bits, features, self.row_bytes, self.max_streams)
        known = ", ".join(["cpu", "numpy", *_LEVELS])
        raise ValueError(f"unknown target {self.name!r}; known are {known}")


def as_target(target: Target | str) -> Target:
    return (Target(target) if isinstance(target, str) else target).resolved()


@lru_cache
def _host() -> Target:
    from .codegen.jit import host

    features = host().features
    bits = 512 if "+avx512f" in features.split(",") else 256 if "+avx2" in features.split(",") else 128
    return Target("cpu", bits, features)
