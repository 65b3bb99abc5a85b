"""LLVM text to native code in this process."""

# llvmlite has neither annotations nor stubs:
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import count
from typing import Any

import llvmlite
import llvmlite.binding as llvm

from . import forks
from .half import HELPERS

_numbers = count()


@dataclass(frozen=True)
class NativeTarget:
    """An LLVM CPU and its features."""

    cpu: str
    features: str


@lru_cache
def host() -> NativeTarget:
    """The CPU this process runs on."""
    return NativeTarget(llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten())


def registers(target: NativeTarget) -> tuple[int, int]:
    """How many vector registers the CPU has, and how many bytes each."""
    features = target.features.split(",")
    if "+avx512f" in features:
        return 32, 64
    if "+avx2" in features:
        return 16, 32
    return (32 if "+neon" in features else 16), 16


VERSION = f"llvmlite {llvmlite.__version__}, LLVM {'.'.join(map(str, llvm.llvm_version_info))}, emitter 3"
"""What compiled an object; raise the last number when the same text would become other code."""


def native(name: str, features: str) -> NativeTarget:
    """The LLVM target of one of our target names."""
    return NativeTarget(host().cpu if name == "cpu" else name, features)


def check_runs(target: NativeTarget) -> None:
    """ValueError where this machine lacks an instruction set that the target's code would use."""
    here = set(host().features.split(","))
    missing = [f[1:] for f in target.features.split(",") if f.startswith("+") and f not in here]
    if missing:
        raise ValueError(f"target {target.cpu!r} needs {', '.join(missing)}, which this machine does not have")


@lru_cache
def machine(target: NativeTarget) -> Any:
    """The target machine for a CPU; the small code model gives shorter code than the JIT's default."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return llvm.Target.from_default_triple().create_target_machine(
        cpu=target.cpu, features=target.features, opt=2, codemodel="small", reloc="pic"
    )


def parse(text: str, target: NativeTarget) -> Any:
    """A verified LLVM module. RuntimeError with LLVM's message for wrong text."""
    tm = machine(target)
    module = llvm.parse_assembly(text, llvm.create_context())
    module.triple = llvm.get_default_triple()
    module.data_layout = str(tm.target_data)
    module.verify()
    return module


def optimise(module: Any, target: NativeTarget) -> None:
    """Inline what must be inlined; the loops are vector code already."""
    options = llvm.create_pipeline_tuning_options(speed_level=0)
    builder = llvm.create_pass_builder(machine(target), options)
    builder.getModulePassManager().run(module, builder)


_SKIPPED = ("lsr", "cgp")
"""Passes of LLVM's code generator that find better addresses, in a third of its time: loops of vectors are as fast with
an addition for each. To skip more of them takes as long as it saves."""


def _emit(emit: Callable[[Any], Any], module: Any) -> Any:
    """What `emit` makes of a module of vector loops, on x86 without the passes in `_SKIPPED`. Their options are the
    process's; nobody else's code is compiled while they are set."""
    if not module.triple.startswith("x86_64"):
        return emit(module)
    with forks.LLVM:
        _skip("true")
        try:
            return emit(module)
        finally:
            _skip("false")


def _skip(value: str) -> None:
    for name in _SKIPPED:
        llvm.set_option("loopweld", f"-disable-{name}={value}")


def compile_object(text: str, target: NativeTarget, scalar_loops: bool = False) -> bytes:
    """LLVM text to an object file; `scalar_loops` says that there are loops of scalars to make fast."""
    if "half" in text and "+f16c" not in target.features.split(","):
        text += HELPERS
    module = parse(text, target)
    optimise(module, target)
    emit = machine(target).emit_object
    return emit(module) if scalar_loops else _emit(emit, module)


def assembly(text: str, target: NativeTarget) -> str:
    """LLVM text to assembly."""
    module = parse(text, target)
    optimise(module, target)
    return _emit(machine(target).emit_assembly, module)


_STARTING = forks.lock()


def _linker() -> Any:
    """The JIT that objects are linked into; it lives as long as the process. There is one, whoever asks first."""
    with _STARTING:
        return _start_linker()


@lru_cache
def _start_linker() -> Any:
    return llvm.create_lljit_compiler(machine(host()))


def warm_up() -> None:
    """Start LLVM and its linker."""
    machine(host())
    _linker()


@dataclass(frozen=True)
class Loaded:
    """Linked native code: the addresses of its exported functions."""

    addresses: dict[str, int]
    tracker: Any
    """Keeps the code alive."""


def load(image: bytes, symbols: Sequence[str], imports: Mapping[str, int] | None = None) -> Loaded:
    """Link an object file into this process; `imports` gives addresses for names that it leaves open."""
    builder = llvm.JITLibraryBuilder().add_object_img(image).add_current_process()
    for name, address in (imports or {}).items():
        builder.import_symbol(name, address)
    for symbol in symbols:
        builder.export_symbol(symbol)
    tracker = builder.link(_linker(), f"loopweld{next(_numbers)}")
    return Loaded({s: int(tracker[s]) for s in symbols}, tracker)
