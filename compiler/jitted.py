"""`Jitted`: a Python function that is compiled when it is called, once for each kind of arguments."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias, cast

import numpy as np
from xdsl.dialects.builtin import ArrayAttr, DictionaryAttr, IntegerAttr, UnitAttr, i64
from xdsl.dialects.func import FuncOp
from xdsl.ir import Attribute

from ..dialects.expr import Expr
from ..dialects.ir import copy
from ..dialects.weld.types import shape_of
from ..passes.evaluate import find_function
from .codegen.cache import ObjectCache
from .compiled import Compiled
from .donation import donated_arrays, donated_names
from .driver import Watch, compile_module
from .frontend import SymInt, Traced, Tracer, trace
from .frontend.spec import is_static
from .frontend.symbols import TINY
from .layouts import Layout, lay_out, lay_out_results, layout_of
from .native import native_call
from .report import Report
from .runtime import direct
from .runtime.executable import ShapeMismatch, bind_symbols
from .runtime.pool import Pool
from .targets import Target


class CacheInfo(NamedTuple):
    """Counts of a jitted function: calls, compilations, programs read from disk, programs held."""

    calls: int
    compilations: int
    disk_hits: int
    entries: int


Layouts: TypeAlias = tuple[Layout | None, ...] | None
"""How the arrays that results are written to lie in memory; None where that is open."""
Dim: TypeAlias = tuple[int, int]
"""The number of an argument, and one of its axes."""


@dataclass
class Entry:
    """A compiled specialisation, and what it needs of sizes."""

    compiled: Compiled
    pins: tuple[tuple[int, int, int], ...]
    """(argument, axis, size) triples of dims that the program needed as numbers."""
    equal: tuple[tuple[Dim, Dim], ...] = ()
    """Dims that it takes to be equal, and need not."""

    def is_equal(self, leaves: Sequence[Any]) -> bool:
        """Whether the sizes that the program takes to be equal are."""
        return all(leaves[j].shape[a] == leaves[k].shape[b] for (j, a), (k, b) in self.equal)

    def fits(self, leaves: Sequence[Any]) -> bool:
        if any(leaves[k].shape[axis] != size for k, axis, size in self.pins):
            return False
        try:
            sizes = bind_symbols(self.compiled.specs, leaves)
        except ShapeMismatch:
            return False
        return self.compiled.suits(sizes)


class Lowered:
    """A traced function, before compilation."""

    def __init__(self, function: Jitted, traced: Traced, leaves: list[Any]):
        self._function = function
        self._traced = traced
        self._leaves = leaves

    def as_text(self, stage: str = "tensor") -> str:
        """The IR at a stage; all but "tensor" compile a copy."""
        if stage == "tensor":
            return str(self._traced.module) + "\n"
        return self._function.compile_traced(self._clone(), self._leaves).as_text(stage)

    def compile(self) -> Compiled:
        """The compiled program."""
        return self._function.compile_traced(self._clone(), self._leaves)

    def _clone(self) -> Traced:
        from dataclasses import replace

        return replace(self._traced, module=copy(self._traced.module))


class Jitted(direct.Direct):
    """What `lw.jit(f)` gives: call it as `f`. Each new combination of ranks, dtypes, memory layouts and tiny sizes
    compiles once; other sizes do not, but for those that a first call let be taken to be equal."""

    __name__: str

    def __init__(
        self,
        function: Callable[..., Any],
        target: Target,
        numerics: str,
        check: bool,
        cache: ObjectCache | None,
        watch: Watch | None = None,
        pool: Pool | None = None,
        donate: Sequence[int | str] = (),
        threads: int = 1,
    ):
        functools.update_wrapper(self, function)
        self._function = function
        self._target = target
        self._numerics = numerics
        self._check = check
        self._cache = cache
        self._watch = watch
        self._pool = pool
        self._threads = threads
        self._donated = donated_names(function, donate)
        self._entries: dict[object, list[Entry]] = {}
        self._exact: dict[object, Entry] = {}
        self._calls = self._compilations = self._disk_hits = 0

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else functools.partial(self, instance)

    def __copy__(self) -> Jitted:
        return self

    def __deepcopy__(self, memo: object) -> Jitted:
        return self

    def __call__(self, *args: Any, out: Any = None, **kwargs: Any) -> Any:
        try:
            leaves, structure = flatten_call(args, kwargs)
        except InsideTrace:
            return self._function(*args, **kwargs)
        self._calls += 1
        compiled = self._program(args, kwargs, leaves, structure)
        outs = compiled.arrays_of(out, leaves) if out is not None else None
        if outs is not None and not self._target.is_numpy:
            layouts = compiled.other_layouts(leaves, outs)
            if layouts is not None:
                compiled = self._program(args, kwargs, leaves, structure, layouts)
        if not self._check and direct.is_supported():
            short = compiled.short_call(args, kwargs, leaves, structure, outs)
            if short is not None:
                self.add_entry(short, native_call(self._cache))
        return compiled.call_flat(leaves, out, outs)

    def _program(
        self,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        leaves: list[Any],
        structure: object,
        layouts: Layouts = None,
    ) -> Compiled:
        """The compiled program for a call; `layouts` are those of the arrays that it writes to, if that matters."""
        key = (structure, tuple([(a.dtype, a.shape, a.strides) for a in leaves]), layouts)
        entry = self._exact.get(key)
        if entry is None:
            entry = self._entry(args, kwargs, leaves, structure, layouts)
            if len(self._exact) > 1024:
                self._exact.clear()
            self._exact[key] = entry
        return entry.compiled

    def _entry(
        self,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        leaves: list[Any],
        structure: object,
        layouts: Layouts = None,
    ) -> Entry:
        key = (structure, tuple(_kind(a) for a in leaves), layouts)
        entries = self._entries.setdefault(key, [])
        for entry in entries:
            if entry.fits(leaves):
                return entry
        assume = all(entry.is_equal(leaves) for entry in entries)  # once that was wrong, one program is for all sizes
        traced = trace(self._function, args, kwargs, assume=assume)
        compiled = self.compile_traced(traced, leaves, layouts)
        numbers = {spec.name: k for k, spec in enumerate(traced.inputs)}
        pins = tuple((numbers[name], axis, leaves[numbers[name]].shape[axis]) for name, axis in sorted(traced.pinned))
        equal = tuple(((numbers[a], j), (numbers[b], k)) for (a, j), (b, k) in traced.equal)
        entry = Entry(compiled, pins, equal)
        entries.insert(0, entry)
        entries.sort(key=lambda e: not e.equal)
        return entry

    def compile_traced(self, traced: Traced, leaves: Sequence[Any], layouts: Layouts = None) -> Compiled:
        """Compile a trace for arrays with the layouts of `leaves`; `layouts` are those of given results."""
        self._compilations += 1
        source = copy(traced.module) if self._check else None
        names = [spec.name for spec in traced.inputs]
        donated = donated_arrays(self._donated, [s.name for s in traced.inputs if s.kind != "constant"])
        set_expected(find_function(traced.module), leaves)
        set_attributes(find_function(traced.module), leaves, donated, layouts)
        compilation = compile_module(
            traced.module,
            names,
            self._target,
            numerics=self._numerics,
            constants=traced.constants,
            cache=self._cache,
            watch=self._watch,
            pool=self._pool,
            threads=self._threads,
        )
        self._disk_hits += compilation.disk_hit

        def flatten(*args: Any, **kwargs: Any) -> list[Any]:
            return flatten_call(args, kwargs)[0]

        compiled = Compiled(compilation, flatten, traced.out_tree, self._check, source, layouts is not None)
        return compiled.at_sizes(bind_symbols(compiled.specs, leaves))

    def lower(self, *args: Any, **kwargs: Any) -> Lowered:
        """The traced program for these arguments."""
        leaves, _ = flatten_call(args, kwargs)
        return Lowered(self, trace(self._function, args, kwargs, assume=True), leaves)

    def explain(self, *args: Any, **kwargs: Any) -> Report:
        """The report of the program for these arguments, at their sizes."""
        leaves, structure = flatten_call(args, kwargs)
        entry = self._entry(args, kwargs, leaves, structure)
        return entry.compiled.at_sizes(bind_symbols(entry.compiled.specs, leaves)).report_at_sizes()

    def cache_info(self) -> CacheInfo:
        """How often it was called and compiled, and how many programs it holds."""
        calls, programs = self._calls + self._direct_calls, sum(len(e) for e in self._entries.values())
        return CacheInfo(calls, self._compilations, self._disk_hits, programs)


class InsideTrace(Exception):
    """The call is part of another function that is being traced: its operations belong to that trace."""


def flatten_call(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[list[Any], object]:
    """The arrays of a call in order, and its structure with all values that are not arrays."""
    leaves: list[Any] = []
    structure: list[object] = [_flatten(a, leaves) for a in args]
    structure += [(k, _flatten(v, leaves)) for k, v in kwargs.items()]
    return leaves, tuple(structure)


def _flatten(value: Any, leaves: list[Any]) -> object:
    kind: type[Any] = value.__class__
    if kind is np.ndarray:
        leaves.append(value)
        return None
    if kind in (bool, int, float, complex):
        leaves.append(np.asarray(value))
        if leaves[-1].dtype == object:
            raise OverflowError(f"Python integer {value} is too large for any dtype")
        return kind
    if isinstance(value, np.ma.MaskedArray | np.matrix):
        raise TypeError(
            f"compiled functions take plain arrays, found a {kind.__name__}; pass np.asarray(x), or its parts"
        )
    if isinstance(value, Tracer | SymInt):
        raise InsideTrace
    if isinstance(value, np.ndarray):
        leaves.append(np.asarray(cast("Any", value)))
        return None
    if isinstance(value, np.generic):
        leaves.append(np.asarray(cast("Any", value)))
        return "scalar"
    if isinstance(value, dict):
        entries = cast("dict[Any, Any]", value)
        return (dict, tuple((k, _flatten(v, leaves)) for k, v in entries.items()))
    if isinstance(value, tuple | list):
        parts = cast("Sequence[Any]", value)
        return (kind, tuple(_flatten(v, leaves) for v in parts))
    return ("static", value if value.__hash__ is not None else id(value))


def _kind(array: Any) -> object:
    shape = tuple(n if is_static(n) else None for n in array.shape)
    return (array.dtype, shape, layout_of(array))


def set_attributes(function: FuncOp, leaves: Sequence[Any], donated: Set[int], layouts: Layouts = None) -> None:
    """Record how the arguments lie in memory, and which may be overwritten; and the same of given results, where
    nothing is donated. Without `layouts` that of the results stays open."""
    found: list[DictionaryAttr] = []
    for k, _ in enumerate(function.body.block.args):
        attributes: dict[str, Attribute] = {"weld.donated": UnitAttr()} if k in donated and layouts is None else {}
        layout = layout_of(leaves[k]) if k < len(leaves) else None
        if layout is not None:
            attributes |= lay_out(function, k, layout)
        found.append(DictionaryAttr(attributes))
    if any(a.data for a in found):
        function.properties["arg_attrs"] = ArrayAttr(found)
    if layouts is not None:
        lay_out_results(function, layouts)
        return
    function.attributes["weld.any_layout"] = UnitAttr()


def set_expected(function: FuncOp, leaves: Sequence[Any], least: int = TINY + 1) -> None:
    """Record what is known of size symbols: the least that one stands for (`weld.least`), and what they are in these
    arguments (`weld.expected`): later calls are likely to be like it."""
    expected: dict[str, Attribute] = {}
    for argument, leaf in zip(function.body.block.args, leaves, strict=False):
        for size, number in zip(shape_of(argument), leaf.shape, strict=True):
            if size == Expr.symbol(str(size)):
                expected[str(size)] = IntegerAttr(number, i64)
    function.attributes["weld.least"] = IntegerAttr(least, i64)
    if expected:
        function.attributes["weld.expected"] = DictionaryAttr(dict(sorted(expected.items())))
