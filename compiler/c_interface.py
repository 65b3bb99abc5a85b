"""Compiled programs as C functions, made when somebody asks for them."""

from __future__ import annotations

import numpy as np

from ..dialects.expr import Expr
from .codegen import jit
from .codegen.c_entry import NAME, SIGNATURES, Segment, program_text, vector_text
from .runtime.executable import Executable
from .runtime.program import LibraryStep, NativeStep, ProgramSpec


def sizes_of(spec: ProgramSpec) -> tuple[str, ...]:
    """The symbols in the shapes and strides of the arguments, each once, in order."""
    found: dict[str, None] = {}
    for array in spec.inputs:
        for expr in (*array.shape, *(array.strides or ())):
            if expr.value is None and expr == Expr.symbol(str(expr)):
                found[str(expr)] = None
    return tuple(found)


def _routine(step: LibraryStep, executable: Executable) -> Segment:
    """A library call as a native one: where it needs no Python, and its arrays have known sizes."""
    symbols = [e for view in step.views.values() for e in (*view.shape, *(view.strides or ())) if e.value is None]
    found = None if symbols else executable.routine_of(step, lambda size: size.value or 0)
    if found is None:
        raise ValueError(f"a program that calls a library ({step.name}) has no address")
    address, form, places = found
    return Segment(address, places, table=form.table)


class CInterface:
    """The C functions of a loaded program."""

    def __init__(self, executable: Executable):
        self._spec = executable.spec
        self._keep: list[object] = [executable]
        spec, sizes = executable.spec, sizes_of(executable.spec)
        segments: list[Segment] = []
        for step in spec.steps:
            if isinstance(step, NativeStep):
                numbers = tuple(sizes.index(s) for s in step.symbols)
                segments.append(Segment(executable.addresses[step.symbol], step.places, numbers))
            else:
                segments.append(_routine(step, executable))
        places = [*[None] * len(spec.inputs), *executable.constant_addresses, *[None] * len(spec.outputs), *spec.slots]
        text = program_text(sizes, places, segments, [check.place for check in spec.checks])
        self.address = self._load(text, NAME)

    def address_as(self, signature: str) -> int:
        """See `Compiled.address_as`."""
        if signature not in SIGNATURES:
            known = ", ".join(f'"{s}"' for s in SIGNATURES)
            raise ValueError(f"unknown signature {signature!r}; known are {known}")
        spec, double = self._spec, np.dtype(np.float64)
        one = len(spec.inputs) == len(spec.outputs) == 1
        if not one or spec.inputs[0].dtype != double or len(spec.inputs[0].shape) != 1 or spec.inputs[0].strides:
            raise ValueError("only a program with one dense float64 vector as its argument has other signatures")
        if spec.outputs[0].dtype != double or spec.outputs[0].shape:
            raise ValueError("only a program with one float64 number as its result has other signatures")
        return self._load(vector_text(signature, self.address, spec.inputs[0].shape[0].value), "loopweld_as")

    def _load(self, text: str, name: str) -> int:
        loaded = jit.load(jit.compile_object(text, jit.host()), [name])
        self._keep.append(loaded)
        return loaded.addresses[name]
