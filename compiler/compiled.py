"""`Compiled`: a program for given dtypes, ranks and layouts, callable with arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeGuard

import numpy as np
from numpy.typing import NDArray

from ..dialects.weld.attributes import Dims
from ..passes.evaluate import evaluate, find_function
from .checking import compare
from .codegen import jit
from .driver import Compilation
from .pipeline import STAGES
from .report import Report, build_report
from .runtime import entry
from .runtime.entry import Flag
from .runtime.executable import Binding, ShapeMismatch, shaped
from .runtime.program import ArraySpec


class Compiled:
    """A compiled program.

    Call it with arrays (or nested tuples, lists, dicts of them as the function took them); the dtypes must be the
    compiled ones (no implicit casts: TypeError), the shapes must fit the symbolic ones (ValueError). `out=` gives
    the arrays that results are written to, in the results' structure.
    """

    def __init__(
        self,
        compilation: Compilation,
        flatten: Callable[..., list[Any]],
        rebuild: Callable[[list[Any]], Any],
        flatten_out: Callable[[Any], list[Any]],
        check: bool = False,
        source: Any = None,
    ):
        self._compilation = compilation
        self._executable = compilation.executable
        self._flatten = flatten
        self._rebuild = rebuild
        self._flatten_out = flatten_out
        self._check = check
        self._source = source
        self._sizes: dict[str, int] = {}

    def __call__(self, *args: Any, out: Any = None, **kwargs: Any) -> Any:
        leaves = self._flatten(*args, **kwargs)
        return self.call_flat(leaves, out)

    def call_flat(self, leaves: Sequence[Any], out: Any = None) -> Any:
        """The call with the arrays in order."""
        specs = self._executable.spec.inputs
        if len(leaves) != len(specs):
            raise TypeError(f"expected {len(specs)} arrays, found {len(leaves)}")
        inputs = [prepare(a, s) for a, s in zip(leaves, specs, strict=True)]
        expected = self._expected(inputs) if self._check else None
        if out is None:
            results = self._executable.run(inputs)
        else:
            results = self._into(inputs, self._flatten_out(out))
        if expected is not None:
            compare(self._compilation, expected, inputs, results)
        if out is not None:
            return out
        return self._rebuild(results)

    def fast_call(self, args: tuple[Any, ...], leaves: Sequence[Any]) -> FastCall | None:
        """The short way for calls with arrays like these, where the program has one."""
        specs = self._executable.spec.inputs
        if len(args) != len(specs) or not all(
            isinstance(a, np.ndarray | np.generic | bool | int | float) for a in args
        ):
            return None
        for array, spec in zip(leaves, specs, strict=True):
            if spec.strides is None and not spec.is_met(array):
                return None
        found = self._executable.entry_for(leaves, _invoke)
        if found is None:
            return None
        made, binding = found
        new, outputs = _new(binding, self._executable.spec.outputs)
        # The native overlap test is for dense arrays, and what a failed check leaves must not be seen.
        dense = all(spec.strides is None for spec in specs)
        direct = dense and not made.flags
        numbers = tuple(
            (k, a.__class__, s.dtype) for k, (a, s) in enumerate(zip(args, specs, strict=True)) if not _is_array(a)
        )
        donations = tuple(
            (k, j, leaves[j].shape, binding.output_strides[k]) for k, j in self._executable.spec.donations if dense
        )
        given = Donated(new, outputs, donations) if donations else None
        return FastCall(numbers, made.call, new, outputs, given, self._rebuild, self._flatten_out, made.flags, direct)

    def _into(self, inputs: list[Any], outs: list[Any]) -> list[Any]:
        """Run into given arrays: through fresh ones where memory overlaps, or where a check could still fail."""
        shapes = self._executable.bind(inputs).output_shapes
        specs = self._executable.spec.outputs
        if len(outs) != len(specs):
            raise ValueError(f"out= holds {len(outs)} arrays, the program has {len(specs)} results")
        direct = not self._executable.spec.checks
        for k, (array, spec, shape) in enumerate(zip(outs, specs, shapes, strict=True)):
            if not _is_array(array) or array.dtype != spec.dtype or array.shape != shape:
                found = f"{array.dtype} of shape {array.shape}" if _is_array(array) else type(array).__name__
                raise ValueError(f"out= for {spec.name} must be {spec.dtype} of shape {shape}, found {found}")
            if not array.flags.writeable:
                raise ValueError(f"out= for {spec.name} is read-only")
            others = [*inputs, *outs[:k]]
            alone = not any(np.may_share_memory(array, o) for o in others)
            direct = direct and alone and spec.is_met(array)
        if direct:
            return self._executable.run(inputs, outs)
        fresh = self._executable.fresh(inputs)
        for target, value in zip(outs, fresh, strict=True):
            target[...] = value
        return outs

    def _expected(self, inputs: list[Any]) -> list[Any]:
        """`check=True`: what the NumPy evaluator gives for the inputs, before they can be overwritten."""
        captured = self._executable.spec.constants[: self._compilation.captured]
        return evaluate(self._source, [*inputs, *captured], self._compilation.entry)

    @property
    def address(self) -> dict[str, int]:
        """The C entry of each native segment: `void f(void **places, int64_t *symbols)`, see `ProgramSpec`."""
        return dict(self._executable.addresses)

    @property
    def report(self) -> Report:
        """What was fused, and what it costs; byte counts are for the sizes last called with (see `Report`)."""
        last = list(self._executable.bindings.values())[-1:]
        return build_report(self._compilation, last[0].symbols if last else self._sizes)

    def report_at_sizes(self) -> Report:
        """The report at the sizes given to `at_sizes`."""
        return build_report(self._compilation, self._sizes)

    @property
    def specs(self) -> tuple[ArraySpec, ...]:
        """What the program takes."""
        return self._executable.spec.inputs

    def suits(self, sizes: Mapping[str, int]) -> bool:
        """Whether the program is the best one for these symbol values; it is right for all."""
        assumed = find_function(self._compilation.kernels, self._compilation.entry).attributes.get("weld.assumed")
        return not isinstance(assumed, Dims) or all(e.evaluate(sizes.__getitem__) >= 0 for e in assumed.data)

    def at_sizes(self, sizes: dict[str, int]) -> Compiled:
        """The same program whose report assumes these symbol values until the first call."""
        self._sizes = sizes
        return self

    def as_text(self, stage: str) -> str:
        """The IR at a stage: "tensor", "fused", "kernels", "loops" or "llvm"."""
        if stage not in STAGES:
            raise ValueError(f"unknown stage {stage!r}; stages are {', '.join(STAGES)}")
        text = self._compilation.text(stage)
        if text is None:
            raise ValueError(f"the target {self._compilation.target.name!r} has no stage {stage!r}")
        return text

    def assembly(self) -> str:
        """The machine code of the target, as text; empty for the target "numpy", which has none."""
        target = self._compilation.target
        if target.is_numpy:
            return ""
        return jit.assembly(self._compilation.texts["llvm"], jit.native(target.name, target.features))


MISSED = object()
"""What `FastCall.run` gives where the arguments are not the ones that it is for."""


@lru_cache
def _entry_code() -> jit.Loaded:
    """The shared part of all entries; it stays loaded."""
    image = jit.compile_object(entry.TEXT, jit.host())
    return jit.load(image, ["loopweld_invoke"], entry.symbols())


def _invoke() -> int:
    return _entry_code().addresses["loopweld_invoke"]


def _new(binding: Binding, specs: Sequence[ArraySpec]) -> tuple[Callable[..., Any], tuple[tuple[Any, ...], ...]]:
    """What makes the result arrays, and what it takes for each."""
    if all(spec.order is None for spec in specs):
        return np.empty, tuple((shape, s.dtype) for shape, s in zip(binding.output_shapes, specs, strict=True))
    results = zip(binding.output_shapes, binding.output_strides, specs, strict=True)
    return np.ndarray, tuple((shape, spec.dtype, None, 0, strides) for shape, strides, spec in results)


@dataclass(frozen=True)
class Donated:
    """The result arrays of a call where some may lie in donated arguments."""

    new: Callable[..., Any]
    outputs: tuple[tuple[Any, ...], ...]
    donations: tuple[tuple[int, int, tuple[int, ...], tuple[int, ...]], ...]
    """Position of a result, of the argument whose memory it takes, that argument's shape, and the result's strides."""

    def results(self, args: tuple[Any, ...]) -> list[Any] | None:
        """None where an argument is not the one expected."""
        taken: dict[int, Any] = {}
        for k, j, shape, strides in self.donations:
            if j >= len(args) or type(args[j]) is not np.ndarray or args[j].shape != shape:
                return None
            taken[k] = shaped(args[j], self.outputs[k][0], strides)
        return [taken[k] if k in taken else self.new(*output) for k, output in enumerate(self.outputs)]


@dataclass(frozen=True)
class FastCall:
    """A program bound to the shapes of its last calls. Each argument must be a plain array or a number."""

    numbers: tuple[tuple[int, type[Any], Any], ...]
    """The arguments that are numbers: position, Python type, dtype."""
    call: Callable[..., bool]
    new: Callable[..., Any]
    """Makes a result array."""
    outputs: tuple[tuple[Any, ...], ...]
    """What it takes for each."""
    donated: Donated | None
    """Makes the results where they are not all new."""
    rebuild: Callable[[list[Any]], Any]
    flatten_out: Callable[[Any], list[Any]]
    flags: tuple[Flag, ...]
    direct: bool
    """Whether results may be written straight into arrays given as `out=`."""

    def run(self, args: tuple[Any, ...], out: Any) -> Any:
        """The result, or MISSED and nothing was done."""
        if self.numbers:
            given = list(args)
            for k, kind, dtype in self.numbers:
                if k >= len(given) or type(given[k]) is not kind:
                    return MISSED
                given[k] = np.array(given[k], dtype)
            args = tuple(given)
        if out is None:
            if self.donated is None:
                new = self.new
                outs = [new(*output) for output in self.outputs]
            else:
                found = self.donated.results(args)
                if found is None:
                    return MISSED
                outs = found
            if not self.call(*args, *outs):
                return MISSED
            for flag in self.flags:
                if flag.byte[0]:
                    raise flag.exception(flag.message)
            return self.rebuild(outs)
        if not self.direct:
            return MISSED
        return out if self.call(*args, *self.flatten_out(out)) else MISSED


def _is_array(value: object) -> TypeGuard[NDArray[Any]]:
    return isinstance(value, np.ndarray)


def prepare(value: Any, spec: ArraySpec) -> Any:
    """An argument as the program takes it: the compiled dtype and rank; copied where its memory layout differs.

    Raises TypeError for another dtype.
    """
    array = value if type(value) is np.ndarray else np.asarray(value)
    if array.dtype != spec.dtype:
        if isinstance(value, int | float | bool) or array.ndim == 0:
            return np.asarray(value, dtype=spec.dtype)
        raise TypeError(f"'{spec.name}' has dtype {array.dtype}, this program was compiled for {spec.dtype}")
    if spec.strides is None:
        if array.ndim == len(spec.shape) and not spec.is_met(array):
            dense: Any = np.ndarray(array.shape, array.dtype, strides=spec.steps(array.shape))
            dense[...] = array
            array = dense
    elif array.itemsize and any(s % array.itemsize for s in array.strides):
        raise ShapeMismatch(f"'{spec.name}' has strides {array.strides} that are not whole elements")
    return array
