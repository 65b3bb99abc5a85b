"""From a module to an executable: runs the pipeline, keeps the text of each stage, builds the report."""

from __future__ import annotations

import gc
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from time import perf_counter
from typing import Any, Protocol

import numpy as np
from xdsl.context import Context
from xdsl.dialects.builtin import Builtin, DenseArrayBase, ModuleOp
from xdsl.dialects.func import Func, FuncOp
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass, PassPipeline
from xdsl.utils.exceptions import DiagnosticException

from ..dialects import dialects
from ..dialects.expr import Expr
from ..dialects.weld.library import Matmul
from ..dialects.weld.types import dtype_of, scalar_of, shape_of
from ..passes import passes
from ..passes.evaluate import evaluate_op, find_function
from ..passes.fusion.graph import tensors_used
from ..passes.loops.lower import LowerToLoops, Program, lower_program
from ..passes.loops.plan import Place, Plan, order_of
from ..passes.loops.schedule import strides_of
from ..passes.remarks import Decision, collect
from . import scipy_functions
from .checks import arguments_read, checks_alone, overwrites
from .codegen import jit
from .codegen.cache import ObjectCache
from .codegen.functions import module_text
from .native import products
from .pipeline import passes_of
from .reproducer import how_to_run, new_path, reproducer
from .runtime.executable import Executable, Later
from .runtime.pool import Pool
from .runtime.program import ArraySpec, CheckSpec, LibraryStep, NativeStep, ProgramSpec
from .targets import Target
from .threads import imports, prepare


@dataclass
class Compilation:
    """Everything that one compilation made."""

    executable: Executable
    texts: dict[str, str]
    """LLVM text now; the other stages as modules in `modules`."""
    modules: dict[str, ModuleOp]
    kernels: ModuleOp
    program: Program
    decisions: list[Decision]
    target: Target
    entry: str
    names: tuple[str, ...]
    """The arguments' names."""
    captured: int
    """How many trailing arguments are arrays that the function closed over."""
    slots_between: int
    """The first slots of the arena hold tensors between kernels, the others scratch."""
    disk_hit: bool
    """Whether the native code came from the object cache."""
    timings: dict[str, float] = field(default_factory=dict[str, float])
    """Milliseconds by stage."""
    threads: int = 1
    """How many threads may run it."""
    cache: ObjectCache | None = None
    """Where objects and what is known of the machine are kept."""

    def text(self, stage: str) -> str | None:
        """The IR at one of `STAGES`; None where the pipeline of the target has no such stage."""
        if stage == "llvm":
            return self.texts["llvm"]
        return str(self.modules[stage]) + "\n" if stage in self.modules else None


class Watch(Protocol):
    """Is told of each compilation."""

    def __call__(self, compilation: Compilation) -> None:
        """It has succeeded."""
        ...

    def failed(self, stages: Mapping[str, str]) -> None:
        """It has not: the text of the stages that it completed, and of "failed", what it was at."""
        ...


@lru_cache
def context() -> Context:
    """A context with the dialects that programs use."""
    found = Context()
    found.load_dialect(Builtin)
    found.load_dialect(Func)
    for factory in dialects().values():
        found.load_dialect(factory())
    return found


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
    pass. `cache` is where objects are looked up and stored; `watch` is told of the result; `pool` is where large
    results and temporaries live (None keeps no memory between calls); `threads` is how many threads may run it. Raises
    VerifyException for a wrong module.
    """
    timings: dict[str, float] = {}
    modules: dict[str, ModuleOp] = {}
    text = ""
    checks, now = checks_alone(module, entry), overwrites(module, entry)
    collecting = gc.isenabled()
    gc.disable()
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
                elif stage:
                    modules[stage] = module.clone() if stage != "kernels" else module
        assert program is not None, "every pipeline has lower-to-loops"
        start = perf_counter()
        text = module_text(program.module, numerics, target.features)
        timings["llvm-text"] = 1e3 * (perf_counter() - start)
        start = perf_counter()
        image, hit = _object(text, program, target, cache)
        names_of_code = [s.name for s in program.segments.values()]
        given = symbols_of(text, threads, cache)
        loaded = jit.load(image, names_of_code, given) if names_of_code else jit.Loaded({}, None)
        timings["llvm"] = 1e3 * (perf_counter() - start)
    except Exception:
        if watch is not None:
            watch.failed({stage: str(each) for stage, each in modules.items()} | {"failed": text or str(module)})
        raise
    finally:
        if collecting:
            gc.enable()
    spec = program_spec(find_function(module, entry), program, names, constants)
    addresses = dict(loaded.addresses)
    for step in spec.steps:
        if isinstance(step, LibraryStep) and step.product is not None and numerics != "strict":
            addresses |= products(step.views[2].dtype.str[1:], cache)
    executable = Executable(spec, addresses, loaded, pool or Pool(0))
    if checks is not None:
        alone = checks

        def make() -> Executable:
            made = compile_module(alone, names, target, entry, numerics, constants, cache, pool=pool, threads=threads)
            return made.executable

        if now:
            executable.first = make()
        else:
            executable.later = Later(make, arguments_read(alone, entry))
    compilation = Compilation(
        executable,
        {"llvm": text},
        modules,
        module,
        program,
        decisions,
        target,
        entry,
        tuple(names),
        len(constants),
        program.slots_between,
        hit,
        timings,
        threads,
        cache,
    )
    if watch is not None:
        watch(compilation)
    return compilation


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


def _object(text: str, program: Program, target: Target, cache: ObjectCache | None) -> tuple[bytes, bool]:
    """The native code of a program, and whether it came from the cache."""
    if not program.segments:
        return b"", False
    native = jit.native(target.name, target.features)
    jit.check_runs(native)
    key = cache.key(text, native.cpu, native.features, jit.VERSION) if cache is not None else ""
    image = cache.get(key) if cache is not None else None
    if image is not None:
        return image, True
    image = jit.compile_object(text, native)
    if cache is not None:
        cache.put(key, image)
    return image, False


def symbols_of(text: str, threads: int, cache: ObjectCache | None) -> dict[str, int]:
    """The addresses of what a program's LLVM text leaves open."""
    return imports(text, threads, cache) | scipy_functions.imports(text)


def program_spec(function: FuncOp, program: Program, names: Sequence[str], constants: Sequence[Any]) -> ProgramSpec:
    """The runtime's description of a lowered program."""
    plan = program.plan
    own = len(plan.inputs) - len(constants)
    inputs = tuple(_argument_spec(function, k, plan, name) for k, name in enumerate(names[:own]))
    outputs = tuple(_result_spec(v, f"out{k}") for k, v in enumerate(plan.outputs))
    arrays = [np.ascontiguousarray(c) for c in constants]
    arrays += [np.ascontiguousarray(c.array(lambda e: int(e.value or 0))) for c in plan.constants]

    def number(place: Place) -> int:
        starts = {"input": 0, "constant": len(plan.inputs), "output": own + len(arrays)}
        starts["slot"] = starts["output"] + len(outputs)
        return starts[place.kind] + place.index

    steps: list[NativeStep | LibraryStep] = []
    for position, step in enumerate(plan.steps):
        segment = program.segments.get(position)
        if segment is not None:
            places = tuple(number(p) for p in segment.places)
            steps.append(NativeStep(segment.name, places, tuple(segment.symbols)))
            continue
        op = step.library
        assert op is not None
        used = sorted(tensors_used(op), key=lambda v: number(plan.places[v]))
        views = {k: _spec(v, plan, v.name_hint or "") for k, v in enumerate([*used, *op.results])}
        steps.append(
            LibraryStep(
                op.name,
                partial(_call_library, op, used),
                tuple(number(plan.places[v]) for v in used),
                tuple(number(plan.places[v]) for v in op.results),
                views,
                _product(op, used),
            )
        )
    checks = tuple(CheckSpec(number(plan.places[c.bad]), c.message.data, c.exception.data) for c in plan.checks)
    slots = tuple(s.bytes for s in plan.slots)
    return ProgramSpec(inputs, tuple(arrays), outputs, slots, tuple(steps), checks, tuple(plan.donations.items()))


def _product(op: Operation, used: Sequence[SSAValue]) -> tuple[int, int] | None:
    """The positions of both matrices of a product among what it uses, if they are two."""
    if not isinstance(op, Matmul) or len(used) != 2:
        return None
    return used.index(op.args[0]), used.index(op.args[1])


def _call_library(
    op: Operation, used: Sequence[SSAValue], arrays: Sequence[Any], size: Callable[[Expr], int]
) -> Sequence[Any]:
    """An op's results by its NumPy meaning."""
    values = dict(zip(used, arrays, strict=True))
    evaluate_op(op, values, size)
    return [values[r] for r in op.results]


def _argument_spec(function: FuncOp, k: int, plan: Plan, name: str) -> ArraySpec:
    """An argument as callers have it; the function may have its axes in the order of memory (`weld.order`)."""
    found = _spec(plan.inputs[k], plan, name)
    order = function.arg_attrs.data[k].data.get("weld.order") if function.arg_attrs is not None else None
    if not isinstance(order, DenseArrayBase):
        return found
    axes = tuple(int(axis) for axis in order.get_values())

    def own(exprs: tuple[Expr, ...]) -> tuple[Expr, ...]:
        return tuple(exprs[axes.index(axis)] for axis in range(len(axes)))

    if found.strides is not None:
        return replace(found, shape=own(found.shape), strides=own(found.strides))
    return replace(found, shape=own(found.shape), order=axes)


def _result_spec(value: SSAValue, name: str) -> ArraySpec:
    order = order_of(value)
    rows = order == tuple(range(len(order)))
    return ArraySpec(name, dtype_of(scalar_of(value)), shape_of(value), order=None if rows else order)


def _spec(value: SSAValue, plan: Plan, name: str) -> ArraySpec:
    shape = shape_of(value)
    layout = plan.layouts[value]
    strides = None if layout == strides_of(shape) else layout
    return ArraySpec(name, dtype_of(scalar_of(value)), shape, strides)
