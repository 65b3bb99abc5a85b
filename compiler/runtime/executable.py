"""Calling a compiled program from Python."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from math import prod
from typing import Any

import numpy as np

from ...dialects.expr import Expr
from ...dialects.weld.indexing import EXCEPTIONS
from .entry import Check, Entry, Result, Run
from .layout import NativeForm
from .pool import Pool
from .program import ArraySpec, LibraryStep, NativeStep, ProgramSpec
from .routines import native_form

_NATIVE = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)
ENTRY_BYTES = 1 << 20
"""What a native entry may keep for temporaries; and of arguments and results, from where on others run meanwhile."""
ALIGNMENT = 64
"""Bytes to which slots of the arena are aligned."""


class ShapeMismatch(ValueError):
    """The inputs do not have the shapes that the program was compiled for."""


@dataclass(frozen=True)
class Call:
    """A native function, the places that it takes, and its table of integers."""

    address: int
    places: tuple[int, ...]
    table: Any
    work: int = 0
    """Multiplications in a library call."""

    @cached_property
    def function(self) -> Any:
        return _NATIVE(self.address)


@dataclass
class Binding:
    """A program at fixed input shapes: symbol values, tables for the native functions, sizes."""

    symbols: dict[str, int]
    calls: list[Call | None]
    """Each step as a native call; None for those that call Python."""
    output_shapes: list[tuple[int, ...]]
    output_strides: list[tuple[int, ...]]
    slot_offsets: list[int]
    arena_bytes: int
    uses: int = 0
    entries: dict[object, Entry] = field(default_factory=dict[object, Entry])
    """The native entries for these shapes by the structure of the call, once they are worth it."""

    @property
    def work(self) -> int:
        """Multiplications in library calls."""
        return sum(call.work for call in self.calls if call is not None)


@dataclass(frozen=True)
class Later:
    """The checks of a program as a program that is not compiled yet."""

    compile: Callable[[], Executable]
    find_reads: Callable[[], tuple[int, ...]]

    @cached_property
    def reads(self) -> tuple[int, ...]:
        """The numbers of the inputs whose elements they read."""
        return self.find_reads()

    @cached_property
    def program(self) -> Executable:
        return self.compile()


class Executable:
    """A loaded program. `run` takes arrays that match the input specs exactly; see `prepare` for others."""

    def __init__(
        self,
        spec: ProgramSpec,
        addresses: dict[str, int],
        keep: Any,
        find_routine: Callable[[str], int | None],
        pool: Pool,
    ):
        self.spec = spec
        self.addresses = addresses
        """Of the program's own functions."""
        self.keep = keep
        self.find_routine = find_routine
        """The address of what makes a library call without Python, by its name; None where there is none. It is
        compiled when it is asked for."""
        self.pool = pool
        self.bindings: dict[object, Binding] = {}
        self.donors = dict(spec.donations)
        self.first: Executable | None = None
        """The checks alone: they run before anything overwrites a donated input."""
        self.later: Later | None = None
        """They too, where nothing is donated: compiled when a call wants them."""
        self.first_output = len(spec.inputs) + len(spec.constants)
        self.first_slot = self.first_output + len(spec.outputs)
        self.constant_addresses = [c.ctypes.data for c in spec.constants]

    # ---- binding shapes ------------------------------------------------------------
    def bind(self, inputs: Sequence[Any], outs: Sequence[Any] = ()) -> Binding:
        """The binding for these arrays' shapes and strides; ShapeMismatch if the program is not for them. `outs` are
        the results' arrays, which count where the program leaves their strides open."""
        strided = [(spec, out) for spec, out in zip(self.spec.outputs, outs, strict=False) if spec.strides is not None]
        key = tuple((a.shape, a.strides) for a in inputs), tuple(out.strides for _, out in strided)
        found = self.bindings.get(key)
        if found is None:
            if len(self.bindings) > 256:
                self.bindings.clear()
            specs, arrays = [*self.spec.inputs, *(s for s, _ in strided)], [*inputs, *(out for _, out in strided)]
            found = self.bindings[key] = self._bind(bind_symbols(specs, arrays))
        return found

    def _bind(self, symbols: dict[str, int]) -> Binding:

        def size(expr: Expr) -> int:
            return expr.evaluate(symbols.__getitem__)

        calls: list[Call | None] = []
        for step in self.spec.steps:
            if isinstance(step, NativeStep):
                calls.append(Call(self.addresses[step.symbol], step.places, _table([symbols[s] for s in step.symbols])))
            else:
                calls.append(self._library_call(step, size))
        offsets: list[int] = []
        total = 0
        for slot in self.spec.slots:
            offsets.append(total)
            total += -(-max(size(slot), 1) // ALIGNMENT) * ALIGNMENT
        shapes = [tuple(size(e) for e in o.shape) for o in self.spec.outputs]
        strides = [
            spec.steps(shape) if spec.strides is None else tuple(size(s) * spec.dtype.itemsize for s in spec.strides)
            for spec, shape in zip(self.spec.outputs, shapes, strict=True)
        ]
        return Binding(symbols, calls, shapes, strides, offsets, total)

    def _library_call(self, step: LibraryStep, size: Callable[[Expr], int]) -> Call | None:
        found = self.routine_of(step, size)
        if found is None:
            return None
        address, form, places = found
        return Call(address, places, _table(form.table), form.work)

    def routine_of(
        self, step: LibraryStep, size: Callable[[Expr], int]
    ) -> tuple[int, NativeForm, tuple[int, ...]] | None:
        """The address of the function that makes a library call without Python, how it takes arrays like these, and
        their places; None where there is none."""
        found = native_form(step, size)
        address = self.find_routine(found[0].shim) if found is not None else None
        return (address, *found) if found is not None and address is not None else None

    def result_bytes(self, binding: Binding) -> int:
        """Of all results."""
        return sum(prod(s) * o.dtype.itemsize for s, o in zip(binding.output_shapes, self.spec.outputs, strict=True))

    # ---- the short way -------------------------------------------------------------
    def is_short(self, binding: Binding) -> bool:
        """Whether calls may have a native entry: not with library calls, nor with more temporaries than an entry may
        keep, nor from a pool that poisons memory at each call."""
        return not self.pool.poisons and None not in binding.calls and binding.arena_bytes <= ENTRY_BYTES

    def short_steps(
        self, inputs: Sequence[Any], binding: Binding, first: Executable | None
    ) -> tuple[list[Run | Check], list[Any]]:
        """What runs for arrays like these, in an arena of its own, and what must stay alive for that. `first` is what
        has to run before."""
        steps, keep = first.short_steps(inputs, first.bind(inputs), None) if first is not None else ([], [])
        arena = np.empty(binding.arena_bytes + ALIGNMENT, np.uint8)
        base = -(-arena.ctypes.data // ALIGNMENT) * ALIGNMENT
        addresses = [0] * len(inputs) + self.constant_addresses + [0] * len(self.spec.outputs)
        addresses += [base + offset for offset in binding.slot_offsets]
        number = {k: k for k in range(len(inputs))}
        number |= {self.first_output + k: len(inputs) + k for k in range(len(self.spec.outputs))}
        for call in binding.calls:
            assert call is not None
            arrays = tuple((k, number[place]) for k, place in enumerate(call.places) if place in number)
            places = tuple(addresses[place] for place in call.places)
            steps.append(Run(call.address, places, arrays, ctypes.addressof(call.table)))
        for check in self.spec.checks:
            steps.append(Check(addresses[check.place], EXCEPTIONS[check.exception], check.message))
        return steps, [*keep, arena, binding.calls, self.keep, self.spec]

    def short_results(self, inputs: Sequence[Any], binding: Binding, numbers: Sequence[bool]) -> list[Result]:
        """The results for arrays like these; `numbers` says which callers get as NumPy scalars."""
        found: list[Result] = []
        for k, (spec, is_number) in enumerate(zip(self.spec.outputs, numbers, strict=True)):
            shape, strides, donor = binding.output_shapes[k], binding.output_strides[k], self.donors.get(k)
            is_donor = donor is not None and (inputs[donor].shape, inputs[donor].strides) == (shape, strides)
            result = Result(spec.dtype, shape, strides, spec.order is None, is_number, donor, is_donor)
            if self.pool.holds(result.bytes):
                result = replace(result, allocate=partial(self.pool.empty, shape, spec.dtype, strides))
            found.append(result)
        return found

    # ---- running -------------------------------------------------------------------
    def run(self, inputs: Sequence[Any], outs: Sequence[Any] | None = None) -> list[Any]:
        """The outputs: `outs` (which must have the right dtypes, shapes and layouts, and not overlap the inputs or
        each other), or arrays of our own, which may be donated inputs. Raises what the program's checks raise."""
        binding = self.bind(inputs, outs or ())
        if outs is None:
            if self.first is not None:
                self.first.run(inputs)
            outs = self._results(binding, inputs)
        arena = self.pool.take(binding.arena_bytes) if binding.arena_bytes else None
        try:
            self._run(inputs, outs, binding, arena.address if arena is not None else 0)
        finally:
            if arena is not None:
                self.pool.give(arena)
        return list(outs)

    def checks_before(self, inputs: Sequence[Any], outs: Sequence[Any]) -> Executable | None:
        """The program's checks alone, which raise before anything is written to `outs`; None where to run them takes
        longer than to copy the outputs."""
        if self.first is None and self.later is not None:
            read = sum(inputs[k].nbytes for k in self.later.reads if k < len(inputs))
            return self.later.program if read <= sum(o.nbytes for o in outs) else None
        return self.first

    def fresh(self, inputs: Sequence[Any]) -> list[Any]:
        """The outputs in memory that nobody else has, donated or not."""
        return self.run(inputs, self._results(self.bind(inputs)))

    def _run(self, inputs: Sequence[Any], outs: Sequence[Any], binding: Binding, arena: int) -> None:
        places = [a.ctypes.data for a in inputs]
        places += self.constant_addresses
        places += [o.ctypes.data for o in outs]
        places += [arena + offset for offset in binding.slot_offsets]
        for step, call in zip(self.spec.steps, binding.calls, strict=True):
            self.run_step(step, call, places, binding)
        for check in self.spec.checks:
            if ctypes.c_uint8.from_address(places[check.place]).value:
                raise EXCEPTIONS[check.exception](check.message)

    def run_step(self, step: NativeStep | LibraryStep, call: Call | None, places: list[int], binding: Binding) -> None:
        if call is not None:
            pointers = (ctypes.c_void_p * max(len(call.places), 1))(*[places[p] for p in call.places])
            call.function(ctypes.addressof(pointers), ctypes.addressof(call.table))
        elif isinstance(step, LibraryStep):
            _library(step, places, binding)

    def _results(self, binding: Binding, inputs: Sequence[Any] = ()) -> list[Any]:
        """Arrays for the outputs: donated ones of `inputs` where the program and their memory allow it, or new ones."""
        found: list[Any] = []
        outputs = zip(binding.output_shapes, binding.output_strides, self.spec.outputs, strict=True)
        for k, (shape, strides, spec) in enumerate(outputs):
            donor = self.donors.get(k)
            if donor is not None and inputs and self._may_take(inputs, donor):
                found.append(shaped(inputs[donor], shape, strides))
            else:
                found.append(self.pool.empty(shape, spec.dtype, strides))
        return found

    def _may_take(self, inputs: Sequence[Any], k: int) -> bool:
        """Whether a result can lie where a donated input is: dense and writeable memory that no other input sees."""
        array = inputs[k]
        if not (array.flags.writeable and self.spec.inputs[k].is_met(array)):
            return False
        return not any(np.may_share_memory(array, other) for j, other in enumerate(inputs) if j != k)


def shaped(array: Any, shape: tuple[int, ...], strides: tuple[int, ...]) -> Any:
    """The array itself, or another view of its memory, which is dense as the view's."""
    if array.shape == shape and array.strides == strides:
        return array
    return np.ndarray(shape, array.dtype, array.ravel(order="K"), 0, strides)


def bind_symbols(specs: Sequence[ArraySpec], inputs: Sequence[Any]) -> dict[str, int]:
    """The value of each symbol in the input specs; ShapeMismatch when the arrays do not fit them."""
    symbols: dict[str, int] = {}
    pairs: list[tuple[ArraySpec, str, Expr, int]] = []
    if len(specs) != len(inputs):
        raise ShapeMismatch(f"expected {len(specs)} arrays, found {len(inputs)}")
    for spec, array in zip(specs, inputs, strict=True):
        if array.ndim != len(spec.shape):
            raise ShapeMismatch(f"'{spec.name}' has {array.ndim} dims, expected {len(spec.shape)}")
        pairs += [
            (spec, f"size {n} along axis {k}", e, n)
            for k, (e, n) in enumerate(zip(spec.shape, array.shape, strict=True))
        ]
        if spec.strides is not None:
            steps = [s // array.itemsize for s in array.strides]
            pairs += [
                (spec, f"stride {n} along axis {k}", e, n)
                for k, (e, n) in enumerate(zip(spec.strides, steps, strict=True))
            ]
    for _, _, expr, value in pairs:
        if len(expr.terms) == 1 and expr.terms[0][1] == 1 and len(expr.terms[0][0]) == 1:
            symbols.setdefault(expr.terms[0][0][0], value)
    for spec, what, expr, value in pairs:
        if expr.evaluate(symbols.__getitem__) != value:
            expected = expr if expr.value is not None else f"{expr} = {expr.evaluate(symbols.__getitem__)}"
            raise ShapeMismatch(f"'{spec.name}' has {what}, expected {expected}")
    return symbols


def _table(values: Sequence[int]) -> Any:
    return (ctypes.c_int64 * max(len(values), 1))(*values)


def _library(step: LibraryStep, places: list[int], binding: Binding) -> None:
    """One library call on views of the places' memory."""

    def size(expr: Expr) -> int:
        return expr.evaluate(binding.symbols.__getitem__)

    arrays = [array_at(places[p], step.views[k], size) for k, p in enumerate((*step.operands, *step.results))]
    count = len(step.operands)
    with np.errstate(all="ignore"):
        found = step.run(arrays[:count], size)
    for target, value in zip(arrays[count:], found, strict=True):
        if target.shape != np.shape(value):
            raise ValueError(f"{step.name} gave shape {np.shape(value)}, the program expects {target.shape}")
        target[...] = value


def array_at(address: int, spec: ArraySpec, size: Callable[[Expr], int]) -> Any:
    """An array over memory that the caller keeps alive."""
    shape = tuple(size(e) for e in spec.shape)
    count = int(np.prod(shape))
    if count == 0:
        return np.empty(shape, spec.dtype)
    itemsize = spec.dtype.itemsize
    if spec.strides is None:
        memory: Any = (ctypes.c_char * (count * itemsize)).from_address(address)
        return np.frombuffer(memory, spec.dtype).reshape(shape)
    strides = tuple(size(s) * itemsize for s in spec.strides)
    low = sum(min(0, s * (n - 1)) for s, n in zip(strides, shape, strict=True))
    high = sum(max(0, s * (n - 1)) for s, n in zip(strides, shape, strict=True)) + itemsize
    memory = (ctypes.c_char * (high - low)).from_address(address + low)
    return np.ndarray(shape, spec.dtype, memory, -low, strides)
