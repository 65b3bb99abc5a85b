"""`Compiled`: a program for given dtypes, ranks and layouts, callable with arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeGuard

import numpy as np
from numpy.typing import NDArray

from ..passes.evaluate import evaluate
from . import c_interface
from .checking import compare
from .codegen import forks, jit
from .driver import Compilation
from .frontend.trees import Leaf, Tree, flat_kinds, take_leaves
from .layouts import Layout, is_writable, layout_of
from .native import native_call
from .pipeline import STAGES
from .report import Report, build_report
from .runtime import direct
from .runtime.entry import Entry, Unsuited, make_entry
from .runtime.executable import ENTRY_BYTES, ShapeMismatch
from .runtime.program import ArraySpec

_ENTRY_AFTER = 3
"""Calls with the same shapes after which there is a native entry for them."""
_ASKING = forks.lock()
"""Held while a C interface is made."""


if TYPE_CHECKING:
    from .profile import Profile


class Compiled(direct.Direct):
    """A compiled program.

    Call it with arrays (or nested tuples, lists, dicts of them as the function took them); the dtypes must be the
    compiled ones (no implicit casts: TypeError), the shapes must fit the symbolic ones (ValueError). `out=` gives
    the arrays that results are written to, in the results' structure.
    """

    def __init__(
        self,
        compilation: Compilation,
        flatten: Callable[..., list[Any]],
        tree: Tree,
        check: bool = False,
        source: Any = None,
        only_into: bool = False,
    ):
        """`only_into`: it writes to arrays that callers give, laid out as it was compiled for."""
        self._compilation = compilation
        self._executable = compilation.executable
        self._c_interface: c_interface.CInterface | None = None
        self._flatten = flatten
        self._tree = tree
        self._check = check
        self._source = source
        self._only_into = only_into
        self._sizes: dict[str, int] = {}

    def __call__(self, *args: Any, out: Any = None, **kwargs: Any) -> Any:
        leaves = self._flatten(*args, **kwargs)
        if len(leaves) != len(self.specs):
            raise TypeError(f"expected {len(self.specs)} arrays, found {len(leaves)}")
        inputs = [prepare(a, s) for a, s in zip(leaves, self.specs, strict=True)]
        outs = self.arrays_of(out, inputs) if out is not None else None
        if not self._check and not kwargs and all(type(a) is np.ndarray for a in args) and direct.is_supported():
            short = self.short_call(args, kwargs, leaves, None, outs) if len(args) == len(self.specs) else None
            if short is not None:
                self.add_entry(short, native_call(self._compilation.cache))
        return self.call_flat(leaves, out, outs)

    def call_flat(self, leaves: Sequence[Any], out: Any = None, outs: list[Any] | None = None) -> Any:
        """The call with the arrays in order; `outs` are those of `out`."""
        inputs = [prepare(a, s) for a, s in zip(leaves, self.specs, strict=True)]
        expected = self._expected(inputs) if self._check else None
        results = self._executable.run(inputs) if outs is None else self._into(inputs, outs)
        if expected is not None:
            compare(self._compilation, expected, inputs, results)
        return self._tree.build(results) if outs is None else out

    def short_call(
        self,
        args: Sequence[Any],
        named: Mapping[str, Any],
        leaves: Sequence[Any],
        structure: object,
        outs: Sequence[Any] | None = None,
    ) -> Entry | None:
        """The native entry for calls like this one, once there were a few; None for those that have none."""
        program = self._executable
        binding = program.bind(leaves, outs or ())
        binding.uses += 1
        size = program.result_bytes(binding)
        is_late = bool(program.spec.checks) and program.first is None
        """Whether a check may fail after results were written."""
        is_given = outs is not None and (self._only_into or (is_late and size > ENTRY_BYTES))
        """Whether the entry is for arrays that are given only."""
        if (structure, is_given) in binding.entries:
            return binding.entries[structure, is_given]
        if binding.uses < _ENTRY_AFTER or not program.is_short(binding):
            return None
        first, out = program.first, "later" if is_late else "direct"
        if is_given:
            assert outs is not None
            first, out = program.checks_before(leaves, outs) if is_late else first, "only"
            if is_late and (first is None or not first.is_short(first.bind(leaves))):
                return None
        elif is_late and size > ENTRY_BYTES:
            out = "not"
        count = len(program.spec.outputs)
        found = flat_kinds(self._tree, count)
        try:
            steps, keep = program.short_steps(leaves, binding, first)
            results = program.short_results(leaves, binding, [k == "scalar" for k in found or [""] * count])
            out = out if found is not None else "not"
            rebuild = self._tree.build if found is None else None
            is_tuple = not isinstance(self._tree, Leaf)
            shared = max(size + sum(a.nbytes for a in leaves), binding.work) > ENTRY_BYTES
            made = make_entry(args, named, program.spec.inputs, results, steps, rebuild, is_tuple, out, shared)
        except Unsuited:
            return None
        made.keep += keep
        binding.entries[structure, is_given] = made
        return made

    def arrays_of(self, out: Any, inputs: Sequence[Any]) -> list[Any]:
        """The arrays that `out=` gives; ValueError for those that cannot take the results."""
        specs = self._executable.spec.outputs
        outs = take_leaves(self._tree, out, len(specs))
        if len(outs) != len(specs):
            raise ValueError(f"out= holds {len(outs)} arrays, the program has {len(specs)} results")
        for array, spec, shape in zip(outs, specs, self._executable.bind(inputs).output_shapes, strict=True):
            if not _is_array(array) or array.dtype != spec.dtype or array.shape != shape:
                found = f"{array.dtype} of shape {array.shape}" if _is_array(array) else type(array).__name__
                raise ValueError(f"out= for {spec.name} must be {spec.dtype} of shape {shape}, found {found}")
            if not array.flags.writeable:
                raise ValueError(f"out= for {spec.name} is read-only")
        return outs

    def other_layouts(self, inputs: Sequence[Any], outs: Sequence[Any]) -> tuple[Layout | None, ...] | None:
        """How the given arrays lie in memory, where a program that is compiled for that can write to them and this one
        cannot."""
        program = self._executable
        if all(spec.is_met(array) for spec, array in zip(program.spec.outputs, outs, strict=True)):
            return None
        if not all(map(is_writable, outs)) or not _are_apart(inputs, outs):
            return None
        if program.spec.checks and program.checks_before(inputs, outs) is None:
            return None
        return tuple(map(layout_of, outs))

    def _into(self, inputs: list[Any], outs: list[Any]) -> list[Any]:
        """Run into given arrays: through fresh ones where memory overlaps or lies otherwise, or where a check could
        still fail."""
        program = self._executable
        met = all(spec.is_met(array) for spec, array in zip(program.spec.outputs, outs, strict=True))
        if (met or self._only_into) and _are_apart(inputs, outs):
            first = program.checks_before(inputs, outs) if program.spec.checks else None
            if first is not None:
                first.run(inputs)
            if first is not None or not program.spec.checks:
                for out in outs:
                    program.pool.poison(out)
                return program.run(inputs, outs)
        assert not self._only_into, "such a program is for arrays that it can write to"
        for target, value in zip(outs, program.fresh(inputs), strict=True):
            target[...] = value
        return outs

    def _expected(self, inputs: list[Any]) -> list[Any]:
        """`check=True`: what the NumPy evaluator gives for the inputs, before they can be overwritten."""
        captured = self._executable.spec.constants[: self._compilation.captured]
        return evaluate(self._source, [*inputs, *captured], self._compilation.entry)

    @property
    def sizes(self) -> tuple[str, ...]:
        """The sizes and strides that `address` takes, in order: the symbols in the shapes and strides of `specs`."""
        return c_interface.sizes_of(self._executable.spec)

    @property
    def address(self) -> int:
        """The address of the program as a C function: `int64_t f(void *const *arrays, const int64_t *sizes)`.

        `arrays`: the addresses of the arguments in order, then of the results. Arguments are laid out as `specs` say
        (dense, or with strides in elements), results are dense, and overlap with nothing. `sizes`: the values of
        `sizes`. The function gives 0, the number of the check that failed (counted from 1; the results are undefined
        then), or -1 where there is no memory for temporaries. It needs no Python: any thread may call it, several at
        once. The code lives as long as this object. Raises ValueError for programs with library calls, unless they are
        products, factors and systems of known sizes that BLAS and LAPACK take.
        """
        return self._c.address

    def address_as(self, signature: str) -> int:
        """The address of a function of one float64 vector that gives one float64 number, with a C signature that
        other libraries call: "double (int, double *)", "double (int, double *, void *)", or
        "int (double *, intptr_t, double *, void *)". Where a check fails, or the vector does not have the size that
        the program is for, the result is NaN, or the status 0. Raises ValueError for other programs and signatures."""
        return self._c.address_as(signature)

    @property
    def _c(self) -> c_interface.CInterface:
        """Made once, whichever thread asks first: the addresses that it gave must stay valid."""
        with _ASKING:
            if self._c_interface is None:
                self._c_interface = c_interface.CInterface(self._executable)
            return self._c_interface

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

    def profile(self, *args: Any, **kwargs: Any) -> Profile:
        """Call the program on these arguments some times and measure its kernels. Donated arguments are left as they
        are. Raises ValueError for the target "numpy"."""
        from .profile import profile

        leaves = self._flatten(*args, **kwargs)
        inputs = [prepare(a, s) for a, s in zip(leaves, self._executable.spec.inputs, strict=True)]
        sizes = self._executable.bind(inputs).symbols
        return profile(self._compilation, inputs, build_report(self._compilation, sizes))

    def suits(self, sizes: Mapping[str, int]) -> bool:
        """Whether the program is the best one for these symbol values; it is right for all."""
        return all(e.evaluate(sizes.__getitem__) >= 0 for e in self._compilation.assumed)

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
        return jit.assembly(self._compilation.llvm, jit.native(target.name, target.features))


def _are_apart(inputs: Sequence[Any], outs: Sequence[Any]) -> bool:
    """Whether the memory of each of `outs` is its own."""
    return not any(np.may_share_memory(out, other) for k, out in enumerate(outs) for other in [*inputs, *outs[:k]])


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
