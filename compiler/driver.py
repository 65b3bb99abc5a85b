"""From a module to an executable: by way of the passes and LLVM, or of what an earlier compilation has left on disk."""

from __future__ import annotations

import gc
import pickle
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import lru_cache
from time import perf_counter
from typing import Any, Protocol

import numpy as np
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass, PassPipeline
from xdsl.utils.exceptions import DiagnosticException

from ..dialects.expr import Expr
from ..dialects.ir import copy
from ..dialects.weld.attributes import Dims
from ..passes import passes
from ..passes.evaluate import find_function
from ..passes.loops.lower import LowerToLoops, Program, lower_program
from ..passes.remarks import Decision, collect
from . import scipy_functions
from .checks import arguments_read, checks_alone, has_checks, overwrites
from .codegen import jit
from .codegen.cache import ObjectCache
from .codegen.functions import module_text
from .context import context
from .fingerprint import compiler_version, fingerprint
from .native import routine
from .pipeline import passes_of
from .reproducer import how_to_run, new_path, reproducer
from .runtime.executable import Executable, Later
from .runtime.pool import Pool
from .runtime.program import ProgramSpec
from .spec import program_spec
from .targets import Target
from .threads import imports, prepare, uses_threads


@dataclass(frozen=True)
class Stages:
    """What the passes made of a module, and why."""

    modules: dict[str, ModuleOp]
    """By stage: "kernels" and "loops"; all but "llvm" where they were asked for."""
    kernels: ModuleOp
    program: Program
    decisions: list[Decision]
    llvm: str
    timings: dict[str, float]
    """Milliseconds by pass."""


@dataclass(frozen=True)
class Native:
    """A compiled program as it is kept on disk."""

    spec: ProgramSpec
    """Without the arrays that the function closed over."""
    image: bytes
    symbols: tuple[str, ...]
    """The functions of the image."""
    uses_threads: bool
    scipy: tuple[str, ...]
    """The functions of SciPy that it calls."""
    assumed: tuple[Expr, ...]
    """For which sizes it was made: where these are not negative."""


@dataclass
class Compilation:
    """Everything that is known of a compiled program."""

    executable: Executable
    assumed: tuple[Expr, ...]
    """For which sizes the program is the best one: where these are not negative."""
    target: Target
    entry: str
    names: tuple[str, ...]
    """The arguments' names."""
    captured: int
    """How many trailing arguments are arrays that the function closed over."""
    disk_hit: bool
    """Whether the program came from the cache."""
    make: Callable[[], Stages]
    """Runs the passes and keeps all stages: for a program from the cache they have not run, for others the stages
    before "kernels" are gone."""
    made: Stages | None
    timings: dict[str, float] = field(default_factory=dict[str, float])
    """Milliseconds by stage."""
    threads: int = 1
    """How many threads may run it."""
    cache: ObjectCache | None = None
    """Where objects and what is known of the machine are kept."""

    @property
    def stages(self) -> Stages:
        """The program at its stages, which a program from the cache goes through when somebody asks for them."""
        if self.made is None:
            self.made = self.make()
        return self.made

    @property
    def modules(self) -> dict[str, ModuleOp]:
        """By stage, all but "llvm"."""
        if "tensor" not in self.stages.modules:
            self.made = self.make()
        return self.stages.modules

    @property
    def llvm(self) -> str:
        return self.stages.llvm

    @property
    def kernels(self) -> ModuleOp:
        return self.stages.kernels

    @property
    def program(self) -> Program:
        return self.stages.program

    @property
    def decisions(self) -> list[Decision]:
        return self.stages.decisions

    def text(self, stage: str) -> str | None:
        """The IR at one of `STAGES`; None where the pipeline of the target has no such stage."""
        if stage == "llvm":
            return self.llvm
        module = self.modules.get(stage)
        return str(module) + "\n" if module is not None else None


class Watch(Protocol):
    """Is told of each compilation."""

    def __call__(self, compilation: Compilation) -> None:
        """It has succeeded."""
        ...

    def failed(self, stages: Mapping[str, str]) -> None:
        """It has not: the text of the stages that it completed, and of "failed", what it was at."""
        ...


@lru_cache
def _pipeline(target: Target, numerics: str) -> tuple[tuple[ModulePass, str], ...]:
    available = passes()
    found: list[tuple[ModulePass, str]] = []
    for text, stage in passes_of(target, numerics):
        (each,) = PassPipeline.parse_spec(available, text).passes
        found.append((each, stage))
    return tuple(found)


def warm_up(target: Target, numerics: str, threads: int, cache: ObjectCache | None) -> None:
    """Load what every compilation needs: dialects, passes, LLVM, the threads' code. A first call of a function need not
    wait for it."""
    context()
    _pipeline(target, numerics)
    if not target.is_numpy:
        jit.warm_up()
        prepare(threads, cache)


def compile_module(
    module: ModuleOp,
    names: Sequence[str],
    target: Target,
    entry: str = "main",
    numerics: str = "fast",
    constants: Sequence[Any] = (),
    cache: ObjectCache | None = None,
    watch: Watch | None = None,
    pool: Pool | None = None,
    threads: int = 1,
) -> Compilation:
    """Compile function `entry` of a module of tensor ops (which is consumed).

    `names` are the arguments' names; `constants` are arrays for the trailing arguments, which callers do not
    pass. `cache` is where compiled programs are looked up and stored; `watch` is told of the result; `pool` is where
    large results and temporaries live (None keeps no memory between calls); `threads` is how many threads may run it.
    Raises VerifyException for a wrong module.
    """
    made: Stages | None = None
    timings: dict[str, float] = {}
    native = jit.native(target.name, target.features) if not target.is_numpy else None
    if native is not None:
        jit.check_runs(native)
    with _without_collections():
        start = perf_counter()
        key = _key(cache, module, names, target, entry, numerics) if cache is not None and native is not None else ""
        program = _read(cache.get(key)) if cache is not None and key else None
        hit = program is not None
        source = module if hit else copy(module)
        if program is None:
            made = _run_passes(module, target, entry, numerics, watch, whole=watch is not None)
            timings |= made.timings
            start = perf_counter()
            try:
                program = _native(made, names, constants, entry, target)
            except Exception:
                _tell(watch, made.modules, made.llvm)
                raise
            if cache is not None and key:
                cache.put(key, pickle.dumps(program))
        given = _addresses(program.uses_threads, program.scipy, threads, cache)
        loaded = jit.load(program.image, program.symbols, given) if program.symbols else jit.Loaded({}, None)
        timings["llvm"] = 1e3 * (perf_counter() - start)
    captured = tuple(np.ascontiguousarray(c) for c in constants)
    spec = replace(program.spec, constants=captured + program.spec.constants)

    def find_routine(name: str) -> int | None:
        return None if numerics == "strict" else routine(name, cache, threads)

    executable = Executable(spec, loaded.addresses, loaded, find_routine, pool or Pool(0))
    if has_checks(source, entry):

        def compile_checks() -> Executable:
            alone = checks_alone(source, entry)
            made = compile_module(alone, names, target, entry, numerics, constants, cache, pool=pool, threads=threads)
            return made.executable

        if overwrites(source, entry):
            executable.first = compile_checks()
        else:
            executable.later = Later(compile_checks, lambda: arguments_read(checks_alone(source, entry), entry))

    def make() -> Stages:
        return _run_passes(copy(source), target, entry, numerics, None, whole=True)

    compilation = Compilation(
        executable,
        program.assumed,
        target,
        entry,
        tuple(names),
        len(constants),
        hit,
        make,
        made,
        timings,
        threads,
        cache,
    )
    if watch is not None:
        watch(compilation)
    return compilation


@contextmanager
def _without_collections() -> Generator[None]:
    """No garbage is collected inside: hardly any of what a compilation makes is garbage yet."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def _run_passes(
    module: ModuleOp, target: Target, entry: str, numerics: str, watch: Watch | None, whole: bool
) -> Stages:
    """All passes and the LLVM text; tells `watch` of a failure. `whole`: a copy of each stage is kept."""
    timings: dict[str, float] = {}
    modules: dict[str, ModuleOp] = {}
    text = ""
    try:
        program: Program | None = None
        with collect() as decisions:
            pipeline = _pipeline(target, numerics)
            for position, (each, stage) in enumerate(pipeline):
                start = perf_counter()
                with _reproducible(module, [each for each, _ in pipeline[position:]]):
                    if isinstance(each, LowerToLoops):
                        program = lower_program(module, replace(each, entry=entry))
                    else:
                        each.apply(context(), module if program is None else program.module)
                timings[each.name] = timings.get(each.name, 0.0) + 1e3 * (perf_counter() - start)
                if program is not None:
                    modules["loops"] = program.module
                elif stage == "kernels":
                    modules[stage] = module
                elif stage and whole:
                    modules[stage] = copy(module)
        assert program is not None, "every pipeline has lower-to-loops"
        start = perf_counter()
        text = module_text(program.module, numerics, target.features)
        timings["llvm-text"] = 1e3 * (perf_counter() - start)
    except Exception:
        _tell(watch, modules, text or str(module))
        raise
    return Stages(modules, module, program, decisions, text, timings)


@contextmanager
def _reproducible(module: ModuleOp, passes: Sequence[ModulePass]) -> Generator[None]:
    """An error of ours in the first of the passes leaves a file that shows it, and says how to run it."""
    try:
        yield
    except DiagnosticException:
        raise
    except Exception as error:
        path = new_path()
        path.write_text(reproducer(str(module), passes), encoding="utf-8")
        error.add_note(f"an internal error of loopweld in '{passes[0].name}'; {how_to_run(path)}")
        raise


def _tell(watch: Watch | None, modules: Mapping[str, ModuleOp], failed: str) -> None:
    if watch is not None:
        watch.failed({stage: str(each) for stage, each in modules.items()} | {"failed": failed})


def _native(made: Stages, names: Sequence[str], constants: Sequence[Any], entry: str, target: Target) -> Native:
    """The program's code and description."""
    function = find_function(made.kernels, entry)
    spec = program_spec(function, made.program, names, constants)
    symbols = tuple(dict.fromkeys(segment.name for segment in made.program.segments.values()))
    image = jit.compile_object(made.llvm, jit.native(target.name, target.features)) if symbols else b""
    assumed = function.attributes.get("weld.assumed")
    sizes = assumed.data if isinstance(assumed, Dims) else ()
    own = replace(spec, constants=spec.constants[len(constants) :])
    return Native(own, image, symbols, uses_threads(made.llvm), scipy_functions.used(made.llvm), sizes)


def symbols_of(text: str, threads: int, cache: ObjectCache | None) -> dict[str, int]:
    """The addresses of what a program's LLVM text leaves open."""
    return _addresses(uses_threads(text), scipy_functions.used(text), threads, cache)


def _addresses(shares: bool, scipy: Sequence[str], threads: int, cache: ObjectCache | None) -> dict[str, int]:
    return scipy_functions.imports(scipy) | (imports(threads, cache) if shares else {})


def _key(cache: ObjectCache, module: ModuleOp, names: Sequence[str], target: Target, entry: str, numerics: str) -> str:
    native = jit.native(target.name, target.features)
    versions = [jit.VERSION, compiler_version(), native.cpu, native.features]
    return cache.key(fingerprint(module), entry, numerics, repr(target), *versions, *names)


def _read(data: bytes | None) -> Native | None:
    """A program from the cache; what cannot be read was not made by this compiler."""
    if data is None:
        return None
    try:
        program = pickle.loads(data)
    except Exception:
        return None
    return program if isinstance(program, Native) else None
